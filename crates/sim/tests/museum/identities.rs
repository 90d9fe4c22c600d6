//! Members that have names.

use infrakit_sim::controller::Operation;
use infrakit_sim::faults::Kind;
use infrakit_sim::scenario::Deed;
use infrakit_sim::world::Traits;

use crate::naive::Habit;
use crate::stage::{cattle, exhibit, exhibit_in, pets};

/// "Terminate 3 to reach 0": names for a group of like members destroyed it.
#[test]
fn a14_like_members_are_given_names_and_stay() {
    exhibit(Habit::DestroysNameless, |stage| {
        stage.found("g", &cattle(3, "v1"));
        let before = stage.ids("g");
        stage.commit("g", &pets(&["one", "two", "three"], "v1"));
        stage.settle();
        stage.demand_alive("g", &before);
    });
}

/// Who belongs to a quorum could not be changed.
#[test]
fn a14_who_has_a_name_can_be_changed() {
    exhibit(Habit::NamesForEver, |stage| {
        stage.found("g", &pets(&["one", "two", "three"], "v1"));
        stage.commit("g", &pets(&["two", "three", "four"], "v1"));
        stage.settle();
        let names = stage.machines("g");
        let names = names.iter().filter_map(|(_, one)| one.identity());
        let four = names.filter(|name| *name == "four").count();
        stage.demand(four == 1, format!("{four} members are called `four`"));
    });
}

/// Size 0 was impossible.
#[test]
fn a14_a_group_can_have_nobody() {
    exhibit(Habit::RefusesNobody, |stage| {
        stage.found("g", &cattle(2, "v1"));
        stage.order("g", Operation::SetSize(0));
        stage.settle();
        let count = stage.count("g");
        stage.demand(count == 0, format!("{count} are there of 0"));
        stage.order("g", Operation::SetSize(2));
        stage.settle();
    });
}

/// Two members of one name were let be.
#[test]
fn a21_a_name_has_one_holder() {
    exhibit(Habit::ToleratesDuplicates, |stage| {
        stage.force(Kind::CreateTwice, 1);
        stage.commit("g", &pets(&["one", "two"], "v1"));
        stage.seconds(60);
        stage.settle();
        let count = stage.count("g");
        stage.demand(count == 2, format!("{count} members of 2 names"));
    });
}

/// A quorum was replaced without a cap.
#[test]
fn a21_a_quorum_is_rolled_one_by_one() {
    exhibit(Habit::RollsAllAtOnce, |stage| {
        let ids = ["one", "two", "three"];
        stage.found("g", &pets(&ids, "v1"));
        stage.found("g", &pets(&ids, "v2"));
    });
}

/// Asynchronous destructions were taken for done, and several managers were lost at once.
#[test]
fn d04_a_successor_comes_when_its_predecessor_is_gone() {
    exhibit(Habit::GoneWhenAccepted, |stage| {
        let ids = ["one", "two", "three"];
        stage.found("g", &pets(&ids, "v1"));
        stage.force_by(Kind::DestroySlow, 3, 50_000);
        stage.commit("g", &pets(&ids, "v2"));
        stage.seconds(10 * 60);
        stage.settle();
    });
}

/// The updater killed the node that it ran on.
#[test]
fn d06_the_controller_does_not_replace_its_own_machine() {
    let traits = Traits {
        own: Some("one".into()),
        ..Traits::default()
    };
    exhibit_in(&traits, Habit::KillsItself, |stage| {
        let ids = ["one", "two", "three"];
        stage.found("g", &pets(&ids, "v1"));
        stage.commit("g", &pets(&ids, "v2"));
        stage.settle();
    });
}

/// It did not matter to a scale-down whose machine it was.
#[test]
fn d06_nobody_scales_the_controller_away() {
    let traits = Traits {
        own: Some("self".into()),
        ..Traits::default()
    };
    exhibit_in(&traits, Habit::KillsItself, |stage| {
        let deed = Deed::OwnMachine("g".into(), "a".into());
        stage.world.perform(&deed);
        stage.found("g", &cattle(3, "v1"));
        stage.order("g", Operation::SetSize(0));
        stage.seconds(2 * 60);
        let own = stage.machines("g");
        let own = own.iter().any(|(_, one)| one.identity() == Some("self"));
        stage.demand(own, "the controller's own machine is gone");
        stage.settle();
    });
}
