//! The way back.

use infrakit_sim::controller::Operation;
use infrakit_sim::faults::Kind;
use infrakit_sim::world::Truth;

use crate::naive::Habit;
use crate::stage::{Stage, cattle, exhibit, herd, pets};

const BACK: Operation = Operation::Rollback(None);

/// Lets a rollout to `new` come half-way through a group of `size`.
fn half_way(stage: &mut Stage, size: usize, new: &str) {
    stage.commit("g", new);
    let half = stage.until(20 * 60, |stage| {
        stage.made_of("g", new).len() >= size / 2 && stage.count("g") == size
    });
    stage.demand(half, "the rollout does not come half-way");
}

/// The undo of rollouts was taken away, and never came back.
#[test]
fn d10_a_former_revision_can_be_put_back() {
    exhibit(Habit::NoRollback, |stage| {
        let (old, new) = (cattle(3, "v1"), cattle(3, "v2"));
        stage.found("g", &old);
        stage.found("g", &new);
        stage.order("g", BACK);
        let back = stage.until(10 * 60, |stage| stage.is_all("g", 3, &old));
        stage.demand(back, "it does not go back");
        stage.settle_at(&old);
    });
}

/// A revert was slow: it went through the canary.
#[test]
fn d13_the_way_back_has_no_stages() {
    exhibit(Habit::RollbackInStages, |stage| {
        let staged = r#","Updating":{"Stages":[{"Until":1,"Bake":"2h","Approve":true}]}"#;
        let (old, new) = (herd(4, "v1", staged), herd(4, "v2", staged));
        stage.found("g", &old);
        stage.commit("g", &new);
        stage.until(20 * 60, |stage| stage.made_of("g", &new).len() == 1);
        stage.seconds(2 * 60);
        // A second member is moved on by hand, so that there is more than one to take back.
        stage.seconds(2 * 60 * 60);
        stage.order("g", Operation::Approve);
        let on = stage.until(20 * 60, |stage| stage.is_all("g", 4, &new));
        stage.demand(on, "it does not go on after approval");
        stage.order("g", BACK);
        let back = stage.until(20 * 60, |stage| stage.is_all("g", 4, &old));
        stage.demand(back, "20 minutes later it is not back");
    });
}

/// A revert waited for the health of what it reverted.
#[test]
fn d13_the_way_back_does_not_wait_for_the_broken() {
    exhibit(Habit::WaitsForTheBroken, |stage| {
        let (old, new) = (cattle(3, "v1"), cattle(3, "sick"));
        stage.found("g", &old);
        stage.commit("g", &new);
        stage.seconds(3 * 60);
        stage.order("g", BACK);
        let back = stage.until(15 * 60, |stage| stage.is_all("g", 3, &old));
        stage.demand(back, "15 minutes later it is not back");
    });
}

/// A revert ignored the budget: a full outage.
#[test]
fn d14_the_way_back_has_the_same_budget() {
    exhibit(Habit::RollbackAllAtOnce, |stage| {
        let (old, new) = (cattle(4, "v1"), cattle(4, "v2"));
        stage.found("g", &old);
        stage.found("g", &new);
        stage.order("g", BACK);
        let back = stage.until(20 * 60, |stage| stage.is_all("g", 4, &old));
        stage.demand(back, "20 minutes later it is not back");
    });
}

/// Members that got sick after a while did not bring about the way back that was asked for.
#[test]
fn d17_a_failure_that_comes_late_still_turns_a_rollout_round() {
    exhibit(Habit::WaitsForEver, |stage| {
        let careful = r#","Updating":{"FailureThreshold":1,"OnFailure":"rollback","Duration":"3m"},"Health":{"GracePeriod":"30s"}"#;
        let (old, new) = (herd(4, "v1", careful), herd(4, "v2", careful));
        stage.found("g", &old);
        stage.commit("g", &new);
        let one = stage.until(10 * 60, |stage| stage.made_of("g", &new).len() == 1);
        stage.demand(one, "nothing is rolled");
        // It is well for a minute, and no longer.
        stage.seconds(60);
        for id in stage.made_of("g", &new) {
            stage.turn(&id, Truth::Sick);
        }
        let back = stage.until(30 * 60, |stage| stage.is_all("g", 4, &old));
        stage.demand(back, "the sick canary does not bring about the way back");
    });
}

/// An automatic rollback killed good members.
#[test]
fn d17_the_way_back_takes_nobody_who_was_never_led_away() {
    exhibit(Habit::RollbackReplacesAll, |stage| {
        let careful = r#","Updating":{"ProgressDeadline":"5m","OnFailure":"rollback"}"#;
        let (old, new) = (herd(4, "v1", careful), herd(4, "sick", careful));
        stage.found("g", &old);
        stage.commit("g", &new);
        stage.seconds(2 * 60);
        let left = stage.made_of("g", &old);
        let back = stage.until(40 * 60, |stage| stage.is_all("g", 4, &old));
        stage.demand(back, "it does not go back");
        stage.seconds(10 * 60);
        stage.demand_alive("g", &left);
    });
}

/// A rollback replaced tasks that were as they should be.
#[test]
fn d18_the_way_back_leaves_members_that_match_alone() {
    exhibit(Habit::RollbackReplacesAll, |stage| {
        let (old, new) = (cattle(6, "v1"), cattle(6, "v2"));
        stage.found("g", &old);
        half_way(stage, 6, &new);
        let left = stage.made_of("g", &old);
        stage.order("g", BACK);
        stage.until(20 * 60, |stage| stage.is_all("g", 6, &old));
        stage.seconds(5 * 60);
        let there = stage.made_of("g", &old);
        // Whoever was on its way out when it turned round is gone.
        let gone = left.iter().filter(|id| !there.contains(id)).count();
        stage.demand(gone <= 1, format!("{gone} that matched are gone"));
        let back = stage.is_all("g", 6, &old);
        stage.demand(back, "it is not back");
    });
}

/// A refresh rolled back, to the new template.
#[test]
fn d19_the_way_back_leads_to_the_former_configuration() {
    exhibit(Habit::RollsBackToTheNew, |stage| {
        let (old, new) = (cattle(4, "v1"), cattle(4, "v2"));
        stage.found("g", &old);
        half_way(stage, 4, &new);
        stage.order("g", BACK);
        let back = stage.until(20 * 60, |stage| stage.is_all("g", 4, &old));
        stage.demand(back, "20 minutes later it is not back");
    });
}

/// Restarted in the middle of the way back, a controller went forth again.
#[test]
fn d18_the_way_back_survives_a_restart() {
    exhibit(Habit::FirstCommitIsTheTruth, |stage| {
        let ids = ["one", "two", "three", "four"];
        let (old, new) = (pets(&ids, "v1"), pets(&ids, "v2"));
        stage.found("g", &old);
        half_way(stage, 4, &new);
        stage.force_by(Kind::DrainSlow, 1, 20_000);
        stage.order("g", BACK);
        stage.seconds(5);
        stage.crash();
        let back = stage.until(20 * 60, |stage| stage.is_all("g", 4, &old));
        stage.demand(back, "20 minutes later it is not back");
    });
}
