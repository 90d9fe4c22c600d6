//! `infrakit use`: from words to a command of a playbook, and to what it makes.

use std::ffi::OsString;
use std::sync::Arc;

use clap::{ArgMatches, Command as Parser, FromArgMatches as _};
use infrakit_playbook::{
    Act, Command, Defaults, Definition, Index, Node, Options, Playbook, Player, RunError, check,
};

use super::backend::{self, Job};
use super::prompt::StandardInput;
use super::{home, parser};
use crate::context::{Context, GlobalArgs, start_logging};
use crate::error::{CommandError, Result, one_line};
use crate::input::metadata;
use crate::usage::{help_or_usage, usage};
use crate::words::word;

/// Words below `playbook` that are not the name of a playbook.
const WORDS: [&str; 7] = ["add", "ls", "list", "rm", "show", "update", "help"];

/// Returns whether `arguments`, whose first word is at `first`, use a playbook: `use …`, or
/// `playbook NAME …`.
pub(crate) fn is_invocation(arguments: &[OsString], first: usize) -> bool {
    let says = |at: usize, what: &str| arguments.get(at).is_some_and(|word| word == what);
    if says(first, "use") {
        return true;
    }
    says(first, "playbook")
        && word(arguments, first + 1).is_some_and(|next| {
            let next = arguments[next].to_string_lossy();
            !WORDS.contains(&&*next)
        })
}

/// Uses a playbook. `at` is the index of the word `use` or `playbook`.
pub(crate) fn invoke(context: &Context, arguments: Vec<OsString>, at: usize) -> Result {
    let verb = arguments[at].to_string_lossy().into_owned();
    let Some(name_at) = word(&arguments, at + 1).filter(|name| !behind_dashes(&arguments, *name))
    else {
        return playbooks(context, &arguments);
    };
    let name = text(&arguments[name_at])?;
    let playbook = home::open(context, &name)?;
    match descend(&playbook, &arguments, name_at)? {
        Node::Index(index) => commands(context, &playbook, &index, &verb, &arguments),
        Node::Command(command) => run(context, &playbook, &command, &verb, &arguments),
    }
}

/// Returns whether `--` stands before the word at `index`.
fn behind_dashes(arguments: &[OsString], index: usize) -> bool {
    arguments[..index].iter().any(|argument| argument == "--")
}

fn text(word: &OsString) -> Result<String> {
    word.to_str()
        .map(str::to_owned)
        .ok_or_else(|| CommandError::user("a word of the command line is not valid UTF-8"))
}

/// Goes down the playbook along the words behind its name.
fn descend(playbook: &Playbook, arguments: &[OsString], name_at: usize) -> Result<Node> {
    let tree = playbook.tree();
    let mut node = tree.first()?;
    let mut at = name_at;
    while let Node::Index(index) = &node {
        let Some(next) = word(arguments, at + 1) else {
            break;
        };
        if behind_dashes(arguments, next) {
            break;
        }
        node = tree.below(index, &text(&arguments[next])?)?;
        at = next;
    }
    Ok(node)
}

/// Lists the playbooks.
fn playbooks(context: &Context, arguments: &[OsString]) -> Result {
    let mut parser = Parser::new("use")
        .about("Use a playbook")
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true);
    let all = home::shelf(context)?.list()?;
    for (name, kept) in &all {
        parser = parser.subcommand(Parser::new(name.clone()).about(kept.entry.source.clone()));
    }
    for name in home::built_in_names().filter(|name| !all.contains_key(*name)) {
        parser = parser.subcommand(Parser::new(name).about("comes with this program"));
    }
    parser = parser.after_help(if all.is_empty() {
        "Add one:\n  infrakit playbook add NAME URL"
    } else {
        "`infrakit use NAME` lists the commands of one."
    });
    show(context, parser::root(&[]).0.subcommand(parser), arguments)
}

/// Shows the help of the innermost command that `arguments` name.
fn show(context: &Context, parser: Parser, arguments: &[OsString]) -> Result {
    match parser.try_get_matches_from(arguments) {
        Ok(_) => Ok(()),
        Err(error) => help_or_usage(context, error),
    }
}

/// Lists the commands of an index.
fn commands(
    context: &Context,
    playbook: &Playbook,
    index: &Index,
    verb: &str,
    arguments: &[OsString],
) -> Result {
    let tree = playbook.tree();
    let Some((name, above)) = index.words.split_last() else {
        return Ok(());
    };
    let about = if above.is_empty() {
        format!("Playbook {name}, from {}", playbook.root)
    } else {
        format!("Commands of {}", index.words.join(" "))
    };
    let list = parser::list(&tree, index, name, &one_line(&about)).arg_required_else_help(true);
    let mut words = vec![verb.to_owned()];
    words.extend_from_slice(above);
    show(
        context,
        parser::nest(parser::root(&[]).0, &words, list),
        arguments,
    )
}

/// Runs a command.
fn run(
    context: &Context,
    playbook: &Playbook,
    command: &Command,
    verb: &str,
    arguments: &[OsString],
) -> Result {
    let player =
        Player::new(playbook, home::network(), echo()).with_metadata(metadata::plugins(context)?);
    let definition = player.define(command);
    let matches = match parse(command, &definition, verb, arguments) {
        Ok(matches) => matches,
        Err(error) => {
            explain(context, playbook, command, &definition, error.use_stderr());
            return help_or_usage(context, error);
        }
    };
    let (_, shared) = parser::root(&definition.flags);
    if shared {
        let globals = GlobalArgs::from_arg_matches(&matches).map_err(usage)?;
        start_logging(&globals, context.error_color);
    }
    let said = parser::said(innermost(&matches), &definition);
    let options = Options {
        given: said.given.clone(),
        act: if said.test || said.print_only {
            Act::Pretend
        } else {
            Act::Really
        },
        defaults: if said.accept_defaults {
            Defaults::Accepted
        } else {
            Defaults::Asked
        },
        ask: Arc::new(StandardInput::new()),
    };
    let script = player
        .run(command, &definition, options)
        .map_err(|error| failed(&error))?;
    for warning in &script.warnings {
        context.warn(warning);
    }
    if said.print_only {
        return context.out.line(&script.text);
    }
    let path = command.words.join(" ");
    let Some(directive) = &script.directive else {
        return Err(CommandError::config(format!(
            "`{path}` makes a text and does not say what is to be done with it"
        ))
        .hint(
            "--print-only prints the text; `{{/* =% sh %= */}}` in its file would run it with /bin/sh",
        ));
    };
    let job = Job {
        path: &path,
        script: &script.text,
        words: &directive.words,
        given: &said.given,
        arguments: &said.arguments,
        test: said.test,
    };
    backend::perform(context, directive.backend, &job)
}

/// Shows what templates say on the way.
fn echo() -> Arc<dyn Fn(&str) + Send + Sync> {
    Arc::new(|line| {
        use std::io::Write as _;
        // A closed stderr is no reason to stop.
        let _ = writeln!(std::io::stderr(), "{}", parser::plain(line));
    })
}

fn failed(error: &RunError) -> CommandError {
    let made = CommandError::config(error.to_string()).maybe_hint(error.hint());
    match error {
        RunError::Unanswered(_) => made,
        RunError::Template(template) => made.maybe_hint(template.snippet()),
    }
}

fn parse(
    command: &Command,
    definition: &Definition,
    verb: &str,
    arguments: &[OsString],
) -> std::result::Result<ArgMatches, clap::Error> {
    let Some((name, above)) = command.words.split_last() else {
        return Ok(ArgMatches::default());
    };
    let inner = parser::command(name, &command.text, definition);
    let mut words = vec![verb.to_owned()];
    words.extend_from_slice(above);
    let (root, _) = parser::root(&definition.flags);
    parser::nest(root, &words, inner).try_get_matches_from(arguments)
}

fn innermost(matches: &ArgMatches) -> &ArgMatches {
    let mut innermost = matches;
    while let Some((_, below)) = innermost.subcommand() {
        innermost = below;
    }
    innermost
}

/// Says why flags may be missing: where the template is broken always, what else went wrong while
/// they were looked for on request.
fn explain(
    context: &Context,
    playbook: &Playbook,
    command: &Command,
    definition: &Definition,
    wrong: bool,
) {
    let broken = check(playbook, command);
    if let Some(why) = &broken {
        context.warn(&format!("flags may be missing: {why}"));
    }
    if broken.is_none() && (wrong || context.settings.callable_warnings()) {
        for warning in &definition.warnings {
            context.warn(&format!("flags may be missing: {warning}"));
        }
    }
}

/// Adds `use` and the names below `playbook` to the parser that completes for the shell. Only the
/// playbook that is being typed is read.
pub(crate) fn complete(context: &Context, root: Parser, typed: &[OsString]) -> Parser {
    let names: Vec<String> = home::shelf(context)
        .and_then(|shelf| Ok(shelf.list()?))
        .unwrap_or_default()
        .into_keys()
        .chain(home::built_in_names().map(str::to_owned))
        .collect();
    let verb = typed
        .iter()
        .position(|word| word == "use" || word == "playbook");
    let wanted = verb.and_then(|at| {
        let name_at = word(typed, at + 1)?;
        Some((name_at, typed[name_at].to_str()?.to_owned()))
    });
    let below = |parser: Parser| {
        names.iter().fold(parser, |parser, name| {
            let inner = match &wanted {
                Some((at, wanted)) if wanted == name => typed_commands(context, name, typed, *at),
                _ => None,
            };
            parser.subcommand(inner.unwrap_or_else(|| Parser::new(name.clone())))
        })
    };
    let root = root.mut_subcommand("use", |parser| {
        // The words of a playbook take the place of free text.
        below(Parser::new("use").about(parser.get_about().cloned().unwrap_or_default()))
    });
    let kept = names.clone();
    root.mut_subcommand("playbook", |parser| {
        ["rm", "show", "update"]
            .iter()
            .fold(below(parser), |parser, verb| {
                let kept = kept.clone();
                let arg = if *verb == "show" { "name" } else { "names" };
                parser.mut_subcommand(*verb, |parser| {
                    parser.mut_arg(arg, |arg| parser::complete_names(arg, kept))
                })
            })
    })
}

/// Returns the commands of a playbook, with the flags of the one that is typed.
fn typed_commands(context: &Context, name: &str, typed: &[OsString], at: usize) -> Option<Parser> {
    // To complete a word is no reason to lock anything.
    let kept = home::shelf(context).ok()?.kept(name).ok();
    if kept.is_some_and(|kept| kept.locked.is_none()) {
        return None;
    }
    let playbook = home::open(context, name).ok()?;
    let node = playbook.tree().first().ok()?;
    Some(completed(&playbook, &node, name, typed, at))
}

fn completed(
    playbook: &Playbook,
    node: &Node,
    name: &str,
    typed: &[OsString],
    at: usize,
) -> Parser {
    match node {
        Node::Command(command) => {
            let player = Player::new(playbook, None, Arc::new(|_| {}));
            parser::command(name, &command.text, &player.define(command))
        }
        Node::Index(index) => {
            let tree = playbook.tree();
            let mut list = parser::list(&tree, index, name, "");
            let next =
                word(typed, at + 1).and_then(|next| Some((next, typed[next].to_str()?.to_owned())));
            if let Some((next, word)) = next
                && let Ok(below) = tree.below(index, &word)
            {
                let inner = completed(playbook, &below, &word, typed, next);
                list = list.mut_subcommand(word, |_| inner);
            }
            list
        }
    }
}
