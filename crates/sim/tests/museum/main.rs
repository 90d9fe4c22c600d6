//! The museum: what went wrong elsewhere, each as a scenario with a name.
//!
//! Each exhibit is played twice: with a deliberately naive policy that has the weakness it is
//! about, which must break a promise, and with ours, which must not.
//!
//! # How to write one
//!
//! ```text
//! #[test]
//! fn a06_a_slow_creation_is_not_a_failed_one() {
//!     exhibit(Habit::BlindRetry, |stage| {
//!         stage.plugin("a").creation = (20 * SECOND, 20 * SECOND);
//!         stage.commit("g", &cattle(3, "v1"));
//!         stage.settle();
//!     });
//! }
//! ```
//!
//! 1. Name it after the row that it stands for: `a06_…` for A6 of the list of weaknesses, `x03_…`
//!    for the third live experiment, `d19_…` for a row of what users still ask for.
//! 2. Play it on the [`Stage`](stage::Stage): plugins, specs, operations, deaths, forced faults
//!    ([`Stage::force`](stage::Stage::force)), time. The judge watches every step; what it cannot
//!    know of is said with [`Stage::demand`](stage::Stage::demand).
//! 3. Give the naive policy the weakness, as a [`Habit`](naive::Habit). Without habits it is a fair
//!    small controller, so that what it fails at is the habit's doing.

mod churn;
mod healing;
mod naive;
mod rollout;
mod stage;
