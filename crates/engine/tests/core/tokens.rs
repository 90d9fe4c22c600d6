//! Providers whose lists do not show the token of an instance.

use infrakit_spi::tags;

use crate::bench::{Bench, Fate, GROUP, cattle};

fn readable(readable: Option<bool>) -> Bench {
    Bench::declaring(|behaviour| behaviour.token_readable = readable)
}

/// Takes the tokens off all instances, as lists show them.
fn strip(bench: &mut Bench) {
    for one in bench.instances.values_mut() {
        one.tags.as_mut().unwrap().remove(tags::TOKEN);
    }
}

/// Nobody knows which it is, but it is a member.
#[test]
fn a_creation_that_nobody_can_find_is_no_failure() {
    let mut bench = readable(Some(false));
    bench.arrive(cattle(2, "1"));
    bench.fate = Fate::Unheard;
    bench.commit(cattle(3, "1"));
    strip(&mut bench);
    bench.restart();
    bench.fate = Fate::Done;
    bench.wait(300);
    assert_eq!((bench.count("create"), bench.count("destroy")), (3, 0));
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(bench.open_creations(), 0);
    assert_eq!(bench.memory().creation.last(), "");
}

#[test]
fn one_that_came_to_nothing_is_made_again_when_its_provider_gives_up() {
    for said in [None, Some(true), Some(false)] {
        let mut bench = readable(said);
        bench.arrive(cattle(2, "1"));
        bench.fate = Fate::Lost;
        bench.commit(cattle(3, "1"));
        strip(&mut bench);
        bench.restart();
        bench.fate = Fate::Done;
        bench.wait(20);
        assert_eq!(bench.count("create"), 2, "{said:?}");
        bench.wait(60);
        assert_eq!(bench.count("create"), 3, "{said:?}");
    }
}

/// What made a member is known from the answer, and is not forgotten since lists do not say it: else
/// nobody would notice that they all die young.
#[test]
fn members_that_die_young_are_made_ever_more_rarely() {
    let mut bench = readable(Some(false));
    bench.arrive(cattle(2, "1"));
    let look = |bench: &mut Bench| {
        bench.changed();
        bench.wait(1);
    };
    for _ in 0..600 {
        strip(&mut bench);
        look(&mut bench);
        bench.instances.clear();
        look(&mut bench);
    }
    assert!(bench.count("create") < 120, "{}", bench.count("create"));
}

/// A list shows it before its answer comes.
#[test]
fn who_is_listed_before_its_answer_came_is_known_by_that() {
    let mut bench = readable(Some(false));
    bench.arrive(cattle(1, "1"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(2, "1"));
    let creation = bench.take_creation();
    bench.fate = Fate::Done;
    let made = bench.make(&creation, "x");
    strip(&mut bench);
    bench.wait(30);
    assert_eq!((bench.count("create"), bench.count("destroy")), (1, 0));
    bench.answer(creation, Ok(made));
    bench.wait(60);
    assert_eq!((bench.count("create"), bench.count("destroy")), (1, 0));
    assert!(bench.converged(), "{}", bench.why());
}

/// Whatever lists show as a token is none: a provider may copy tags.
#[test]
fn a_token_that_is_shown_all_the_same_proves_nothing() {
    for (said, settled) in [(None, true), (Some(true), true), (Some(false), false)] {
        let mut bench = readable(said);
        bench.arrive(cattle(1, "1"));
        bench.fate = Fate::Lost;
        bench.commit(cattle(2, "1"));
        let mut tags = bench.tags();
        let token = tags.get(tags::TOKEN).unwrap().clone();
        tags.insert(tags::TOKEN.to_owned(), token.replace("-0", "-1"));
        bench.plant("file", "copy", tags);
        bench.restart();
        bench.fate = Fate::Done;
        bench.wait(5);
        let waits = bench.why().contains("waiting for 1 creation");
        assert_eq!(waits, !settled, "{said:?}: {}", bench.why());
        bench.wait(120);
        assert!(bench.converged(), "{}", bench.why());
        let described = bench.core.describe(&GROUP.into()).unwrap();
        assert_eq!(described.instances.iter().flatten().count(), 2);
    }
}

/// A member is to go that a list showed before its creation was answered. The answer only says what it came
/// of: after a restart the same one goes, and no other beside it.
#[test]
fn who_is_to_go_goes_on_though_it_is_learned_later_what_it_came_of() {
    let mut bench = readable(Some(false));
    bench.arrive(cattle(2, "1"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(3, "1"));
    let creation = bench.take_creation();
    let made = bench.make(&creation, "x");
    bench.sick.insert("x".into());
    strip(&mut bench);
    bench.changed();
    bench.wait(20);
    bench.scale(2);
    bench.settle();
    bench.answer(creation, Ok(made));
    bench.settle();
    let leaves = |bench: &Bench| {
        let why = |id: &str| {
            let why = bench.core.why(&GROUP.into(), Some(&id.into()), bench.now);
            why.unwrap().lines.remove(0)
        };
        ["i-001", "i-002", "x"].map(|id| why(id).contains("goes since"))
    };
    assert_eq!(leaves(&bench), [false, false, true]);
    bench.sick = ["i-001".into()].into();
    bench.restart();
    bench.wait(60);
    assert_eq!(leaves(&bench), [false, false, true]);
    bench.release();
    bench.wait(60);
    assert_eq!(bench.ids(), ["i-001", "i-002"]);
}
