//! Ids that a list shows alive twice: nobody is asked to go by one, since nobody knows who would.

use infrakit_engine::core::{Call, Event, ListAnswer};
use infrakit_plan::Timestamp;
use infrakit_spi::instance::{Description, Listing, Locality};
use infrakit_spi::{Error, PluginName, tags};

use crate::bench::{Bench, Fate, GROUP, cattle, named};

/// Another living one with the id of a member, as one of a group.
fn twin_of(bench: &mut Bench, id: &str, group: &str) -> Description {
    let mut twin = bench.instance(id).clone();
    twin.tags.get_or_insert_default().extend([
        (tags::TOKEN.to_owned(), "nonce-90".to_owned()),
        (tags::GROUP.to_owned(), group.to_owned()),
    ]);
    twin
}

/// Begins a list, which is held.
fn list_under_way(bench: &mut Bench) -> (PluginName, Timestamp) {
    bench.hold_lists = true;
    bench.changed();
    bench.wait(1);
    bench.lists.remove(0)
}

/// A group of two beside another one of two, so old that nothing is held back for their youth.
fn beside() -> Bench {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.commit(named("other", cattle(2, "1")));
    bench.wait(300);
    bench
}

/// The same after a list that shows `i-001` as one of the other group's, too.
fn with_a_twin_elsewhere() -> Bench {
    let mut bench = beside();
    let held = list_under_way(&mut bench);
    let twin = twin_of(&mut bench, "i-001", "other");
    let mut shown = bench.all();
    shown.push(twin);
    bench.answer_list(held, Ok(Listing::Changed(shown, None)));
    bench.settle();
    bench
}

/// Two living ones with one id: what a list says of that group is worth nothing; the others go on.
#[test]
fn two_that_live_with_one_id_cost_their_group_and_no_other() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.commit(named("other", cattle(2, "1")));
    bench.wait(30);
    let held = list_under_way(&mut bench);
    let mut shown = bench.all();
    let twin = twin_of(&mut bench, "i-001", GROUP);
    // Of the other group one is gone.
    shown.retain(|one| one.id.as_str() != "i-003");
    shown.push(twin);
    bench.lose("i-003");
    bench.answer_list(held, Ok(Listing::Changed(shown, None)));
    bench.settle();
    let why = bench.why();
    assert!(
        why.contains("its list shows `i-001` twice, with two tokens"),
        "{why}"
    );
    assert_eq!(
        bench.count("create"),
        5,
        "the other one is healed: {:?}",
        bench.made
    );
    // Whom a call for that id would reach nobody knows.
    bench.commit(cattle(1, "1"));
    bench.settle();
    bench.sick.insert("i-001".into());
    bench.wait(20);
    assert_eq!(bench.count("destroy i-001"), 0, "{:?}", bench.made);
    assert_eq!(bench.count("destroy i-002"), 1, "{:?}", bench.made);
    bench.hold_lists = false;
    bench.sick.clear();
    for held in std::mem::take(&mut bench.lists) {
        let shown = Listing::Changed(bench.all(), None);
        bench.answer_list(held, Ok(shown));
    }
    bench.wait(30);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(bench.ids(), ["i-001", "i-004", "i-005"], "{:?}", bench.made);
}

/// The other one is in another group, which such a list does not show.
#[test]
fn a_list_of_one_group_does_not_tell() {
    for single in [false, true] {
        let mut bench = with_a_twin_elsewhere();
        assert!(bench.why().contains("twice"), "{}", bench.why());
        if single {
            bench.lists.clear();
            bench.core.refresh(&GROUP.into(), bench.now);
            bench.settle();
            assert_eq!(bench.lists.len(), 1);
            let held = bench.lists.remove(0);
            let own: Vec<_> = bench
                .all()
                .into_iter()
                .filter(|one| one.tags.as_ref().unwrap()[tags::GROUP] == GROUP)
                .collect();
            assert_eq!(own.len(), 2);
            bench.answer_list(held, Ok(Listing::Changed(own, None)));
            bench.settle();
        }
        bench.made.clear();
        bench.commit(cattle(0, "1"));
        bench.wait(20);
        assert_eq!(
            bench.count("destroy i-001"),
            0,
            "single {single} {:?}",
            bench.made
        );
    }
}

/// The destruction is being written when the list says so.
#[test]
fn what_is_being_written_meanwhile_does_not_begin() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.wait(300);
    let held = list_under_way(&mut bench);
    let twin = twin_of(&mut bench, "i-001", GROUP);
    let mut shown = bench.all();
    shown.push(twin);
    bench.sick.insert("i-001".into());
    bench.while_a_destruction_is_written(move |core, now| {
        let answer = ListAnswer {
            plugin: held.0.clone(),
            started: held.1,
            locality: Locality::Remote,
            outcome: Ok(Listing::Changed(shown.clone(), None)),
        };
        core.handle(Event::Listed(answer), now);
    });
    bench.settle();
    let why = bench.why();
    let kept = bench.take_kept();
    let destroyed = kept.iter().any(|call| matches!(call, Call::Destroy { .. }));
    assert!(!destroyed, "{why} {kept:?}");
}

/// A destruction is refused; before it is tried again its id is shown twice.
#[test]
fn nor_is_what_was_refused_tried_again() {
    for doubled in [false, true] {
        let mut bench = Bench::undeclared();
        bench.arrive(cattle(3, "1"));
        bench.commit(named("other", cattle(2, "1")));
        bench.wait(300);
        bench.fate = Fate::Kept;
        bench.commit(cattle(2, "1"));
        let subject = bench.take_destruction();
        let id = subject.id.to_string();
        bench.fate = Fate::Done;
        let held = list_under_way(&mut bench);
        bench.answer_destruction(subject, Err(Error::refused("503 service unavailable")));
        let twin = twin_of(&mut bench, &id, "other");
        let mut shown = bench.all();
        if doubled {
            shown.push(twin);
        }
        bench.answer_list(held, Ok(Listing::Changed(shown, None)));
        bench.settle();
        bench.wait(60);
        let again = bench.count(&format!("destroy {id}"));
        assert_eq!(
            again,
            usize::from(!doubled),
            "{doubled} {:?} {}",
            bench.made,
            bench.why()
        );
    }
}

/// The whole group goes, and the other one is not of it.
#[test]
fn nor_does_a_group_that_is_destroyed_take_a_member_of_another() {
    let mut bench = with_a_twin_elsewhere();
    bench.destroy();
    bench.wait(5);
    assert_eq!(bench.count("destroy i-001"), 0, "{:?}", bench.made);
}
