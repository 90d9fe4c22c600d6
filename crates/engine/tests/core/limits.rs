//! The governor, the ceiling, and members that are held.

use infrakit_engine::core::Limits;
use infrakit_plan::Config;
use infrakit_spi::InstanceId;

use crate::bench::{Bench, Fate, GROUP, cattle, spec};

#[test]
fn a_plugin_is_asked_for_no_more_than_so_many_a_minute() {
    let limits = Limits {
        creates_per_minute: Some(6),
        destroys_per_minute: Some(3),
    };
    let mut bench = Bench::with(Config::default(), limits);
    bench.commit(cattle(15, "1"));
    bench.wait(1);
    assert_eq!(bench.count("create"), 6);
    bench.wait(60);
    assert_eq!(bench.count("create"), 12);
    bench.wait(60);
    assert!(bench.converged());
    bench.commit(cattle(5, "1"));
    bench.wait(1);
    assert_eq!(bench.count("destroy"), 3);
    bench.wait(180);
    assert!(bench.converged());
    assert_eq!(bench.ids().len(), 5);
}

#[test]
fn no_group_may_be_larger_than_the_ceiling() {
    let config = Config {
        max_instances: Some(5),
        ..Config::default()
    };
    let mut bench = Bench::with(config, Limits::default());
    let error = bench.try_commit(cattle(6, "1")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a group may have 5 instances here, and 6 with a surge of 0 are more: ask for fewer, or raise INFRAKIT_GROUP_MAX_INSTANCES"
    );
    let surge = spec(
        r#"{"Size":5}"#,
        ("file", "1"),
        r#","Updating":{"MaxSurge":1}"#,
    );
    bench.try_commit(surge).unwrap_err();
    bench.arrive(cattle(5, "1"));
    let error = bench.core.set_size(&GROUP.into(), 6, bench.now);
    error.unwrap_err();
    bench.settle();
    assert_eq!(bench.core.size(&GROUP.into()).unwrap(), 5);
    // A ceiling that came down later lets a group shrink, however far.
    bench.config.max_instances = Some(2);
    bench.crash();
    bench.scale(4);
    bench.wait(60);
    assert_eq!(bench.ids().len(), 4);
    bench
        .core
        .set_size(&GROUP.into(), 5, bench.now)
        .unwrap_err();
}

#[test]
fn no_group_is_scaled_beyond_its_own_ceiling() {
    let mut bench = Bench::new();
    let bounded = spec(r#"{"Size":2,"MaxInstances":3}"#, ("file", "1"), "");
    bench.arrive(bounded);
    let error = bench.core.set_size(&GROUP.into(), 4, bench.now);
    assert_eq!(
        error.unwrap_err().to_string(),
        "the group may have 3 instances, as `Allocation.MaxInstances` says, and 4 are more: ask for fewer, or commit a higher ceiling"
    );
    bench.scale(3);
    assert_eq!(bench.core.size(&GROUP.into()).unwrap(), 3);
}

#[test]
fn what_is_held_is_not_destroyed() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    let held = bench.ids()[0].to_owned();
    hold(&mut bench, &held);
    let group = GROUP.into();
    let error = bench.core.destroy(&group).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "`{held}`: held in group 'g'; nothing was destroyed: release them first, with `infrakit group release g INSTANCE`"
        )
    );
    let ids = [held.as_str().into()];
    let error = bench.core.destroy_instances(&group, &ids, bench.now);
    error.unwrap_err();
    let other = [bench.ids()[1].into()];
    let accepted = bench.core.destroy_instances(&group, &other, bench.now);
    accepted.unwrap();
    bench.wait(60);
    assert_eq!(bench.ids(), [held.as_str()]);
}

#[test]
fn what_is_named_waits_for_the_budget_unless_it_is_to_go_now() {
    for now in [false, true] {
        let mut bench = Bench::new();
        bench.arrive(cattle(4, "1"));
        let ids: Vec<String> = bench.ids().into_iter().map(str::to_owned).collect();
        // So many sick that nothing is done about it: one serves, and two of three have to.
        bench
            .sick
            .extend(ids[1..].iter().map(|id| id.as_str().into()));
        bench.wait(120);
        let (group, named) = (GROUP.into(), [ids[0].as_str().into()]);
        let asked = if now {
            bench.core.destroy_instances_now(&group, &named, bench.now)
        } else {
            bench.core.destroy_instances(&group, &named, bench.now)
        };
        asked.unwrap();
        bench.wait(60);
        let left: Vec<&str> = ids
            .iter()
            .map(String::as_str)
            .skip(usize::from(now))
            .collect();
        assert_eq!(bench.ids(), left);
    }
}

/// Holds a member, as an operator does.
fn hold(bench: &mut Bench, id: &str) {
    use infrakit_store::{Change, Durability, Store as _};
    let mut memory = bench.memory();
    memory.held.insert(id.into());
    let change = Change::put_value("memory/g", &memory).unwrap();
    let written = bench.store.commit(vec![change], Durability::Synced);
    futures_util::FutureExt::now_or_never(written)
        .unwrap()
        .unwrap();
    bench.crash();
    bench.settle();
}

/// Who asks again since nobody answered in time means the same member.
#[test]
fn whoever_is_named_twice_makes_the_group_smaller_once() {
    let mut bench = Bench::new();
    bench.arrive(cattle(5, "1"));
    bench.fate = Fate::Kept;
    let group = GROUP.into();
    let destroy = |bench: &mut Bench, ids: &[InstanceId]| {
        let batch = bench.core.destroy_instances(&group, ids, bench.now);
        let written = batch.unwrap().is_some();
        bench.settle();
        written
    };
    assert!(destroy(&mut bench, &["i-001".into()]));
    assert!(!destroy(&mut bench, &["i-001".into()]));
    assert!(destroy(&mut bench, &["i-001".into(), "i-002".into()]));
    assert_eq!(bench.core.size(&group).unwrap(), 3);
    // At once: that is news, and no other goes.
    let now = bench.now;
    let urgent = bench
        .core
        .destroy_instances_now(&group, &["i-002".into()], now);
    assert!(urgent.unwrap().is_some());
    bench.settle();
    bench.fate = Fate::Done;
    bench.release();
    bench.wait(120);
    assert_eq!(bench.core.size(&group).unwrap(), 3);
    assert_eq!(bench.ids(), ["i-003", "i-004", "i-005"]);
}
