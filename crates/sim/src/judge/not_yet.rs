//! What the core does not keep yet.
//!
//! Each row is a promise that random histories show to be broken, and why. Tests do not fail for it
//! as long as it stands here; whoever runs the simulator by hand sees it all the same. The list only
//! ever gets shorter: a test that is not run yet asserts that it is empty.

/// Where a promise is not kept yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// In each world.
    Everywhere,
    /// Only in the world of real providers.
    Real,
}

/// Promises that are broken, by name, with what breaks them.
pub const NOT_YET: &[(&str, Where, &str)] = &[
    (
        "budget",
        Where::Everywhere,
        "one history in 3,000 of the real world, not looked into yet; and the plain controller of the \
         museum has no regard for it on the way back",
    ),
    (
        "size and surge",
        Where::Everywhere,
        "not looked into yet: four histories in 3,000 of the real world, one in 4,000 of the small one",
    ),
    (
        "stays silent",
        Where::Real,
        "what comes too late for a group that was destroyed goes later than the judge waits: one history \
         in 3,000",
    ),
];

/// Returns whether a promise is known to be broken, in the world of real providers or in another.
#[must_use]
pub fn is_not_kept_yet(promise: &str, real: bool) -> bool {
    let mut rows = NOT_YET.iter();
    rows.any(|(name, at, _)| *name == promise && (real || *at == Where::Everywhere))
}
