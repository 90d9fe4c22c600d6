//! Sentences of commits, and of plans that wait.

use infrakit_plan::{Cause, Change, PausedBy, Reason, Spec, WaitingOn, sentence};
use infrakit_spi::Any;

use crate::bench::*;

/// Returns the sentence for a change from `old` members of `v1` to `new` of configuration `note`.
fn say(old: u64, new: u64, note: &str, members: &[&str]) -> String {
    let mut bench = Bench::new(cattle(old));
    for (number, note) in members.iter().enumerate() {
        bench.add(shown(&number.to_string(), note));
    }
    let after = spec(&format!(r#"{{"Size":{new}}}"#), note, "");
    let change = Change {
        before: Some(&bench.spec),
        after: &after,
    };
    sentence(change, &bench.seen)
}

#[test]
fn the_originals_sentences() {
    let three = ["v1", "v1", "v1"];
    for (old, new, note, members, want) in [
        (3, 3, "v1", &three[..], "Noop"),
        (
            3,
            3,
            "v2",
            &three,
            "Performing a rolling update on 3 instances",
        ),
        (
            3,
            3,
            "v2",
            &["v1", "v2", "v2"],
            "Performing a rolling update on 1 instances",
        ),
        (
            3,
            1,
            "v1",
            &three,
            "Terminating 2 instances to reduce the group size to 1",
        ),
        (
            3,
            1,
            "v2",
            &["v2", "v1", "v1"],
            "Terminating 2 instances to reduce the group size to 1",
        ),
        (
            3,
            2,
            "v2",
            &three,
            "Terminating 1 instances to reduce the group size to 2, then performing a rolling update on 2 instances",
        ),
        (
            3,
            0,
            "v2",
            &three,
            "Terminating 3 instances to reduce the group size to 0",
        ),
        (
            3,
            5,
            "v1",
            &three,
            "Adding 2 instances to increase the group size to 5",
        ),
        (
            3,
            5,
            "v2",
            &three,
            "Performing a rolling update on 3 instances, then adding 2 instances to increase the group size to 5",
        ),
        (
            5,
            3,
            "v1",
            &["v1", "v1"],
            "Terminating 2 instances to reduce the group size to 3",
        ),
        (
            0,
            2,
            "v1",
            &[],
            "Adding 2 instances to increase the group size to 2",
        ),
    ] {
        assert_eq!(say(old, new, note, members), want);
    }
}

#[test]
fn the_first_commit_says_what_is_managed() {
    let bench = Bench::healthy(cattle(3), &["a"]);
    for (after, want) in [
        (cattle(3), "Managing 3 instances"),
        (pets(&["a", "b"]), "Managing 2 instances"),
        (cattle(0), "Managing 0 instances"),
    ] {
        let change = Change {
            before: None,
            after: &after,
        };
        assert_eq!(sentence(change, &bench.seen), want);
    }
}

#[test]
fn pets_are_noop_rolled_listed_and_unlisted() {
    let mut bench = Bench::named(pets(&["a", "b"]), &["a", "b"]);
    bench.add(shown("anonymous", "v0"));
    let v2 = spec(r#"{"LogicalIDs":["b","a"]}"#, "v2", "");
    for (after, want) in [
        (pets(&["b", "a"]), "Noop"),
        (v2, "Performing a rolling update on 2 instances"),
        (
            pets(&["a", "b", "c"]),
            "Adding 1 instances to increase the group size to 3",
        ),
        (
            pets(&["a"]),
            "Terminating 1 instances to reduce the group size to 1",
        ),
        (
            pets(&["a", "c"]),
            "Terminating 1 instances that are not listed any more, then adding 1 instances that are newly listed",
        ),
        (
            spec(r#"{"LogicalIDs":["a","c"]}"#, "v2", ""),
            "Terminating 1 instances that are not listed any more, then performing a rolling update on 1 instances, then adding 1 instances that are newly listed",
        ),
        (
            cattle(2),
            "Keeping 2 instances without regard to their logical IDs, then performing a rolling update on 1 instances",
        ),
    ] {
        let change = Change {
            before: Some(&bench.spec),
            after: &after,
        };
        assert_eq!(sentence(change, &bench.seen), want);
    }
}

#[test]
fn cattle_become_pets_and_move_to_other_plugins() {
    let bench = Bench::healthy(cattle(2), &["a", "b"]);
    let text = r#"{"Instance":{"Plugin":"other"},"Allocation":{"Size":2}}"#;
    let moved = Spec::parse(Some(&Any::parse(text).unwrap())).unwrap();
    for (after, want) in [
        (
            pets(&["x", "y", "z"]),
            "Giving logical IDs to 2 instances, then adding 1 instances to increase the group size to 3",
        ),
        (
            moved,
            "Performing a rolling update on 2 instances, which moves them from `file` to `other`",
        ),
    ] {
        let change = Change {
            before: Some(&bench.spec),
            after: &after,
        };
        assert_eq!(sentence(change, &bench.seen), want);
    }
}

#[test]
fn what_is_waited_for_is_said_in_words() {
    for (waiting, want) in [
        (
            WaitingOn::Observation,
            "waiting for a complete list of the instances",
        ),
        (WaitingOn::Creations { count: 2 }, "waiting for 2 creations"),
        (
            WaitingOn::Departures { count: 2 },
            "waiting for 2 destroyed members to go",
        ),
        (
            WaitingOn::Health {
                id: "a".into(),
                count: 2,
            },
            "waiting for the health of 2 new members, first `a`",
        ),
        (
            WaitingOn::Backoff {
                until: at(1),
                failures: 3,
            },
            "pausing after 3 failed creations in a row",
        ),
        (
            WaitingOn::Budget {
                available: 2,
                needed: 3,
            },
            "only 2 members are available, 3 are needed",
        ),
        (
            WaitingOn::Breaker {
                domain: None,
                unhealthy: 2,
                most: 1,
            },
            "2 members are unhealthy at once, 1 may be; nothing is destroyed",
        ),
        (
            WaitingOn::Breaker {
                domain: Some("b".to_owned()),
                unhealthy: 0,
                most: 1,
            },
            "too many members in `b` were unhealthy at once; nothing is destroyed for that before enough were asked again (now 0, 1 may be)",
        ),
        (
            WaitingOn::SelfMember { id: "a".into() },
            "`a` would have to go, but the controller runs on it",
        ),
    ] {
        assert_eq!(waiting.to_string(), want);
    }
}

#[test]
fn reasons_and_causes_are_said_in_words() {
    for (said, want) in [
        (
            Reason::Requested.to_string(),
            "its destruction was requested",
        ),
        (Reason::Unhealthy.to_string(), "it is unhealthy"),
        (
            Cause::Missing.to_string(),
            "the group has fewer members than its size",
        ),
        (
            Cause::Surge.to_string(),
            "the rollout creates new members before old ones go",
        ),
        (
            PausedBy::Rollback.to_string(),
            "a rollback that failed, too",
        ),
    ] {
        assert_eq!(said, want);
    }
}
