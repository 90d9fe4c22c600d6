//! Limits that hold whatever a specification says: calls a minute, instances a group.

use std::time::Duration;

use infrakit_tests::rollout::{SOON, commit, ids, with};
use infrakit_tests::{Home, eventually, fleet};
use serde_json::json;

const KIND: &str = "simulator/compute";

/// Waits until the group has `count` members, and watches for a while that it stays so.
fn stops_at(home: &Home, id: &str, count: usize) {
    eventually(SOON, &format!("{count} members"), || {
        let found = ids(home, id).len();
        if found == count {
            Ok(())
        } else {
            Err(format!("{found}"))
        }
    });
    let end = std::time::Instant::now() + Duration::from_secs(1);
    while std::time::Instant::now() < end {
        assert_eq!(ids(home, id).len(), count);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_plugin_gets_so_many_calls_a_minute_and_no_more() {
    let home = Home::new();
    let limits = [
        ("INFRAKIT_GROUP_CREATES_PER_MINUTE", "4"),
        ("INFRAKIT_GROUP_DESTROYS_PER_MINUTE", "2"),
    ];
    let _daemon = fleet::start(&home, &limits);
    // All groups on the plugin share what it gets; another plugin has its own.
    commit(&home, &fleet::cattle("first", KIND, 3, 1));
    stops_at(&home, "first", 3);
    commit(&home, &fleet::cattle("second", KIND, 3, 1));
    commit(&home, &fleet::cattle("third", "file", 3, 1));
    stops_at(&home, "second", 1);
    stops_at(&home, "third", 3);
    home.cli("group scale first 0").ok();
    stops_at(&home, "first", 1);
}

#[test]
fn no_group_grows_beyond_the_ceiling_of_its_controller() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[("INFRAKIT_GROUP_MAX_INSTANCES", "3")]);
    for document in [
        fleet::cattle("large", KIND, 5, 1),
        with(
            fleet::cattle("large", KIND, 3, 1),
            "Updating",
            json!({"MaxSurge": 1}),
        ),
    ] {
        let refused = fleet::commit(&home, &document).expect_err("it is too large");
        let text = refused.to_string();
        assert!(text.contains("INFRAKIT_GROUP_MAX_INSTANCES"), "{text}");
    }
    commit(&home, &fleet::cattle("small", KIND, 2, 1));
    fleet::converged(&home, "small", 2, SOON);
    let refused = home.cli("group scale small 4").failed(1);
    assert!(refused.stderr.contains("3"), "{refused:?}");
    home.cli("group scale small 3").ok();
    fleet::converged(&home, "small", 3, SOON);
}

#[test]
fn a_lower_ceiling_stops_the_growth_of_groups_that_are_there() {
    let home = Home::new();
    let mut daemon = fleet::start(&home, &[]);
    commit(&home, &fleet::cattle("large", "file", 5, 1));
    fleet::converged(&home, "large", 5, SOON);
    daemon.terminate();
    let _daemon = fleet::start(&home, &[("INFRAKIT_GROUP_MAX_INSTANCES", "3")]);
    let gone: Vec<String> = ids(&home, "large").into_iter().take(3).collect();
    for id in &gone {
        std::fs::remove_file(home.path().join("instances").join(id)).expect("it has a file");
    }
    stops_at(&home, "large", 3);
}
