//! Members that change one by one are sorted as if all were sorted anew.

use std::sync::Arc;

use infrakit_spi::flavor::Health;
use infrakit_spi::instance::{Description, Lifecycle};
use infrakit_spi::{Any, InstanceId, Tags, tags};
use proptest::prelude::*;

use super::*;
use crate::{Reason, Timestamp};

/// How a plugin shows an instance: its number, its configuration, its identity, its state, whether
/// an intent made it.
type Shown = (u8, u8, u8, u8, bool);

#[derive(Clone, Debug)]
enum Op {
    List(Vec<Shown>),
    Unchanged,
    Health(u8, u8),
    Ask(u8),
    Depart(u8, u8),
    Label(u8, u8),
    Provisioned(Shown),
    Unwatch,
}

fn spec(pets: bool) -> Arc<Spec> {
    let allocation = if pets {
        r#"{"LogicalIDs":["n0","n1","n2"]}"#
    } else {
        r#"{"Size":3}"#
    };
    let text = format!(r#"{{"Allocation":{allocation},"Updating":{{"Count":2}}}}"#);
    let spec = Spec::parse(Some(&Any::parse(&text).expect("valid JSON")));
    Arc::new(spec.expect("a valid spec"))
}

fn description(spec: &Spec, (number, note, name, state, made): Shown) -> Description {
    let hash = match note {
        0 => spec.hash.as_str(),
        1 => tags::BOOTSTRAP,
        _ => "other",
    };
    let mut labels = Tags::from([
        (tags::GROUP.to_owned(), "g".to_owned()),
        (tags::CONFIG_HASH.to_owned(), hash.to_owned()),
    ]);
    if name < 5 {
        labels.insert(tags::LOGICAL_ID.to_owned(), format!("n{name}"));
    }
    if made {
        labels.insert(tags::TOKEN.to_owned(), format!("k-{number}"));
    }
    Description {
        id: format!("i{number}").into(),
        tags: Some(labels),
        state: match state {
            0 => Lifecycle::Pending,
            1 => Lifecycle::Terminating,
            _ => Description::default().state,
        },
        ..Description::default()
    }
}

fn id(number: u8) -> InstanceId {
    format!("i{number}").into()
}

fn apply(seen: &mut Observed, spec: &Spec, op: Op, now: Timestamp) {
    let plugin = PluginName::from("p");
    match op {
        Op::List(list) => {
            let circumstances = Listed {
                plugin: &plugin,
                started: now,
                now,
                lag: Lag::default(),
            };
            let list = list.into_iter().map(|one| description(spec, one));
            seen.apply(&"g".into(), list, circumstances, "k");
        }
        Op::Unchanged => {
            seen.unchanged(&plugin, now, now);
        }
        Op::Health(number, verdict) => {
            if let Some(mut member) = seen.get_mut(&id(number)) {
                let verdicts = [Health::Healthy, Health::Unknown, Health::Unhealthy];
                member.health.note(verdicts[usize::from(verdict)], now);
            }
        }
        Op::Ask(number) => {
            if let Some(mut member) = seen.get_mut(&id(number)) {
                member.health.ask();
            }
        }
        Op::Depart(number, step) => {
            if let Some(mut member) = seen.get_mut(&id(number)) {
                member.departure = (step < 3).then_some(Departure {
                    reason: Reason::Surplus,
                    since: now,
                    step: match step {
                        0 => Step::InFlight(now),
                        1 => Step::Failed(1, now),
                        _ => Step::Accepted(now),
                    },
                    taken: None,
                });
            }
        }
        Op::Label(number, name) => {
            if let Some(mut member) = seen.get_mut(&id(number)) {
                member.labelling = match name {
                    0..5 => Labelling::UnderWay(Some(format!("n{name}").into())),
                    _ => Labelling::Nothing,
                };
            }
        }
        Op::Provisioned(one) => {
            let origin = Origin::Provisioned(now);
            let one = description(spec, one);
            seen.provisioned(Member::new(one, &plugin, origin, "k", now));
        }
        Op::Unwatch => seen.unwatch(&plugin),
    }
}

fn shown() -> impl Strategy<Value = Shown> {
    (0_u8..5, 0_u8..3, 0_u8..7, 0_u8..8, any::<bool>())
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => prop::collection::vec(shown(), 0..6).prop_map(Op::List),
        1 => Just(Op::Unchanged),
        4 => (0_u8..5, 0_u8..3).prop_map(|(number, verdict)| Op::Health(number, verdict)),
        1 => (0_u8..5).prop_map(Op::Ask),
        3 => (0_u8..5, 0_u8..5).prop_map(|(number, step)| Op::Depart(number, step)),
        2 => (0_u8..5, 0_u8..7).prop_map(|(number, name)| Op::Label(number, name)),
        2 => shown().prop_map(Op::Provisioned),
        1 => Just(Op::Unwatch),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn members_that_change_one_by_one_are_sorted_as_all_anew(
        ops in prop::collection::vec((op(), 0_u64..9), 1..30),
        pets in any::<bool>(),
        naming in any::<bool>(),
    ) {
        let spec = spec(pets);
        let mut seen = Observed::default();
        seen.aim(&spec, naming);
        let mut now = Timestamp(1_000_000_000_000);
        for (op, seconds) in ops {
            now = now + std::time::Duration::from_secs(seconds);
            apply(&mut seen, &spec, op.clone(), now);
            let mut anew = seen.clone();
            anew.aim(&spec, naming);
            let (kept, sorted) = (format!("{:?}", seen.index), format!("{:?}", anew.index));
            prop_assert_eq!(kept, sorted, "after {:?}", op);
            prop_assert_eq!(seen.population(&"p".into()), seen.len());
            prop_assert_eq!(seen.is_empty(), seen.members().next().is_none());
            prop_assert_eq!(seen.departing(), seen.members().filter(|one| !one.stays()).count());
            prop_assert_eq!(seen.leaving().count(), seen.departing());
        }
    }
}

/// Plans are made by what members are sorted by; another spec has to sort them anew.
#[test]
fn members_are_sorted_by_one_spec_only() {
    let base = spec(false);
    let mut seen = Observed::default();
    assert!(!seen.is_aimed(&base, false));
    seen.aim(&base, false);
    assert!(seen.is_aimed(&base, false) && !seen.is_aimed(&base, true));
    let same = Spec::clone(&base);
    assert!(seen.is_aimed(&same, false), "an equal one is as good");
    let mut counted = same.clone();
    counted.updating.count = 3;
    let mut lasting = same.clone();
    lasting.updating.duration = std::time::Duration::from_secs(1);
    let mut other = same.clone();
    other.hash = infrakit_spi::hash::ConfigHash::from_tag("other");
    for another in [counted, lasting, other, same.with_size(4)] {
        assert!(!seen.is_aimed(&another, false), "{another:?}");
    }
}

/// Two instances of one intent are one too many; the one that was seen last answers for it.
#[test]
fn a_token_stays_answered_when_the_other_one_that_has_it_goes() {
    let spec = spec(false);
    let twin = |id: u8| {
        let mut one = description(&spec, (id, 0, 9, 9, true));
        let token = (tags::TOKEN.to_owned(), "k-7".to_owned());
        one.tags.get_or_insert_default().extend([token]);
        one
    };
    let mut seen = Observed::default();
    seen.aim(&spec, false);
    let mut show = |second: u64, list: &[u8]| {
        let now = Timestamp(second * 1_000_000_000);
        let circumstances = Listed {
            plugin: &"p".into(),
            started: now,
            now,
            lag: Lag::default(),
        };
        let list = list.iter().map(|id| twin(*id));
        seen.apply(&"g".into(), list, circumstances, "k");
        seen.index.tokens.contains_key(&7)
    };
    assert!(show(1, &[1, 2]));
    assert!(show(60, &[2]), "`i2` has it still");
    assert!(!show(120, &[]));
}
