//! A group that moves from one instance plugin to another.

use infrakit_engine::core::Effect;
use infrakit_spi::rollout::Hold;

use crate::bench::{Bench, Fate, GROUP, cattle, spec};

pub(crate) fn on(plugin: &str, size: u64) -> infrakit_spi::group::GroupSpec {
    spec(&format!(r#"{{"Size":{size}}}"#), (plugin, "1"), "")
}

#[test]
fn a_group_moves_within_its_budget_and_leaves_nothing_behind() {
    let mut bench = Bench::new();
    bench.arrive(on("old", 4));
    bench.watch_extremes();
    let details = bench.commit(on("new", 4));
    assert_eq!(
        details,
        "Performing a rolling update on 4 instances, which moves them from `old` to `new`"
    );
    bench.wait(300);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!((bench.on("old"), bench.on("new")), (0, 4));
    assert_eq!(bench.extremes, (3, 4));
    assert!(bench.memory().homes.is_empty());
    // Nobody looks at the former home any more.
    bench.now.0 += 60_000_000_000;
    bench.core.look(bench.now);
    let lists = bench.core.take_effects().into_iter();
    let lists: Vec<String> = lists
        .filter_map(|effect| match effect {
            Effect::List { plugin, .. } => Some(plugin.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(lists, ["new"]);
}

#[test]
fn a_move_goes_on_after_a_crash_and_both_homes_are_watched() {
    let mut bench = Bench::new();
    bench.arrive(on("old", 4));
    bench.calls_left = Some(5);
    bench.commit(on("new", 4));
    bench.wait(5);
    assert_eq!((bench.on("old"), bench.on("new")), (1, 2));
    bench.crash();
    bench.wait(300);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!((bench.on("old"), bench.on("new")), (0, 4));
}

#[test]
fn ids_are_told_apart_by_their_plugins() {
    let mut bench = Bench::new();
    bench.arrive(on("old", 2));
    let ids: Vec<String> = bench.ids().iter().map(|id| (*id).to_owned()).collect();
    bench.fate = Fate::Kept;
    bench.commit(on("new", 2));
    // The new plugin counts from the beginning, too.
    let tags = infrakit_spi::Tags::from([("infrakit.group".to_owned(), GROUP.to_owned())]);
    for id in &ids {
        bench.plant("new", id, tags.clone());
    }
    bench.release();
    bench.wait(600);
    assert!(bench.converged());
    assert_eq!((bench.on("old"), bench.on("new")), (0, 2));
}

#[test]
fn a_creation_of_the_former_plugin_that_comes_late_is_found_and_removed() {
    let mut bench = Bench::new();
    bench.fate = Fate::Kept;
    bench.commit(on("old", 1));
    assert_eq!(bench.kept(), 1);
    bench.commit(on("new", 1));
    bench.wait(5);
    bench.release();
    bench.wait(300);
    assert!(bench.converged());
    assert_eq!((bench.on("old"), bench.on("new")), (0, 1));
}

/// Nobody looks at the former home any more when it comes.
#[test]
fn one_that_comes_when_it_was_given_up_is_looked_for_again() {
    let mut bench = Bench::new();
    bench.fate = Fate::Kept;
    bench.commit(on("old", 1));
    bench.restart();
    bench.fate = Fate::Done;
    bench.commit(on("new", 1));
    bench.wait(600);
    assert!(bench.memory().homes.is_empty());
    bench.release();
    bench.wait(300);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!((bench.on("old"), bench.on("new")), (0, 1));
}

#[test]
fn a_group_that_is_destroyed_in_mid_move_goes_from_both() {
    let mut bench = Bench::new();
    bench.arrive(on("old", 3));
    bench.calls_left = Some(2);
    bench.commit(on("new", 3));
    bench.wait(1);
    assert_eq!((bench.on("old"), bench.on("new")), (2, 1));
    bench.calls_left = None;
    bench.destroy();
    bench.release();
    bench.wait(60);
    assert_eq!(bench.ids(), Vec::<&str>::new());
    // What its plugin was seen to take outlives it.
    assert_eq!(bench.records(""), ["plugins/old", "term"]);
}

/// Members are left on both plugins then, and some have names that the other lacks.
#[test]
fn a_group_that_is_freed_in_mid_move_and_committed_anew_goes_on_with_it() {
    for (to, other, restarts) in [
        ("new", "old", false),
        ("new", "old", true),
        ("old", "new", false),
    ] {
        let mut bench = Bench::new();
        bench.arrive(on("old", 4));
        bench.calls_left = Some(3);
        bench.commit(on("new", 4));
        bench.wait(30);
        let pause = infrakit_spi::rollout::Command::Pause;
        let paused = bench.core.steer(&GROUP.into(), &pause, bench.now);
        paused.unwrap();
        bench.calls_left = None;
        bench.release();
        bench.wait(60);
        let there = (bench.on("old"), bench.on("new"));
        assert!(there.0 > 0 && there.1 > 0, "{there:?}");
        bench.free();
        if restarts {
            bench.restart();
        }
        bench.watch_extremes();
        bench.commit(on(to, 4));
        bench.wait(600);
        assert!(bench.converged(), "{to}: {}", bench.why());
        assert_eq!((bench.on(to), bench.on(other)), (4, 0), "{to} {restarts}");
        assert!(bench.extremes.1 <= 4, "{:?}", bench.extremes);
        assert!(bench.records("freed/").is_empty(), "{to}");
    }
}

/// So it is of a group that was not moving when it was freed: a commit takes over the members of its id.
#[test]
fn a_group_that_is_freed_and_committed_on_another_plugin_moves_there() {
    for restarts in [false, true] {
        let mut bench = Bench::new();
        bench.arrive(on("old", 4));
        bench.free();
        bench.wait(3_600);
        if restarts {
            bench.restart();
        }
        bench.watch_extremes();
        bench.commit(on("new", 4));
        bench.wait(600);
        assert!(bench.converged(), "{}", bench.why());
        assert_eq!((bench.on("new"), bench.on("old")), (4, 0), "{restarts}");
        let (least, most) = bench.extremes;
        assert!(least >= 3 && most <= 4, "{least} to {most}");
        assert!(bench.records("freed/").is_empty());
    }
}

#[test]
fn a_group_that_stays_has_one_home() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.arrive(cattle(2, "2"));
    assert!(bench.memory().homes.is_empty());
}

#[test]
fn two_names_of_one_plugin_do_not_make_two_members_of_one_instance() {
    let mut bench = Bench::new();
    bench.arrive(on("old", 4));
    bench.alias = Some(("old".into(), "new".into()));
    bench.watch_extremes();
    bench.commit(on("new", 4));
    bench.wait(300);
    assert_eq!(bench.extremes, (3, 4));
    assert!(bench.converged(), "{:?}", bench.made);
    assert_eq!((bench.count("create"), bench.count("destroy")), (8, 4));
}

/// Both go at once, and only one of them is answered.
#[test]
fn deeds_are_told_apart_by_plugins() {
    for first in [0, 1] {
        let mut bench = Bench::new();
        bench.arrive(on("old", 1));
        bench.fate = Fate::Kept;
        bench.commit(on("new", 1));
        let tags = infrakit_spi::Tags::from([("infrakit.group".to_owned(), GROUP.to_owned())]);
        bench.plant("new", "i-001", tags);
        bench.wait(60);
        bench.destroy();
        bench.settle();
        assert_eq!(bench.kept(), 2);
        bench.put_first(first);
        let gone: Vec<String> = bench
            .instances
            .keys()
            .map(|(home, _)| home.to_string())
            .collect();
        bench.release_some(1);
        let gone: Vec<&String> = gone.iter().filter(|home| bench.on(home) == 0).collect();
        let one = "i-001".into();
        let why = bench
            .core
            .why(&GROUP.into(), Some(&one), bench.now)
            .unwrap();
        let done = why.deeds.iter().filter(|deed| deed.action == "destroyed");
        let done: Vec<String> = done.map(|deed| deed.plugin.to_string()).collect();
        assert_eq!(done.iter().collect::<Vec<_>>(), gone);
        let open = why.deeds.iter().filter(|deed| deed.action == "destroying");
        assert_eq!(open.count(), 1);
    }
}

/// The hold of a member that is gone says nothing of one that has its id on another plugin.
#[test]
fn a_hold_is_not_about_one_with_the_same_id_elsewhere() {
    let left_over = || {
        let mut bench = Bench::new();
        bench.arrive(cattle(1, "1"));
        let one = "i-001".into();
        bench.core.hold(&GROUP.into(), &one, Hold::Set).unwrap();
        bench.settle();
        bench.lose("i-001");
        bench.answered = Some("i-001".into());
        bench.fate = Fate::Kept;
        bench.commit(spec(r#"{"Size":1}"#, ("other", "1"), ""));
        bench.wait(30);
        let creation = bench.take_creation();
        bench.make(&creation, "i-001");
        bench.fate = Fate::Done;
        bench.wait(60);
        assert_eq!(bench.on("other"), 1);
        bench
    };
    let (group, one) = (GROUP.into(), "i-001".into());
    let mut bench = left_over();
    let gone = [one];
    let batch = bench.core.destroy_instances(&group, &gone, bench.now);
    assert!(batch.unwrap().is_some());
    bench.wait(60);
    assert_eq!(bench.ids(), Vec::<&str>::new());
    let mut bench = left_over();
    let [one] = gone;
    let held = bench.core.hold(&group, &one, Hold::Set).unwrap();
    assert!(held.batch.is_some());
    bench.settle();
    bench.commit(spec(r#"{"Size":0}"#, ("other", "1"), ""));
    bench.wait(60);
    assert_eq!(bench.ids(), ["i-001"]);
}

/// Whoever has looked after the members by hand for longer than a month does not mean them any more, be it
/// that one of them is held.
#[test]
fn a_group_that_was_freed_long_ago_leaves_its_members_where_they_are() {
    for held in [false, true] {
        for restarts in [false, true] {
            let mut bench = Bench::new();
            bench.arrive(on("old", 2));
            if held {
                let first = bench.first();
                bench.hold(&first, Hold::Set);
            }
            bench.free();
            bench.wait(40 * 86_400);
            if restarts {
                bench.restart();
            }
            bench.commit(on("new", 2));
            bench.wait(600);
            let there = (bench.on("old"), bench.on("new"));
            assert_eq!(there, (2, 2), "{held} {restarts} {:?}", bench.made);
        }
    }
}
