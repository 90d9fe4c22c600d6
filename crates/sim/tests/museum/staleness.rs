//! Lists that are late, wrong, or do not come.

use infrakit_sim::faults::Kind;

use crate::naive::Habit;
use crate::stage::{cattle, exhibit, pets};

/// An asynchronous destruction was taken for done.
#[test]
fn a29_who_is_on_its_way_out_is_still_there() {
    exhibit(Habit::GoneWhenAccepted, |stage| {
        stage.found("g", &cattle(3, "v1"));
        stage.force_by(Kind::DestroySlow, 3, 50_000);
        stage.commit("g", &cattle(3, "v2"));
        stage.seconds(10 * 60);
        stage.settle();
    });
}

#[test]
fn d34_a_list_that_fails_is_not_an_empty_one() {
    exhibit(Habit::TrustsFailedLists, |stage| {
        stage.found("g", &cattle(3, "v1"));
        stage.force(Kind::ListFails, 3);
        stage.seconds(60);
        stage.settle();
    });
}

/// A list that breaks off is no list, either.
#[test]
fn d34_half_a_list_is_none() {
    exhibit(Habit::TrustsFailedLists, |stage| {
        stage.found("p", &pets(&["one", "two", "three"], "v1"));
        stage.force(Kind::ListTorn, 3);
        stage.seconds(60);
        stage.settle();
    });
}

/// A cache that lags behind: what had just been made was made again.
#[test]
fn d34_what_a_stale_list_does_not_show_is_not_made_again() {
    exhibit(Habit::BelievesStaleLists, |stage| {
        stage.plugin("a").fingerprints = false;
        stage.commit("g", &cattle(2, "v1"));
        stage.seconds(2);
        // From now on lists show what was there before the last changes.
        stage.force_by(Kind::ListStale, 2, 9);
        stage.world.nudge(&"a".into());
        stage.seconds(10 * 60);
        stage.settle();
    });
}

/// A replica that lags behind another one: whoever had been seen was gone, and then was back.
#[test]
fn d34_a_list_that_goes_back_brings_nobody_back() {
    exhibit(Habit::BelievesStaleLists, |stage| {
        stage.plugin("a").lag = 14_000_000_000;
        stage.commit("g", &cattle(2, "v1"));
        stage.seconds(3);
        stage.force_by(Kind::ListGoesBack, 2, 14_000);
        stage.seconds(10 * 60);
        stage.settle();
    });
}
