//! Numbers that look random and come again from the same seed.

use std::time::Duration;

/// A generator: splitmix64 (Steele, Lea, Flood 2014), small and good enough to scatter moments.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, any of 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// The next number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// A time from `low` to `high` milliseconds, in steps of a microsecond.
    pub fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_micros(low * 1000 + self.below((high - low) * 1000 + 1))
    }
}

/// The seed of this run: `INFRAKIT_TEST_SEED`, or one drawn from the clock.
///
/// Whoever uses it prints it, so that a failure can be looked at again.
///
/// # Panics
/// When the variable is no number.
pub fn seed() -> u64 {
    match std::env::var("INFRAKIT_TEST_SEED") {
        Ok(text) => text.parse().expect("INFRAKIT_TEST_SEED is a number"),
        Err(_) => {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            let nanos = since.expect("the clock is past 1970").as_nanos();
            Random::new(nanos as u64).below(1_000_000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_within_bounds() {
        let (mut one, mut two) = (Random::new(7), Random::new(7));
        for _ in 0..100 {
            let time = one.millis(5, 9);
            assert_eq!(time, two.millis(5, 9));
            assert!((5..=9).contains(&time.as_millis()));
        }
    }
}
