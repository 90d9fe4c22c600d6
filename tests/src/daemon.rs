//! A running daemon: started, waited for, killed, started again.

use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use serde_json::json;

use crate::process::{kill_group, pid};
use crate::{Home, eventually, home, rpc};

/// How long a daemon may take to answer, or to stop. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// A daemon in a home. Dropping it kills it and everything that it started.
#[derive(Debug)]
pub struct Daemon<'home> {
    home: &'home Home,
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    process: Process,
}

#[derive(Debug)]
struct Process {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Home {
    /// Starts a daemon: one of the program's names with `arguments`.
    pub fn daemon(&self, program: &str, arguments: &[&str]) -> Daemon<'_> {
        self.daemon_with(program, arguments, &[])
    }

    /// Starts a daemon with more environment.
    pub fn daemon_with(
        &self,
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Daemon<'_> {
        Daemon::start(self, program, arguments, environment)
    }
}

impl<'home> Daemon<'home> {
    /// Starts `program`; does not wait for anything.
    fn start(
        home: &'home Home,
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        let environment: Vec<(String, String)> = environment
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let process = spawn(home, program, &arguments, &environment);
        Self {
            home,
            program: program.to_owned(),
            arguments,
            environment,
            process,
        }
    }

    /// Waits until each socket answers a handshake.
    ///
    /// # Panics
    /// When one does not in time, or the daemon ends first: with what it wrote.
    pub fn wait_for(&mut self, sockets: &[&str]) -> &mut Self {
        for name in sockets {
            let socket = self.home.socket(name);
            let what = format!("`{}` answers on `{name}`", self.program);
            eventually(PATIENCE, &what, || {
                self.check_alive();
                rpc::call(&socket, "Handshake.Hello", &json!({}))
                    .map(drop)
                    .map_err(|fault| format!("{fault}\n{}", self.output()))
            });
        }
        self
    }

    /// Waits until its output holds `text`, and returns the first line that does.
    ///
    /// # Panics
    /// When it does not in time, or the daemon ends first.
    pub fn wait_for_line(&mut self, text: &str) -> String {
        eventually(
            PATIENCE,
            &format!("`{}` says `{text}`", self.program),
            || {
                let output = self.output();
                if let Some(line) = output.lines().find(|line| line.contains(text)) {
                    return Ok(line.to_owned());
                }
                self.check_alive();
                Err(output)
            },
        )
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.child.id()
    }

    /// Everything that the present process wrote, errors first.
    pub fn output(&self) -> String {
        home::read(&self.process.err) + &home::read(&self.process.out)
    }

    /// Ends the daemon as `kill -9` does, at once and without its knowledge.
    pub fn kill(&mut self) {
        let _ = kill_process(pid(&self.process.child), Signal::KILL);
        let _ = self.process.child.wait();
    }

    /// Asks it to stop and returns its exit code.
    ///
    /// # Panics
    /// When it has not stopped in time.
    pub fn terminate(&mut self) -> i32 {
        let _ = kill_process(pid(&self.process.child), Signal::TERM);
        self.ended()
    }

    /// Waits for it to end by itself and returns its exit code.
    ///
    /// # Panics
    /// When it has not ended in time.
    pub fn ended(&mut self) -> i32 {
        let what = format!("`{}` ends", self.program);
        home::code(eventually(PATIENCE, &what, || {
            self.status().ok_or_else(|| "it still runs".to_owned())
        }))
    }

    /// Starts the same command line again; the old process is killed if it still runs.
    pub fn restart(&mut self) -> &mut Self {
        self.kill();
        self.process = spawn(self.home, &self.program, &self.arguments, &self.environment);
        self
    }

    fn status(&mut self) -> Option<ExitStatus> {
        self.process.child.try_wait().expect("the child is ours")
    }

    fn check_alive(&mut self) {
        if let Some(status) = self.status() {
            panic!("`{}` ended with {status}:\n{}", self.program, self.output());
        }
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        kill_group(&self.process.child);
        let _ = self.process.child.wait();
        if std::thread::panicking() {
            eprintln!("--- `{}` wrote:\n{}", self.program, self.output());
        }
    }
}

fn spawn(
    home: &Home,
    program: &str,
    arguments: &[String],
    environment: &[(String, String)],
) -> Process {
    let (out, err) = home.files();
    let child = home
        .command(program)
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(home::create(&out))
        .stderr(home::create(&err))
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start `{program}`: {error}"));
    Process { child, out, err }
}
