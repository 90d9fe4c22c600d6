//! More than one at a time, and new ones before old ones.

use infrakit_plan::{Action, Cause, Reason, Spec, WaitingOn};
use infrakit_spi::flavor::Health;

use crate::bench::*;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("a{number:03}")).collect()
}

fn rolled(size: usize, updating: &str) -> Bench {
    let names = names(size);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut bench = Bench::healthy(cattle(size as u64), &names);
    bench.commit(v2(size, updating));
    bench
}

fn v2(size: usize, updating: &str) -> Spec {
    spec(
        &format!(r#"{{"Size":{size}}}"#),
        "v2",
        &format!(r#","Updating":{updating}"#),
    )
}

#[test]
fn the_budget_is_used_and_kept() {
    for (updating, most, least) in [
        (r#"{"MaxUnavailable":3}"#, 10, 7),
        (r#"{"MaxUnavailable":"25%"}"#, 10, 8),
        (r#"{"MaxSurge":3}"#, 13, 10),
        (r#"{"MaxSurge":"25%"}"#, 13, 10),
        (r#"{"MaxSurge":2,"MaxUnavailable":2}"#, 12, 10),
        (
            r#"{"MaxSurge":2,"MaxUnavailable":2,"Order":"destroy-first"}"#,
            12,
            8,
        ),
    ] {
        let mut bench = rolled(10, updating);
        let played = bench.play(&[]);
        assert!(played.last().converged, "{updating}: {:?}", played.last());
        assert_eq!(
            (played.most, played.least_healthy),
            (most, least),
            "{updating}"
        );
        assert_eq!(
            (played.gone.len(), played.come.len()),
            (10, 10),
            "{updating}"
        );
        assert!(
            played
                .gone
                .iter()
                .all(|(_, reason)| *reason == Reason::Outdated)
        );
    }
}

#[test]
fn surge_first_waits_for_the_proof_before_an_old_one_goes() {
    let mut bench = rolled(3, r#"{"MaxSurge":1}"#);
    let plan = bench.plan();
    assert_eq!((created(&plan).len(), destroyed(&plan).len()), (1, 0));
    bench.create(&plan, &["x"]);
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty() && created(&plan).is_empty());
    bench.verdict("x", Health::Healthy);
    assert_eq!(destroyed(&bench.plan()), [("a000", Reason::Outdated)]);
    // The old one still counts until it is gone.
    assert!(created(&bench.plan()).is_empty());
    bench.remove("a000");
    assert_eq!(created(&bench.plan()).len(), 1);
}

#[test]
fn where_nothing_can_be_made_what_may_be_unavailable_goes_first() {
    let mut bench = rolled(4, r#"{"MaxSurge":1,"MaxUnavailable":1}"#);
    bench.fail();
    let plan = bench.plan();
    assert!(created(&plan).is_empty());
    assert_eq!(destroyed(&plan), [("a000", Reason::Outdated)]);
}

#[test]
fn a_new_member_that_is_never_healthy_costs_no_old_one() {
    let mut bench = rolled(4, r#"{"MaxSurge":2}"#);
    let new = hash("v2");
    let played = bench.play(&[&new]);
    assert!(played.gone.is_empty(), "{:?}", played.gone);
    assert_eq!((played.most, played.least_healthy), (6, 4));
    let waits = &played.last().waiting;
    assert!(
        waits
            .iter()
            .any(|on| matches!(on, WaitingOn::Health { count: 2, .. }))
    );
}

#[test]
fn what_was_made_beyond_the_size_is_no_surplus_while_the_rollout_is_paused() {
    let mut bench = rolled(3, r#"{"MaxSurge":1}"#);
    let plan = bench.plan();
    bench.create(&plan, &["x"]);
    bench.verdict("x", Health::Healthy);
    let roll = bench.memory.roll.as_mut().unwrap();
    roll.paused = Some(infrakit_plan::Pause {
        by: infrakit_plan::PausedBy::Operator,
        since: at(0),
    });
    assert!(bench.play(&[]).gone.is_empty());
    // When it is aborted, the surplus goes: outdated ones first.
    bench.memory.roll = None;
    bench.memory.aborted = Some(bench.spec.hash.clone());
    let played = bench.play(&[]);
    assert_eq!(played.gone.len(), 1);
    assert_eq!(played.gone[0].1, Reason::Surplus);
    assert_ne!(played.gone[0].0, "x");
}

#[test]
fn a_group_that_shrinks_in_mid_rollout_keeps_its_budget() {
    let mut bench = rolled(10, r#"{"MaxSurge":2,"MaxUnavailable":2}"#);
    let plan = bench.plan();
    bench.create(&plan, &["x", "y"]);
    bench.commit(v2(6, r#"{"MaxSurge":2,"MaxUnavailable":2}"#));
    let played = bench.play(&[]);
    assert!(played.last().converged);
    assert_eq!(bench.list.len(), 6);
    assert!(played.least_healthy >= 4, "{}", played.least_healthy);
}

#[test]
fn the_ceiling_is_never_passed() {
    let spec = |size, note| spec(&format!(r#"{{"Size":{size},"MaxInstances":4}}"#), note, "");
    let mut bench = Bench::new(spec(4, "v1"));
    bench.add(shown("a", "v1"));
    bench.config.max_instances = Some(3);
    let played = bench.play(&[]);
    assert_eq!(bench.list.len(), 3);
    assert!(
        played
            .last()
            .waiting
            .contains(&WaitingOn::Ceiling { most: 3 })
    );
    assert!(!played.last().converged);
}

/// What is gone and cannot be made anew is part of what has to be there.
#[test]
fn while_nothing_can_be_made_no_second_one_goes() {
    let mut bench = rolled(2, r#"{"MaxSurge":1,"MaxUnavailable":1}"#);
    bench.fail();
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [("a000", Reason::Outdated)]);
    bench.remove("a000");
    let plan = bench.plan();
    assert!(created(&plan).is_empty() && destroyed(&plan).is_empty());
    let budget = WaitingOn::Budget {
        available: 1,
        needed: 2,
    };
    assert!(plan.waiting.contains(&budget), "{:?}", plan.waiting);
}

#[test]
fn what_is_wanted_gone_is_replaced_first_where_none_may_be_missing() {
    let mut bench = rolled(2, r#"{"MaxSurge":1}"#);
    for one in &mut bench.list {
        *one = shown(one.id.as_str(), "v2");
    }
    bench.look();
    bench.memory.doomed.insert("a000".into());
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    let budget = WaitingOn::Budget {
        available: 2,
        needed: 3,
    };
    assert!(plan.waiting.contains(&budget), "{:?}", plan.waiting);
    assert_eq!(created(&plan).len(), 1);
    bench.create(&plan, &["x"]);
    assert!(
        destroyed(&bench.plan()).is_empty(),
        "`x` does not serve yet"
    );
    bench.verdict("x", Health::Healthy);
    assert_eq!(destroyed(&bench.plan()), [("a000", Reason::Requested)]);
}

#[test]
fn a_creation_says_whether_a_member_is_missing_or_comes_before_another_goes() {
    let causes = |bench: &Bench| -> Vec<Cause> {
        let plan = bench.preview();
        let causes = plan.actions.iter().filter_map(|action| match action {
            Action::Provision(one) => Some(one.cause),
            _ => None,
        });
        causes.collect()
    };
    let mut bench = rolled(3, r#"{"MaxSurge":1}"#);
    assert_eq!(causes(&bench), [Cause::Surge]);
    bench.remove("a001");
    assert_eq!(causes(&bench), [Cause::Missing, Cause::Surge]);
    bench.memory.roll = None;
    bench.memory.aborted = Some(bench.spec.hash.clone());
    assert_eq!(causes(&bench), [Cause::Missing]);
}

#[test]
fn the_ceiling_counts_who_is_leaving_and_is_said_only_where_it_matters() {
    let ceiling = WaitingOn::Ceiling { most: 3 };
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c"]);
    bench.config.max_instances = Some(3);
    let plan = bench.preview();
    assert!(plan.converged && plan.waiting.is_empty());
    bench.depart("a", Reason::Requested, infrakit_plan::Step::Accepted(at(0)));
    bench.spec = bench.spec.with_size(5);
    let plan = bench.preview();
    assert!(created(&plan).is_empty() && plan.waiting.contains(&ceiling));
    bench.remove("a");
    let plan = bench.preview();
    assert_eq!(created(&plan).len(), 1);
    // Of two ceilings the lower one holds.
    let spec = spec(r#"{"Size":5,"MaxInstances":6}"#, "v1", "");
    bench.spec = spec;
    assert_eq!(created(&bench.preview()).len(), 1);
    bench.config.max_instances = None;
    assert_eq!(created(&bench.preview()).len(), 3);
}

/// Members beyond the size go without being replaced, and no more than there are.
#[test]
fn surplus_of_a_stage_takes_no_more_old_ones_than_it_made() {
    let more = r#"{"MaxSurge":1,"MaxUnavailable":3,"Stages":[{"Until":1,"Approve":true}]}"#;
    let mut bench = rolled(6, more);
    let plan = bench.plan();
    assert_eq!((created(&plan).len(), destroyed(&plan).len()), (1, 0));
    bench.create(&plan, &["x"]);
    bench.verdict("x", Health::Healthy);
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [("a000", Reason::Outdated)]);
    assert_eq!(plan.memory.roll.unwrap().owed, 0, "`x` has its place");
}

#[test]
fn what_is_wanted_gone_and_goes_is_not_replaced_twice() {
    let mut bench = rolled(2, r#"{"MaxSurge":2}"#);
    for one in &mut bench.list {
        *one = shown(one.id.as_str(), "v2");
    }
    bench.look();
    bench.memory.doomed.insert("a000".into());
    bench.depart(
        "a000",
        Reason::Requested,
        infrakit_plan::Step::Accepted(at(0)),
    );
    assert_eq!(created(&bench.preview()).len(), 1);
}

#[test]
fn sick_and_outdated_members_share_the_budget_of_one_plan() {
    let mut bench = rolled(6, r#"{"MaxUnavailable":2}"#);
    bench.sicken("a003");
    let gone = [("a003", Reason::Unhealthy), ("a000", Reason::Outdated)];
    assert_eq!(destroyed(&bench.preview()), gone);
    bench.memory.breaker = None;
    bench.sicken("a004");
    let gone = [("a003", Reason::Unhealthy), ("a004", Reason::Unhealthy)];
    assert_eq!(destroyed(&bench.preview()), gone);
    bench.sicken("a005");
    bench.spec.health.max_unhealthy = Some(infrakit_plan::Share::Count(3));
    assert_eq!(destroyed(&bench.preview()), gone, "the third waits");
}

/// A rollout that holds the size counts on whoever is there beyond it.
#[test]
fn who_is_there_beyond_a_held_size_is_part_of_what_has_to_serve() {
    let mut bench = rolled(5, r#"{"MaxUnavailable":3}"#);
    bench.spec = bench.spec.with_size(7);
    bench.memory.roll.as_mut().unwrap().hold = Some(3);
    for held in ["a001", "a002"] {
        bench.verdict(held, Health::Unhealthy);
        bench.memory.held.insert(held.into());
    }
    let mut coming = bench.clone();
    coming.remove("a000");
    coming.intend(7, None);
    bench.depart(
        "a000",
        Reason::Requested,
        infrakit_plan::Step::Accepted(at(0)),
    );
    for bench in [bench, coming] {
        let plan = bench.preview();
        let budget = WaitingOn::Budget {
            available: 2,
            needed: 3,
        };
        assert!(destroyed(&plan).is_empty());
        assert!(plan.waiting.contains(&budget), "{:?}", plan.waiting);
    }
}

/// What was taken for the operator in the same plan serves no more.
#[test]
fn what_goes_at_the_operators_wish_is_missed_by_the_rollout() {
    let mut bench = rolled(5, r#"{"MaxUnavailable":3}"#);
    for one in &mut bench.list[2..4] {
        *one = shown(one.id.as_str(), "v2");
    }
    bench.look();
    for held in ["a001", "a004"] {
        bench.verdict(held, Health::Unhealthy);
        bench.memory.held.insert(held.into());
    }
    bench.memory.doomed.insert("a002".into());
    assert_eq!(destroyed(&bench.preview()), [("a002", Reason::Requested)]);
    bench.memory.doomed.clear();
    assert_eq!(destroyed(&bench.preview()), [("a000", Reason::Outdated)]);
}

#[test]
fn a_stage_takes_away_no_more_than_it_makes_whichever_comes_first() {
    let more =
        r#"{"MaxSurge":1,"MaxUnavailable":3,"Order":"destroy-first","Stages":[{"Until":1}]}"#;
    let plan = rolled(6, more).preview();
    assert_eq!(created(&plan).len(), 1);
    assert_eq!(destroyed(&plan), [("a000", Reason::Outdated)]);
}

/// One that cannot be made is a replacement under way: who does not serve has to wait, too.
#[test]
fn while_one_is_missing_not_even_an_ailing_one_is_rolled() {
    let mut bench = rolled(5, r#"{"MaxUnavailable":1}"#);
    bench.verdict("a001", Health::Unhealthy);
    assert_eq!(destroyed(&bench.preview()), [("a001", Reason::Outdated)]);
    bench.remove("a000");
    bench.fail();
    let plan = bench.preview();
    assert!(destroyed(&plan).is_empty() && created(&plan).is_empty());
}
