//! Sickness, real and alleged.

use infrakit_sim::faults::Kind;
use infrakit_sim::world::Truth;

use crate::naive::Habit;
use crate::stage::{Stage, cattle, exhibit, herd, pets};

const REBOOT: &str = r#","Health":{"Repair":["reboot"],"RepairWait":"5m"}"#;

/// Makes the first member of `g` sick. Returns its id.
fn fell_ill(stage: &mut Stage, truth: Truth) -> infrakit_spi::InstanceId {
    let sick = stage.ids("g").remove(0);
    stage.turn(&sick, truth);
    sick
}

/// Nobody healed outside of an update.
#[test]
fn a10_who_is_sick_is_replaced_without_an_update() {
    exhibit(Habit::NeverHeals, |stage| {
        stage.found("g", &cattle(3, "v1"));
        let sick = fell_ill(stage, Truth::Sick);
        let healed = stage.until(20 * 60, |stage| {
            stage.count("g") == 3 && !stage.ids("g").contains(&sick)
        });
        stage.demand(healed, "a sick member is there for 20 minutes");
        stage.settle();
    });
}

#[test]
fn d02_one_bad_verdict_kills_nobody() {
    exhibit(Habit::HealsAtOnce, |stage| {
        stage.found("g", &cattle(3, "v1"));
        let before = stage.world.counts().destroys;
        stage.force(Kind::CheckLies, 1);
        stage.seconds(60);
        let after = stage.world.counts().destroys;
        stage.demand(before == after, "somebody healthy is destroyed");
        stage.settle();
    });
}

/// "Endless re-creation when health says sick."
#[test]
fn d02_a_configuration_that_makes_the_sick_is_not_made_again_and_again() {
    exhibit(Habit::NoBreaker, |stage| {
        stage.commit("g", &cattle(3, "sick"));
        stage.seconds(2 * 60 * 60);
        let creates = stage.world.counts().creates;
        stage.demand(creates <= 6, format!("{creates} creations for 3 members"));
        stage.commit("g", &cattle(3, "v1"));
        stage.settle();
    });
}

/// The majority of managers was lost, and nobody healed the healers.
#[test]
fn d05_a_group_that_has_lost_most_of_its_members_is_made_whole() {
    exhibit(Habit::WaitsForAMajority, |stage| {
        stage.found("g", &pets(&["one", "two", "three"], "v1"));
        for id in stage.ids("g").into_iter().take(2) {
            stage.delete(&id);
        }
        stage.seconds(5 * 60);
        let count = stage.count("g");
        stage.demand(count == 3, format!("{count} are there of 3"));
        stage.settle();
    });
}

/// A breaker of 20 % let nobody be healed in groups of less than 5.
#[test]
fn d23_one_of_three_is_healed() {
    exhibit(Habit::TwentyPercent, |stage| {
        stage.found("g", &cattle(3, "v1"));
        let sick = fell_ill(stage, Truth::Sick);
        let healed = stage.until(20 * 60, |stage| !stage.ids("g").contains(&sick));
        stage.demand(healed, "a sick member of 3 is there for 20 minutes");
        stage.settle();
    });
}

/// A component said that everybody was sick, and everybody was replaced.
#[test]
fn d23_when_all_are_said_to_be_sick_nobody_is_replaced() {
    exhibit(Habit::NoBreaker, |stage| {
        stage.found("g", &cattle(5, "v1"));
        let before = stage.ids("g");
        stage.world.dice().set(Kind::CheckLies, 1000);
        stage.seconds(40 * 60);
        stage.settle();
        stage.demand_alive("g", &before);
    });
}

/// Three of five sick at once: nothing goes until that is over, and then nobody has to ask for it.
#[test]
fn d23_a_breaker_closes_by_itself() {
    exhibit(Habit::NoBreaker, |stage| {
        stage.found("g", &cattle(5, "v1"));
        let sick = stage.ids("g");
        for id in &sick[..3] {
            stage.turn(id, Truth::Sick);
        }
        let before = stage.world.counts().destroys;
        stage.seconds(30 * 60);
        let after = stage.world.counts().destroys;
        stage.demand(
            before == after,
            "most were sick, and somebody was destroyed",
        );
        for id in &sick[..2] {
            stage.turn(id, Truth::Well);
        }
        let healed = stage.until(30 * 60, |stage| {
            stage.count("g") == 5 && !stage.ids("g").contains(&sick[2])
        });
        stage.demand(healed, "the last sick one is not healed");
        stage.settle();
    });
}

/// A reboot had healed the node, and the machine was deleted all the same.
#[test]
fn d25_whoever_a_reboot_has_healed_stays() {
    exhibit(Habit::DeletesAfterRepair, |stage| {
        stage.found("g", &herd(3, "v1", REBOOT));
        let before = stage.ids("g");
        fell_ill(stage, Truth::Hung);
        stage.seconds(40 * 60);
        stage.settle();
        stage.demand_alive("g", &before);
    });
}

/// What a reboot does not heal was rebooted for ever.
#[test]
fn d25_reboots_do_not_go_on_for_ever() {
    exhibit(Habit::RebootsForEver, |stage| {
        stage.found("g", &herd(3, "v1", REBOOT));
        let sick = fell_ill(stage, Truth::Sick);
        let gone = stage.until(60 * 60, |stage| !stage.ids("g").contains(&sick));
        stage.demand(gone, "no reboot helps, and it is not replaced in an hour");
        stage.settle();
    });
}

/// One counter for healing and another one for rolling took out two members where one was allowed.
#[test]
fn d18_healing_and_rolling_share_one_budget() {
    exhibit(Habit::BudgetPerReason, |stage| {
        stage.found("g", &cattle(3, "v1"));
        fell_ill(stage, Truth::Sick);
        stage.seconds(100);
        stage.commit("g", &cattle(3, "v2"));
        stage.seconds(5 * 60);
        stage.settle();
    });
}
