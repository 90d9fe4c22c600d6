//! Ids that a list shows alive twice: nobody is asked to go by one, since nobody knows who would.

use infrakit_engine::core::{Call, Event, ListAnswer};
use infrakit_spi::instance::{Description, Listing, Locality};
use infrakit_spi::{Error, tags};

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

/// The other one is in another group, which such a list does not show.
#[test]
fn a_list_of_one_group_does_not_tell() {
    for single in [false, true] {
        let mut bench = Bench::undeclared();
        bench.arrive(cattle(2, "1"));
        bench.commit(named("other", cattle(2, "1")));
        bench.wait(300);
        bench.hold_lists = true;
        bench.changed();
        bench.wait(1);
        let held = bench.lists.remove(0);
        let twin = twin_of(&mut bench, "i-001", "other");
        let mut shown = bench.all();
        shown.push(twin);
        bench.answer_list(held, Ok(Listing::Changed(shown, None)));
        bench.settle();
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
    bench.hold_lists = true;
    bench.changed();
    bench.wait(1);
    let held = bench.lists.remove(0);
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
        bench.hold_lists = true;
        bench.changed();
        bench.wait(1);
        bench.answer_destruction(subject, Err(Error::refused("not now")));
        let held = bench.lists.remove(0);
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
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.commit(named("other", cattle(2, "1")));
    bench.wait(300);
    bench.hold_lists = true;
    bench.changed();
    bench.wait(1);
    let held = bench.lists.remove(0);
    let twin = twin_of(&mut bench, "i-001", "other");
    let mut shown = bench.all();
    shown.push(twin);
    bench.answer_list(held, Ok(Listing::Changed(shown, None)));
    bench.settle();
    bench.destroy();
    bench.wait(5);
    assert_eq!(bench.count("destroy i-001"), 0, "{:?}", bench.made);
}
