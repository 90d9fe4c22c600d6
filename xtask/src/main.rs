//! Checks and fixes of this repository.

fn main() {}
