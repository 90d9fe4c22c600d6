//! Members that somebody holds, and what ends that.

use std::time::Duration;

use infrakit_spi::rollout::Hold;

use crate::bench::{Bench, Fate, GROUP, cattle};

fn held(bench: &Bench) -> Vec<String> {
    bench
        .memory()
        .held
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Whoever frees a group to commit it anew is looking into the member still.
#[test]
fn a_hold_outlives_a_group_that_is_freed_and_committed_anew() {
    for (restarts, open) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut bench = Bench::new();
        bench.arrive(cattle(3, "1"));
        bench.wait(60);
        bench.hold("i-002", Hold::Set);
        if open {
            bench.fate = Fate::Kept;
            bench.commit(cattle(4, "1"));
        }
        bench.free();
        assert_eq!(bench.records("freed/"), ["freed/g"]);
        if restarts {
            bench.restart();
        }
        bench.release();
        bench.wait(3 * 3_600);
        bench.commit(cattle(3, "2"));
        bench.wait(600);
        assert!(bench.ids().contains(&"i-002"), "{restarts} {open}");
        assert_eq!(held(&bench), ["i-002"], "{restarts} {open}");
        assert!(bench.records("freed/").is_empty(), "{restarts} {open}");
        bench.commit(cattle(0, "2"));
        bench.wait(600);
        assert_eq!(bench.ids(), ["i-002"], "{restarts} {open}");
        let group = GROUP.into();
        let released = bench.core.hold(&group, &"i-002".into(), Hold::Release);
        released.unwrap();
        bench.wait(60);
        assert!(bench.ids().is_empty(), "{restarts} {open}");
    }
}

/// Nothing is done about it, and yet the group is not as it was committed.
#[test]
fn a_group_that_a_hold_keeps_too_large_is_not_as_specified() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.wait(60);
    for id in ["i-001", "i-002"] {
        bench.hold(id, Hold::Set);
    }
    bench.wait(60);
    assert!(bench.converged(), "nobody has to go");
    bench.commit(cattle(2, "2"));
    bench.wait(300);
    assert!(bench.converged(), "there are as many as there are to be");
    bench.commit(cattle(1, "1"));
    bench.wait(300);
    assert_eq!(bench.ids().len(), 2);
    assert!(!bench.converged());
    let status = bench.core.rollout_status(&GROUP.into()).unwrap();
    assert!(!status.converged, "{status:?}");
    bench.hold("i-001", Hold::Release);
    bench.wait(60);
    assert!(bench.converged());
    assert_eq!(bench.ids(), ["i-002"]);
}

/// The plugin gives the id away while nobody looks.
#[test]
fn a_hold_of_a_former_group_is_not_about_another_with_the_same_id() {
    let mut bench = Bench::new();
    bench.arrive(cattle(1, "1"));
    bench.wait(60);
    bench.hold("i-001", Hold::Set);
    bench.free();
    bench.lose("i-001");
    bench.answered = Some("i-001".into());
    bench.commit(cattle(1, "1"));
    bench.wait(3 * 60);
    assert_eq!(held(&bench), [""; 0]);
}

#[test]
fn nothing_is_kept_of_holds_that_were_released() {
    let mut bench = Bench::new();
    bench.arrive(cattle(1, "1"));
    bench.hold("i-001", Hold::Set);
    bench.hold("i-001", Hold::Release);
    bench.free();
    bench.commit(cattle(0, "1"));
    assert!(bench.records("freed/").is_empty());
    assert_eq!(held(&bench), [""; 0]);
    bench.wait(60);
    assert!(bench.ids().is_empty());
}

/// Before the first list nobody knows whether it is there.
#[test]
fn a_group_with_a_held_member_is_not_destroyed_before_a_list_has_come() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.wait(60);
    bench.hold("i-001", Hold::Set);
    bench.hold_lists = true;
    bench.restart();
    bench.settle();
    let refused = bench.core.destroy(&GROUP.into()).unwrap_err();
    assert!(refused.to_string().contains("i-001"), "{refused}");
}

/// Lists have to lack a member for an hour. While nobody looks they lack nobody.
#[test]
fn the_hour_after_which_a_hold_ends_does_not_run_while_the_controller_is_away() {
    for restarts in [false, true] {
        let mut bench = Bench::new();
        bench.arrive(cattle(3, "1"));
        bench.wait(60);
        bench.hold("i-001", Hold::Set);
        let out_of_sight = bench.instance("i-001").clone();
        bench.lose("i-001");
        bench.wait(30);
        bench.now = bench.now + Duration::from_secs(2 * 3_600);
        if restarts {
            bench.restart();
        }
        bench.wait(30);
        assert_eq!(held(&bench), ["i-001"], "{restarts}");
        let key = ("file".into(), out_of_sight.id.clone());
        bench.instances.insert(key, out_of_sight);
        bench.wait(60);
        assert_eq!(held(&bench), ["i-001"], "{restarts}");
        bench.lose("i-001");
        bench.wait(3_700);
        assert_eq!(held(&bench), [""; 0], "{restarts}");
    }
}
