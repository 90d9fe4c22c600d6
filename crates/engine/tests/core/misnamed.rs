//! What creations are answered with: ids of members that go, and of the dead.

use infrakit_engine::core::Subject;
use infrakit_spi::behaviour::{Reuse, Seconds};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::instance::{Lifecycle, Listing};
use infrakit_spi::{Error, tags};

use crate::bench::{Bench, Fate, GROUP, KeptCreation, cattle, spec};

fn pets(names: &str) -> GroupSpec {
    pets_with(names, "")
}

fn pets_with(names: &str, more: &str) -> GroupSpec {
    spec(&format!(r#"{{"LogicalIDs":{names}}}"#), ("file", "1"), more)
}

/// Two named ones, of which the first is sick and was asked to go.
fn one_goes(reused: Reuse) -> (Bench, Subject) {
    let mut bench = Bench::declaring(|behaviour| behaviour.id.reused = reused);
    bench.arrive(pets(r#"["a","b"]"#));
    bench.wait(400);
    bench.sick.insert("i-001".into());
    bench.fate = Fate::Kept;
    bench.wait(200);
    let subject = bench.take_destruction();
    (bench, subject)
}

/// As [`one_goes`]; the creation of a third has begun.
fn one_goes_and_one_comes(reused: Reuse) -> (Bench, Subject, KeptCreation) {
    let (mut bench, subject) = one_goes(reused);
    bench.commit(pets(r#"["a","b","c"]"#));
    let creation = bench.take_creation();
    (bench, subject, creation)
}

/// Either its plugin uses the id again, or it has named the wrong one. The name of whoever goes is not free
/// before a list tells.
#[test]
fn the_id_of_one_that_goes_frees_no_name() {
    for reused in [Reuse::Undeclared, Reuse::AfterDelete, Reuse::Never] {
        let (mut bench, subject, creation) = one_goes_and_one_comes(reused);
        let there = bench.instance("i-001").clone();
        bench.make(&creation, "i-009");
        bench.hold_lists = true;
        bench.answer(creation, Ok(there));
        bench.fate = Fate::Done;
        bench.settle();
        let blamed = bench.why().contains("it is not touched");
        assert_eq!(blamed, reused == Reuse::Never, "{}", bench.why());
        bench.hold_lists = false;
        for held in std::mem::take(&mut bench.lists) {
            let shown = Listing::Changed(bench.all(), None);
            bench.answer_list(held, Ok(shown));
        }
        bench.wait(20);
        assert_eq!(bench.count("create"), 2, "{reused:?} {}", bench.why());
        bench.answer_destruction(subject, Ok(()));
        bench.lose("i-001");
        bench.wait(60);
        assert_eq!(bench.names(), ["a", "b", "c"].into(), "{}", bench.why());
        assert_eq!(bench.count("create"), 3, "{:?}", bench.made);
        assert!(bench.converged(), "{}", bench.why());
    }
}

/// It went, and its id was given to the next one: as soon as a list tells, that is a member, and whoever went
/// is not asked again.
#[test]
fn an_id_that_is_used_again_is_believed_when_a_list_shows_it() {
    let (mut bench, subject, creation) = one_goes_and_one_comes(Reuse::Undeclared);
    bench.lose("i-001");
    bench.sick.clear();
    let made = bench.make(&creation, "i-001");
    bench.answer(creation, Ok(made));
    bench.fate = Fate::Done;
    bench.answer_destruction(subject, Err(Error::unknown("no answer")));
    bench.wait(60);
    assert_eq!(bench.names(), ["a", "b", "c"].into(), "{}", bench.why());
    assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
    assert_eq!(bench.count("create"), 3, "{:?}", bench.made);
    assert!(bench.converged(), "{}", bench.why());
}

/// Where ids are used again, that of one of the dead is free while they are still listed.
#[test]
fn the_id_of_a_listed_dead_one_is_free() {
    let mut bench = Bench::declaring(|behaviour| {
        behaviour.id.reused = Reuse::AfterDelete;
        behaviour.tombstone = Some(Seconds(3600.0));
    });
    bench.arrive(cattle(2, "1"));
    bench.wait(30);
    bench.instance("i-001").state = Lifecycle::Gone;
    bench.fate = Fate::Kept;
    bench.wait(10);
    let creation = bench.take_creation();
    bench.lose("i-001");
    let made = bench.make(&creation, "i-001");
    bench.answer(creation, Ok(made));
    bench.fate = Fate::Done;
    let why = bench.why();
    assert!(!why.contains("answered a creation with"), "{why}");
    bench.wait(60);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(bench.count("create"), 2, "{:?}", bench.made);
}

/// Its token is not readable, a list shows what a creation made before its answer comes, and somebody
/// destroys that: the answer is right, whether ids are used again or not.
#[test]
fn an_answer_that_comes_after_a_list_is_right() {
    for reused in [Reuse::Never, Reuse::AfterDelete] {
        let mut bench = Bench::declaring(|behaviour| {
            behaviour.id.reused = reused;
            behaviour.token_readable = Some(false);
        });
        bench.arrive(cattle(1, "1"));
        bench.fate = Fate::Kept;
        bench.commit(cattle(2, "1"));
        let creation = bench.take_creation();
        let made = bench.make(&creation, "i-009");
        bench.wait(20);
        let _ = bench.ask_to_go("i-009");
        bench.answer(creation, Ok(made));
        bench.settle();
        let why = bench.why();
        let failures = bench.memory().creation.failures();
        assert_eq!(failures, 0, "{reused:?} {why}");
    }
}

/// What a former life asked for happens when the next one creates.
#[test]
fn nobody_is_blamed_after_a_restart_either() {
    let (mut bench, _) = one_goes(Reuse::AfterDelete);
    bench.restart();
    bench.settle();
    bench.commit(pets(r#"["a","b","c"]"#));
    let creation = bench.take_creation();
    // What the former life asked for happens now.
    bench.lose("i-001");
    let made = bench.make(&creation, "i-001");
    bench.answer(creation, Ok(made));
    bench.settle();
    let failures = bench.memory().creation.failures();
    assert_eq!(failures, 0, "{}", bench.why());
}

/// One that was not asked to go yet may have gone by itself, or be there.
#[test]
fn nor_does_that_of_one_that_was_not_asked_yet() {
    let mut bench = Bench::declaring(|behaviour| behaviour.id.reused = Reuse::AfterDelete);
    bench.arrive(wide(r#"["a","b","d","e"]"#));
    bench.wait(400);
    bench.fate = Fate::Kept;
    bench.commit(wide(r#"["a","b","d","e","c"]"#));
    let creation = bench.take_creation();
    // What the engine makes of an answer that names `i-001`.
    let mut there = bench.make(&creation, "i-009");
    there.id = "i-001".into();
    bench.hold_lists = true;
    bench.sick.insert("i-001".into());
    let answer = Bench::answer_of(&creation, there);
    bench.while_a_destruction_is_written(answer);
    bench.settle();
    let calls = format!("{:?}", bench.take_kept());
    assert!(
        !calls.contains("Provision"),
        "`a` is there, and is made a second time: {calls}"
    );
    let bodies = |bench: &Bench| {
        let all = bench.all().into_iter();
        let names = all.filter_map(|one| {
            one.tags
                .and_then(|tags| tags.get(tags::LOGICAL_ID).cloned())
        });
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    let held = bodies(&bench);
    assert_eq!(
        held,
        ["a", "b", "c", "d", "e"],
        "{:?} {}",
        bench.made,
        bench.why()
    );
}

fn wide(names: &str) -> GroupSpec {
    pets_with(names, r#","Updating":{"MaxUnavailable":3}"#)
}

/// Somebody's machine is listed for the group, or goes by its plugin's own word, and its id is given to what
/// a creation makes: that is there, and nobody is made in its place.
#[test]
fn the_id_of_one_that_nobody_has_made_may_be_that_of_the_next_one() {
    // One that is gone keeps no place.
    let (going, gone) = (&["a", "b"][..], &["a"][..]);
    for readable in [true, false] {
        for (state, names) in [
            (Lifecycle::Terminating, going),
            (Lifecycle::Gone, gone),
            (Lifecycle::Running, going),
            (Lifecycle::Unsaid, going),
        ] {
            let mut bench = Bench::declaring(|plugin| {
                plugin.token_readable = Some(readable);
                plugin.id.reused = Reuse::Always;
            });
            let tags = [(tags::GROUP, GROUP), (tags::LOGICAL_ID, "b")];
            let tags = tags.map(|(tag, value)| (tag.to_owned(), value.to_owned()));
            bench.plant("file", "machine", tags.into());
            bench.instance("machine").state = state.clone();
            bench.fate = Fate::Kept;
            bench.commit(pets(&format!("{names:?}")));
            let creation = bench.take_creation();
            bench.lose("machine");
            let made = bench.make(&creation, "machine");
            bench.fate = Fate::Done;
            bench.hold_lists = true;
            bench.answer(creation, Ok(made));
            bench.settle();
            bench.hold_lists = false;
            bench.lists.clear();
            bench.restart();
            bench.wait(120);
            let told = format!("{state:?} {readable} {:?} {}", bench.made, bench.why());
            assert_eq!(bench.names(), names.iter().copied().collect(), "{told}");
            assert_eq!(bench.ids().len(), names.len(), "{told}");
            assert_eq!(bench.count("create"), names.len() - 1, "{told}");
            assert_eq!(bench.count("destroy"), 0, "{told}");
            assert!(bench.converged(), "{told}");
        }
    }
}
