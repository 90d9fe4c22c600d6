//! Whose an id is: answers that name instances of others, answers that come too late, and lists
//! that were under way when a group came.

use std::time::Duration;

use infrakit_spi::behaviour::{Reuse, Seconds};
use infrakit_spi::instance::{Description, Fingerprint, Lifecycle, Listing};
use infrakit_spi::rollout::Hold;
use infrakit_spi::{Tags, tags};

use crate::bench::{Bench, Fate, GROUP, cattle, named};

fn foreign() -> Tags {
    Tags::from([("infrakit.group".to_owned(), "other".to_owned())])
}

#[test]
fn the_id_of_a_member_of_another_group_is_refused() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(3, "1"));
    let other = named("other", cattle(1, "1"));
    bench.answered = Some(bench.ids()[0].into());
    bench.commit(other);
    bench.wait(2);
    let why = bench.core.why(&"other".into(), None, bench.now).unwrap();
    let why = why.lines.join("\n");
    assert!(
        why.contains("answered a creation with `i-001`, which is a member of group `g`"),
        "{why}"
    );
    bench.answered = None;
    let none = named("other", cattle(0, "1"));
    bench.commit(none);
    bench.wait(60);
    assert_eq!((bench.ids().len(), bench.count("destroy")), (3, 0));
    assert!(bench.converged());
}

#[test]
fn so_is_one_that_an_earlier_list_showed_as_nobodys() {
    let mut bench = Bench::undeclared();
    bench.plant("file", "x", Tags::new());
    bench.arrive(cattle(1, "1"));
    bench.answered = Some("x".into());
    bench.commit(cattle(2, "1"));
    bench.wait(2);
    bench.commit(cattle(0, "1"));
    bench.wait(60);
    assert_eq!(bench.ids(), ["x"]);
}

#[test]
fn one_that_a_list_shows_as_anothers_is_let_go_and_not_touched() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(1, "1"));
    bench.plant("file", "x", foreign());
    bench.answered = Some("x".into());
    bench.commit(cattle(2, "1"));
    bench.answered = None;
    bench.wait(5);
    bench.commit(cattle(0, "1"));
    bench.wait(60);
    assert_eq!(bench.ids(), ["x"]);
    assert_eq!(bench.count("destroy"), 1);
}

#[test]
fn any_other_id_counts_at_once() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(1, "1"));
    bench.answered = Some("y".into());
    bench.commit(cattle(2, "1"));
    bench.wait(5);
    assert_eq!(bench.count("create"), 2, "no list shows it yet");
}

#[test]
fn an_answer_that_comes_late_is_not_booked_on_a_successor_with_the_same_id() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(1, "1"));
    let subject = bench.take_destruction();
    let id = subject.id.to_string();
    let mut tags = bench.instance(&id).tags.clone().unwrap();
    bench.fate = Fate::Done;
    bench.lose(&id);
    bench.wait(30);
    // A new one, by a creation of its own.
    tags.insert("infrakit.token".to_owned(), "nonce-90".to_owned());
    bench.commit(cattle(2, "1"));
    bench.wait(30);
    bench.lose("i-003");
    bench.plant("file", &id, tags);
    bench.wait(30);
    let before = bench.count("destroy");
    bench.answer_destruction(subject, Ok(()));
    bench.settle();
    let group = bench.core.describe(&"g".into()).unwrap();
    assert_eq!(bench.count("destroy"), before);
    assert!(
        group
            .instances
            .unwrap()
            .iter()
            .any(|one| one.id.as_str() == id)
    );
    assert!(!bench.why().contains("goes since"), "{}", bench.why());
}

/// A list that was under way when a group came was not read for it; "unchanged" since then says
/// nothing of it.
#[test]
fn a_group_that_comes_while_a_list_is_under_way_is_not_taken_for_empty() {
    let mut bench = Bench::new();
    bench.arrive(cattle(1, "1"));
    bench.hold_lists = true;
    bench.wait(20);
    let held = bench.lists.remove(0);
    assert_eq!(bench.lists, []);
    // Its members are there already: it is adopted.
    let other = named("other", cattle(1, "1"));
    let mut tags = bench.tags();
    tags.insert("infrakit.group".to_owned(), "other".to_owned());
    tags.remove("infrakit.token");
    bench.plant("file", "z", tags);
    bench.commit(other);
    let fingerprint = Some(Fingerprint([1, 2]));
    let listing = Listing::Changed(bench.all(), fingerprint);
    bench.answer_list(held, Ok(listing));
    bench.wait(1);
    let held = bench.lists.remove(0);
    bench.answer_list(held, Ok(Listing::Unchanged));
    bench.settle();
    assert_eq!(bench.count("create"), 1, "{:?}", bench.made);
}

/// Whoever makes a group smaller as soon as it is there does not wait for the next poll.
#[test]
fn what_was_just_made_goes_as_soon_as_a_list_shows_it() {
    let mut bench = Bench::new();
    bench.commit(cattle(3, "1"));
    bench.now = bench.now + Duration::from_millis(500);
    bench.settle();
    assert_eq!(bench.ids().len(), 3);
    bench.scale(1);
    bench.wait(2);
    assert_eq!(bench.ids().len(), 1);
}

#[test]
fn an_answer_without_an_id_names_nobody() {
    let mut bench = Bench::new();
    bench.arrive(cattle(1, "1"));
    bench.answered = Some("".into());
    bench.commit(cattle(2, "1"));
    let why = bench.why();
    assert!(why.contains("answered a creation without an id"), "{why}");
    bench.answered = None;
    bench.commit(cattle(0, "1"));
    bench.wait(60);
    let nobody = |call: &String| call.starts_with("destroy :");
    assert!(!bench.made.iter().any(nobody), "{:?}", bench.made);
}

/// A destruction that was accepted is not asked for again before a list has shown that it came to
/// nothing: by then the id may be that of a stranger.
#[test]
fn nobody_is_destroyed_again_before_a_list_has_shown_it() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.hold_lists = true;
    bench.commit(cattle(2, "1"));
    assert_eq!((bench.count("destroy"), bench.ids().len()), (1, 2));
    // No list comes: the control plane is away. Somebody else gets the lowest free id.
    let gone = bench
        .made
        .iter()
        .find_map(|call| call.strip_prefix("destroy "));
    let gone = gone.unwrap().split(':').next().unwrap().to_owned();
    bench.plant(
        "file",
        &gone,
        Tags::from([("owner".to_owned(), "somebody".to_owned())]),
    );
    bench.wait(300);
    assert!(bench.ids().contains(&gone.as_str()), "{:?}", bench.made);
}

/// A group of two, one of which carries no token.
fn without_token() -> Bench {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    let mut tags = bench.tags();
    tags.remove(tags::TOKEN);
    bench.lose("i-002");
    bench.plant("file", "x", tags);
    bench.wait(60);
    bench
}

/// Of a member without a token (adopted, or of an earlier record of the group) only the order of
/// things tells another life of its id apart.
#[test]
fn a_new_member_with_the_id_of_one_without_a_token_that_went_is_not_destroyed() {
    let mut bench = without_token();
    let subject = bench.ask_to_go("x");
    // It is carried out, and its id is given to the next creation at once.
    bench.lose("x");
    bench.commit(cattle(3, "1"));
    let creation = bench.take_creation();
    let made = bench.make(&creation, "x");
    bench.answer_destruction(subject, Ok(()));
    bench.answer(creation, Ok(made));
    bench.fate = Fate::Done;
    let before = bench.count("destroy");
    bench.wait(3_600);
    assert_eq!(bench.count("destroy"), before, "{:?}", bench.made);
}

/// Nor is one whose creation was under way when that one was asked to go, or held.
#[test]
fn nor_is_one_whose_creation_was_under_way_by_then() {
    for held in [false, true] {
        let mut bench = without_token();
        bench.fate = Fate::Kept;
        bench.commit(cattle(3, "1"));
        let creation = bench.take_creation();
        if held {
            bench.hold("x", Hold::Set);
            bench.lose("x");
        } else {
            let subject = bench.ask_to_go("x");
            bench.lose("x");
            bench.answer_destruction(subject, Ok(()));
        }
        let made = bench.make(&creation, "x");
        bench.answer(creation, Ok(made));
        bench.fate = Fate::Done;
        let before = bench.count("destroy");
        bench.wait(3_600);
        assert_eq!(bench.count("destroy"), before, "{held}: {:?}", bench.made);
        assert!(bench.memory().held.is_empty());
    }
}

/// Of a plugin with one group all lists are of that one, and tell all the same who is gone.
#[test]
fn an_id_that_comes_again_long_after_it_went_is_that_of_a_new_member() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.answered = Some("i-001".into());
    bench.lose("i-001");
    bench.wait(60);
    let why = bench.why();
    assert!(
        !why.contains("was listed before that creation began"),
        "{why}"
    );
}

/// So do lists that cover a part of the world.
#[test]
fn so_is_one_that_lists_of_a_part_lack() {
    let mut bench = Bench::undeclared();
    let zone = |name: &str| {
        let mut tags = foreign();
        tags.insert("zone".to_owned(), name.to_owned());
        tags
    };
    bench.plant("file", "i-001", zone("a"));
    bench.covers = Some(["a".to_owned()].into());
    for group in ["g", "h"] {
        bench.commit(named(group, cattle(0, "1")));
        bench.wait(30);
    }
    bench.lose("i-001");
    bench.wait(60);
    bench.commit(cattle(1, "1"));
    let why = bench.why();
    assert!(
        !why.contains("was listed before that creation began"),
        "{why}"
    );
}

/// The next lists show this.
fn shows(bench: &mut Bench, list: &[Description]) {
    bench.hold_lists = true;
    bench.wait(12);
    for held in std::mem::take(&mut bench.lists) {
        bench.answer_list(held, Ok(Listing::Changed(list.to_vec(), None)));
    }
    bench.settle();
}

/// A plugin that shows one id for all its instances: its lists are refused, and nobody is asked to go for them.
#[test]
fn a_list_that_shows_one_id_as_of_two_creations_is_refused() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    let mut list = bench.all();
    list[0].id = "same".into();
    list[1].id = "same".into();
    shows(&mut bench, &list);
    assert_eq!(bench.made.len(), 2, "{:?}", bench.made);
    assert_eq!(
        bench
            .core
            .describe(&GROUP.into())
            .unwrap()
            .instances
            .unwrap()
            .len(),
        2
    );
    let said = bench.why();
    assert!(said.contains("shows `same` twice"), "{said}");
}

/// Providers that list the dead show the former life of an id beside the one that has it now.
#[test]
fn a_former_life_in_a_list_is_not_a_second_member() {
    for first in [false, true] {
        let mut bench = Bench::new();
        bench.arrive(cattle(2, "1"));
        let mut list = bench.all();
        let mut dead = list[0].clone();
        dead.state = Lifecycle::Gone;
        let former = dead.tags.as_mut().unwrap();
        former.insert(tags::TOKEN.to_owned(), "former-7".to_owned());
        list.insert(if first { 0 } else { 2 }, dead);
        shows(&mut bench, &list);
        let why = bench.why();
        assert!(!why.contains("twice"), "{why}");
        assert_eq!(bench.made.len(), 2, "{:?}", bench.made);
        assert!(bench.converged(), "{why}");
    }
}

/// Its id was used again while that was listed as dead, and that one died, too: it is the one that was begun
/// last.
#[test]
fn of_two_dead_lives_the_later_one_is_the_members() {
    for first in [false, true] {
        let mut bench = Bench::declaring(|behaviour| {
            behaviour.id.reused = Reuse::AfterDelete;
            behaviour.tombstone = Some(Seconds(3600.0));
        });
        bench.arrive(cattle(2, "1"));
        let mut list = bench.all();
        list[1].state = Lifecycle::Gone;
        let mut former = list[1].clone();
        let tags = former.tags.as_mut().unwrap();
        tags.insert(tags::TOKEN.to_owned(), "former-0".to_owned());
        list.insert(if first { 0 } else { 2 }, former);
        shows(&mut bench, &list);
        assert_eq!(bench.count("create"), 3, "{}", bench.why());
    }
}
