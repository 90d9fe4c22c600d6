//! Commands: what they do, what refuses them, and that a restart forgets none of them.

use std::time::Duration;

use infrakit_spi::group::{Commit, Group as _};
use infrakit_spi::rollout::{Command, Hold, Outcome, RolloutState, Rollouts as _};

use crate::world::{CANARY, World, group, reaches, refused, settle, settled, status, steer};

#[tokio::test(start_paused = true)]
async fn a_command_that_does_not_fit_says_what_the_group_is_doing() {
    let world = World::new();
    let engine = world.engine().await;
    let id = "g".into();
    for command in [
        Command::Pause,
        Command::Abort,
        Command::Rollback { to: None },
    ] {
        let answer = engine.command(&id, &command).await;
        assert_eq!(
            answer.unwrap_err().message(),
            "Group 'g' is not being watched"
        );
    }
    settle(&engine, &group(3, "1", "")).await;
    let before = engine.history(&id).await.unwrap();
    for (command, text) in [
        (Command::Pause, "no rollout of group 'g' is under way"),
        (Command::Resume, "no rollout of group 'g' is under way"),
        (Command::Abort, "no rollout of group 'g' is under way"),
        (
            Command::Approve,
            "nothing waits for approval: no rollout of group 'g' is under way",
        ),
        (
            Command::Rollback { to: None },
            "group 'g' has no former revision to go back to that did not fail; `infrakit group rollout history g` lists those to choose from with `--to`",
        ),
        (
            Command::Rollback { to: Some(7) },
            "there is no revision 7 of group 'g'; it can go back to one from 1 to 1",
        ),
        (
            Command::Rollback { to: Some(1) },
            "group 'g' has the configuration of revision 1 already; `infrakit group rollout status g` says how far it is, and `infrakit group rollout history g` where else it can go",
        ),
    ] {
        assert_eq!(refused(&engine, command).await, text);
    }
    let nobody = "nobody".into();
    for (hold, instance, text) in [
        (Hold::Set, "nobody", "`nobody` is not a member of group 'g'"),
        (
            Hold::Release,
            "nobody",
            "`nobody` is not a member of group 'g'",
        ),
        (Hold::Release, "i-001", "`i-001` of group 'g' is not held"),
    ] {
        let answer = engine.hold(&id, &instance.into(), hold).await;
        assert_eq!(answer.unwrap_err().message(), text);
    }
    let why = engine.why(&id, Some(&nobody)).await;
    assert_eq!(
        why.unwrap_err().message(),
        "`nobody` is not a member of group 'g'"
    );
    assert_eq!(engine.history(&id).await.unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn stages_are_approved_paused_and_resumed_across_restarts() {
    let world = World::new();
    let engine = world.engine().await;
    let stages =
        r#","Updating":{"Stages":[{"Until":1,"Bake":"10m"},{"Until":"50%","Approve":true}]}"#;
    settle(&engine, &group(4, "1", stages)).await;
    world.state().delay = Duration::from_secs(2);
    let next = group(4, "2", stages);
    engine.commit(&next, Commit::Enforce).await.unwrap();
    assert_eq!(
        refused(&engine, Command::Approve).await,
        "nothing waits for approval: stage 1 of 2 is at 0 of 1 member"
    );
    assert_eq!(
        refused(&engine, Command::Resume).await,
        "the rollout of group 'g' is not paused"
    );
    let bakes = reaches(&engine, RolloutState::Baking).await;
    assert_eq!((bakes.stage, bakes.stages, bakes.ready), (1, 2, 1));
    assert!(refused(&engine, Command::Approve).await.starts_with(
        "nothing waits for approval: stage 1 of 2 needs no approval, and stands until "
    ),);

    // A pause, and a crash in the midst of it.
    assert_eq!(
        steer(&engine, Command::Pause).await,
        "The rollout of group 'g' is paused at 1 of 4 members; healing and scaling go on"
    );
    let engine = world.engine().await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let paused = reaches(&engine, RolloutState::Paused).await;
    assert_eq!(
        (paused.paused_by.as_str(), paused.updated),
        ("the operator", 1)
    );
    assert!(
        steer(&engine, Command::Pause)
            .await
            .contains("is paused already")
    );
    assert_eq!(
        steer(&engine, Command::Resume).await,
        "The rollout of group 'g' goes on"
    );

    let waits = reaches(&engine, RolloutState::AwaitingApproval).await;
    assert_eq!((waits.stage, waits.updated, waits.outdated), (2, 2, 2));
    let engine = world.engine().await;
    reaches(&engine, RolloutState::AwaitingApproval).await;
    assert_eq!(world.count("2"), 2);
    assert_eq!(
        steer(&engine, Command::Approve).await,
        "Stage 2 of 2 of group 'g' is approved"
    );
    settled(&engine).await;
    let done = status(&engine).await;
    assert_eq!(done.state, RolloutState::Completed);
    assert_eq!((done.updated, done.ready, done.total), (4, 4, 4));
    let history = engine.history(&"g".into()).await.unwrap();
    let outcomes: Vec<_> = history.iter().map(|one| (one.outcome, one.good)).collect();
    assert_eq!(outcomes, [(Outcome::Completed, true); 2]);
    assert!(history[1].in_force && !history[0].in_force);
}

/// Who hears nothing asks again: it must not go on to another revision, nor back to the one it left.
#[tokio::test(start_paused = true)]
async fn a_rollback_that_is_asked_for_twice_is_one() {
    let world = World::new();
    let mut engine = world.engine().await;
    for note in ["1", "2"] {
        settle(&engine, &group(4, note, "")).await;
    }
    world.state().delay = Duration::from_secs(20);
    for (note, wait) in [("3", 30), ("4", 0)] {
        let next = group(4, note, "");
        engine.commit(&next, Commit::Enforce).await.unwrap();
        tokio::time::sleep(Duration::from_secs(wait)).await;
        let back = Command::Rollback { to: None };
        let said = steer(&engine, back.clone()).await;
        assert!(
            said.starts_with("Group 'g' goes back to revision"),
            "{said}"
        );
        if wait > 0 {
            engine = world.engine().await;
        }
        let before = status(&engine).await.revision;
        for _ in 0..2 {
            let said = steer(&engine, back.clone()).await;
            let expected = "Group 'g' is going back to revision";
            assert!(
                said.starts_with(expected) && said.ends_with("already"),
                "{said}"
            );
        }
        assert_eq!(status(&engine).await.revision, before);
        settled(&engine).await;
        assert_eq!(world.count("2"), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn an_aborted_rollout_stays_where_it_is_until_it_is_committed_again() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", CANARY)).await;
    let next = group(3, "2", CANARY);
    engine.commit(&next, Commit::Enforce).await.unwrap();
    reaches(&engine, RolloutState::AwaitingApproval).await;
    let said = steer(&engine, Command::Abort).await;
    assert!(said.contains("1 of 3 members have it"), "{said}");
    let engine = world.engine().await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let aborted = reaches(&engine, RolloutState::Aborted).await;
    assert_eq!((aborted.updated, aborted.outdated), (1, 2));
    assert!(
        refused(&engine, Command::Resume)
            .await
            .contains("it was aborted")
    );
    let history = engine.history(&"g".into()).await.unwrap();
    assert_eq!(history[1].outcome, Outcome::Aborted);

    engine.commit(&next, Commit::Enforce).await.unwrap();
    reaches(&engine, RolloutState::AwaitingApproval).await;
    steer(&engine, Command::Approve).await;
    settled(&engine).await;
    assert_eq!(world.count("2"), 3);
    let history = engine.history(&"g".into()).await.unwrap();
    assert_eq!((history.len(), history[1].outcome), (2, Outcome::Completed));
}

#[tokio::test(start_paused = true)]
async fn a_rollback_goes_where_it_is_told_and_spares_who_is_there() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(4, "1", "")).await;
    settle(&engine, &group(4, "2", "")).await;
    // A revision that never gets well, half-way through a big step.
    world.state().mute.insert("3".to_owned());
    let third = r#","Updating":{"MaxUnavailable":2,"Stages":[{"Until":"50%"}]}"#;
    let third = group(4, "3", third);
    engine.commit(&third, Commit::Enforce).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let spared = world.ids("2");
    assert_eq!((spared.len(), world.count("3")), (2, 2));
    world.state().delay = Duration::from_secs(1);
    assert_eq!(
        steer(&engine, Command::Rollback { to: None }).await,
        "Group 'g' goes back to revision 2, as revision 4: 2 of 4 members to be replaced"
    );
    let back = status(&engine).await;
    assert_eq!((back.state, back.stages), (RolloutState::RollingBack, 0));
    settled(&engine).await;
    assert!(world.ids("2").is_superset(&spared));
    assert_eq!(world.count("2"), 4);
    let history = engine.history(&"g".into()).await.unwrap();
    let outcomes: Vec<_> = history.iter().map(|one| one.outcome).collect();
    let (good, bad) = (Outcome::Completed, Outcome::RolledBack);
    assert_eq!(outcomes, [good, good, bad, good]);
    let done = status(&engine).await;
    assert_eq!(
        done.message,
        "revision 3 was rolled back: revision 4 took its place"
    );
    // The present way of rolling stays, and what was rolled back is not gone back to by itself.
    let spec = engine.inspect().await.unwrap();
    let spec = spec[0].properties.as_ref().unwrap().as_str();
    assert!(spec.contains("MaxUnavailable"), "{spec}");
    let said = steer(&engine, Command::Rollback { to: None }).await;
    assert!(said.contains("goes back to revision 1"), "{said}");
    settled(&engine).await;
    let said = steer(&engine, Command::Rollback { to: Some(2) }).await;
    assert!(
        said.contains("goes back to revision 2, as revision 6"),
        "{said}"
    );
    settled(&engine).await;
    assert_eq!(world.count("2"), 4);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_held_stays_until_it_is_released() {
    let world = World::new();
    let engine = world.engine().await;
    let id = "g".into();
    settle(&engine, &group(3, "1", "")).await;
    let held = world.members().into_keys().next().unwrap();
    let said = engine.hold(&id, &held, Hold::Set).await.unwrap();
    assert!(said.starts_with("`i-001` of group 'g' is held"), "{said}");
    engine
        .commit(&group(3, "2", ""), Commit::Enforce)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    let engine = world.engine().await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(
        (world.count("2"), world.members()[&held].as_str()),
        (2, "1")
    );
    assert_eq!(status(&engine).await.held, std::slice::from_ref(&held));
    let why = engine.why(&id, Some(&held)).await.unwrap().lines;
    assert!(
        why[0].contains("is held, so it stays until it is released"),
        "{why:?}"
    );
    assert!(
        why[0].contains("is outdated: it was made from revision 1"),
        "{why:?}"
    );
    let why = engine.why(&id, None).await.unwrap().lines;
    assert_eq!(why[0], "`i-001` would have to go, and is held");
    engine.hold(&id, &held, Hold::Release).await.unwrap();
    settled(&engine).await;
    assert_eq!(world.count("2"), 3);
    assert!(status(&engine).await.held.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_bakes_is_approved_in_advance() {
    let world = World::new();
    let engine = world.engine().await;
    let stages = r#","Updating":{"Stages":[{"Until":1,"Bake":"10m","Approve":true}]}"#;
    settle(&engine, &group(3, "1", stages)).await;
    let next = group(3, "2", stages);
    engine.commit(&next, Commit::Enforce).await.unwrap();
    reaches(&engine, RolloutState::Baking).await;
    steer(&engine, Command::Pause).await;
    assert_eq!(
        steer(&engine, Command::Approve).await,
        "Stage 1 of 1 of group 'g' is approved; the rollout is paused, and goes on when it is resumed"
    );
    assert_eq!(
        refused(&engine, Command::Approve).await,
        "nothing waits for approval: stage 1 of 1 is approved already"
    );
    steer(&engine, Command::Resume).await;
    reaches(&engine, RolloutState::Baking).await;
    assert_eq!(world.count("2"), 1);
    settled(&engine).await;
    assert_eq!(world.count("2"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_group_on_its_way_out_is_not_steered() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(2, "1", "")).await;
    world.state().hidden = Some("away".to_owned());
    let (id, leaving) = ("g".into(), engine.clone());
    let destroying = tokio::spawn(async move { leaving.destroy(&"g".into()).await });
    tokio::time::sleep(Duration::from_secs(5)).await;
    let text =
        "Group 'g' is being destroyed: wait until it is gone, or free it to keep what is left";
    for command in [Command::Pause, Command::Rollback { to: Some(1) }] {
        assert_eq!(refused(&engine, command).await, text);
    }
    let hold = engine.hold(&id, &"i-001".into(), Hold::Set).await;
    assert_eq!(hold.unwrap_err().message(), text);
    world.state().hidden = None;
    destroying.await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(world.members().is_empty());
}
