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
//! 4. [`exhibit`](stage::exhibit) plays it a third time, with the naive policy without its habit,
//!    which must pass: then the habit alone is to blame. Where a fair small controller cannot do
//!    the thing at all, [`exhibit_beyond`](stage::exhibit_beyond) leaves that out.
//!
//! What depends on how long a provider takes is played once more in [`slow`], where creations take from
//! a second to minutes and lists lag by as much, and the kill comes at several moments of it.
//!
//! # Rows without an exhibit
//!
//! | Row | Why |
//! |---|---|
//! | A20 | A ticker that is not stopped leaks memory, and no behaviour: there are no tickers here. |
//! | hash outside of Go | Shown by the tests of `infrakit-spi`, against recorded hashes. |
//! | pool, resource, enrollment, ingress | Controllers of other kinds, which this one does not have. |
//! | pool record in the store | The manager's affair: how it waits for plugins that are not there. |
//! | etcd at start | A store of its own; shown by the tests of the stores. |
//! | selector with a backend down | A plugin's affair; a destruction without an answer is in every random run. |
//! | D7, D8 | Documentation, and how plugins are started. |
//! | D29 | Nothing is ever replaced to save money. |
//! | D36 to D39 in numbers | Speed and scale are measured, in `docs/performance.md`; who waits for whom is here. |

mod churn;
mod healing;
mod identities;
mod leaks;
mod naive;
mod people;
mod rollback;
mod rollout;
mod slow;
mod stage;
mod staleness;
