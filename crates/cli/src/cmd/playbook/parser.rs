//! A playbook as a parser: its words, and the flags of one command.

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use infrakit_playbook::{Definition, Flag, Index, Kind, Setting, Tree, Values, description};

use crate::context::GlobalArgs;
use crate::error::one_line;
use crate::words;

/// What the arguments of a command are called inside; no flag can be.
const ARGUMENTS: &str = " arguments";

/// The flags that every command has.
const OWN: [(&str, &str); 3] = [
    (
        "accept-defaults",
        "Take the defaults of questions without asking",
    ),
    (
        "print-only",
        "Print what the command makes, and do nothing with it",
    ),
    ("test", "Show what would be done, and do not do it"),
];

/// What was said about a command on the command line.
pub(super) struct Said {
    /// Values of its flags.
    pub(super) given: std::collections::BTreeMap<String, Setting>,
    /// Its arguments.
    pub(super) arguments: Vec<String>,
    pub(super) accept_defaults: bool,
    pub(super) print_only: bool,
    pub(super) test: bool,
}

/// Returns the root of the parser and whether it has the flags that all commands share: those of
/// a playbook come first.
pub(super) fn root(flags: &[Flag]) -> (Command, bool) {
    let root = words::empty_root();
    let shared = GlobalArgs::augment_args(Command::new("infrakit"));
    let clash = shared.get_arguments().any(|shared| {
        flags
            .iter()
            .any(|flag| Some(flag.name.as_str()) == shared.get_long())
    });
    if clash {
        (root, false)
    } else {
        (GlobalArgs::augment_args(root), true)
    }
}

/// Puts `inner` below `words`, the first of which is `use` or `playbook`.
pub(super) fn nest(root: Command, words: &[String], inner: Command) -> Command {
    let nested = words.iter().rev().fold(inner, |inner, word| {
        Command::new(word.clone())
            .subcommand_required(true)
            .disable_help_subcommand(true)
            .subcommand(inner)
    });
    root.subcommand(nested)
}

/// Returns the parser of a command.
pub(super) fn command(name: &str, text: &str, definition: &Definition) -> Command {
    let mut command = Command::new(name.to_owned()).disable_help_subcommand(true);
    if let Some(about) = description(text) {
        command = command.about(one_line(&about));
    }
    for (order, flag) in definition.flags.iter().enumerate() {
        command = command.arg(argument(flag).display_order(order));
    }
    for (name, about) in OWN {
        command = command.arg(
            Arg::new(name)
                .long(name)
                .action(ArgAction::SetTrue)
                .display_order(1000)
                .help(about),
        );
    }
    let arguments = Arg::new(ARGUMENTS)
        .value_name("ARGUMENT")
        .num_args(0..)
        .help("Handed on to what runs the command; those with a dash behind `--`");
    command = command.arg(arguments);
    match &definition.directive {
        Some(directive) => {
            let backend = directive.backend;
            command.after_help(format!("Backend: {}, {}", backend.name(), backend.about()))
        }
        None => command.after_help("Backend: none; only --print-only has an effect"),
    }
}

fn argument(flag: &Flag) -> Arg {
    let kind = flag.kind;
    let mut about = one_line(&flag.about);
    if let Some(default) = &flag.default
        && !default.to_string().is_empty()
    {
        about.push_str(&format!(" [default: {}]", one_line(&default.to_string())));
    }
    let placeholder = match (flag.values, kind) {
        (Values::List, _) => "LIST".to_owned(),
        (Values::One | Values::Repeated, kind) => kind.word().to_uppercase(),
    };
    let argument = Arg::new(flag.name.clone())
        .long(flag.name.clone())
        .value_name(placeholder)
        .help(about.trim().to_owned())
        .value_parser(move |text: &str| kind.read(text));
    match (flag.values, kind, &flag.default) {
        (Values::Repeated, ..) => argument.action(ArgAction::Append),
        // A flag with a default is a switch; one without may be given its value as a word.
        (_, Kind::Bool, Some(_)) => argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        (_, Kind::Bool, None) => argument.num_args(0..=1).default_missing_value("true"),
        (_, Kind::Int | Kind::Float, _) => argument.allow_negative_numbers(true),
        (_, Kind::Text | Kind::Ip | Kind::Duration, _) => argument.allow_hyphen_values(true),
    }
}

/// Reads what was said about a command.
pub(super) fn said(matches: &ArgMatches, definition: &Definition) -> Said {
    let mut given = std::collections::BTreeMap::new();
    for flag in &definition.flags {
        let mut values: Vec<Setting> = matches
            .get_many::<Setting>(&flag.name)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        let setting = match flag.values {
            Values::Repeated if values.is_empty() => None,
            Values::Repeated => Some(Setting::Many(
                values.iter().map(ToString::to_string).collect(),
            )),
            Values::One | Values::List => values.pop(),
        };
        if let Some(setting) = setting {
            given.insert(flag.name.clone(), setting);
        }
    }
    Said {
        given,
        arguments: matches
            .get_many::<String>(ARGUMENTS)
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        accept_defaults: matches.get_flag("accept-defaults"),
        print_only: matches.get_flag("print-only"),
        test: matches.get_flag("test"),
    }
}

/// Returns the parser of a list of commands, for its help; `about` heads it.
pub(super) fn list(tree: &Tree<'_>, index: &Index, name: &str, about: &str) -> Command {
    let mut command = Command::new(name.to_owned())
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .about(about.to_owned());
    if let Some(readme) = tree.readme(index) {
        command = command.before_help(plain(&readme));
    }
    for word in index.commands.keys() {
        let about = match tree.below(index, word) {
            Ok(infrakit_playbook::Node::Command(command)) => {
                description(&command.text).unwrap_or_default()
            }
            Ok(infrakit_playbook::Node::Index(below)) => {
                format!(
                    "{} below it",
                    super::add::counted(below.commands.len(), "command")
                )
            }
            Err(_) => "(its file was not there)".to_owned(),
        };
        command = command.subcommand(Command::new(word.clone()).about(one_line(&about)));
    }
    command
}

/// Returns text of several lines that cannot drive the terminal.
pub(super) fn plain(text: &str) -> String {
    let lines: Vec<String> = text
        .trim()
        .lines()
        .map(|line| {
            line.chars()
                .filter(|c| !c.is_control() || *c == '\t')
                .collect()
        })
        .collect();
    lines.join("\n")
}

/// Lets the shell complete names of playbooks as an argument.
pub(super) fn complete_names(arg: Arg, names: Vec<String>) -> Arg {
    arg.add(ArgValueCandidates::new(move || {
        names.iter().map(CompletionCandidate::new).collect()
    }))
}
