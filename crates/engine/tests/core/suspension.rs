//! A controller that was suspended, and what was under way when that began.

use std::time::Duration;

use infrakit_engine::core::{Call, Effect, Event, ListAnswer};
use infrakit_spi::Error;
use infrakit_spi::flavor::Health;
use infrakit_spi::group::GroupSpec;
use infrakit_spi::instance::{Listing, Locality};
use infrakit_store::Store as _;

use crate::bench::{Bench, Fate, cattle, spec};

const HOUR: Duration = Duration::from_secs(3_600);

fn roll(note: &str) -> GroupSpec {
    let more = r#","Updating":{"ProgressDeadline":"10m"},"Health":{"GracePeriod":"20h"}"#;
    spec(r#"{"Size":3}"#, ("file", note), more)
}

/// Another member than this one is destroyed first.
fn spares_at_first(bench: &Bench, id: &str) {
    let first = bench.made.iter().find(|call| call.starts_with("destroy"));
    assert!(first.is_some_and(|call| !call.contains(id)), "{first:?}");
}

/// Nobody could prove itself to a controller that slept.
#[test]
fn no_deadline_of_a_rollout_runs_while_the_controller_sleeps() {
    let mut bench = Bench::new();
    bench.arrive(roll("1"));
    bench.sick = ["i-004", "i-005", "i-006"].map(Into::into).into();
    bench.commit(roll("2"));
    bench.wait(240);
    bench.now = bench.now + HOUR;
    bench.wait(300);
    assert!(!bench.why().contains("paused"), "{}", bench.why());
    bench.wait(120);
    assert!(bench.why().contains("paused"), "{}", bench.why());
}

/// The same for half a minute, in which answers came that nobody heard.
#[test]
fn no_deadline_of_a_rollout_runs_while_the_controller_is_held_up() {
    let deadline = |note| {
        let more = r#","Updating":{"ProgressDeadline":"20s"}"#;
        spec(r#"{"Size":3}"#, ("file", note), more)
    };
    let mut bench = Bench::new();
    bench.arrive(deadline("1"));
    bench.sick = ["i-004", "i-005", "i-006"].map(Into::into).into();
    bench.commit(deadline("2"));
    bench.wait(5);
    bench.now = bench.now + Duration::from_secs(30);
    bench.wait(5);
    assert!(!bench.why().contains("paused"), "{}", bench.why());
    bench.wait(30);
    assert!(bench.why().contains("paused"), "{}", bench.why());
}

/// What waits for a slot was decided before the controller slept: it is decided anew.
#[test]
fn what_waits_for_a_slot_does_not_begin_when_the_controller_wakes() {
    let mut bench = Bench::new();
    bench.commit(cattle(2_000, "1"));
    bench.now = bench.now + Duration::from_millis(500);
    bench.settle();
    bench.fate = Fate::Kept;
    bench.commit(cattle(5_000, "1"));
    assert!(bench.open_creations() > bench.kept() as u64, "some wait");
    bench.now = bench.now + HOUR;
    bench.release_unsettled();
    let effects = bench.core.take_effects().into_iter();
    let begun = effects.filter(|effect| matches!(effect, Effect::Call(Call::Provision { .. })));
    assert_eq!(begun.count(), 0);
}

/// Returns the questions after health that are put now.
fn questions(bench: &mut Bench) -> Vec<Call> {
    bench.core.plan(bench.now);
    let effects = bench.core.take_effects().into_iter();
    let checks = effects.filter_map(|effect| match effect {
        Effect::Call(call @ Call::Check { .. }) => Some(call),
        _ => None,
    });
    checks.collect()
}

/// A question that was put before the controller slept is answered after it.
#[test]
fn a_verdict_from_before_the_controller_slept_counts_for_nothing() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.wait(60);
    bench.now = bench.now + Duration::from_secs(20);
    let asked = questions(&mut bench);
    assert_eq!(asked.len(), 3, "{asked:?}");
    bench.now = bench.now + HOUR;
    bench.sick = ["i-002", "i-003"].map(Into::into).into();
    for call in asked {
        let Call::Check { subject, .. } = call else {
            continue;
        };
        let outcome = Ok(Health::Healthy);
        let event = Event::Checked { subject, outcome };
        bench.core.handle(event, bench.now);
    }
    bench.commit(cattle(3, "2"));
    bench.wait(1);
    spares_at_first(&bench, "i-001");
}

/// How long a list was on its way says nothing of how busy its plugin is.
#[test]
fn a_list_that_was_on_its_way_while_the_controller_slept_costs_no_pause() {
    for locality in [Locality::InProcess, Locality::Remote] {
        let mut bench = Bench::new();
        bench.arrive(cattle(2, "1"));
        bench.hold_lists = true;
        bench.wait(20);
        let (plugin, started) = bench.lists.remove(0);
        bench.now = bench.now + HOUR;
        let all = bench.all();
        let answer = ListAnswer {
            plugin,
            started,
            locality,
            outcome: Ok(Listing::Changed(all, None)),
        };
        bench.core.handle(Event::Listed(answer), bench.now);
        bench.hold_lists = false;
        bench.lose("i-001");
        bench.wait(60);
        assert_eq!(bench.ids().len(), 2, "{locality:?}: {}", bench.why());
    }
}

/// How long an entry took to be written, either: its successors would be taken to begin as late.
#[test]
fn an_entry_that_was_written_while_the_controller_slept_is_no_measure() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.wait(60);
    bench.fate = Fate::Kept;
    bench.commit_and_sleep(cattle(4, "1"), HOUR);
    bench.wait(60);
    assert!(bench.kept() > 0, "{}", bench.why());
    let found = bench.store.scan("intents/").into_iter();
    let begun = found.map(|(_, found)| {
        let record = found.value.decode::<serde_json::Value>().unwrap();
        record["begun"].as_u64().unwrap()
    });
    let latest = begun.max().unwrap();
    assert!(latest <= bench.now.0, "{latest} {:?}", bench.now);
}

/// The clock that counts stands still while a machine sleeps; the one on the wall does not.
#[test]
fn a_machine_that_slept_is_noticed_by_the_clock_on_the_wall() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.wait(60);
    bench.core.tell_wall(1_000_000);
    bench.hold_lists = true;
    bench.core.tell_wall(3_600_000_000_000);
    bench.commit(cattle(3, "2"));
    assert_eq!(bench.count("destroy"), 0, "{}", bench.why());
    assert_eq!(bench.lists.len(), 1, "it is asked for at once");
    bench.sick = ["i-002", "i-003"].map(Into::into).into();
    bench.hold_lists = false;
    let held = bench.lists.remove(0);
    bench.answer_list(held, Ok(Listing::Changed(bench.all(), None)));
    bench.wait(1);
    spares_at_first(&bench, "i-001");
}

/// A loss that was doubted before it: somebody who confirms it knows nothing of what the next list shows.
#[test]
fn a_loss_that_is_confirmed_when_the_controller_wakes_lets_nothing_be_done_before_a_list() {
    let mut bench = Bench::new();
    bench.arrive(cattle(6, "1"));
    bench.wait(60);
    bench.instances.clear();
    bench.restart();
    bench.wait(5);
    bench.now = bench.now + HOUR;
    bench.hold_lists = true;
    bench.settle();
    bench.core.confirm_loss(&"g".into(), bench.now).unwrap();
    bench.settle();
    assert_eq!(bench.count("create"), 6, "{}", bench.why());
}

/// Whoever asks for the members is told of when they are, and waits for a list that was asked for since.
#[test]
fn waking_is_no_list() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.wait(60);
    let listed = bench.core.listed_at(&"g".into());
    bench.hold_lists = true;
    bench.now = bench.now + HOUR;
    bench.settle();
    assert_eq!(bench.core.listed_at(&"g".into()), listed);
}

#[test]
fn a_failure_that_is_long_over_is_not_why_a_list_is_waited_for() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.hold_lists = true;
    bench.wait(20);
    let held = bench.lists.remove(0);
    bench.answer_list(held, Err(Error::unknown("no answer")));
    bench.hold_lists = false;
    bench.wait(600);
    bench.hold_lists = true;
    bench.now = bench.now + HOUR;
    bench.settle();
    let why = bench.why();
    assert!(why.contains("waiting for a complete list"), "{why}");
    assert!(!why.contains("no answer"), "{why}");
}

/// Of a large account a list takes minutes, and nobody is asked for anything else before it has come.
#[test]
fn a_list_that_takes_minutes_is_no_sleep() {
    for interrupted in [false, true] {
        let mut bench = Bench::new();
        bench.arrive(cattle(2, "1"));
        bench.hold_lists = true;
        if interrupted {
            bench.now = bench.now + HOUR;
        } else {
            bench.restart();
        }
        bench.wait(300);
        assert_eq!(bench.lists.len(), 1, "{interrupted}");
        let held = bench.lists.remove(0);
        bench.answer_list(held, Ok(Listing::Changed(bench.all(), None)));
        bench.wait(1);
        assert!(bench.converged(), "{interrupted}: {}", bench.why());
    }
}

/// How long it took says nothing of its provider, and would be waited for ever after.
#[test]
fn a_creation_that_was_under_way_while_the_controller_slept_is_no_measure() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(1, "1"));
    bench.wait(60);
    bench.fate = Fate::Kept;
    bench.commit(cattle(2, "1"));
    let creation = bench.take_creation();
    bench.now = bench.now + Duration::from_secs(400);
    let made = bench.make(&creation, "i-009");
    bench.answer(creation, Ok(made));
    bench.fate = Fate::Done;
    bench.wait(60);
    assert!(bench.converged(), "{}", bench.why());
    let found = bench.store.get(&"plugins/file".into());
    let longest = found.map(|found| {
        let record = found.value.decode::<serde_json::Value>().unwrap();
        record["creation"]["longest"]["secs"].as_u64().unwrap()
    });
    assert!(longest.is_none_or(|longest| longest < 60), "{longest:?}");
    let longest = bench.memory().measured.provision.longest;
    assert!(longest < Duration::from_secs(60), "{longest:?}");
}
