//! What `why` answers, and what is remembered of deeds.

use std::time::Duration;

use infrakit_spi::FailureClass;
use infrakit_spi::group::{Commit, Group as _};
use infrakit_spi::rollout::{Hold, RolloutState, Rollouts as _};

use crate::world::{CANARY, World, group, reaches, settle, settled, waits_for};

#[tokio::test(start_paused = true)]
async fn a_group_that_waits_for_nothing_says_so_in_one_line() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(2, "1", "")).await;
    let why = engine.why(&"g".into(), None).await.unwrap();
    assert_eq!(
        why.lines,
        ["nothing is waited for: 2 members, 2 of them of revision 1, as specified"]
    );
    let deeds: Vec<_> = why
        .deeds
        .iter()
        .map(|deed| {
            (
                deed.instance.as_str(),
                deed.action.as_str(),
                deed.evidence.as_str(),
            )
        })
        .collect();
    assert_eq!(
        deeds,
        [
            ("i-002", "created", "0 of 2 members were there"),
            ("i-001", "created", "0 of 2 members were there"),
        ]
    );
    assert_eq!(
        why.deeds[0].rule,
        "Missing: the group has fewer members than its size"
    );
}

#[tokio::test(start_paused = true)]
async fn new_members_that_prove_nothing_are_named_with_their_last_verdict() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", "")).await;
    world.state().mute.insert("2".to_owned());
    engine
        .commit(&group(3, "2", ""), Commit::Enforce)
        .await
        .unwrap();
    let why = waits_for(&engine, "waiting for the health of one new member, `i-004`").await;
    assert!(
        why[2].contains("`i-004` is there for ") && why[2].contains("no verdict, asked "),
        "{why:?}"
    );
    // The moment stays where it was while the numbers go on.
    let first = why[1].split(' ').nth(1).unwrap().to_owned();
    tokio::time::sleep(Duration::from_secs(90)).await;
    let later = waits_for(&engine, "waiting for the health").await;
    assert_eq!(
        later[1].split(' ').nth(1),
        Some(first.as_str()),
        "{later:?}"
    );
    assert!(later[1].contains("(1m"), "{later:?}");
    // What keeps an outdated one, and what the new one says of itself.
    let old = world.ids("1").pop_first().unwrap();
    let kept = engine.why(&"g".into(), Some(&old)).await.unwrap().lines;
    assert!(
        kept[0].contains("stays for now: waiting for the health"),
        "{kept:?}"
    );
    let new = engine
        .why(&"g".into(), Some(&"i-004".into()))
        .await
        .unwrap()
        .lines;
    assert!(
        new[0].contains("has the configuration in force, revision 2"),
        "{new:?}"
    );
    assert!(new[1].starts_with("no verdict, asked "), "{new:?}");
    assert!(
        new[2].starts_with("created at ") && new[2].contains("Missing: "),
        "{new:?}"
    );
    assert_eq!(new.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_used_up_names_who_does_not_serve() {
    let world = World::new();
    let engine = world.engine().await;
    let careful = r#","Health":{"MaxUnhealthy":"90%","Threshold":50,"Interval":"10s"}"#;
    settle(&engine, &group(3, "1", careful)).await;
    let members: Vec<_> = world.members().into_keys().collect();
    world.state().ill.extend(members[..2].iter().cloned());
    tokio::time::sleep(Duration::from_secs(60)).await;
    // The operator asks for the one that serves.
    let (id, doomed) = ("g".into(), members[2..].to_vec());
    let asked = engine.destroy_instances(&id, &doomed);
    let _ = tokio::time::timeout(Duration::from_secs(1), asked).await;
    let why = waits_for(&engine, "members are available").await;
    assert!(why[2].contains("not serving: "), "{why:?}");
    // What is decided is not held up any more.
    let hold = engine.hold(&id, &doomed[0], Hold::Set).await;
    assert_eq!(
        hold.unwrap_err().message(),
        "`i-003` cannot be held: it is on its way out of group 'g' already, since its destruction was requested"
    );
    let why = engine.why(&id, Some(&doomed[0])).await.unwrap().lines;
    assert!(
        why[0].contains("is to go: its destruction was requested"),
        "{why:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_pause_after_failed_creations_says_until_when_and_what_failed() {
    let world = World::new();
    let engine = world.engine().await;
    let fault = (FailureClass::Quota, "no more machines for you".to_owned());
    world.state().broken.insert("1".to_owned(), fault);
    engine
        .commit(&group(2, "1", ""), Commit::Enforce)
        .await
        .unwrap();
    let why = waits_for(
        &engine,
        "pausing after 4 failed creations in a row, until 20",
    )
    .await;
    assert!(
        why[2].contains("the last creation failed with: no more machines for you"),
        "{why:?}"
    );
    let deeds = engine.why(&"g".into(), None).await.unwrap().deeds;
    assert_eq!(deeds[0].action, "could not create");
    assert_eq!(
        deeds[0].evidence,
        "0 of 2 members were there; it failed with: no more machines for you"
    );
    world.state().broken.clear();
    settled(&engine).await;
}

#[tokio::test(start_paused = true)]
async fn a_mass_illness_names_the_sick_and_since_when() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", "")).await;
    world.state().sick.insert("1".to_owned());
    let why = waits_for(&engine, "members are unhealthy at once").await;
    assert!(
        why[2].starts_with("unhealthy: `i-001`") && why[2].contains("last healthy before that"),
        "{why:?}"
    );
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(world.ids("1").len(), 3);
    world.state().sick.clear();
    settled(&engine).await;
    assert_eq!(world.members().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_sick_member_is_replaced_and_remembered_with_its_verdicts() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", "")).await;
    let ill = world.members().into_keys().next().unwrap();
    world.state().ill.insert(ill.clone());
    tokio::time::sleep(Duration::from_secs(300)).await;
    settled(&engine).await;
    let why = engine.why(&"g".into(), Some(&ill)).await.unwrap();
    assert_eq!(why.lines[0], "`i-001` is not a member any more");
    assert!(
        why.lines[1].starts_with("destroyed at ")
            && why.lines[1].contains("by the rule Unhealthy: it is unhealthy (unhealthy ")
            && why.lines[1].contains("last healthy before that"),
        "{why:?}"
    );
    let actions: Vec<_> = why.deeds.iter().map(|deed| deed.action.as_str()).collect();
    assert_eq!(actions, ["destroyed", "created"]);
}

#[tokio::test(start_paused = true)]
async fn approval_and_windows_are_waited_for_by_name() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", CANARY)).await;
    engine
        .commit(&group(3, "2", CANARY), Commit::Enforce)
        .await
        .unwrap();
    let why = waits_for(
        &engine,
        "stage 1 of the rollout waits for `rollout approve`",
    )
    .await;
    assert!(
        why[2].contains("1 of 3 members have the configuration in force, 1 of these have proved themselves; `infrakit group rollout approve g`"),
        "{why:?}"
    );
    let window = r#","Updating":{"Windows":[{"Cron":"0 0 29 2 *","Duration":"1h"}]}"#;
    engine
        .commit(&group(3, "3", window), Commit::Enforce)
        .await
        .unwrap();
    let why = waits_for(
        &engine,
        "waiting for the next maintenance window, which opens at 20",
    )
    .await;
    assert!(why[0].contains("-02-29T00:00:00Z"), "{why:?}");
    let waits = reaches(&engine, RolloutState::AwaitingWindow).await;
    assert_eq!((waits.updated, waits.outdated), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_does_not_list_is_named_with_its_reason() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(2, "1", "")).await;
    world.state().hidden = Some("credentials expired".to_owned());
    // As long as nothing has to be done, it is only said.
    tokio::time::sleep(Duration::from_secs(300)).await;
    let why = engine.why(&"g".into(), None).await.unwrap().lines;
    assert!(
        why[0].starts_with("nothing is waited for: 2 members"),
        "{why:?}"
    );
    assert!(
        why[1].starts_with(
            "cannot list `fake`: credentials expired; what is known of the members is of 20"
        ),
        "{why:?}"
    );
    let conditions = engine.conditions(&"g".into()).await.unwrap();
    let degraded = conditions.last().unwrap();
    assert_eq!(
        (degraded.status, degraded.reason.as_str()),
        (true, "NotListed")
    );
    // How the group is, is wanted most now: with the members as they were listed last.
    let id = "g".into();
    engine.describe(&id).await.unwrap_err();
    let last = engine.describe_with_conditions(&id).await.unwrap();
    assert_eq!(last.instances.map(|all| all.len()), Some(2));
    assert_eq!(last.conditions.as_ref(), Some(&conditions));
    assert_eq!(last.unlisted, "cannot list `fake`: credentials expired");
    assert!(last.listed.starts_with("20"), "{}", last.listed);
    assert!(!last.converged, "nobody knows");
    let engine = world.engine().await;
    let never = engine.describe_with_conditions(&id).await.unwrap();
    assert_eq!(never.listed, "");
    let stranger = engine.describe_with_conditions(&"h".into()).await;
    assert!(stranger.unwrap_err().message().contains("watched"));
    let why = waits_for(&engine, "waiting for a complete list of the instances").await;
    let why = if why[2].contains("credentials") {
        why
    } else {
        tokio::time::sleep(Duration::from_secs(30)).await;
        waits_for(&engine, "waiting for a complete list").await
    };
    assert!(
        why[2].contains("cannot list `fake`: credentials expired"),
        "{why:?}"
    );
    world.state().hidden = None;
    settled(&engine).await;
    reaches(&engine, RolloutState::Completed).await;
    let now = engine.describe_with_conditions(&id).await.unwrap();
    assert_eq!((now.unlisted.as_str(), now.listed.as_str()), ("", ""));
}

#[tokio::test(start_paused = true)]
async fn a_restart_changes_nothing_about_how_the_group_is() {
    let world = World::new();
    let engine = world.engine().await;
    settle(&engine, &group(3, "1", "")).await;
    let before = engine.conditions(&"g".into()).await.unwrap();
    assert_eq!(before.len(), 8);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let engine = world.engine().await;
    settled(&engine).await;
    assert_eq!(engine.conditions(&"g".into()).await.unwrap(), before);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(engine.conditions(&"g".into()).await.unwrap(), before);
}
