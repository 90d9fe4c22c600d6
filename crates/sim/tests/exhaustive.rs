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

fn explore(name: &str, second: bool) {
    let scenario = Scenario::small(name);
    let kinds = CATALOGUE.iter().map(|fault| fault.kind);
    let kinds: Vec<Kind> = kinds.collect();
    let explored = if second {
        after_deaths(&scenario, &SECOND)
    } else {
        singly(&scenario, &kinds)
    };
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
        $(mod $name {
            #[test]
            fn each_fault() {
                super::explore(stringify!($name), false);
            }

            #[test]
            fn each_fault_after_a_death() {
                super::explore(stringify!($name), true);
            }
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
