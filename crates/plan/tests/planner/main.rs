//! Tables of what the planner decides, through its public interface alone.

mod bench;
mod breaker;
mod checks;
mod conditions;
mod departures;
mod ends;
mod gates;
mod healing;
mod homes;
mod intents;
mod invariants;
mod limits;
mod lists;
mod own;
mod pets;
mod play;
mod proofs;
mod reasons;
mod renamed;
mod rolling;
mod rollouts;
mod scale;
mod stages;
mod surge;
mod words;
