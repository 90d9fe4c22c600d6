//! What the loop hears.

use infrakit_plan::Timestamp;

use crate::core::Event;

/// A question to a loop, answered between two events.
pub(crate) type Question<S> = Box<dyn FnOnce(&mut S, Timestamp) + Send>;

/// What a loop hears; who only tells it events need not know which loop it is.
pub(crate) enum Input<S> {
    /// Something has happened.
    Event(Event),
    /// Somebody asks.
    Ask(Question<S>),
}
