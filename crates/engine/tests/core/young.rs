//! Members that came so lately that the first list after a restart lacks them.

use infrakit_spi::behaviour::Seconds;

use crate::bench::{Bench, Fate, GROUP, cattle, spec};

/// Members that were made a second ago; the controller is started anew, and its first list is 3 s
/// old.
fn young() -> Bench {
    let mut bench = Bench::undeclared();
    bench.commit(cattle(0, "1"));
    bench.wait(30);
    bench.stale = Some(bench.instances.clone());
    bench.commit(cattle(3, "1"));
    bench.wait(1);
    assert_eq!(bench.ids().len(), 3);
    bench.restart();
    bench
}

#[test]
fn nothing_is_made_in_their_place() {
    let mut bench = young();
    bench.wait(2);
    bench.stale = None;
    bench.wait(120);
    assert_eq!(bench.count("create"), 3);
    assert!(bench.converged());
    assert_eq!(bench.records("answers/"), Vec::<String>::new());
    assert_eq!(bench.records("intents/"), Vec::<String>::new());
}

/// It is counted on for fifteen seconds, since nobody knows how late its plugin shows what it made.
#[test]
fn who_went_before_a_list_showed_it_is_named_meanwhile() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.stale = Some(bench.instances.clone());
    bench.commit(cattle(3, "1"));
    bench.wait(1);
    let came = bench.ids().into_iter().find(|id| {
        let stale = bench.stale.as_ref().unwrap();
        !stale.keys().any(|(_, known)| known.as_str() == *id)
    });
    let came = came.unwrap().to_owned();
    bench.lose(&came);
    bench.stale = None;
    bench.wait(10);
    let lacks = format!("the last list lacks `{came}`");
    let said = bench.why();
    assert!(said.contains(&lacks), "{said}");
    let came_id = came.as_str().into();
    let said = bench.core.why(&GROUP.into(), Some(&came_id), bench.now);
    let said = said.unwrap().lines.join("\n");
    assert!(said.contains("the last list lacks it"), "{said}");
    bench.wait(30);
    assert_eq!(bench.count("create"), 4);
    assert!(!bench.why().contains("lacks"));
}

#[test]
fn none_of_them_stays_when_the_group_is_destroyed() {
    let mut bench = young();
    bench.destroy();
    bench.wait(2);
    bench.stale = None;
    bench.wait(60);
    assert_eq!(bench.ids(), Vec::<&str>::new());
    assert!(!bench.core.knows(&GROUP.into()));
    assert_eq!(bench.records("answers/"), Vec::<String>::new());
}

#[test]
fn those_that_were_shown_once_are_remembered_until_every_list_shows_them() {
    let mut bench = Bench::undeclared();
    bench.commit(cattle(0, "1"));
    bench.wait(30);
    let before = bench.instances.clone();
    bench.commit(cattle(3, "1"));
    bench.wait(2);
    // Lists have shown all three; the first one of the next life comes from an older copy.
    bench.restart();
    bench.stale = Some(before);
    bench.wait(2);
    bench.stale = None;
    bench.wait(60);
    assert_eq!(bench.count("create"), 3);
    assert!(bench.converged());
}

#[test]
fn one_that_went_lately_is_not_counted_when_an_older_list_shows_it() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(3, "1"));
    let before = bench.instances.clone();
    bench.commit(cattle(2, "1"));
    bench.wait(1);
    assert_eq!(bench.ids().len(), 2);
    bench.restart();
    bench.stale = Some(before);
    bench.wait(2);
    bench.stale = None;
    bench.wait(120);
    assert_eq!(bench.ids().len(), 2, "{:?}", bench.made);
    assert_eq!(bench.count("create"), 3);
    // The very one that went may be asked to go once more.
    let mut gone: Vec<&String> = bench.made.iter().collect();
    gone.retain(|call| call.starts_with("destroy"));
    gone.dedup();
    assert_eq!(gone.len(), 1, "{gone:?}");
}

/// A list shows it, it dies, another one takes its place; then its creation is answered.
#[test]
fn one_that_came_and_went_before_its_answer_is_no_member() {
    let mut bench = Bench::new();
    bench.fate = Fate::Kept;
    bench.commit(spec(r#"{"LogicalIDs":["a"]}"#, ("file", "1"), ""));
    let creation = bench.take_creation();
    let made = bench.make(&creation, "i-900");
    bench.wait(20);
    bench.fate = Fate::Done;
    bench.instances.clear();
    bench.wait(120);
    assert_eq!(bench.ids(), ["i-001"], "{}", bench.why());
    bench.answer(creation, Ok(made));
    bench.wait(120);
    assert_eq!((bench.ids(), bench.count("destroy")), (vec!["i-001"], 0));
}

/// The answer comes long after a list has shown its instance, and then that is gone.
#[test]
fn nothing_is_kept_of_a_creation_that_was_over_before_it_was_answered() {
    let mut bench = Bench::new();
    bench.fate = Fate::Kept;
    bench.commit(cattle(1, "1"));
    let creation = bench.take_creation();
    let made = bench.make(&creation, "i-100");
    bench.fate = Fate::Done;
    bench.wait(120);
    bench.answer(creation, Ok(made));
    bench.settle();
    bench.lose("i-100");
    bench.wait(300);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(bench.records("answers/"), Vec::<String>::new());
}

/// A list told of it, whatever became of it afterwards.
#[test]
fn a_doubt_that_a_list_has_settled_does_not_come_back_with_a_restart() {
    for (dies, ids) in [(true, 3), (false, 3), (true, 1), (false, 1)] {
        let mut bench = Bench::undeclared();
        bench.fate = Fate::Unheard;
        bench.commit(cattle(ids, "1"));
        bench.crash();
        bench.wait(5);
        assert!(bench.converged(), "{}", bench.why());
        let wanted = if dies {
            bench.lose("i-001");
            bench.fate = Fate::Lost;
            ids
        } else {
            bench.commit(cattle(ids - 1, "1"));
            ids - 1
        };
        bench.wait(3);
        bench.crash();
        bench.wait(60);
        assert!(bench.converged(), "{dies}: {}", bench.why());
        assert_eq!(bench.ids().len() as u64, wanted, "{dies}: {}", bench.why());
    }
}

/// One creation of those that began together may take for ever; nobody waits for the others again.
#[test]
fn who_came_and_went_beside_a_slow_creation_is_not_waited_for_after_a_restart() {
    let mut bench = Bench::undeclared();
    bench.fate = Fate::Kept;
    bench.commit(cattle(3, "1"));
    bench.release_some(2);
    bench.fate = Fate::Kept;
    bench.wait(60);
    bench.lose("i-001");
    bench.wait(60);
    let mut kept = bench.take_kept();
    let _slow = kept.remove(0);
    for call in kept {
        bench.call(call);
    }
    bench.wait(60);
    bench.crash();
    bench.wait(10);
    let why = bench.why();
    assert!(why.contains("waiting for 1 creation"), "{why}");
}

/// Lists showed it, and it is gone before the plugin has answered.
#[test]
fn what_came_and_went_before_its_answer_is_not_waited_for_after_a_restart() {
    for waits in [0, 1, 5] {
        let mut bench = Bench::undeclared();
        bench.fate = Fate::Kept;
        bench.commit(cattle(2, "1"));
        bench.come_true();
        bench.wait(10);
        bench.lose("i-001");
        bench.wait(waits);
        bench.crash();
        bench.wait(60);
        assert_eq!(bench.ids().len(), 2, "{waits}: {}", bench.why());
    }
}

/// It shows when its time for that is nearly over; the next list may come from an older copy all the same.
#[test]
fn those_that_showed_late_are_remembered_until_every_list_shows_them() {
    let mut bench = Bench::undeclared();
    bench.commit(cattle(0, "1"));
    bench.wait(30);
    let before = bench.instances.clone();
    bench.stale = Some(before.clone());
    bench.commit(cattle(2, "1"));
    bench.wait(14);
    bench.stale = None;
    bench.wait(2);
    bench.stale = Some(before);
    bench.restart();
    bench.wait(5);
    bench.stale = None;
    bench.wait(120);
    assert_eq!(bench.count("create"), 2, "{:?}", bench.made);
}

/// Lists of its plugin show it at once, and may be older than that for longer.
#[test]
fn those_whose_lists_go_far_back_are_remembered_for_as_long() {
    let mut bench = Bench::declaring(|behaviour| {
        behaviour.visibility_window.list = Some(Seconds(1.0));
        behaviour.list.relapse = Some(Seconds(30.0));
    });
    bench.commit(cattle(0, "1"));
    bench.wait(60);
    let before = bench.instances.clone();
    bench.commit(cattle(2, "1"));
    bench.wait(10);
    bench.restart();
    bench.stale = Some(before);
    bench.wait(5);
    bench.stale = None;
    bench.wait(120);
    assert_eq!(bench.count("create"), 2, "{:?}", bench.made);
}

/// The next life's first list shows nobody, since their plugin has no memory for a while. What it is told of
/// those that came a moment ago are their answers, or, once a list has shown them, how many there are, and that
/// is written every few seconds only.
#[test]
fn who_has_just_come_is_not_forgotten_where_the_next_life_sees_nobody() {
    for shown in [false, true] {
        let mut bench = Bench::declaring(|behaviour| {
            behaviour.create.answer_means = infrakit_spi::behaviour::AnswerMeans::Exists;
            behaviour.create.give_up = Some(Seconds(2.0));
            behaviour.visibility_window.list = Some(Seconds(0.0));
            behaviour.list.lag = Some(Seconds(0.0));
            behaviour.list.relapse = Some(Seconds(0.0));
        });
        bench.commit(cattle(0, "1"));
        bench.wait(30);
        bench.fate = Fate::Kept;
        bench.commit(cattle(5, "1"));
        bench.release_some(1);
        bench.hold_lists = !shown;
        bench.release();
        bench.changed();
        bench.wait(1);
        bench.hold_lists = false;
        bench.stale = Some(crate::bench::Instances::new());
        bench.restart();
        bench.wait(10);
        bench.stale = None;
        bench.wait(60);
        assert_eq!(bench.count("create"), 5, "{shown} {:?}", bench.made);
        assert_eq!(bench.records("intents/"), Vec::<String>::new());
        assert!(bench.converged(), "{}", bench.why());
    }
}
