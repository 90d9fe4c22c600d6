//! Two lives of one id that only the field tells apart which the plugin declares for it.

use std::sync::Arc;

use infrakit_engine::core::{Call, Event, Limits, Subject};
use infrakit_plan::Config;
use infrakit_spi::rollout::Hold;
use infrakit_spi::{Any, Error, Tags, tags};

use crate::bench::{Bench, Fate, GROUP, cattle, gives_up_after};

/// A world whose plugins declare that `launched` tells lives apart, and that a destruction is done when
/// it is answered.
fn world(field: &str) -> Bench {
    let mut behaviour = gives_up_after(15);
    field.clone_into(&mut behaviour.id.incarnation_field);
    behaviour.destroy.asynchronous = Some(false);
    let config = Config {
        undeclared: Arc::new(behaviour),
        ..Config::default()
    };
    Bench::with(config, Limits::default())
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
    bench.fate = Fate::Kept;
    let gone = ["host-7".into()];
    let now = bench.now;
    bench
        .core
        .destroy_instances_now(&GROUP.into(), &gone, now)
        .unwrap();
    bench.settle();
    let kept = bench.take_kept();
    let [Call::Destroy { subject, .. }] = &kept[..] else {
        panic!("{kept:?}");
    };
    bench.fate = Fate::Done;
    subject.clone()
}

#[test]
fn what_was_meant_for_the_former_life_is_not_done_to_the_next() {
    let mut bench = world("launched");
    let subject = is_to_go(&mut bench);
    // It went, and the machine is given out anew before a list could lack it.
    install(&mut bench, "tuesday");
    bench.commit(cattle(2, "1"));
    bench.wait(30);
    let outcome = Ok(());
    bench
        .core
        .handle(Event::Destroyed { subject, outcome }, bench.now);
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
        let there = bench.instances.get_mut(&("file".into(), "host-7".into()));
        let tags = there.unwrap().tags.as_mut().unwrap();
        tags.insert("colour".to_owned(), "blue".to_owned());
        if restart {
            bench.restart();
        } else {
            let outcome = Err(Error::unknown("no answer"));
            bench
                .core
                .handle(Event::Destroyed { subject, outcome }, bench.now);
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
        let there = bench.instances.get_mut(&("file".into(), "host-7".into()));
        there.unwrap().properties = Some(Any::parse(&format!(r#"{{"booted":{at}}}"#)).unwrap());
    };
    arrive_with(&mut bench, "");
    boot(&mut bench, 1_700_000_000);
    bench.wait(60);
    bench.sick.insert("host-7".into());
    bench
        .core
        .hold(&GROUP.into(), &"host-7".into(), Hold::Set)
        .unwrap();
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
    let outcome = Ok(());
    bench
        .core
        .handle(Event::Destroyed { subject, outcome }, bench.now);
    bench.wait(1);
    let group = bench.core.describe(&GROUP.into()).unwrap();
    let mut members = group.instances.iter().flatten();
    assert!(members.any(|one| one.id.as_str() == "host-7"));
}
