//! Real shells, each run bounded.

use std::fs;
use std::path::Path;

use super::*;

/// Longest time that any event may take on a busy machine.
const BOUND: Duration = Duration::from_secs(20);

fn quick(cmd: impl Into<String>) -> Command {
    let mut command = Command::new("test", cmd);
    command.backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(40));
    command
}

async fn until(child: &Child, mut wanted: impl FnMut(&State) -> bool) -> State {
    let mut state = child.state();
    let found = time::timeout(BOUND, state.wait_for(|state| wanted(state))).await;
    found
        .expect("in time")
        .expect("the supervisor lives")
        .clone()
}

async fn running(child: &Child) -> u32 {
    match until(child, |state| matches!(state, State::Running { .. })).await {
        State::Running { pid } => pid,
        state => panic!("{state:?}"),
    }
}

/// Waits until `file` has a line of text, and returns it.
async fn line_in(file: &Path) -> String {
    let look = async {
        loop {
            match fs::read_to_string(file) {
                Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
                _ => time::sleep(LOOK).await,
            }
        }
    };
    time::timeout(BOUND, look).await.expect("in time")
}

/// Returns whether `pid` runs; the dead that nobody has buried do not.
fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

async fn gone(pid: &str) {
    let look = async {
        while is_alive(pid) {
            time::sleep(LOOK).await;
        }
    };
    time::timeout(BOUND, look).await.expect("it ends in time");
}

#[tokio::test]
async fn runs_until_it_is_stopped() {
    let child = Child::start(quick("exec sleep 1000"));
    let pid = running(&child).await.to_string();
    assert!(is_alive(&pid));
    let mut state = child.state();
    time::timeout(BOUND, child.stop()).await.expect("in time");
    assert_eq!(*state.borrow_and_update(), State::Stopped);
    assert!(!is_alive(&pid));
}

#[tokio::test]
async fn is_started_again_after_each_end_with_its_last_words_known() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    let mut command = quick("echo x >> $RUNS; exit 7");
    command.environment = vec![("RUNS".to_owned(), runs.display().to_string())];
    let child = Child::start(command);
    let backing = until(&child, |it| matches!(it, State::BackingOff { .. })).await;
    let State::BackingOff { last, .. } = backing else {
        unreachable!();
    };
    assert_eq!(last, Ended::Exited(7));
    let counted = async {
        while fs::read_to_string(&runs)
            .unwrap_or_default()
            .lines()
            .count()
            < 4
        {
            time::sleep(LOOK).await;
        }
    };
    time::timeout(BOUND, counted).await.expect("in time");
    time::timeout(BOUND, child.stop()).await.expect("in time");
}

#[tokio::test]
async fn a_killed_one_is_started_again_under_another_pid() {
    let child = Child::start(quick("exec sleep 1000"));
    let first = running(&child).await;
    Target::Process(Pid::from_raw(i32::try_from(first).unwrap()).unwrap()).signal(Signal::KILL);
    let again = |state: &State| matches!(state, State::Running { pid } if *pid != first);
    until(&child, again).await;
    child.stop().await;
}

#[tokio::test]
async fn stopping_ends_grandchildren_and_lets_them_finish_their_work() {
    let dir = tempfile::tempdir().unwrap();
    let (ready, done) = (dir.path().join("ready"), dir.path().join("done"));
    // The shell dies of the signal at once; the plugin below it takes its time.
    let plugin = format!(
        "trap 'sleep 0.3; echo done > {}; exit' TERM; echo $$ > {}; while :; do sleep 0.05; done",
        done.display(),
        ready.display()
    );
    let child = Child::start(quick(format!(
        "sh -c \"{}\" & wait",
        plugin.replace('$', "\\$")
    )));
    let pid = line_in(&ready).await;
    time::timeout(BOUND, child.stop()).await.expect("in time");
    assert_eq!(fs::read_to_string(&done).unwrap(), "done\n");
    gone(&pid).await;
}

#[tokio::test]
async fn one_that_ignores_the_request_is_killed_after_its_grace() {
    let dir = tempfile::tempdir().unwrap();
    let ready = dir.path().join("ready");
    let mut command = quick(format!(
        "trap '' TERM; echo $$ > {}; while :; do sleep 0.05; done",
        ready.display()
    ));
    command.grace = Duration::from_millis(200);
    let child = Child::start(command);
    let pid = line_in(&ready).await;
    let begin = Instant::now();
    time::timeout(BOUND, child.stop()).await.expect("in time");
    assert!(begin.elapsed() >= Duration::from_millis(200));
    gone(&pid).await;
}

#[tokio::test]
async fn dropping_it_kills_the_whole_group() {
    let dir = tempfile::tempdir().unwrap();
    let ready = dir.path().join("ready");
    let cmd = format!("sleep 1000 & echo $! > {}; wait", ready.display());
    let child = Child::start(quick(cmd));
    let grandchild = line_in(&ready).await;
    let shell = running(&child).await.to_string();
    drop(child);
    gone(&grandchild).await;
    gone(&shell).await;
}

#[test]
fn the_end_of_the_runtime_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ready = dir.path().join("ready");
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let first = runtime();
    let cmd = format!("sleep 1000 & echo $! > {}; wait", ready.display());
    let (child, grandchild) = first.block_on(async {
        let child = Child::start(quick(cmd));
        (child, line_in(&ready).await)
    });
    drop(first);
    drop(child);
    runtime().block_on(gone(&grandchild));
}

#[tokio::test]
async fn leftovers_of_a_dead_one_are_swept_before_the_next_run() {
    let dir = tempfile::tempdir().unwrap();
    let ready = dir.path().join("ready");
    let mut command = quick(format!(
        "sleep 1000 & echo $! > {}; exit 3",
        ready.display()
    ));
    command.backoff = Backoff::new(Duration::from_secs(60), Duration::from_secs(60));
    let child = Child::start(command);
    until(&child, |it| matches!(it, State::BackingOff { .. })).await;
    gone(&line_in(&ready).await).await;
    time::timeout(BOUND, child.stop())
        .await
        .expect("a wait can be stopped");
}

#[tokio::test]
async fn the_group_is_its_own_or_that_of_the_host() {
    let dir = tempfile::tempdir().unwrap();
    for (group, own) in [(Group::Own, true), (Group::OfTheHost, false)] {
        let ready = dir.path().join(format!("{own}"));
        let mut command = quick(format!("echo ready > {}; exec sleep 1000", ready.display()));
        command.group = group;
        let child = Child::start(command);
        line_in(&ready).await;
        let pid = Pid::from_raw(i32::try_from(running(&child).await).unwrap()).unwrap();
        let found = rustix::process::getpgid(Some(pid)).unwrap();
        let host = rustix::process::getpgid(None).unwrap();
        assert_eq!(found == pid, own);
        assert_eq!(found == host, !own);
        time::timeout(BOUND, child.stop()).await.expect("in time");
        assert!(!is_alive(&pid.as_raw_nonzero().to_string()));
    }
}

#[tokio::test]
async fn a_chatty_one_with_logged_output_is_not_held_up() {
    let mut command = quick("head -c 300000 /dev/zero; echo; echo on stderr >&2; exit 5");
    command.output = Output::Log;
    let child = Child::start(command);
    let ended = |state: &State| matches!(state, State::BackingOff { last, .. } if *last == Ended::Exited(5));
    until(&child, ended).await;
    child.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_start_is_tried_again_after_doubling_waits() {
    let mut command = Command::new("test", "true");
    // No process can have such a variable.
    command.environment = vec![("NAME".to_owned(), "a\0b".to_owned())];
    let child = Child::start(command);
    let begin = Instant::now();
    let mut tried_at = Vec::new();
    let mut next = begin;
    for _ in 0..8 {
        let state = until(
            &child,
            |it| matches!(it, State::BackingOff { until, .. } if *until > next),
        )
        .await;
        let State::BackingOff { until, last } = state else {
            unreachable!();
        };
        assert!(
            matches!(&last, Ended::NotStarted(reason) if !reason.is_empty()),
            "{last}"
        );
        tried_at.push((until - begin).as_secs());
        next = until;
        time::sleep_until(until).await;
    }
    assert_eq!(tried_at, [1, 3, 7, 15, 31, 63, 123, 183]);
    let mut state = child.state();
    child.stop().await;
    assert_eq!(*state.borrow_and_update(), State::Stopped);
}
