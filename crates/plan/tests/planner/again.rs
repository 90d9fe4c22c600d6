//! Creations whose answers are lost, at providers that know them by their tokens.

use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::{Action, Asked, Content, Doubt, Plan, Provision};
use infrakit_spi::behaviour::{Behaviour, IdempotencyKind};
use infrakit_spi::flavor::Health;
use infrakit_spi::hash::ConfigHash;
use infrakit_spi::tags;

use crate::bench::*;

fn asked(plan: &Plan) -> Vec<&Provision> {
    let asked = plan.actions.iter().filter_map(|action| match action {
        Action::Provision(one) => Some(one),
        _ => None,
    });
    asked.collect()
}

/// A pet `b` beside `a`, whose creation is in doubt since now.
fn doubted(kind: IdempotencyKind) -> Bench {
    let mut bench = Bench::named(pets(&["a", "b"]), &["a"]);
    let mut behaviour = Behaviour::default();
    behaviour.idempotency.kind = kind;
    bench.config.undeclared = Arc::new(behaviour);
    let (now, revision) = (bench.now, bench.memory.revision);
    let intent = bench.intend(7, Some("b"));
    intent.content = Some(Content {
        sequence: 1,
        revision,
    });
    intent.doubt = Some(Doubt::since(now));
    bench.pass(Duration::from_secs(1));
    bench
}

#[test]
fn the_same_is_asked_for_again() {
    let mut bench = doubted(IdempotencyKind::Token);
    let token = bench.memory.token(7);
    let plan = bench.plan();
    let [again] = asked(&plan)[..] else {
        panic!("{:?}", plan.actions)
    };
    assert_eq!((&again.token, again.asked), (&token, Asked::Again));
    assert_eq!(
        (again.logical_id.clone(), again.sequence),
        (Some("b".into()), 1)
    );
    assert_eq!(again.tags[tags::TOKEN], token.to_string());
    assert_eq!(again.tags[tags::LOGICAL_ID], "b");
    assert_eq!(asked(&bench.plan()).len(), 0, "its answer is waited for");
}

#[test]
fn what_would_be_made_twice_is_not_asked_for() {
    for kind in [
        IdempotencyKind::Undeclared,
        IdempotencyKind::None,
        IdempotencyKind::Name,
        IdempotencyKind::CallerUuid,
    ] {
        assert_eq!(asked(&doubted(kind).plan()).len(), 0, "{kind:?}");
    }
}

#[test]
fn what_is_not_known_exactly_or_was_refused_is_not_asked_for() {
    for spoil in [
        |bench: &mut Bench| bench.intend(7, None).content = None,
        |bench: &mut Bench| bench.memory.revision += 1,
        |bench: &mut Bench| bench.intend(7, None).hash = ConfigHash::from_tag("other"),
        |bench: &mut Bench| bench.intend(7, None).again.refused = true,
        |bench: &mut Bench| bench.memory.frozen = Some(bench.now),
        |bench: &mut Bench| bench.memory.phase = infrakit_plan::Phase::Destroying,
    ] {
        let mut bench = doubted(IdempotencyKind::RequestId);
        spoil(&mut bench);
        assert_eq!(asked(&bench.preview()).len(), 0);
    }
}

/// It counts as a member, however often it is asked for.
#[test]
fn nothing_is_made_beside_it() {
    let mut bench = doubted(IdempotencyKind::Token);
    for _ in 0..20 {
        let plan = bench.plan();
        assert!(asked(&plan).iter().all(|one| one.token.number() == 7));
        let now = bench.now;
        bench.intend(7, None).doubt = Some(Doubt::since(now));
        bench.pass(Duration::from_secs(30));
    }
}

/// One that had been missing is back, or the group is to be smaller: one more would be too many.
#[test]
fn one_that_is_not_wanted_any_more_is_not_asked_for() {
    let mut bench = Bench::healthy(cattle(3), &["a"]);
    let mut behaviour = Behaviour::default();
    behaviour.idempotency.kind = IdempotencyKind::Token;
    bench.config.undeclared = Arc::new(behaviour);
    let revision = bench.memory.revision;
    for number in [7, 8] {
        let (now, intent) = (bench.now, bench.intend(number, None));
        let sequence = number;
        intent.content = Some(Content { sequence, revision });
        intent.doubt = Some(Doubt::since(now));
    }
    bench.pass(Duration::from_secs(1));
    assert_eq!(asked(&bench.preview()).len(), 2);
    bench.add(shown("b", "v1"));
    bench.verdict("b", Health::Healthy);
    assert_eq!(asked(&bench.preview()).len(), 1, "one is missing");
    bench.add(shown("c", "v1"));
    bench.verdict("c", Health::Healthy);
    assert_eq!(asked(&bench.preview()).len(), 0);
}
