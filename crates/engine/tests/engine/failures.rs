//! Revisions that fail: they pause, or are rolled back by themselves.

use std::time::Duration;

use infrakit_spi::FailureClass;
use infrakit_spi::group::{Commit, Group as _};
use infrakit_spi::rollout::{Command, ConditionKind, Outcome, RolloutState, Rollouts as _};

use crate::world::{World, group, reaches, settle, settled, steer, waits_for};

const STRICT: &str = r#","Updating":{"FailureThreshold":1,"OnFailure":"pause"},"Health":{"GracePeriod":"10s","Interval":"1s"}"#;
const BACK: &str = r#","Updating":{"FailureThreshold":1,"OnFailure":"rollback"},"Health":{"GracePeriod":"10s","Interval":"1s"}"#;

#[tokio::test(start_paused = true)]
async fn a_sick_revision_pauses_says_why_and_is_gone_back_from() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", STRICT)).await;
    let spared = world.ids("1");
    world.state().sick.insert("bad".to_owned());
    let bad = group(3, "bad", STRICT);
    engine.commit(&bad, Commit::Enforce).await.unwrap();
    let paused = reaches(&engine, RolloutState::Paused).await;
    assert_eq!(paused.paused_by, "failures");
    assert!(paused.message.starts_with("failures: 1 new"), "{paused:?}");
    // It was the youngest: until it is ten seconds old a list that lacks it may be from before it came.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let why = waits_for(&engine, "the rollout is paused by failures").await;
    assert!(why[1].starts_with("since 20"), "{why:?}");
    assert!(
        why[2].contains("`i-004` had to go at 20") && why[2].contains("never healthy"),
        "{why:?}"
    );
    let conditions = engine.conditions(&"g".into()).await.unwrap();
    let holds = |kind| conditions.iter().any(|one| one.kind == kind && one.status);
    assert!(
        holds(ConditionKind::Paused) && holds(ConditionKind::Degraded),
        "{conditions:?}"
    );
    let history = engine.history(&"g".into()).await.unwrap();
    assert_eq!(history[1].outcome, Outcome::Failed);

    steer(&engine, Command::Rollback { to: None }).await;
    settled(&engine).await;
    let now = world.ids("1");
    assert_eq!((now.len(), now.intersection(&spared).count()), (3, 2));
    let history = engine.history(&"g".into()).await.unwrap();
    assert_eq!(history[1].outcome, Outcome::RolledBack);
    let note = &history[1].message;
    assert!(
        note.contains("failed") && note.contains("revision 3 took its place"),
        "{note}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_sick_revision_is_rolled_back_by_itself() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", BACK)).await;
    let before = world.ids("1");
    world.state().sick.insert("bad".to_owned());
    let bad = group(3, "bad", BACK);
    engine.commit(&bad, Commit::Enforce).await.unwrap();
    reaches(&engine, RolloutState::Completed).await;
    settled(&engine).await;
    let after = world.ids("1");
    assert_eq!((after.len(), after.intersection(&before).count()), (3, 2));
    let history = engine.history(&"g".into()).await.unwrap();
    let outcomes: Vec<_> = history.iter().map(|one| one.outcome).collect();
    let good = Outcome::Completed;
    assert_eq!(outcomes, [good, Outcome::RolledBack, good]);
    assert!(history[1].message.contains("failures: "), "{history:?}");
    let deeds = engine.why(&"g".into(), None).await.unwrap().deeds;
    let back = deeds
        .iter()
        .find(|deed| deed.rule.starts_with("OnFailure: "));
    let back = back.unwrap_or_else(|| panic!("{deeds:?}"));
    assert_eq!(back.action, "went back to revision 1");
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_cannot_be_made_stops_at_once_until_it_is_resumed() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", "")).await;
    let fault = (FailureClass::Configuration, "no image `x`".to_owned());
    world.state().broken.insert("2".to_owned(), fault);
    let next = group(3, "2", "");
    engine.commit(&next, Commit::Enforce).await.unwrap();
    let paused = reaches(&engine, RolloutState::Paused).await;
    assert!(paused.message.contains("no image `x`"), "{paused:?}");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(
        world.count("1"),
        3,
        "the missing one is made from the former"
    );
    world.state().broken.clear();
    assert_eq!(
        steer(&engine, Command::Resume).await,
        "The rollout of group 'g' goes on, and creations are tried again"
    );
    settled(&engine).await;
    assert_eq!(world.count("2"), 3);
}

#[tokio::test(start_paused = true)]
async fn creations_that_stopped_are_tried_again_without_a_rollout() {
    let world = World::new();
    let engine = world.engine().await;
    let fault = (FailureClass::Configuration, "no image `x`".to_owned());
    world.state().broken.insert("1".to_owned(), fault);
    let first = group(2, "1", "");
    engine.commit(&first, Commit::Enforce).await.unwrap();
    let why = waits_for(&engine, "creations stopped after a configuration error").await;
    assert!(
        why[2].ends_with("the last creation failed with: no image `x`"),
        "{why:?}"
    );
    world.state().broken.clear();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.count("1"), 0);
    assert_eq!(
        steer(&engine, Command::Resume).await,
        "Creations of group 'g' are tried again"
    );
    settled(&engine).await;
    assert_eq!(world.count("1"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_in_mid_rollout_pauses_it() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", crate::world::CANARY)).await;
    let next = group(3, "2", crate::world::CANARY);
    engine.commit(&next, Commit::Enforce).await.unwrap();
    reaches(&engine, RolloutState::AwaitingApproval).await;
    world.plant("stranger", "0");
    let paused = reaches(&engine, RolloutState::Paused).await;
    assert_eq!(paused.paused_by, "a change since it was shown");
    assert!(paused.message.contains("`stranger` has come"), "{paused:?}");
    let why = waits_for(&engine, "`stranger` has come").await;
    assert!(why[1].starts_with("since 20"), "{why:?}");
}
