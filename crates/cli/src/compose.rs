//! The composition root: builds plugins and serves each on its own socket, all in this process.
//!
//! Only here are plugin crates named. A kind is one file of this folder with one line in [`KINDS`].

mod controller;
mod file;
mod group;
mod kind;
mod manager;
mod simulator;
mod vanilla;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use infrakit_manager::Local;
use infrakit_rpc::{Bound, bind};
use infrakit_spi::{PluginName, suggest};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::kind::Built;
pub(crate) use self::kind::{Kind, Request};
use crate::error::{CommandError, Result, chain};
use crate::settings::Settings;

/// The kinds that this program has, sorted by name.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "file",
        about: "instances as files in a directory, for trying things out",
        build: |request| Box::pin(file::build(request)),
    },
    group::KIND,
    manager::KIND,
    Kind {
        name: "simulator",
        about: "instances and load balancers in memory, with delays and failures on demand",
        build: |request| Box::pin(simulator::build(request)),
    },
    Kind {
        name: "vanilla",
        about: "flavor of init lines, tags and attachments, with health checks and drains",
        build: |request| Box::pin(vanilla::build(request)),
    },
];

/// A plugin that is to be started in this process.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// Its kind.
    pub(crate) kind: String,
    /// Name under which it will be found.
    pub(crate) name: PluginName,
    /// Options, where a launch rule or flags gave some.
    pub(crate) options: Option<Value>,
}

/// How long plugins may take to end, all together.
const GRACE: Duration = Duration::from_millis(900);

/// The plugins of this process.
pub(crate) struct Running {
    serving: JoinSet<()>,
    work: JoinSet<()>,
    stop: CancellationToken,
    sockets: Vec<PathBuf>,
}

/// Finds a kind.
pub(crate) fn kind(name: &str) -> Result<&'static Kind> {
    if let Some(kind) = KINDS.iter().find(|kind| kind.name == name) {
        return Ok(kind);
    }
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let hint = suggest(name, names.iter().copied()).map_or_else(
        || format!("kinds are {}", names.join(", ")),
        |found| format!("did you mean `{found}`? kinds are {}", names.join(", ")),
    );
    let shown: String = name.escape_debug().take(60).collect();
    Err(CommandError::user(format!("there is no plugin kind `{shown}`")).hint(hint))
}

/// Lets this process open as many files as it may. A call of another process is a socket, hundreds
/// may be under way, and the usual soft limit of 1024 is there for programs that use `select`.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// Starts plugins. Either all of them run, or none and nothing is left behind.
pub(crate) async fn start(
    settings: &Settings,
    directory: &Path,
    starts: &[Start],
) -> Result<Running> {
    raise_file_limit();
    // Every kind is known before anything is touched.
    let kinds = starts
        .iter()
        .map(|start| kind(&start.kind))
        .collect::<Result<Vec<_>>>()?;
    // Every name is taken before anything is built: a clash must not cost a half-started group.
    let mut bound = Vec::with_capacity(starts.len());
    for start in starts {
        let socket = bind(directory, start.name.lookup())
            .map_err(|error| CommandError::config(chain(&error)))?;
        bound.push(socket);
    }
    let local = Arc::new(Local::default());
    let stop = CancellationToken::new();
    let mut running = Running {
        serving: JoinSet::new(),
        work: JoinSet::new(),
        stop: stop.clone(),
        sockets: Vec::new(),
    };
    let controller = OnceCell::new();
    let mut order: Vec<_> = starts.iter().zip(kinds).zip(bound).collect();
    // The manager serves the group controller; the options of the kind `group` make it.
    order.sort_by_key(|((_, kind), _)| kind.name == "manager");
    for ((start, kind), bound) in order {
        let request = Request {
            settings,
            name: &start.name,
            options: start.options.as_ref(),
            directory,
            local: &local,
            controller: &controller,
            stop: &stop,
        };
        let built = match (kind.build)(&request).await {
            Ok(built) => built,
            Err(error) => {
                running.end().await;
                return Err(error);
            }
        };
        running.serve(bound, built, start.name.lookup());
    }
    local.complete();
    Ok(running)
}

impl Running {
    fn serve(&mut self, bound: Bound, built: Built, name: &str) {
        self.sockets
            .push(PathBuf::from(bound.address().to_string()));
        let stop = self.stop.clone();
        let name = name.to_owned();
        if let Some(work) = built.work {
            self.work.spawn(work);
        }
        let plugin = Arc::new(built.plugin);
        self.serving.spawn(async move {
            if let Err(error) = bound.serve(plugin, stop.cancelled_owned()).await {
                tracing::error!(plugin = name, %error, "the plugin cannot be served");
            }
        });
    }

    /// Returns the sockets, in the order of the arguments.
    pub(crate) fn sockets(&self) -> &[PathBuf] {
        &self.sockets
    }

    /// Waits until a plugin ends by itself, which none should.
    pub(crate) async fn ended(&mut self) {
        if self.serving.join_next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Ends all plugins and removes their sockets and pid files.
    pub(crate) async fn end(mut self) {
        self.stop.cancel();
        let all = async {
            while self.serving.join_next().await.is_some() {}
            while self.work.join_next().await.is_some() {}
        };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::warn!("some calls did not end in time and were dropped");
        }
        // What is still running is dropped here, and its files with it.
        self.serving.shutdown().await;
        self.work.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use serde_json::json;

    use super::kind::merged;
    use super::*;

    fn settings(home: &Path) -> Settings {
        let home = home.to_owned();
        Settings::new(move |name| match name {
            "INFRAKIT_HOME" => Some(home.clone().into()),
            "INFRAKIT_INSTANCE_FILE_DIR" => Some(OsString::from(home.join("instances"))),
            _ => None,
        })
    }

    fn start_of(kind: &str, name: &str) -> Start {
        Start {
            kind: kind.to_owned(),
            name: name.into(),
            options: None,
        }
    }

    fn files(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(directory)
            .map(|entries| {
                entries
                    .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                    .collect()
            })
            .unwrap_or_default();
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        names
    }

    #[tokio::test]
    async fn plugins_come_with_their_sockets_and_go_with_them() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("plugins");
        let settings = settings(home.path());
        let starts = [start_of("file", "instance-file"), start_of("vanilla", "v")];
        let running = start(&settings, &directory, &starts).await.unwrap();
        assert_eq!(
            running.sockets(),
            [directory.join("instance-file"), directory.join("v")]
        );
        assert_eq!(
            files(&directory),
            ["instance-file", "instance-file.pid", "v", "v.pid"]
        );
        running.end().await;
        assert!(files(&directory).is_empty());
    }

    #[tokio::test]
    async fn a_clash_or_a_wrong_kind_leaves_nothing_behind() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("plugins");
        let settings = settings(home.path());
        let running = start(&settings, &directory, &[start_of("vanilla", "v")])
            .await
            .unwrap();
        let clash = [start_of("file", "f"), start_of("vanilla", "v")];
        let error = start(&settings, &directory, &clash).await.err().unwrap();
        assert!(error.message().contains("already running"), "{error}");
        assert_eq!(files(&directory), ["v", "v.pid"]);
        let error = start(
            &settings,
            &directory,
            &[start_of("file", "f"), start_of("vanila", "w")],
        )
        .await
        .err()
        .unwrap();
        assert!(
            error
                .render(false)
                .unwrap()
                .contains("did you mean `vanilla`?"),
            "{error}"
        );
        assert_eq!(files(&directory), ["v", "v.pid"]);
        running.end().await;
    }

    #[test]
    fn options_win_field_by_field_and_unknown_ones_are_refused() {
        #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
        struct Options {
            #[serde(rename = "Dir")]
            dir: String,
            #[serde(rename = "Size")]
            size: u32,
        }
        let defaults = Options {
            dir: "a".into(),
            size: 1,
        };
        let got = merged("x", &defaults, Some(&json!({"dir": "b"}))).unwrap();
        assert_eq!(
            got,
            Options {
                dir: "b".into(),
                size: 1
            }
        );
        let error = merged("x", &defaults, Some(&json!({"Dirr": "b"}))).unwrap_err();
        assert!(error.render(false).unwrap().contains("did you mean `Dir`?"));
        assert!(merged("x", &defaults, Some(&json!([]))).is_err());
        assert!(merged("x", &defaults, Some(&json!({"Size": -1}))).is_err());
    }

    #[test]
    fn as_many_files_may_be_open_as_the_system_allows() {
        raise_file_limit();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }

    #[test]
    fn kinds_are_sorted() {
        assert!(KINDS.is_sorted_by_key(|kind| kind.name));
    }
}
