//! Changes that went through, or did not.

use infrakit_sim::controller::Operation;
use infrakit_sim::faults::Kind;
use infrakit_sim::world::{SECOND, Truth};
use infrakit_spi::tags;

use crate::naive::Habit;
use crate::stage::{cattle, exhibit, exhibit_beyond, hash_of, herd, spec};

/// The whole update went at one member less than the size.
#[test]
fn a01_with_a_surge_capacity_never_dips() {
    exhibit(Habit::DestroysFirst, |stage| {
        let surging = |note| herd(4, note, r#","Updating":{"MaxSurge":1}"#);
        stage.found("g", &surging("v1"));
        stage.commit("g", &surging("v2"));
        stage.settle();
    });
}

/// From 3 to 5 with a new configuration, committed once more in the middle: it stayed 3.
#[test]
fn a02_growth_survives_a_second_commit() {
    exhibit(Habit::LosesGrowth, |stage| {
        stage.found("g", &cattle(3, "v1"));
        stage.commit("g", &cattle(5, "v2"));
        stage.seconds(3);
        stage.commit("g", &cattle(5, "v2"));
        stage.settle();
    });
}

/// Two updaters drained the same member.
#[test]
fn a04_a_commit_during_a_slow_drain_drains_nobody_twice() {
    exhibit(Habit::TwoUpdaters, |stage| {
        stage.found("g", &cattle(4, "v1"));
        stage.force_by(Kind::DrainSlow, 1, 30_000);
        stage.commit("g", &cattle(4, "v2"));
        let begun = stage.until(30, |stage| stage.world.counts().destroys == 1);
        stage.demand(begun, "nothing is rolled");
        stage.commit("g", &cattle(4, "v3"));
        stage.settle();
        let destroys = stage.world.counts().destroys;
        stage.demand(
            destroys == 4,
            format!("{destroys} destructions for 4 members"),
        );
    });
}

/// Old members were drained as if they were new ones.
#[test]
fn a05_old_members_are_drained_as_what_they_are() {
    exhibit(Habit::DrainsAsTheNew, |stage| {
        let (old, new) = (cattle(3, "v1"), cattle(3, "v2"));
        stage.found("g", &old);
        let before = stage.ids("g");
        stage.found("g", &new);
        for id in before {
            let own = format!("drained as {}", hash_of(&old));
            let named = format!("destroy `{id}`");
            let told = stage.tells(&[&named, &own]);
            stage.demand(told, format!("`{id}` is not drained as what it is"));
        }
    });
}

/// One failed call ended the update, and the group stayed mixed.
#[test]
fn a08_a_call_that_fails_does_not_end_a_rollout() {
    exhibit(Habit::GivesUp, |stage| {
        stage.found("g", &cattle(3, "v1"));
        stage.force(Kind::DestroyFails, 2);
        stage.commit("g", &cattle(3, "v2"));
        stage.seconds(60);
        stage.settle();
    });
}

/// An update waited for ever for a member that never got well.
#[test]
fn a09_a_rollout_that_comes_to_nothing_ends_and_goes_back() {
    exhibit(Habit::WaitsForEver, |stage| {
        let updating = r#","Updating":{"ProgressDeadline":"10m","OnFailure":"rollback"}"#;
        let good = herd(3, "v1", updating);
        stage.found("g", &good);
        stage.commit("g", &herd(3, "sick", updating));
        let back = stage.until(60 * 60, |stage| stage.is_all("g", 3, &good));
        stage.demand(back, "an hour later it still waits for the sick member");
    });
}

/// One batch waited for the slowest of its members.
#[test]
fn a26_one_slow_creation_does_not_hold_up_the_others() {
    exhibit(Habit::WaitsForTheBatch, |stage| {
        stage.plugin("a").creation = (SECOND, 10 * SECOND);
        stage.commit("g", &cattle(20, "v1"));
        stage.seconds(24);
        let count = stage.count("g");
        stage.demand(count == 20, format!("{count} of 20 after 24 s"));
        stage.settle();
    });
}

/// 3 of 4 were there, and the group said that it was converged.
#[test]
fn x02_a_group_in_mid_rollout_is_not_converged() {
    exhibit(Habit::SaysConverged, |stage| {
        stage.found("g", &cattle(4, "v1"));
        let new = cattle(4, "v2");
        stage.commit("g", &new);
        for _ in 0..120 {
            let said = stage.converged("g") == Some(true);
            if said && !stage.is_all("g", 4, &new) {
                stage.demand(false, "it says that it is converged, and is not");
                break;
            }
            stage.seconds(1);
        }
        stage.settle();
    });
}

/// v2 and then v3, during a slow drain: the update was dead, with 3 of 4 stale.
#[test]
fn x14_a_second_change_takes_over_from_the_first() {
    exhibit(Habit::SecondUpdateDies, |stage| {
        stage.found("g", &cattle(4, "v1"));
        stage.force_by(Kind::DrainSlow, 1, 6_000);
        stage.commit("g", &cattle(4, "v2"));
        stage.until(30, |stage| stage.world.counts().destroys == 1);
        stage.commit("g", &cattle(4, "v3"));
        stage.settle();
        let (new, between) = (cattle(4, "v3"), cattle(4, "v2"));
        let all = stage.is_all("g", 4, &new) && stage.made_of("g", &between).is_empty();
        stage.demand(all, "not all are of the last configuration");
    });
}

/// A set could not leave a revision that was broken.
#[test]
fn d09_a_fix_does_not_wait_for_what_it_fixes() {
    exhibit(Habit::WaitsForTheBroken, |stage| {
        stage.found("g", &cattle(3, "v1"));
        stage.commit("g", &cattle(3, "sick"));
        stage.seconds(3 * 60);
        let fixed = cattle(3, "v3");
        stage.commit("g", &fixed);
        let done = stage.until(30 * 60, |stage| stage.is_all("g", 3, &fixed));
        stage.demand(done, "half an hour later the fix is not rolled out");
        stage.settle();
    });
}

const STAGED: &str =
    r#","Updating":{"Stages":[{"Until":1,"Approve":true},{"Until":"50%","Approve":true}]}"#;

/// "User-paced rollout."
#[test]
fn d11_a_canary_waits_for_a_person() {
    exhibit(Habit::IgnoresStages, |stage| {
        let (old, new) = (herd(6, "v1", STAGED), herd(6, "v2", STAGED));
        stage.found("g", &old);
        stage.commit("g", &new);
        stage.seconds(10 * 60);
        let canaries = stage.made_of("g", &new).len();
        stage.demand(
            canaries == 1,
            format!("{canaries} canaries, and 1 was asked for"),
        );
        stage.order("g", Operation::Approve);
        stage.settle();
    });
}

/// `max_parallel` as a percentage: 34 % of 4 is one.
#[test]
fn d12_a_percentage_is_rounded_to_the_safe_side() {
    exhibit(Habit::RoundsUp, |stage| {
        let bounded = |note| herd(4, note, r#","Updating":{"MaxUnavailable":"34%"}"#);
        stage.found("g", &bounded("v1"));
        stage.commit("g", &bounded("v2"));
        stage.settle();
    });
}

/// "Grouped, sequenced promotions."
#[test]
fn d15_each_gate_has_its_own_key() {
    exhibit(Habit::OneApprovalForAll, |stage| {
        let (old, new) = (herd(6, "v1", STAGED), herd(6, "v2", STAGED));
        stage.found("g", &old);
        stage.commit("g", &new);
        stage.seconds(5 * 60);
        stage.order("g", Operation::Approve);
        stage.seconds(10 * 60);
        let made = stage.made_of("g", &new).len();
        stage.demand(made == 3, format!("{made} are new at the second gate of 3"));
        stage.order("g", Operation::Approve);
        stage.settle();
    });
}

/// A canary that died with its controller's memory became everybody.
#[test]
fn d15_a_canary_is_not_forgotten_over_a_restart() {
    exhibit(Habit::ForgetsTheCanary, |stage| {
        let (old, new) = (herd(6, "v1", STAGED), herd(6, "v2", STAGED));
        stage.found("g", &old);
        stage.commit("g", &new);
        stage.seconds(5 * 60);
        stage.crash();
        stage.seconds(10 * 60);
        let canaries = stage.made_of("g", &new).len();
        stage.demand(
            canaries == 1,
            format!("{canaries} canaries after a restart"),
        );
        stage.order("g", Operation::Approve);
        stage.settle();
    });
}

/// An old member died beside the canary, and its successor was a second canary.
#[test]
fn d15_a_canary_stays_the_only_one() {
    exhibit(Habit::ReplacesFromTheNew, |stage| {
        let (old, new) = (herd(6, "v1", STAGED), herd(6, "v2", STAGED));
        stage.found("g", &old);
        stage.commit("g", &new);
        stage.seconds(5 * 60);
        let victim = stage.made_of("g", &old).remove(0);
        stage.delete(&victim);
        stage.seconds(5 * 60);
        let (canaries, count) = (stage.made_of("g", &new).len(), stage.count("g"));
        stage.demand(
            (canaries, count) == (1, 6),
            format!("{canaries} canaries among {count} members"),
        );
        stage.settle();
    });
}

/// "Updates should take down no more than 5 % of the fleet."
#[test]
fn d16_no_more_than_five_percent() {
    exhibit(Habit::RollsAllAtOnce, |stage| {
        let bounded = |note| herd(20, note, r#","Updating":{"MaxUnavailable":"5%"}"#);
        stage.found("g", &bounded("v1"));
        stage.commit("g", &bounded("v2"));
        stage.settle();
    });
}

/// Sick, held and outdated at once: neither the rollout nor the hold came to harm.
#[test]
fn d21_a_held_member_stays_and_holds_up_nobody() {
    exhibit(Habit::IgnoresHolds, |stage| {
        let updating = r#","Updating":{"MaxUnavailable":2}"#;
        let (old, new) = (herd(4, "v1", updating), herd(4, "v2", updating));
        stage.found("g", &old);
        let held = stage.ids("g").remove(1);
        stage.order("g", Operation::Hold(held.clone()));
        stage.turn(&held, Truth::Sick);
        stage.commit("g", &new);
        stage.seconds(30 * 60);
        stage.demand_alive("g", std::slice::from_ref(&held));
        let new = stage.made_of("g", &new).len();
        stage.demand(new == 3, format!("{new} of the 3 others are new"));
        stage.order("g", Operation::Release(held));
        stage.settle();
    });
}

/// "Refuse to apply on drift since the plan."
#[test]
fn d35_whoever_was_not_shown_is_not_rolled() {
    exhibit_beyond(Habit::RollsWhateverComes, |stage| {
        let (old, new) = (cattle(4, "v1"), cattle(4, "v2"));
        stage.found("g", &old);
        stage.commit("g", &new);
        stage.until(10 * 60, |stage| stage.made_of("g", &new).len() == 2);
        // Somebody deletes one and makes another one by hand, of a configuration of their own.
        let victim = stage.made_of("g", &old).remove(0);
        stage.delete(&victim);
        let labels = [
            (tags::GROUP.to_owned(), "g".to_owned()),
            (tags::CONFIG_HASH.to_owned(), "of their own".to_owned()),
        ];
        let foreign = stage.world.by_hand(&"a".into(), None, labels.into());
        stage.seconds(20 * 60);
        stage.demand_alive("g", &[foreign]);
        let why = stage.why("g");
        stage.demand(why.contains("paused"), format!("it is not paused: {why}"));
        stage.settle();
    });
}

#[test]
fn d22_a_change_does_not_roll_everybody_at_once() {
    exhibit(Habit::RollsAllAtOnce, |stage| {
        stage.found("g", &cattle(4, "v1"));
        stage.found("g", &cattle(4, "v2"));
    });
}

/// Replaced before the old one was gone: one too many, and the quota was used up.
#[test]
fn d20_who_is_terminating_counts_as_long_as_it_is_there() {
    exhibit(Habit::GoneWhenAccepted, |stage| {
        let surging = |note| spec("a", r#"{"Size":3}"#, note, r#","Updating":{"MaxSurge":1}"#);
        stage.found("g", &surging("v1"));
        stage.force_by(Kind::DestroySlow, 3, 50_000);
        stage.commit("g", &surging("v2"));
        stage.seconds(5 * 60);
        stage.settle();
    });
}
