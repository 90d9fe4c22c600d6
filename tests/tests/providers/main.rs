//! The program on providers as they really are: slow, forgetful, throttling, free of speech.
//!
//! Each test has an outside plugin that knows the truth (`infrakit_tests::provider`), and asserts what
//! that says there was. What the controller says is asserted only where a person must be told.

mod again;
mod budget;
mod corrections;
mod freed;
mod gates;
mod identity;
mod lists;
mod nonsense;
mod overrides;
mod pages;
mod stored;
