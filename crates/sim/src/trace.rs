//! What happened: a hash over every line of it, and the lines themselves where somebody reads them.

use std::fmt::{self, Write as _};

/// When the simulated world begins: a Monday morning, 2026-11-23 06:00 UTC, in nanoseconds.
pub const DAWN: u64 = 1_795_413_600_000_000_000;

/// The course of a run.
#[derive(Clone, Debug)]
pub struct Trace {
    hash: u64,
    lines: u64,
    story: Option<Vec<Line>>,
}

/// A line of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whether it says what happens all the time.
    pub weight: Weight,
    /// What it says, with the time in front.
    pub text: String,
}

/// How much a line matters to whoever reads a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It says something that happens all the time.
    Routine,
    /// It says something else.
    News,
}

/// FNV-1a, 64 bits: the same on every machine, and quick enough to take in every line.
struct Fnv(u64);

impl fmt::Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = text.bytes().fold(self.0, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Ok(())
    }
}

impl Trace {
    /// Creates an empty trace; one that tells keeps its lines.
    #[must_use]
    pub fn new(tells: Tells) -> Self {
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            lines: 0,
            story: (tells == Tells::Story).then(Vec::new),
        }
    }

    /// Notes something that does not happen all the time.
    pub fn note(&mut self, at: u64, line: fmt::Arguments<'_>) {
        self.add(at, Weight::News, line);
    }

    /// Notes something that happens all the time.
    pub fn murmur(&mut self, at: u64, line: fmt::Arguments<'_>) {
        self.add(at, Weight::Routine, line);
    }

    fn add(&mut self, at: u64, weight: Weight, line: fmt::Arguments<'_>) {
        let mut hash = Fnv(self.hash);
        // A hash takes any text.
        let _ = writeln!(hash, "{at} {line}");
        self.hash = hash.0;
        self.lines += 1;
        if let Some(story) = &mut self.story {
            let text = format!("{} {line}", Clock(at));
            story.push(Line { weight, text });
        }
    }

    /// Returns the hash over all lines so far.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Returns how many lines there are.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Returns the lines; none when they are not kept.
    #[must_use]
    pub fn story(&self) -> &[Line] {
        self.story.as_deref().unwrap_or_default()
    }
}

/// Most lines of a story that are told; what matters comes at its end.
const TOLD: usize = 150;

/// Returns the last lines that say more than routine, as one text.
#[must_use]
pub fn news(story: &[Line]) -> String {
    let news = story.iter().filter(|line| line.weight == Weight::News);
    let lines: Vec<&str> = news.map(|line| line.text.as_str()).collect();
    let left_out = lines.len().saturating_sub(TOLD);
    let told = lines[left_out..].join("\n");
    if left_out == 0 {
        return told;
    }
    format!("… {left_out} lines before\n{told}")
}

/// Whether a trace keeps its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// It keeps its hash only.
    Hash,
    /// It keeps every line.
    Story,
}

/// A moment of the simulated world, as time since it began.
pub struct Clock(pub u64);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.saturating_sub(DAWN) / 1_000_000;
        let (seconds, rest) = (millis / 1000, millis % 1000);
        let (days, seconds) = (seconds / 86_400, seconds % 86_400);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let seconds = seconds % 60;
        write!(f, "{days}d {hours:02}:{minutes:02}:{seconds:02}.{rest:03}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_lines() {
        let (mut one, mut two) = (Trace::new(Tells::Hash), Trace::new(Tells::Story));
        for trace in [&mut one, &mut two] {
            trace.note(DAWN + 61_500_000_000, format_args!("`{}` dies", "m-1"));
        }
        assert_eq!(one.hash(), two.hash());
        assert_eq!(news(two.story()), "0d 00:01:01.500 `m-1` dies");
        two.note(DAWN, format_args!("more"));
        assert_ne!(one.hash(), two.hash());
    }
}
