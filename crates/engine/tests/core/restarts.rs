//! A controller that ends anywhere, and the one that takes over.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use infrakit_engine::core::{Call, Effect};
use infrakit_spi::Error;
use infrakit_spi::behaviour::Seconds;
use infrakit_spi::instance::{Fingerprint, Listing};

use crate::bench::{Bench, Fate, cattle, spec};

#[test]
fn creations_that_were_written_down_and_never_made_are_made_once() {
    let mut bench = Bench::new();
    bench.fate = Fate::Lost;
    bench.commit(cattle(3, "1"));
    assert_eq!(bench.records("intents/").len(), 1);
    assert_eq!(bench.ids().len(), 0);
    bench.crash();
    bench.wait(10);
    assert_eq!(bench.ids().len(), 0, "they may still be on their way");
    bench.wait(60);
    assert_eq!(bench.ids().len(), 3);
    assert!(bench.converged());
    assert_eq!(bench.records("intents/"), Vec::<String>::new());
}

#[test]
fn creations_that_were_made_and_never_heard_of_are_found() {
    let mut bench = Bench::new();
    bench.fate = Fate::Unheard;
    bench.commit(cattle(3, "1"));
    assert_eq!(bench.ids().len(), 3);
    bench.crash();
    bench.wait(120);
    assert_eq!(bench.ids().len(), 3);
    assert_eq!(bench.count("create"), 3);
    assert!(bench.converged());
}

#[test]
fn a_successor_destroys_those_that_were_chosen_and_no_others() {
    let mut bench = Bench::new();
    bench.arrive(cattle(6, "1"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(3, "1"));
    bench.wait(60);
    let chosen = bench.records("departures/");
    assert!(!chosen.is_empty());
    let doomed = departing(&bench);
    bench.crash();
    // One that was not chosen looks worse now: another choice would fall on it. Enough others serve,
    // or nobody would be destroyed anew.
    let others: Vec<String> = bench
        .ids()
        .iter()
        .filter(|id| !doomed.contains(&(**id).to_owned()))
        .map(|id| (*id).to_owned())
        .collect();
    bench
        .sick
        .extend(others.iter().take(1).map(|id| id.as_str().into()));
    // They are asked first: what is known of them is from long ago.
    bench.wait(10);
    let gone = bench.made.iter();
    let gone: Vec<String> = gone
        .filter_map(|call| call.strip_prefix("destroy ")?.split(':').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(gone, doomed);
}

/// Who is on record as leaving.
fn departing(bench: &Bench) -> Vec<String> {
    use infrakit_store::Store as _;
    let mut ids = Vec::new();
    for (_, record) in bench.store.scan("departures/") {
        let record: serde_json::Value = record.value.decode().unwrap();
        for part in record["parts"].as_array().unwrap() {
            let listed = part["ids"].as_array().unwrap().iter();
            ids.extend(listed.map(|id| id.as_str().unwrap().to_owned()));
        }
    }
    ids.sort();
    ids
}

#[test]
fn a_record_of_departures_goes_when_all_of_it_are_gone() {
    let mut bench = Bench::new();
    bench.arrive(cattle(5, "1"));
    bench.arrive(cattle(2, "1"));
    assert_eq!(bench.ids().len(), 2);
    assert_eq!(bench.records("departures/"), Vec::<String>::new());
    let departure = bench.memory().measured.departure;
    assert_eq!(departure.count, 3, "{departure:?}");
}

#[test]
fn an_id_that_was_used_again_is_another_member() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.fate = Fate::Unheard;
    bench.commit(cattle(1, "1"));
    bench.settle();
    let doomed = departing(&bench);
    assert_eq!((doomed.len(), bench.ids().len()), (1, 1));
    // The plugin gives the id of the one that went to one that is made now.
    bench.fate = Fate::Lost;
    bench.commit(cattle(2, "1"));
    let mut tags = bench.tags();
    tags.insert("infrakit.token".to_owned(), "nonce-9".to_owned());
    bench.plant("file", &doomed[0], tags);
    bench.crash();
    let before = bench.count("destroy");
    bench.wait(120);
    assert_eq!(bench.count("destroy"), before);
    assert_eq!(bench.ids().len(), 2);
    assert_eq!(bench.records("departures/"), Vec::<String>::new());
}

#[test]
fn a_group_that_is_forgotten_leaves_no_records() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.arrive(cattle(3, "2"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(1, "2"));
    bench.free();
    // What is under way is on record until it cannot take effect any more.
    assert_eq!(bench.records("specs/"), Vec::<String>::new());
    assert!(!bench.records("departures/").is_empty());
    bench.take_kept();
    bench.restart();
    bench.wait(960);
    assert_eq!(bench.records(""), ["freed/g", "term"]);
}

#[test]
fn a_group_being_destroyed_goes_on_after_a_crash() {
    let mut bench = Bench::new();
    bench.arrive(cattle(4, "1"));
    bench.fate = Fate::Lost;
    bench.destroy();
    bench.settle();
    bench.crash();
    bench.wait(60);
    assert_eq!(bench.ids(), Vec::<&str>::new());
    let left = bench.records("");
    assert!(
        left.iter()
            .all(|key| ["plugins/file", "term"].contains(&key.as_str())),
        "{left:?}"
    );
}

#[test]
fn a_destruction_that_never_happens_is_said_however_often_the_controller_is_started_anew() {
    let mut bench = Bench::declaring(|behaviour| behaviour.destroy.stuck = Some(Seconds(60.0)));
    bench.arrive(cattle(3, "1"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(1, "1"));
    for _ in 0..18 {
        bench.wait(55);
        bench.restart();
    }
    bench.wait(55);
    assert_eq!(bench.degraded(), (true, "DestructionsHang".to_owned()));
}

#[test]
fn without_room_in_the_store_nothing_is_done_and_it_is_tried_at_leisure() {
    let mut bench = Bench::new();
    bench.arrive(cattle(4, "1"));
    let lost = bench.first();
    bench.lose(&lost);
    bench.sick.insert(bench.ids()[0].into());
    bench.full = true;
    let before = (bench.made.len(), bench.entries);
    bench.wait(120);
    assert_eq!(bench.made.len(), before.0, "{:?}", bench.made);
    let tried = bench.entries - before.1;
    assert!((2..200).contains(&tried), "{tried}");
    let group = "g".into();
    bench.core.set_size(&group, 2, bench.now).unwrap();
    bench.wait(1);
    assert_eq!(bench.core.size(&group).unwrap(), 4, "nothing has changed");
    bench.full = false;
    bench.sick.clear();
    bench.wait(300);
    assert!(bench.converged());
    assert_eq!(bench.ids().len(), 4);
    assert_eq!(bench.records("departures/"), Vec::<String>::new());
    assert_eq!(bench.records("intents/"), Vec::<String>::new());
}

#[test]
fn a_deadline_that_was_set_by_a_clock_which_was_ahead_runs_from_the_restart_on() {
    let roll = |note: &str| {
        let more = r#","Updating":{"ProgressDeadline":"10m"},"Health":{"GracePeriod":"20h"}"#;
        spec(r#"{"Size":3}"#, ("file", note), more)
    };
    let mut bench = Bench::new();
    bench.arrive(roll("1"));
    let right = bench.now;
    bench.now = right + Duration::from_secs(86_400 * 30);
    bench.sick = ["i-004", "i-005", "i-006"].map(Into::into).into();
    bench.commit(roll("2"));
    bench.now = right;
    bench.crash();
    bench.wait(540);
    assert!(!bench.why().contains("paused"), "{}", bench.why());
    bench.wait(120);
    assert!(bench.why().contains("paused"), "{}", bench.why());
}

/// What was asked of them is younger than what is on record of how many there were.
#[test]
fn members_that_were_asked_to_go_are_not_missed_after_a_restart() {
    for later in [0, 3] {
        let mut bench = Bench::new();
        bench.arrive(cattle(3, "1"));
        bench.arrive(cattle(1, "1"));
        bench.wait(3);
        bench.arrive(cattle(3, "1"));
        bench.wait(5);
        bench.commit(cattle(0, "1"));
        bench.wait(later);
        bench.crash();
        bench.commit(cattle(4, "1"));
        bench.wait(10);
        assert_eq!(bench.ids().len(), 4, "{}", bench.why());
    }
}

/// A stopped process, or a machine that slept: its last list is as old as that.
#[test]
fn who_was_suspended_looks_before_it_acts() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.wait(60);
    bench.now = bench.now + Duration::from_secs(600);
    bench.hold_lists = true;
    bench.commit(cattle(1, "1"));
    assert_eq!(bench.count("destroy"), 0, "{}", bench.why());
    assert_eq!(bench.lists.len(), 1, "it is asked for at once");
}

/// A list that was asked for before says nothing, and nothing is compared with it.
#[test]
fn a_list_from_before_a_suspension_is_asked_for_again() {
    let mut bench = Bench::new();
    bench.arrive(cattle(1, "1"));
    bench.hold_lists = true;
    bench.wait(20);
    let held = bench.lists.remove(0);
    let compared = Rc::new(Cell::new(false));
    let noted = Rc::clone(&compared);
    bench.witness = Some(Box::new(move |effect: &Effect| {
        if let Effect::List { seen, .. } = effect {
            noted.set(seen.is_some());
        }
    }));
    bench.now = bench.now + Duration::from_secs(600);
    let listing = Listing::Changed(bench.all(), Some(Fingerprint([1, 2])));
    bench.answer_list(held, Ok(listing));
    bench.settle();
    assert_eq!(bench.lists.len(), 1, "it is asked for at once");
    assert!(!compared.get());
    bench.hold_lists = false;
}

/// The answer to its destruction was lost, and a new member has been given its id that no list of this
/// life has shown yet.
#[test]
fn a_young_member_is_not_taken_for_one_that_went() {
    let mut bench = Bench::new();
    bench.arrive(cattle(1, "1"));
    bench.wait(60);
    bench.fate = Fate::Kept;
    bench.commit(cattle(1, "2"));
    assert_eq!(bench.take_kept().len(), 1, "the destruction");
    bench.lose("i-001");
    while bench.kept() == 0 {
        bench.wait(1);
    }
    let mut kept = bench.take_kept();
    assert!(!bench.records("departures/").is_empty());
    let [Call::Provision { provision, .. }] = &kept[..] else {
        panic!("{kept:?}");
    };
    bench.plant("file", "i-001", provision.tags.clone());
    bench.answered = Some("i-001".into());
    bench.fate = Fate::Done;
    bench.call(kept.remove(0));
    bench.settle();
    bench.answered = None;
    bench.crash();
    bench.wait(5);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
}

/// It was under way when the member was asked to go whose id it is given.
#[test]
fn what_comes_of_a_creation_from_before_is_not_taken_for_one_that_went() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.wait(60);
    bench.fate = Fate::Kept;
    bench.commit(cattle(3, "1"));
    let creation = bench.take_creation();
    bench.ask_to_go("i-001");
    bench.lose("i-001");
    bench.make(&creation, "i-001");
    bench.crash();
    bench.wait(60);
    assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(bench.ids(), ["i-001", "i-002"]);
}

/// The call that was made first may be carried out yet.
#[test]
fn a_destruction_stays_on_record_when_that_it_is_tried_again_cannot_be_written() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    let subject = bench.ask_to_go("i-001");
    bench.answer_destruction(subject, Err(Error::unknown("no answer")));
    bench.full = true;
    bench.wait(8);
    assert_eq!(bench.kept(), 0);
    bench.full = false;
    for _ in 0..30 {
        bench.changed();
        bench.wait(1);
        assert_eq!(departing(&bench), ["i-001"]);
    }
}
