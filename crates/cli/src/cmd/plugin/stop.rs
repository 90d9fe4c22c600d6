//! `infrakit plugin stop`: asks the processes of plugins to end.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;
use infrakit_rpc::discovery::Address;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::target;

/// Stop plugins by name
///
/// Plugins that were started together share a process, and stop together.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit plugin stop group\n  infrakit plugin stop --all")]
pub(super) struct StopArgs {
    /// Names of the plugins
    #[arg(
        value_name = "NAME",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    names: Vec<String>,
    /// Stop every plugin
    #[arg(long)]
    all: bool,
}

/// Stops plugins.
pub(super) fn run(context: &Context, args: &StopArgs) -> Result {
    let plugins = target::list(context)?;
    let directory = context.settings.plugins_dir()?;
    let names: Vec<&str> = if args.all {
        plugins.keys().map(String::as_str).collect()
    } else {
        args.names
            .iter()
            .map(|name| name.split('/').next().unwrap_or_default())
            .collect()
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
            Ok(pid) => match stopped
                .iter_mut()
                .find(|(other, _)| *other == pid.as_raw_nonzero().get())
            {
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
        let shares =
            |name: &&str| process(&directory, name).is_ok_and(|p| p.as_raw_nonzero().get() == pid);
        let all = plugins.keys().map(String::as_str);
        all.filter(|name| !named.contains(name))
            .filter(shares)
            .collect()
    };
    for (pid, named) in &stopped {
        let others = others(*pid, named);
        let Some(process) = Pid::from_raw(*pid) else {
            continue;
        };
        kill_process(process, Signal::TERM).map_err(|error| {
            CommandError::remote(format!(
                "failed to stop process {pid} of plugin `{}`: {error}",
                named.join("`, `")
            ))
        })?;
        let with = if others.is_empty() {
            String::new()
        } else {
            format!(", and with it {}", others.join(", "))
        };
        context.out.line(format!(
            "Stopped {} (process {pid}){with}",
            named.join(", ")
        ))?;
    }
    failure.map_or(Ok(()), Err)
}

/// Returns the live process of a plugin, from its pid file.
fn process(directory: &Path, name: &str) -> Result<Pid> {
    let file = directory.join(format!("{name}.pid"));
    let text = std::fs::read_to_string(&file).map_err(|error| {
        CommandError::remote(format!(
            "the process of plugin `{name}` is not known: {}: {error}",
            file.display()
        ))
    })?;
    let pid = text
        .trim()
        .parse()
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| CommandError::remote(format!("`{}` holds no process id", file.display())))?;
    test_kill_process(pid).map_err(|_| {
        CommandError::remote(format!(
            "plugin `{name}` is not running: process {} is gone",
            pid.as_raw_nonzero()
        ))
        .hint("its socket is replaced when a plugin starts under this name")
    })?;
    Ok(pid)
}

/// Removes what a dead plugin left behind, unless somebody else answers there.
fn clean(plugins: &BTreeMap<String, Address>, directory: &Path, name: &str) {
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
    use super::*;
    use crate::context::testing;

    #[test]
    fn nothing_to_stop_is_said() {
        let home = tempfile::tempdir().unwrap();
        let (context, _) = testing::context(&[("INFRAKIT_HOME", home.path().to_str().unwrap())]);
        let args = StopArgs {
            names: vec!["group".into()],
            all: false,
        };
        let error = run(&context, &args).unwrap_err();
        assert!(
            error.message().contains("there is no plugin `group`"),
            "{error}"
        );
        run(
            &context,
            &StopArgs {
                names: Vec::new(),
                all: true,
            },
        )
        .unwrap();
    }

    #[test]
    fn what_a_dead_process_left_behind_is_removed_by_stop_all() {
        let home = tempfile::tempdir().unwrap();
        let plugins = home.path().join("plugins");
        std::fs::create_dir(&plugins).unwrap();
        drop(std::os::unix::net::UnixListener::bind(plugins.join("dead")).unwrap());
        // No process has the highest id.
        std::fs::write(plugins.join("dead.pid"), i32::MAX.to_string()).unwrap();
        let (context, written) =
            testing::context(&[("INFRAKIT_HOME", home.path().to_str().unwrap())]);
        let one = StopArgs {
            names: vec!["dead".into()],
            all: false,
        };
        assert!(
            run(&context, &one)
                .unwrap_err()
                .message()
                .contains("is not running")
        );
        run(
            &context,
            &StopArgs {
                names: Vec::new(),
                all: true,
            },
        )
        .unwrap();
        assert_eq!(written.text(), "");
        assert!(!plugins.join("dead").exists() && !plugins.join("dead.pid").exists());
    }
}
