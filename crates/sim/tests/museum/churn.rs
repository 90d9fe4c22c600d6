//! Machines made and unmade for nothing.

use infrakit_sim::controller::Operation;
use infrakit_sim::faults::Kind;
use infrakit_sim::world::{SECOND, Traits, Truth};

use crate::naive::Habit;
use crate::stage::{cattle, exhibit, exhibit_in, fair, herd, pets, spec};

#[test]
fn the_naive_policy_is_fair_without_habits() {
    fair(|stage| {
        stage.commit("g", &cattle(3, "v1"));
        stage.commit("p", &pets(&["one", "two"], "v1"));
        stage.settle();
        stage.commit("g", &cattle(4, "v2"));
        stage.settle();
        let member = stage.ids("g").remove(0);
        stage.delete(&member);
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

/// A plugin that refused was asked again at every tick, for ever.
#[test]
fn a12_a_creation_that_fails_is_tried_less_and_less_often() {
    exhibit(Habit::NoBackoff, |stage| {
        stage.force(Kind::CreateRefused, 1_000);
        stage.commit("g", &cattle(1, "v1"));
        stage.seconds(30 * 60);
        let creates = stage.world.counts().creates;
        stage.demand(creates <= 30, format!("{creates} attempts in half an hour"));
    });
}

/// Keys in another order, or a number written otherwise, rolled a group.
#[test]
fn a24_the_same_spec_in_other_letters_rolls_nobody() {
    exhibit(Habit::HashesText, |stage| {
        stage.found("g", &cattle(3, "v1"));
        let before = stage.ids("g");
        let reordered = r#"{"Flavor":{"Plugin":"f"},
            "Allocation":{"Size":3},
            "Instance":{"Properties":{"Note":"v1"},"Plugin":"a"}}"#;
        stage.commit("g", reordered);
        stage.settle();
        stage.demand_alive("g", &before);
    });
}

/// With a slow plugin, a rollout of 4 ended with 8.
#[test]
fn x03_a_slow_plugin_in_mid_rollout() {
    exhibit(Habit::BlindRetry, |stage| {
        stage.found("g", &cattle(4, "v1"));
        stage.plugin("a").creation = (20 * SECOND, 20 * SECOND);
        stage.commit("g", &cattle(4, "v2"));
        stage.settle();
    });
}

/// A bad spec in the store led to 4500 errors a second after a restart.
#[test]
fn x05_a_bad_spec_costs_nothing_after_a_restart() {
    exhibit(Habit::NoBackoff, |stage| {
        stage.commit("g", &cattle(2, "refused"));
        for _ in 0..3 {
            stage.crash();
            stage.seconds(10 * 60);
        }
        let creates = stage.world.counts().creates;
        stage.demand(creates <= 12, format!("{creates} attempts"));
    });
}

/// "Mitigate the risk of creating a lot of instances."
#[test]
fn d01_a_governor_bounds_what_is_made_in_a_minute() {
    let traits = Traits {
        creates_per_minute: Some(6),
        ..Traits::default()
    };
    exhibit_in(&traits, Habit::NoGovernor, |stage| {
        stage.commit("g", &cattle(40, "v1"));
        stage.seconds(59);
        let creates = stage.world.counts().creates;
        stage.demand(creates <= 12, format!("{creates} creations in a minute"));
        stage.settle();
    });
}

/// However large a group is wished to be.
#[test]
fn d01_a_ceiling_bounds_what_anybody_asks_for() {
    exhibit(Habit::NoCeiling, |stage| {
        let bounded = spec("a", r#"{"Size":3,"MaxInstances":4}"#, "v1", "");
        stage.found("g", &bounded);
        let granted = stage.ask("g", Operation::SetSize(400)).is_ok();
        stage.demand(!granted, "400 members are granted where 4 may be");
        stage.seconds(30);
        let count = stage.count("g");
        stage.demand(count <= 4, format!("{count} members where 4 may be"));
        stage.settle();
    });
}

/// To scale one group rolled another one.
#[test]
fn d03_scaling_rolls_nobody() {
    exhibit(Habit::HashesText, |stage| {
        stage.commit("p", &pets(&["one", "two", "three"], "v1"));
        stage.found("g", &cattle(3, "v1"));
        let (pets_before, before) = (stage.ids("p"), stage.ids("g"));
        stage.commit("p", &pets(&["one", "two", "three"], "v1"));
        stage.commit("g", &cattle(5, "v1"));
        stage.settle();
        stage.demand_alive("p", &pets_before);
        stage.demand_alive("g", &before);
    });
}

/// A health check fought with a group that could not work: create, delete, for ever.
#[test]
fn d24_a_configuration_error_stops_at_once() {
    exhibit(Habit::LoopsOnConfigErrors, |stage| {
        stage.commit("g", &cattle(2, "refused"));
        stage.seconds(60 * 60);
        let creates = stage.world.counts().creates;
        stage.demand(creates <= 3, format!("{creates} attempts in an hour"));
        let why = stage.why("g");
        stage.demand(
            why.contains("no such image"),
            format!("what the plugin said is not told: {why}"),
        );
        stage.commit("g", &cattle(2, "v1"));
        stage.settle();
    });
}

/// A quota that was used up for a while stopped a group for good.
#[test]
fn d26_a_quota_that_passes_needs_no_person() {
    exhibit(Habit::StopsAtAnyError, |stage| {
        stage.force(Kind::CreateQuota, 4);
        stage.commit("g", &cattle(2, "v1"));
        stage.seconds(10 * 60);
        let count = stage.count("g");
        stage.demand(count == 2, format!("{count} members of 2"));
        stage.settle();
    });
}

/// Whoever had just begun to boot was killed, again and again.
#[test]
fn d27_a_slow_boot_is_no_illness() {
    exhibit(Habit::NoGrace, |stage| {
        // They answer, and say that they are not ready.
        stage.commit("g", &cattle(3, "sick until they have booted"));
        stage.seconds(4 * 60);
        for id in stage.ids("g") {
            stage.turn(&id, Truth::Well);
        }
        stage.seconds(5 * 60);
        let destroys = stage.world.counts().destroys;
        stage.demand(
            destroys == 0,
            format!("{destroys} are destroyed in their boot"),
        );
        stage.settle();
    });
}

/// 6000 evictions a day, until a human intervened.
#[test]
fn d28_flapping_verdicts_churn_nobody() {
    exhibit(Habit::HealsAtOnce, |stage| {
        stage.found("g", &cattle(5, "v1"));
        let before = stage.ids("g");
        stage.world.dice().set(Kind::CheckLies, 400);
        stage.seconds(60 * 60);
        stage.settle();
        stage.demand_alive("g", &before);
    });
}

/// A change that is taken back at once was rolled there and back.
#[test]
fn d28_a_pause_stops_a_change_that_is_regretted() {
    exhibit(Habit::IgnoresPauses, |stage| {
        let size = 6;
        stage.found("g", &herd(size, "v1", ""));
        stage.commit("g", &herd(size, "v2", ""));
        stage.order("g", Operation::Pause);
        stage.seconds(60);
        let new = stage.made_of("g", &herd(size, "v2", "")).len();
        stage.seconds(20 * 60);
        let later = stage.made_of("g", &herd(size, "v2", "")).len();
        stage.demand(
            new == later,
            format!("{new} are new, and {later} after a while"),
        );
        stage.order("g", Operation::Resume);
        stage.settle();
    });
}
