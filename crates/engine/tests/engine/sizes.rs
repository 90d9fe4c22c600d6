//! Changes of size in the middle of a rollout: no gate is passed by them, and no failure forgotten.

use std::time::Duration;

use infrakit_engine::Engine;
use infrakit_spi::FailureClass;
use infrakit_spi::group::{Commit, Group as _, GroupSpec};
use infrakit_spi::rollout::{Command, Outcome, RolloutState, Rollouts as _};

use crate::world::{CANARY, World, group, reaches, settle, settled, status, steer};

async fn scale(engine: &Engine, size: i64) {
    engine.set_size(&"g".into(), size).await.unwrap();
}

async fn commit(engine: &Engine, spec: &GroupSpec) {
    engine.commit(spec, Commit::Enforce).await.unwrap();
}

/// Waits until so many members are there.
async fn there(world: &World, size: usize) {
    for _ in 0..2400 {
        if world.members().len() == size {
            return;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("{size} are wanted: {:?}", world.members());
}

/// Whether the last revision is known to be good.
async fn good(engine: &Engine) -> bool {
    let history = engine.history(&"g".into()).await.unwrap();
    history.iter().any(|one| one.in_force && one.good)
}

#[tokio::test(start_paused = true)]
async fn a_gate_outlives_scaling_down_and_up_and_a_restart() {
    let world = World::new();
    let mut engine = world.engine().await;
    settle(&engine, &group(3, "1", CANARY)).await;
    commit(&engine, &group(3, "2", CANARY)).await;
    reaches(&engine, RolloutState::AwaitingApproval).await;
    for size in [1, 3, 0, 3] {
        scale(&engine, size).await;
        there(&world, usize::try_from(size).unwrap()).await;
        engine = world.engine().await;
        if size == 0 {
            settled(&engine).await;
            let status = status(&engine).await;
            assert_eq!(status.state, RolloutState::None);
            assert!(
                status.converged && status.message.contains("no member"),
                "{status:?}"
            );
        } else {
            reaches(&engine, RolloutState::AwaitingApproval).await;
        }
        assert!(world.count("2") <= 1 && !good(&engine).await, "{size}");
    }
    assert_eq!((world.count("1"), world.count("2")), (2, 1));
    // The same with another size in the document, and the same configuration.
    commit(&engine, &group(5, "2", CANARY)).await;
    there(&world, 5).await;
    assert_eq!((world.count("1"), world.count("2")), (4, 1));
    reaches(&engine, RolloutState::AwaitingApproval).await;
    steer(&engine, Command::Approve).await;
    reaches(&engine, RolloutState::Completed).await;
    assert_eq!((world.count("2"), good(&engine).await), (5, true));
}

#[tokio::test(start_paused = true)]
async fn a_failed_revision_is_not_good_because_nobody_is_left() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", CANARY)).await;
    world.state().sick.insert("bad".to_owned());
    commit(&engine, &group(3, "bad", CANARY)).await;
    reaches(&engine, RolloutState::Paused).await;
    scale(&engine, 0).await;
    there(&world, 0).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let history = engine.history(&"g".into()).await.unwrap();
    assert!(!history.last().unwrap().good, "{history:?}");
    assert_eq!(history.last().unwrap().outcome, Outcome::Failed);
    scale(&engine, 3).await;
    there(&world, 3).await;
    assert_eq!(world.count("bad"), 0);
    steer(&engine, Command::Rollback { to: None }).await;
    reaches(&engine, RolloutState::Completed).await;
    assert_eq!((world.count("1"), good(&engine).await), (3, true));
}

#[tokio::test(start_paused = true)]
async fn what_is_committed_to_an_empty_group_has_its_gates_when_somebody_comes() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", CANARY)).await;
    scale(&engine, 0).await;
    there(&world, 0).await;
    commit(&engine, &group(0, "2", CANARY)).await;
    commit(&engine, &group(0, "3", CANARY)).await;
    settled(&engine).await;
    scale(&engine, 3).await;
    reaches(&engine, RolloutState::AwaitingApproval).await;
    assert_eq!((world.count("1"), world.count("3")), (2, 1));
    steer(&engine, Command::Approve).await;
    reaches(&engine, RolloutState::Completed).await;
    assert_eq!(world.count("3"), 3);
}

#[tokio::test(start_paused = true)]
async fn another_size_does_not_try_again_what_failed() {
    let world = World::new();
    let engine = world.engine().await;
    let broken = (FailureClass::Configuration, "no such image".to_owned());
    world.state().broken.insert("1".to_owned(), broken);
    commit(&engine, &group(2, "1", "")).await;
    crate::world::waits_for(&engine, "configuration error").await;
    let begun = world.begun();
    scale(&engine, 3).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.begun(), begun);
    world.state().broken.clear();
    commit(&engine, &group(3, "1", "")).await;
    settled(&engine).await;
}

/// An operator's change and a rollback by itself do not take the same revision: what was
/// acknowledged is in force.
#[tokio::test(start_paused = true)]
async fn whatever_is_acknowledged_during_a_rollback_is_in_force() {
    const BACK: &str = r#","Updating":{"FailureThreshold":1,"OnFailure":"rollback"},"Health":{"GracePeriod":"10s","Interval":"1s"}"#;
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", BACK)).await;
    world.slow_store(Duration::from_millis(700));
    world.state().sick.insert("bad".to_owned());
    commit(&engine, &group(3, "bad", BACK)).await;
    let mut revision = status(&engine).await.revision;
    let mut rolled_back = false;
    for round in 0..40_u64 {
        let size = 4 + round;
        scale(&engine, i64::try_from(size).unwrap()).await;
        assert_eq!(engine.size(&"g".into()).await.unwrap(), size);
        let now = status(&engine).await.revision;
        assert!(now > revision, "each change has a revision of its own");
        rolled_back |= now > revision + 1;
        revision = now;
        tokio::time::sleep(Duration::from_millis(900 + 37 * (round % 11))).await;
    }
    assert!(rolled_back, "the rollback came in between");
    world.slow_store(Duration::ZERO);
    settled(&engine).await;
    assert_eq!(world.count("bad"), 0);
    let before = (
        status(&engine).await.revision,
        engine.size(&"g".into()).await.unwrap(),
    );
    let engine = world.engine().await;
    settled(&engine).await;
    let after = (
        status(&engine).await.revision,
        engine.size(&"g".into()).await.unwrap(),
    );
    assert_eq!(before, after, "nothing else was in the store");
}
