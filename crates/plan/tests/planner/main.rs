//! Tables of what the planner decides, through its public interface alone.

mod bench;
mod breaker;
mod checks;
mod departures;
mod healing;
mod homes;
mod intents;
mod invariants;
mod limits;
mod lists;
mod pets;
mod play;
mod rolling;
mod rollouts;
mod scale;
mod stages;
mod surge;
mod words;
