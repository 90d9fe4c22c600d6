//! Prints what planning costs for a group of 10,000 members, or of as many as the argument says:
//! from scratch, and after one change.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use infrakit_plan::{Action, Config, Lag, Listed, Memory, Observed, Plan, Spec, Timestamp, plan};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Description;
use infrakit_spi::{Any, InstanceId, LogicalId, tags};

/// Times each figure is taken; the shortest counts, the others had company on the machine.
const ROUNDS: usize = 9;
const NOW: Timestamp = Timestamp(1_000_000_000_000);

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let count: usize = std::env::args()
        .nth(1)
        .map_or(Ok(10_000), |text| text.parse())?;
    let ids: Vec<String> = (0..count).map(|number| format!("pet-{number}")).collect();
    let size = format!(r#"{{"Size":{count}}}"#);
    let named = format!(r#"{{"LogicalIDs":{}}}"#, serde_json::to_string(&ids)?);
    for (kind, allocation) in [("cattle", size), ("pets", named)] {
        group(kind, count, &allocation)?;
    }
    Ok(())
}

fn group(kind: &str, count: usize, allocation: &str) -> Result<(), Failure> {
    let before = spec(allocation, "v1")?;
    let after = spec(allocation, "v2")?;
    let empty = observe(&[], &before);
    let (took, everything) = measure(&before, &empty);
    report(kind, "from scratch", took, &everything);
    let list = made_by(&everything);
    let mut seen = observe(&list, &before);
    let (took, first) = measure(&before, &seen);
    report(kind, "first look at all members", took, &first);
    for one in &list {
        if let Some(mut member) = seen.get_mut(&one.id) {
            member.health.note(Health::Healthy, NOW);
        }
    }
    let (took, settled) = measure(&before, &seen);
    report(kind, "converged", took, &settled);
    after_one_change(kind, &before, &seen, &list);
    let mut rolled = seen.clone();
    let sorted = watch();
    rolled.aim(&after, false);
    println!(
        "{kind:6} {:28} {:8.1} us",
        "sorting by another spec",
        micros(sorted.elapsed())
    );
    let (took, roll) = measure(&after, &rolled);
    report(kind, "a rollout begins", took, &roll);
    let half = half_way(&after, &list);
    let (took, middle) = measure(&after, &half);
    report(kind, "in the middle of a rollout", took, &middle);
    println!("{kind:6} {count} members");
    Ok(())
}

/// One member vanishes, or falls ill, or is deleted and replaced; the plan that follows is timed
/// together with taking in the change.
fn after_one_change(kind: &str, spec: &Arc<Spec>, seen: &Observed, list: &[Description]) {
    let victim = &list[list.len() / 2].id;
    let mut shortest = Duration::MAX;
    let (_, mut last) = measure(spec, seen);
    for _ in 0..ROUNDS {
        let (mut changed, memory) = (seen.clone(), memory());
        let begun = watch();
        if let Some(mut member) = changed.get_mut(victim) {
            member.health.note(Health::Unhealthy, NOW);
        }
        let planned = plan(spec, &changed, memory, NOW, &Config::default());
        shortest = shortest.min(begun.elapsed());
        last = planned;
    }
    report(kind, "after one bad verdict", shortest, &last);
    let without: Vec<Description> = list
        .iter()
        .filter(|one| one.id != *victim)
        .cloned()
        .collect();
    let mut gone = seen.clone();
    take_in(&mut gone, &without);
    let (took, replaced) = measure(spec, &gone);
    report(kind, "after one member vanished", took, &replaced);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark is there to read the clock"
)]
fn watch() -> Instant {
    Instant::now()
}

fn spec(allocation: &str, note: &str) -> Result<Arc<Spec>, Failure> {
    let text = format!(
        r#"{{"Instance":{{"Plugin":"file","Properties":{{"Note":"{note}"}}}},"Allocation":{allocation}}}"#
    );
    Ok(Arc::new(Spec::parse(Some(&Any::parse(&text)?))?))
}

fn memory() -> Memory {
    Memory {
        group: "web".into(),
        nonce: "k3f9".to_owned(),
        ..Memory::default()
    }
}

/// Returns the members as a list shows them, sorted by `spec` as the engine has them.
fn observe(list: &[Description], spec: &Arc<Spec>) -> Observed {
    let mut seen = Observed::default();
    seen.aim(spec, false);
    take_in(&mut seen, list);
    seen
}

fn take_in(seen: &mut Observed, list: &[Description]) {
    let circumstances = Listed {
        plugin: &"file".into(),
        started: NOW,
        now: NOW,
        lag: Lag::NONE,
    };
    let group = memory().group;
    seen.apply(&group, list.to_vec(), circumstances, "k3f9");
}

/// Returns what the creations of a plan make.
fn made_by(plan: &Plan) -> Vec<Description> {
    let provisions = plan.actions.iter().filter_map(|action| match action {
        Action::Provision(one) => Some(one),
        _ => None,
    });
    provisions
        .enumerate()
        .map(|(number, one)| Description {
            id: InstanceId::new(format!("instance-{number:06}")),
            logical_id: one
                .logical_id
                .as_ref()
                .map(|id| LogicalId::from(id.as_str())),
            tags: Some(one.tags.clone()),
            ..Description::default()
        })
        .collect()
}

/// Returns the members when half of them are of the new configuration, and the last new one has
/// yet to prove itself.
fn half_way(after: &Arc<Spec>, list: &[Description]) -> Observed {
    let mut list = list.to_vec();
    let half = list.len() / 2;
    for one in list.iter_mut().take(half) {
        let tags = one.tags.get_or_insert_default();
        tags.insert(tags::CONFIG_HASH.to_owned(), after.hash.to_string());
    }
    let mut seen = observe(&list, after);
    for one in list.iter().take(half.saturating_sub(1)) {
        if let Some(mut member) = seen.get_mut(&one.id) {
            member.health.note(Health::Healthy, NOW);
        }
    }
    seen
}

fn measure(spec: &Spec, seen: &Observed) -> (Duration, Plan) {
    let config = Config::default();
    let mut shortest = Duration::MAX;
    let mut last = plan(spec, seen, memory(), NOW, &config);
    for _ in 0..ROUNDS {
        let memory = memory();
        let begun = watch();
        let planned = black_box(plan(spec, seen, memory, NOW, &config));
        shortest = shortest.min(begun.elapsed());
        last = planned;
    }
    (shortest, last)
}

fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

fn report(kind: &str, what: &str, took: Duration, plan: &Plan) {
    let actions = plan.actions.len();
    println!(
        "{kind:6} {what:28} {:8.1} us, {actions} actions",
        micros(took)
    );
}
