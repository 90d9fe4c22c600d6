//! Prints what planning costs for a group of 10,000 members, or of as many as the argument says.

use std::time::{Duration, Instant};

use infrakit_plan::{Action, Config, Listed, Memory, Observed, Plan, Spec, Timestamp, plan};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::{Description, Locality};
use infrakit_spi::{Any, InstanceId, tags};

/// Times each figure is taken; the shortest counts, the others had company on the machine.
const ROUNDS: usize = 9;
const NOW: Timestamp = Timestamp(1_000_000_000_000);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: usize = std::env::args()
        .nth(1)
        .map_or(Ok(10_000), |text| text.parse())?;
    let ids: Vec<String> = (0..count).map(|number| format!("pet-{number}")).collect();
    let size = format!(r#"{{"Size":{count}}}"#);
    let named = format!(r#"{{"LogicalIDs":{}}}"#, serde_json::to_string(&ids)?);
    for (kind, allocation) in [("cattle", size), ("pets", named)] {
        let before = spec(&allocation, "v1")?;
        let after = spec(&allocation, "v2")?;
        let empty = observe(&[]);
        let everything = measure(&before, &empty);
        report(kind, "from scratch", &everything);
        let list = made_by(&everything.1);
        let mut seen = observe(&list);
        report(kind, "new members, no verdicts", &measure(&before, &seen));
        for one in &list {
            if let Some(mut member) = seen.get_mut(&one.id) {
                member.health.note(Health::Healthy, NOW);
            }
        }
        report(kind, "converged", &measure(&before, &seen));
        report(kind, "roll begins", &measure(&after, &seen));
        let half = half_way(&after, &list);
        report(kind, "in the middle of a roll", &measure(&after, &half));
        report(
            kind,
            "to be halved",
            &measure(&spec(&halved(&ids, kind)?, "v1")?, &seen),
        );
    }
    Ok(())
}

fn halved(ids: &[String], kind: &str) -> serde_json::Result<String> {
    let half = ids.len() / 2;
    Ok(match kind {
        "cattle" => format!(r#"{{"Size":{half}}}"#),
        _ => format!(
            r#"{{"LogicalIDs":{}}}"#,
            serde_json::to_string(&ids[..half.max(1)])?
        ),
    })
}

fn spec(allocation: &str, note: &str) -> Result<Spec, Box<dyn std::error::Error>> {
    let text = format!(
        r#"{{"Instance":{{"Plugin":"file","Properties":{{"Note":"{note}"}}}},"Allocation":{allocation}}}"#
    );
    Ok(Spec::parse(Some(&Any::parse(&text)?))?)
}

fn memory() -> Memory {
    Memory {
        group: "g".into(),
        nonce: "k3f9".to_owned(),
        ..Memory::default()
    }
}

/// Returns the members as a list shows them.
fn observe(list: &[Description]) -> Observed {
    let mut seen = Observed::default();
    let circumstances = Listed {
        plugin: &"file".into(),
        started: NOW,
        now: NOW,
        locality: Locality::InProcess,
    };
    let group = memory().group;
    seen.apply(
        &group,
        list.to_vec(),
        circumstances,
        ("k3f9", &Config::default()),
    );
    seen
}

/// Returns what the creations of a plan make.
fn made_by(plan: &Plan) -> Vec<Description> {
    plan.actions
        .iter()
        .enumerate()
        .filter_map(|(number, action)| match action {
            Action::Provision(one) => Some(Description {
                id: InstanceId::new(format!("instance-{number:06}")),
                tags: Some(one.tags.clone()),
                ..Description::default()
            }),
            _ => None,
        })
        .collect()
}

/// Returns the members when half of them are of the new configuration, and the last new one has
/// yet to prove itself.
fn half_way(after: &Spec, list: &[Description]) -> Observed {
    let mut list = list.to_vec();
    let half = list.len() / 2;
    for one in list.iter_mut().take(half) {
        let tags = one.tags.get_or_insert_default();
        tags.insert(tags::CONFIG_HASH.to_owned(), after.hash.to_string());
    }
    let mut seen = observe(&list);
    for one in list.iter().take(half.saturating_sub(1)) {
        if let Some(mut member) = seen.get_mut(&one.id) {
            member.health.note(Health::Healthy, NOW);
        }
    }
    seen
}

#[expect(
    clippy::disallowed_methods,
    reason = "this measures; the planner itself sees no clock"
)]
fn measure(spec: &Spec, seen: &Observed) -> (Duration, Plan) {
    let config = Config::default();
    let once = || {
        let memory = memory();
        let start = Instant::now();
        let decided = plan(spec, seen, memory, NOW, &config);
        (start.elapsed(), decided)
    };
    let mut best = once();
    for _ in 1..ROUNDS {
        let next = once();
        if next.0 < best.0 {
            best = next;
        }
    }
    best
}

#[expect(clippy::print_stdout, reason = "an example that prints is the point")]
fn report(kind: &str, case: &str, (took, plan): &(Duration, Plan)) {
    println!(
        "{kind:7} {case:25} {took:>12.3?} {:>6} actions",
        plan.actions.len()
    );
}
