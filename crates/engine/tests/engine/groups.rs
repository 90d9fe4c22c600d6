//! Groups that are kept: made, healed, rolled, freed, destroyed, taken over.

use std::time::Duration;

use infrakit_spi::group::{Commit, Group as _};
use infrakit_spi::rollout::Rollouts as _;

use crate::world::{HANGING, World, group, on};

#[tokio::test(start_paused = true)]
async fn creates_heals_rolls_grows_and_destroys() {
    let world = World::new();
    let engine = world.engine().await;
    let details = engine
        .commit(&group(5, "1", ""), Commit::Enforce)
        .await
        .unwrap();
    assert_eq!(details, "Managing 5 instances");
    world.converged(&engine, 5).await;

    world.kill(world.any().as_str());
    world.kill(world.any().as_str());
    world.converged(&engine, 5).await;

    let next = group(10, "2", "");
    let sentence = "Performing a rolling update on 5 instances, then adding 5 instances to increase the group size to 10";
    assert_eq!(
        engine.commit(&next, Commit::Pretend).await.unwrap(),
        sentence
    );
    assert_eq!(
        engine.commit(&next, Commit::Enforce).await.unwrap(),
        sentence
    );
    world.converged(&engine, 10).await;
    assert_eq!(world.hashes().len(), 1);
    assert!(world.most() <= 10, "{} members at once", world.most());
    assert_eq!(engine.commit(&next, Commit::Enforce).await.unwrap(), "Noop");

    engine.destroy(&"g".into()).await.unwrap();
    assert_eq!(world.members().len(), 0);
    assert!(engine.inspect().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_half_finished_update_goes_on_after_a_crash() {
    let world = World::new();
    let engine = world.engine().await;
    world.arrive(&engine, 6, "1").await;
    world.state().delay = Duration::from_secs(1);
    engine
        .commit(&group(8, "2", ""), Commit::Enforce)
        .await
        .unwrap();
    let half = async {
        while world.hashes().len() < 2 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), half).await;
    waited.expect("the update begins");
    world.crash();

    let engine = world.engine().await;
    world.converged(&engine, 8).await;
    assert_eq!(world.hashes().len(), 1);
    assert!(world.most() <= 8, "{} members at once", world.most());
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_outlasts_everything_never_leads_to_a_second_instance() {
    let world = World::new();
    world.state().delay = Duration::from_secs(3600);
    world.state().lose = true;
    let engine = world.engine().await;
    engine
        .commit(&group(3, "1", ""), Commit::Enforce)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(500)).await;
    assert_eq!(
        world.begun(),
        3,
        "nothing is tried again while answers are awaited"
    );
}

/// A world in which three creations are under way that take an hour, and nobody waits for them.
async fn killed_in_mid_creation() -> World {
    let world = World::new();
    world.state().delay = Duration::from_secs(3600);
    let engine = world.engine().await;
    engine
        .commit(&group(3, "1", ""), Commit::Enforce)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.crash();
    assert_eq!(world.begun(), 3);
    world
}

/// Of a plugin that has not said how it behaves a creation is waited for ten minutes.
#[tokio::test(start_paused = true)]
async fn a_plugin_that_misses_a_question_is_asked_again_soon() {
    let world = killed_in_mid_creation().await;

    world.state().delay = Duration::ZERO;
    world.state().unanswered = 3;
    let _engine = world.engine().await;
    tokio::time::sleep(Duration::from_secs(45)).await;
    assert_eq!((world.begun(), world.members().len()), (6, 3));
}

/// What is under way is as old as the machine says, whatever clock somebody sets; who asks is told the
/// time on the wall.
#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_ahead_gives_up_nothing_that_is_under_way() {
    for minutes in [30, 1440] {
        let world = killed_in_mid_creation().await;

        world.set_ahead(Duration::from_secs(minutes * 60));
        let engine = world.engine().await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(world.begun(), 3, "{minutes} minutes");
        let why = engine.why(&"g".into(), None).await.unwrap().lines;
        let begun = if minutes == 30 {
            "begun at 2026-11-25T14:14:20Z (10s ago)"
        } else {
            "begun at 2026-11-26T13:44:20Z (10s ago)"
        };
        assert!(why.iter().any(|line| line.contains(begun)), "{why:?}");

        // It is right again.
        world.crash();
        world.set_ahead(Duration::ZERO);
        world.state().delay = Duration::ZERO;
        let engine = world.engine().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(world.begun(), 3, "{minutes} minutes");
        let why = engine.why(&"g".into(), None).await.unwrap().lines;
        let begun = "begun at 2026-11-25T13:44:20Z (11s ago)";
        assert!(why.iter().any(|line| line.contains(begun)), "{why:?}");
        tokio::time::sleep(Duration::from_secs(45)).await;
        assert_eq!((world.begun(), world.members().len()), (6, 3));
    }
}

/// Nobody knows how long a machine was down that was booted meanwhile.
#[tokio::test(start_paused = true)]
async fn after_a_boot_the_clock_on_the_wall_is_all_there_is() {
    let world = killed_in_mid_creation().await;

    world.boot();
    world.set_ahead(Duration::from_secs(60));
    world.state().delay = Duration::ZERO;
    let _engine = world.engine().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!((world.begun(), world.members().len()), (6, 3));
}

#[tokio::test(start_paused = true)]
async fn lost_answers_are_settled_by_the_list() {
    let world = World::new();
    world.state().lose = true;
    let engine = world.engine().await;
    world.arrive(&engine, 4, "1").await;
    assert_eq!((world.begun(), world.most()), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn refused_creations_back_off_and_are_said() {
    let world = World::new();
    world.state().refuse = Some("quota exceeded".to_owned());
    let engine = world.engine().await;
    engine
        .commit(&group(2, "1", ""), Commit::Enforce)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(
        world.begun() <= 2 * 7,
        "{} attempts in a minute",
        world.begun()
    );
    assert!(!engine.describe(&"g".into()).await.unwrap().converged);
    world.state().refuse = None;
    world.converged(&engine, 2).await;
}

#[tokio::test(start_paused = true)]
async fn strangers_are_never_touched_and_bootstrapped_ones_are_adopted() {
    let world = World::new();
    world.plant_tagged("stranger", &[("tier", "web")]);
    world.plant_tagged("other", &[("infrakit.group", "h")]);
    world.plant_tagged(
        "adopt-me",
        &[
            ("infrakit.group", "g"),
            ("infrakit.config.hash", "bootstrap"),
        ],
    );
    let engine = world.engine().await;
    world.arrive(&engine, 2, "1").await;
    assert!(world.has("stranger") && world.has("other") && world.has("adopt-me"));
    assert_eq!(world.begun(), 1);
    assert_eq!(world.hashes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn destroyed_members_are_not_replaced_and_unknown_ones_are_refused() {
    let world = World::new();
    let engine = world.engine().await;
    world.arrive(&engine, 3, "1").await;
    let victim = world.any();
    let error = engine
        .destroy_instances(&"g".into(), &[victim.clone(), "bogus".into()])
        .await
        .unwrap_err();
    assert_eq!(
        error.message(),
        "`bogus`: not in group 'g'; nothing was destroyed"
    );
    engine
        .destroy_instances(&"g".into(), &[victim])
        .await
        .unwrap();
    assert_eq!(engine.size(&"g".into()).await.unwrap(), 2);
    world.converged(&engine, 2).await;
}

#[tokio::test(start_paused = true)]
async fn freed_members_stay_and_are_taken_up_again() {
    let world = World::new();
    let engine = world.engine().await;
    world.arrive(&engine, 3, "1").await;
    engine.free(&"g".into()).await.unwrap();
    assert_eq!(world.members().len(), 3);
    let error = engine.describe(&"g".into()).await.unwrap_err();
    assert_eq!(error.message(), "Group 'g' is not being watched");
    world.arrive(&engine, 3, "1").await;
    assert_eq!(world.begun(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_dead_plugin_does_not_delay_other_groups() {
    let world = World::new();
    let engine = world.engine().await;
    world.arrive(&engine, 2, "1").await;
    let hung = on(("h", HANGING), 2, "1", "");
    engine.commit(&hung, Commit::Enforce).await.unwrap();
    engine.set_size(&"g".into(), 20).await.unwrap();
    world.converged(&engine, 20).await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_another_one_takes_over_from_stops() {
    let world = World::new();
    let former = world.engine().await;
    world.arrive(&former, 2, "1").await;
    let engine = world.rival().await;
    let error = former.set_size(&"g".into(), 5).await.unwrap_err();
    assert_eq!(
        error.message(),
        "nothing was changed: another controller has taken the lead"
    );
    former.describe(&"g".into()).await.unwrap_err();
    assert_eq!(engine.size(&"g".into()).await.unwrap(), 2);
    engine.set_size(&"g".into(), 3).await.unwrap();
    world.converged(&engine, 3).await;
    assert_eq!(world.begun(), 3);
}

/// Of a group that is being destroyed its members are waited for, and not what is still on its way.
#[tokio::test(start_paused = true)]
async fn the_answer_to_a_destruction_waits_for_no_creation() {
    let world = World::new();
    let engine = world.engine().await;
    world.arrive(&engine, 2, "1").await;
    world.state().delay = Duration::from_secs(300);
    engine
        .commit(&group(5, "1", ""), Commit::Enforce)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = tokio::time::Instant::now();
    engine.destroy(&"g".into()).await.unwrap();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(world.members().len(), 0);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.members().len(), 0, "what came late went, too");
}
