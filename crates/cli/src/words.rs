//! The words of the command line that mean the same whatever plugins there are.

use std::ffi::OsString;

use clap::Command;

use crate::context::GlobalArgs;

/// Word under which the plugins of this machine are found, whatever their names.
pub(crate) const LOCAL: &str = "local";

/// Words of the group controller that are understood without its name: what they tell of is of no
/// single group.
pub(crate) const SHORT: [&str; 1] = ["orphans"];

/// Names of the static commands.
pub(crate) const STATIC: [&str; 15] = [
    "completion",
    "event",
    "freeze",
    "help",
    LOCAL,
    "manager",
    "metadata",
    "play",
    "playbook",
    "plugin",
    "remote",
    "template",
    "thaw",
    "use",
    "version",
];

/// Returns whether a word is a command whatever plugins there are.
pub(crate) fn is_static(word: &str) -> bool {
    STATIC.contains(&word)
}

/// Returns the index of the first word from `from` on, past the flags that stand before it.
pub(crate) fn word(arguments: &[OsString], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(argument) = arguments.get(at) {
        let text = argument.to_string_lossy();
        if !text.starts_with('-') {
            return Some(at);
        }
        at += if GlobalArgs::WITH_VALUE.contains(&&*text) {
            2
        } else {
            1
        };
    }
    None
}

/// Removes the parser's own `help` below every command: ours stands at the top.
pub(crate) fn without_help_commands(command: Command) -> Command {
    command
        .disable_help_subcommand(true)
        .mut_subcommands(without_help_commands)
}

/// Returns the parser without commands.
pub(crate) fn empty_root() -> Command {
    Command::new("infrakit")
        .about("Keeps groups of instances as they are specified")
        .long_about(
            "Keeps groups of instances as they are specified.\n\n\
             Running plugins become commands: `infrakit group ls` asks the plugin `group`. They are \
             found in $INFRAKIT_PLUGINS_DIR; `infrakit help env` lists all variables.",
        )
        .after_help(
            "Example:\n  infrakit play\n  infrakit plugin start manager group vanilla file\n  \
             infrakit group commit cattle.json --wait",
        )
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(100)
}
