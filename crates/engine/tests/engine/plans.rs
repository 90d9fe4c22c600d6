//! What a commit would do is shown, and a commit that is bound to it does that or nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use infrakit_spi::group::{Commit, Group as _};
use infrakit_spi::rollout::{RolloutState, Rollouts as _};

use crate::world::{World, group, reaches, settle, settled};

#[tokio::test(start_paused = true)]
async fn what_was_shown_is_what_is_done() {
    let world = World::new();
    let engine = world.engine().await;
    world.state().delay = Duration::from_secs(4);
    let first = engine.preview(&group(3, "1", "")).await.unwrap();
    assert_eq!(first.sentence, "Managing 3 instances");
    assert_eq!((first.waves[0].come.len(), first.duration), (3, None));
    let said = engine.commit_shown(&group(3, "1", ""), &first.plan).await;
    assert_eq!(said.unwrap(), first.sentence);
    reaches(&engine, RolloutState::Completed).await;

    let next = group(3, "2", "");
    let shown = engine.preview(&next).await.unwrap();
    assert_eq!(engine.preview(&next).await.unwrap().plan, shown.plan);
    assert_eq!(shown.sentence, "Performing a rolling update on 3 instances");
    let paths: Vec<_> = shown.changes.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["Instance.Properties.Version"]);
    let took = shown.duration.unwrap().0;
    assert!(
        took >= Duration::from_secs(12) && took < Duration::from_secs(60),
        "{took:?}"
    );
    let go: Vec<_> = shown.waves.iter().flat_map(|wave| &wave.go).collect();
    let go: Vec<_> = go.into_iter().map(|one| one.id.clone()).collect();
    assert_eq!(go.iter().cloned().collect::<BTreeSet<_>>(), world.ids("1"));
    assert_eq!(
        engine.commit(&next, Commit::Pretend).await.unwrap(),
        shown.sentence
    );
    assert_eq!(world.count("1"), 3, "a preview changed something");

    engine.commit_shown(&next, &shown.plan).await.unwrap();
    settled(&engine).await;
    assert_eq!(world.count("2"), 3);
    let deeds = engine.why(&"g".into(), None).await.unwrap().deeds;
    let gone = deeds.iter().rev().filter(|deed| deed.action == "destroyed");
    let gone: Vec<_> = gone.map(|deed| deed.instance.clone()).collect();
    assert_eq!(gone, go);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_no_longer_fits_is_refused_and_changes_nothing() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", "")).await;
    let next = group(2, "2", "");
    let shown = engine.preview(&next).await.unwrap();
    world.kill("i-001");
    tokio::time::sleep(Duration::from_secs(60)).await;
    settled(&engine).await;
    let before = engine.history(&"g".into()).await.unwrap();
    let refused = engine.commit_shown(&next, &shown.plan).await.unwrap_err();
    let said = refused.message();
    assert!(
        said.starts_with(&format!(
            "nothing was changed: plan '{}' is not what",
            shown.plan
        )) && said.contains("`i-004` would go, too; `i-001` would not go any more"),
        "{said}"
    );
    // For another spec it is no plan at all, and neither is nonsense.
    for (spec, plan) in [
        (group(2, "3", ""), &shown.plan),
        (next, &"nonsense".to_owned()),
    ] {
        let refused = engine.commit_shown(&spec, plan).await.unwrap_err();
        assert!(refused.message().contains(plan.as_str()), "{refused}");
    }
    assert_eq!(engine.history(&"g".into()).await.unwrap(), before);
    let faulty = group(2, "2", r#","Updating":{"MaxUnavailable":-1}"#);
    let refused = engine.preview(&faulty).await.unwrap_err();
    assert!(
        refused.message().contains("Updating.MaxUnavailable"),
        "{refused}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_preview_of_a_huge_group_stalls_nobody() {
    let world = World::new();
    let engine = world.engine().await;
    let first = group(2000, "1", "");
    engine.commit(&first, Commit::Enforce).await.unwrap();
    settled(&engine).await;
    let huge = group(2000, "2", r#","Updating":{"MaxUnavailable":"10%"}"#);
    let asked = {
        let (engine, huge) = (engine.clone(), huge.clone());
        tokio::spawn(async move { engine.preview(&huge).await.unwrap() })
    };
    // Status is answered while the preview is worked out.
    let mut answers = 0;
    while !asked.is_finished() {
        engine.status(&"g".into()).await.unwrap();
        answers += 1;
        tokio::task::yield_now().await;
    }
    assert!(answers > 10, "{answers} answers meanwhile");
    let shown = asked.await.unwrap();
    let go: usize = shown.waves.iter().map(|wave| wave.go.len()).sum();
    assert_eq!(go, 2000);
}
