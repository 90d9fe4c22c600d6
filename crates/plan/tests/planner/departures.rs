//! Destructions: under way, accepted, failed, tried again.

use std::time::Duration;

use infrakit_plan::{Action, Decided, Drain, Pause, PausedBy, Phase, Reason, Step, WaitingOn};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Lifecycle;

use crate::bench::*;

#[test]
fn what_is_under_way_is_not_begun_again() {
    let mut bench = Bench::healthy(cattle(1), &["a", "b"]);
    assert_eq!(destroyed(&bench.plan()).len(), 1);
    let plan = bench.plan();
    assert!(plan.actions.is_empty());
    assert_eq!(plan.waiting, [WaitingOn::Departures { count: 1 }]);
}

#[test]
fn what_was_accepted_and_stays_listed_is_asked_again_much_later() {
    let mut bench = Bench::healthy(cattle(1), &["a", "b"]);
    bench.depart("b", Reason::Surplus, Step::Accepted(at(0)));
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    bench.now = at(59);
    bench.look();
    assert!(destroyed(&bench.preview()).is_empty());
    bench.now = at(60);
    // It may have gone since, and its id be that of another one.
    assert!(destroyed(&bench.preview()).is_empty());
    bench.look();
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Surplus)]);
    assert!(destroyed(&bench.plan()).is_empty());
}

#[test]
fn what_failed_is_tried_again_when_its_time_comes() {
    let mut bench = Bench::healthy(cattle(1), &["a", "b"]);
    bench.depart("b", Reason::Surplus, Step::Failed(2, at(4)));
    let plan = bench.plan();
    assert_eq!((destroyed(&plan).len(), plan.wake_at), (0, Some(at(4))));
    assert_eq!(plan.waiting, [WaitingOn::Departures { count: 1 }]);
    bench.now = at(4);
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Surplus)]);
}

#[test]
fn drains_are_insisted_on_by_rolls_alone() {
    let drain = |bench: &mut Bench| match bench.plan().actions[..] {
        [Action::Destroy { drain, .. }, ..] => drain,
        ref other => panic!("{other:?}"),
    };
    let mut surplus = Bench::healthy(cattle(0), &["a"]);
    assert_eq!(drain(&mut surplus), Drain::Try);
    let v2 = |more| spec(r#"{"Size":1}"#, "v2", more);
    let mut rolled = Bench::healthy(v2(""), &["a"]);
    assert_eq!(drain(&mut rolled), Drain::Insist);
    let mut skipped = Bench::healthy(
        v2(r#","Updating":{"SkipBeforeInstanceDestroy":"drain"}"#),
        &["a"],
    );
    assert_eq!(drain(&mut skipped), Drain::Skip);
    let mut sick = Bench::healthy(v2(""), &["a"]);
    sick.sicken("a");
    assert_eq!(drain(&mut sick), Drain::Try);
}

/// A dead member cannot be drained; a roll that insisted on it would never end.
#[test]
fn a_member_that_sickens_while_its_drain_fails_goes_undrained() {
    let mut bench = Bench::healthy(spec(r#"{"Size":2}"#, "v2", ""), &["a", "b"]);
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
    bench.depart("a", Reason::Outdated, Step::Failed(1, at(2)));
    bench.now = at(15);
    assert!(checked(&bench.preview()).contains(&"a"));
    for _ in 0..3 {
        bench.verdict("a", Health::Unhealthy);
    }
    let plan = bench.plan();
    assert!(matches!(plan.actions[0], Action::Destroy { .. }));
    assert_eq!(destroyed(&plan), [("a", Reason::Unhealthy)]);
    assert_eq!(drains(&plan), [Drain::Try]);
}

/// Three bad verdicts are none too many for one that goes anyway, and too few for one that need not.
#[test]
fn who_is_outdated_no_longer_goes_only_when_that_it_is_sick_is_believed() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c"]);
    lost(&mut bench, "a");
    bench.pass(Duration::from_secs(11));
    bench.look();
    bench.verdicts("a", 3, Health::Unhealthy);
    assert!(destroyed(&bench.preview()).is_empty());
    bench.confirm("a");
    assert_eq!(destroyed(&bench.preview()), [("a", Reason::Unhealthy)]);
}

#[test]
fn an_operators_wish_is_not_held_up_by_a_drain() {
    let mut bench = Bench::healthy(spec(r#"{"Size":2}"#, "v2", ""), &["a", "b"]);
    bench.depart("a", Reason::Outdated, Step::Failed(1, at(0)));
    bench.memory.doomed.insert("a".into());
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Requested)]);
}

/// Its answer may have been lost and the call taken: for as long as that may show, it is not counted
/// on.
fn lost(bench: &mut Bench, id: &str) {
    let now = bench.now;
    bench.depart(id, Reason::Outdated, Step::Failed(1, now));
    if let Some(departure) = &mut bench.member(id).departure {
        departure.taken = Some(now);
    }
}

#[test]
fn who_recovered_is_counted_on_again() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    bench.depart("a", Reason::Unhealthy, Step::Failed(1, at(0)));
    bench.verdict("a", Health::Unhealthy);
    assert_eq!(destroyed(&bench.preview()), [("a", Reason::Unhealthy)]);
    bench.verdict("a", Health::Healthy);
    let plan = bench.plan();
    assert_eq!((destroyed(&plan), spared(&plan)), (vec![], vec!["a"]));
    assert!(bench.plan().converged);
}

#[test]
fn what_a_person_has_stopped_is_not_tried_again() {
    let rolled = || {
        let mut bench = Bench::healthy(spec(r#"{"Size":2}"#, "v2", ""), &["a", "b"]);
        assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
        bench.depart("a", Reason::Outdated, Step::Failed(1, at(0)));
        bench
    };
    assert_eq!(destroyed(&rolled().preview()), [("a", Reason::Outdated)]);
    let mut aborted = rolled();
    aborted.memory.roll = None;
    aborted.memory.aborted = Some(aborted.spec.hash.clone());
    assert_eq!(spared(&aborted.plan()), ["a"]);
    assert!(destroyed(&aborted.plan()).is_empty());
    let mut paused = rolled();
    paused.memory.roll.as_mut().unwrap().paused = Some(Pause {
        by: PausedBy::Operator,
        since: at(0),
    });
    let plan = paused.preview();
    assert_eq!((destroyed(&plan), spared(&plan)), (vec![], vec!["a"]));
}

#[test]
fn a_destruction_that_may_have_been_accepted_is_waited_for_as_long_as_it_may_take() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    lost(&mut bench, "a");
    let plan = bench.preview();
    assert!(destroyed(&plan).is_empty() && spared(&plan).is_empty());
    bench.now = at(899);
    bench.look();
    assert!(spared(&bench.preview()).is_empty());
    assert_eq!(bench.preview().wake_at, Some(at(900)));
    bench.now = at(900);
    assert!(spared(&bench.preview()).is_empty(), "only a list tells");
    bench.look();
    assert_eq!(spared(&bench.preview()), ["a"]);
}

#[test]
fn a_plugin_that_tells_states_tells_whether_it_goes() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    bench.list[0].state = Lifecycle::Running;
    bench.look();
    lost(&mut bench, "a");
    bench.now = at(29);
    bench.look();
    assert!(spared(&bench.preview()).is_empty());
    bench.now = at(30);
    bench.look();
    assert_eq!(spared(&bench.preview()), ["a"]);
    bench.list[0].state = Lifecycle::Terminating;
    bench.look();
    assert!(spared(&bench.preview()).is_empty());
}

#[test]
fn what_its_plugin_is_at_is_not_asked_for_again() {
    let mut bench = Bench::healthy(cattle(1), &["a", "b"]);
    bench.depart("b", Reason::Surplus, Step::Accepted(at(0)));
    bench.list[1].state = Lifecycle::Terminating;
    bench.look();
    bench.now = at(899);
    bench.look();
    assert!(destroyed(&bench.preview()).is_empty());
    bench.now = at(900);
    // It may be one of the dead by now: the next list tells.
    assert!(destroyed(&bench.preview()).is_empty());
    bench.look();
    assert_eq!(destroyed(&bench.preview()), [("b", Reason::Surplus)]);
}

/// Others may be missing since it was decided. While it stays on its way out, nobody else could be
/// replaced.
#[test]
fn what_failed_is_not_tried_again_when_too_few_others_serve() {
    let mut bench = Bench::healthy(spec(r#"{"Size":3}"#, "v2", ""), &["a", "b", "c"]);
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
    bench.depart("a", Reason::Outdated, Step::Failed(1, at(0)));
    bench.verdict("b", Health::Unhealthy);
    let plan = bench.plan();
    let want = WaitingOn::Budget {
        available: 1,
        needed: 2,
    };
    assert!(plan.waiting.contains(&want), "{:?}", plan.waiting);
    assert_eq!((destroyed(&plan), spared(&plan)), (vec![], vec!["a"]));
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Outdated)]);
}

#[test]
fn of_a_group_that_was_taken_up_again_nobody_goes_with_the_former_one() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    bench.depart("a", Reason::GroupDestroyed, Step::Failed(1, at(0)));
    assert_eq!(spared(&bench.preview()), ["a"]);
    bench.memory.phase = Phase::Destroying;
    let plan = bench.preview();
    let gone = destroyed(&plan);
    assert!(gone.contains(&("a", Reason::GroupDestroyed)), "{gone:?}");
}

#[test]
fn what_pauses_the_rollout_in_this_plan_spares_those_that_it_has_not_taken() {
    let mut bench = Bench::healthy(spec(r#"{"Size":2}"#, "v2", ""), &["a", "b"]);
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
    bench.depart("a", Reason::Outdated, Step::Failed(1, at(0)));
    bench.pass(Duration::from_secs(1));
    bench.add(shown("c", "v1"));
    let plan = bench.plan();
    let paused = |on: &WaitingOn| matches!(on, WaitingOn::Paused { .. });
    assert!(plan.waiting.iter().any(paused), "{:?}", plan.waiting);
    assert_eq!((destroyed(&plan), spared(&plan)), (vec![], vec!["a"]));
}

#[test]
fn one_too_many_is_none_once_another_goes_in_the_same_plan() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b", "c"]);
    bench.depart("c", Reason::Surplus, Step::Failed(1, at(9)));
    bench.memory.doomed.insert("b".into());
    bench.memory.urgent.insert("b".into());
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [("b", Reason::Requested)]);
    assert_eq!(spared(&plan), ["c"]);
}

/// Those whose loss is doubted may be gone: nobody is too many beside them.
#[test]
fn a_surplus_that_is_tried_again_leaves_those_that_lists_show() {
    let mut bench = Bench::healthy(cattle(1), &["a", "b", "c", "d", "e"]);
    let failed = Step::Failed(1, at(4));
    for id in ["b", "c", "d", "e"] {
        bench.depart(id, Reason::Surplus, failed);
    }
    bench.now = at(100);
    bench
        .list
        .retain(|one| ["d", "e"].contains(&one.id.as_str()));
    bench.look();
    assert!(bench.member("a").missed);
    let plan = bench.preview();
    let gone = destroyed(&plan);
    let shown = gone.iter().filter(|(id, _)| ["d", "e"].contains(id));
    assert!(shown.count() < 2, "{gone:?}");
}

/// The first list of a life may be from before what a former one asked for was done: its id may be that
/// of a member of another group by then.
#[test]
fn what_a_former_life_decided_waits_for_a_list_from_after_that() {
    for whole in [false, true] {
        let mut bench = Bench::healthy(cattle(2), &["a", "b", "c"]);
        let reason = if whole {
            bench.memory.phase = Phase::Destroying;
            Reason::GroupDestroyed
        } else {
            Reason::Surplus
        };
        let decided = Decided {
            plugin: "file".into(),
            reason,
            begun: at(0),
            since: at(0),
        };
        let key = (decided.plugin.clone(), "b".into());
        bench.memory.decided.insert(key, decided);
        let asked = |bench: &Bench| {
            let plan = bench.preview();
            assert!(!plan.converged);
            destroyed(&plan).contains(&("b", reason))
        };
        assert!(!asked(&bench));
        assert_eq!(bench.preview().wake_at.map(|at| at > bench.now), Some(true));
        bench.now = at(10);
        assert!(!asked(&bench), "no list has come since");
        bench.look();
        assert!(asked(&bench));
        // In the meantime nobody goes in its place.
        let others = destroyed(&bench.preview()).len();
        assert_eq!(others, if whole { 3 } else { 1 });
    }
}

/// One that a former life decided to destroy since it was ill counts as gone until it is asked. Where it is
/// one too many it goes for that, and is not counted as gone twice.
#[test]
fn one_that_is_asked_before_it_goes_may_go_as_surplus() {
    for size in [0, 1] {
        let mut bench = Bench::new(cattle(size));
        for id in ["a", "b"] {
            bench.add(shown(id, "v1"));
        }
        let decided = Decided {
            plugin: "file".into(),
            reason: Reason::Unhealthy,
            begun: long_ago(),
            since: long_ago(),
        };
        let key = (decided.plugin.clone(), "a".into());
        bench.memory.decided.insert(key, decided);
        let plan = bench.plan();
        let gone = destroyed(&plan);
        assert_eq!(gone.len(), if size == 0 { 2 } else { 0 }, "{gone:?}");
    }
}

/// What a former life asked for may come to nothing: then it is counted on by what is known of it now, not by
/// what was before.
#[test]
fn one_that_a_former_life_asked_to_go_is_looked_at_meanwhile() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    let decided = Decided {
        plugin: "file".into(),
        reason: Reason::Surplus,
        begun: bench.now,
        since: bench.now,
    };
    let key = (decided.plugin.clone(), "b".into());
    bench.memory.decided.insert(key, decided);
    bench.pass(Duration::from_secs(20));
    bench.look();
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [], "it has no reason any more");
    assert!(plan.memory.decided.len() == 1, "it may go yet");
    assert!(checked(&plan).contains(&"b"), "{:?}", checked(&plan));
}
