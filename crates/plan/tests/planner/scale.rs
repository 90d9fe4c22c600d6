//! Groups of like members: up, down, zero, who goes, who is taken in.

use std::time::Duration;

use infrakit_plan::{
    Action, Drain, LossPolicy, Member, Origin, Phase, Reason, Step, Trust, WaitingOn,
};
use infrakit_spi::behaviour::{AbsentProof, Reuse};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::{Description, Lifecycle};
use infrakit_spi::tags;

use crate::bench::*;

#[test]
fn nothing_is_decided_before_a_complete_list() {
    let mut bench = Bench::new(cattle(3));
    bench.seen = infrakit_plan::Observed::default();
    let plan = bench.plan();
    assert!(plan.actions.is_empty() && !plan.converged);
    assert_eq!(plan.waiting, [WaitingOn::Observation]);
}

#[test]
fn creates_what_is_missing_once() {
    let mut bench = Bench::new(cattle(3));
    let plan = bench.plan();
    assert_eq!(created(&plan), [(None, 0), (None, 1), (None, 2)]);
    assert_eq!(plan.waiting, [WaitingOn::Creations { count: 3 }]);
    assert!(bench.plan().actions.is_empty());
    bench.create(&plan, &["a", "b", "c"]);
    let plan = bench.plan();
    assert!(created(&plan).is_empty() && plan.converged);
    bench.look();
    assert!(bench.plan().converged);
}

#[test]
fn a_creation_says_everything() {
    let mut bench = Bench::new(cattle(1));
    let plan = bench.plan();
    let [Action::Provision(one)] = &plan.actions[..] else {
        panic!("{:?}", plan.actions)
    };
    assert_eq!(
        (one.token.to_string(), one.token.number()),
        ("n-100".to_owned(), 100)
    );
    let tags: Vec<(&str, &str)> = one
        .tags
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let hash = hash("v1");
    let want = [
        (tags::CONFIG_HASH, hash.as_str()),
        (tags::GROUP, "g"),
        (tags::TOKEN, "n-100"),
    ];
    assert_eq!(tags, want);
    assert_eq!(
        (plan.memory.next_token, plan.memory.intents.len()),
        (101, 1)
    );
}

#[test]
fn zero_is_a_size() {
    assert!(Bench::new(cattle(0)).plan().converged);
    let mut bench = Bench::healthy(cattle(0), &["a", "b"]);
    let gone = bench.plan();
    assert_eq!(
        destroyed(&gone),
        [("a", Reason::Surplus), ("b", Reason::Surplus)]
    );
}

#[test]
fn sick_outdated_and_young_ones_go_first() {
    let mut bench = Bench::new(cattle(4));
    for (id, note, token) in [
        ("old-token", "v1", "n-1"),
        ("young-a", "v1", "n-7"),
        ("young-b", "v1", "n-8"),
        ("outdated", "v0", "n-2"),
        ("sick", "v1", "n-3"),
        ("ailing", "v1", "n-4"),
    ] {
        bench.add(and(shown(id, note), tags::TOKEN, token));
        bench.verdict(id, Health::Healthy);
    }
    bench.add(shown("by-hand", "v1"));
    bench.sicken("sick");
    bench.verdict("ailing", Health::Unhealthy);
    let order = [
        "sick",
        "ailing",
        "outdated",
        "young-b",
        "young-a",
        "old-token",
        "by-hand",
    ];
    for size in (0..=6).rev() {
        bench.spec = cattle(size);
        let plan = bench.preview();
        let ids: Vec<&str> = destroyed(&plan).iter().map(|(id, _)| *id).collect();
        assert_eq!(
            ids,
            order[..7 - usize::try_from(size).unwrap()],
            "size {size}"
        );
    }
}

/// A slow destruction is forgotten by a restart. What is chosen anew must be the same member, or
/// two would go for one.
#[test]
fn the_choice_survives_a_restart() {
    let mut bench = Bench::new(cattle(2));
    for (second, (id, token)) in [("a", "n-3"), ("b", "n-1"), ("c", "n-2")]
        .into_iter()
        .enumerate()
    {
        bench.now = at(second as u64);
        bench.add(and(shown(id, "v1"), tags::TOKEN, token));
    }
    bench.all_are_well();
    assert_eq!(destroyed(&bench.preview()), [("a", Reason::Surplus)]);
    bench.seen = infrakit_plan::Observed::default();
    bench.look();
    bench.all_are_well();
    assert_eq!(destroyed(&bench.preview()), [("a", Reason::Surplus)]);
}

#[test]
fn the_controllers_own_member_is_no_surplus() {
    let mut bench = Bench::named(cattle(1), &["a", "b"]);
    bench.config.self_logical_id = Some("b".into());
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Surplus)]);
    bench.remove("a");
    bench.spec = cattle(0);
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    assert_eq!(plan.waiting, [WaitingOn::SelfMember { id: "b".into() }]);
}

#[test]
fn replaces_what_disappeared_but_only_after_departures() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c"]);
    bench.remove("b");
    assert_eq!(created(&bench.preview()), [(None, 2)]);
    bench.depart("c", Reason::Requested, Step::Accepted(bench.now));
    // `c` is still there: only the place of `b` is free.
    assert_eq!(created(&bench.plan()).len(), 1);
    bench.remove("c");
    assert_eq!(created(&bench.plan()).len(), 1);
}

#[test]
fn creations_under_way_and_in_doubt_count() {
    let mut bench = Bench::healthy(cattle(5), &["a"]);
    bench.intend(1, None);
    bench.intend(2, None).doubt = DOUBT;
    assert_eq!(created(&bench.plan()), [(None, 3), (None, 4)]);
    // Scaling down while they are open destroys nothing that would be missed.
    bench.spec = cattle(1);
    assert!(destroyed(&bench.plan()).is_empty());
}

#[test]
fn strangers_are_nobodys_business() {
    let mut bench = Bench::healthy(cattle(0), &[]);
    bench.add(Description {
        id: "untagged".into(),
        ..Description::default()
    });
    bench.add(and(shown("other-group", "v1"), tags::GROUP, "h"));
    let plan = bench.plan();
    assert!(plan.actions.is_empty() && plan.converged);
}

#[test]
fn adopts_under_both_keys_and_rolls_nothing() {
    let mut bench = Bench::new(cattle(2));
    bench.add(tagged("a", &[(tags::CONFIG_HASH, tags::BOOTSTRAP)]));
    bench.add(tagged("b", &[(tags::CONFIG_SHA, tags::BOOTSTRAP)]));
    let plan = bench.plan();
    assert_eq!(
        (adopted(&plan), destroyed(&plan).len(), created(&plan).len()),
        (vec!["a", "b"], 0, 0)
    );
    let labels: Vec<Vec<&str>> = plan
        .actions
        .iter()
        .filter_map(|action| match action {
            Action::Adopt { labels, .. } => Some(labels.keys().map(String::as_str).collect()),
            _ => None,
        })
        .collect();
    let both = vec![tags::CONFIG_HASH, tags::CONFIG_SHA, tags::GROUP];
    assert_eq!(labels, [vec![tags::CONFIG_HASH, tags::GROUP], both]);
    // Under way: not again, and not yet as specified.
    let plan = bench.plan();
    assert_eq!((adopted(&plan).len(), plan.converged), (0, false));
    assert_eq!(plan.waiting, [WaitingOn::Observation]);
    bench.list = vec![shown("a", "v1"), shown("b", "v1")];
    bench.look();
    assert!(bench.plan().converged);
    assert!(!bench.member("a").is_being_labelled());
}

#[test]
fn a_surplus_member_is_not_adopted_as_well() {
    let mut bench = Bench::new(cattle(0));
    bench.add(tagged("a", &[(tags::CONFIG_HASH, tags::BOOTSTRAP)]));
    let plan = bench.plan();
    assert_eq!(
        (adopted(&plan).len(), destroyed(&plan)),
        (0, vec![("a", Reason::Surplus)])
    );
}

#[test]
fn what_the_operator_asked_for_goes() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b", "c"]);
    bench.memory.doomed = ["b".into(), "never-seen".into()].into();
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [("b", Reason::Requested)]);
    assert_eq!(plan.memory.doomed, ["b".into()].into());
    bench.remove("b");
    let plan = bench.plan();
    assert!(plan.memory.doomed.is_empty() && plan.converged);
}

#[test]
fn a_destroyed_group_goes_whole_and_its_own_member_last() {
    let mut bench = Bench::named(cattle(3), &["a", "b", "c"]);
    bench.config.self_logical_id = Some("b".into());
    bench.memory.phase = Phase::Destroying;
    bench.memory.roll = Some(infrakit_plan::Roll::default());
    bench.intend(7, None).doubt = DOUBT;
    let plan = bench.plan();
    let all = Reason::GroupDestroyed;
    assert_eq!(destroyed(&plan), [("a", all), ("c", all)]);
    bench.remove("a");
    assert!(destroyed(&bench.plan()).is_empty());
    bench.remove("c");
    // A creation in doubt may still come true: somebody must be there to clean up.
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    assert_eq!(
        (plan.waiting, plan.wake_at),
        (vec![WaitingOn::Creations { count: 1 }], Some(at(15)))
    );
    bench.now = at(31);
    bench.look();
    assert_eq!(destroyed(&bench.plan()), [("b", all)]);
    bench.remove("b");
    assert!(bench.plan().converged);
}

#[test]
fn destroying_a_group_does_not_insist_on_draining() {
    let mut bench = Bench::healthy(cattle(1), &["a"]);
    bench.depart("a", Reason::Outdated, Step::Failed(3, at(0)));
    bench.memory.phase = Phase::Destroying;
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [("a", Reason::GroupDestroyed)]);
    assert_eq!(drains(&plan), [Drain::Try]);
    assert_eq!(plan.actions.len(), 1);
}

#[test]
fn huge_groups_are_planned_in_time_that_grows_with_their_size() {
    let mut bench = Bench::new(cattle(infrakit_plan::MAX_SIZE));
    bench.config.settle = Duration::MAX;
    // 20,000 of a million are there; each further plan is as cheap as the first.
    bench.spec = cattle(20_000);
    let plan = bench.plan();
    assert_eq!(created(&plan).len(), 20_000);
    assert_eq!(created(&bench.plan()).len(), 0);
}

#[test]
fn nobody_that_is_needed_goes_as_surplus() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c", "d"]);
    for id in ["c", "d"] {
        bench.verdict(id, Health::Unhealthy);
    }
    assert_eq!(destroyed(&bench.preview()), [("c", Reason::Surplus)]);
    bench.memory.held = ["c".into(), "d".into()].into();
    let plan = bench.preview();
    let budget = WaitingOn::Budget {
        available: 2,
        needed: 3,
    };
    assert!(destroyed(&plan).is_empty());
    assert!(plan.waiting.contains(&budget), "{:?}", plan.waiting);
}

/// It may be gone, and the other one all that is left.
#[test]
fn nobody_that_is_shown_goes_beside_a_held_one_that_the_last_list_lacks() {
    let mut bench = Bench::healthy(cattle(1), &["held", "shown"]);
    bench.memory.held.insert("held".into());
    assert_eq!(destroyed(&bench.preview()), [("shown", Reason::Surplus)]);
    bench.seen.trust(&"file".into(), doubting(Reuse::Never));
    bench.pass(Duration::from_secs(600));
    bench.remove("held");
    assert!(bench.member("held").missed);
    assert_eq!(destroyed(&bench.plan()), []);
}

/// One that served and that the last list lacks may be there all the same.
#[test]
fn a_missed_member_goes_as_surplus_only_if_enough_others_serve() {
    let surge = r#","Updating":{"MaxSurge":1}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":3}"#, "v1", surge), &["a", "b"]);
    let mut behaviour = gives_up_at_once();
    behaviour.id.reused = Reuse::Never;
    let trust = Trust::of(&behaviour, &LossPolicy::default());
    bench.seen.trust(&"file".into(), trust);
    bench.add(and(shown("missed", "v1"), tags::TOKEN, "n-9"));
    bench.verdict("missed", Health::Healthy);
    bench.add(Description {
        state: Lifecycle::Pending,
        ..and(shown("coming", "v1"), tags::TOKEN, "n-8")
    });
    bench.pass(Duration::from_secs(1));
    bench.remove("missed");
    assert!(bench.member("missed").missed);
    assert_eq!(destroyed(&bench.preview()), [("coming", Reason::Surplus)]);
    bench.verdict("a", Health::Unhealthy);
    bench.add(and(shown("c", "v1"), tags::TOKEN, "n-7"));
    bench.verdict("c", Health::Healthy);
    bench.add(and(shown("d", "v1"), tags::TOKEN, "n-6"));
    bench.verdict("d", Health::Healthy);
    bench
        .list
        .retain(|one| !["a", "coming"].contains(&one.id.as_str()));
    bench.pass(Duration::from_secs(1));
    bench.look();
    let both = [("missed", Reason::Surplus), ("coming", Reason::Surplus)];
    assert_eq!(destroyed(&bench.preview()), both);
}

/// Its id may be that of another one by now, and its end be asked for; a list tells.
#[test]
fn a_missed_member_goes_only_on_the_word_of_a_list_where_ids_are_used_again() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    bench
        .seen
        .trust(&"file".into(), doubting(Reuse::AfterDelete));
    bench.pass(Duration::from_secs(600));
    bench.remove("a");
    bench.spec = cattle(1);
    bench.memory.phase = Phase::Destroying;
    assert!(bench.member("a").missed);
    assert_eq!(destroyed(&bench.preview()), [("b", Reason::GroupDestroyed)]);
    bench.seen.trust(&"file".into(), doubting(Reuse::Never));
    assert_eq!(destroyed(&bench.preview()).len(), 2);
    bench.memory.phase = Phase::Active;
    assert_eq!(destroyed(&bench.preview()), [("a", Reason::Surplus)]);
    bench
        .seen
        .trust(&"file".into(), doubting(Reuse::AfterDelete));
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), []);
    assert!(plan.waiting.contains(&WaitingOn::Observation));
}

/// A plugin whose lists have to say twice that a member is gone.
fn doubting(reused: Reuse) -> Trust {
    let mut behaviour = gives_up_at_once();
    behaviour.absent_proof = AbsentProof::BothTwice;
    behaviour.id.reused = reused;
    Trust::of(&behaviour, &LossPolicy::default())
}

/// An answer may have named the instance of somebody else.
#[test]
fn what_only_an_answer_has_told_of_goes_once_a_list_shows_it() {
    let mut bench = Bench::new(cattle(3));
    let plan = bench.plan();
    bench.create(&plan, &["a", "b", "c"]);
    for id in ["a", "b", "c"] {
        bench.verdict(id, Health::Healthy);
    }
    bench.spec = cattle(1);
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    assert_eq!(plan.waiting, [WaitingOn::Observation]);
    bench.look();
    assert_eq!(destroyed(&bench.plan()).len(), 2);
    bench.memory.phase = Phase::Destroying;
    assert_eq!(destroyed(&bench.plan()).len(), 1);
}

/// Nobody can tell who is sick, and in minutes somebody can.
#[test]
fn a_group_whose_observer_is_silent_waits_before_it_loses_anybody() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    bench.add(and(shown("back", "v1"), tags::TOKEN, "n-9"));
    bench.pass(Duration::from_secs(1));
    bench.look();
    bench.pass(bench.config.poll_interval * 2);
    let now = bench.now;
    for id in ["a", "b", "back"] {
        bench.member(id).health.note_silence(now);
    }
    bench.look();
    let plan = bench.preview();
    assert_eq!(destroyed(&plan), []);
    assert!(
        plan.waiting
            .iter()
            .any(|on| matches!(on, WaitingOn::Health { .. }))
    );
    let mut heard = bench.clone();
    heard.verdict("a", Health::Healthy);
    assert_eq!(destroyed(&heard.preview()), [], "the others are asked next");
    heard.pass(heard.config.poll_interval);
    let plan = heard.preview();
    assert_eq!(
        destroyed(&plan),
        [],
        "one may have gone since the last list"
    );
    assert!(plan.waiting.contains(&WaitingOn::Observation));
    let mut slow = heard.clone();
    heard.look();
    assert_eq!(destroyed(&heard.preview()).len(), 1);
    slow.pass(slow.config.poll_interval);
    assert_eq!(destroyed(&slow.preview()).len(), 1);
    bench.pass(Duration::from_secs(300));
    bench.look();
    assert_eq!(
        destroyed(&bench.preview()).len(),
        1,
        "it has waited for long enough"
    );
}

/// It may never have come up, and nobody here has made it.
#[test]
fn one_from_elsewhere_that_nobody_was_asked_about_goes_before_those_that_serve() {
    let mut bench = Bench::new(cattle(3));
    for (number, id) in ["a", "b", "c"].into_iter().enumerate() {
        let token = format!("{NONCE}-{number}");
        bench.add(and(shown(id, "v1"), tags::TOKEN, &token));
        bench.verdict(id, Health::Healthy);
    }
    bench.pass(Duration::from_secs(60));
    bench.add(and(shown("x", "v1"), tags::TOKEN, "other-7"));
    assert_eq!(destroyed(&bench.plan()), [("x", Reason::Surplus)]);
}

/// One that only an answer has told of may have died since: it is the one too many, and nobody goes in its
/// place, not even one of whom a flavor has said once that it is not well.
#[test]
fn nobody_goes_in_place_of_one_that_no_list_has_shown() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    bench.verdict("b", Health::Unhealthy);
    let origin = Origin::Provisioned(bench.now);
    let made = and(shown("c", "v1"), tags::TOKEN, "n-3");
    let answered = Member::new(made, &"file".into(), origin, NONCE, bench.now);
    bench.seen.provisioned(answered);
    assert_eq!(destroyed(&bench.preview()), []);
}
