//! Ids that are given again, or never, and the field that tells two lives of one apart.

use infrakit_engine::core::{Call, Subject};
use infrakit_spi::behaviour::{Reuse, Seconds};
use infrakit_spi::instance::Lifecycle;
use infrakit_spi::rollout::Hold;
use infrakit_spi::{Any, Error, FailureClass, Tags, tags};

use crate::bench::{Bench, Fate, GROUP, cattle, gives_up_after};

/// A world whose plugins declare that `launched` tells lives apart, and that a destruction is done when
/// it is answered.
fn world(field: &str) -> Bench {
    Bench::declaring(|behaviour| {
        behaviour.id.incarnation_field = Some(field.to_owned());
        behaviour.destroy.asynchronous = Some(false);
    })
}

/// Puts a machine into the world that nobody's creation made, as the same configuration would.
fn install(bench: &mut Bench, launched: &str) {
    let mut others = bench.instances.values();
    let made = others.find_map(|one| one.tags.clone().filter(|all| all.contains_key(tags::TOKEN)));
    let mut tags: Tags = made.unwrap();
    tags.remove(tags::TOKEN);
    tags.insert("launched".to_owned(), launched.to_owned());
    bench.plant("file", "host-7", tags);
}

/// A group of two with such a machine.
fn arrive_with(bench: &mut Bench, launched: &str) {
    bench.arrive(cattle(2, "1"));
    bench.lose("i-002");
    install(bench, launched);
    bench.wait(60);
    assert!(bench.converged(), "{}", bench.why());
}

/// The destruction of that machine is asked for.
fn is_to_go(bench: &mut Bench) -> Subject {
    arrive_with(bench, "monday");
    let subject = bench.ask_to_go("host-7");
    bench.fate = Fate::Done;
    subject
}

#[test]
fn what_was_meant_for_the_former_life_is_not_done_to_the_next() {
    let mut bench = world("launched");
    let subject = is_to_go(&mut bench);
    // It went, and the machine is given out anew before a list could lack it.
    install(&mut bench, "tuesday");
    bench.commit(cattle(2, "1"));
    bench.wait(30);
    bench.answer_destruction(subject, Ok(()));
    bench.wait(3_600);
    assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
    assert_eq!(bench.count("create"), 2, "{:?}", bench.made);
    assert!(bench.ids().contains(&"host-7"));
    assert!(bench.converged(), "{}", bench.why());
}

#[test]
fn so_it_is_after_a_restart() {
    let mut bench = world("launched");
    is_to_go(&mut bench);
    install(&mut bench, "tuesday");
    bench.restart();
    bench.commit(cattle(2, "1"));
    bench.wait(3_600);
    assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(bench.records("departures/"), [""; 0]);
}

/// The same life is destroyed as before, whatever else of it changes.
#[test]
fn the_same_life_goes_on_to_go() {
    for restart in [false, true] {
        let mut bench = world("launched");
        let subject = is_to_go(&mut bench);
        let tags = bench.instance("host-7").tags.as_mut().unwrap();
        tags.insert("colour".to_owned(), "blue".to_owned());
        if restart {
            bench.restart();
        } else {
            bench.answer_destruction(subject, Err(Error::unknown("no answer")));
        }
        bench.wait(3_600);
        assert!(!bench.ids().contains(&"host-7"), "{}", bench.why());
        assert!(bench.converged(), "{}", bench.why());
    }
}

/// Without a word of the plugin nobody can tell: the machine that is there is the one that was to go.
#[test]
fn without_such_a_field_the_next_life_is_taken_for_the_former() {
    let mut bench = world("");
    is_to_go(&mut bench);
    install(&mut bench, "tuesday");
    bench.restart();
    bench.wait(3_600);
    assert!(!bench.ids().contains(&"host-7"), "{}", bench.why());
}

#[test]
fn a_property_tells_lives_apart_as_well() {
    let mut bench = world("booted");
    let boot = |bench: &mut Bench, at: u64| {
        let properties = Any::parse(&format!(r#"{{"booted":{at}}}"#)).unwrap();
        bench.instance("host-7").properties = Some(properties);
    };
    arrive_with(&mut bench, "");
    boot(&mut bench, 1_700_000_000);
    bench.wait(60);
    bench.sick.insert("host-7".into());
    bench.hold("host-7", Hold::Set);
    bench.wait(600);
    assert_eq!(bench.count("destroy"), 0, "it is held");
    boot(&mut bench, 1_700_000_900);
    bench.wait(600);
    assert_eq!(bench.count("destroy host-7"), 1, "{}", bench.why());
}

/// It comes so soon after the former one that a list from before could show that one.
#[test]
fn the_next_life_is_no_ghost_of_the_former() {
    let mut bench = world("launched");
    let subject = is_to_go(&mut bench);
    bench.commit(cattle(3, "1"));
    install(&mut bench, "tuesday");
    bench.answer_destruction(subject, Ok(()));
    bench.wait(1);
    let group = bench.core.describe(&GROUP.into()).unwrap();
    let mut members = group.instances.iter().flatten();
    assert!(members.any(|one| one.id.as_str() == "host-7"));
}

/// Nor where the group was freed and committed anew meanwhile.
#[test]
fn the_next_life_is_no_ghost_of_one_that_went_with_the_former_record_of_the_group() {
    let mut bench = world("launched");
    arrive_with(&mut bench, "monday");
    let error = Error::refused("no more").with_class(FailureClass::Configuration);
    bench.refused.insert("Note".to_owned(), error);
    bench.lose("host-7");
    bench.changed();
    bench.wait(1);
    install(&mut bench, "tuesday");
    bench.free();
    bench.commit(cattle(2, "1"));
    bench.wait(1);
    let group = bench.core.describe(&GROUP.into()).unwrap();
    let mut members = group.instances.iter().flatten();
    assert!(
        members.any(|one| one.id.as_str() == "host-7"),
        "{}",
        bench.why()
    );
}

/// Its plugin called it gone, and gives no id twice: a list that shows it well is older than that one,
/// and nothing waits for it.
#[test]
fn nothing_waits_for_who_was_called_gone_where_ids_are_given_once() {
    for (reused, created) in [
        (Reuse::Undeclared, 3),
        (Reuse::AfterDelete, 3),
        (Reuse::Always, 3),
        (Reuse::Never, 4),
    ] {
        let mut bench = Bench::declaring(|behaviour| {
            behaviour.id.reused = reused;
            behaviour.list.relapse = Some(Seconds(60.0));
        });
        bench.arrive(cattle(2, "1"));
        bench.instance("i-001").state = Lifecycle::Gone;
        bench.wait(15);
        assert_eq!(bench.count("create"), 3, "{}", bench.why());
        bench.instance("i-001").state = Lifecycle::Running;
        bench.wait(15);
        bench.commit(cattle(3, "1"));
        bench.wait(5);
        assert_eq!(bench.count("create"), created, "{reused:?}");
        // So long after it lists are not behind any more: it is there.
        bench.wait(300);
        assert!(bench.converged(), "{}", bench.why());
        assert_eq!(bench.count("destroy"), created - 3, "{reused:?}");
    }
}

/// Nobody else can have got the id meanwhile, so that no list need show first who has it.
#[test]
fn a_destruction_whose_answer_was_lost_is_asked_for_again_at_once_where_ids_are_given_once() {
    for (reused, destroyed) in [
        (Reuse::Undeclared, 0),
        (Reuse::AfterDelete, 0),
        (Reuse::Always, 0),
        (Reuse::Never, 1),
    ] {
        let mut bench = Bench::declaring(|behaviour| behaviour.id.reused = reused);
        bench.arrive(cattle(2, "1"));
        bench.fate = Fate::Kept;
        bench.commit(cattle(1, "1"));
        let subject = bench.take_destruction();
        bench.fate = Fate::Done;
        // No list comes: the control plane answers badly.
        bench.hold_lists = true;
        bench.answer_destruction(subject, Err(Error::unknown("no answer")));
        bench.wait(60);
        assert_eq!(bench.count("destroy"), destroyed, "{reused:?}");
    }
}

/// Machines are always listed, and have the ids that they had: an id that was listed before is what a
/// creation is answered with.
#[test]
fn a_machine_that_was_listed_before_is_given_out_where_ids_are_those_of_machines() {
    for (reused, refused) in [
        (Reuse::Undeclared, true),
        (Reuse::AfterDelete, true),
        (Reuse::Never, true),
        (Reuse::Always, false),
    ] {
        let mut bench = Bench::declaring(|behaviour| behaviour.id.reused = reused);
        bench.plant("file", "host-7", Tags::new());
        bench.arrive(cattle(1, "1"));
        bench.answered = Some("host-7".into());
        bench.commit(cattle(2, "1"));
        bench.answered = None;
        let why = bench.why();
        let said = why.contains("was listed before that creation began");
        assert_eq!(said, refused, "{reused:?}: {why}");
    }
}

/// It is not touched all the same, before a list shows whose it is.
#[test]
fn somebody_elses_machine_is_not_touched_either() {
    let mut bench = Bench::declaring(|behaviour| behaviour.id.reused = Reuse::Always);
    let stranger = Tags::from([("infrakit.group".to_owned(), "other".to_owned())]);
    bench.plant("file", "host-7", stranger);
    bench.arrive(cattle(1, "1"));
    bench.answered = Some("host-7".into());
    bench.commit(cattle(2, "1"));
    bench.answered = None;
    bench.commit(cattle(0, "1"));
    bench.wait(120);
    assert_eq!(bench.ids(), ["host-7"], "{:?}", bench.made);
    assert_eq!(bench.count("destroy host-7"), 0);
}

/// The list is from before the machine was given out. What came of the creation a later one tells.
#[test]
fn a_list_that_shows_the_former_owner_of_a_machine_speaks_against_nobody() {
    let mut bench = Bench::declaring(|behaviour| behaviour.id.reused = Reuse::Always);
    bench.arrive(cattle(1, "1"));
    let stranger = Tags::from([("infrakit.group".to_owned(), "other".to_owned())]);
    bench.plant("file", "host-7", stranger);
    bench.answered = Some("host-7".into());
    bench.hold_lists = true;
    bench.commit(cattle(2, "1"));
    bench.answered = None;
    let made = bench.core.describe(&GROUP.into()).unwrap().instances;
    let made = made.into_iter().flatten();
    let mine = made.filter(|one| one.id.as_str() == "host-7");
    let mine = mine.map(|one| one.tags.clone().unwrap()).next().unwrap();
    bench.hold_lists = false;
    bench.wait(20);
    let why = bench.why();
    assert!(!why.contains("failed"), "{why}");
    assert!(!bench.converged());
    bench.plant("file", "host-7", mine);
    bench.wait(60);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!((bench.count("create"), bench.count("destroy")), (2, 0));
}

/// A plugin that was busy when it was asked declares it after the first list.
#[test]
fn a_field_that_is_declared_late_tells_lives_of_those_apart_that_were_listed_before() {
    for named_first in [false, true] {
        let mut bench = world("");
        arrive_with(&mut bench, "monday");
        let hold = |bench: &mut Bench| {
            let id = "host-7".into();
            bench.core.hold(&GROUP.into(), &id, Hold::Set).unwrap();
            bench.wait(30);
        };
        if named_first {
            hold(&mut bench);
        }
        let mut behaviour = gives_up_after(15);
        behaviour.id.incarnation_field = Some("launched".to_owned());
        bench.declare("file", behaviour);
        bench.wait(30);
        if !named_first {
            hold(&mut bench);
        }
        install(&mut bench, "tuesday");
        bench.wait(30);
        let memory = bench.memory();
        assert!(memory.held.is_empty(), "{named_first}: {:?}", memory.lives);
    }
}

/// It is given an id again, and chosen in the very plan that a list leads to which shows it first.
#[test]
fn who_goes_at_once_under_an_id_that_is_given_again_is_on_record_by_its_own_life() {
    let mut bench = world("launched");
    is_to_go(&mut bench);
    install(&mut bench, "tuesday");
    let other = bench.instance("host-7").tags.as_mut().unwrap();
    other.insert(tags::CONFIG_HASH.to_owned(), "other".to_owned());
    bench.fate = Fate::Kept;
    bench.wait(30);
    let subject = bench.take_destruction();
    assert_eq!(subject.id.as_str(), "host-7");
    // By now another one would be chosen.
    bench.sick.insert("i-001".into());
    bench.wait(30);
    bench.restart();
    bench.wait(60);
    for call in bench.take_kept() {
        let Call::Destroy { subject, .. } = &call else {
            panic!("{call:?}");
        };
        assert_eq!(subject.id.as_str(), "host-7", "{}", bench.why());
    }
}
