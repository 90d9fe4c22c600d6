//! The directory holds the instances and nothing else, whatever happens to those who write it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use infrakit_plugin_file::FilePlugin;
use infrakit_spi::instance::{Context, Detail, Instance as _, InstanceSpec};
use infrakit_spi::{InstanceId, Tags};
use rustix::fs::{Mode, OFlags, open};

/// Where the process that is to be killed writes.
const VICTIM: &str = "FILE_PLUGIN_TEST_VICTIM";
/// What it does after each creation.
const LABELS: &str = "FILE_PLUGIN_TEST_LABELS";

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

async fn listed(plugin: &FilePlugin) -> BTreeSet<String> {
    let list = plugin.describe(&Tags::new(), Detail::Tags).await.unwrap();
    list.into_iter().map(|found| found.id.to_string()).collect()
}

fn label(value: &str) -> Tags {
    Tags::from([("label".to_owned(), value.to_owned())])
}

#[tokio::test]
async fn an_idle_directory_holds_exactly_the_instances() {
    let home = tempfile::tempdir().unwrap();
    let plugin = FilePlugin::new(home.path().to_owned()).unwrap();
    assert_eq!(names(home.path()), BTreeSet::new());
    let spec = InstanceSpec::default();
    let first = plugin.provision(&spec).await.unwrap();
    let second = plugin.provision(&spec).await.unwrap();
    let both = BTreeSet::from([first.to_string(), second.to_string()]);
    assert_eq!(names(home.path()), both);
    plugin.label(&first, &label("a")).await.unwrap();
    let nobody = InstanceId::from("instance-0");
    plugin.label(&nobody, &label("a")).await.unwrap_err();
    assert_eq!(names(home.path()), both);
    plugin.destroy(&first, &Context::default()).await.unwrap();
    assert_eq!(names(home.path()), BTreeSet::from([second.to_string()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_at_once_are_ten_thousand_files() {
    const MANY: usize = 10_000;
    let home = tempfile::tempdir().unwrap();
    let plugin = FilePlugin::new(home.path().to_owned()).unwrap();
    let other = FilePlugin::new(home.path().to_owned()).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..MANY {
        // Two plugins on one directory stand for two processes.
        let plugin = if number % 2 == 0 { &plugin } else { &other }.clone();
        tasks.spawn(async move { plugin.provision(&InstanceSpec::default()).await.unwrap() });
    }
    let ids = tasks.join_all().await;
    let ids: BTreeSet<String> = ids.iter().map(InstanceId::to_string).collect();
    assert_eq!(ids.len(), MANY, "an id was given twice");
    assert_eq!(names(home.path()), ids);
    for plugin in [&plugin, &other] {
        assert_eq!(listed(plugin).await, ids);
    }
}

/// Not a test by itself: what `after_a_kill` starts in another process, and kills.
#[tokio::test]
async fn victim() {
    let Some(directory) = std::env::var_os(VICTIM) else {
        return;
    };
    let labels = std::env::var_os(LABELS).is_some();
    let plugin = FilePlugin::new(directory.into()).unwrap();
    loop {
        let id = plugin.provision(&InstanceSpec::default()).await.unwrap();
        // Not `println!`, which the harness captures. In one piece, so that no kill cuts an id.
        let line = format!("made {id}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        for value in ["a", "b", "c"].iter().filter(|_| labels) {
            plugin.label(&id, &label(value)).await.unwrap();
        }
    }
}

/// Runs the victim until it has made `count` instances, kills it, and returns their ids.
fn kill_after(count: usize, directory: &Path, labels: bool) -> BTreeSet<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "victim", "--nocapture"]);
    command.env(VICTIM, directory).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    if labels {
        command.env(LABELS, "yes");
    }
    let mut victim = command.spawn().unwrap();
    let mut lines = BufReader::new(victim.stderr.take().unwrap()).lines();
    let mut made = BTreeSet::new();
    while made.len() < count {
        let line = lines.next().expect("the victim ended by itself").unwrap();
        made.extend(line.strip_prefix("made ").map(str::to_owned));
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    let rest = lines.map_while(Result::ok);
    made.extend(rest.filter_map(|line| line.strip_prefix("made ").map(str::to_owned)));
    made
}

#[tokio::test]
async fn a_creator_that_is_killed_leaves_whole_instances_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let mut made = BTreeSet::new();
    for count in [1, 7, 30, 90] {
        made.extend(kill_after(count, home.path(), false));
    }
    // Before anybody had the chance to clean up.
    let left = names(home.path());
    if left.iter().any(|name| name.starts_with(".tmp-")) {
        let nameless = OFlags::TMPFILE | OFlags::WRONLY;
        let error = open(home.path(), nameless, Mode::RUSR).expect_err("a file had a name");
        println!("skipped: no nameless files on this file system: {error}");
        return;
    }
    assert!(left.is_superset(&made), "an instance is lost");
    assert!(left.len() <= made.len() + 4, "more than the kills explain");
    let plugin = FilePlugin::new(home.path().to_owned()).unwrap();
    assert_eq!(
        listed(&plugin).await,
        left,
        "something is no whole instance"
    );
}

#[tokio::test]
async fn what_a_killed_labeller_left_is_gone_after_a_start() {
    let home = tempfile::tempdir().unwrap();
    let mut made = BTreeSet::new();
    for count in [1, 5, 20, 60] {
        made.extend(kill_after(count, home.path(), true));
        let plugin = FilePlugin::new(home.path().to_owned()).unwrap();
        let left = names(home.path());
        assert!(left.is_superset(&made), "an instance is lost");
        assert_eq!(
            listed(&plugin).await,
            left,
            "something is no whole instance"
        );
    }
}
