//! Declarations as they travel, what follows from them, and what is refused.

use std::time::Duration;

use super::{
    Behaviour, Completeness, IdempotencyKind, Meaning, Operation, Reuse, Seconds, defaults,
};
use crate::FailureClass;

const CLOUD: &str = r#"{
    "idempotency": {"kind": "token", "scope": "zone", "ttl_s": 86400},
    "token_readable": true,
    "create": {"answer_means": "exists", "running_p50_s": 8, "running_p99_s": 60, "give_up_s": 1200},
    "visibility_window_s": {"get": 10, "list": 30.5, "tag": 60},
    "list": {"lag_s": 30, "relapse_s": 12, "complete": "per_domain", "durable": true, "page": 1000},
    "absent_proof": "both_twice",
    "tombstone_s": 3600, "tombstone_states": ["terminated"],
    "id": {"reused": "never", "incarnation_field": "launched"},
    "destroy": {"async": true, "p99_s": 300, "stuck_s": 14400},
    "limits": [{"op": "create", "bucket": 5, "refill_per_s": 2, "account": "a"},
               {"op": "all", "bucket": 100, "refill_per_s": 20}],
    "states": {"pending": "creating", "running": "up", "odd": "a later word"},
    "domain_of": "zone",
    "safe_parallel": {"create": 5},
    "errors": {"Limit": "quota", "VcpuLimit": "configuration"}
}"#;

fn cloud() -> Behaviour {
    serde_json::from_str(CLOUD).unwrap()
}

#[test]
fn what_is_declared_is_used() {
    let cloud = cloud();
    cloud.check().unwrap();
    assert_eq!(cloud.creation_limit(), Duration::from_secs(1200));
    assert_eq!(cloud.asks_again_within(), Some(Duration::from_secs(86400)));
    assert_eq!(cloud.visibility(), Duration::from_millis(30_500));
    assert_eq!(cloud.tag_visibility(), Duration::from_secs(60));
    assert_eq!(cloud.list_lag(), Duration::from_secs(30));
    assert_eq!(cloud.relapse(), Duration::from_secs(12));
    assert_eq!(cloud.list.complete, Completeness::PerDomain);
    assert!(cloud.answer_is_existence() && !cloud.list_is_proof() && !cloud.reuses_ids());
    assert_eq!(cloud.destruction_stuck(), Duration::from_secs(14400));
    assert_eq!(cloud.limits_of(Operation::Create).count(), 2);
    assert_eq!(cloud.limits_of(Operation::List).count(), 1);
    assert_eq!(cloud.meaning("Pending"), Some(Meaning::Creating));
    assert_eq!(cloud.meaning("TERMINATED"), Some(Meaning::Gone));
    assert_eq!(cloud.meaning("odd"), Some(Meaning::Unknown));
    assert_eq!(cloud.meaning("other"), None);
    let class = cloud.class_of("VcpuLimitExceeded: no");
    assert_eq!(class, Some(FailureClass::Configuration));
    assert_eq!(cloud.class_of("no"), None);
}

#[test]
fn what_is_not_declared_is_safe() {
    let nothing = Behaviour::default();
    nothing.check().unwrap();
    assert!(nothing.is_undeclared());
    assert_eq!(serde_json::to_string(&nothing).unwrap(), "{}");
    assert_eq!(nothing.creation_limit(), defaults::CREATION);
    assert_eq!(nothing.asks_again_within(), None);
    assert_eq!(nothing.visibility(), defaults::VISIBILITY);
    assert_eq!(nothing.relapse(), defaults::RELAPSE);
    assert_eq!(nothing.list_lag(), defaults::LAG);
    assert_eq!(nothing.destruction_stuck(), defaults::STUCK);
    assert!(!nothing.list_is_proof() && nothing.reuses_ids() && nothing.destroys_later());
    assert!(nothing.shows_tokens() && !nothing.gives_out_machines());
    assert_eq!(nothing.absence_window(), defaults::VISIBILITY);
    assert!(!nothing.answer_is_existence());
}

/// Bare metal says how long it usually takes, and not when to give up.
#[test]
fn a_slow_provider_is_not_given_up_before_its_usual_time() {
    let slow: Behaviour = serde_json::from_str(r#"{"create": {"running_p99_s": 1320}}"#).unwrap();
    assert_eq!(slow.creation_limit(), Duration::from_secs(3960));
    let quick: Behaviour = serde_json::from_str(r#"{"create": {"running_p99_s": 1}}"#).unwrap();
    assert_eq!(quick.creation_limit(), defaults::CREATION);
}

#[test]
fn it_travels_without_loss_and_names_match_without_case() {
    let text = serde_json::to_string(&cloud()).unwrap();
    assert!(
        text.contains(r#""ttl_s":86400,"#) || text.contains(r#""ttl_s":86400}"#),
        "{text}"
    );
    let again: Behaviour = serde_json::from_str(&text).unwrap();
    assert_eq!(again, cloud());
    let loud: Behaviour =
        serde_json::from_str(r#"{"ID": {"Reused": "ALWAYS"}, "later_field": 1, "list": null}"#)
            .unwrap();
    assert_eq!(loud.id.reused, Reuse::Always);
}

#[test]
fn nonsense_is_refused_with_its_field_and_bound() {
    for (text, said) in [
        (
            r#"{"create": {"give_up_s": -1}}"#,
            "`create.give_up_s` is -1, which cannot be meant: 0 to 86400 seconds",
        ),
        (
            r#"{"list": {"lag_s": 31536000}}"#,
            "`list.lag_s` is 31536000, which cannot be meant: 0 to 86400 seconds",
        ),
        (
            r#"{"idempotency": {"ttl_s": 1e300}}"#,
            "`idempotency.ttl_s` is 1e300, which cannot be meant",
        ),
        (
            r#"{"create": {"running_p99_s": 60, "give_up_s": 30}}"#,
            "`create.running_p99_s` is 60, which cannot be meant: at most `create.give_up_s`, which is 30",
        ),
        (
            r#"{"list": {"page": 0}}"#,
            "`list.page` is 0, which cannot be meant: 1 to 100000",
        ),
        (
            r#"{"safe_parallel": {"create": 0}}"#,
            "`safe_parallel.create` is 0",
        ),
        (
            r#"{"limits": [{"op": "list", "bucket": 5, "refill_per_s": 1}, {"bucket": 0}]}"#,
            "`limits[1].bucket` is 0, which cannot be meant: 1 to 1000000",
        ),
        (
            r#"{"limits": [{"bucket": 1, "refill_per_s": -2}]}"#,
            "`limits[0].refill_per_s` is -2, which cannot be meant: one a day",
        ),
        (
            r#"{"limits": [{"op": "list", "bucket": 1e308, "refill_per_s": 1}]}"#,
            "`limits[0].bucket` is 1e308, which cannot be meant",
        ),
        (
            r#"{"limits": [{"op": "list", "bucket": 1, "refill_per_s": 1e-300}]}"#,
            "`limits[0].refill_per_s` is 1e-300, which cannot be meant",
        ),
        (
            r#"{"errors": {"": "configuration"}}"#,
            "`errors` is given for an empty word, which cannot be meant: a word that",
        ),
        (
            r#"{"domain_of": "a\u0000b"}"#,
            "`domain_of` is \"a\\0b\", which cannot be meant",
        ),
        (
            r#"{"domain_of": ""}"#,
            "`domain_of` is \"\", which cannot be meant: a name, or left out",
        ),
        (
            r#"{"id": {"incarnation_field": " "}}"#,
            "`id.incarnation_field` is \" \", which cannot be meant",
        ),
        (
            r#"{"idempotency": {"scope": ""}}"#,
            "`idempotency.scope` is \"\"",
        ),
        (
            r#"{"limits": [{"op": "all", "bucket": 1, "refill_per_s": 1, "account": ""}]}"#,
            "`limits.account` is \"\"",
        ),
        (r#"{"states": {"": "gone"}}"#, "`states` is \"\""),
        (
            r#"{"tombstone_states": [""]}"#,
            "`tombstone_states` is \"\"",
        ),
    ] {
        let behaviour: Behaviour = serde_json::from_str(text).unwrap();
        let error = behaviour.check().unwrap_err().to_string();
        assert!(error.starts_with(said), "{error}");
    }
    let wrong = serde_json::from_str::<Behaviour>(r#"{"tombstone_s": "long"}"#).unwrap_err();
    assert!(wrong.to_string().contains("a number of seconds"), "{wrong}");
}

#[test]
fn an_override_wins_field_by_field() {
    let over = r#"{"create": {"give_up_s": 60}, "list": {"durable": false}, "limits": [{"bucket": 1, "refill_per_s": 1}], "states": {"odd": "broken"}}"#;
    let over: Behaviour = serde_json::from_str(over).unwrap();
    let both = cloud().overridden(&over);
    assert_eq!(both.create.give_up, Some(Seconds(60.0)));
    assert_eq!(both.create.running_p99, Some(Seconds(60.0)));
    assert_eq!(both.list.durable, Some(false));
    assert_eq!(both.limits.len(), 1);
    assert_eq!(both.meaning("running"), Some(Meaning::Up));
    assert_eq!(both.meaning("odd"), Some(Meaning::Broken));
    assert_eq!(both.idempotency.kind, IdempotencyKind::Token);
    assert_eq!(over.facts()["create.give_up_s"], "60");
    assert_eq!(over.facts()["states.odd"], "broken");
}

/// A plugin of a later release may limit what is not known here.
#[test]
fn a_limit_of_an_unknown_kind_of_call_limits_nothing() {
    let text = r#"{"limits": [{"op": "fly", "bucket": 1, "refill_per_s": 0.02}]}"#;
    let behaviour: Behaviour = serde_json::from_str(text).unwrap();
    behaviour.check().unwrap();
    for op in Operation::ALL {
        assert_eq!(behaviour.limits_of(*op).count(), 0, "{op}");
    }
    assert_eq!(behaviour.overridden(&Behaviour::default()), behaviour);
}
