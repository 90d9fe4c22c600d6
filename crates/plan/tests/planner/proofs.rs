//! When those are asked for their health that have yet to prove themselves.

use std::time::Duration;

use infrakit_plan::{Outcome, Roll, RollResult, Timestamp, Took};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Lifecycle;

use crate::bench::*;

fn ms(millis: u64) -> Timestamp {
    after(Duration::from_millis(millis))
}

/// Returns how many milliseconds after the start of the test a member is asked next.
fn asked(bench: &Bench, id: &str) -> u64 {
    let mut bench = bench.clone();
    let first = bench.now;
    for millis in 0..30_000 {
        bench.now = first + Duration::from_millis(millis);
        if checked(&bench.preview()).contains(&id) {
            let since = bench.now.since(ms(0)).as_millis();
            return u64::try_from(since).expect("a few seconds");
        }
    }
    panic!("`{id}` is never asked");
}

/// Members of a new revision, `i0` the eldest, all asked at the same moment and not known yet.
fn coming_up(count: u64, moment: u64) -> Bench {
    let mut bench = Bench::new(cattle(count));
    for number in 0..count {
        bench.now = ms(number);
        bench.add(shown(&format!("i{number}"), "v1"));
    }
    bench.now = ms(moment);
    for number in 0..count {
        bench.verdict(&format!("i{number}"), Health::Unknown);
    }
    bench
}

fn usual(bench: &mut Bench, millis: u64, longest: u64) {
    bench.memory.measured.proof = Took {
        usual: Duration::from_millis(millis),
        longest: Duration::from_millis(longest),
        count: 1,
    };
}

#[test]
fn a_small_group_shows_at_once_whether_its_revision_works() {
    let group = |count: usize| {
        let mut bench = Bench::new(cattle(count as u64));
        bench.list = (0..count)
            .map(|one| shown(&format!("i{one}"), "v1"))
            .collect();
        bench.look();
        bench
    };
    let asked = |bench: &Bench| checked(&bench.preview()).len();
    assert_eq!(asked(&group(100)), 100);
    assert!(asked(&group(101)) < 101, "a large one is swept for it");
    let mut known = group(100);
    let outcome = Outcome {
        result: RollResult::Completed,
        at: at(0),
        note: String::new(),
    };
    known.memory.outcomes.insert(0, outcome);
    assert!(asked(&known) < 100, "nobody waits for that");
    known.memory.roll = Some(Roll::begin(&known.seen, at(0)));
    assert_eq!(asked(&known), 100, "a rollout waits for it");
}

#[test]
fn the_eldest_five_are_asked_often_and_the_others_at_leisure() {
    let bench = coming_up(6, 1_000);
    for scout in ["i0", "i4"] {
        // It has waited for a second: a sixteenth of that.
        assert_eq!(asked(&bench, scout), 1_063, "{scout}");
    }
    // A quarter of its age.
    assert_eq!(asked(&bench, "i5"), 1_249);
    assert_eq!(
        asked(&coming_up(6, 10_000), "i5"),
        11_000,
        "a second at most"
    );
    assert_eq!(asked(&coming_up(6, 100), "i5"), 200, "a tenth at least");
    assert_eq!(asked(&coming_up(5, 100), "i4"), 125, "a fortieth at least");
}

#[test]
fn who_does_not_run_yet_and_who_does_well_is_no_scout() {
    let mut bench = coming_up(7, 400);
    for one in &mut bench.list[..5] {
        one.state = Lifecycle::Pending;
    }
    bench.look();
    assert_eq!(asked(&bench, "i6"), 425);
    let mut bench = Bench::new(spec(
        r#"{"Size":7}"#,
        "v1",
        r#","Updating":{"Duration":"1h"}"#,
    ));
    bench.list = (0..7).map(|one| shown(&format!("i{one}"), "v1")).collect();
    bench.look();
    bench.now = ms(400);
    for number in 0..7 {
        let verdict = if number < 5 {
            Health::Healthy
        } else {
            Health::Unknown
        };
        bench.verdict(&format!("i{number}"), verdict);
    }
    assert_eq!(asked(&bench, "i6"), 425);
}

#[test]
fn a_scout_is_asked_when_its_proof_is_nearly_due() {
    let mut bench = coming_up(1, 100);
    usual(&mut bench, 800, 800);
    assert_eq!(asked(&bench, "i0"), 760);
    usual(&mut bench, 10_000, 10_000);
    assert_eq!(asked(&bench, "i0"), 1_100, "but once a second");
    // Behind that ever more rarely.
    let mut bench = coming_up(1, 9_000);
    usual(&mut bench, 1_000, 1_000);
    assert_eq!(asked(&bench, "i0"), 9_500);
    bench.config.poll_interval = Duration::from_millis(200);
    assert_eq!(asked(&bench, "i0"), 9_200, "as often as the polls at least");
}

#[test]
fn a_follower_is_asked_at_the_age_at_which_others_proved_themselves() {
    let of = |moment, proof: (u64, u64)| {
        let mut bench = coming_up(6, moment);
        usual(&mut bench, proof.0, proof.1);
        asked(&bench, "i5")
    };
    // It is five milliseconds younger than the first.
    assert_eq!(of(1_905, (2_000, 5_000)), 2_005);
    assert_eq!(of(2_005, (2_000, 5_000)), 2_505, "that moment is over");
    assert_eq!(of(4_605, (2_000, 5_000)), 5_005, "the longest comes next");
    assert_eq!(of(5_005, (2_000, 5_000)), 6_005);
    assert_eq!(of(1_005, (2_000, 5_000)), 1_255, "it is far ahead");
}

/// A paused rollout replaces nobody and says nothing of it, and its members are watched all the same.
#[test]
fn proofs_are_asked_for_soon_while_anything_waits_for_them() {
    let good = |mut bench: Bench| {
        let outcome = Outcome {
            result: RollResult::Completed,
            at: at(0),
            note: String::new(),
        };
        bench.memory.outcomes.insert(0, outcome);
        bench
    };
    let idle = good(coming_up(3, 100));
    assert!(asked(&idle, "i2") >= 5_000, "in its turn");
    let mut paused = idle.clone();
    let mut roll = Roll::begin(&paused.seen, at(0));
    roll.paused = Some(infrakit_plan::Pause {
        by: infrakit_plan::PausedBy::Operator,
        since: at(0),
    });
    paused.memory.roll = Some(roll);
    assert_eq!(asked(&paused, "i2"), 125);
    // Healing waits for the proof of the one that came last.
    let mut healing = idle;
    healing.sicken("i0");
    healing.verdict("i1", Health::Healthy);
    assert_eq!(asked(&healing, "i2"), 125);
}
