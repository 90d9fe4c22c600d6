//! Members that lists lacked for a moment: they may be back, also when their group goes.

use infrakit_spi::{Error, FailureClass};

use crate::bench::{Bench, GROUP, Instances, cattle, spec};

/// A group of two that lists have not shown for a moment, so that both were made anew; and what the
/// first two are.
fn doubled() -> Bench {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    let first = std::mem::take(&mut bench.instances);
    bench.changed();
    bench.wait(2);
    assert_eq!(bench.ids(), ["i-003", "i-004"]);
    bench.instances.extend(first);
    bench.changed();
    bench.wait(2);
    assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
    bench
}

/// The group is gone, with everybody who bore its tag.
fn is_gone(mut bench: Bench) {
    bench.wait(60);
    assert_eq!(bench.ids(), [""; 0], "{:?}", bench.made);
    bench.wait(60);
    assert!(bench.core.describe(&GROUP.into()).is_err());
    let left = bench.records("");
    let known = ["plugins/file", "term"];
    assert!(
        left.iter().all(|key| known.contains(&key.as_str())),
        "{left:?}"
    );
}

#[test]
fn those_that_lists_show_again_go_with_their_group() {
    for restarts in [false, true] {
        let mut bench = doubled();
        bench.destroy();
        bench.wait(1);
        let why = bench.core.why(&GROUP.into(), None, bench.now).unwrap();
        let why = why.lines.join("\n");
        assert!(why.contains("`i-001`, `i-002`"), "{why}");
        if restarts {
            bench.restart();
        }
        is_gone(bench);
    }
}

#[test]
fn that_lists_show_them_is_said() {
    let mut bench = doubled();
    let why = bench.why();
    assert!(
        why.contains("lists show `i-001`, `i-002` as well, which one before lacked"),
        "{why}"
    );
    bench.wait(60);
    assert!(!bench.why().contains("lacked"), "{}", bench.why());
    assert_eq!(bench.ids().len(), 2);
}

/// A group of so many members whom no list shows for a moment; others cannot be made in their place.
fn hidden(members: u64) -> Bench {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(members, "1"));
    let error = Error::refused("no more").with_class(FailureClass::Configuration);
    bench.refused.insert("Note".to_owned(), error);
    bench.stale = Some(Instances::new());
    bench.changed();
    bench.wait(1);
    bench
}

/// The request comes in the very moment.
#[test]
fn so_do_those_that_no_list_shows_when_it_is_asked_for() {
    let mut bench = hidden(2);
    bench.destroy();
    bench.wait(1);
    bench.stale = None;
    is_gone(bench);
}

/// A group of one that no list shows for a moment, and that moves to another plugin then.
fn moved_unseen() -> Bench {
    let mut bench = hidden(1);
    bench.refused.clear();
    bench.commit(spec(r#"{"Size":1}"#, ("new", "1"), ""));
    bench.wait(1);
    bench
}

#[test]
fn the_plugin_that_a_group_moves_from_is_looked_at_as_long_as_somebody_may_be_back() {
    let mut bench = moved_unseen();
    bench.stale = None;
    bench.wait(300);
    assert_eq!(
        (bench.on("file"), bench.on("new")),
        (0, 1),
        "{}",
        bench.why()
    );
    assert!(bench.memory().homes.is_empty());
}

#[test]
fn what_was_lost_where_a_group_moved_from_does_not_keep_it() {
    let mut bench = moved_unseen();
    bench.lose("i-001");
    bench.stale = None;
    bench.wait(60);
    bench.destroy();
    is_gone(bench);
}

/// Whoever commits a group anew that was destroyed means none of those that may be back.
#[test]
fn those_that_may_be_back_go_when_the_next_group_is_on_another_plugin() {
    let mut bench = hidden(2);
    bench.destroy();
    bench.wait(1);
    assert!(bench.core.describe(&GROUP.into()).is_err());
    bench.refused.clear();
    bench.commit(spec(r#"{"Size":1}"#, ("new", "1"), ""));
    bench.wait(1);
    bench.stale = None;
    bench.wait(300);
    assert_eq!(
        (bench.on("file"), bench.on("new")),
        (0, 1),
        "{}",
        bench.why()
    );
}

/// Nobody knows after a restart whom lists lacked a moment ago.
#[test]
fn a_group_is_not_gone_because_the_first_list_of_a_life_is_old() {
    for late in [false, true] {
        let mut bench = hidden(2);
        bench.destroy();
        if late {
            bench.wait(1);
        } else {
            bench.hold_lists = true;
            bench.settle();
            bench.hold_lists = false;
        }
        bench.restart();
        bench.wait(2);
        bench.stale = None;
        is_gone(bench);
    }
}
