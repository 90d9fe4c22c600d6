//! That a group is degraded is told once when it begins, and once when it ends.

use infrakit_spi::Error;

use crate::bench::{Bench, GROUP, cattle};

/// What was told of it, the oldest first.
fn told(bench: &Bench) -> Vec<String> {
    let why = bench.core.why(&GROUP.into(), None, bench.now).unwrap();
    let deeds = why.deeds.iter().rev();
    let told = deeds.filter(|deed| deed.action.contains("degraded"));
    told.map(|deed| format!("{}, {}", deed.action, deed.rule))
        .collect()
}

#[test]
fn a_group_that_is_degraded_for_long_is_told_of_once() {
    let mut bench = Bench::new();
    bench.arrive(cattle(6, "1"));
    assert_eq!(told(&bench), [""; 0], "that it is new is no trouble");
    bench.sick = bench.all().into_iter().map(|one| one.id).collect();
    bench.wait(3_600);
    assert_eq!(bench.degraded().1, "TooManySick");
    let began = "is degraded, Degraded: TooManySick";
    assert_eq!(told(&bench), [began]);
    bench.sick.clear();
    bench.wait(600);
    assert!(!bench.degraded().0);
    let ended = "is no longer degraded, Degraded: TooManySick";
    assert_eq!(told(&bench), [began, ended]);
}

/// Nor does a restart begin anything.
#[test]
fn a_restart_tells_nothing_anew() {
    let mut bench = Bench::new();
    bench.arrive(cattle(6, "1"));
    bench.sick = bench.all().into_iter().map(|one| one.id).collect();
    bench.wait(600);
    bench.restart();
    bench.wait(600);
    assert!(bench.degraded().0);
    assert_eq!(told(&bench), [""; 0]);
    bench.sick.clear();
    bench.wait(600);
    assert_eq!(
        told(&bench),
        ["is no longer degraded, Degraded: TooManySick"]
    );
}

/// No plan is made for a group that nothing happens to.
#[test]
fn that_a_group_is_not_listed_any_more_is_told_of_too() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.hold_lists = true;
    for _ in 0..20 {
        bench.wait(10);
        for held in std::mem::take(&mut bench.lists) {
            bench.answer_list(held, Err(Error::unknown("no route to host")));
        }
    }
    let began = "is degraded, Degraded: NotListed";
    assert_eq!(told(&bench), [began]);
    bench.hold_lists = false;
    bench.wait(60);
    let ended = "is no longer degraded, Degraded: NotListed";
    assert_eq!(told(&bench), [began, ended]);
}

/// Destructions that are accepted and never happen, in a controller that is started anew every now and then.
#[test]
fn since_when_something_is_waited_for_outlives_a_restart() {
    for crashes in [false, true] {
        let mut bench = Bench::new();
        bench.arrive(cattle(3, "1"));
        bench.stale = Some(bench.instances.clone());
        bench.commit(cattle(1, "1"));
        bench.wait(20);
        let before = bench.memory().waits;
        assert!(!before.is_empty());
        let said = |bench: &Bench| bench.why().lines().nth(1).unwrap_or_default().to_owned();
        let moment = |said: String| said.split(" (").next().unwrap_or_default().to_owned();
        let since = moment(said(&bench));
        for _ in 0..3 {
            if crashes {
                bench.crash();
            } else {
                bench.restart();
            }
            bench.wait(20);
        }
        let after = bench.memory().waits;
        let kept = before
            .iter()
            .all(|(wait, since)| after.get(wait) == Some(since));
        assert!(kept, "{crashes}: {before:?} {after:?}");
        assert_eq!(moment(said(&bench)), since, "{crashes}");
    }
}
