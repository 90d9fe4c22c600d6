//! Rollouts as their operator meets them: stages, pauses, aborts, rollbacks, holds, and a plan that
//! is kept.

use std::collections::BTreeSet;
use std::time::Duration;

use infrakit_tests::rollout::{
    self, SOON, commit, ids, members, others, reaches, settled, status, with,
};
use infrakit_tests::{Home, eventually, fleet};
use serde_json::{Value, json};

/// Cattle on files, in a version.
fn cattle(size: u64, version: u64) -> Value {
    fleet::cattle("cattle", "file", size, version)
}

/// Cattle that stop after one member, until somebody approves.
fn canary(size: u64, version: u64) -> Value {
    let stages = json!({"Stages": [{"Until": 1, "Approve": true}]});
    with(cattle(size, version), "Updating", stages)
}

/// Runs a command that must succeed, and returns what it printed.
fn said(home: &Home, line: &str) -> String {
    home.cli(line).ok().stdout
}

fn json_of(home: &Home, line: &str) -> Value {
    let text = said(home, line);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}: {text}"))
}

/// Watches for a while that something stays as it is.
fn stays<T: PartialEq + std::fmt::Debug>(mut look: impl FnMut() -> T, what: &T) {
    let end = std::time::Instant::now() + Duration::from_millis(700);
    while std::time::Instant::now() < end {
        assert_eq!(&look(), what);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_stage_waits_for_its_approval() {
    let home = Home::new();
    let mut daemon = fleet::start(&home, &[]);
    let first = settled(&home, &canary(4, 1), 4);
    commit(&home, &canary(4, 2));
    let waits = reaches(&home, "cattle", "AwaitingApproval");
    assert_eq!(
        (&waits["Updated"], &waits["Outdated"], &waits["Stage"]),
        (&json!(1), &json!(3), &json!(1)),
        "{waits}"
    );
    let before = members(&home, "cattle");
    stays(|| members(&home, "cattle"), &before);
    // What somebody has to approve of is not forgotten by a controller that was killed.
    daemon.restart().wait_for(&["group", "vanilla", "file"]);
    reaches(&home, "cattle", "AwaitingApproval");
    let shown = said(&home, "group rollout status cattle");
    assert!(
        shown.contains("next: `infrakit group rollout approve cattle`"),
        "{shown}"
    );
    said(&home, "group rollout approve cattle");
    let followed = home
        .cli("group rollout status cattle --watch --timeout 30s")
        .ok();
    assert!(
        followed.stdout.contains("4 of 4 members updated"),
        "{followed:?}"
    );
    assert_eq!(others(&home, "cattle", &first), 4);
    let history = json_of(&home, "group rollout history cattle -o json");
    let outcomes: Vec<&Value> = history
        .as_array()
        .expect("a list")
        .iter()
        .map(|record| &record["Outcome"])
        .collect();
    assert_eq!(outcomes.last(), Some(&&json!("Completed")), "{history}");
}

#[test]
fn a_pause_stops_the_rollout_and_nothing_else() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    let first = settled(&home, &canary(4, 1), 4);
    commit(&home, &canary(4, 2));
    reaches(&home, "cattle", "AwaitingApproval");
    said(&home, "group rollout pause cattle");
    reaches(&home, "cattle", "Paused");
    home.cli("group rollout status cattle --watch").failed(1);
    // Healing and scaling go on, with members of the former configuration.
    said(&home, "group scale cattle 6");
    eventually(SOON, "two more members", || {
        match members(&home, "cattle").len() {
            6 => Ok(()),
            count => Err(format!("{count} members")),
        }
    });
    assert_eq!(others(&home, "cattle", &first), 1);
    let lost = members(&home, "cattle");
    let (lost, _) = lost.iter().find(|(_, hash)| **hash == first).expect("five");
    std::fs::remove_file(home.path().join("instances").join(lost)).expect("it has a file");
    eventually(SOON, "the lost member is replaced", || {
        let now = ids(&home, "cattle");
        if now.len() == 6 && !now.contains(lost) {
            Ok(())
        } else {
            Err(format!("{now:?}"))
        }
    });
    assert_eq!(others(&home, "cattle", &first), 1);
    let warned = home.cli("group describe cattle").ok();
    assert!(warned.stderr.contains("is Paused since"), "{warned:?}");
    said(&home, "group rollout resume cattle");
    reaches(&home, "cattle", "AwaitingApproval");
    said(&home, "group rollout approve cattle");
    let last = fleet::converged(&home, "cattle", 6, SOON);
    assert_ne!(last, first);
}

#[test]
fn an_abort_leaves_the_mix_until_the_next_commit() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    let first = settled(&home, &canary(3, 1), 3);
    commit(&home, &canary(3, 2));
    reaches(&home, "cattle", "AwaitingApproval");
    said(&home, "group rollout abort cattle");
    reaches(&home, "cattle", "Aborted");
    let before = members(&home, "cattle");
    assert_eq!(others(&home, "cattle", &first), 1);
    stays(|| members(&home, "cattle"), &before);
    home.cli("group rollout status cattle --watch").failed(1);
    settled(&home, &cattle(3, 3), 3);
    assert!(ids(&home, "cattle").is_disjoint(&before.into_keys().collect()));
}

#[test]
fn a_rollback_goes_to_a_chosen_revision_and_spares_who_is_there() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    let first = settled(&home, &cattle(4, 1), 4);
    let one = json_of(&home, "group rollout status cattle -o json")["Revision"].clone();
    settled(&home, &cattle(4, 2), 4);
    commit(&home, &canary(4, 3));
    reaches(&home, "cattle", "AwaitingApproval");
    said(&home, &format!("group rollout rollback cattle --to {one}"));
    assert_eq!(fleet::converged(&home, "cattle", 4, SOON), first);
    // Again, half-way: members that are as the target wants them stay.
    commit(&home, &canary(4, 4));
    reaches(&home, "cattle", "AwaitingApproval");
    let kept: BTreeSet<String> = members(&home, "cattle")
        .into_iter()
        .filter(|(_, hash)| *hash == first)
        .map(|(id, _)| id)
        .collect();
    assert_eq!(kept.len(), 3);
    said(&home, "group rollout rollback cattle");
    assert_eq!(fleet::converged(&home, "cattle", 4, SOON), first);
    assert!(ids(&home, "cattle").is_superset(&kept));
    let spec = &fleet::inspect(&home)[0]["Properties"];
    assert_eq!(spec["Allocation"]["Size"], json!(4), "{spec}");
    assert_eq!(spec["Updating"]["Stages"][0]["Until"], json!(1), "{spec}");
}

#[test]
fn a_bad_version_is_rolled_back_by_itself() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    let version = |word: &str| {
        let mut document = cattle(3, 1);
        document["Properties"]["Flavor"]["Properties"] = json!({
            "Tags": {"version": word},
            "HealthCheck": {
                "Command": ["sh", "-c", "test \"$INFRAKIT_TAG_VERSION\" = good"],
                "Interval": "100ms", "Threshold": 1,
            },
        });
        document["Properties"]["Health"] = json!({"GracePeriod": "300ms", "Interval": "100ms"});
        with(
            document,
            "Updating",
            json!({"OnFailure": "rollback", "FailureThreshold": 1}),
        )
    };
    let good = settled(&home, &version("good"), 3);
    let before = ids(&home, "cattle");
    commit(&home, &version("bad"));
    let followed = home
        .cli("group rollout status cattle --watch --timeout 60s")
        .failed(1);
    assert!(followed.stderr.starts_with("error: "), "{followed:?}");
    assert_eq!(fleet::converged(&home, "cattle", 3, SOON), good);
    let spared = ids(&home, "cattle").intersection(&before).count();
    assert!(spared >= 2, "{spared} members were spared");
    let history = said(&home, "group rollout history cattle");
    assert!(history.contains("RolledBack"), "{history}");
}

#[test]
fn a_member_that_is_held_stays() {
    let home = Home::new();
    let mut daemon = fleet::start(&home, &[]);
    let first = settled(&home, &cattle(3, 1), 3);
    let held = ids(&home, "cattle").pop_first().expect("three");
    said(&home, &format!("group hold cattle {held}"));
    commit(&home, &cattle(3, 2));
    eventually(SOON, "the others are new", || {
        let old = others(&home, "cattle", &first);
        if old == 2 {
            Ok(())
        } else {
            Err(format!("{old} are new"))
        }
    });
    daemon.restart().wait_for(&["group", "vanilla", "file"]);
    stays(
        || members(&home, "cattle").get(&held) == Some(&first),
        &true,
    );
    assert_eq!(status(&home, "cattle")["Held"], json!([held]));
    let why = said(&home, &format!("group why cattle {held}"));
    assert!(why.contains("held") || why.contains("hold"), "{why}");
    said(&home, &format!("group release cattle {held}"));
    assert_ne!(fleet::converged(&home, "cattle", 3, SOON), first);
    assert_eq!(status(&home, "cattle")["Held"], json!([]));
}

#[test]
fn what_was_shown_is_what_is_done() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    settled(&home, &cattle(4, 1), 4);
    let before = ids(&home, "cattle");
    home.write("next.json", &cattle(4, 2).to_string());
    let shown = json_of(&home, "group commit next.json --pretend -o json");
    let changes = shown["Changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 1, "{shown}");
    assert_eq!(changes[0]["Path"], json!("Instance.Properties.Note"));
    let waves = shown["Waves"].as_array().expect("a list");
    let go: Vec<String> = waves
        .iter()
        .flat_map(|wave| wave["Go"].as_array().into_iter().flatten())
        .map(|one| one["ID"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        go.iter().cloned().collect::<BTreeSet<_>>(),
        before,
        "{shown}"
    );
    assert_eq!(ids(&home, "cattle"), before, "pretending changed something");
    let plan = shown["Plan"].as_str().expect("a name");
    let text = said(&home, "group commit next.json --pretend");
    assert!(
        text.starts_with(
            "Committing cattle would involve: Performing a rolling update on 4 instances\n"
        ),
        "{text}"
    );
    assert!(text.contains(&format!("--plan {plan}")), "{text}");
    // Not what was shown any more: it is refused, and nothing changes.
    said(&home, "group scale cattle 5");
    fleet::converged(&home, "cattle", 5, SOON);
    let specs = fleet::inspect(&home);
    home.cli(&format!("group commit next.json --plan {plan}"))
        .failed(1);
    assert_eq!(fleet::inspect(&home), specs);
    said(&home, "group scale cattle 4");
    fleet::converged(&home, "cattle", 4, SOON);
    let shown = json_of(&home, "group commit next.json --pretend -o json");
    let plan = shown["Plan"].as_str().expect("a name");
    let waves = shown["Waves"].as_array().expect("a list").clone();
    said(&home, &format!("group commit next.json --plan {plan}"));
    fleet::converged(&home, "cattle", 4, SOON);
    let why = json_of(&home, "group why cattle -o json");
    let mut gone: Vec<&Value> = why["Deeds"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|deed| waves_name(&waves, &deed["Instance"]))
        .filter(|deed| {
            deed["Action"]
                .as_str()
                .is_some_and(|action| action.contains("estroy"))
        })
        .map(|deed| &deed["Instance"])
        .collect();
    gone.reverse();
    let planned: Vec<&Value> = waves
        .iter()
        .flat_map(|wave| wave["Go"].as_array().into_iter().flatten())
        .map(|one| &one["ID"])
        .collect();
    assert_eq!(gone, planned, "another order than was shown: {why}");
}

fn waves_name(waves: &[Value], id: &Value) -> bool {
    let mut all = waves
        .iter()
        .flat_map(|wave| wave["Go"].as_array().into_iter().flatten());
    all.any(|one| one["ID"] == *id)
}

#[test]
fn why_is_answered_in_three_lines() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    settled(&home, &canary(3, 1), 3);
    let lines = |line: &str| said(&home, line).lines().count();
    assert!((1..=3).contains(&lines("group why cattle")));
    commit(&home, &canary(3, 2));
    reaches(&home, "cattle", "AwaitingApproval");
    let why = said(&home, "group why cattle");
    assert!((1..=3).contains(&why.lines().count()), "{why}");
    assert!(why.contains("approv"), "{why}");
    for member in ids(&home, "cattle") {
        let why = said(&home, &format!("group why cattle {member}"));
        assert!((1..=3).contains(&why.lines().count()), "{why}");
    }
    let deeds = said(&home, "group why cattle --deeds");
    assert!(deeds.contains("another configuration"), "{deeds}");
}

#[test]
fn conditions_tell_how_the_group_is() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    settled(&home, &canary(3, 1), 3);
    let told = |kind: &str| {
        let whole = json_of(&home, "group describe cattle --conditions -o json");
        let all = whole["Conditions"].as_array().expect("a list").clone();
        let found = all.iter().find(|one| one["Type"] == json!(kind));
        let found = found
            .unwrap_or_else(|| panic!("no {kind}: {whole}"))
            .clone();
        let since = found["Since"].as_str().unwrap_or_default();
        assert!(since.starts_with("20") && since.ends_with('Z'), "{found}");
        found["Status"].as_bool().expect("yes or no")
    };
    eventually(SOON, "it is well", || {
        let well = told("Available") && told("UpToDate");
        let quiet = !told("RollingOut") && !told("Scaling") && !told("Degraded");
        if well && quiet {
            Ok(())
        } else {
            Err("not yet".to_owned())
        }
    });
    commit(&home, &canary(3, 2));
    reaches(&home, "cattle", "AwaitingApproval");
    assert!(!told("UpToDate") && told("RollingOut") && !told("Paused"));
    said(&home, "group rollout pause cattle");
    reaches(&home, "cattle", "Paused");
    assert!(told("Paused"));
    let table = said(&home, "group describe cattle --conditions");
    assert_eq!(table.lines().count(), 9, "{table}");
}

#[test]
fn a_closed_window_is_waited_for() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    // Once in four years, on the 29th of February.
    let window = json!({"Windows": [{"Cron": "0 0 29 2 *", "Duration": "1h"}]});
    let first = settled(&home, &with(cattle(3, 1), "Updating", window.clone()), 3);
    commit(&home, &with(cattle(3, 2), "Updating", window));
    reaches(&home, "cattle", "AwaitingWindow");
    stays(|| others(&home, "cattle", &first), &0);
    commit(&home, &cattle(3, 2));
    assert_ne!(fleet::converged(&home, "cattle", 3, SOON), first);
}

#[test]
fn a_configuration_error_stops_at_once_and_a_resume_tries_again() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    let document = |version| fleet::cattle("cattle", "simulator/compute", 3, version);
    let first = settled(&home, &document(1), 3);
    let fault = "simulator/faults change compute/provision/message=invalid_image \
                 compute/provision/class=configuration compute/provision/rate=1 -c";
    said(&home, fault);
    commit(&home, &document(2));
    let paused = reaches(&home, "cattle", "Paused");
    assert!(paused.to_string().contains("invalid_image"), "{paused}");
    let members = members(&home, "cattle");
    assert!(members.len() >= 2 && members.values().all(|hash| *hash == first));
    said(&home, "simulator/faults change compute/provision/rate=0 -c");
    said(&home, "group rollout resume cattle");
    assert_ne!(fleet::converged(&home, "cattle", 3, SOON), first);
    assert_eq!(rollout::others(&home, "cattle", &first), 3);
}

#[test]
fn a_stranger_that_nobody_was_shown_stops_the_rollout() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    settled(&home, &canary(4, 1), 4);
    commit(&home, &canary(4, 2));
    reaches(&home, "cattle", "AwaitingApproval");
    let tags = json!({"infrakit.group": "cattle", "infrakit.config.hash": "older"});
    home.write(
        "stranger.json",
        &json!({"Tags": tags, "Properties": {}}).to_string(),
    );
    let stranger = said(&home, "file provision stranger.json");
    let paused = reaches(&home, "cattle", "Paused");
    assert!(paused.to_string().contains(stranger.trim()), "{paused}");
    assert!(ids(&home, "cattle").contains(stranger.trim()));
    let followed = home.cli("group rollout status cattle --watch").failed(1);
    assert!(followed.stderr.contains(stranger.trim()), "{followed:?}");
}
