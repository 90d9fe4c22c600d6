//! One plugin as a child process: started, watched, started again, stopped with all it started.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::process;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

use crate::Backoff;
use crate::output::log_lines;

/// How often a group that was asked to end is looked at; nothing tells when its last member goes.
const LOOK: Duration = Duration::from_millis(20);

/// How long the last lines of a dead process may take to arrive.
const LAST_LINES: Duration = Duration::from_millis(200);

/// The process group of a child.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Group {
    /// One of its own: signals reach whatever the command has started, too.
    #[default]
    Own,
    /// That of this process: a terminal's signals reach the child, and ours the shell alone.
    OfTheHost,
}

/// Where the output of a child goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Where that of this process goes.
    #[default]
    Inherit,
    /// Into the log, line by line, with the name of the plugin.
    Log,
}

/// What to run and how.
#[derive(Clone, Debug)]
pub struct Command {
    /// Name of the plugin, for the log.
    pub name: String,
    /// Command line for `/bin/sh -c`.
    pub cmd: String,
    /// Variables added to the environment of this process.
    pub environment: Vec<(String, String)>,
    /// Process group that it runs in.
    pub group: Group,
    /// Where its output goes.
    pub output: Output,
    /// Waits between its runs.
    pub backoff: Backoff,
    /// How long it may take to end when asked to, before it is killed.
    pub grace: Duration,
}

impl Command {
    /// Returns a command with the usual settings: own group, output inherited, ten seconds to end.
    #[must_use]
    pub fn new(name: impl Into<String>, cmd: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            cmd: cmd.into(),
            environment: Vec::new(),
            group: Group::default(),
            output: Output::default(),
            backoff: Backoff::default(),
            grace: Duration::from_secs(10),
        }
    }
}

/// How a run came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The command returned this code.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
    /// It could not be started, for this reason.
    NotStarted(String),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "it exited with code {code}"),
            Self::Signalled(signal) => write!(f, "signal {signal} ended it"),
            Self::NotStarted(reason) => write!(f, "it could not be started: {reason}"),
        }
    }
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exited(code),
            (None, signal) => Self::Signalled(signal.unwrap_or_default()),
        }
    }
}

/// What a child is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is about to be started.
    Starting,
    /// It runs.
    Running {
        /// Process id of its shell.
        pid: u32,
    },
    /// It ended and is started again later.
    BackingOff {
        /// When.
        until: Instant,
        /// How it ended.
        last: Ended,
    },
    /// It was stopped and stays so.
    Stopped,
}

/// A command that is kept running until it is stopped or dropped.
///
/// Dropping it kills what runs at once; [`Child::stop`] asks first. A command that ends is
/// started again whatever its exit code: a plugin has no end of its own.
#[derive(Debug)]
pub struct Child {
    state: watch::Receiver<State>,
    stop: CancellationToken,
    live: Arc<Live>,
    task: JoinHandle<()>,
}

impl Child {
    /// Starts `command` and keeps it running. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(command: Command) -> Self {
        let (states, state) = watch::channel(State::Starting);
        let stop = CancellationToken::new();
        let live = Arc::new(Live::default());
        let supervisor = Supervisor {
            command,
            states,
            stop: stop.clone(),
            live: Arc::clone(&live),
        };
        Self {
            state,
            stop,
            live,
            task: tokio::spawn(supervisor.run()),
        }
    }

    /// Returns what the child is doing, now and from now on.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Asks the child to end, waits for that, and kills what is left after its grace.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Err(error) = (&mut self.task).await {
            // What still runs is killed on drop.
            tracing::error!(%error, "the supervisor of a plugin has failed");
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Here and not in the task: nobody may be left to run it.
        self.live.end();
        self.task.abort();
    }
}

/// The process that runs now, for whoever has to kill it.
#[derive(Debug, Default)]
struct Live(Mutex<Slot>);

#[derive(Debug, Default)]
enum Slot {
    #[default]
    Empty,
    Taken(Target),
    /// No process may be started any more.
    Closed,
}

impl Live {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        if let Slot::Taken(target) = std::mem::replace(&mut *self.slot(), Slot::Closed) {
            target.signal(Signal::KILL);
        }
    }

    fn clear(&self) {
        let mut slot = self.slot();
        if matches!(*slot, Slot::Taken(_)) {
            *slot = Slot::Empty;
        }
    }
}

/// Whom a signal goes to.
#[derive(Clone, Copy, Debug)]
enum Target {
    Group(Pid),
    Process(Pid),
}

impl Target {
    fn signal(self, signal: Signal) {
        // The only error that can come is that there is nobody left, which is as good.
        match self {
            Self::Group(pid) => rustix::process::kill_process_group(pid, signal).ok(),
            Self::Process(pid) => rustix::process::kill_process(pid, signal).ok(),
        };
    }

    /// Returns whether members of the group are left once its leader is gone.
    fn has_left(self) -> bool {
        match self {
            Self::Group(pid) => rustix::process::test_kill_process_group(pid).is_ok(),
            Self::Process(_) => false,
        }
    }

    /// Kills what is left of the group once its leader is gone. An id is not given out again
    /// while a group of that id has members; without any there is nothing to hit, short of all
    /// ids being used up within this moment.
    fn sweep(self) {
        if self.has_left() {
            self.signal(Signal::KILL);
        }
    }
}

struct Supervisor {
    command: Command,
    states: watch::Sender<State>,
    stop: CancellationToken,
    live: Arc<Live>,
}

/// A started process with the tasks that read its output.
struct Run {
    process: process::Child,
    target: Target,
    readers: JoinSet<()>,
}

impl Supervisor {
    async fn run(mut self) {
        while !self.stop.is_cancelled() {
            self.states.send_replace(State::Starting);
            let begin = Instant::now();
            let last = self.run_once().await;
            if self.stop.is_cancelled() {
                break;
            }
            let wait = self.command.backoff.after(begin.elapsed());
            let plugin = &self.command.name;
            tracing::warn!(plugin, %last, ?wait, "a plugin process ended and is started again");
            let until = Instant::now() + wait;
            self.states.send_replace(State::BackingOff { until, last });
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = time::sleep_until(until) => {}
            }
        }
        self.states.send_replace(State::Stopped);
    }

    async fn run_once(&self) -> Ended {
        let mut run = match self.spawn() {
            Ok(run) => run,
            Err(error) => return Ended::NotStarted(error.to_string()),
        };
        let status = tokio::select! {
            status = run.process.wait() => status,
            () = self.stop.cancelled() => self.ask_to_end(&mut run).await,
        };
        run.target.sweep();
        self.live.clear();
        let readers = run.readers.join_all();
        // Whoever still holds the pipe after the group is gone has left it on purpose.
        time::timeout(LAST_LINES, readers).await.ok();
        match status {
            Ok(status) => status.into(),
            Err(error) => Ended::NotStarted(error.to_string()),
        }
    }

    fn spawn(&self) -> std::io::Result<Run> {
        let mut shell = process::Command::new("/bin/sh");
        shell.arg("-c").arg(&self.command.cmd).stdin(Stdio::null());
        shell.envs(
            self.command
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        );
        shell.kill_on_drop(true);
        if self.command.group == Group::Own {
            shell.process_group(0);
        }
        if self.command.output == Output::Log {
            shell.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        let mut slot = self.live.slot();
        if matches!(*slot, Slot::Closed) {
            return Err(std::io::Error::other("the host is ending"));
        }
        let mut process = shell.spawn()?;
        let pid = process
            .id()
            .ok_or_else(|| std::io::Error::other("it ended at once"))?;
        let target = target(self.command.group, pid)?;
        *slot = Slot::Taken(target);
        drop(slot);
        let mut readers = JoinSet::new();
        if let Some(stream) = process.stdout.take() {
            readers.spawn(log_lines(self.command.name.clone(), "stdout", stream));
        }
        if let Some(stream) = process.stderr.take() {
            readers.spawn(log_lines(self.command.name.clone(), "stderr", stream));
        }
        self.states.send_replace(State::Running { pid });
        Ok(Run {
            process,
            target,
            readers,
        })
    }

    async fn ask_to_end(&self, run: &mut Run) -> std::io::Result<ExitStatus> {
        let deadline = Instant::now() + self.command.grace;
        run.target.signal(Signal::TERM);
        let Ok(status) = time::timeout_at(deadline, run.process.wait()).await else {
            let plugin = &self.command.name;
            tracing::warn!(
                plugin,
                "a plugin process did not end when asked to and is killed"
            );
            run.target.signal(Signal::KILL);
            return run.process.wait().await;
        };
        // The shell may be gone before the plugin that it started.
        while run.target.has_left() && Instant::now() < deadline {
            time::sleep(LOOK).await;
        }
        status
    }
}

fn target(group: Group, pid: u32) -> std::io::Result<Target> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| std::io::Error::other("its process id is out of range"))?;
    Ok(match group {
        Group::Own => Target::Group(pid),
        Group::OfTheHost => Target::Process(pid),
    })
}

#[cfg(test)]
mod tests;
