//! The daemons of the original under their own names: links to this program that start one plugin.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::Parser;
use clap::error::ErrorKind;
use infrakit_spi::{GoDuration, PluginName, tags};
use serde_json::{Value, json};

use crate::cmd::plugin::{Greeting, serve};
use crate::cmd::version;
use crate::compose::Start;
use crate::context::{Context, GlobalArgs, start_logging};
use crate::error::{CommandError, Result};
use crate::usage::{help_or_usage, usage};

/// A daemon of the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Daemon {
    /// `infrakit-group-default`
    Group,
    /// `infrakit-instance-file`
    File,
    /// `infrakit-flavor-vanilla`
    Vanilla,
    /// `infrakit-manager`
    Manager,
}

const NAMES: [(&str, Daemon); 4] = [
    ("infrakit-group-default", Daemon::Group),
    ("infrakit-instance-file", Daemon::File),
    ("infrakit-flavor-vanilla", Daemon::Vanilla),
    ("infrakit-manager", Daemon::Manager),
];

/// Returns the daemon that the program was called as.
pub(crate) fn daemon(program: &OsStr) -> Option<Daemon> {
    let name = Path::new(program).file_name()?;
    NAMES
        .iter()
        .find(|(other, _)| name == *other)
        .map(|(_, daemon)| *daemon)
}

/// Arguments of all daemons.
#[derive(clap::Args, Debug)]
struct Common {
    /// Word `version` or `help`; nothing starts the plugin
    #[arg(value_name = "COMMAND", value_parser = ["version", "help"])]
    word: Option<String>,
    #[command(flatten)]
    globals: GlobalArgs,
}

/// Keeps groups of instances as they are specified
#[derive(Parser, Debug)]
#[command(
    name = "infrakit-group-default",
    after_help = "Example:\n  infrakit-group-default --name group --poll-interval 10s"
)]
struct GroupDaemon {
    #[command(flatten)]
    common: Common,
    /// Name under which the plugin is found
    #[arg(long, default_value = "group")]
    name: String,
    /// How often a group lists its instances, at least
    #[arg(long, value_name = "DURATION")]
    poll_interval: Option<GoDuration>,
    /// How many instances a group changes at a time; 0 is no limit
    #[arg(long, value_name = "N")]
    max_parallel: Option<u64>,
    /// How many instances a minute are created per instance plugin; 0 is no limit
    #[arg(long, value_name = "N")]
    creates_per_minute: Option<u64>,
    /// How many instances a minute are destroyed per instance plugin; 0 is no limit
    #[arg(long, value_name = "N")]
    destroys_per_minute: Option<u64>,
    /// How many instances a group may have at most; 0 is no limit
    #[arg(long, value_name = "N")]
    max_instances: Option<u64>,
}

/// Instances as files in a directory
#[derive(Parser, Debug)]
#[command(
    name = "infrakit-instance-file",
    after_help = "Example:\n  infrakit-instance-file --dir ./tutorial"
)]
struct FileDaemon {
    #[command(flatten)]
    common: Common,
    /// Name under which the plugin is found
    #[arg(long, default_value = "instance-file")]
    name: String,
    /// Directory of the instances
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// Flavor of init lines, tags and attachments
#[derive(Parser, Debug)]
#[command(
    name = "infrakit-flavor-vanilla",
    after_help = "Example:\n  infrakit-flavor-vanilla --name flavor-vanilla"
)]
struct VanillaDaemon {
    #[command(flatten)]
    common: Common,
    /// Name under which the plugin is found
    #[arg(long, default_value = "flavor-vanilla")]
    name: String,
}

/// Stores specs and leads the group plugin behind it
#[derive(Parser, Debug)]
#[command(
    name = "infrakit-manager",
    after_help = "Example:\n  infrakit-manager os --store-dir ./configs"
)]
struct ManagerDaemon {
    /// Store: `os` keeps specs in files; or `version`, `help`
    #[arg(value_name = "STORE", value_parser = ["os", "version", "help"])]
    word: Option<String>,
    #[command(flatten)]
    globals: GlobalArgs,
    /// Name under which the manager is found
    #[arg(long, default_value = "group")]
    name: String,
    /// Name of the group plugin behind it
    #[arg(long, value_name = "NAME")]
    proxy_for_group: Option<String>,
    /// Directory of the stored specs
    #[arg(long, value_name = "DIR")]
    store_dir: Option<PathBuf>,
    /// File that names the leader
    #[arg(long, value_name = "FILE")]
    leader_file: Option<PathBuf>,
    /// Accepted for old scripts: leadership is not polled
    #[arg(long, hide = true)]
    poll_interval: Option<GoDuration>,
}

/// What a daemon was asked for.
struct Asked {
    word: Option<String>,
    globals: GlobalArgs,
    start: Start,
}

fn parse<T: Parser>(arguments: Vec<OsString>) -> std::result::Result<T, clap::Error> {
    let matches = T::command()
        .max_term_width(100)
        .try_get_matches_from(arguments)?;
    T::from_arg_matches(&matches)
}

fn start(kind: &str, name: &str, options: Vec<(&str, Option<Value>)>) -> Start {
    let options: serde_json::Map<String, Value> = options
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    Start {
        kind: kind.to_owned(),
        name: PluginName::new(name),
        options: (!options.is_empty()).then_some(Value::Object(options)),
    }
}

fn ask(daemon: Daemon, arguments: Vec<OsString>) -> std::result::Result<Asked, clap::Error> {
    let path = |path: Option<PathBuf>| path.map(|path| json!(path));
    Ok(match daemon {
        Daemon::Group => {
            let args: GroupDaemon = parse(arguments)?;
            let options = vec![
                (
                    "PollInterval",
                    args.poll_interval.map(|interval| json!(interval)),
                ),
                ("MaxParallelNum", args.max_parallel.map(Value::from)),
                ("CreatesPerMinute", args.creates_per_minute.map(Value::from)),
                (
                    "DestroysPerMinute",
                    args.destroys_per_minute.map(Value::from),
                ),
                ("MaxInstances", args.max_instances.map(Value::from)),
                // The daemon of this name is that of v0.5, and so is the tag that it writes.
                ("ConfigTag", Some(tags::CONFIG_SHA.into())),
            ];
            Asked {
                word: args.common.word,
                globals: args.common.globals,
                start: start("group", &args.name, options),
            }
        }
        Daemon::File => {
            let args: FileDaemon = parse(arguments)?;
            let options = vec![("Dir", path(args.dir))];
            Asked {
                word: args.common.word,
                globals: args.common.globals,
                start: start("file", &args.name, options),
            }
        }
        Daemon::Vanilla => {
            let args: VanillaDaemon = parse(arguments)?;
            let start = start("vanilla", &args.name, Vec::new());
            Asked {
                word: args.common.word,
                globals: args.common.globals,
                start,
            }
        }
        Daemon::Manager => {
            let args: ManagerDaemon = parse(arguments)?;
            let options = vec![
                ("Group", args.proxy_for_group.map(Value::from)),
                ("StoreDir", path(args.store_dir)),
                ("LeaderFile", path(args.leader_file)),
            ];
            let word = args.word.filter(|word| word != "os");
            Asked {
                word,
                globals: args.globals,
                start: start("manager", &args.name, options),
            }
        }
    })
}

/// Runs a daemon until a signal says stop.
pub(crate) fn run(context: &Context, daemon: Daemon, arguments: Vec<OsString>) -> Result {
    let program = arguments.first().cloned().unwrap_or_default();
    let asked = match ask(daemon, arguments) {
        Ok(asked) => asked,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            return help_or_usage(context, error);
        }
        Err(error) => return Err(usage(error)),
    };
    match asked.word.as_deref() {
        Some("version") => return version::print(context),
        Some(_) => {
            return match ask(daemon, vec![program, "--help".into()]) {
                Err(help) => help_or_usage(context, help),
                Ok(_) => Err(CommandError::internal("there is no help")),
            };
        }
        None => {}
    }
    start_logging(&asked.globals, context.error_color);
    serve(context, &[asked.start], Greeting::Sockets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn daemons_are_known_by_the_last_part_of_the_program() {
        assert_eq!(
            daemon(OsStr::new("build/infrakit-group-default")),
            Some(Daemon::Group)
        );
        assert_eq!(
            daemon(OsStr::new("infrakit-manager")),
            Some(Daemon::Manager)
        );
        assert_eq!(daemon(OsStr::new("/bin/infrakit")), None);
    }

    #[test]
    fn flags_become_options() {
        let asked = ask(
            Daemon::File,
            words("infrakit-instance-file --dir ./tutorial --log 5"),
        )
        .unwrap();
        assert_eq!(asked.start.name.as_str(), "instance-file");
        assert_eq!(asked.start.options, Some(json!({"Dir": "./tutorial"})));
        let asked = ask(
            Daemon::Group,
            words(
                "infrakit-group-default --name g --poll-interval 500ms --max-parallel 3 --creates-per-minute 60 --max-instances 9",
            ),
        )
        .unwrap();
        assert_eq!(asked.start.name.as_str(), "g");
        assert_eq!(
            asked.start.options,
            Some(json!({
                "PollInterval": "500ms", "MaxParallelNum": 3, "ConfigTag": "infrakit.config_sha",
                "CreatesPerMinute": 60, "MaxInstances": 9
            }))
        );
        let asked = ask(Daemon::Manager, words("infrakit-manager os --store-dir /s")).unwrap();
        assert_eq!((asked.start.name.as_str(), asked.word), ("group", None));
    }

    #[test]
    fn version_and_help_are_printed() {
        for (name, daemon) in NAMES {
            let (context, written) = testing::context(&[]);
            run(&context, daemon, words(&format!("{name} version"))).unwrap();
            assert!(written.text().contains("Version  "), "{name}");
            for help in ["help", "--help", "-h"] {
                let (context, written) = testing::context(&[]);
                run(&context, daemon, words(&format!("{name} {help}"))).unwrap();
                let text = written.text();
                assert!(
                    text.contains(&format!("Usage: {name}")) && text.contains("Example:"),
                    "{text}"
                );
            }
            let (context, _) = testing::context(&[]);
            assert!(run(&context, daemon, words(&format!("{name} --nosuch"))).is_err());
        }
    }
}
