//! The governor, failures by class, and what a restart must not forget.

use std::time::Duration;

use infrakit_plan::{
    Allowance, CallKind, Decided, Phase, Quota, Reason, Room, Step, Told, WaitingOn,
};
use infrakit_spi::FailureClass;

use crate::bench::*;

/// So many calls now, and the next one after half a minute.
fn quota(left: usize) -> Quota {
    Quota {
        left: Some(left),
        next: at(30),
        ..Quota::default()
    }
}

#[test]
fn the_governor_lets_through_what_it_allows() {
    let mut bench = Bench::new(cattle(5));
    let room = Room {
        creates: quota(2),
        ..Room::default()
    };
    bench.config.allowance = Allowance::from([("file".into(), room)]);
    let plan = bench.plan();
    assert_eq!(created(&plan).len(), 2);
    assert!(plan.waiting.contains(&WaitingOn::Governor {
        plugin: "file".into(),
        kind: CallKind::Create,
        until: at(30)
    }));
    assert_eq!(plan.wake_at, Some(at(30)));
    let mut bench = Bench::healthy(cattle(0), &["a", "b", "c"]);
    let room = Room {
        destroys: quota(1),
        ..Room::default()
    };
    bench.config.allowance = Allowance::from([("file".into(), room)]);
    let plan = bench.plan();
    assert_eq!(destroyed(&plan).len(), 1);
    assert!(plan.waiting.contains(&WaitingOn::Governor {
        plugin: "file".into(),
        kind: CallKind::Destroy,
        until: at(30)
    }));
}

/// What there is no slot for is not begun, whatever it is, and nothing is noted of it.
#[test]
fn no_more_is_begun_than_there_are_slots_for() {
    let slots = |calls| {
        let room = Room {
            calls: Some(calls),
            ..Room::default()
        };
        Allowance::from([("file".into(), room)])
    };
    let full = WaitingOn::Slots {
        plugin: "file".into(),
        kind: None,
    };
    let mut bench = Bench::new(cattle(1_000_000));
    bench.config.allowance = slots(3);
    let plan = bench.plan();
    assert_eq!(created(&plan).len(), 3);
    assert_eq!(plan.memory.intents.len(), 3);
    assert!(plan.waiting.contains(&full));
    assert_eq!(plan.wake_at, None, "the end of a call wakes");
    let mut bench = Bench::healthy(cattle(0), &["a", "b", "c"]);
    bench.config.allowance = slots(1);
    let plan = bench.plan();
    assert_eq!(destroyed(&plan).len(), 1);
    assert!(plan.waiting.contains(&full));
}

/// One creation at a time may take very long.
#[test]
fn creations_at_their_own_limit_keep_no_destruction_waiting() {
    let more = r#","Updating":{"MaxUnavailable":2}"#;
    let pets = spec(r#"{"LogicalIDs":["a","b","d"]}"#, "v1", more);
    let mut bench = Bench::named(pets, &["a", "c"]);
    let room = Room {
        creates: Quota {
            slots: Some(0),
            ..Quota::default()
        },
        ..Room::default()
    };
    bench.config.allowance = Allowance::from([("file".into(), room)]);
    let plan = bench.preview();
    assert_eq!(created(&plan).len(), 0);
    assert_eq!(destroyed(&plan), [("c", Reason::Unlisted)]);
    let full = plan.waiting.iter().map(ToString::to_string);
    let full: Vec<String> = full.filter(|on| on.contains("as may be")).collect();
    assert_eq!(
        full,
        ["as many creations of `file` are under way as may be at once"]
    );
}

#[test]
fn a_configuration_error_is_not_tried_again_and_quota_is() {
    for (class, again) in [
        (FailureClass::Configuration, 0),
        (FailureClass::Quota, 1),
        (FailureClass::Unavailable, 1),
        (FailureClass::Other, 1),
    ] {
        let mut bench = Bench::new(cattle(1));
        bench.fail_as(class, Told::Declared, "no");
        assert_eq!(created(&bench.preview()).len(), 0, "{class:?}");
        bench.pass(Duration::from_secs(86_400));
        bench.look();
        let plan = bench.plan();
        assert_eq!(created(&plan).len(), again, "{class:?}");
        let stopped = plan.waiting.contains(&WaitingOn::Configuration);
        assert_eq!(stopped, again == 0, "{class:?}");
    }
}

/// The words are those of a configuration error, and also of a registry that is being restarted.
#[test]
fn words_alone_stop_nothing() {
    let mut bench = Bench::new(cattle(1));
    bench.fail_as(FailureClass::Configuration, Told::Guessed, "does not exist");
    let plan = bench.preview();
    assert_eq!(created(&plan).len(), 0);
    let until = plan.wake_at.expect("it is tried again");
    assert!(until <= at(1));
    bench.now = until;
    assert_eq!(created(&bench.preview()).len(), 1);
}

/// What fails is the configuration that is rolled out, not the one that the others are kept at.
#[test]
fn a_configuration_that_fails_does_not_hold_up_the_former_one() {
    let spec = |note| {
        spec(
            r#"{"Size":4}"#,
            note,
            r#","Updating":{"Stages":[{"Until":1}]}"#,
        )
    };
    let mut bench = Bench::healthy(spec("v1"), &["a", "b", "c"]);
    bench.commit(spec("v2"));
    bench.add(shown("x", "v2"));
    bench.fail_as(FailureClass::Quota, Told::Declared, "no");
    bench.remove("c");
    let plan = bench.preview();
    assert_eq!(created(&plan).len(), 1, "{:?}", plan.waiting);
}

#[test]
fn what_a_former_life_decided_is_carried_out_and_nothing_else() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b", "c"]);
    let decided = Decided {
        plugin: "file".into(),
        reason: Reason::Surplus,
        begun: long_ago(),
        since: long_ago(),
    };
    bench
        .memory
        .decided
        .insert((decided.plugin.clone(), "b".into()), decided.clone());
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Surplus)]);
    bench.remove("b");
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty() && plan.memory.decided.is_empty());
    // One that is gone already needs nothing.
    bench
        .memory
        .decided
        .insert((decided.plugin.clone(), "gone".into()), decided);
    assert!(bench.plan().memory.decided.is_empty());
}

/// The spec went back in the meantime: whoever matches it is not destroyed after all.
#[test]
fn what_has_no_reason_any_more_is_not_done_again() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c"]);
    let decided = Decided {
        plugin: "file".into(),
        reason: Reason::Outdated,
        begun: at(0),
        since: at(0),
    };
    bench
        .memory
        .decided
        .insert((decided.plugin.clone(), "b".into()), decided);
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty() && created(&plan).is_empty());
    assert!(
        !plan.converged,
        "the call of the former life may still come to pass"
    );
    bench.pass(Duration::from_secs(900));
    bench.look();
    bench.all_are_well();
    let plan = bench.plan();
    assert!(plan.converged && plan.memory.decided.is_empty());
}

/// Lets a group have members on two plugins, the first of which takes no calls now.
fn on_two_plugins(size: u64) -> Bench {
    let mut bench = Bench::new(cattle(size));
    for (id, home) in [("a", "file"), ("b", "file"), ("c", "other"), ("d", "other")] {
        bench.homes.insert(id.into(), home.into());
        bench.add(shown(id, "v1"));
        bench.verdict(id, infrakit_spi::flavor::Health::Healthy);
    }
    bench.memory.homes.insert("other".into());
    let full = Room {
        calls: Some(0),
        ..Room::default()
    };
    bench.config.allowance = Allowance::from([("file".into(), full)]);
    bench
}

#[test]
fn a_plugin_that_hangs_keeps_no_other_from_being_emptied() {
    let mut bench = on_two_plugins(4);
    bench.memory.phase = Phase::Destroying;
    let plan = bench.plan();
    let gone: Vec<&str> = destroyed(&plan).into_iter().map(|(id, _)| id).collect();
    assert_eq!(gone, ["c", "d"]);
}

#[test]
fn a_plugin_that_hangs_keeps_no_other_from_losing_its_surplus() {
    let mut bench = on_two_plugins(0);
    let plan = bench.plan();
    let gone: Vec<&str> = destroyed(&plan).into_iter().map(|(id, _)| id).collect();
    assert_eq!(gone, ["c", "d"]);
}

#[test]
fn nobody_goes_in_the_place_of_one_whose_plugin_hangs() {
    let mut bench = on_two_plugins(2);
    assert_eq!(destroyed(&bench.preview()), []);
    bench.config.allowance = Allowance::default();
    let plan = bench.plan();
    let gone: Vec<&str> = destroyed(&plan).into_iter().map(|(id, _)| id).collect();
    assert_eq!(gone, ["a", "b"]);
}

#[test]
fn a_plugin_that_hangs_keeps_no_other_from_being_healed() {
    let mut bench = on_two_plugins(4);
    bench.spec = spec(
        r#"{"Size":4}"#,
        "v1",
        r#","Updating":{"MaxUnavailable":2},"Health":{"MaxUnhealthy":2}"#,
    );
    for id in ["a", "c"] {
        bench.sicken(id);
    }
    assert_eq!(destroyed(&bench.plan()), [("c", Reason::Unhealthy)]);
}

#[test]
fn a_plugin_that_hangs_keeps_no_other_from_being_rolled() {
    let mut bench = on_two_plugins(4);
    bench.commit(spec(r#"{"Size":4}"#, "v2", ""));
    bench.memory.homes.insert("other".into());
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [("c", Reason::Outdated)]);
}

/// Those that come after it would leave it nothing for as long as the limit lasts.
#[test]
fn who_is_tried_again_draws_before_those_that_come_after_it() {
    let mut bench = Bench::healthy(cattle(1), &["a", "b", "c", "d"]);
    bench.depart("a", Reason::Surplus, Step::Failed(1, at(4)));
    let destroys = Quota {
        left: Some(1),
        next: at(60),
        ..Quota::default()
    };
    let room = Room {
        destroys,
        ..Room::default()
    };
    let plugin = bench.spec.instance.plugin.clone();
    bench.config.allowance = Allowance::from([(plugin, room)]);
    bench.now = at(3);
    assert_eq!(
        destroyed(&bench.preview()).len(),
        1,
        "its turn is still to come"
    );
    bench.now = at(4);
    assert_eq!(destroyed(&bench.preview()), [("a", Reason::Surplus)]);
}
