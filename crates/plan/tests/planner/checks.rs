//! When health is asked for, and when to plan again.

use std::time::Duration;

use infrakit_plan::{Member, Origin, Plan, Timestamp};
use infrakit_spi::flavor::Health;
use infrakit_spi::tags;

use crate::bench::*;

/// Answers all checks of a plan.
fn answer(bench: &mut Bench, plan: &Plan, health: Health) {
    for id in checked(plan) {
        bench.verdict(id, health);
    }
}

/// Plans at each wake-up until `end`, answering checks a little late. Returns when each happened.
fn run(bench: &mut Bench, end: Timestamp, health: Health) -> Vec<(Timestamp, usize)> {
    let mut looks = Vec::new();
    let mut wakes = 0;
    while bench.now < end {
        let plan = bench.plan();
        if !checked(&plan).is_empty() {
            looks.push((bench.now, checked(&plan).len()));
        }
        bench.pass(Duration::from_millis(7));
        answer(bench, &plan, health);
        let plan = bench.plan();
        assert!(checked(&plan).is_empty(), "asked again at once");
        bench.now = plan.wake_at.expect("there is always a next check");
        wakes += 1;
        assert!(wakes < 10_000, "a busy loop");
    }
    looks
}

#[test]
fn each_member_is_looked_at_once_an_interval() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c"]);
    let looks = run(&mut bench, at(600), Health::Healthy);
    let total: usize = looks.iter().map(|(_, count)| count).sum();
    assert!(
        (170..=190).contains(&total),
        "{total} checks of 3 members in 60 intervals"
    );
}

#[test]
fn an_interval_shorter_than_the_polls_is_kept() {
    let health = r#","Health":{"Interval":"1s"}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":1}"#, "v1", health), &["a"]);
    let total = run(&mut bench, at(100), Health::Healthy).len();
    assert!(
        (95..=105).contains(&total),
        "{total} checks in 100 intervals"
    );
}

#[test]
fn big_groups_are_swept_slowly_and_evenly() {
    let mut bench = Bench::new(cattle(2000));
    bench.list = (0..2000)
        .map(|number| shown(&format!("i-{number}"), "v1"))
        .collect();
    bench.look();
    let looks = run(&mut bench, at(400), Health::Healthy);
    let most = looks.iter().map(|(_, count)| *count).max().unwrap();
    let total: usize = looks.iter().map(|(_, count)| count).sum();
    // Ten a second, in wake-ups ten seconds apart.
    assert!(most <= 160, "{most} checks at one moment");
    assert!((3600..=4400).contains(&total), "{total} checks in 400 s");
    assert!(looks.len() <= 45, "{} wake-ups", looks.len());
}

/// Members that came together prove themselves together, and would be asked together ever after.
#[test]
fn those_that_were_asked_at_one_time_are_not_asked_at_one_time_again() {
    let health = r#","Health":{"Interval":"1s"}"#;
    let mut bench = Bench::new(spec(r#"{"Size":1000}"#, "v1", health));
    bench.list = (0..1000)
        .map(|number| shown(&format!("i-{number}"), "v1"))
        .collect();
    bench.look();
    for number in 0..1000 {
        bench.verdict(&format!("i-{number}"), Health::Healthy);
    }
    let looks = run(&mut bench, at(300), Health::Healthy);
    let mut by_five = vec![0; 61];
    for (moment, count) in looks {
        by_five[usize::try_from(moment.since(at(0)).as_secs() / 5).unwrap()] += count;
    }
    // Ten a second, from the beginning.
    for (part, count) in by_five[1..60].iter().enumerate() {
        assert!(
            (35..=65).contains(count),
            "{count} checks in part {part}: {by_five:?}"
        );
    }
}

#[test]
fn an_ailing_member_is_looked_at_again_after_an_interval_even_in_a_big_group() {
    let mut bench = Bench::new(cattle(2000));
    bench.list = (0..2000)
        .map(|number| shown(&format!("i-{number}"), "v1"))
        .collect();
    bench.look();
    bench.verdict("i-7", Health::Unhealthy);
    bench.now = at(10);
    assert!(checked(&bench.plan()).contains(&"i-7"));
}

#[test]
fn a_proof_that_is_awaited_is_asked_for_at_once_and_again_soon() {
    let mut bench = Bench::healthy(spec(r#"{"Size":2}"#, "v2", ""), &["a"]);
    bench.add(and(shown("x", "v2"), tags::TOKEN, "n-1"));
    let plan = bench.plan();
    assert_eq!(checked(&plan), ["x"]);
    assert!(checked(&bench.plan()).is_empty());
    answer(&mut bench, &plan, Health::Unknown);
    let plan = bench.plan();
    assert_eq!(
        (checked(&plan).len(), plan.wake_at),
        (0, Some(after(Duration::from_millis(25))))
    );
    let looks = run(&mut bench, at(60), Health::Unknown);
    let times: Vec<Timestamp> = looks.iter().map(|(time, _)| *time).collect();
    let pauses: Vec<Duration> = times.windows(2).map(|two| two[1].since(two[0])).collect();
    let longest = pauses.iter().max().unwrap();
    assert!(*longest <= Duration::from_millis(1100), "{longest:?}");
    assert!(pauses[0] <= Duration::from_millis(120), "{:?}", pauses[0]);
}

#[test]
fn many_awaited_proofs_are_not_all_asked_for_every_second() {
    let mut bench = Bench::new(spec(r#"{"Size":2001}"#, "v2", ""));
    bench.list = (0..2000)
        .map(|number| shown(&format!("i-{number}"), "v2"))
        .collect();
    bench.list.push(shown("old", "v1"));
    bench.look();
    let total: usize = run(&mut bench, at(60), Health::Unknown)
        .iter()
        .map(|(_, count)| count)
        .sum();
    // A hundred a second, after a first look at each.
    assert!((4000..=9000).contains(&total), "{total} checks in 60 s");
}

/// Who was made a moment ago was not asked yet, and is not counted on before that.
#[test]
fn members_that_were_made_a_moment_ago_put_off_a_rollout_by_no_more_than_a_second_a_thousand() {
    let mut bench = Bench::new(spec(r#"{"Size":1500}"#, "v2", ""));
    bench.list = (0..1500)
        .map(|number| shown(&format!("i-{number}"), "v1"))
        .collect();
    for one in bench.list.clone() {
        let origin = Origin::Provisioned(bench.now);
        let member = Member::new(one, &"file".into(), origin, NONCE, bench.now);
        bench.seen.provisioned(member);
    }
    bench.look();
    let plan = bench.plan();
    // A thousand, and whose turn it is in any case.
    let first = checked(&plan).len();
    assert!((1000..1050).contains(&first), "{first}");
    bench.pass(Duration::from_millis(7));
    answer(&mut bench, &plan, Health::Healthy);
    assert!(checked(&bench.plan()).is_empty(), "not in the same second");
    bench.now = at(1);
    bench.pass(Duration::from_millis(8));
    assert_eq!(first + checked(&bench.plan()).len(), 1500);
}

#[test]
fn counted_proofs_come_at_the_pace_of_the_polls() {
    let counted = r#","Updating":{"Count":3}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":2}"#, "v2", counted), &["a"]);
    bench.add(shown("x", "v2"));
    let plan = bench.plan();
    answer(&mut bench, &plan, Health::Healthy);
    assert_eq!(bench.plan().wake_at, Some(at(10)));
}

#[test]
fn a_check_under_way_is_not_repeated() {
    let mut bench = Bench::healthy(cattle(1), &["a"]);
    bench.now = at(30);
    assert_eq!(checked(&bench.plan()), ["a"]);
    bench.now = at(3000);
    assert!(checked(&bench.plan()).is_empty());
}

#[test]
fn no_time_is_too_far_away() {
    let odd = r#","Health":{"Interval":"2540400h","GracePeriod":"2540400h"},"Updating":{"Duration":"2540400h"}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":2}"#, "v2", odd), &["a", "b"]);
    bench.config.settle = Duration::MAX;
    bench.config.poll_interval = Duration::MAX;
    bench.depart(
        "b",
        infrakit_plan::Reason::Surplus,
        infrakit_plan::Step::Accepted(at(0)),
    );
    bench.add(shown("x", "v2"));
    bench.plan();
    bench.verdict("x", Health::Healthy);
    bench.plan();
}

/// All groups of a controller share its checks.
#[test]
fn the_members_of_other_groups_slow_the_routine_down() {
    let total = |others| {
        let mut bench = Bench::healthy(cattle(3), &["a", "b", "c"]);
        bench.config.other_members = others;
        let looks = run(&mut bench, at(600), Health::Healthy);
        looks.iter().map(|(_, count)| count).sum::<usize>()
    };
    let (alone, beside) = (total(0), total(397));
    assert!((170..=190).contains(&alone), "{alone} checks in 600 s");
    // Ten a second for four hundred: each in forty seconds.
    assert!((40..=50).contains(&beside), "{beside} checks in 600 s");
}

/// Verdicts that came faster would make it sick in less time than its policy says.
#[test]
fn who_falls_ill_before_it_has_proved_itself_is_asked_at_the_usual_pace() {
    let mut bench = Bench::healthy(spec(r#"{"Size":2}"#, "v2", ""), &["a"]);
    bench.add(shown("x", "v2"));
    bench.plan();
    bench.verdict("x", Health::Unhealthy);
    bench.now = at(1);
    assert!(checked(&bench.preview()).contains(&"x"), "it comes up");
    bench.verdict("x", Health::Healthy);
    bench.verdict("x", Health::Unhealthy);
    bench.now = at(5);
    assert!(!checked(&bench.preview()).contains(&"x"));
    bench.now = at(10);
    assert!(checked(&bench.preview()).contains(&"x"));
}

#[test]
fn who_is_ill_once_its_grace_is_over_is_asked_at_the_usual_pace_too() {
    let mut bench = Bench::healthy(spec(r#"{"Size":2}"#, "v2", ""), &["a"]);
    bench.add(shown("x", "v2"));
    bench.plan();
    bench.now = at(301);
    bench.verdict("x", Health::Unhealthy);
    bench.now = at(303);
    assert!(!checked(&bench.preview()).contains(&"x"));
    bench.now = at(312);
    assert!(checked(&bench.preview()).contains(&"x"));
}
