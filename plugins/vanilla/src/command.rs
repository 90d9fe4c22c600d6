//! Runs a program in a process group of its own, and leaves nothing of it behind when whoever
//! runs it loses interest.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::timeout;

/// Most of the standard error that is kept: its end.
const TAIL: usize = 4096;
/// Longest last line that is shown, in characters.
const LONGEST_LINE: usize = 200;
/// How long the rest of the standard error is awaited once the program has ended. A child of it
/// that runs on may hold the pipe open for ever.
const REST: Duration = Duration::from_millis(100);

/// What is kept of the program's standard error.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stderr {
    /// Nothing.
    Ignored,
    /// Its last line, for the error.
    LastLine,
}

/// Why a program did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It never ran.
    Start(io::Error),
    /// Nobody could say how it ended.
    Wait(io::Error),
    /// It ended badly.
    Ended {
        status: ExitStatus,
        last_line: String,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => write!(f, "could not be started: {error}"),
            Self::Wait(error) => write!(f, "could not be awaited: {error}"),
            Self::Ended { status, last_line } => {
                match (status.code(), status.signal()) {
                    (Some(code), _) => write!(f, "exited with code {code}")?,
                    (None, Some(signal)) => write!(f, "was ended by signal {signal}")?,
                    (None, None) => f.write_str("ended in an unknown way")?,
                }
                if last_line.is_empty() {
                    Ok(())
                } else {
                    write!(f, ": {last_line}")
                }
            }
        }
    }
}

/// Runs `words` with `env` added to the environment, until it exits with code 0.
///
/// Dropping the future kills the program and all that it started.
pub(crate) async fn run(
    words: &[String],
    env: &BTreeMap<String, String>,
    stderr: Stderr,
) -> Result<(), Failure> {
    let (program, args) = words
        .split_first()
        .ok_or_else(|| Failure::Start(io::Error::other("no program is named")))?;
    let mut child = Command::new(program)
        .args(args)
        .envs(env)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(if stderr == Stderr::LastLine {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(Failure::Start)?;
    let mut group = Group(child.id());
    let pipe = child.stderr.take();
    let mut tail = Vec::new();
    let status = {
        let mut follow = pin!(keep_tail(pipe, &mut tail));
        let mut wait = pin!(child.wait());
        let mut followed = false;
        let status = loop {
            tokio::select! {
                status = &mut wait => break status.map_err(Failure::Wait)?,
                () = &mut follow, if !followed => followed = true,
            }
        };
        // From here on the id of the group may belong to someone else.
        group.0 = None;
        if !followed {
            // Running out of time is fine: the tail has what came until then.
            let _ = timeout(REST, follow).await;
        }
        status
    };
    if status.success() {
        return Ok(());
    }
    Err(Failure::Ended {
        status,
        last_line: last_line(&tail),
    })
}

/// A process group that is killed when dropped while it is known to exist.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self
            .0
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // The leader was not reaped yet, so the id is ours; an error means all have ended.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

/// Reads `pipe` to its end and keeps the last bytes. Reading all of it matters: a full pipe would
/// stop the program.
async fn keep_tail(pipe: Option<impl AsyncRead + Unpin>, tail: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut chunk = [0; 1024];
    while let Ok(count @ 1..) = pipe.read(&mut chunk).await {
        tail.extend(chunk.iter().take(count));
        let surplus = tail.len().saturating_sub(TAIL);
        tail.drain(..surplus);
    }
}

/// Returns the last line that says anything, fit for a message.
fn last_line(tail: &[u8]) -> String {
    let text = String::from_utf8_lossy(tail);
    let line = text
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .unwrap_or_default();
    line.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_LINE)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Instant;

    use super::*;

    async fn shell(script: &str, stderr: Stderr) -> Result<(), String> {
        let words = ["sh", "-c", script].map(str::to_owned);
        let env = BTreeMap::from([("INFRAKIT_INSTANCE_ID".to_owned(), "i-1".to_owned())]);
        run(&words, &env, stderr)
            .await
            .map_err(|failure| failure.to_string())
    }

    /// Waits until the process with this id is gone or only waits to be reaped.
    async fn await_end(pid: &str) {
        let stat = format!("/proc/{pid}/stat");
        let start = Instant::now();
        loop {
            let state = std::fs::read_to_string(Path::new(&stat)).unwrap_or_default();
            let state = state.rsplit(") ").next().unwrap_or_default().chars().next();
            if matches!(state, None | Some('Z' | 'X')) {
                return;
            }
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "process {pid} still runs"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn failures_say_how_the_program_ended() {
        assert_eq!(
            shell("test \"$INFRAKIT_INSTANCE_ID\" = i-1", Stderr::Ignored).await,
            Ok(())
        );
        for (script, stderr, want) in [
            ("exit 3", Stderr::LastLine, "exited with code 3"),
            ("echo no >&2; exit 3", Stderr::Ignored, "exited with code 3"),
            (
                "echo a >&2; echo ' b\tc ' >&2; exit 1",
                Stderr::LastLine,
                "exited with code 1: b c",
            ),
            ("kill -9 $$", Stderr::LastLine, "was ended by signal 9"),
        ] {
            assert_eq!(shell(script, stderr).await.unwrap_err(), want, "{script}");
        }
        let missing = ["/nonexistent/program".to_owned()];
        let error = run(&missing, &BTreeMap::new(), Stderr::Ignored)
            .await
            .unwrap_err();
        assert!(
            error.to_string().starts_with("could not be started: "),
            "{error}"
        );
    }

    #[tokio::test]
    async fn much_output_does_not_stop_it() {
        let script = "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; \
                      i=$((i+1)); done >&2; echo end >&2; exit 1";
        let error = timeout(Duration::from_secs(20), shell(script, Stderr::LastLine)).await;
        assert_eq!(error.unwrap().unwrap_err(), "exited with code 1: end");
    }

    #[tokio::test]
    async fn a_child_that_runs_on_does_not_hold_the_answer() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("pid");
        let script = format!("sleep 60 & echo $! > {}; exit 1", file.display());
        let answer = timeout(Duration::from_secs(20), shell(&script, Stderr::LastLine)).await;
        assert_eq!(answer.unwrap().unwrap_err(), "exited with code 1");
        let pid: i32 = std::fs::read_to_string(file)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        rustix::process::kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        await_end(&pid.to_string()).await;
    }

    #[tokio::test]
    async fn dropping_it_kills_the_whole_group() {
        let home = tempfile::tempdir().unwrap();
        let (own, child) = (home.path().join("own"), home.path().join("child"));
        let script = format!(
            "sleep 60 & echo $! > {0}.new; mv {0}.new {0}; echo $$ > {1}.new; mv {1}.new {1}; wait",
            child.display(),
            own.display()
        );
        let running = tokio::spawn(async move { shell(&script, Stderr::LastLine).await });
        let start = Instant::now();
        while !own.exists() {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "the script never started"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        for file in [own, child] {
            await_end(std::fs::read_to_string(file).unwrap().trim()).await;
        }
    }
}
