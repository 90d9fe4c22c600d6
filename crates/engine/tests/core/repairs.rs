//! Repairs before replacement, and the controller's own member.

use infrakit_plan::Config;
use infrakit_spi::group::GroupSpec;
use infrakit_spi::instance::{Lifecycle, Listing, Repaired};

use crate::bench::{Bench, spec};

fn repairable(note: &str) -> GroupSpec {
    let more = r#","Health":{"Repair":["reboot","reset"],"RepairWait":"1m"}"#;
    spec(r#"{"Size":4}"#, ("file", note), more)
}

/// A group whose plugin repairs what it is asked to, and one of its members.
fn one_to_repair() -> (Bench, String) {
    let mut bench = Bench::new();
    bench.repair = Some(Repaired::Done);
    bench.arrive(repairable("1"));
    let id = bench.ids()[1].to_owned();
    (bench, id)
}

#[test]
fn a_reboot_that_helps_is_all_that_is_done() {
    let (mut bench, id) = one_to_repair();
    bench.sick.insert(id.as_str().into());
    while bench.count("reboot") == 0 {
        bench.wait(5);
    }
    bench.sick.clear();
    bench.wait(600);
    assert!(bench.converged());
    assert_eq!(
        (
            bench.count("reboot"),
            bench.count("reset"),
            bench.count("destroy")
        ),
        (1, 0, 0)
    );
}

/// Its plugin called it stopped, and lists fail since: whether the reboot has helped is told by a list from after
/// that.
#[test]
fn what_a_plugin_said_before_a_repair_is_no_reason_for_the_next_step() {
    let (mut bench, id) = one_to_repair();
    bench.instance(&id).state = Lifecycle::Stopped;
    while bench.count("reboot") == 0 {
        bench.wait(5);
    }
    bench.instance(&id).state = Lifecycle::Running;
    bench.hold_lists = true;
    bench.wait(300);
    let steps = (bench.count("reset"), bench.count("destroy"));
    assert_eq!(steps, (0, 0), "{:?}", bench.made);
    bench.hold_lists = false;
    for list in std::mem::take(&mut bench.lists) {
        let all = bench.all();
        bench.answer_list(list, Ok(Listing::Changed(all, None)));
    }
    bench.wait(300);
    let steps = (bench.count("reset"), bench.count("destroy"));
    assert_eq!(steps, (0, 0), "{:?}", bench.made);
    assert!(bench.converged(), "{}", bench.why());
}

#[test]
fn steps_follow_each_other_and_then_the_member_is_replaced() {
    let (mut bench, id) = one_to_repair();
    bench.sick.insert(id.as_str().into());
    bench.wait(30);
    assert_eq!((bench.count("reboot"), bench.count("reset")), (1, 0));
    bench.crash();
    bench.wait(600);
    assert_eq!(
        (
            bench.count("reboot"),
            bench.count("reset"),
            bench.count("destroy")
        ),
        (1, 1, 1)
    );
    assert!(bench.converged());
}

#[test]
fn a_plugin_that_repairs_nothing_is_not_waited_for() {
    let mut bench = Bench::new();
    bench.arrive(repairable("1"));
    let id = bench.ids()[1].to_owned();
    bench.sick.insert(id.as_str().into());
    bench.wait(40);
    assert_eq!(
        (
            bench.count("reboot"),
            bench.count("reset"),
            bench.count("destroy")
        ),
        (1, 1, 1)
    );
}

#[test]
fn the_controllers_own_member_is_drained_last_and_stays() {
    let config = Config {
        self_logical_id: Some("a".into()),
        ..Config::default()
    };
    let mut bench = Bench::with(config, infrakit_engine::core::Limits::default());
    let pets = |note: &str| spec(r#"{"LogicalIDs":["a","b","c"]}"#, ("file", note), "");
    bench.arrive(pets("1"));
    bench.commit(pets("2"));
    bench.wait(300);
    assert_eq!((bench.count("destroy"), bench.count("drain")), (2, 1));
    assert!(bench.made.last().unwrap().starts_with("drain"));
    bench.crash();
    bench.wait(60);
    assert_eq!(bench.count("drain"), 1);
}
