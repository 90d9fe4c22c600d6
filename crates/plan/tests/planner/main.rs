//! Tables of what the planner decides, through its public interface alone.

mod bench;
mod checks;
mod departures;
mod healing;
mod intents;
mod lists;
mod pets;
mod rolling;
mod scale;
mod words;
