//! Named members whose list of names changes: they make way within the budget.

use std::time::Duration;

use infrakit_plan::{Decided, Reason, Size, WaitingOn};
use infrakit_spi::flavor::Health;

use crate::bench::*;
use crate::play::Played;

/// A group of these names under `more`, all healthy, whose list becomes another.
fn renamed(before: &[&str], after: &[&str], more: &str) -> Bench {
    let named = |ids: &[&str]| spec(&format!(r#"{{"LogicalIDs":{ids:?}}}"#), "v1", more);
    let mut bench = Bench::named(named(before), before);
    bench.commit(named(after));
    bench
}

/// The names that are there.
fn names(bench: &Bench) -> Vec<String> {
    let members = bench.seen.members();
    let mut names: Vec<String> = members
        .filter_map(|one| one.logical_id.as_ref().map(ToString::to_string))
        .collect();
    names.sort();
    names
}

fn arrives(bench: &mut Bench, after: &[&str]) -> Played {
    let played = bench.play(&[]);
    assert!(played.last().converged, "{:?}", played.last().waiting);
    assert_eq!(names(bench), after);
    played
}

#[test]
fn other_names_for_all_never_leave_fewer_than_the_floor() {
    for (more, least) in [
        ("", 2),
        (r#","Updating":{"MaxUnavailable":1}"#, 2),
        (r#","Updating":{"MaxUnavailable":2}"#, 1),
    ] {
        let after = ["d", "e", "f"];
        let mut bench = renamed(&["a", "b", "c"], &after, more);
        let played = arrives(&mut bench, &after);
        assert_eq!(played.least_healthy, least, "{more}");
        assert_eq!((played.most, played.gone.len()), (3, 3), "{more}");
    }
}

#[test]
fn some_names_change_others_stay() {
    let mut bench = renamed(&["a", "b", "c"], &["a", "d", "e"], "");
    let played = arrives(&mut bench, &["a", "d", "e"]);
    assert_eq!(played.least_healthy, 2);
    let gone: Vec<_> = played.gone.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(gone, ["b", "c"]);
}

#[test]
fn a_shorter_list_has_the_floor_of_the_shorter_one() {
    let mut bench = renamed(&["a", "b", "c", "d"], &["a", "b"], "");
    let plan = bench.plan();
    let both = [("c", Reason::Unlisted), ("d", Reason::Unlisted)];
    assert_eq!(destroyed(&plan), both);
    // Shorter and other names at once: it never goes below the shorter list's floor.
    let mut bench = renamed(&["a", "b", "c", "d"], &["e", "f"], "");
    let played = arrives(&mut bench, &["e", "f"]);
    assert!(played.least_healthy >= 1, "{played:?}");
}

#[test]
fn a_list_that_grows_and_shrinks_makes_those_that_fit_first() {
    let after = ["c", "d", "e", "f", "g"];
    let mut bench = renamed(&["a", "b", "c"], &after, "");
    let first = bench.preview();
    assert_eq!(created(&first).len(), 2);
    assert!(destroyed(&first).is_empty());
    let played = arrives(&mut bench, &after);
    assert_eq!((played.least_healthy, played.most), (3, 5));
}

#[test]
fn a_new_name_proves_itself_before_the_next_old_one_goes() {
    let mut bench = renamed(&["a", "b", "c"], &["d", "e", "f"], "");
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unlisted)]);
    assert!(destroyed(&bench.plan()).is_empty());
    bench.remove("a");
    let plan = bench.plan();
    assert_eq!(created(&plan), [(Some("d"), 0)]);
    assert!(destroyed(&plan).is_empty());
    bench.create(&plan, &["d"]);
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    let unproved = WaitingOn::Health {
        id: "d".into(),
        count: 1,
    };
    assert!(plan.waiting.contains(&unproved), "{:?}", plan.waiting);
    bench.verdict("d", Health::Healthy);
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Unlisted)]);
}

#[test]
fn one_that_does_not_serve_makes_way_first() {
    let mut bench = renamed(&["a", "b", "c"], &["d", "e", "f"], "");
    bench.verdict("c", Health::Unhealthy);
    assert_eq!(destroyed(&bench.plan()), [("c", Reason::Unlisted)]);
    // Two of three serve, and two have to: the sick one, which is to stay by its name, comes first.
    let mut bench = renamed(&["a", "b", "c"], &["c", "d", "e"], "");
    bench.sicken("c");
    assert_eq!(destroyed(&bench.plan()), [("c", Reason::Unhealthy)]);
}

#[test]
fn other_names_on_another_plugin_keep_the_floor_too() {
    let mut bench = renamed(&["a", "b", "c"], &["a", "d", "e"], "");
    let mut moved = bench.spec.clone();
    moved.instance.plugin = "other".into();
    let moved = infrakit_plan::Spec {
        hash: spec(r#"{"LogicalIDs":["a"]}"#, "v2", "").hash,
        ..moved
    };
    bench.commit(moved);
    bench.seen.watch(&"other".into());
    bench.homes.insert("none".into(), "other".into());
    bench.look();
    let played = arrives(&mut bench, &["a", "d", "e"]);
    assert!(played.least_healthy >= 2, "{played:?}");
    assert_eq!(played.gone.len(), 3);
}

#[test]
fn after_a_restart_nobody_goes_before_it_is_known_who_serves() {
    let mut bench = renamed(&["a", "b", "c"], &["d", "e", "f"], "");
    bench.seen = infrakit_plan::Observed::default();
    bench.look();
    assert!(destroyed(&bench.preview()).is_empty());
    let played = arrives(&mut bench, &["d", "e", "f"]);
    assert_eq!(played.gone.len(), 3);
}

#[test]
fn names_become_a_size_and_back_without_losing_anybody() {
    let mut bench = renamed(&["a", "b", "c"], &["a", "b", "c"], "");
    bench.spec.size = Size::Cattle(3);
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty() && created(&plan).is_empty());
    let mut bench = Bench::healthy(pets(&["a", "b", "c"]), &["1", "2", "3", "4"]);
    bench.memory.naming = true;
    let played = arrives(&mut bench, &["a", "b", "c"]);
    assert_eq!((played.gone.len(), played.come.len()), (1, 0));
}

#[test]
fn what_a_former_life_decided_draws_from_the_budget_anew() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c", "d"]);
    let decided = Decided {
        plugin: "file".into(),
        reason: Reason::Surplus,
        begun: at(0),
        since: at(0),
    };
    bench
        .memory
        .decided
        .insert((decided.plugin.clone(), "a".into()), decided);
    // Meanwhile two others fell ill: two have to serve, and only two do.
    bench.verdict("b", Health::Unhealthy);
    bench.verdict("c", Health::Unhealthy);
    let plan = bench.plan();
    let gone = destroyed(&plan);
    assert!(gone.iter().all(|(id, _)| *id != "a"), "{gone:?}");
    // It is let be once a list shows that the call of the former life came to nothing.
    bench.pass(Duration::from_secs(900));
    bench.look();
    bench.plan();
    assert!(bench.memory.decided.is_empty());
}

#[test]
fn a_member_that_nobody_asked_yet_is_not_taken_for_one_that_does_nothing() {
    let token = infrakit_spi::tags::TOKEN;
    let mut bench = Bench::new(cattle(2));
    for (id, number) in [("a", "n-1"), ("b", "n-2"), ("c", "n-3")] {
        bench.add(and(shown(id, "v1"), token, number));
    }
    // The sick one is to go, and nobody knows yet that it is `a`.
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    assert!(
        plan.wake_at
            .is_some_and(|at| at <= bench.now + bench.config.poll_interval)
    );
    bench.verdict("a", Health::Unhealthy);
    bench.verdict("b", Health::Healthy);
    bench.verdict("c", Health::Healthy);
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Surplus)]);
}

#[test]
fn what_an_operator_names_waits_for_the_budget_unless_it_is_urgent() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c", "d"]);
    bench.verdict("b", Health::Unhealthy);
    bench.verdict("c", Health::Unhealthy);
    bench.memory.doomed.insert("a".into());
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty(), "nor does another one");
    let mut bench = Bench::healthy(cattle(2), &["a", "b", "c"]);
    bench.verdict("b", Health::Unhealthy);
    bench.verdict("c", Health::Unhealthy);
    bench.spec = cattle(2);
    bench.memory.doomed.insert("a".into());
    bench.memory.urgent.insert("a".into());
    let plan = bench.plan();
    assert!(
        destroyed(&plan).contains(&("a", Reason::Requested)),
        "{plan:?}"
    );
}

/// What may go must not depend on whether a step of this plan has tried to make somebody in vain.
#[test]
fn planning_again_at_the_same_moment_takes_nobody_more() {
    let more = r#","Updating":{"MaxSurge":1,"MaxUnavailable":1}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":2}"#, "v2", more), &["x", "y", "z", "own"]);
    let own = and(shown("own", "v1"), infrakit_spi::tags::LOGICAL_ID, "own");
    bench.remove("own");
    bench.add(own);
    bench.config.self_logical_id = Some("own".into());
    bench.fail();
    bench.plan();
    assert!(destroyed(&bench.plan()).is_empty());
}

/// It has no name until it is gone, or may have one after all.
#[test]
fn naming_lasts_as_long_as_one_may_go_that_a_former_life_let_go() {
    let mut bench = Bench::named(pets(&["a", "b"]), &["a"]);
    bench.add(shown("x", "v1"));
    bench.verdict("x", Health::Healthy);
    bench.memory.naming = true;
    let decided = Decided {
        plugin: "file".into(),
        reason: Reason::Unlisted,
        begun: at(0),
        since: at(0),
    };
    bench
        .memory
        .decided
        .insert((decided.plugin.clone(), "x".into()), decided);
    let plan = bench.plan();
    assert!(plan.memory.naming, "{:?}", plan.waiting);
    assert_eq!((created(&plan), destroyed(&plan)), (vec![], vec![]));
    // The call of the former life came to nothing.
    bench.pass(Duration::from_secs(900));
    bench.look();
    let played = arrives(&mut bench, &["a", "b"]);
    assert_eq!((played.gone.len(), played.come.len()), (0, 0));
}
