//! What a commit would lead to: the real planner, played forward in a world where all goes well.
//!
//! Every creation succeeds and every destruction is done after the time that such things usually
//! took in this group, and each new member proves itself. What the world does not know, it says in
//! a note: who approves, whether a repair helps, what else happens meanwhile.

mod course;
mod event;
mod fingerprint;
mod input;
mod model;
mod pace;
mod say;
#[cfg(test)]
mod tests;
mod wave;
mod wire;

use std::time::Duration;

pub use input::PreviewInput;
pub use wave::{Coming, Going, Wave};

/// What a commit would lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Members that go and come, in the order in which they do.
    pub waves: Vec<Wave>,
    /// Whether the times mean anything: somebody knows how long a creation takes here.
    pub timed: bool,
    /// Time until nothing is left to do; `None` when nobody knows how long a creation takes here,
    /// or when it would come to a halt.
    pub duration: Option<Duration>,
    /// What the times rest on, in words; empty when nothing goes or comes.
    pub basis: String,
    /// What else there is to know, in sentences.
    pub notes: Vec<String>,
    /// Names what was shown: another spec in force, another spec proposed, or another set of members
    /// that go have another one. Times have no part in it.
    pub fingerprint: String,
}

/// Says what a commit would lead to.
///
/// It asks [`plan`](crate::plan()) again and again, at the moments at which a controller would, and
/// gives up after so many plans that it would take longer than a second: of a huge group that is
/// rolled member by member the first waves are shown, and a note says how many members follow.
#[must_use]
pub fn preview(input: PreviewInput<'_>) -> Preview {
    let end = model::play(&input);
    let fingerprint = fingerprint::of(&input, &end);
    let timed = end.known();
    let duration = (timed && end.arrived).then_some(end.took);
    let basis = if end.waves.is_empty() {
        String::new()
    } else {
        end.pace.basis()
    };
    Preview {
        waves: end.waves,
        timed,
        duration,
        basis,
        notes: end.notes,
        fingerprint,
    }
}
