//! Slots for calls: what there is none for is not begun, and can be taken back.

use std::time::Duration;

use infrakit_engine::core::{Core, Limits};
use infrakit_plan::{Config, Spec};
use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::rollout::{Freeze, Hold};

use crate::bench::{Bench, Fate, GROUP, KeptCreation, cattle, named, spec};

/// Calls at once that the core begins with.
const WINDOW: usize = 128;

/// The plugin has shown that it gets five hundred calls done in the time that may be planned ahead.
fn quick() -> Bench {
    let mut bench = Bench::new();
    bench.commit(cattle(2_000, "1"));
    bench.now = bench.now + Duration::from_millis(500);
    bench.settle();
    assert_eq!(bench.ids().len(), 2_000);
    bench
}

#[test]
fn a_mistaken_size_that_is_corrected_costs_only_what_had_begun() {
    let mut bench = Bench::new();
    bench.fate = Fate::Kept;
    bench.commit(cattle(1_000, "1"));
    assert_eq!(bench.kept(), WINDOW);
    assert_eq!(
        bench.records("intents/").len(),
        1,
        "no other is written down"
    );
    bench.commit(cattle(5, "1"));
    bench.release();
    bench.wait(60);
    assert_eq!(bench.count("create"), WINDOW);
    assert_eq!(bench.ids().len(), 5);
    assert!(bench.converged());
    assert!(bench.records("intents/").is_empty());
}

#[test]
fn what_was_written_down_ahead_is_withdrawn_by_whatever_changes_the_group() {
    for change in ["commit", "scale", "free", "destroy", "pause"] {
        let mut bench = quick();
        bench.fate = Fate::Kept;
        bench.commit(cattle(5_000, "1"));
        assert_eq!(bench.kept(), WINDOW, "{change}");
        let group = GROUP.into();
        let now = bench.now;
        match change {
            "commit" => drop(bench.commit(cattle(2_010, "1"))),
            "scale" => drop(bench.core.set_size(&group, 2_010, now).unwrap()),
            "free" => drop(bench.core.free(&group, bench.now).unwrap()),
            "destroy" => drop(bench.core.destroy(&group).unwrap()),
            _ => {
                let command = infrakit_spi::rollout::Command::Pause;
                drop(bench.core.steer(&group, &command, now));
                drop(bench.commit(cattle(2_010, "1")));
            }
        }
        bench.settle();
        bench.release();
        bench.wait(60);
        assert_eq!(bench.count("create"), 2_000 + WINDOW, "{change}");
        assert!(
            bench.records("intents/").is_empty() || change == "free",
            "{change}"
        );
    }
}

/// A brake that let go on what only waits for a slot would be none.
#[test]
fn what_has_not_begun_does_not_begin_once_the_brake_is_set() {
    for all in [false, true] {
        let mut bench = quick();
        bench.fate = Fate::Kept;
        bench.commit(cattle(5_000, "1"));
        assert!(bench.open_creations() > WINDOW as u64);
        let now = bench.now;
        let set = if all {
            bench.core.freeze_all(Freeze::Set, now)
        } else {
            bench.core.freeze(&GROUP.into(), Freeze::Set, now)
        };
        set.unwrap();
        bench.settle();
        bench.release();
        bench.wait(60);
        assert_eq!(bench.count("create"), 2_000 + WINDOW, "all: {all}");
    }
}

/// Destructions that wait are taken back, and their members are as before.
#[test]
fn who_was_to_go_and_has_not_stays_when_it_is_wanted_again() {
    let mut bench = quick();
    // Nobody goes whom no list has shown.
    bench.wait(30);
    bench.fate = Fate::Kept;
    bench.commit(cattle(0, "1"));
    assert_eq!(bench.kept(), WINDOW);
    bench.commit(cattle(2_000 - 200, "1"));
    bench.release();
    bench.wait(60);
    assert_eq!(bench.count("destroy"), 200);
    assert_eq!(bench.ids().len(), 1_800);
    assert!(bench.converged());
    assert!(bench.records("departures/").is_empty());
}

/// A plugin that has become slow: what waits for it is decided anew by what is known then.
#[test]
fn what_waits_for_too_long_is_decided_anew() {
    let mut bench = quick();
    bench.fate = Fate::Kept;
    bench.commit(cattle(5_000, "1"));
    assert!(bench.open_creations() > 500);
    bench.wait(30);
    assert_eq!(bench.kept(), WINDOW);
    assert_eq!(bench.open_creations(), WINDOW as u64, "no other is open");
}

/// A group that is destroyed, the first calls of which are under way, and the creation of another one.
fn destroyed_beside_another() -> (Bench, KeptCreation) {
    let mut bench = quick();
    bench.commit(named("other", cattle(0, "1")));
    bench.wait(30);
    bench.fate = Fate::Kept;
    bench.commit(named("other", cattle(1, "1")));
    let creation = bench.take_creation();
    bench.commit(cattle(0, "1"));
    assert_eq!(bench.kept(), WINDOW - 1, "one creates");
    (bench, creation)
}

/// One of those that wait for a slot to be destroyed is gone, and what a creation of another group made has its id.
#[test]
fn what_waits_does_not_begin_once_another_group_was_given_the_id() {
    let (mut bench, _) = destroyed_beside_another();
    bench.release();
    // Far behind those that began at once, and decided with them.
    let asked = bench
        .made
        .iter()
        .filter_map(|deed| deed.strip_prefix("destroy "));
    let mut later = asked.map(|deed| deed.split(':').next().unwrap_or_default());
    let id = later.nth(2 * WINDOW).unwrap().to_owned();
    let (mut bench, creation) = destroyed_beside_another();
    bench.lose(&id);
    let made = bench.make(&creation, &id);
    bench.answer(creation, Ok(made));
    bench.release();
    bench.wait(120);
    assert_eq!(bench.count(&format!("destroy {id}:")), 0, "{id}");
    assert_eq!(bench.ids(), [id]);
    assert!(bench.converged(), "{}", bench.why());
}

#[test]
fn groups_get_their_slots_by_turns() {
    let mut bench = Bench::new();
    bench.fate = Fate::Kept;
    bench.commit(named("a", cattle(1_000, "1")));
    bench.commit(named("z", cattle(1_000, "1")));
    bench.commit(named("m", cattle(10, "1")));
    assert_eq!(bench.kept_by_group(), [("a", WINDOW)].into());
    bench.release_some(64);
    let kept = bench.kept_by_group();
    assert_eq!(kept["m"], 10, "the small one is through in its first turn");
    assert!(kept["z"] >= 16 && kept["a"] <= WINDOW - 64 + 38, "{kept:?}");
    for _ in 0..20 {
        bench.release_some(1);
    }
    let kept = bench.kept_by_group();
    assert!(kept["z"] + 10 >= kept["a"] - 64, "{kept:?}");
}

#[test]
fn a_plugin_that_hangs_keeps_no_other_plugin_waiting() {
    let mut bench = Bench::new();
    bench.hangs = Some("slow".into());
    let slow = spec(r#"{"Size":1000}"#, ("slow", "1"), "");
    bench.commit(named("a", slow));
    bench.commit(named("z", cattle(1_000, "1")));
    assert_eq!(bench.on("file"), 1_000);
    assert_eq!(bench.kept(), WINDOW);
}

#[test]
fn an_operators_limit_of_calls_holds() {
    let mut bench = Bench::with(Config::default(), Limits::default());
    bench.core = bench.another().with_calls_at_once(3);
    bench.fate = Fate::Kept;
    bench.commit(cattle(1_000, "1"));
    assert_eq!(bench.kept(), 3);
    let why = bench.core.why(&GROUP.into(), None, bench.now).unwrap();
    let said = why.lines.join("\n");
    assert!(
        said.contains("as many calls of `file` are under way as may be at once"),
        "{said}"
    );
}

/// So many creations, and so many destructions, are safe at once.
fn safe(create: Option<u64>, destroy: Option<u64>) -> Bench {
    let mut bench = Bench::new();
    let mut behaviour = Behaviour::default();
    behaviour.safe_parallel.create = create;
    behaviour.safe_parallel.destroy = destroy;
    bench.declare("file", behaviour);
    bench
}

/// One creation at a time may take very long, and destructions know nothing of it.
#[test]
fn slow_creations_keep_no_destruction_waiting() {
    let mut bench = safe(Some(1), None);
    bench.commit(named("z", cattle(20, "1")));
    bench.wait(60);
    bench.fate = Fate::Kept;
    bench.commit(cattle(3, "1"));
    assert_eq!(bench.kept_by_group(), [("g", 1)].into());
    let said = bench.why();
    let expected = "as many creations of `file` are under way as may be at once";
    assert!(said.contains(expected), "{said}");
    bench.calls_left = Some(20);
    bench.fate = Fate::Done;
    bench.commit(named("z", cattle(0, "1")));
    assert_eq!(bench.count("destroy"), 20);
    // The next one begins when this one ends.
    bench.calls_left = Some(1);
    bench.release_some(1);
    assert_eq!(bench.kept_by_group(), [("g", 1)].into());
}

#[test]
fn slow_destructions_keep_no_creation_waiting() {
    let mut bench = safe(None, Some(2));
    bench.arrive(cattle(20, "1"));
    bench.wait(60);
    bench.fate = Fate::Kept;
    bench.commit(cattle(0, "1"));
    assert_eq!(bench.kept(), 2);
    bench.commit(named("z", cattle(20, "1")));
    assert_eq!(bench.kept_by_group(), [("z", 20)].into());
    bench.release();
    bench.wait(60);
    assert_eq!(bench.ids().len(), 20);
}

#[test]
fn groups_get_what_is_safe_by_turns() {
    let mut bench = safe(Some(1), Some(1));
    bench.fate = Fate::Kept;
    for id in ["a", "m", "z"] {
        bench.commit(named(id, cattle(3, "1")));
    }
    let mut order = Vec::new();
    while bench.kept() > 0 {
        let kept = bench.kept_by_group();
        order.extend(kept.keys().map(|id| (*id).to_owned()));
        bench.release_some(1);
    }
    // The second one of `a` was waited for before the others came.
    assert_eq!(order, ["a", "a", "m", "z", "a", "m", "z", "m", "z"]);
}

/// Most plugins are asked what they declare while the first calls are under way.
#[test]
fn what_is_declared_late_holds_for_what_is_under_way() {
    let mut bench = Bench::new();
    bench.fate = Fate::Kept;
    bench.commit(cattle(10, "1"));
    assert_eq!(bench.kept(), 10);
    let mut behaviour = Behaviour::default();
    behaviour.safe_parallel.create = Some(2);
    bench.declare("file", behaviour);
    bench.commit(cattle(20, "1"));
    bench.release_some(8);
    assert_eq!(bench.kept(), 2);
    bench.release_some(1);
    assert_eq!(bench.kept(), 2);
    bench.release();
    bench.wait(60);
    assert_eq!(bench.ids().len(), 20);
}

/// What is taken back before it begins is decided anew, and speaks against a configuration once.
#[test]
fn a_destruction_that_is_taken_back_is_one_death() {
    let more = r#","Health":{"GracePeriod":"10s"}"#;
    let mut bench = Bench::new();
    bench.sick.insert("i-001".into());
    bench.commit(spec(r#"{"Size":5}"#, ("file", "1"), more));
    for hold in [Hold::Set, Hold::Release].into_iter().cycle().take(8) {
        bench.take_back_a_destruction(|core, _| {
            core.hold(&GROUP.into(), &"i-002".into(), hold).unwrap();
        });
    }
    let memory = bench.memory();
    let committed = bench.core.committed_specs().remove(0);
    let hash = Spec::parse(committed.properties.as_ref()).unwrap().hash;
    assert_eq!(memory.creation.crash_loop(&hash), None, "{}", bench.why());
}

#[test]
fn a_surplus_that_is_taken_back_is_no_failure_of_the_rollout() {
    let more = r#","Updating":{"FailureThreshold":3},"Health":{"GracePeriod":"10s"}"#;
    let roll = |size, note| spec(&format!(r#"{{"Size":{size}}}"#), ("file", note), more);
    let mut bench = Bench::new();
    bench.arrive(roll(6, "1"));
    bench.sick.insert("i-007".into());
    bench.commit(roll(6, "2"));
    bench.wait(3);
    let freeze = |core: &mut Core, freeze, now| drop(core.freeze(&GROUP.into(), freeze, now));
    freeze(&mut bench.core, Freeze::Set, bench.now);
    bench.wait(120);
    bench.scale(5);
    freeze(&mut bench.core, Freeze::Thaw, bench.now);
    bench.take_back_a_destruction(|core, now| freeze(core, Freeze::Set, now));
    bench.settle();
    assert!(bench.ids().contains(&"i-007"));
    let roll = bench.memory().roll.unwrap();
    assert_eq!((roll.failed, roll.paused), (0, None), "{}", bench.why());
}
