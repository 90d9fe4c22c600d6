//! Another instance plugin, another set of identities, names for the nameless.

use infrakit_plan::{Action, Labelling, Reason, Spec, WaitingOn};
use infrakit_spi::flavor::Health;
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
            lag: infrakit_plan::Lag::default(),
        };
        let list = [shown("twin", "v1")];
        seen.apply(&"g".into(), list, circumstances, NONCE);
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

/// Returns the members that are given names, and the names.
fn named(plan: &infrakit_plan::Plan) -> Vec<(&str, &str)> {
    let given = plan.actions.iter().filter_map(|action| match action {
        Action::Adopt { id, labels, .. } => Some((id.as_str(), labels[tags::LOGICAL_ID].as_str())),
        _ => None,
    });
    given.collect()
}

#[test]
fn those_that_do_well_are_named_first_and_the_others_make_way() {
    let mut bench = Bench::healthy(cattle(4), &["w", "x", "y", "z"]);
    bench.verdict("w", Health::Unhealthy);
    bench.list[1] = shown("x", "v0");
    bench.look();
    bench.commit(pets(&["a", "b"]));
    bench.memory.naming = true;
    let plan = bench.plan();
    assert_eq!(named(&plan), [("y", "a"), ("z", "b")]);
    let gone = [("w", Reason::Unlisted), ("x", Reason::Unlisted)];
    assert_eq!(destroyed(&plan), gone);
    // A list has to confirm it.
    let plan = bench.plan();
    assert!(named(&plan).is_empty() && plan.waiting.contains(&WaitingOn::Observation));
    assert!(!plan.converged && plan.memory.naming);
}

#[test]
fn of_those_that_take_no_name_one_goes_at_a_time() {
    let mut bench = Bench::healthy(cattle(3), &["x", "y", "z"]);
    bench.commit(pets(&["a", "b", "c"]));
    bench.memory.naming = true;
    for id in ["x", "y", "z"] {
        let mut member = bench.member(id);
        (member.labelling, member.label_failures) = (Labelling::Failed(at(0)), 5);
    }
    assert_eq!(destroyed(&bench.preview()), [("x", Reason::Unlisted)]);
    let mut silent = bench.clone();
    for id in ["x", "y", "z"] {
        silent.verdict(id, Health::Unknown);
    }
    let gone = [("x", Reason::Unlisted)];
    assert_eq!(
        destroyed(&silent.preview()),
        gone,
        "whether they serve or not"
    );
    let mut busy = bench.clone();
    busy.intend(9, Some("a"));
    assert!(
        destroyed(&busy.preview()).is_empty(),
        "one is replaced already"
    );
    let mut leaving = bench.clone();
    leaving.depart("x", Reason::Unlisted, infrakit_plan::Step::Accepted(at(0)));
    assert!(destroyed(&leaving.preview()).is_empty());
    bench.verdict("y", Health::Unhealthy);
    let plan = bench.preview();
    let budget = WaitingOn::Budget {
        available: 2,
        needed: 3,
    };
    assert!(destroyed(&plan).is_empty() && plan.waiting.contains(&budget));
}

#[test]
fn a_label_is_put_on_again_when_its_time_has_come() {
    let mut bench = Bench::healthy(cattle(2), &["x", "y"]);
    bench.commit(pets(&["a", "b"]));
    bench.memory.naming = true;
    let until = at(5);
    bench.member("x").labelling = Labelling::Failed(until);
    bench.member("x").label_failures = 4;
    let plan = bench.preview();
    assert_eq!(named(&plan), [("y", "b")], "the place of `x` is kept");
    assert!(created(&plan).is_empty() && destroyed(&plan).is_empty());
    assert_eq!(plan.wake_at, Some(until));
    bench.now = until;
    assert_eq!(named(&bench.preview()), [("x", "a"), ("y", "b")]);
    // One that asks for adoption is adopted before it is named.
    let mut bench = Bench::new(cattle(1));
    bench.add(tagged("x", &[(tags::CONFIG_HASH, tags::BOOTSTRAP)]));
    bench.commit(pets(&["a"]));
    bench.memory.naming = true;
    let plan = bench.plan();
    assert_eq!(adopted(&plan), ["x"]);
    assert!(created(&plan).is_empty(), "its place is kept");
}

#[test]
fn naming_lasts_until_the_last_creation_has_come_true() {
    let mut bench = Bench::named(pets(&["a", "b"]), &["a"]);
    bench.memory.naming = true;
    bench.intend(7, None);
    let plan = bench.plan();
    assert!(plan.memory.naming, "what comes may have no name");
    bench.add(and(shown("x", "v1"), tags::TOKEN, "n-7"));
    assert_eq!(named(&bench.plan()), [("x", "b")]);
    bench.list[1] = and(bench.list[1].clone(), tags::LOGICAL_ID, "b");
    bench.look();
    bench.verdict("x", Health::Healthy);
    let plan = bench.plan();
    assert!(plan.converged && !plan.memory.naming);
}

#[test]
fn a_former_home_is_left_when_nothing_can_come_to_it_any_more() {
    let home = infrakit_spi::PluginName::from("other");
    let kept = |bench: &Bench| bench.preview().memory.homes.contains(&home);
    let mut bench = Bench::healthy(cattle(1), &["a"]);
    bench.memory.homes.insert(home.clone());
    assert!(kept(&bench), "it was never listed");
    let mut watched = bench.clone();
    watched.homes.insert("elsewhere".into(), home.clone());
    watched.look();
    assert!(!kept(&watched));
    let mut coming = watched.clone();
    coming.spec = coming.spec.with_size(2);
    coming.intend(3, None).plugin = home.clone();
    assert!(kept(&coming), "a creation may come true there");
    let mut rolled = watched.clone();
    rolled.add(shown("old", "v0"));
    rolled.memory.roll = Some(infrakit_plan::Roll {
        former: Some(infrakit_plan::Former {
            revision: 0,
            hash: infrakit_spi::hash::ConfigHash::from_tag("other"),
            plugin: home.clone(),
        }),
        ..infrakit_plan::Roll::begin(&rolled.seen, at(0))
    });
    assert!(kept(&rolled), "the rollout may go back there");
    watched.add(shown("elsewhere", "v1"));
    assert!(kept(&watched), "somebody lives there");
}
