//! `infrakit plugin start`: plugins in this process, or as children of it.

use std::borrow::Cow;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use infrakit_host::config::{ConfigError, Os, Rules};
use infrakit_host::start_arg::{self, Exec, StartArg};
use infrakit_host::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use crate::compose::{self, Start};
use crate::context::Context;
use crate::error::{CommandError, Result, chain};
use crate::input::{self, InputArgs};
use crate::out::table::Headings;

/// Start plugins in this process, until Ctrl-C
///
/// Each argument is `kind[:name][=exec]`. The name is that of the socket, by default the kind; the
/// manager is called `group` and the group plugin `group-stateless`, so that the manager has the
/// public name. Without arguments, lists the kinds. Options come from the environment, see
/// `infrakit help env`, or from --config-url.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit plugin start manager group vanilla file\n  infrakit plugin start group:group vanilla:flavor-vanilla file:instance-file"
)]
pub(super) struct StartArgs {
    /// Plugins to start
    #[arg(value_name = "KIND[:NAME][=EXEC]")]
    plugins: Vec<String>,
    /// Launch rules: a list of {Key, Launch}, as path or URL
    #[arg(long, value_name = "URL")]
    config_url: Option<String>,
    /// Way to start plugins whose argument says none: inproc or os
    #[arg(long, value_name = "EXEC", value_parser = PossibleValuesParser::new(["inproc", "os"].map(PossibleValue::new)))]
    exec: Option<String>,
    /// Only the sockets are announced: whoever started this process greets the person
    #[arg(long, hide = true)]
    child: bool,
    /// Accepted for old scripts: start always waits
    #[arg(short, long, hide = true)]
    wait: bool,
    #[command(flatten)]
    input: InputArgs,
}

/// How a plugin is started.
#[derive(Debug)]
enum Launch {
    /// In this process.
    Here(Start),
    /// As a child of it.
    Child(Command),
}

/// Starts plugins, or lists what can be started.
pub(super) fn run(context: &Context, args: &StartArgs) -> Result {
    if args.plugins.is_empty() {
        return kinds(context);
    }
    let rules = match &args.config_url {
        Some(url) => {
            let document = input::load(context, url, &args.input)?;
            if args.input.dump {
                return context.out.line(document.text());
            }
            Rules::parse(document.one()?.as_str())
                .map_err(|error| CommandError::config(chain(&error)))?
        }
        None => Rules::default(),
    };
    let (mut here, mut children) = (Vec::new(), Vec::new());
    for argument in &args.plugins {
        match launch(argument, args.exec.as_deref(), &rules)? {
            Launch::Here(start) => here.push(start),
            Launch::Child(command) => children.push(command),
        }
    }
    let greeting = if args.child {
        Greeting::Sockets
    } else {
        Greeting::Tutorial
    };
    run_all(context, &here, children, greeting)
}

fn kinds(context: &Context) -> Result {
    let execs = Exec::NAMES.join(",");
    let rows: Vec<[Cow<'_, str>; 3]> = compose::KINDS
        .iter()
        .map(|kind| [kind.name.into(), execs.as_str().into(), kind.about.into()])
        .collect();
    context.out.line("Plugins available:")?;
    context
        .out
        .table(["KIND", "EXEC", "WHAT"], Headings::Shown, &rows)
}

/// Reads one argument.
fn launch(argument: &str, exec: Option<&str>, rules: &Rules) -> Result<Launch> {
    let arg = start_arg::parse(argument).map_err(|error| {
        CommandError::user(chain(&error)).hint("`infrakit plugin start` lists the kinds")
    })?;
    let os = arg.exec == Exec::Os || (!argument.contains('=') && exec == Some(Exec::Os.name()));
    if os {
        child(&arg, rules).map(Launch::Child)
    } else {
        here(arg, rules).map(Launch::Here)
    }
}

fn here(arg: StartArg, rules: &Rules) -> Result<Start> {
    let rule = rules
        .get(&arg.kind)
        .and_then(|launch| launch.in_process.as_ref());
    let kind = rule.map_or(&arg.kind, |rule| &rule.kind).clone();
    compose::kind(&kind)?;
    let options = rule.and_then(|rule| rule.options.as_ref());
    let options = options
        .map(|options| options.decode())
        .transpose()
        .map_err(|error| {
            CommandError::config(format!("the options of `{}` are wrong: {error}", arg.kind))
        })?;
    Ok(Start {
        kind,
        name: arg.name,
        options,
    })
}

/// Returns the command of a child: that of a rule, or this program with the same argument.
fn child(arg: &StartArg, rules: &Rules) -> Result<Command> {
    let name = arg.name.as_str();
    match rules.os(&arg.kind) {
        Ok(Os { cmd, group }) => Ok(Command {
            group: *group,
            grace: GRACE,
            ..Command::new(name, cmd.as_str())
        }),
        Err(ConfigError::NoCommand { .. }) => {
            compose::kind(&arg.kind)?;
            let program = std::env::current_exe().map_err(|error| {
                CommandError::internal(format!("the path of this program is not known: {error}"))
            })?;
            let program = program.to_string_lossy().replace('\'', "'\\''");
            let argument = format!("{}:{name}", arg.kind).replace('\'', "'\\''");
            let cmd = format!("exec '{program}' plugin start --child '{argument}'");
            Ok(Command {
                grace: GRACE,
                ..Command::new(name, cmd)
            })
        }
        Err(error) => Err(CommandError::config(chain(&error))),
    }
}

/// How long children have to end. All of this process ends within a second of the signal.
const GRACE: Duration = Duration::from_millis(800);

/// What is said when everything runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Greeting {
    /// A line that says what to try.
    Tutorial,
    /// Nothing but the sockets, as the daemons of the original.
    Sockets,
}

/// Serves plugins until a signal says stop.
pub(crate) fn serve(context: &Context, starts: &[Start], greeting: Greeting) -> Result {
    run_all(context, starts, Vec::new(), greeting)
}

fn run_all(
    context: &Context,
    starts: &[Start],
    commands: Vec<Command>,
    greeting: Greeting,
) -> Result {
    let directory = context.settings.plugins_dir()?;
    context.block_on(async {
        // Before the sockets, so that a signal never finds a process that would leave them behind.
        let listen = |kind| {
            signal(kind).map_err(|error| {
                CommandError::internal(format!("failed to listen for signals: {error}"))
            })
        };
        let (mut terminate, mut interrupt) = (
            listen(SignalKind::terminate())?,
            listen(SignalKind::interrupt())?,
        );
        let mut running = tokio::select! {
            running = compose::start(&context.settings, &directory, starts) => running?,
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        };
        let children: Vec<Child> = commands.into_iter().map(Child::start).collect();
        for socket in running.sockets() {
            context.note(&format!("Listening at: {}", socket.display()));
        }
        if greeting == Greeting::Tutorial {
            context.note("Ready. Try: infrakit plugin ls");
        }
        let ended = tokio::select! {
            _ = terminate.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
            () = running.ended() => Err(CommandError::internal("a plugin stopped by itself")),
        };
        let children = futures_util::future::join_all(children.into_iter().map(Child::stop));
        tokio::join!(running.end(), children);
        ended
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing;

    fn started(argument: &str, rules: &str) -> Result<Launch> {
        launch(argument, None, &Rules::parse(rules).unwrap())
    }

    #[test]
    fn launch_rules_give_kind_options_and_commands() {
        let rules = r#"[{"Key": "mine", "Launch": {"inproc": {"Kind": "file", "Options": {"Dir": "/d"}},
            "os": {"Cmd": "run-mine"}}}]"#;
        let Launch::Here(start) = started("mine:instances", rules).unwrap() else {
            panic!()
        };
        assert_eq!(
            (start.kind.as_str(), start.name.as_str()),
            ("file", "instances")
        );
        assert_eq!(start.options, Some(serde_json::json!({"Dir": "/d"})));
        let Launch::Child(command) = started("mine:instances=os", rules).unwrap() else {
            panic!()
        };
        assert_eq!(
            (command.name.as_str(), command.cmd.as_str()),
            ("instances", "run-mine")
        );
    }

    #[test]
    fn without_a_rule_a_child_is_this_program() {
        let Launch::Child(command) = started("vanilla:v=os", "[]").unwrap() else {
            panic!()
        };
        assert!(
            command.cmd.ends_with("plugin start --child 'vanilla:v'"),
            "{}",
            command.cmd
        );
        let all = launch("vanilla", Some("os"), &Rules::default()).unwrap();
        assert!(matches!(all, Launch::Child(_)));
        let one = launch("vanilla=inproc", Some("os"), &Rules::default()).unwrap();
        assert!(matches!(one, Launch::Here(_)));
    }

    #[test]
    fn wrong_arguments_are_explained() {
        for (argument, want) in [
            ("fil", "did you mean `file`?"),
            ("fil=os", "did you mean `file`?"),
            ("file:", "name"),
            ("file:a b", "white space"),
            ("file=osx", "osx"),
        ] {
            let error = started(argument, "[]").unwrap_err().render(false).unwrap();
            assert!(error.contains(want), "{argument}: {error}");
        }
    }

    #[test]
    fn kinds_are_listed() {
        let (context, written) = testing::context(&[]);
        kinds(&context).unwrap();
        let text = written.text();
        assert!(text.starts_with("Plugins available:\nKIND"), "{text}");
        assert!(text.contains("\nfile"), "{text}");
    }
}
