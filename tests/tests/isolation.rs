//! What one plugin does, is slow at, or fails to do stays with the groups that are on it.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use infrakit_tests::census::files;
use infrakit_tests::cloud::{Cloud, Latency};
use infrakit_tests::peer::Peer;
use infrakit_tests::{Home, cloud, eventually, fleet, until};
use serde_json::json;

const SOON: Duration = Duration::from_secs(20);
const SETTINGS: [(&str, &str); 1] = [("INFRAKIT_GROUP_POLL_INTERVAL", "300ms")];

fn home() -> Home {
    let home = Home::new();
    fs::create_dir(home.path().join("plugins")).expect("the home is new");
    home
}

fn commit(home: &Home, group: &str, plugin: &str, size: u64) {
    let document = fleet::cattle(group, plugin, size, 1);
    fleet::commit(home, &document).unwrap_or_else(|fault| panic!("{group}: {fault}"));
}

fn has(cloud: &Cloud, group: &str, size: usize) {
    eventually(SOON, &format!("`{group}` has {size} instances"), || {
        let members = cloud.members(group);
        (members.len() == size)
            .then_some(())
            .ok_or_else(|| format!("{members:?}"))
    });
}

#[test]
fn a_slow_plugin_delays_no_group_that_is_not_on_it() {
    let home = home();
    let slow = Cloud::listen(&home.socket("slow"), Latency(1000, 1000), 1);
    let quick = Cloud::listen(&home.socket("quick"), Latency::NONE, 1);
    let _daemon = fleet::start(&home, &SETTINGS);
    let begun = Instant::now();
    // Rolled one by one, this one takes two seconds a member.
    commit(&home, "sluggish", "slow", 4);
    for round in 0..5 {
        let group = format!("brisk-{round}");
        let asked = Instant::now();
        commit(&home, &group, "quick", 20);
        commit(&home, &format!("paper-{round}"), "file", 1);
        has(&quick, &group, 20);
        let took = asked.elapsed();
        assert!(took < Duration::from_millis(900), "{group} took {took:?}");
    }
    has(&slow, "sluggish", 4);
    let took = begun.elapsed();
    assert!(
        took < Duration::from_secs(10),
        "four creations of a second took {took:?}"
    );
    assert_eq!(
        (slow.peak("sluggish"), slow.calls("Instance.Provision")),
        (4, 4)
    );
    assert_eq!(files(&home.path().join("instances")).len(), 5);
}

#[test]
fn a_creation_that_outlasts_every_deadline_is_not_made_twice() {
    let home = home();
    let slow = Cloud::listen(&home.socket("slow"), Latency(1500, 2500), 1);
    let settings = [("INFRAKIT_CLIENT_TIMEOUT", "200ms"), SETTINGS[0]];
    let _daemon = fleet::start(&home, &settings);
    commit(&home, "patient", "slow", 3);
    has(&slow, "patient", 3);
    fleet::converged(&home, "patient", 3, SOON);
    let counted = (slow.peak("patient"), slow.calls("Instance.Provision"));
    assert_eq!(counted, (3, 3));
}

#[test]
fn a_plugin_that_comes_back_finds_its_group_waiting() {
    let home = home();
    let cloud = Cloud::listen(&home.socket("cloud"), Latency::NONE, 1);
    let _daemon = fleet::start(&home, &SETTINGS);
    commit(&home, "steady", "cloud", 3);
    fleet::converged(&home, "steady", 3, SOON);
    let before: BTreeSet<String> = cloud.members("steady").into_keys().collect();

    let stopped = cloud.stop();
    let fault = eventually(SOON, "the group is in trouble", || {
        fleet::describe(&home, "steady")
            .err()
            .ok_or_else(|| "it is described".to_owned())
    });
    assert!(fault.to_string().contains("cloud"), "{fault}");
    // Nothing can be seen, so nothing is done; what was committed stands.
    assert_eq!(home.cli("group ls").ok().rows(), [["ID"], ["steady"]]);

    let cloud = stopped.restart(&home.socket("cloud"));
    fleet::converged(&home, "steady", 3, SOON);
    let after: BTreeSet<String> = cloud.members("steady").into_keys().collect();
    assert_eq!(before, after, "its absence made nobody create or destroy");
    assert!(cloud.lose(before.first().expect("there are three")));
    has(&cloud, "steady", 3);
    assert_eq!(cloud.peak("steady"), 3);
}

#[test]
fn an_update_waits_for_a_plugin_that_is_away_and_goes_on_by_itself() {
    let home = home();
    let cloud = Cloud::listen(&home.socket("cloud"), Latency(100, 150), 1);
    let _daemon = fleet::start(&home, &SETTINGS);
    commit(&home, "steady", "cloud", 4);
    let first = fleet::converged(&home, "steady", 4, SOON);
    let update = fleet::cattle("steady", "cloud", 4, 2);
    fleet::commit(&home, &update).unwrap_or_else(|fault| panic!("{fault}"));
    let created = cloud.calls("Instance.Provision");
    eventually(SOON, "the update has begun", || {
        let calls = cloud.calls("Instance.Provision");
        (calls > created)
            .then_some(())
            .ok_or_else(|| calls.to_string())
    });
    let cloud = cloud.stop().restart(&home.socket("cloud"));
    // A creation that was cut off is in doubt for up to 15 s.
    let second = fleet::converged(&home, "steady", 4, Duration::from_secs(60));
    assert_ne!(first, second);
    assert_eq!(
        (cloud.members("steady").len(), cloud.peak("steady")),
        (4, 4)
    );
}

#[test]
fn a_commit_on_a_plugin_that_is_not_there_is_refused_at_once() {
    let home = home();
    let cloud = Cloud::listen(&home.socket("cloud"), Latency::NONE, 1);
    let _daemon = fleet::start(&home, &SETTINGS);
    commit(&home, "steady", "cloud", 2);
    fleet::converged(&home, "steady", 2, SOON);
    let before = fleet::inspect(&home);
    let refused = |why: &str| {
        for group in ["steady", "new"] {
            let asked = Instant::now();
            let answer = fleet::commit(&home, &fleet::cattle(group, "cloud", 5, 2));
            let (fault, took) = (answer.expect_err(why).to_string(), asked.elapsed());
            assert!(
                took < Duration::from_secs(2),
                "{why}: refused after {took:?}"
            );
            assert!(fault.contains("cloud"), "{why}: {fault}");
        }
        assert_eq!(fleet::inspect(&home), before, "{why}");
    };
    let stopped = cloud.stop();
    refused("no socket");
    Peer::stale(&home.socket("cloud"));
    refused("a socket that nobody listens on");
    let cloud = stopped.restart(&home.socket("cloud"));
    commit(&home, "steady", "cloud", 3);
    has(&cloud, "steady", 3);
}

#[test]
fn a_group_that_was_freed_is_not_listed_for_ever() {
    let home = home();
    // Instances that are taken and never shown: whoever made them looks for them again and again.
    let lists = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = std::sync::Arc::clone(&lists);
    let _forgetful = Peer::listen(&home.socket("forgetful"), move |method, _| match method {
        "Handshake.Hello" => Some(cloud::hello()),
        "Instance.Provision" => None,
        "Instance.DescribeInstances" => {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Some(json!({"Type": "", "Descriptions": []}))
        }
        _ => Some(json!({"Type": "", "OK": true})),
    });
    let _daemon = fleet::start(&home, &[("INFRAKIT_GROUP_POLL_INTERVAL", "500ms")]);
    for group in ["kept", "freed"] {
        commit(&home, group, "forgetful", 1);
    }
    assert_eq!(home.cli("group free freed").ok().stdout, "Freed freed\n");
    let count = || lists.load(std::sync::atomic::Ordering::Relaxed);
    let before = count();
    let window = Duration::from_secs(2);
    let more = until(window, || {
        (count() > before + 60)
            .then_some(())
            .ok_or_else(String::new)
    });
    assert!(more.is_err(), "more than 60 lists within {window:?}");
    assert!(count() > before, "the other group is still looked at");
}

#[test]
fn commits_at_the_same_time_leave_one_of_them_in_force_and_in_the_store() {
    let home = home();
    let mut daemon = fleet::start(&home, &SETTINGS);
    for round in 0..10 {
        let group = format!("contested-{}", round / 2);
        std::thread::scope(|scope| {
            for size in 1..=6_u64 {
                let document = fleet::cattle(&group, "file", size, size);
                let home = &home;
                scope.spawn(move || {
                    fleet::commit(home, &document).unwrap_or_else(|fault| panic!("{fault}"));
                });
            }
        });
    }
    let before = fleet::inspect(&home);
    daemon.restart().wait_for(&["group"]);
    assert_eq!(
        fleet::inspect(&home),
        before,
        "the store holds another spec than was in force"
    );
}
