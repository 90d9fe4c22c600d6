//! Plugins served by a thread of this process, and commands run against them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use infrakit_rpc::Plugin;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::app;
use crate::compose::{self, Start};
use crate::context::testing;
use crate::error::Result;
use crate::settings::Settings;

/// Plugins that run while this value lives.
pub(super) struct World {
    pub(super) home: TempDir,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl World {
    pub(super) fn start(plugins: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let (ready, started) = mpsc::channel();
        let (path, token) = (home.path().to_owned(), stop.clone());
        let starts: Vec<Start> = plugins
            .iter()
            .map(|(kind, name)| Start {
                kind: (*kind).to_owned(),
                name: (*name).into(),
                options: None,
            })
            .collect();
        let thread = std::thread::spawn(move || {
            crate::context::runtime().unwrap().block_on(async {
                let settings = Settings::new(variables(&path));
                let running = compose::start(&settings, &path.join("plugins"), &starts)
                    .await
                    .unwrap();
                ready.send(()).unwrap();
                token.cancelled().await;
                running.end().await;
            });
        });
        started.recv_timeout(Duration::from_secs(10)).unwrap();
        Self {
            home,
            stop,
            thread: Some(thread),
        }
    }

    /// Serves one plugin, made for the test, under the name `group`.
    pub(super) fn serve(plugin: Plugin) -> Self {
        let home = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let (ready, started) = mpsc::channel();
        let (path, token) = (home.path().join("plugins"), stop.clone());
        let thread = std::thread::spawn(move || {
            crate::context::runtime().unwrap().block_on(async {
                let bound = infrakit_rpc::bind(&path, "group").unwrap();
                ready.send(()).unwrap();
                let ended = async move { token.cancelled().await };
                bound.serve(Arc::new(plugin), ended).await.unwrap();
            });
        });
        started.recv_timeout(Duration::from_secs(10)).unwrap();
        Self {
            home,
            stop,
            thread: Some(thread),
        }
    }

    pub(super) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(super) fn try_run(&self, line: &str) -> (Result, String) {
        let home = self.home.path().to_str().unwrap();
        let (context, written) = testing::context(&[("INFRAKIT_HOME", home)]);
        let line = line.replace("HOME", home);
        let words = std::iter::once("infrakit").chain(line.split_whitespace());
        let result = app::run(&context, words.map(OsString::from).collect());
        (result, written.text())
    }

    pub(super) fn run(&self, line: &str) -> String {
        let (result, text) = self.try_run(line);
        result.unwrap_or_else(|error| panic!("{line}: {error:?}"));
        text
    }

    pub(super) fn error(&self, line: &str) -> String {
        let (result, text) = self.try_run(line);
        let error = result
            .err()
            .unwrap_or_else(|| panic!("{line} succeeded: {text}"));
        assert_eq!(text, "", "{line}");
        error.render(false).unwrap()
    }

    /// Runs a command until its output has so many lines.
    pub(super) fn until_lines(&self, line: &str, count: usize) -> String {
        let started = Instant::now();
        loop {
            let text = self.run(line);
            if text.lines().count() == count {
                return text;
            }
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "{line}: {text}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

fn variables(home: &Path) -> impl Fn(&str) -> Option<OsString> + 'static {
    let home = home.to_owned();
    move |name| match name {
        "INFRAKIT_HOME" => Some(home.clone().into()),
        "INFRAKIT_INSTANCE_FILE_DIR" => Some(home.join("tutorial").into()),
        _ => None,
    }
}
