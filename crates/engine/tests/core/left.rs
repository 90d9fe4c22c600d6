//! Former plugins that are gone for good, and the word of a person that nobody is left there.

use infrakit_engine::core::{Call, CreationAnswer, Event};
use infrakit_spi::instance::Listing;
use infrakit_spi::{Error, PluginName, tags};

use crate::bench::{Bench, Fate, GROUP, named, spec};
use crate::homes::on;

/// Its plugin is gone for good. Whether its members are, only a person knows.
#[test]
fn a_group_goes_on_without_a_former_plugin_when_a_person_says_that_nobody_is_left_there() {
    for restarts in [false, true] {
        let mut bench = Bench::new();
        bench.arrive(on("old", 2));
        bench.free();
        bench.wait(60);
        bench.instances.clear();
        bench.made.clear();
        bench.hold_lists = true;
        bench.commit(on("new", 2));
        lists_fail(&mut bench, "old", 90);
        assert_eq!(bench.made, Vec::<String>::new());
        let why = bench.why();
        assert!(why.contains("`infrakit group confirm-loss g`"), "{why}");
        if restarts {
            bench.restart();
            lists_fail(&mut bench, "old", 90);
        }
        let said = bench.core.confirm_loss(&GROUP.into(), bench.now).unwrap();
        assert!(said.details.contains("left on `old`"), "{}", said.details);
        lists_fail(&mut bench, "old", 60);
        assert_eq!(bench.on("new"), 2, "{}", bench.why());
        assert!(bench.converged(), "{}", bench.why());
        let again = bench.core.confirm_loss(&GROUP.into(), bench.now).unwrap();
        assert!(
            again.details.contains("nothing changes"),
            "{}",
            again.details
        );
        bench.restart();
        lists_fail(&mut bench, "old", 30);
        assert!(bench.converged(), "{}", bench.why());
    }
}

/// Lets time pass in which the lists of one plugin fail.
fn lists_fail(bench: &mut Bench, failing: &str, seconds: u64) {
    for _ in 0..seconds {
        bench.wait(1);
        for held in std::mem::take(&mut bench.lists) {
            let there = bench
                .instances
                .iter()
                .filter(|((home, _), _)| *home == held.0);
            let list = there.map(|(_, one)| one.clone()).collect();
            let outcome = if held.0.as_str() == failing {
                Err(Error::unknown("nobody there"))
            } else {
                Ok(Listing::Changed(list, None))
            };
            bench.answer_list(held, outcome);
        }
        bench.settle();
    }
}

/// A group of three whose former plugin goes for good when one of them has moved, and waits for approval.
fn left_in_mid_move() -> Bench {
    let mut bench = Bench::new();
    bench.arrive(on("old", 3));
    let staged = r#","Updating":{"Stages":[{"Until":1,"Approve":true}]}"#;
    bench.commit(spec(r#"{"Size":3}"#, ("new", "1"), staged));
    bench.wait(60);
    let there = (bench.on("old"), bench.on("new"));
    assert_eq!(there, (2, 1), "{}", bench.why());
    bench.restart();
    let old = |(home, _): &(PluginName, _)| home.as_str() == "old";
    bench.instances.retain(|place, _| !old(place));
    bench.made.clear();
    bench.hold_lists = true;
    lists_fail(&mut bench, "old", 90);
    bench
}

/// A person says that nobody is left on the former plugin, and the two members are made on the new one.
fn goes_on(bench: &mut Bench) {
    let why = bench.why();
    let said = bench.core.confirm_loss(&GROUP.into(), bench.now).unwrap();
    lists_fail(bench, "old", 60);
    let said = format!("why: {why}\nconfirm-loss: {}", said.details);
    assert_eq!(bench.on("new"), 2, "{said}");
}

/// In mid-move the former plugin goes for good; after somebody said so, nothing is made there.
#[test]
fn nothing_is_made_on_a_plugin_that_was_left() {
    let mut bench = left_in_mid_move();
    let why = bench.why();
    assert!(why.contains("`infrakit group confirm-loss g`"), "{why}");
    let said = bench.core.confirm_loss(&GROUP.into(), bench.now).unwrap();
    assert!(said.details.contains("left on `old`"), "{}", said.details);
    lists_fail(&mut bench, "old", 60);
    assert_eq!(
        bench.on("old"),
        0,
        "made {:?}; homes {:?}; {}",
        bench.made,
        bench.memory().homes,
        bench.why()
    );
}

/// Nor does the group wait for ever for a creation there whose answer is lost.
#[test]
fn nor_is_what_was_begun_there_waited_for_without_end() {
    let mut bench = left_in_mid_move();
    bench.core.confirm_loss(&GROUP.into(), bench.now).unwrap();
    bench.hangs = Some("old".into());
    lists_fail(&mut bench, "old", 60);
    for call in bench.take_kept() {
        let Call::Provision {
            target,
            number,
            spec,
            ..
        } = call
        else {
            continue;
        };
        let answer = CreationAnswer {
            target,
            number,
            plugin: spec.instance.plugin.clone(),
            begun: bench.now,
            outcome: Err(Error::unknown("no answer")),
        };
        bench.core.handle(Event::Provisioned(answer), bench.now);
    }
    bench.hangs = None;
    bench
        .core
        .steer(
            &GROUP.into(),
            &infrakit_spi::rollout::Command::Approve,
            bench.now,
        )
        .map(drop)
        .unwrap_or_default();
    lists_fail(&mut bench, "old", 3000);
    let said = bench.core.confirm_loss(&GROUP.into(), bench.now).unwrap();
    assert_eq!(
        bench.on("new"),
        3,
        "confirm-loss: {}; homes {:?}; {}",
        said.details,
        bench.memory().homes,
        bench.why()
    );
}

/// A group that was freed and committed on another plugin, while the former one does not answer.
fn freed_and_committed_elsewhere(members: u64) -> Bench {
    let mut bench = Bench::new();
    bench.arrive(on("old", members));
    bench.free();
    bench.wait(60);
    bench.made.clear();
    bench.hold_lists = true;
    bench.commit(on("new", members));
    lists_fail(&mut bench, "old", 90);
    bench
}

/// A person says that nobody is left on the former plugin, and a list of it that was on its way shows so many
/// before that is written.
fn shows_while_it_is_written(bench: &mut Bench, shown: usize) {
    let mut came = false;
    for _ in 0..60 {
        bench.wait(1);
        let (old, others): (Vec<_>, Vec<_>) = std::mem::take(&mut bench.lists)
            .into_iter()
            .partition(|(home, _)| home.as_str() == "old");
        for held in others {
            bench.answer_list(held, Ok(Listing::Changed(Vec::new(), None)));
        }
        if let Some(held) = old.into_iter().next() {
            let said = bench.core.confirm_loss(&GROUP.into(), bench.now).unwrap();
            assert!(said.details.contains("left on `old`"), "{}", said.details);
            let all: Vec<_> = bench.all().into_iter().take(shown).collect();
            assert_eq!(all.len(), shown);
            bench.answer_list(held, Ok(Listing::Changed(all, None)));
            bench.act();
            came = true;
            break;
        }
    }
    assert!(came);
    bench.hold_lists = false;
    bench.lists.clear();
}

/// The plugin is back, and shows them, while what somebody said is being written.
#[test]
fn whoever_is_shown_before_it_is_written_is_not_left() {
    let mut bench = freed_and_committed_elsewhere(2);
    shows_while_it_is_written(&mut bench, 2);
    bench.wait(600);
    assert_eq!(
        (bench.on("old"), bench.on("new")),
        (0, 2),
        "{:?} {}",
        bench.made,
        bench.why()
    );
}

/// A creation was under way there: once it cannot come true any more, a person knows as much of it.
#[test]
fn a_creation_that_cannot_come_true_any_more_keeps_nobody_there() {
    let mut bench = Bench::new();
    bench.fate = Fate::Lost;
    bench.commit(on("old", 2));
    bench.free();
    bench.fate = Fate::Done;
    bench.hold_lists = true;
    bench.commit(on("new", 2));
    lists_fail(&mut bench, "old", 60);
    bench.restart();
    lists_fail(&mut bench, "old", 7200);
    goes_on(&mut bench);
}

/// Its young members are on record, and the plugin is gone for good before a list told of them.
#[test]
fn nor_do_young_members_on_record() {
    let mut bench = Bench::undeclared();
    bench.commit(on("old", 0));
    bench.wait(5);
    bench.hold_lists = true;
    bench.commit(on("old", 2));
    assert_eq!(bench.on("old"), 2);
    bench.instances.clear();
    bench.made.clear();
    bench.restart();
    bench.commit(on("new", 2));
    lists_fail(&mut bench, "old", 7200);
    goes_on(&mut bench);
}

/// A single list fails after a restart, those on the former plugin are well; the loss of others is
/// confirmed.
#[test]
fn a_loss_elsewhere_leaves_nobody_behind_while_a_plugin_is_started_anew() {
    let mut bench = Bench::new();
    bench.arrive(on("old", 6));
    bench.calls_left = Some(9);
    bench.commit(on("new", 6));
    bench.wait(5);
    let there = (bench.on("old"), bench.on("new"));
    bench.calls_left = None;
    let _ = bench.take_kept();
    let lost: Vec<_> = bench
        .instances
        .keys()
        .filter(|(home, _)| home.as_str() == "new")
        .cloned()
        .collect();
    for key in lost {
        bench.instances.remove(&key);
    }
    bench.restart();
    bench.hold_lists = true;
    lists_fail(&mut bench, "old", 1);
    let why = bench.why();
    let said = bench.core.confirm_loss(&GROUP.into(), bench.now).unwrap();
    bench.hold_lists = false;
    bench.lists.clear();
    bench.wait(600);
    assert_eq!(
        (bench.on("old"), bench.on("new")),
        (0, 6),
        "there {there:?} why: {why}\nconfirm-loss: {} now: {}",
        said.details,
        bench.why()
    );
}

/// As in [`whoever_is_shown_before_it_is_written_is_not_left`], but the list lacks so many that it is doubted.
#[test]
fn nor_is_anybody_whose_list_is_doubted() {
    for shown in [6, 2] {
        let mut bench = freed_and_committed_elsewhere(6);
        shows_while_it_is_written(&mut bench, shown);
        bench.wait(900);
        assert_eq!(
            (bench.on("old"), bench.on("new")),
            (0, 6),
            "shown {shown} {:?} {}",
            bench.made,
            bench.why()
        );
    }
}

/// It was away when its last group left it. An hour later it is well, and another one has members there.
#[test]
fn what_a_plugin_did_long_ago_says_nothing_of_it_now() {
    let mut bench = Bench::new();
    bench.commit(named("b", on("old", 2)));
    bench.arrive(on("old", 2));
    bench.core.free(&"b".into(), bench.now).unwrap();
    bench.settle();
    bench.free();
    bench.wait(60);
    bench.restart();
    bench.hold_lists = true;
    bench.commit(on("new", 2));
    lists_fail(&mut bench, "old", 90);
    bench.core.confirm_loss(&GROUP.into(), bench.now).unwrap();
    lists_fail(&mut bench, "old", 60);
    // Well again.
    lists_fail(&mut bench, "none", 86_400 / 20);
    bench.lists.clear();
    bench.commit(named("b", on("new", 2)));
    let said = bench.core.confirm_loss(&"b".into(), bench.now).unwrap();
    let failing = bench
        .core
        .why(&"b".into(), None, bench.now)
        .unwrap()
        .lines
        .join("; ");
    bench.act();
    lists_fail(&mut bench, "none", 900);
    let of_b = bench
        .all()
        .into_iter()
        .filter(|one| one.tags.as_ref().unwrap()[tags::GROUP] == "b")
        .count();
    assert_eq!(of_b, 2, "{} | {failing}", said.details);
}
