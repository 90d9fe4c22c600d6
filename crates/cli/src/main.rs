//! The `infrakit` program.

fn main() {}
