//! Sick members: repaired before they are replaced, and left alone when too many are sick at once.

use std::time::{Duration, Instant};

use infrakit_tests::rollout::{SOON, ids, settled, with};
use infrakit_tests::{Home, eventually, fleet};
use serde_json::{Value, json};

/// A group whose members are sick when a command that is run for each of them fails.
fn checked(plugin: &str, size: u64, command: &str) -> Value {
    let mut document = fleet::cattle("cattle", plugin, size, 1);
    document["Properties"]["Flavor"]["Properties"] = json!({
        "HealthCheck": {"Command": ["sh", "-c", command], "Interval": "100ms", "Threshold": 1},
    });
    with(
        document,
        "Health",
        json!({"GracePeriod": "1s", "Interval": "100ms", "Threshold": 2}),
    )
}

#[test]
fn too_many_sick_at_once_are_left_alone_until_health_returns() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    std::fs::create_dir(home.path().join("sick")).expect("it is new");
    let sick = home.path().join("sick").display().to_string();
    let command = format!("test ! -e {sick}/all && test ! -e {sick}/$INFRAKIT_INSTANCE_ID");
    settled(&home, &checked("file", 3, &command), 3);
    let before = ids(&home, "cattle");
    std::thread::sleep(Duration::from_millis(1500));
    home.write("sick/all", "");
    let end = Instant::now() + Duration::from_secs(4);
    while Instant::now() < end {
        assert_eq!(ids(&home, "cattle"), before);
        std::thread::sleep(Duration::from_millis(50));
    }
    std::fs::remove_file(home.path().join("sick/all")).expect("it was written");
    fleet::converged(&home, "cattle", 3, SOON);
    assert_eq!(ids(&home, "cattle"), before);
    // One alone is replaced, and nobody else.
    let one = before.first().expect("three").clone();
    home.write(&format!("sick/{one}"), "");
    eventually(SOON, "the sick one is replaced", || {
        let now = ids(&home, "cattle");
        if now.len() == 3 && !now.contains(&one) {
            Ok(())
        } else {
            Err(format!("{now:?}"))
        }
    });
    assert_eq!(ids(&home, "cattle").intersection(&before).count(), 2);
}

#[test]
fn a_step_of_repair_comes_before_the_replacement() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    let command = "test \"$INFRAKIT_TAG_SIMULATOR_HEALTH\" != unhealthy";
    let mut document = checked("simulator/compute", 3, command);
    document["Properties"]["Health"]["Repair"] = json!(["reinstall", "reboot"]);
    document["Properties"]["Health"]["RepairWait"] = json!("2s");
    settled(&home, &document, 3);
    let before = ids(&home, "cattle");
    std::thread::sleep(Duration::from_millis(1500));
    let [first, second] = [before.first(), before.last()].map(|id| id.expect("three").clone());
    let switch = |value: &str| {
        let change = format!("simulator/faults change compute/{value} -c");
        home.cli(&change).ok();
    };
    switch(&format!("unhealthy=[\"{first}\"]"));
    eventually(SOON, "the reboot has cured it", || {
        let shown = home
            .cli("simulator/faults cat compute/unhealthy")
            .ok()
            .stdout;
        if shown.contains(&first) {
            Err(shown)
        } else {
            Ok(())
        }
    });
    fleet::converged(&home, "cattle", 3, SOON);
    assert_eq!(ids(&home, "cattle"), before);
    switch(&format!("broken=[\"{second}\"]"));
    eventually(SOON, "the broken one is replaced", || {
        let now = ids(&home, "cattle");
        if now.len() == 3 && !now.contains(&second) {
            Ok(())
        } else {
            Err(format!("{now:?}"))
        }
    });
    assert!(ids(&home, "cattle").contains(&first));
}
