//! Small histories, to be explored exhaustively: two members or three, a handful of effects.

use std::time::Duration;

use infrakit_spi::GroupId;

use super::{Deed, Rest, Scenario};
use crate::controller::Operation;
use crate::world::{MINUTE, Park, Provider, SECOND, Traits, Truth};

/// Names of the small histories.
pub const SMALL: [&str; 12] = [
    "create", "grow", "shrink", "roll", "pets", "heal", "destroy", "free", "surge", "moved",
    "back", "named",
];

fn group() -> GroupId {
    "g".into()
}

/// A spec of the group on plugin `a`; `allocation` and `note` are what changes.
fn spec(allocation: &str, note: &str, more: &str) -> Operation {
    spec_on("a", allocation, note, more)
}

fn spec_on(plugin: &str, allocation: &str, note: &str, more: &str) -> Operation {
    let properties = format!(
        r#"{{"Instance":{{"Plugin":"{plugin}","Properties":{{"Note":"{note}"}}}},"Flavor":{{"Plugin":"f"}},"Allocation":{allocation}{more}}}"#
    );
    Operation::Commit { properties }
}

fn size(size: u64, note: &str) -> Operation {
    spec(&format!(r#"{{"Size":{size}}}"#), note, "")
}

fn pets(note: &str) -> Operation {
    spec(r#"{"LogicalIDs":["one","two"]}"#, note, "")
}

impl Scenario {
    /// Returns the small history of this name.
    ///
    /// # Panics
    /// There must be one.
    #[must_use]
    pub fn small(name: &str) -> Self {
        let quick = r#","Health":{"GracePeriod":"5s","Threshold":2,"Interval":"2s"}"#;
        let surge = r#","Updating":{"MaxSurge":1}"#;
        let two = spec(r#"{"Size":2}"#, "v1", quick);
        let ask = |after: u64, operation: &Operation| {
            (after * SECOND, Deed::Operate(group(), operation.clone()))
        };
        let (deeds, last) = match name {
            "create" => (vec![ask(1, &size(3, "v1"))], size(3, "v1")),
            "grow" => (
                vec![ask(1, &size(1, "v1")), ask(30, &Operation::SetSize(3))],
                size(3, "v1"),
            ),
            "shrink" => (
                vec![ask(1, &size(3, "v1")), ask(30, &Operation::SetSize(1))],
                size(1, "v1"),
            ),
            "roll" => (
                vec![ask(1, &size(2, "v1")), ask(30, &size(2, "v2"))],
                size(2, "v2"),
            ),
            "pets" => (vec![ask(1, &pets("v1")), ask(30, &pets("v2"))], pets("v2")),
            "heal" => (
                vec![ask(1, &two), (30 * SECOND, Deed::Turn(0, Truth::Sick))],
                two,
            ),
            "destroy" => (
                vec![ask(1, &size(2, "v1")), ask(30, &Operation::Destroy)],
                Operation::Destroy,
            ),
            "free" => (
                vec![
                    ask(1, &size(2, "v1")),
                    ask(30, &Operation::Free),
                    ask(40, &size(2, "v2")),
                ],
                size(2, "v2"),
            ),
            "surge" => {
                let surging = |note| spec(r#"{"Size":2}"#, note, surge);
                (
                    vec![ask(1, &surging("v1")), ask(30, &surging("v2"))],
                    surging("v2"),
                )
            }
            "moved" => {
                let there = spec_on("b", r#"{"Size":2}"#, "v1", "");
                (vec![ask(1, &size(2, "v1")), ask(30, &there)], there)
            }
            "back" => (
                vec![
                    ask(1, &size(2, "v1")),
                    ask(30, &size(2, "v2")),
                    ask(34, &Operation::Pause),
                    ask(50, &Operation::Rollback(None)),
                    ask(52, &Operation::Resume),
                ],
                size(2, "v1"),
            ),
            "named" => (
                vec![ask(1, &size(2, "v1")), ask(30, &pets("v1"))],
                pets("v1"),
            ),
            other => panic!("no small history `{other}`"),
        };
        Self {
            seed: 1,
            traits: Traits {
                poll_interval: Duration::from_secs(10),
                ..Traits::default()
            },
            park: park(),
            deeds,
            finals: vec![(group(), Deed::Operate(group(), last))],
            span: 3 * MINUTE,
            rest: Rest::default(),
            spared: Vec::new(),
            forced: Vec::new(),
        }
    }
}

fn park() -> Park {
    let mut park = Park::default();
    let mut provider = Provider::default();
    provider.creation = (SECOND, 2 * SECOND);
    provider.boot = (0, 2 * SECOND);
    park.add("a", provider.clone());
    park.add("b", provider);
    park
}
