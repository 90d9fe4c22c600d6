//! A home of its own for each test: files, sockets, environment.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::process::kill_group;
use crate::{Output, program, until};

/// No command of the program takes longer, unless it waits for something by design.
const COMMAND: Duration = Duration::from_secs(60);

/// A temporary folder that is `HOME`, `INFRAKIT_HOME` and the working directory at once.
///
/// Sockets lie in `plugins/`. The folder lies directly under `/tmp`, since the path of a unix
/// socket may have 107 bytes and no more.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    files: AtomicU32,
}

impl Home {
    /// Creates an empty home with the names of the program on its `PATH`.
    ///
    /// # Panics
    /// When the folder cannot be made, or the program not be built.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("ik").tempdir_in("/tmp");
        let home = Self {
            folder: folder.expect("/tmp is writable"),
            files: AtomicU32::new(0),
        };
        for folder in [home.path().join("bin"), home.path().join("log")] {
            fs::create_dir(folder).expect("the home is new and empty");
        }
        for name in program::NAMES {
            let link = home.path().join("bin").join(name);
            std::os::unix::fs::symlink(program::program(), link).expect("links can be made");
        }
        home
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The socket of the plugin `name`.
    pub fn socket(&self, name: &str) -> PathBuf {
        self.path().join("plugins").join(name)
    }

    /// Writes a file, given by its path inside the home.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// Reads a file, given by its path inside the home.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn read(&self, name: &str) -> String {
        let path = self.path().join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A command in this home and nothing of the caller's own InfraKit environment.
    ///
    /// It leads a process group, so that what it starts can be ended with it.
    pub fn command(&self, program: &str) -> Command {
        let own = self.path().join("bin").join(program);
        let mut command = Command::new(if own.exists() { own } else { program.into() });
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("INFRAKIT_") {
                command.env_remove(name);
            }
        }
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .current_dir(self.path())
            .env(
                "PATH",
                format!("{}:{path}", self.path().join("bin").display()),
            )
            .env("HOME", self.path())
            .env("INFRAKIT_HOME", self.path())
            .env("INFRAKIT_PLUGINS_DIR", self.path().join("plugins"))
            // Port 0: homes that run at the same time must not meet on one port.
            .env("INFRAKIT_MUX_LISTEN", "127.0.0.1:0")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .process_group(0);
        command
    }

    /// Runs `infrakit` with `arguments` to its end.
    pub fn infrakit(&self, arguments: &[&str]) -> Output {
        let mut command = self.command("infrakit");
        command.args(arguments);
        self.run(command, COMMAND)
    }

    /// Runs `infrakit` with `arguments`, split at spaces: `home.cli("group ls")`.
    pub fn cli(&self, arguments: &str) -> Output {
        let words: Vec<&str> = arguments.split_whitespace().collect();
        self.infrakit(&words)
    }

    /// Runs any command to its end; it and all its children are killed after `limit`.
    ///
    /// # Panics
    /// When it cannot be started, or does not end in time.
    pub fn run(&self, mut command: Command, limit: Duration) -> Output {
        let line = format!("{command:?}");
        let (out, err) = self.files();
        command.stdout(create(&out)).stderr(create(&err));
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        let ended = until(limit, || match child.try_wait() {
            Ok(Some(status)) => Ok(status),
            Ok(None) => Err("it still runs".to_owned()),
            Err(error) => panic!("{line}: {error}"),
        });
        let output = |code| Output {
            command: line.clone(),
            stdout: read(&out),
            stderr: read(&err),
            code,
        };
        match ended {
            Ok(status) => output(code(status)),
            Err(_) => {
                kill_group(&child);
                let _ = child.wait();
                panic!("not finished within {limit:?}: {:#?}", output(-1));
            }
        }
    }

    /// Fresh files for the output of one process.
    pub(crate) fn files(&self) -> (PathBuf, PathBuf) {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let file = |end: &str| self.path().join("log").join(format!("{number}.{end}"));
        (file("out"), file("err"))
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

/// Opens a file for the output of a process.
pub(crate) fn create(path: &Path) -> File {
    File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a process has written so far.
pub(crate) fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// The exit code as a shell counts it.
pub(crate) fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}
