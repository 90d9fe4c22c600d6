//! Every single fault at every opportunity of small histories.

use infrakit_sim::exhaustive::{Explored, after_deaths, singly};
use infrakit_sim::faults::{CATALOGUE, Kind};
use infrakit_sim::scenario::{Scenario, ours};
use infrakit_sim::trace::{Tells, news};

/// Second faults that matter after a death.
const SECOND: [Kind; 8] = [
    Kind::CrashBefore,
    Kind::CrashAfter,
    Kind::CrashHearing,
    Kind::ListStale,
    Kind::ListFails,
    Kind::CreateUnanswered,
    Kind::CreateLate,
    Kind::DestroyUnanswered,
];

fn explore(name: &str) {
    let scenario = Scenario::small(name);
    let kinds: Vec<Kind> = CATALOGUE.iter().map(|fault| fault.kind).collect();
    let mut explored = singly(&scenario, &kinds);
    explored.add(after_deaths(&scenario, &SECOND));
    println!(
        "{name}: {} effects, {} histories",
        explored.effects, explored.runs
    );
    assert!(explored.effects <= 12, "too large to be explored");
    tell(&scenario, &explored);
}

fn tell(scenario: &Scenario, explored: &Explored) {
    let Some((forced, breach)) = explored.failed.first() else {
        return;
    };
    let scenario = Scenario {
        forced: forced.clone(),
        ..scenario.clone()
    };
    let outcome = scenario.run(ours(), Tells::Story);
    panic!(
        "{} of {} histories fail, the first with {forced:?}: {breach}\n{}",
        explored.failed.len(),
        explored.runs,
        news(&outcome.story),
    );
}

macro_rules! explored {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            explore(stringify!($name));
        })*

        #[test]
        fn all_are_explored() {
            assert_eq!([$(stringify!($name)),*], infrakit_sim::scenario::SMALL);
        }
    };
}

explored!(
    create, grow, shrink, roll, pets, heal, destroy, free, surge, moved, back, named
);
