//! Commands made from plugins: every object that is found is a command, its verbs below it.
//!
//! Each object is reachable at top level, below `local`, and below the name in INFRAKIT_HOST; a
//! plugin under the name of a static command only in the latter two ways. When a command names its
//! plugin, only that plugin is asked.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::{ArgMatches, Args as _, Command, FromArgMatches as _};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use infrakit_spi::version;

use crate::cmd;
use crate::compose::KINDS;
use crate::context::{Context, GlobalArgs, runtime, start_logging};
use crate::error::{CommandError, Result, did_you_mean};
use crate::fixed::root;
use crate::machine::this_machine;
use crate::target::{self, Found, Target, greet_all};
use crate::usage::{help_or_usage, usage};
use crate::verbs::{self, Verb};
use crate::words::{LOCAL, SHORT, empty_root, is_static, without_help_commands, word};

/// Runs a command on an object. `below` is the index of the word `local`, where it was said.
pub(crate) fn object(context: &Context, arguments: Vec<OsString>, below: Option<usize>) -> Result {
    let local = below.is_some_and(|at| arguments[at] == LOCAL);
    if !local {
        this_machine(context)?;
    }
    let Some(at) = word(&arguments, below.map_or(1, |at| at + 1)) else {
        let parent = below.map_or_else(|| LOCAL.into(), |at| arguments[at].to_string_lossy());
        return print_objects(context, &parent);
    };
    let name = arguments[at]
        .to_str()
        .ok_or_else(|| CommandError::user("a name is not valid UTF-8"))?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let target = match below {
            Some(_) => target::find(context, name).await?,
            None => top_level(context, name).await?,
        };
        let parent = below.map(|at| arguments[at].to_string_lossy().into_owned());
        let command = parser(&target, parent.as_deref());
        let matches = match command.try_get_matches_from(&arguments) {
            Ok(matches) => matches,
            Err(error) => return help_or_usage(context, error),
        };
        let globals = GlobalArgs::from_arg_matches(&matches).map_err(usage)?;
        start_logging(&globals, context.error_color);
        perform(context, &target, innermost(&matches, below.is_some())).await
    })
}

/// Finds an object that was named without `local` before it: the word may also be a mistyped
/// static command.
async fn top_level(context: &Context, name: &str) -> Result<Target> {
    if !context.settings.dynamic() {
        return Err(unknown(name, std::iter::empty())
            .hint("INFRAKIT_DYNAMIC_CLI turns plugin commands off; say `infrakit local …`"));
    }
    // Without a home there are no plugins, but the word is still wrong.
    let plugins = target::list(context).unwrap_or_default();
    let socket = name.split('/').next().unwrap_or_default();
    if !plugins.contains_key(socket) {
        return Err(unknown(name, plugins.keys().map(String::as_str)));
    }
    target::find(context, name).await
}

fn unknown<'a>(name: &str, plugins: impl Iterator<Item = &'a str>) -> CommandError {
    let plugins: Vec<&str> = plugins.collect();
    let candidates = root();
    let commands = candidates.get_subcommands().map(Command::get_name);
    let hint = did_you_mean(name, plugins.iter().copied().chain(commands).chain(SHORT)).unwrap_or_else(|| {
        if plugins.is_empty() {
            "no plugins are running; start some with `infrakit plugin start manager group vanilla file`"
                .to_owned()
        } else {
            format!("running plugins are {}; `infrakit -h` lists all commands", plugins.join(", "))
        }
    });
    let shown: String = name.chars().take(60).collect();
    CommandError::user(format!("there is no command or plugin `{shown}`")).hint(hint)
}

/// Returns the matches of the object itself.
fn innermost(matches: &ArgMatches, below: bool) -> &ArgMatches {
    match (matches.subcommand(), below) {
        (Some((_, object)), false) => object,
        (Some((_, parent)), true) => parent.subcommand().map_or(parent, |(_, object)| object),
        (None, _) => matches,
    }
}

/// Does what the verb says.
async fn perform(context: &Context, target: &Target, matches: &ArgMatches) -> Result {
    let Some((word, arguments)) = matches.subcommand() else {
        return Err(CommandError::user(format!(
            "what is to be done with `{}`?",
            target.name
        )));
    };
    let verbs = verbs::of(target);
    match verbs.iter().find(|(name, _)| name == word) {
        Some((_, verb)) => (verb.run)(context, target, arguments).await,
        None => Err(CommandError::user(format!(
            "`{}` cannot `{word}`",
            target.name
        ))),
    }
}

/// Returns the command of an object with its verbs.
fn command(target: &Target) -> Command {
    let verbs = verbs::of(target);
    let mut command = Command::new(target.name.clone())
        .about(about(&target.name, &target.implements()))
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true);
    let taken: Vec<String> = verbs.iter().map(|(name, _)| name.clone()).collect();
    for (name, verb) in &verbs {
        command = command.subcommand(named(target, name, verb, &taken));
    }
    command
}

/// Returns the command of a verb under the word at which it is offered.
fn named(target: &Target, name: &str, verb: &Verb, taken: &[String]) -> Command {
    let mut command = without_help_commands((verb.command)());
    if name != verb.name {
        // An alias belongs to whoever has the word; this one only has its long name.
        return command
            .name(name.to_owned())
            .visible_aliases(None::<&str>)
            .aliases(None::<&str>);
    }
    let clash = command
        .get_all_aliases()
        .any(|alias| taken.iter().any(|other| other == alias));
    if clash {
        command = command.visible_aliases(None::<&str>);
    }
    if target.has(version::GROUP) && GROUP_VERBS.contains(&verb.name) {
        command = complete_groups(command, target);
    }
    if verb.name == "rollout" {
        command = command.mut_subcommands(|action| complete_groups(action, target));
    }
    command
}

/// Verbs whose first argument is a group.
const GROUP_VERBS: [&str; 12] = [
    "describe",
    "ls",
    "free",
    "free-group",
    "destroy",
    "destroy-instance",
    "scale",
    "inspect",
    "hold",
    "release",
    "confirm-loss",
    "why",
];

/// Lets the shell complete the ids of groups, asked for only when it comes to that.
fn complete_groups(command: Command, target: &Target) -> Command {
    let target = target.clone();
    let candidates = move || -> Vec<CompletionCandidate> {
        let ids = runtime()
            .and_then(|runtime| runtime.block_on(async { verbs::group::specs(&target).await }));
        ids.unwrap_or_default()
            .iter()
            .map(|group| CompletionCandidate::new(group.id.as_str()))
            .collect()
    };
    let candidates = ArgValueCandidates::new(candidates);
    let argument = if command.get_name() == "inspect" {
        "group"
    } else {
        "words"
    };
    command.mut_arg(argument, |argument| argument.add(candidates))
}

fn about(name: &str, implements: &str) -> String {
    format!("Access plugin {name} which implements {implements}")
}

/// Returns the parser for a command on one object.
fn parser(target: &Target, parent: Option<&str>) -> Command {
    let root = GlobalArgs::augment_args(empty_root());
    let object = command(target);
    match parent {
        None => root.subcommand(object),
        Some(parent) => {
            let parent = Command::new(parent.to_owned())
                .about("Access the plugins of this machine")
                .subcommand_required(true)
                .subcommand(object);
            root.subcommand(parent)
        }
    }
}

/// Asks every plugin what it has; without a home there is none.
fn everything(context: &Context) -> Vec<Found> {
    let asked = context.block_on(async { greet_all(context).await });
    asked.unwrap_or_else(|error| {
        context.warn(error.message());
        Vec::new()
    })
}

/// Returns all objects with what they implement.
fn descriptions(found: &[Found]) -> BTreeMap<String, String> {
    found
        .iter()
        .flat_map(Found::objects)
        .map(|(name, offers)| (name, target::implements(&offers)))
        .collect()
}

/// Prints the help of the program: static commands and those of the plugins.
pub(crate) fn print_help(context: &Context) -> Result {
    let found = match this_machine(context) {
        Ok(()) if context.settings.dynamic() => everything(context),
        Ok(()) => Vec::new(),
        Err(error) => {
            context.warn(error.message());
            Vec::new()
        }
    };
    let mut root = root()
        .subcommand(local_command())
        .subcommands(short_commands());
    let objects = descriptions(&found);
    for (name, implements) in &objects {
        if !is_static(name) {
            root = root.subcommand(Command::new(name.clone()).about(about(name, implements)));
        }
    }
    if objects.is_empty() {
        root = root.after_help(
            "No plugins are running. Start some, each becomes a command:\n  \
             infrakit plugin start manager group vanilla file\n\nOr watch a group heal:\n  infrakit play",
        );
    }
    print_sorted(context, root)
}

/// Commands of the group controller that are understood without its name.
fn short_commands() -> impl Iterator<Item = Command> {
    let about = "List what came too late for its group, or may still come";
    SHORT
        .into_iter()
        .map(move |name| Command::new(name).about(about))
}

fn local_command() -> Command {
    Command::new(LOCAL).about("Access the plugins of this machine, whatever their names")
}

/// Prints the help of `local`: every object.
fn print_objects(context: &Context, name: &str) -> Result {
    let mut command = Command::new(name.to_owned())
        .bin_name(format!("infrakit {name}"))
        .about("Access the plugins of this machine")
        .disable_help_subcommand(true)
        .subcommand_required(true);
    let objects = descriptions(&everything(context));
    for (name, implements) in &objects {
        command = command.subcommand(Command::new(name.clone()).about(about(name, implements)));
    }
    if objects.is_empty() {
        command = command.after_help(
            "No plugins are running. Start some:\n  infrakit plugin start manager group vanilla file",
        );
    }
    print_sorted(context, command)
}

fn print_sorted(context: &Context, mut command: Command) -> Result {
    let mut names: Vec<String> = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    names.sort();
    for (order, name) in names.into_iter().enumerate() {
        command = command.mut_subcommand(name, |command| command.display_order(order));
    }
    let text = command.render_help();
    if context.out.color {
        context.out.text(text.ansi().to_string())
    } else {
        context.out.text(text.to_string())
    }
}

/// Returns the parser with every command there is, for the shell's completion.
pub(crate) fn whole(context: &Context) -> Command {
    let mut root = root();
    let mut local = local_command();
    let found = context
        .block_on(async { greet_all(context).await })
        .unwrap_or_default();
    for plugin in &found {
        for name in plugin.objects().keys() {
            let Ok(Some(target)) = plugin.target(context, name) else {
                continue;
            };
            if !is_static(name) {
                root = root.subcommand(command(&target));
            }
            local = local.subcommand(command(&target));
        }
    }
    let names: Vec<String> = found.iter().map(|plugin| plugin.socket.clone()).collect();
    let typed: Vec<OsString> = std::env::args_os().collect();
    let root = cmd::playbook::complete(context, root, &typed);
    complete_plugins(root.subcommand(local), names)
}

/// Lets the shell complete the kinds that can be started and the plugins that can be stopped.
fn complete_plugins(root: Command, names: Vec<String>) -> Command {
    let kinds = || {
        KINDS
            .iter()
            .map(|kind| CompletionCandidate::new(kind.name).help(Some(kind.about.into())))
    };
    let names = move || {
        names
            .iter()
            .map(CompletionCandidate::new)
            .collect::<Vec<_>>()
    };
    root.mut_subcommand("plugin", |plugin| {
        let kinds = ArgValueCandidates::new(move || kinds().collect());
        plugin
            .mut_subcommand("start", |start| {
                start.mut_arg("plugins", |arg| arg.add(kinds))
            })
            .mut_subcommand("stop", |stop| {
                stop.mut_arg("names", |arg| arg.add(ArgValueCandidates::new(names)))
            })
    })
}
