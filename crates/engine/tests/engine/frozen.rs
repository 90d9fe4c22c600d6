//! The brake through the engine: durable, for one group or for all, those to come included.

use std::time::Duration;

use infrakit_engine::Engine;
use infrakit_spi::group::{Commit, Group as _};
use infrakit_spi::rollout::{ConditionKind, Freeze, Rollouts as _};

use crate::world::{World, group, settle, settled, waits_for};

async fn brake(engine: &Engine, freeze: Freeze) -> String {
    engine.freeze(Some(&"g".into()), freeze).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_frozen_group_heals_nobody_and_takes_commits_over_a_restart() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", "")).await;
    let said = brake(&engine, Freeze::Set).await;
    assert!(said.contains("`infrakit thaw g`"), "{said}");
    let begun = world.begun();
    let one = world.members().keys().next().unwrap().to_string();
    world.kill(&one);
    let said = engine
        .commit(&group(4, "2", ""), Commit::Enforce)
        .await
        .unwrap();
    assert!(
        said.contains("nothing of it begins before `infrakit thaw g`"),
        "{said}"
    );
    let engine = world.engine().await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!((world.begun(), world.members().len()), (begun, 2));
    let why = waits_for(&engine, "the group is frozen").await;
    assert!(why[2].contains("infrakit thaw g"), "{why:?}");
    let conditions = engine.conditions(&"g".into()).await.unwrap();
    assert!(
        conditions
            .iter()
            .any(|one| one.kind == ConditionKind::Frozen && one.status)
    );
    let again = engine.freeze(None, Freeze::Thaw).await.unwrap_err();
    assert!(again.message().contains("by name `g` are"), "{again:?}");
    brake(&engine, Freeze::Thaw).await;
    settled(&engine).await;
    assert_eq!(world.count("2"), 4);
    let refused = engine.freeze(Some(&"g".into()), Freeze::Thaw).await;
    assert!(refused.unwrap_err().message().contains("not frozen"));
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_of_a_frozen_group_is_answered_at_once_and_done_when_it_is_thawed() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", "")).await;
    brake(&engine, Freeze::Set).await;
    let ids: Vec<_> = world.members().keys().cloned().collect();
    let begun = tokio::time::Instant::now();
    let group = "g".into();
    engine.destroy_instances(&group, &ids[..1]).await.unwrap();
    engine
        .destroy_instances_now(&group, &ids[1..2])
        .await
        .unwrap();
    engine.destroy(&group).await.unwrap();
    // Of virtual time: nobody has waited until patience was at its end.
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(world.members().len(), 3);
    brake(&engine, Freeze::Thaw).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.members().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_brake_of_all_groups_holds_for_those_that_come_later() {
    let world = World::new();
    let engine = world.engine().await;
    engine.freeze(None, Freeze::Set).await.unwrap();
    let engine = {
        drop(engine);
        world.engine().await
    };
    engine
        .commit(&group(3, "1", ""), Commit::Enforce)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.begun(), 0);
    let refused = engine
        .freeze(Some(&"g".into()), Freeze::Thaw)
        .await
        .unwrap_err();
    assert!(refused.message().contains("thaw --all"), "{refused:?}");
    let preview = engine.preview(&group(3, "2", "")).await.unwrap();
    let come: usize = preview.waves.iter().map(|wave| wave.come.len()).sum();
    assert_eq!(come, 3, "what is shown is what follows when it is thawed");
    assert_eq!(
        engine.freeze(None, Freeze::Thaw).await.unwrap(),
        "All groups go on"
    );
    settled(&engine).await;
    assert_eq!(world.count("1"), 3);
}
