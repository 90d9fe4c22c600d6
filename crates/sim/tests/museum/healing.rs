//! Sickness, real and alleged.

use infrakit_sim::faults::Kind;

use crate::naive::Habit;
use crate::stage::{cattle, exhibit};

#[test]
fn d02_one_bad_verdict_kills_nobody() {
    exhibit(Habit::HealsAtOnce, |stage| {
        stage.commit("g", &cattle(3, "v1"));
        stage.settle();
        let before = stage.world.counts().destroys;
        stage.force(Kind::CheckLies, 1);
        stage.seconds(60);
        let after = stage.world.counts().destroys;
        stage.demand(before == after, "somebody healthy is destroyed");
        stage.settle();
    });
}
