//! What plugins declare of their destructions, of what proves absence, and of their ids.

use infrakit_plan::Spec;
use infrakit_spi::behaviour::{AbsentProof, Behaviour, Completeness, Seconds};
use infrakit_spi::instance::{Lifecycle, Listing};

use crate::bench::{Bench, GROUP, cattle};

fn destroys_at_once(behaviour: &mut Behaviour) {
    behaviour.destroy.asynchronous = Some(false);
}

#[test]
fn who_is_destroyed_by_the_answer_is_replaced_without_a_list() {
    for (asynchronous, calls) in [(None, (1, 2)), (Some(true), (1, 2)), (Some(false), (2, 4))] {
        let mut bench = Bench::declaring(|behaviour| behaviour.destroy.asynchronous = asynchronous);
        bench.arrive(cattle(2, "1"));
        bench.hold_lists = true;
        bench.commit(cattle(2, "2"));
        bench.wait(2);
        let made = (bench.count("destroy"), bench.count("create"));
        assert_eq!(made, calls, "{asynchronous:?}: {}", bench.why());
    }
}

/// A list that was asked for before the answer still shows it.
#[test]
fn a_list_from_before_the_answer_brings_nobody_back() {
    let mut bench = Bench::declaring(destroys_at_once);
    bench.arrive(cattle(2, "1"));
    bench.hold_lists = true;
    bench.wait(11);
    let held = bench.lists.remove(0);
    let all = bench.all();
    bench.commit(cattle(1, "1"));
    assert_eq!(bench.count("destroy"), 1);
    bench.hold_lists = false;
    bench.answer_list(held, Ok(Listing::Changed(all, None)));
    bench.wait(60);
    assert_eq!(bench.count("destroy"), 1, "{:?}", bench.made);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(bench.records("departures/"), [""; 0]);
}

/// What the plugin declares is not true.
#[test]
fn who_is_listed_for_long_after_the_answer_is_a_member_again() {
    let mut bench = Bench::declaring(destroys_at_once);
    bench.arrive(cattle(2, "1"));
    let all = bench.instances.clone();
    bench.commit(cattle(1, "1"));
    bench.instances = all;
    bench.wait(120);
    assert_eq!((bench.count("destroy"), bench.ids().len()), (2, 1));
    assert!(bench.converged(), "{}", bench.why());
}

#[test]
fn a_destroyed_group_is_gone_by_the_answers() {
    let mut bench = Bench::declaring(destroys_at_once);
    bench.arrive(cattle(3, "1"));
    bench.destroy();
    bench.wait(30);
    assert_eq!((bench.count("destroy"), bench.ids().len()), (3, 0));
    assert!(!bench.core.knows(&GROUP.into()));
    bench.restart();
    bench.arrive(cattle(2, "1"));
    assert_eq!(bench.records("departures/"), [""; 0]);
}

/// Lists are complete, and yet a member that is there may be missing from one.
fn proven_by(proof: AbsentProof) -> Bench {
    Bench::declaring(|behaviour| {
        behaviour.absent_proof = proof;
        behaviour.list.complete = Completeness::Yes;
        behaviour.list.durable = Some(true);
        behaviour.list.lag = Some(Seconds(5.0));
        behaviour.list.relapse = Some(Seconds(0.0));
        behaviour.visibility_window.list = Some(Seconds(40.0));
    })
}

#[test]
fn one_look_proves_that_one_is_gone_where_lists_prove_it() {
    for proof in [AbsentProof::Undeclared, AbsentProof::ListComplete] {
        let mut bench = proven_by(proof);
        bench.arrive(cattle(3, "1"));
        bench.lose("i-002");
        bench.wait(15);
        assert_eq!(bench.count("create"), 4, "{proof:?}");
    }
}

#[test]
fn a_second_look_proves_it_where_one_does_not() {
    for proof in [AbsentProof::BothTwice, AbsentProof::GetNotFound] {
        let mut bench = proven_by(proof);
        bench.arrive(cattle(3, "1"));
        // It is out of sight for a while, and there.
        let all = bench.instances.clone();
        bench.lose("i-002");
        bench.wait(35);
        assert_eq!(bench.count("create"), 3, "{proof:?}");
        assert!(bench.why().contains("a second one has to say so"));
        bench.instances = all;
        bench.wait(60);
        assert!(bench.converged(), "{}", bench.why());
        bench.lose("i-001");
        bench.wait(35);
        assert_eq!(bench.count("create"), 3, "{proof:?}");
        bench.wait(30);
        assert_eq!(bench.count("create"), 4, "{proof:?}: {}", bench.why());
    }
}

/// Pages that are found by counting may pass over one that is there when another one goes meanwhile.
#[test]
fn pages_that_need_not_show_one_moment_prove_nothing_alone() {
    for complete in [Completeness::Undeclared, Completeness::Yes] {
        let mut bench = Bench::declaring(|behaviour| {
            behaviour.list.page = Some(2);
            behaviour.list.complete = complete;
        });
        bench.arrive(cattle(3, "1"));
        let all = bench.instances.clone();
        bench.lose("i-002");
        bench.wait(12);
        let made = if complete == Completeness::Yes { 4 } else { 3 };
        assert_eq!(bench.count("create"), made, "{complete:?}: {}", bench.why());
        bench.instances = all;
        bench.wait(60);
        assert_eq!(bench.count("create"), made, "{complete:?}");
    }
}

#[test]
fn a_restart_takes_no_first_list_for_a_second_look() {
    let mut bench = proven_by(AbsentProof::BothTwice);
    bench.arrive(cattle(3, "1"));
    bench.restart();
    bench.lose("i-002");
    bench.wait(35);
    assert_eq!(bench.count("create"), 3, "{}", bench.why());
    bench.wait(30);
    assert_eq!(bench.count("create"), 4, "{}", bench.why());
}

#[test]
fn only_a_person_proves_it_where_no_look_does() {
    let mut bench = proven_by(AbsentProof::Never);
    bench.arrive(cattle(3, "1"));
    bench.lose("i-002");
    for _ in 0..2 {
        bench.wait(86_400);
        assert_eq!(bench.count("create"), 3, "{}", bench.why());
        assert!(bench.why().contains("no list proves"), "{}", bench.why());
        assert!(bench.why().contains("confirm-loss"), "{}", bench.why());
        assert_eq!(bench.degraded(), (true, "LossDoubted".to_owned()));
        bench.restart();
    }
    bench.wait(60);
    bench.core.confirm_loss(&GROUP.into(), bench.now).unwrap();
    bench.wait(60);
    assert_eq!(bench.count("create"), 4, "{}", bench.why());
    assert!(bench.converged(), "{}", bench.why());
}

/// Whoever was asked to go is gone as soon as a list lacks it: its plugin agreed.
#[test]
fn a_list_proves_that_those_are_gone_who_were_asked_to_go() {
    for proof in [AbsentProof::BothTwice, AbsentProof::Never] {
        let mut bench = proven_by(proof);
        bench.arrive(cattle(3, "1"));
        bench.commit(cattle(1, "1"));
        bench.wait(15);
        assert!(bench.converged(), "{proof:?}: {}", bench.why());
        bench.commit(cattle(1, "2"));
        bench.wait(60);
        assert!(bench.converged(), "{proof:?}: {}", bench.why());
    }
}

/// Their plugin says so itself.
#[test]
fn the_word_of_the_plugin_proves_it_whatever_lists_prove() {
    let mut bench = proven_by(AbsentProof::Never);
    bench.arrive(cattle(3, "1"));
    let one = bench.instances.values_mut().next().unwrap();
    one.state = Lifecycle::Gone;
    bench.wait(60);
    assert_eq!(bench.count("create"), 4, "{}", bench.why());
    bench
        .instances
        .retain(|_, one| one.state != Lifecycle::Gone);
    bench.wait(60);
    assert!(bench.converged(), "{}", bench.why());
}

/// Lists lag, and go on showing the members of the group that had the id before.
#[test]
fn whoever_went_with_a_group_is_no_member_of_the_next_one_of_its_id() {
    let mut bench = Bench::declaring(|behaviour| {
        destroys_at_once(behaviour);
        (behaviour.list.lag, behaviour.list.relapse) = (Some(Seconds(6.0)), Some(Seconds(6.0)));
    });
    bench.arrive(cattle(4, "1"));
    bench.stale = Some(bench.instances.clone());
    bench.destroy();
    bench.wait(1);
    assert!(bench.core.describe(&GROUP.into()).is_err());
    let raw = cattle(4, "2");
    let spec = Spec::parse(raw.properties.as_ref()).unwrap();
    bench.core.commit(raw, spec, "another", bench.now).unwrap();
    bench.wait(2);
    bench.stale = None;
    bench.wait(20);
    assert_eq!(bench.ids().len(), 4, "{}", bench.why());
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!((bench.count("create"), bench.count("destroy")), (8, 4));
}

/// Nor of the one after that, should that one have been short-lived.
#[test]
fn nor_of_the_one_after_the_next() {
    let mut bench = Bench::declaring(|behaviour| {
        destroys_at_once(behaviour);
        (behaviour.list.lag, behaviour.list.relapse) = (Some(Seconds(6.0)), Some(Seconds(6.0)));
    });
    bench.arrive(cattle(4, "1"));
    bench.stale = Some(bench.instances.clone());
    for (size, nonce) in [(0, "second"), (4, "third")] {
        bench.destroy();
        bench.wait(1);
        assert!(bench.core.describe(&GROUP.into()).is_err());
        let raw = cattle(size, "2");
        let spec = Spec::parse(raw.properties.as_ref()).unwrap();
        bench.core.commit(raw, spec, nonce, bench.now).unwrap();
        bench.wait(1);
    }
    bench.stale = None;
    bench.wait(20);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!((bench.count("create"), bench.count("destroy")), (8, 4));
}
