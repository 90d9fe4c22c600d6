//! From the words of the command line to the command: static ones without touching a socket,
//! all others by asking the plugin that they name.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args as _, Command, FromArgMatches as _, Subcommand};

use crate::cmd;
use crate::context::{Context, GlobalArgs, start_logging};
use crate::dynamic;
use crate::error::{CommandError, Result, one_line};
use crate::names;
use crate::settings::Settings;

// The static commands. (A doc comment here would become the description of the program.)
#[derive(Subcommand, Debug)]
enum Static {
    Completion(cmd::completion::CompletionArgs),
    Event(cmd::event::EventArgs),
    Freeze(cmd::freeze::FreezeArgs),
    Help(cmd::help::HelpArgs),
    Manager(cmd::manager::ManagerArgs),
    Metadata(cmd::metadata::MetadataArgs),
    Play(cmd::play::PlayArgs),
    Playbook(cmd::playbook::PlaybookArgs),
    Plugin(cmd::plugin::PluginArgs),
    Remote(cmd::remote::RemoteArgs),
    Template(cmd::template::TemplateArgs),
    Thaw(cmd::freeze::ThawArgs),
    Use(cmd::playbook::UseArgs),
    Version(cmd::version::VersionArgs),
}

/// Word under which the plugins of this machine are found, whatever their names.
pub(crate) const LOCAL: &str = "local";

/// Names of the static commands.
const STATIC: [&str; 15] = [
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

/// Words of the group controller that are understood without its name: what they tell of is of no
/// single group.
const SHORT: [&str; 1] = ["orphans"];

/// Returns whether a word is a command whatever plugins there are.
pub(crate) fn is_static(word: &str) -> bool {
    STATIC.contains(&word)
}

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    let context = Context::new(Settings::from_environment());
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let result = run(&context, arguments).and_then(|()| context.out.flush());
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    // What was printed before the failure belongs to the reader; a second failure changes nothing.
    let _ = context.out.flush();
    if let Some(text) = error.render(context.error_color) {
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
    error.exit_code()
}

pub(crate) fn run(context: &Context, mut arguments: Vec<OsString>) -> Result {
    if context.settings.completing() {
        clap_complete::CompleteEnv::with_factory(|| dynamic::whole(context))
            .bin("infrakit")
            .complete();
    }
    if let Some(daemon) = arguments.first().and_then(|program| names::daemon(program)) {
        return names::run(context, daemon, arguments);
    }
    let Some(first) = word(&arguments, 1) else {
        return bare(context, &arguments);
    };
    if let Some(rewritten) = oldest_style(&arguments, first) {
        return run(context, rewritten);
    }
    let name = arguments[first].to_string_lossy().into_owned();
    if cmd::playbook::is_invocation(&arguments, first) {
        return cmd::playbook::invoke(context, arguments, first);
    }
    if name == "help" {
        if let Some(topic) = word(&arguments, first + 1)
            && arguments[topic] != "env"
        {
            arguments.remove(first);
            arguments.push("--help".into());
            return run(context, arguments);
        }
        if word(&arguments, first + 1).is_none() && !asks_for_help(&arguments) {
            return dynamic::print_help(context);
        }
    }
    if SHORT.contains(&&*name) {
        arguments.insert(first, "group".into());
        return dynamic::object(context, arguments, None);
    }
    if name == LOCAL || context.settings.host()?.is_some_and(|host| host == name) {
        return dynamic::object(context, arguments, Some(first));
    }
    if is_static(&name) {
        return fixed(context, arguments);
    }
    dynamic::object(context, arguments, None)
}

/// Rewrites the oldest style, `instance --name X describe`, to `local X describe`.
fn oldest_style(arguments: &[OsString], first: usize) -> Option<Vec<OsString>> {
    let word = arguments.get(first)?.to_str()?;
    if !["flavor", "group", "info", "instance"].contains(&word) {
        return None;
    }
    let flag = arguments.get(first + 1)?.to_str()?;
    let (plugin, rest) = match flag.strip_prefix("--name")? {
        "" => (arguments.get(first + 2)?.clone(), first + 3),
        value => (value.strip_prefix('=')?.into(), first + 2),
    };
    let mut rewritten = arguments[..first].to_vec();
    rewritten.extend([LOCAL.into(), plugin]);
    if word == "info" {
        rewritten.push(word.into());
    }
    rewritten.extend_from_slice(arguments.get(rest..)?);
    Some(rewritten)
}

/// Runs without a command: asks for help, or for the version.
fn bare(context: &Context, arguments: &[OsString]) -> Result {
    if arguments
        .iter()
        .any(|argument| argument == "--version" || argument == "-V")
    {
        return context
            .out
            .line(format!("infrakit {}", env!("CARGO_PKG_VERSION")));
    }
    let known = [
        "-h",
        "--help",
        "--log-stdout",
        "--log-caller",
        "--log-stack",
    ];
    let odd = arguments.iter().skip(1).find(|argument| {
        let text = argument.to_string_lossy();
        text.starts_with('-') && !known.contains(&&*text) && !text.starts_with("--log")
    });
    if odd.is_some() {
        // The parser says it best.
        root().try_get_matches_from(arguments).map_err(usage)?;
    }
    dynamic::print_help(context)
}

fn asks_for_help(arguments: &[OsString]) -> bool {
    arguments
        .iter()
        .any(|argument| argument == "-h" || argument == "--help")
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

/// Returns the parser with its static commands.
pub(crate) fn root() -> Command {
    without_help_commands(Static::augment_subcommands(GlobalArgs::augment_args(
        empty_root(),
    )))
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

/// Parses and runs a static command.
fn fixed(context: &Context, arguments: Vec<OsString>) -> Result {
    let matches = match root().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return help_or_usage(context, error),
    };
    let globals = GlobalArgs::from_arg_matches(&matches).map_err(usage)?;
    let command = Static::from_arg_matches(&matches).map_err(usage)?;
    if !matches!(command, Static::Version(_) | Static::Help(_)) {
        start_logging(&globals, context.error_color);
    }
    match &command {
        Static::Completion(args) => cmd::completion::run(context, args),
        Static::Event(args) => cmd::event::run(context, args),
        Static::Freeze(args) => cmd::freeze::freeze(context, args),
        Static::Help(args) => cmd::help::environment(context, &args.output),
        Static::Manager(args) => cmd::manager::run(context, args),
        Static::Metadata(args) => cmd::metadata::run(context, args),
        Static::Play(args) => cmd::play::run(context, args),
        Static::Playbook(args) => cmd::playbook::run(context, args),
        Static::Plugin(args) => cmd::plugin::run(context, args),
        Static::Remote(args) => cmd::remote::run(context, args),
        Static::Template(args) => cmd::template::run(context, args),
        Static::Thaw(args) => cmd::freeze::thaw(context, args),
        // Its words were looked at before.
        Static::Use(_) => Ok(()),
        Static::Version(args) => cmd::version::run(context, args),
    }
}

/// Prints what the parser shows on request; anything else it says is an error.
pub(crate) fn help_or_usage(context: &Context, error: clap::Error) -> Result {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let text = error.render();
            if context.out.color {
                context.out.text(text.ansi().to_string())
            } else {
                context.out.text(text.to_string())
            }
        }
        _ => Err(usage(error)),
    }
}

/// Turns the parser's complaint into ours: one line, and what to do.
pub(crate) fn usage(error: clap::Error) -> CommandError {
    let text = error.render().to_string();
    let mut message = String::new();
    let mut tip = None;
    let mut use_line = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("error: ") {
            message = rest.to_owned();
        } else if let Some(rest) = line.trim_start().strip_prefix("tip: ") {
            tip.get_or_insert_with(|| rest.to_owned());
        } else if let Some(rest) = line.strip_prefix("Usage: ") {
            use_line = Some(format!("usage: {rest}"));
        } else if use_line.is_none() && tip.is_none() && line.starts_with("  ") {
            message.push(' ');
            message.push_str(line.trim());
        }
    }
    let message = one_line(&message.replace("subcommand", "command").replace('\'', "`"));
    let tip = tip.map(|tip| tip.replace("subcommand", "command").replace('\'', "`"));
    CommandError::user(message).maybe_hint(tip.or(use_line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn ran(line: &str) -> (Result, String) {
        let (context, written) = testing::context(&[("HOME", "/nonexistent")]);
        let result = run(&context, words(line));
        (result, written.text())
    }

    #[test]
    fn the_command_line_definition_is_sound() {
        root().debug_assert();
        let mut names: Vec<String> = root()
            .get_subcommands()
            .map(|command| command.get_name().to_owned())
            .collect();
        names.push(LOCAL.to_owned());
        names.sort();
        assert_eq!(names, STATIC);
    }

    #[test]
    fn words_are_found_behind_global_flags() {
        assert_eq!(
            word(&words("infrakit --log 5 --log-stdout group ls"), 1),
            Some(4)
        );
        assert_eq!(word(&words("infrakit --log=5 group"), 1), Some(2));
        assert_eq!(word(&words("infrakit -h"), 1), None);
    }

    #[test]
    fn the_oldest_style_is_rewritten() {
        for (line, want) in [
            (
                "infrakit instance --name x describe -q",
                Some("infrakit local x describe -q"),
            ),
            (
                "infrakit --log 5 group --name=g ls",
                Some("infrakit --log 5 local g ls"),
            ),
            (
                "infrakit info --name x api",
                Some("infrakit local x info api"),
            ),
            ("infrakit group ls --name", None),
            ("infrakit group --name", None),
        ] {
            let arguments = words(line);
            let first = word(&arguments, 1).unwrap();
            assert_eq!(oldest_style(&arguments, first), want.map(words), "{line}");
        }
    }

    #[test]
    fn every_static_command_explains_itself_with_an_example() {
        fn check(command: &mut Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} has no description");
            let help = command.render_long_help().to_string();
            let leaf = command.get_subcommands().next().is_none();
            assert!(
                !leaf || help.contains("Example:"),
                "{path} has no example:\n{help}"
            );
            for command in command.get_subcommands_mut() {
                check(command, &path);
            }
        }
        for command in root().get_subcommands_mut() {
            check(command, "infrakit");
        }
    }

    #[test]
    fn help_of_a_command_goes_to_the_output_in_three_ways() {
        for line in [
            "infrakit plugin start --help",
            "infrakit plugin start -h",
            "infrakit help plugin start",
        ] {
            let (result, text) = ran(line);
            result.unwrap();
            assert!(
                text.contains("Usage: infrakit plugin start"),
                "{line}: {text}"
            );
        }
    }

    #[test]
    fn a_wrong_flag_or_verb_is_one_line_with_a_tip() {
        for (line, message, tip) in [
            (
                "infrakit version --outputt json",
                "unexpected argument `--outputt` found",
                "`--output`",
            ),
            ("infrakit plugin lss", "unrecognized command `lss`", "`ls`"),
            (
                "infrakit remote rm",
                "required arguments were not provided: <NAMES>...",
                "usage: ",
            ),
            (
                "infrakit --nosuch",
                "unexpected argument `--nosuch` found",
                "",
            ),
        ] {
            let (result, text) = ran(line);
            let error = result.unwrap_err();
            assert_eq!(text, "", "{line}");
            assert!(error.message().contains(message), "{line}: {error}");
            assert!(
                error.render(false).unwrap().contains(tip),
                "{line}: {error:?}"
            );
            assert_eq!(
                format!("{:?}", error.exit_code()),
                format!("{:?}", ExitCode::from(2))
            );
        }
    }

    #[test]
    fn an_unknown_command_is_answered_with_the_closest() {
        let (result, _) = ran("infrakit verison");
        let error = result.unwrap_err().render(false).unwrap();
        assert!(
            error.contains("`verison`") && error.contains("did you mean `version`?"),
            "{error}"
        );
    }

    #[test]
    fn the_program_says_what_it_is_for() {
        let about = root().get_about().unwrap().to_string();
        assert_eq!(about, "Keeps groups of instances as they are specified");
    }

    #[test]
    fn version_and_help_need_no_home() {
        let (context, written) = testing::context(&[]);
        run(&context, words("infrakit version")).unwrap();
        run(&context, words("infrakit help env")).unwrap();
        run(&context, words("infrakit -V")).unwrap();
        assert!(written.text().contains("INFRAKIT_HOME"));
    }
}
