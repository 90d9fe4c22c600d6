//! `infrakit plugin`: which plugins run, starting them, stopping them.

use std::borrow::Cow;
use std::path::Path;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use infrakit_host::start_arg::{self, Exec};
use infrakit_rpc::discovery::Address;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::compose::{self, Start};
use crate::context::Context;
use crate::dynamic::this_machine;
use crate::error::{CommandError, Result, chain};
use crate::input::{self, InputArgs};
use crate::out::table::Headings;
use crate::out::{Format, OutputArgs, table};
use crate::target;

/// List, start and stop plugins
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit plugin start manager group vanilla file\n  infrakit plugin ls\n  infrakit plugin stop --all")]
pub(crate) struct PluginArgs {
    #[command(subcommand)]
    command: PluginCommand,
}

#[derive(Subcommand, Debug)]
enum PluginCommand {
    Ls(ListArgs),
    Start(StartArgs),
    Stop(StopArgs),
}

/// List the plugins that run, with what they implement
#[derive(Args, Debug)]
#[command(alias = "list", after_help = "Example:\n  infrakit plugin ls -o json")]
struct ListArgs {
    /// Leave out the headings
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Start plugins in this process, until Ctrl-C
///
/// Each argument is `kind[:name][=exec]`. The name is that of the socket, by default the kind; the
/// manager is called `group` and the group plugin `group-stateless`, so that the manager has the
/// public name. Without arguments, lists the kinds. Options come from the environment, see
/// `infrakit help env`, or from --config-url.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit plugin start manager group vanilla file\n  infrakit plugin start group:group vanilla:flavor-vanilla file:instance-file")]
struct StartArgs {
    /// Plugins to start
    #[arg(value_name = "KIND[:NAME][=EXEC]")]
    plugins: Vec<String>,
    /// Launch rules: a list of {Key, Launch}, as path or URL
    #[arg(long, value_name = "URL")]
    config_url: Option<String>,
    /// Accepted for old scripts: the way to start plugins whose argument says none
    #[arg(long, hide = true, value_parser = PossibleValuesParser::new(["inproc", "os"]))]
    exec: Option<String>,
    /// Accepted for old scripts: start always waits
    #[arg(short, long, hide = true)]
    wait: bool,
    #[command(flatten)]
    input: InputArgs,
}

/// Stop plugins by name
///
/// Plugins that were started together share a process, and stop together.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit plugin stop group\n  infrakit plugin stop --all")]
struct StopArgs {
    /// Names of the plugins
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    names: Vec<String>,
    /// Stop every plugin
    #[arg(long)]
    all: bool,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &PluginArgs) -> Result {
    match &args.command {
        PluginCommand::Ls(args) => {
            this_machine(context)?;
            list(context, args)
        }
        PluginCommand::Start(args) => start(context, args),
        PluginCommand::Stop(args) => stop(context, args),
    }
}

fn list(context: &Context, args: &ListArgs) -> Result {
    let found = context.block_on(target::greet_all(context))?;
    let mut rows: Vec<[String; 3]> = Vec::new();
    for plugin in &found {
        for (key, names) in &plugin.hello.objects {
            for object in names.iter().flatten() {
                let name = match object.name.as_str() {
                    "" | "." => plugin.socket.clone(),
                    object => format!("{}/{object}", plugin.socket),
                };
                rows.push([key.clone(), plugin.address.to_string(), name]);
            }
        }
    }
    rows.sort_by(|a, b| (&a[2], &a[0]).cmp(&(&b[2], &b[0])));
    match args.output.format() {
        Format::Table => {
            let cells: Vec<[Cow<'_, str>; 3]> =
                rows.iter().map(|row| row.each_ref().map(|cell| Cow::Borrowed(cell.as_str()))).collect();
            let headings = Headings::unless(args.quiet);
            context.out.with(|out| table::write(out, ["INTERFACE", "LISTEN", "NAME"], headings, &cells))
        }
        format => {
            let all: Vec<Value> = rows
                .iter()
                .map(|[interface, listen, name]| {
                    serde_json::json!({"Interface": interface, "Listen": listen, "Name": name})
                })
                .collect();
            context.out.document(&all, format)
        }
    }
}

fn start(context: &Context, args: &StartArgs) -> Result {
    if args.plugins.is_empty() {
        let rows: Vec<[Cow<'_, str>; 3]> = compose::KINDS
            .iter()
            .map(|kind| [kind.name.into(), Exec::InProcess.name().into(), kind.about.into()])
            .collect();
        context.out.line("Plugins available:")?;
        return context.out.with(|out| table::write(out, ["KIND", "EXEC", "WHAT"], Headings::Shown, &rows));
    }
    let rules = match &args.config_url {
        Some(url) => rules(&input::load(context, url, &args.input)?.one()?.to_value().unwrap_or(Value::Null))?,
        None => Vec::new(),
    };
    let starts = args
        .plugins
        .iter()
        .map(|argument| wanted(argument, &rules))
        .collect::<Result<Vec<_>>>()?;
    serve(context, &starts, Greeting::Tutorial)
}

/// Reads one argument.
fn wanted(argument: &str, rules: &[Rule]) -> Result<Start> {
    let arg = start_arg::parse(argument).map_err(|error| {
        CommandError::user(chain(&error)).hint("`infrakit plugin start` lists the kinds")
    })?;
    if arg.exec == Exec::Os {
        return Err(CommandError::user(format!("`{argument}` cannot be started as a process of its own yet"))
            .hint("start it in another terminal with its own `infrakit plugin start`"));
    }
    let rule = rules.iter().find(|rule| rule.key == arg.kind);
    let kind = rule.and_then(|rule| rule.kind.clone()).unwrap_or_else(|| arg.kind.clone());
    compose::kind(&kind)?;
    Ok(Start {
        kind,
        name: arg.name,
        options: rule.and_then(|rule| rule.options.clone()),
    })
}

/// A launch rule, as far as plugins of this process need it.
#[derive(Debug, PartialEq)]
struct Rule {
    key: String,
    kind: Option<String>,
    options: Option<Value>,
}

/// Reads launch rules: `[{Key, Launch: {inproc: {Kind, Options}}}]`.
fn rules(document: &Value) -> Result<Vec<Rule>> {
    let wrong = |what: &str| {
        CommandError::config(format!("the launch rules are wrong: {what}"))
            .hint("a rule is {\"Key\": KIND, \"Launch\": {\"inproc\": {\"Kind\": KIND, \"Options\": {…}}}}")
    };
    let Value::Array(list) = document else {
        return Err(wrong("they are not a list"));
    };
    list.iter()
        .map(|rule| {
            let key = field(rule, "Key").or_else(|| field(rule, "Plugin")).and_then(Value::as_str);
            let key = key.ok_or_else(|| wrong("a rule has no `Key`"))?;
            let launch = field(rule, "Launch").and_then(|launch| field(launch, "inproc"));
            let launch = launch.ok_or_else(|| wrong(&format!("`{key}` has no `Launch.inproc`")))?;
            Ok(Rule {
                key: key.to_owned(),
                kind: field(launch, "Kind").and_then(Value::as_str).map(str::to_owned),
                options: field(launch, "Options").cloned(),
            })
        })
        .collect()
}

fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let map = value.as_object()?;
    map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

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
    let directory = context.settings.plugins_dir()?;
    context.block_on(async {
        // Before the sockets, so that a signal never finds a process that would leave them behind.
        let listen = |kind| {
            signal(kind).map_err(|error| CommandError::internal(format!("failed to listen for signals: {error}")))
        };
        let (mut terminate, mut interrupt) =
            (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
        let mut running = tokio::select! {
            running = compose::start(&context.settings, &directory, starts) => running?,
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        };
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
        running.end().await;
        ended
    })
}

fn stop(context: &Context, args: &StopArgs) -> Result {
    let plugins = target::list(context)?;
    let directory = context.settings.plugins_dir()?;
    let names: Vec<&str> = if args.all {
        plugins.keys().map(String::as_str).collect()
    } else {
        args.names.iter().map(|name| name.split('/').next().unwrap_or_default()).collect()
    };
    for name in &names {
        if !plugins.contains_key(*name) {
            return Err(target::no_plugin(name, plugins.keys().map(String::as_str)));
        }
    }
    let mut stopped: Vec<(i32, Vec<&str>)> = Vec::new();
    let mut failure = None;
    for name in names {
        match process(&directory, name) {
            Ok(pid) => match stopped.iter_mut().find(|(other, _)| *other == pid.as_raw_nonzero().get()) {
                Some((_, names)) => names.push(name),
                None => stopped.push((pid.as_raw_nonzero().get(), vec![name])),
            },
            Err(error) if args.all => {
                context.warn(error.message());
                clean(&plugins, &directory, name);
            }
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    let others = |pid: i32, named: &[&str]| -> Vec<&str> {
        let shares = |name: &&str| process(&directory, name).is_ok_and(|p| p.as_raw_nonzero().get() == pid);
        let all = plugins.keys().map(String::as_str);
        all.filter(|name| !named.contains(name)).filter(shares).collect()
    };
    for (pid, named) in &stopped {
        let others = others(*pid, named);
        let Some(process) = Pid::from_raw(*pid) else { continue };
        kill_process(process, Signal::TERM).map_err(|error| {
            CommandError::remote(format!("failed to stop process {pid} of plugin `{}`: {error}", named.join("`, `")))
        })?;
        let with = if others.is_empty() {
            String::new()
        } else {
            format!(", and with it {}", others.join(", "))
        };
        context.out.line(format!("Stopped {} (process {pid}){with}", named.join(", ")))?;
    }
    failure.map_or(Ok(()), Err)
}

/// Returns the live process of a plugin, from its pid file.
fn process(directory: &Path, name: &str) -> Result<Pid> {
    let file = directory.join(format!("{name}.pid"));
    let text = std::fs::read_to_string(&file).map_err(|error| {
        CommandError::remote(format!("the process of plugin `{name}` is not known: {}: {error}", file.display()))
    })?;
    let pid = text.trim().parse().ok().and_then(Pid::from_raw).ok_or_else(|| {
        CommandError::remote(format!("`{}` holds no process id", file.display()))
    })?;
    test_kill_process(pid).map_err(|_| {
        CommandError::remote(format!("plugin `{name}` is not running: process {} is gone", pid.as_raw_nonzero()))
            .hint("its socket is replaced when a plugin starts under this name")
    })?;
    Ok(pid)
}

/// Removes what a dead plugin left behind, unless somebody else answers there.
fn clean(plugins: &std::collections::BTreeMap<String, Address>, directory: &Path, name: &str) {
    if let Some(Address::Unix(socket)) = plugins.get(name)
        && std::os::unix::net::UnixStream::connect(socket).is_err()
    {
        // What cannot be removed is in nobody's way: a start replaces it.
        let _ = std::fs::remove_file(socket);
        let _ = std::fs::remove_file(directory.join(format!("{name}.pid")));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::context::testing;

    #[test]
    fn launch_rules_give_kind_and_options() {
        let read = rules(&json!([{"Key": "mine", "Launch": {"inproc": {"Kind": "file", "Options": {"Dir": "/d"}}}}])).unwrap();
        let start = wanted("mine:instances", &read).unwrap();
        assert_eq!((start.kind.as_str(), start.name.as_str()), ("file", "instances"));
        assert_eq!(start.options, Some(json!({"Dir": "/d"})));
        assert!(rules(&json!({})).is_err());
        assert!(rules(&json!([{"Launch": {}}])).is_err());
    }

    #[test]
    fn wrong_arguments_are_explained() {
        for (argument, want) in [("fil", "did you mean `file`?"), ("file:", "name"), ("file:a b", "white space"), ("file=osx", "osx")] {
            let error = wanted(argument, &[]).unwrap_err().render(false).unwrap();
            assert!(error.contains(want), "{argument}: {error}");
        }
    }

    #[test]
    fn kinds_are_listed_without_arguments() {
        let (context, written) = testing::context(&[]);
        let args = StartArgs {
            plugins: Vec::new(),
            config_url: None,
            exec: None,
            wait: false,
            input: InputArgs::default(),
        };
        start(&context, &args).unwrap();
        let text = written.text();
        assert!(text.starts_with("Plugins available:\nKIND"), "{text}");
        assert!(text.contains("\nfile"), "{text}");
    }

    #[test]
    fn nothing_to_stop_is_said() {
        let home = tempfile::tempdir().unwrap();
        let (context, _) = testing::context(&[("INFRAKIT_HOME", home.path().to_str().unwrap())]);
        let args = StopArgs { names: vec!["group".into()], all: false };
        let error = stop(&context, &args).unwrap_err();
        assert!(error.message().contains("there is no plugin `group`"), "{error}");
        stop(&context, &StopArgs { names: Vec::new(), all: true }).unwrap();
    }
}
