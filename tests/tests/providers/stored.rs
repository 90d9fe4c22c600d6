//! Stores that release 0.1.0 left behind in the midst of something are opened, and it goes on.
//!
//! Each folder of `tests/fixtures/0.1.0` is what `kill -9` left of a controller: `store` is its
//! `state.log`, and `world.json` what there was at the provider, with the creations that it had not
//! finished.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use infrakit_tests::program;
use infrakit_tests::site::{SOON, Site};
use serde_json::Value;

/// Longer than several polls: what is to stay as it is does so for this long.
const A_WHILE: Duration = Duration::from_secs(4);

/// A site as it was left, with so many of the open creations come true meanwhile.
fn left(name: &str, arrived: usize) -> (Site, Value) {
    let folder = program::repository()
        .join("tests/fixtures/0.1.0")
        .join(name);
    let world = std::fs::read_to_string(folder.join("world.json")).expect("it is there");
    let world: Value = serde_json::from_str(&world).expect("it is JSON");
    let site = Site::new();
    let configs = site.home.path().join("configs");
    std::fs::create_dir(&configs).expect("the home is new");
    std::fs::copy(folder.join("store"), configs.join("state.log")).expect("it is there");
    for one in world["Instances"].as_array().into_iter().flatten() {
        let id = one["ID"].as_str().unwrap_or_default();
        site.provider.put(id, one);
        site.provider.sicken(&[id.to_owned()], one["Sick"] == true);
    }
    let pending = world["Pending"].as_array().into_iter().flatten();
    for (number, one) in pending.take(arrived).enumerate() {
        site.provider.put(&format!("late-{number}"), one);
    }
    (site, world)
}

/// The ids of the instances that were asked to go, or not.
fn of(world: &Value, dying: bool) -> BTreeSet<String> {
    let all = world["Instances"].as_array().into_iter().flatten();
    let those = all.filter(|one| one["Dying"] == dying);
    those
        .filter_map(|one| Some(one["ID"].as_str()?.to_owned()))
        .collect()
}

#[test]
fn a_rollout_that_was_under_way_is_completed() {
    for arrived in [2, 0] {
        let (site, _) = left("rollout", arrived);
        let start = Instant::now();
        let _daemon = site.start(&[]);
        site.provider.settles("web", 6, "v2", SOON);
        let story = site.provider.story("web");
        // Two had their new version, and what had arrived was not made again.
        assert_eq!(site.provider.begun("web"), 4 - arrived, "{story}");
        assert!(site.provider.peak("web") <= 6, "{story}");
        // Two may be away; those that never arrived are so from the beginning.
        assert!(site.provider.fewest("web", start) >= 4, "{story}");
        infrakit_tests::rollout::reaches(&site.home, "web", "Completed");
    }
}

#[test]
fn creations_that_were_under_way_are_not_made_again_when_they_came_true() {
    for (name, group, size, arrived) in [
        ("creating", "web", 5, 2),
        ("creating", "web", 5, 5),
        ("creating-pets", "db", 3, 1),
    ] {
        let (site, _) = left(name, arrived);
        let _daemon = site.start(&[]);
        site.provider.settles(group, size, "v1", SOON);
        sleep(Duration::from_secs(1));
        site.provider.settles(group, size, "v1", SOON);
        let story = site.provider.story(group);
        assert_eq!(
            site.provider.begun(group),
            size - arrived,
            "{name}: {story}"
        );
        assert_eq!(
            site.provider.destroyed(),
            Vec::<String>::new(),
            "{name}: {story}"
        );
        if group == "db" {
            assert_eq!(site.provider.bodies(group), 1, "{story}");
        }
    }
}

#[test]
fn departures_that_were_under_way_fall_on_the_same_members() {
    let (site, world) = left("departing", 0);
    let (going, staying) = (of(&world, true), of(&world, false));
    assert_eq!((going.len(), staying.len()), (4, 2));
    site.provider.lose(going.first().expect("four"));
    let _daemon = site.start(&[]);
    site.provider.settles("web", 2, "v1", SOON);
    site.provider
        .stays("web", A_WHILE, "those stay", |provider| {
            provider.ids("web") == staying
        });
    assert_eq!(site.provider.begun("web"), 0);
}

#[test]
fn a_paused_rollout_stays_paused_and_a_held_member_held() {
    let (site, world) = left("paused", 0);
    let held = world["Held"].as_str().expect("one is held");
    let before = site.provider.ids("web");
    let _daemon = site.start(&[]);
    site.provider
        .stays("web", A_WHILE, "it is paused", |provider| {
            provider.ids("web") == before && provider.begun("web") == 0
        });
    assert!(
        site.says("group rollout status web")
            .contains("web: Paused")
    );
    site.home.cli("group rollout resume web").ok();
    infrakit_tests::eventually(SOON, "all but the held one are new", || {
        let members = site.provider.members("web");
        let old: Vec<&String> = members
            .iter()
            .filter(|(_, one)| one.note != "v2")
            .map(|(id, _)| id)
            .collect();
        if members.len() == 5 && old == [held] {
            Ok(())
        } else {
            Err(site.provider.story("web"))
        }
    });
    site.home.cli(&format!("group release web {held}")).ok();
    site.provider.settles("web", 5, "v2", SOON);
}

#[test]
fn a_canary_that_waits_for_approval_goes_on_waiting() {
    let (site, _) = left("approval", 0);
    let before = site.provider.ids("web");
    let _daemon = site.start(&[]);
    site.provider.stays("web", A_WHILE, "it waits", |provider| {
        provider.ids("web") == before && provider.begun("web") == 0
    });
    assert!(
        site.says("group rollout status web")
            .contains("web: AwaitingApproval")
    );
    site.home.cli("group rollout approve web").ok();
    site.provider.settles("web", 4, "v2", SOON);
    assert_eq!(site.provider.begun("web"), 3);
}

#[test]
fn too_many_sick_are_left_alone_by_the_successor_too() {
    let (site, _) = left("breaker", 0);
    let before = site.provider.ids("web");
    let _daemon = site.start(&[]);
    site.provider
        .stays("web", A_WHILE + A_WHILE, "nobody is touched", |provider| {
            provider.ids("web") == before && provider.destroyed().is_empty()
        });
    let all: Vec<String> = before.iter().cloned().collect();
    site.provider.sicken(&all, false);
    site.provider
        .stays("web", A_WHILE, "they are well again", |provider| {
            provider.ids("web") == before
        });
    assert_eq!(
        (site.provider.begun("web"), site.provider.destroyed().len()),
        (0, 0)
    );
    infrakit_tests::fleet::converged(&site.home, "web", 5, SOON);
}

#[test]
fn a_rollback_that_was_under_way_is_completed() {
    let (site, _) = left("rollback", 0);
    let _daemon = site.start(&[]);
    site.provider.settles("web", 5, "v1", SOON);
    assert!(
        site.provider.peak("web") <= 5,
        "{}",
        site.provider.story("web")
    );
}
