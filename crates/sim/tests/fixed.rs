//! Histories that failed once: they are played for ever.

use infrakit_sim::scenario::{Extent, Scale, Scenario, ours};
use infrakit_sim::trace::Tells;

/// One a line: the world, the seed, and the promise that it broke when it was found. `cargo xtask
/// nightly` adds to it.
const SEEDS: &str = include_str!("seeds.txt");

fn draw(world: &str, seed: u64) -> Option<Scenario> {
    Some(match world {
        "small" => Scenario::draw(seed, Extent::Small),
        "days" => Scenario::draw(seed, Extent::Days),
        "real" => Scenario::draw_real(seed, Scale::Usual),
        "large" => Scenario::draw_real(seed, Scale::Large),
        "edge" => Scenario::draw_real(seed, Scale::Edge),
        _ => return None,
    })
}

#[test]
fn what_failed_once_fails_no_more() {
    let mut failed = Vec::new();
    for line in SEEDS.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.splitn(3, ' ');
        let world = words.next().unwrap_or_default();
        let seed = words.next().and_then(|word| word.parse().ok());
        let scenario = seed.and_then(|seed| draw(world, seed));
        let scenario = scenario.unwrap_or_else(|| panic!("not a seed of a world: `{line}`"));
        let outcome = scenario.run(ours(), Tells::Hash);
        if let Some(breach) = outcome.breaches.first() {
            failed.push(format!("{line}: {breach}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
