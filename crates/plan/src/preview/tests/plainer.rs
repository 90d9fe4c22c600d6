//! What is shown, compared with what a plainer world makes of the same plans.

use std::time::Duration;

use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Description;
use infrakit_spi::{Any, InstanceId};
use proptest::prelude::*;

use super::{Group, NOW, cattle, seconds, spec};
use crate::{Lag, Listed, Roll, Size, Spec, Timestamp};

/// A plainer world, in which one second follows the other and lists are lists: what it does has to
/// be what was shown.
fn done(group: &Group, after: &Spec) -> (Vec<String>, u64) {
    let (mut memory, mut seen) = (group.memory.clone(), group.seen.clone());
    let mut there: Vec<Description> = seen
        .members()
        .map(|one| (*one.description).clone())
        .collect();
    let mut coming: Vec<(Timestamp, Description, u64)> = Vec::new();
    let mut going: Vec<(Timestamp, InstanceId)> = Vec::new();
    let mut born = std::collections::BTreeMap::new();
    let mut gone = Vec::new();
    for second in 0..3_000 {
        let now = NOW + Duration::from_secs(second);
        coming.retain(|(at, description, token)| {
            if *at <= now {
                memory.intents.remove(token);
                born.insert(description.id.clone(), now);
                there.push(description.clone());
            }
            *at > now
        });
        going.retain(|(at, id)| {
            if *at <= now {
                there.retain(|one| one.id != *id);
            }
            *at > now
        });
        let circumstances = Listed {
            plugin: &after.instance.plugin,
            started: now,
            now,
            lag: Lag::NONE,
        };
        seen.apply(&"g".into(), there.clone(), circumstances, "n");
        // Verdicts that are asked for are there at once, and lead to the next plan.
        loop {
            let decided = crate::plan(after, &seen, memory.clone(), now, &group.config);
            memory = decided.memory;
            if decided.converged {
                return (gone, second);
            }
            if decided.actions.is_empty() {
                break;
            }
            for action in decided.actions {
                match action {
                    crate::Action::Provision(one) => {
                        let number = one.token.number();
                        let description = Description {
                            id: format!("new-{number}").into(),
                            logical_id: one.logical_id,
                            tags: Some(one.tags),
                            ..Description::default()
                        };
                        coming.push((now + Duration::from_secs(10), description, number));
                    }
                    crate::Action::Destroy { id, reason, .. } => {
                        seen.get_mut(&id).unwrap().departure = Some(crate::Departure {
                            reason,
                            since: now,
                            step: crate::Step::InFlight(now),
                            taken: None,
                        });
                        gone.push(id.to_string());
                        going.push((now + Duration::from_secs(3), id));
                    }
                    crate::Action::Check { id, .. } => {
                        let well = born
                            .get(&id)
                            .is_none_or(|at| now >= *at + Duration::from_secs(2));
                        let verdict = if well {
                            Health::Healthy
                        } else {
                            Health::Unknown
                        };
                        seen.get_mut(&id).unwrap().health.note(verdict, now);
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    panic!("it does not arrive");
}

/// Checks that a commit for a group of `size` members does what its preview shows.
fn compare(size: u64, after: &Spec) {
    let before = match &after.size {
        Size::Cattle(_) => cattle(size, 1, ""),
        Size::Pets(ids) => spec(
            &format!(r#"{{"LogicalIDs":{}}}"#, Any::from_value(ids).unwrap()),
            1,
            "",
        ),
    };
    compare_from(Group::of(before), size, after);
}

fn compare_from(mut group: Group, size: u64, after: &Spec) {
    if after.size.count() > size && size > 0 {
        group.memory.roll = Some(Roll {
            hold: Some(size),
            ..Roll::default()
        });
    }
    let shown = group.show(after);
    let going = shown.waves.iter().flat_map(|wave| &wave.go);
    let going: Vec<String> = going.map(|one| one.id.to_string()).collect();
    let (gone, took) = done(&group, after);
    assert_eq!(going, gone, "{after:?}");
    // The plainer world sees everything within a second, and polls.
    let slack = 2 * shown.waves.len() as u64 + 10;
    assert!(
        seconds(&shown).unwrap().abs_diff(took) <= slack,
        "{:?} instead of {took}: {after:?}",
        seconds(&shown)
    );
}

#[test]
fn what_is_shown_is_what_is_done() {
    for (size, after) in [
        (5, cattle(5, 2, "")),
        (7, cattle(7, 2, r#""MaxUnavailable":3"#)),
        (7, cattle(7, 2, r#""MaxSurge":2"#)),
        (7, cattle(7, 2, r#""MaxSurge":1,"MaxUnavailable":2"#)),
        (
            7,
            cattle(
                7,
                2,
                r#""MaxSurge":2,"MaxUnavailable":1,"Order":"destroy-first""#,
            ),
        ),
        (9, cattle(9, 2, r#""MaxUnavailable":4,"Batch":2"#)),
        (
            6,
            cattle(
                6,
                2,
                r#""Stages":[{"Until":1,"Bake":"1m"},{"Until":"50%"}],"MaxUnavailable":2"#,
            ),
        ),
        (4, cattle(4, 2, r#""MaxUnavailable":3,"Batch":1"#)),
        (
            4,
            cattle(4, 2, r#""MaxUnavailable":3,"Stages":[{"Until":1}]"#),
        ),
        (4, cattle(4, 2, r#""Count":3"#)),
        (4, cattle(4, 2, r#""Duration":"25s","MaxSurge":1"#)),
        (6, cattle(3, 2, "")),
        (3, cattle(6, 2, "")),
    ] {
        compare(size, &after);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_shown_is_done(
        (before, after) in (0_u64..9, 0_u64..9),
        unavailable in 1_u64..4,
        surge in 0_u64..4,
        first in any::<bool>(),
        batch in prop::option::of(1_u64..4),
        stages in prop::collection::btree_set(1_u64..9, 0..3),
        proof in prop::sample::select(vec!["", r#""Count":2,"#, r#""Duration":"7s","#]),
    ) {
        let order = match (surge, first) {
            (1.., true) => r#""Order":"surge-first","#,
            _ => r#""Order":"destroy-first","#,
        };
        let batch = batch.map(|batch| format!(r#""Batch":{batch},"#)).unwrap_or_default();
        let last = stages.last().copied();
        let stages: Vec<String> = stages
            .iter()
            .filter(|until| Some(**until) == last || **until < after.max(2))
            .map(|until| format!(r#"{{"Until":{until},"Bake":"30s"}}"#))
            .collect();
        let unavailable = unavailable.min(after.saturating_sub(1).max(1));
        let updating = format!(
            r#"{proof}{order}{batch}"Stages":[{}],"MaxUnavailable":{unavailable},"MaxSurge":{surge}"#,
            stages.join(",")
        );
        compare(before, &cattle(after, 2, &updating));
    }

    #[test]
    fn pets_go_as_they_are_shown_to(
        count in 1_usize..7,
        unavailable in 1_u64..4,
        batch in prop::option::of(1_u64..3),
        held in prop::option::of(0_usize..7),
    ) {
        let ids: Vec<String> = (0..count).map(|at| format!("pet-{at}")).collect();
        let unavailable = unavailable.min((count as u64 - 1).max(1));
        let batch = batch.map(|batch| format!(r#","Batch":{batch}"#)).unwrap_or_default();
        let more = format!(r#","Updating":{{"MaxUnavailable":{unavailable}{batch}}}"#);
        let named = format!(r#"{{"LogicalIDs":{ids:?}}}"#);
        let mut group = Group::of(spec(&named, 1, ""));
        if let Some(id) = held.and_then(|at| ids.get(at)) {
            group.memory.held.insert(format!("i-{id}").into());
        }
        compare_from(group, count as u64, &spec(&named, 2, &more));
    }
}
