//! The invariants of plans find what is wrong with a plan that was made up.

use infrakit_plan::{Action, Drain, Phase, Plan, Reason, Right, Size, WaitingOn, check};
use infrakit_spi::flavor::Health;
use infrakit_spi::tags;

use crate::bench::*;

/// The right to destroy an instance: one that a plan has in which it goes.
fn right_to(bench: &Bench, victim: &str) -> Right {
    let mut going = bench.clone();
    going.config.self_logical_id = None;
    going.memory.phase = Phase::Destroying;
    if going.seen.get(&victim.into()).is_none() {
        going.add(shown(victim, "v1"));
    }
    going.member(victim).departure = None;
    let right = going.plan().actions.into_iter().find_map(|one| match one {
        Action::Destroy { id, right, .. } if id.as_str() == victim => Some(right),
        _ => None,
    });
    right.expect("it goes with its group")
}

/// A plan that destroys these members, and nothing else.
fn destroying(bench: &Bench, victims: &[(&str, Reason)]) -> Plan {
    let mut plan = bench.preview();
    plan.converged = false;
    plan.actions = victims
        .iter()
        .map(|(id, reason)| Action::Destroy {
            id: (*id).into(),
            plugin: "file".into(),
            reason: *reason,
            drain: Drain::Try,
            blamed: false,
            right: right_to(bench, id),
        })
        .collect();
    plan
}

fn broken(bench: &Bench, plan: &Plan) -> Vec<String> {
    check::violations(&bench.spec, &bench.seen, plan, &bench.config)
}

fn three() -> Bench {
    Bench::healthy(cattle(3), &["a", "b", "c"])
}

#[test]
fn a_sound_plan_breaks_nothing() {
    let bench = three();
    assert!(broken(&bench, &bench.preview()).is_empty());
    let mut sick = three();
    sick.sicken("a");
    let plan = destroying(&sick, &[("a", Reason::Unhealthy)]);
    assert_eq!(broken(&sick, &plan), Vec::<String>::new());
}

#[test]
fn nothing_is_done_blindly_or_twice_or_to_strangers() {
    let mut blind = three();
    let plan = destroying(&blind, &[("a", Reason::Requested)]);
    blind.seen = infrakit_plan::Observed::default();
    let said = broken(&blind, &plan);
    assert!(
        said.iter()
            .any(|one| one.contains("before a complete list")),
        "{said:?}"
    );
    let bench = three();
    let twice = [("a", Reason::Requested), ("a", Reason::Surplus)];
    let said = broken(&bench, &destroying(&bench, &twice));
    assert_eq!(said, ["`a` is destroyed twice"]);
    let said = broken(&bench, &destroying(&bench, &[("x", Reason::Requested)]));
    assert_eq!(said, ["`x` is destroyed and is no member"]);
    let mut both = destroying(&bench, &[("a", Reason::Requested)]);
    both.actions.push(Action::Adopt {
        id: "a".into(),
        plugin: "file".into(),
        labels: infrakit_spi::Tags::new(),
    });
    assert_eq!(broken(&bench, &both), ["`a` is both adopted and destroyed"]);
}

#[test]
fn a_right_is_good_for_nothing_else() {
    let bench = three();
    let mut plan = destroying(&bench, &[("a", Reason::Requested)]);
    if let Action::Destroy { id, .. } = &mut plan.actions[0] {
        *id = "b".into();
    }
    let said = broken(&bench, &plan);
    assert!(
        said.len() == 1 && said[0].ends_with("has the right to something else"),
        "{said:?}"
    );
}

#[test]
fn replacements_beyond_the_budget_are_found() {
    let mut bench = three();
    bench.sicken("a");
    bench.sicken("b");
    let victims = [("a", Reason::Unhealthy), ("b", Reason::Unhealthy)];
    let said = broken(&bench, &destroying(&bench, &victims));
    assert_eq!(said, ["2 members are replaced at once, 1 may be"]);
    // What was decided before was drawn from the budget then.
    bench.depart(
        "a",
        Reason::Unhealthy,
        infrakit_plan::Step::Failed(1, at(0)),
    );
    assert!(broken(&bench, &destroying(&bench, &victims)).is_empty());
}

#[test]
fn reasons_have_to_be_true() {
    let bench = three();
    let said = broken(&bench, &destroying(&bench, &[("a", Reason::Outdated)]));
    assert_eq!(said, ["`a` is destroyed as outdated and is not"]);
    let said = broken(&bench, &destroying(&bench, &[("a", Reason::Unhealthy)]));
    assert_eq!(said, ["`a` is destroyed as unhealthy and is not"]);
}

#[test]
fn service_that_is_not_kept_up_is_found() {
    let mut bench = Bench::healthy(spec(r#"{"Size":3}"#, "v2", ""), &["a", "b", "c"]);
    bench.verdict("b", Health::Unhealthy);
    let said = broken(&bench, &destroying(&bench, &[("a", Reason::Outdated)]));
    assert_eq!(
        said,
        ["1 members serve after replacements, 2 did, 2 have to"]
    );
    let said = broken(&bench, &destroying(&bench, &[("b", Reason::Outdated)]));
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn a_group_that_outgrows_itself_is_found() {
    let bench = Bench::new(cattle(2));
    let mut plan = bench.preview();
    assert_eq!(created(&plan).len(), 2);
    assert!(broken(&bench, &plan).is_empty());
    let number = plan.memory.next_token;
    let one = plan.memory.intents.values().next().unwrap().clone();
    plan.memory.intents.insert(number, one);
    assert_eq!(broken(&bench, &plan), ["3 members would exist, 2 may"]);
}

#[test]
fn identities_that_are_made_twice_or_not_wanted_are_found() {
    let mut bench = Bench::new(pets(&["a", "b"]));
    let plan = bench.preview();
    bench.add(and(shown("x", "v1"), tags::LOGICAL_ID, "a"));
    assert_eq!(
        broken(&bench, &plan),
        ["`a` is created while a member holds it"]
    );
    bench.spec.size = Size::Pets(vec!["a".into()]);
    let said = broken(&bench, &plan);
    assert!(
        said.contains(&"`b` is not in the list".to_owned()),
        "{said:?}"
    );
}

#[test]
fn the_controllers_own_machine_is_spared_and_idleness_explained() {
    let mut bench = Bench::named(pets(&["a", "b"]), &["a", "b"]);
    bench.config.self_logical_id = Some("a".into());
    let said = broken(&bench, &destroying(&bench, &[("a", Reason::Unlisted)]));
    assert_eq!(said, ["`a` is destroyed, and the controller runs on it"]);
    assert!(broken(&bench, &destroying(&bench, &[("a", Reason::Requested)])).is_empty());
    let mut idle = destroying(&bench, &[]);
    idle.waiting.clear();
    assert_eq!(
        broken(&bench, &idle),
        ["nothing is done, and nothing says why"]
    );
    idle.waiting.push(WaitingOn::Observation);
    assert!(broken(&bench, &idle).is_empty());
}
