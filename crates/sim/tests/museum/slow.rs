//! Exhibits once more, where providers take as long as they really do: creations of a second, of a
//! minute and of nearly seven, lists that lag by seconds and by minutes, and a kill that comes early in
//! a creation, late in it, or after it. The contrast with a naive policy is in the exhibit of the same
//! row; here only ours is played.

use std::time::Duration;

use infrakit_sim::controller::Operation;
use infrakit_sim::faults::Kind;
use infrakit_sim::world::{SECOND, Traits, Truth};
use infrakit_spi::behaviour::Behaviour;

use crate::stage::{Stage, cattle, herd, ours_in, pets, spec};

/// How long a creation takes, in seconds: a container, a virtual machine, a bare-metal host.
const CREATIONS: [u64; 3] = [1, 60, 400];
/// By how much lists lag, in seconds: a provider in one place, one of replicas, a slow cache.
const LAGS: [u64; 3] = [2, 40, 240];

/// What controllers are told of plugins whose creations take so many seconds, and whose lists lag by so
/// many.
fn told(creation: u64, lag: u64) -> Traits {
    let lag = Some(Duration::from_secs(lag).into());
    let mut behaviour = Behaviour::default();
    behaviour.create.give_up = Some(Duration::from_secs(creation + creation / 2 + 15).into());
    behaviour.visibility_window.list = lag;
    behaviour.list.lag = lag;
    behaviour.list.relapse = lag;
    Traits {
        behaviours: ["a", "b"]
            .map(|name| (name.into(), behaviour.clone()))
            .into(),
        ..Traits::default()
    }
}

/// Plays a scene for each length of a creation, given in seconds, on plugins whose lists lag by `lag`.
fn with_creations_and(lag: u64, scene: impl Fn(&mut Stage, u64)) {
    for creation in CREATIONS {
        ours_in(&told(creation, lag), |stage| {
            for name in ["a", "b"] {
                let plugin = stage.plugin(name);
                plugin.creation = (creation * SECOND, creation * SECOND);
                plugin.lag = lag * SECOND;
            }
            scene(stage, creation);
        });
    }
}

fn with_creations(scene: impl Fn(&mut Stage, u64)) {
    with_creations_and(2, scene);
}

/// Plays a scene for each length of a creation and several moments of it, given in seconds.
fn with_moments(scene: impl Fn(&mut Stage, u64)) {
    for tenths in [1, 9, 15] {
        with_creations(|stage, creation| scene(stage, creation * tenths / 10));
    }
}

/// Waits until all is as specified, for as long as a dozen creations one after the other take.
fn settle(stage: &mut Stage) {
    stage.settle_within(120);
}

fn demand_count(stage: &mut Stage, group: &str, expected: usize) {
    let count = stage.count(group);
    stage.demand(count == expected, format!("{count} members of {expected}"));
}

#[test]
fn a06_a_slow_creation_is_not_a_failed_one() {
    with_creations(|stage, creation| {
        stage.commit("g", &cattle(3, "v1"));
        stage.seconds(creation + 5);
        demand_count(stage, "g", 3);
        settle(stage);
    });
}

#[test]
fn d30_a_create_that_a_kill_interrupts_is_made_once() {
    with_moments(|stage, moment| {
        stage.commit("g", &cattle(3, "v1"));
        stage.commit("p", &pets(&["one", "two", "three"], "v1"));
        stage.seconds(moment);
        stage.crash();
        stage.seconds(moment);
        stage.crash();
        settle(stage);
        demand_count(stage, "g", 3);
        demand_count(stage, "p", 3);
    });
}

#[test]
fn d31_a_change_of_leaders_in_mid_creation_doubles_nobody() {
    with_moments(|stage, moment| {
        stage.commit("g", &cattle(3, "v1"));
        stage.seconds(moment);
        stage.world.take_over(0);
        stage.seconds(60);
        settle(stage);
        demand_count(stage, "g", 3);
    });
}

#[test]
fn x11_an_update_goes_on_after_a_kill() {
    with_moments(|stage, moment| {
        stage.commit("g", &cattle(4, "v1"));
        settle(stage);
        stage.commit("g", &cattle(4, "v2"));
        stage.seconds(moment);
        stage.crash();
        settle(stage);
        let all = stage.is_all("g", 4, &cattle(4, "v2"));
        stage.demand(all, "it is not 4 of the new configuration");
    });
}

#[test]
fn x13_a_move_survives_a_kill() {
    with_moments(|stage, moment| {
        stage.commit("g", &pets(&["one", "two"], "v1"));
        settle(stage);
        let moved = spec("b", r#"{"LogicalIDs":["one","two"]}"#, "v1", "");
        stage.commit("g", &moved);
        stage.seconds(moment);
        stage.crash();
        settle(stage);
        demand_count(stage, "g", 2);
    });
}

#[test]
fn a01_with_a_surge_capacity_never_dips() {
    with_moments(|stage, moment| {
        let surge = r#","Updating":{"MaxSurge":1}"#;
        stage.commit("g", &herd(3, "v1", surge));
        settle(stage);
        stage.commit("g", &herd(3, "v2", surge));
        stage.seconds(moment);
        stage.crash();
        settle(stage);
        let all = stage.is_all("g", 3, &herd(3, "v2", surge));
        stage.demand(all, "it is not 3 of the new configuration");
    });
}

/// A size by mistake, put right at once: what has not begun is not made, and what has begun goes.
#[test]
fn a_size_that_was_a_mistake_is_put_right() {
    with_moments(|stage, moment| {
        stage.commit("g", &cattle(40, "v1"));
        stage.commit("g", &cattle(2, "v1"));
        stage.seconds(moment);
        stage.crash();
        settle(stage);
        demand_count(stage, "g", 2);
    });
}

/// Freed and committed anew while its members are on their way: it has them once.
#[test]
fn a_group_that_is_freed_in_mid_creation_is_taken_up_again() {
    with_moments(|stage, moment| {
        stage.commit("g", &cattle(3, "v1"));
        stage.seconds(moment);
        stage.order("g", Operation::Free);
        stage.crash();
        stage.commit("g", &cattle(3, "v1"));
        settle(stage);
        demand_count(stage, "g", 3);
    });
}

/// Destroyed while its members are on their way: nobody is left.
#[test]
fn a_group_that_is_destroyed_in_mid_creation_leaves_nobody() {
    with_moments(|stage, moment| {
        stage.commit("g", &cattle(3, "v1"));
        stage.seconds(moment);
        stage.order("g", Operation::Destroy);
        stage.crash();
        stage.seconds(120 * 60);
        demand_count(stage, "g", 0);
    });
}

#[test]
fn a10_who_is_sick_is_replaced_once_though_its_successor_is_long_in_coming() {
    with_moments(|stage, moment| {
        stage.commit("g", &cattle(5, "v1"));
        settle(stage);
        let sick = stage.ids("g").remove(0);
        stage.turn(&sick, Truth::Sick);
        stage.seconds(2 * 60 + moment);
        stage.crash();
        settle(stage);
        demand_count(stage, "g", 5);
        let there = stage.ids("g").contains(&sick);
        stage.demand(!there, "the sick member is still there");
    });
}

#[test]
fn d34_what_a_stale_list_does_not_show_is_not_made_again() {
    for lag in LAGS {
        with_creations_and(lag, |stage, creation| {
            stage.plugin("a").fingerprints = false;
            stage.commit("g", &cattle(2, "v1"));
            stage.force_by(Kind::ListGoesBack, 6, lag * 1_000);
            stage.seconds(creation + 3);
            stage.crash();
            stage.seconds(10 * 60);
            demand_count(stage, "g", 2);
            settle(stage);
        });
    }
}
