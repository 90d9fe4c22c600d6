//! Decides what a group needs next: pure functions over values.
