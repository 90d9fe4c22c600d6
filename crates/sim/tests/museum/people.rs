//! What people ask for, what they are told, and who has to wait for whom.

use infrakit_sim::controller::Operation;
use infrakit_sim::faults::Kind;
use infrakit_sim::world::Truth;
use infrakit_spi::tags;

use crate::naive::Habit;
use crate::stage::{Stage, cattle, exhibit, herd, pets};

/// A group without any member said that it was converged, because nothing was under way.
#[test]
fn a07_a_group_without_members_is_not_converged() {
    exhibit(Habit::SaysConverged, |stage| {
        stage.commit("g", &cattle(1, "refused"));
        stage.seconds(60);
        let said = stage.converged("g");
        stage.demand(
            said == Some(false),
            "a group of none of 1 says that it is converged",
        );
        stage.commit("g", &cattle(1, "v1"));
        stage.settle();
    });
}

/// A scale-down killed the lowest id, whoever that was.
#[test]
fn a11_the_sick_go_first_when_a_group_shrinks() {
    exhibit(Habit::LowestIdFirst, |stage| {
        stage.found("g", &cattle(4, "v1"));
        let mut ids = stage.ids("g");
        ids.sort();
        let sick = ids.pop().expect("four members");
        stage.turn(&sick, Truth::Sick);
        stage.seconds(60);
        stage.order("g", Operation::SetSize(3));
        stage.seconds(60);
        stage.demand_alive("g", &ids);
        stage.settle();
    });
}

/// A group of 3, asked to destroy somebody who is not there, lost an innocent member.
#[test]
fn a13_a_name_nobody_has_costs_no_member() {
    exhibit(Habit::CountsStrangers, |stage| {
        stage.found("g", &cattle(3, "v1"));
        let refused = stage.ask("g", Operation::DestroyMembers(vec!["nobody".into()]));
        stage.demand(refused.is_err(), "the destruction of nobody is granted");
        stage.settle();
        let count = stage.count("g");
        stage.demand(count == 3, format!("{count} members are left of 3"));
    });
}

/// One slow plugin blocked commits of all groups.
#[test]
fn a17_a_slow_plugin_blocks_no_other_group() {
    exhibit(Habit::OneAtATime, |stage| {
        stage.found("g", &cattle(1, "v1"));
        stage.force_by(Kind::ListSlow, 1, 20_000);
        stage.seconds(10);
        let other = crate::stage::spec("b", r#"{"Size":3}"#, "v1", "");
        stage.commit("h", &other);
        stage.seconds(8);
        let count = stage.count("h");
        stage.demand(
            count == 3,
            format!("{count} of 3, and another group's list is slow"),
        );
        stage.settle();
    });
}

/// Health was asked member by member.
#[test]
fn a18_health_is_not_asked_one_by_one() {
    exhibit(Habit::OneAtATime, |stage| {
        stage.commit("g", &cattle(30, "v1"));
        stage.seconds(12);
        let count = stage.count("g");
        stage.demand(count == 30, format!("{count} of 30 after 12 s"));
        stage.settle();
    });
}

/// A typo in a spec was ignored without a word, and names could be there twice.
#[test]
fn a22_a_spec_that_is_not_understood_is_refused() {
    exhibit(Habit::TakesAnything, |stage| {
        stage.found("g", &cattle(1, "v1"));
        for (wrong, path) in [
            (
                herd(
                    1,
                    "v1",
                    r#","Updating":{"SkipBeforeInstanceDestroy":"drian"}"#,
                ),
                "SkipBeforeInstanceDestroy",
            ),
            (
                herd(1, "v1", r#","Updating":{"MaxUnavailble":1}"#),
                "MaxUnavailble",
            ),
            (pets(&["one", "one"], "v1"), "LogicalIDs"),
        ] {
            let said = stage.try_commit("g", &wrong);
            let refused = said.as_ref().is_err_and(|why| why.contains(path));
            stage.demand(refused, format!("{wrong} is answered: {said:?}"));
        }
        stage.settle();
    });
}

/// The position of a member was always the size.
#[test]
fn a23_templates_can_number_members() {
    exhibit(Habit::NumbersBySize, |stage| {
        stage.found("g", &cattle(3, "v1"));
        for number in ["number 0", "number 1", "number 2"] {
            let told = stage.tells(&["create a member of `g`", number]);
            stage.demand(told, format!("nobody is {number}"));
        }
    });
}

/// There was no history, only logs.
#[test]
fn a25_it_is_told_who_went_and_why() {
    exhibit(Habit::SaysNothing, |stage| {
        stage.found("g", &cattle(3, "v1"));
        let sick = stage.ids("g").remove(0);
        stage.turn(&sick, Truth::Sick);
        stage.until(20 * 60, |stage| !stage.ids("g").contains(&sick));
        let why = stage.why("g").to_lowercase();
        let told = why.contains(sick.as_str()) && why.contains("unhealthy");
        stage.demand(told, format!("that `{sick}` went is not told: {why}"));
        stage.settle();
    });
}

/// One label that could not be written blocked the whole group.
#[test]
fn a27_a_label_that_fails_does_not_hold_up_the_group() {
    exhibit(Habit::LabelsFirst, |stage| {
        let labels = [
            (tags::GROUP.to_owned(), "g".to_owned()),
            (tags::CONFIG_HASH.to_owned(), tags::BOOTSTRAP.to_owned()),
        ];
        stage.world.by_hand(&"a".into(), None, labels.into());
        stage.force(Kind::LabelFails, 100);
        stage.commit("g", &cattle(3, "v1"));
        stage.seconds(2 * 60);
        let count = stage.count("g");
        stage.demand(count == 3, format!("{count} of 3 while labels fail"));
        stage.settle();
    });
}

/// Commits a spec that was shown, and demands that what was shown is what is done.
fn as_shown(stage: &mut Stage, properties: &str) {
    let counts = stage.world.counts();
    let shown = stage.world.foresee(&"g".into(), properties);
    let shown = shown.unwrap_or_default();
    stage.seconds(60);
    let untouched = counts.creates == stage.world.counts().creates
        && counts.destroys == stage.world.counts().destroys;
    stage.demand(untouched, "to show what would be done did it");
    stage.world.begin_account(&"g".into());
    stage.commit("g", properties);
    stage.settle();
    let done = stage.world.ledger().account(&"g".into());
    stage.demand(
        shown == done,
        format!("{shown:?} was shown, and {done:?} was done"),
    );
}

/// A plan named no members.
#[test]
fn a28_what_is_shown_is_what_is_done() {
    exhibit(Habit::ShowsNoNames, |stage| {
        stage.found("g", &cattle(4, "v1"));
        as_shown(stage, &cattle(4, "v2"));
    });
}

/// Drift was seen, and there was no plan to mend it.
#[test]
fn d40_what_was_left_half_done_comes_with_a_plan() {
    exhibit(Habit::ShowsNoNames, |stage| {
        let new = cattle(4, "v2");
        stage.found("g", &cattle(4, "v1"));
        stage.commit("g", &new);
        stage.until(20 * 60, |stage| {
            stage.made_of("g", &new).len() == 2 && stage.count("g") == 4
        });
        stage.order("g", Operation::Abort);
        stage.seconds(2 * 60);
        as_shown(stage, &new);
    });
}

/// "Terminate 3 to reach 0."
#[test]
fn x10_names_are_shown_to_cost_nobody() {
    exhibit(Habit::ShowsTheWorst, |stage| {
        stage.found("g", &cattle(3, "v1"));
        let named = pets(&["one", "two", "three"], "v1");
        let shown = stage.world.foresee(&"g".into(), &named).unwrap_or_default();
        stage.demand(
            shown.go.is_empty(),
            format!("{} of 3 are said to go", shown.go.len()),
        );
    });
}

/// One known and one unknown id: the known one goes, or nobody does; nobody else.
#[test]
fn x08_a_wrong_name_beside_a_right_one() {
    exhibit(Habit::CountsStrangers, |stage| {
        stage.found("g", &cattle(4, "v1"));
        let mut ids = stage.ids("g");
        let named = vec![ids.remove(0), "nobody".into()];
        let granted = stage.ask("g", Operation::DestroyMembers(named)).is_ok();
        stage.settle();
        stage.demand_alive("g", &ids);
        let (count, right) = (stage.count("g"), if granted { 3 } else { 4 });
        stage.demand(count == right, format!("{count} are left of 4"));
    });
}

/// After a restart everything was queued again, and what was new came last.
#[test]
fn d36_what_is_new_does_not_wait_behind_what_is_old() {
    exhibit(Habit::OneAtATime, |stage| {
        for number in 10..40 {
            let group = format!("g{number}");
            let spec = cattle(2, "v1");
            let taken = stage.try_commit(&group, &spec).is_ok();
            stage.demand(taken, "refused");
        }
        stage.settle();
        stage.crash();
        stage.world.dice().set(Kind::ListSlow, 1000);
        stage.commit("z", &cattle(2, "v1"));
        stage.seconds(60);
        let count = stage.count("z");
        stage.demand(
            count == 2,
            format!("{count} of 2, a minute after a restart"),
        );
        stage.settle();
    });
}

/// One pool that failed starved all the others.
#[test]
fn d37_a_group_that_fails_does_not_slow_the_others() {
    exhibit(Habit::OneBackoff, |stage| {
        stage.force(Kind::CreateRefused, 40);
        stage.commit("bad", &cattle(1, "v1"));
        stage.seconds(5 * 60);
        // What is refused from now on is refused to the bad one.
        stage.world.calm();
        let other = crate::stage::spec("b", r#"{"Size":3}"#, "v1", "");
        stage.commit("h", &other);
        stage.seconds(10);
        let count = stage.count("h");
        stage.demand(count == 3, format!("{count} of 3, and another group fails"));
        stage.settle();
    });
}
