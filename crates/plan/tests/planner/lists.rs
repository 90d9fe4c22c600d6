//! What lists can and cannot say.

use std::time::Duration;

use infrakit_plan::{Lag, Listed, Member, Origin, Reason, Step, WaitingOn};
use infrakit_spi::tags;

use crate::bench::*;

#[test]
fn an_instance_listed_twice_is_one_member_with_its_history() {
    let mut bench = Bench::healthy(cattle(1), &["a"]);
    bench.depart("a", Reason::Surplus, Step::Accepted(at(0)));
    let twice = [
        shown("a", "v1"),
        shown("b", "v1"),
        shown("a", "v1"),
        shown("b", "v1"),
    ];
    let circumstances = Listed {
        plugin: &"file".into(),
        started: at(1),
        now: at(1),
        lag: Lag::default(),
    };
    let seen = bench.seen.apply(&"g".into(), twice, circumstances, NONCE);
    assert_eq!((seen.appeared, seen.vanished, bench.seen.len()), (1, 0, 2));
    assert!(bench.member("a").departure.is_some());
}

#[test]
fn a_list_from_before_another_is_ignored() {
    let mut bench = Bench::healthy(cattle(1), &["a"]);
    bench.now = at(5);
    bench.look();
    bench.list.clear();
    bench.look_from(at(4));
    assert_eq!((bench.seen.len(), bench.seen.listed()), (1, Some(at(5))));
    bench.seen.unchanged(&"file".into(), at(3), at(3));
    assert_eq!(bench.seen.listed(), Some(at(5)));
}

#[test]
fn an_unchanged_list_denies_what_it_never_showed() {
    let mut bench = Bench::healthy(cattle(2), &["a"]);
    let made = and(shown("b", "v1"), tags::TOKEN, "n-1");
    bench.seen.provisioned(Member::new(
        made,
        &"file".into(),
        Origin::Provisioned(at(1)),
        NONCE,
        at(1),
    ));
    assert_eq!(
        bench
            .seen
            .unchanged(&"file".into(), at(16), at(16))
            .vanished,
        0
    );
    assert_eq!(
        bench
            .seen
            .unchanged(&"file".into(), at(17), at(17))
            .vanished,
        1
    );
    assert_eq!(bench.seen.len(), 1);
}

#[test]
fn an_id_given_again_is_another_member() {
    let made = |token| and(shown("a", "v1"), tags::TOKEN, token);
    for by_answer in [true, false] {
        let mut bench = Bench::new(cattle(1));
        bench.add(made("n-1"));
        bench.depart("a", Reason::Surplus, Step::Accepted(at(0)));
        if by_answer {
            let fresh = Member::new(
                made("n-2"),
                &"file".into(),
                Origin::Provisioned(at(0)),
                NONCE,
                at(0),
            );
            bench.seen.provisioned(fresh);
        } else {
            bench.list = vec![made("n-2")];
            bench.look();
        }
        let member = bench.member("a");
        assert_eq!((member.token, member.departure), (Some(2), None));
    }
}

#[test]
fn an_answer_that_comes_after_the_list_changes_nothing() {
    let mut bench = Bench::new(cattle(1));
    let made = and(shown("a", "v1"), tags::TOKEN, "n-1");
    bench.add(made.clone());
    bench.depart("a", Reason::Surplus, Step::InFlight(at(0)));
    bench.seen.provisioned(Member::new(
        made,
        &"file".into(),
        Origin::Provisioned(at(1)),
        NONCE,
        at(1),
    ));
    assert!(bench.member("a").departure.is_some());
}

#[test]
fn a_member_that_loses_its_tag_is_no_member() {
    let mut bench = Bench::healthy(cattle(1), &["a", "b"]);
    bench.list[0].tags = None;
    bench.look();
    assert_eq!(bench.seen.len(), 1);
    assert!(bench.plan().converged);
}

/// It is capacity, so that none is made in its place too early, and does not serve.
#[test]
fn a_member_that_the_last_list_lacks_is_not_counted_on() {
    let mut bench = Bench::new(spec(r#"{"Size":3}"#, "v1", ""));
    bench.play(&[]);
    bench.all_are_well();
    let lost = bench.list[0].id.to_string();
    bench.remove(&lost);
    assert!(created(&bench.preview()).is_empty(), "lists may lag");
    bench.commit(spec(r#"{"Size":3}"#, "v2", ""));
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty(), "only two serve");
    bench.pass(std::time::Duration::from_secs(11));
    bench.look();
    assert_eq!(created(&bench.plan()).len(), 1);
}

/// Lists may lag: it may be back with the next one, and is then the next to be replaced.
#[test]
fn a_rollout_waits_for_a_list_that_tells_of_the_last_outdated_member() {
    let mut bench = Bench::new(cattle(1));
    bench.play(&[]);
    bench.all_are_well();
    bench.commit(spec(r#"{"Size":1}"#, "v2", ""));
    let lost = bench.list[0].clone();
    bench.remove(lost.id.as_str());
    let plan = bench.plan();
    assert_eq!(
        (plan.actions, plan.waiting),
        (vec![], vec![WaitingOn::Observation])
    );
    bench.add(lost);
    assert_eq!(destroyed(&bench.plan()).len(), 1);
}

#[test]
fn nothing_is_known_before_every_plugin_was_listed() {
    let mut bench = Bench::healthy(cattle(1), &["a"]);
    let homes = |bench: &Bench| -> Vec<String> {
        let homes = bench.seen.homes();
        homes.map(ToString::to_string).collect()
    };
    assert_eq!(homes(&bench), ["file"]);
    assert!(bench.preview().converged);
    bench.seen.watch(&"other".into());
    assert_eq!(homes(&bench), ["file", "other"]);
    assert_eq!(bench.seen.listed(), None);
    assert!(bench.preview().actions.is_empty());
    bench.seen.unwatch(&"other".into());
    assert_eq!(homes(&bench), ["file"]);
    assert!(bench.preview().converged);
}

/// Another plugin may have given the same id to one that nobody named.
#[test]
fn a_list_tells_who_went_because_somebody_had_named_it() {
    let mut bench = Bench::healthy(cattle(1), &["a", "b", "c"]);
    bench.depart("a", Reason::Requested, Step::Accepted(at(0)));
    bench.depart("b", Reason::Surplus, Step::Accepted(at(0)));
    let plugin = "file".into();
    let circumstances = Listed {
        plugin: &plugin,
        started: at(1),
        now: at(1),
        lag: Lag::NONE,
    };
    let list = [shown("c", "v1")];
    let seen = bench.seen.apply(&"g".into(), list, circumstances, NONCE);
    assert_eq!((seen.vanished, seen.named), (2, vec!["a".into()]));
}

/// Of two lists that contradict each other either may be the older one: should it be back, there
/// would be one too many.
#[test]
fn nothing_is_made_in_the_place_of_one_that_may_be_back() {
    for spec in [cattle(3), pets(&["a", "b", "c"])] {
        let mut bench = Bench::named(spec, &["a", "b", "c"]);
        bench.pass(Duration::from_secs(60));
        bench.list.truncate(1);
        bench.look();
        assert_eq!(created(&bench.preview()).len(), 2);
        bench.add(and(shown("b", "v1"), tags::LOGICAL_ID, "b"));
        let mut plan = bench.plan();
        let made: Vec<Option<&str>> = created(&plan).into_iter().map(|(id, _)| id).collect();
        assert!(made == [None] || made == [Some("c")], "{made:?}");
        assert!(plan.waiting.contains(&WaitingOn::Observation));
        bench.create(&plan, &["d"]);
        // A list that would lack it by now shows it.
        bench.pass(Duration::from_secs(60));
        bench.look();
        plan = bench.preview();
        assert!(created(&plan).is_empty() && plan.waiting.is_empty());
    }
}
