//! Random histories, by seed.

use infrakit_sim::scenario::{Extent, Scale, Scenario, ours};
use infrakit_sim::trace::Tells;

/// Plays these seeds. The first that breaks a promise is named, with the command that tells it.
fn play(seeds: std::ops::Range<u64>, world: &str, draw: impl Fn(u64) -> Scenario) {
    let mut failed = Vec::new();
    for seed in seeds {
        let outcome = draw(seed).run(ours(), Tells::Hash);
        if let Some(breach) = outcome.breaches.into_iter().next() {
            failed.push((seed, breach));
        }
    }
    let Some((seed, breach)) = failed.first() else {
        return;
    };
    panic!(
        "{} seeds fail, the first of them {seed}: {breach}\n\
         tell it with: cargo run -p infrakit-sim --release -- --seed {seed} --world {world}",
        failed.len(),
    );
}

macro_rules! days {
    ($($name:ident: $from:literal),* $(,)?) => {
        $(#[test]
        fn $name() {
            play($from..$from + 125, "days", |seed| Scenario::draw(seed, Extent::Days));
        })*
    };
}

// 750 histories of five days on quick plugins. They are cut into pieces so that all cores are busy.
days! {
    days_0000: 0, days_0125: 125, days_0250: 250,
    days_0375: 375, days_0500: 500, days_0625: 625,
}

macro_rules! real {
    ($($name:ident: $from:literal),* $(,)?) => {
        $(#[test]
        fn $name() {
            play($from..$from + 375, "real", |seed| Scenario::draw_real(seed, Scale::Usual));
        })*
    };
}

// 1,500 histories in the world of real providers.
real! { real_0000: 0, real_0375: 375, real_0750: 750, real_1125: 1125 }

// 500 at the edge of what providers and people may do.
#[test]
fn edge() {
    play(0..500, "edge", |seed| {
        Scenario::draw_real(seed, Scale::Edge)
    });
}

#[test]
fn hours() {
    play(0..1000, "small", |seed| Scenario::draw(seed, Extent::Small));
}

#[test]
fn the_same_seed_gives_the_same_course() {
    for seed in 0..40 {
        let run = |tells| {
            let outcome = Scenario::draw(seed, Extent::Days).run(ours(), tells);
            (outcome.hash, outcome.counts, outcome.struck)
        };
        assert_eq!(run(Tells::Hash), run(Tells::Story), "seed {seed}");
        let real = |tells| {
            let outcome = Scenario::draw_real(seed, Scale::Usual).run(ours(), tells);
            (outcome.hash, outcome.counts, outcome.struck)
        };
        assert_eq!(real(Tells::Hash), real(Tells::Story), "seed {seed}");
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
