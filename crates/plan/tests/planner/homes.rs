//! Another instance plugin, another set of identities, names for the nameless.

use infrakit_plan::{Action, Labelling, Reason, Spec, WaitingOn};
use infrakit_spi::{Any, LogicalId, tags};

use crate::bench::*;

fn on(plugin: &str, size: usize) -> Spec {
    let text = format!(
        r#"{{"Instance":{{"Plugin":"{plugin}","Properties":{{"Note":"v1"}}}},"Allocation":{{"Size":{size}}},"Updating":{{"MaxSurge":1}}}}"#
    );
    Spec::parse(Some(&Any::parse(&text).expect("valid JSON"))).expect("a valid spec")
}

#[test]
fn a_group_moves_over_within_its_budget_and_leaves_nothing_behind() {
    let mut bench = Bench::new(on("file", 4));
    bench.play(&[]);
    bench.all_are_well();
    bench.commit(on("other", 4));
    bench.seen.watch(&"other".into());
    let early = bench.plan();
    assert!(
        early.actions.is_empty(),
        "the new plugin was not listed yet"
    );
    bench.homes.insert("nobody".into(), "other".into());
    bench.look();
    let played = bench.play(&[]);
    assert!(played.last().converged, "{:?}", played.last().waiting);
    assert_eq!((played.most, played.least_healthy), (5, 4));
    assert!(
        bench
            .seen
            .members()
            .all(|member| member.plugin.as_str() == "other")
    );
    assert_eq!(bench.list.len(), 4);
    assert!(
        bench.memory.homes.is_empty(),
        "the former home is forgotten once it is empty"
    );
}

#[test]
fn two_plugins_may_use_one_id_for_two_instances() {
    let mut seen = infrakit_plan::Observed::default();
    for plugin in ["file", "other"] {
        let circumstances = infrakit_plan::Listed {
            plugin: &plugin.into(),
            started: at(1),
            now: at(1),
            locality: infrakit_spi::instance::Locality::Remote,
        };
        let config = infrakit_plan::Config::default();
        let list = [shown("twin", "v1")];
        seen.apply(&"g".into(), list, circumstances, (NONCE, &config));
    }
    assert_eq!(seen.len(), 2);
    for plugin in ["file", "other"] {
        let member = seen.get_on(&plugin.into(), &"twin".into()).unwrap();
        assert_eq!(member.plugin.as_str(), plugin);
        assert_eq!(seen.population(&plugin.into()), 1);
    }
    seen.unwatch(&"file".into());
    assert_eq!(seen.get(&"twin".into()).unwrap().plugin.as_str(), "other");
}

#[test]
fn members_become_pets_where_they_stand() {
    let mut bench = Bench::new(cattle(3));
    bench.play(&[]);
    let before: Vec<_> = bench.list.iter().map(|one| one.id.clone()).collect();
    bench.commit(pets(&["a", "b", "c"]));
    bench.memory.naming = true;
    let played = bench.play(&[]);
    assert!(
        played.gone.is_empty() && played.come.is_empty(),
        "{played:?}"
    );
    assert!(played.last().converged && !bench.memory.naming);
    let after: Vec<_> = bench.list.iter().map(|one| one.id.clone()).collect();
    assert_eq!(before, after);
    let mut names: Vec<&str> = bench
        .list
        .iter()
        .filter_map(|one| one.logical_id.as_ref().map(LogicalId::as_str))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "b", "c"]);
    // And back: nothing has to happen.
    bench.commit(cattle(3));
    let played = bench.play(&[]);
    assert!(played.gone.is_empty() && played.come.is_empty());
}

#[test]
fn more_members_than_names_and_more_names_than_members() {
    let mut bench = Bench::new(cattle(4));
    bench.play(&[]);
    bench.commit(pets(&["a", "b"]));
    bench.memory.naming = true;
    let played = bench.play(&[]);
    assert_eq!((played.gone.len(), played.come.len()), (2, 0));
    assert_eq!(bench.list.len(), 2);
    let mut bench = Bench::new(cattle(2));
    bench.play(&[]);
    bench.commit(pets(&["a", "b", "c"]));
    bench.memory.naming = true;
    let played = bench.play(&[]);
    assert_eq!((played.gone.len(), played.come.len()), (0, 1));
}

#[test]
fn a_member_that_takes_no_name_makes_way_within_the_budget() {
    let mut bench = Bench::healthy(cattle(3), &["x", "y", "z"]);
    bench.commit(pets(&["a", "b", "c"]));
    bench.memory.naming = true;
    let plan = bench.plan();
    let named = plan
        .actions
        .iter()
        .filter(|one| matches!(one, Action::Adopt { .. }));
    assert_eq!(named.count(), 3);
    assert!(
        plan.waiting.contains(&WaitingOn::Creations { count: 0 }) || destroyed(&plan).is_empty()
    );
    for id in ["x", "y", "z"] {
        let mut member = bench.member(id);
        (member.labelling, member.label_failures) = (Labelling::Failed(at(0)), 5);
    }
    let played = bench.play(&[]);
    assert_eq!((played.gone.len(), played.come.len()), (3, 3));
    assert!(
        played
            .gone
            .iter()
            .all(|(_, reason)| *reason == Reason::Unlisted)
    );
    assert_eq!((played.most, played.least_healthy), (3, 2));
    assert!(played.last().converged);
}

#[test]
fn another_set_of_identities_changes_only_the_difference() {
    let mut bench = Bench::named(pets(&["a", "b", "c"]), &["a", "b", "c"]);
    bench.commit(pets(&["b", "c", "d"]));
    let played = bench.play(&[]);
    assert_eq!(played.gone, [("a".to_owned(), Reason::Unlisted)]);
    assert_eq!(played.come.len(), 1);
    assert_eq!(
        played.most, 3,
        "the new one waits until the old one is gone"
    );
    let tags = bench.list.last().unwrap().tags.as_ref().unwrap();
    assert_eq!(tags[tags::LOGICAL_ID], "d");
}

/// A hold keeps a member from being destroyed, not from being named.
#[test]
fn a_held_member_is_named_first() {
    let mut bench = Bench::healthy(cattle(3), &["x", "y", "z"]);
    bench.memory.held.insert("z".into());
    bench.commit(pets(&["a", "b"]));
    bench.memory.naming = true;
    let played = bench.play(&[]);
    assert_eq!((played.gone.len(), played.come.len()), (1, 0));
    assert_ne!(played.gone[0].0, "z");
    assert!(played.last().converged);
}

#[test]
fn a_label_that_fails_once_costs_nobody_its_life() {
    let mut bench = Bench::healthy(cattle(2), &["x", "y"]);
    bench.commit(pets(&["a", "b"]));
    bench.memory.naming = true;
    let mut member = bench.member("x");
    (member.labelling, member.label_failures) = (Labelling::Failed(at(5)), 1);
    drop(member);
    let plan = bench.preview();
    assert!(destroyed(&plan).is_empty() && created(&plan).is_empty());
    assert_eq!(plan.wake_at, Some(at(5)));
    bench.now = at(5);
    let played = bench.play(&[]);
    assert!(played.gone.is_empty() && played.come.is_empty());
    assert!(played.last().converged);
}
