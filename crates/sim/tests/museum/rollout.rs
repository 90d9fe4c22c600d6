//! Changes that went through, or did not.

use crate::naive::Habit;
use crate::stage::{cattle, exhibit};

#[test]
fn d22_a_change_does_not_roll_everybody_at_once() {
    exhibit(Habit::RollsAllAtOnce, |stage| {
        stage.commit("g", &cattle(4, "v1"));
        stage.settle();
        stage.commit("g", &cattle(4, "v2"));
        stage.settle();
    });
}
