//! Machines made and unmade for nothing.

use infrakit_sim::controller::Operation;
use infrakit_sim::faults::Kind;
use infrakit_sim::world::SECOND;

use crate::naive::Habit;
use crate::stage::{cattle, exhibit, fair, pets};

#[test]
fn the_naive_policy_is_fair_without_habits() {
    fair(|stage| {
        stage.commit("g", &cattle(3, "v1"));
        stage.commit("p", &pets(&["one", "two"], "v1"));
        stage.settle();
        stage.commit("g", &cattle(4, "v2"));
        stage.settle();
        let (plugin, machine) = stage.machines("g").remove(0);
        stage.delete(plugin.as_str(), &machine.id);
        stage.world.crash(SECOND);
        stage.settle();
        stage.ask("g", Operation::Destroy).unwrap();
        stage.settle();
        assert_eq!((stage.count("g"), stage.count("p")), (0, 2));
    });
}

/// A size of 3 became 6, of which 3 were killed again.
#[test]
fn a06_a_slow_creation_is_not_a_failed_one() {
    exhibit(Habit::BlindRetry, |stage| {
        stage.plugin("a").creation = (20 * SECOND, 20 * SECOND);
        stage.commit("g", &cattle(3, "v1"));
        stage.settle();
    });
}

/// A group of 3, asked to destroy somebody who is not there, lost an innocent member.
#[test]
fn a13_a_name_nobody_has_costs_no_member() {
    exhibit(Habit::CountsStrangers, |stage| {
        stage.commit("g", &cattle(3, "v1"));
        stage.settle();
        let refused = stage.ask("g", Operation::DestroyMembers(vec!["nobody".into()]));
        stage.demand(refused.is_err(), "the destruction of nobody is granted");
        stage.settle();
        let count = stage.count("g");
        stage.demand(count == 3, format!("{count} members are left of 3"));
    });
}

#[test]
fn a18_a_list_that_fails_is_not_an_empty_one() {
    exhibit(Habit::TrustsFailedLists, |stage| {
        stage.commit("g", &cattle(3, "v1"));
        stage.settle();
        stage.force(Kind::ListFails, 3);
        stage.seconds(60);
        stage.settle();
    });
}

/// Nothing was kept: after a restart the group was nobody's until somebody committed it again.
#[test]
fn a16_a_restart_forgets_nothing() {
    exhibit(Habit::ForgetsAll, |stage| {
        stage.commit("g", &cattle(3, "v1"));
        stage.settle();
        stage.world.crash(SECOND);
        stage.seconds(5);
        let (plugin, machine) = stage.machines("g").remove(0);
        stage.delete(plugin.as_str(), &machine.id);
        stage.settle();
    });
}

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
