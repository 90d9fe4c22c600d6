//! Rolling updates: one after the other, each proved before the next.

use std::time::Duration;

use infrakit_plan::{Action, ConditionKind, Phase, Plan, Reason, Roll, Spec, WaitingOn};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Lifecycle;
use infrakit_spi::tags;

use crate::bench::*;

fn v2(size: u64, more: &str) -> Spec {
    spec(&format!(r#"{{"Size":{size}}}"#), "v2", more)
}

/// Replaces the first outdated member by `id` and returns to the moment when it waits for proof.
fn replace_one(bench: &mut Bench, gone: &str, id: &str) {
    assert_eq!(destroyed(&bench.plan()), [(gone, Reason::Outdated)]);
    assert!(destroyed(&bench.plan()).is_empty() && created(&bench.plan()).is_empty());
    bench.remove(gone);
    let plan = bench.plan();
    assert_eq!((created(&plan).len(), destroyed(&plan).len()), (1, 0));
    bench.create(&plan, &[id]);
    bench.look();
    let plan = bench.plan();
    assert_eq!((destroyed(&plan).len(), plan.converged), (0, false));
    let want = WaitingOn::Health {
        id: id.into(),
        count: 1,
    };
    assert!(plan.waiting.contains(&want), "{:?}", plan.waiting);
}

#[test]
fn one_at_a_time_and_each_new_one_proves_itself() {
    let mut bench = Bench::healthy(v2(3, ""), &["a", "b", "c"]);
    for (gone, id) in [("a", "x"), ("b", "y"), ("c", "z")] {
        replace_one(&mut bench, gone, id);
        bench.verdict(id, Health::Unknown);
        assert!(destroyed(&bench.preview()).is_empty());
        bench.verdict(id, Health::Healthy);
    }
    let plan = bench.plan();
    assert!(plan.converged && plan.memory.roll.is_none());
}

/// A flavor that looks at nothing says at once that all is well.
#[test]
fn who_does_not_run_yet_has_proved_nothing() {
    let mut bench = Bench::healthy(v2(3, ""), &["a", "b", "c"]);
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
    bench.remove("a");
    let plan = bench.plan();
    bench.create(&plan, &["x"]);
    // No list has shown it yet.
    bench.verdict("x", Health::Healthy);
    let state = |bench: &mut Bench, state: Lifecycle| {
        let mut all = bench.list.iter_mut();
        all.find(|one| one.id.as_str() == "x").unwrap().state = state;
        bench.look();
    };
    state(&mut bench, Lifecycle::Pending);
    let waits = |plan: &Plan| {
        assert!(destroyed(plan).is_empty() && !plan.converged);
        let on = |on: &WaitingOn| matches!(on, WaitingOn::Health { count: 1, .. });
        assert!(plan.waiting.iter().any(on), "{:?}", plan.waiting);
    };
    waits(&bench.plan());
    // Once it runs it is asked, and what was said before counts for nothing.
    state(&mut bench, Lifecycle::Running);
    waits(&bench.preview());
    bench.verdict("x", Health::Healthy);
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Outdated)]);
}

/// There is no rollout: they came in the place of others.
#[test]
fn a_group_whose_members_do_not_run_yet_is_not_as_specified() {
    let mut bench = Bench::new(v2(2, ""));
    for id in ["a", "b"] {
        let mut one = shown(id, "v2");
        one.state = Lifecycle::Pending;
        bench.add(one);
    }
    let plan = bench.plan();
    let want = WaitingOn::Health {
        id: "a".into(),
        count: 2,
    };
    assert_eq!((plan.waiting, plan.converged), (vec![want], false));
    bench.pass(Duration::from_secs(20 * 60));
    let plan = bench.plan();
    let degraded = plan.memory.conditions.get(ConditionKind::Degraded).unwrap();
    assert_eq!(
        (degraded.holds, degraded.reason.as_str()),
        (true, "NewMembersNotReady")
    );
}

#[test]
fn count_asks_for_so_many_verdicts_in_a_row() {
    let mut bench = Bench::healthy(v2(2, r#","Updating":{"Count":3}"#), &["a", "b"]);
    replace_one(&mut bench, "a", "x");
    for verdict in [
        Health::Healthy,
        Health::Healthy,
        Health::Unknown,
        Health::Healthy,
        Health::Healthy,
    ] {
        bench.verdict("x", verdict);
        assert!(destroyed(&bench.preview()).is_empty());
    }
    bench.verdict("x", Health::Healthy);
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Outdated)]);
}

#[test]
fn duration_asks_for_verdicts_over_that_time() {
    let mut bench = Bench::healthy(v2(2, r#","Updating":{"Duration":"25s"}"#), &["a", "b"]);
    replace_one(&mut bench, "a", "x");
    bench.verdict("x", Health::Healthy);
    assert_eq!(bench.plan().wake_at, Some(at(10)));
    bench.now = at(30);
    // Time went by, but nobody looked: that proves nothing.
    let plan = bench.preview();
    assert_eq!(
        (destroyed(&plan).len(), checked(&plan).contains(&"x")),
        (0, true)
    );
    bench.now = at(24);
    bench.verdict("x", Health::Healthy);
    assert_eq!(
        (destroyed(&bench.preview()).len(), bench.preview().wake_at),
        (0, Some(at(25)))
    );
    bench.now = at(25);
    bench.verdict("x", Health::Healthy);
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Outdated)]);
}

#[test]
fn the_health_of_outdated_members_is_ignored() {
    for health in [Health::Unknown, Health::Unhealthy] {
        let mut bench = Bench::new(v2(3, ""));
        for id in ["a", "b", "c"] {
            bench.add(shown(id, "v1"));
            bench.verdict(id, health);
        }
        assert_eq!(
            destroyed(&bench.plan()),
            [("a", Reason::Outdated)],
            "{health:?}"
        );
    }
}

/// A commit that follows another at once finds members that are still coming up. Counted on, they
/// would let go those that serve.
#[test]
fn who_never_came_up_is_not_counted_on_whatever_it_was_made_from() {
    let mut bench = Bench::healthy(v2(3, ""), &["a", "b"]);
    bench.add(shown("c", "v1"));
    bench.verdict("c", Health::Unknown);
    assert_eq!(destroyed(&bench.plan()), [("c", Reason::Outdated)]);
    let mut bench = Bench::healthy(v2(3, ""), &["b", "c"]);
    bench.add(shown("a", "v1"));
    bench.verdict("b", Health::Unhealthy);
    bench.verdict("a", Health::Unknown);
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Outdated)]);
    bench.remove("b");
    let plan = bench.plan();
    bench.create(&plan, &["x"]);
    bench.verdict("x", Health::Healthy);
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
}

#[test]
fn of_whom_nobody_has_heard_is_neither_counted_on_nor_let_go() {
    let mut bench = Bench::healthy(v2(3, ""), &["a"]);
    bench.add(shown("b", "v1"));
    bench.add(shown("c", "v1"));
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    let want = WaitingOn::Budget {
        available: 1,
        needed: 2,
    };
    assert!(plan.waiting.contains(&want), "{:?}", plan.waiting);
    // A check that is not answered is no verdict.
    let now = bench.now;
    bench.member("b").health.note_silence(now);
    assert!(destroyed(&bench.plan()).is_empty());
    bench.verdict("c", Health::Healthy);
    assert_eq!(destroyed(&bench.preview()), [("b", Reason::Outdated)]);
    // Who says nothing for as long as members have to come up keeps nobody waiting.
    let mut bench = Bench::new(v2(3, ""));
    for id in ["a", "b", "c"] {
        bench.add(shown(id, "v1"));
    }
    bench.now = at(300);
    assert!(destroyed(&bench.preview()).is_empty(), "nobody has asked");
    bench.member("a").health.note_silence(at(298));
    bench.now = at(299);
    assert!(destroyed(&bench.preview()).is_empty());
    bench.now = at(300);
    assert_eq!(destroyed(&bench.preview()), [("a", Reason::Outdated)]);
}

#[test]
fn unhealthy_outdated_members_go_first() {
    let mut bench = Bench::healthy(v2(5, ""), &["a", "b", "c", "d", "e"]);
    bench.verdict("b", Health::Unhealthy);
    assert_eq!(destroyed(&bench.preview()), [("b", Reason::Outdated)]);
    bench.sicken("c");
    assert_eq!(destroyed(&bench.plan()), [("c", Reason::Unhealthy)]);
}

#[test]
fn a_member_without_hash_is_outdated() {
    let mut bench = Bench::new(cattle(1));
    bench.add(tagged("a", &[]));
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
}

#[test]
fn members_of_the_new_configuration_have_to_be_proved_first() {
    let mut bench = Bench::healthy(v2(2, ""), &["a"]);
    bench.add(shown("x", "v2"));
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    assert_eq!(checked(&plan), ["x"]);
    bench.verdict("x", Health::Healthy);
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
}

#[test]
fn a_group_grows_only_after_its_roll() {
    let mut bench = Bench::healthy(v2(5, ""), &["a", "b"]);
    bench.memory.roll = Some(Roll {
        hold: Some(2),
        ..Roll::default()
    });
    replace_one(&mut bench, "a", "x");
    bench.verdict("x", Health::Healthy);
    replace_one(&mut bench, "b", "y");
    bench.verdict("y", Health::Healthy);
    let plan = bench.plan();
    assert_eq!((created(&plan).len(), &plan.memory.roll), (3, &None));
}

/// Found by the properties: the roll counted as over as soon as its last destruction was decided.
#[test]
fn a_roll_lasts_until_its_last_outdated_member_is_gone() {
    let mut bench = Bench::healthy(v2(4, ""), &["a"]);
    bench.add(shown("x", "v2"));
    bench.verdict("x", Health::Healthy);
    bench.memory.roll = Some(Roll {
        hold: Some(1),
        ..Roll::default()
    });
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
    let plan = bench.plan();
    assert_eq!((created(&plan).len(), plan.converged), (0, false));
    bench.remove("a");
    let plan = bench.plan();
    assert_eq!(created(&plan).len(), 1, "its place is filled first");
    bench.create(&plan, &["y"]);
    bench.verdict("y", Health::Healthy);
    assert_eq!(created(&bench.plan()).len(), 2);
}

#[test]
fn a_hold_that_is_left_over_holds_nothing_up() {
    for (hold, members) in [(0, &[][..]), (1, &["a"][..]), (9, &["a"][..])] {
        let mut bench = Bench::healthy(cattle(3), members);
        bench.memory.roll = Some(Roll {
            hold: Some(hold),
            ..Roll::default()
        });
        let plan = bench.plan();
        assert_eq!(created(&plan).len(), 3 - members.len(), "hold {hold}");
    }
}

#[test]
fn a_group_that_lost_members_in_its_roll_gets_them_back_first() {
    let mut bench = Bench::healthy(v2(5, ""), &["a", "b"]);
    bench.memory.roll = Some(Roll {
        hold: Some(3),
        ..Roll::default()
    });
    let plan = bench.plan();
    assert_eq!((created(&plan).len(), destroyed(&plan).len()), (1, 0));
}

#[test]
fn a_group_shrinks_before_its_roll() {
    let mut bench = Bench::healthy(v2(2, ""), &["a", "b", "c"]);
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Surplus)]);
    assert!(destroyed(&bench.plan()).is_empty());
    bench.remove("a");
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Outdated)]);
}

#[test]
fn the_controllers_own_member_is_never_rolled() {
    let mut bench = Bench::named(v2(2, ""), &["a", "b"]);
    bench.config.self_logical_id = Some("a".into());
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Outdated)]);
    bench.remove("b");
    let plan = bench.plan();
    bench.create(&plan, &["x"]);
    bench.verdict("x", Health::Healthy);
    // It is drained once, and left at that.
    let drain = bench.plan();
    let own = |action: &Action| matches!(action, Action::Drain { id, .. } if id.as_str() == "a");
    assert_eq!(drain.actions.iter().filter(|one| own(one)).count(), 1);
    let plan = bench.plan();
    assert!(!plan.actions.iter().any(own));
    assert!(destroyed(&plan).is_empty() && plan.converged);
    assert_eq!(plan.waiting, [WaitingOn::SelfMember { id: "a".into() }]);
}

#[test]
fn a_sick_member_of_the_new_configuration_stops_the_roll_and_is_replaced() {
    let mut bench = Bench::healthy(v2(3, ""), &["a", "b", "c"]);
    replace_one(&mut bench, "a", "x");
    bench.verdicts("x", 15, Health::Unhealthy);
    // It never was healthy and is within its grace period.
    assert!(destroyed(&bench.preview()).is_empty());
    bench.pass(Duration::from_secs(300));
    bench.verdict("x", Health::Unhealthy);
    assert_eq!(destroyed(&bench.plan()), [("x", Reason::Unhealthy)]);
    assert!(destroyed(&bench.plan()).is_empty());
}

#[test]
fn a_restart_in_the_middle_resumes_the_roll() {
    let mut bench = Bench::healthy(v2(3, ""), &["a", "b", "c"]);
    replace_one(&mut bench, "a", "x");
    bench.seen = infrakit_plan::Observed::default();
    bench.look();
    let plan = bench.plan();
    let all = vec!["b", "c", "x"];
    assert_eq!((destroyed(&plan).len(), checked(&plan)), (0, all));
    bench.verdict("x", Health::Healthy);
    assert!(destroyed(&bench.plan()).is_empty(), "two have to serve");
    bench.verdict("b", Health::Healthy);
    // Of `c` nobody has heard: less is lost with it.
    assert_eq!(destroyed(&bench.plan()), [("c", Reason::Outdated)]);
}

#[test]
fn going_back_ends_the_roll_without_touching_what_was_not_rolled() {
    let mut bench = Bench::healthy(v2(2, ""), &["a", "b"]);
    replace_one(&mut bench, "a", "x");
    bench.spec = cattle(2);
    assert_eq!(destroyed(&bench.plan()), [("x", Reason::Outdated)]);
    bench.remove("x");
    let plan = bench.plan();
    bench.create(&plan, &["a2"]);
    bench.verdict("a2", Health::Healthy);
    assert!(bench.plan().converged);
}

#[test]
fn no_roll_outlives_the_group() {
    let mut bench = Bench::new(v2(2, ""));
    bench.memory.roll = Some(Roll::default());
    bench.memory.phase = Phase::Destroying;
    let plan = bench.plan();
    assert!(plan.converged && plan.memory.roll.is_none());
}

#[test]
fn two_replacements_never_overlap_whatever_else_leaves() {
    let mut bench = Bench::healthy(v2(3, ""), &["a", "b", "c"]);
    bench.memory.doomed.insert("c".into());
    assert_eq!(destroyed(&bench.plan()), [("c", Reason::Requested)]);
    bench.remove("c");
    let plan = bench.plan();
    assert_eq!((created(&plan).len(), destroyed(&plan).len()), (1, 0));
    assert_eq!(plan.memory.intents.len(), 1);
    bench.add(and(shown("x", "v2"), tags::TOKEN, "n-100"));
    assert!(destroyed(&bench.plan()).is_empty());
}

/// Those that were made for a change which was never seen to work are no better than those that were there before
/// it, of whom a former record of the group may have heard.
#[test]
fn of_those_that_nobody_has_heard_of_the_ones_that_the_last_change_made_go_first() {
    let mut bench = Bench::new(spec(
        r#"{"Size":4}"#,
        "v3",
        r#","Updating":{"MaxUnavailable":2}"#,
    ));
    for id in ["a", "b"] {
        bench.add(and(shown(id, "v1"), tags::TOKEN, "other-3"));
    }
    for (number, id) in ["x", "y"].into_iter().enumerate() {
        let token = format!("{NONCE}-{number}");
        bench.add(and(shown(id, "v2"), tags::TOKEN, &token));
    }
    bench.pass(Duration::from_secs(1));
    let now = bench.now;
    for id in ["a", "b", "x", "y"] {
        bench.member(id).health.note_silence(now);
    }
    bench.pass(Duration::from_secs(600));
    bench.look();
    let gone = [("x", Reason::Outdated), ("y", Reason::Outdated)];
    assert_eq!(destroyed(&bench.plan()), gone);
}
