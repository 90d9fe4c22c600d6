//! Random histories, by seed.

use infrakit_sim::scenario::{Extent, Scenario, ours};
use infrakit_sim::trace::Tells;

/// Plays these seeds. The first that breaks a promise is named, with the command that tells it.
fn play(seeds: std::ops::Range<u64>, extent: Extent) {
    let mut failed = Vec::new();
    for seed in seeds {
        let outcome = Scenario::draw(seed, extent).run(ours(), Tells::Hash);
        if let Some(breach) = outcome.breaches.into_iter().next() {
            failed.push((seed, breach));
        }
    }
    let Some((seed, breach)) = failed.first() else {
        return;
    };
    panic!(
        "{} seeds fail, the first of them {seed}: {breach}\n\
         tell it with: cargo run -p infrakit-sim --release -- --seed {seed} --extent {}",
        failed.len(),
        format!("{extent:?}").to_lowercase(),
    );
}

macro_rules! days {
    ($($name:ident: $from:literal),* $(,)?) => {
        $(#[test]
        fn $name() {
            play($from..$from + 125, Extent::Days);
        })*
    };
}

// 2,000 histories of five days. They are cut into pieces so that all cores are busy.
days! {
    days_0000: 0, days_0125: 125, days_0250: 250, days_0375: 375,
    days_0500: 500, days_0625: 625, days_0750: 750, days_0875: 875,
    days_1000: 1000, days_1125: 1125, days_1250: 1250, days_1375: 1375,
    days_1500: 1500, days_1625: 1625, days_1750: 1750, days_1875: 1875,
}

#[test]
fn hours() {
    play(0..1000, Extent::Small);
}

#[test]
fn the_same_seed_gives_the_same_course() {
    for seed in 0..40 {
        let run = |tells| {
            let outcome = Scenario::draw(seed, Extent::Days).run(ours(), tells);
            (outcome.hash, outcome.counts, outcome.struck)
        };
        assert_eq!(run(Tells::Hash), run(Tells::Story), "seed {seed}");
    }
}

#[test]
fn another_seed_gives_another_course() {
    let hash = |seed| {
        Scenario::draw(seed, Extent::Small)
            .run(ours(), Tells::Hash)
            .hash
    };
    assert_ne!(hash(1), hash(2));
}
