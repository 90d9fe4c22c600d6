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
        "strangers are left alone",
        Where::Real,
        "a creation is answered with the id of an instance that somebody made by hand and that no list \
         has shown",
    ),
    (
        "budget",
        Where::Everywhere,
        "a plugin that shows nobody for minutes has its groups made again and again",
    ),
    (
        "what is stopped stands",
        Where::Everywhere,
        "a destruction whose answer was lost is asked for again after the rollout was given up",
    ),
    (
        "nobody goes on false witness",
        Where::Everywhere,
        "when everybody is said to be unhealthy, whoever is past its grace period is judged alone; \
         three false verdicts in four are believed sooner or later",
    ),
    (
        "the sick go first",
        Where::Everywhere,
        "a restart forgets who was sick",
    ),
    ("size and surge", Where::Real, "the same"),
    (
        "identities are unique",
        Where::Real,
        "the same, of named members",
    ),
    (
        "healthy members stay",
        Where::Everywhere,
        "a member whose end was decided or accepted counts again after a restart, and a healthy one \
         is surplus",
    ),
    (
        "no storms",
        Where::Real,
        "calls that are refused because there are too many are made again at full speed",
    ),
    (
        "limits hold",
        Where::Real,
        "a restart hands out a fresh minute",
    ),
    (
        "arrives alone",
        Where::Real,
        "failures whose words sound as if the configuration were wrong stop creations for good",
    ),
    (
        "arrives again",
        Where::Real,
        "what lists show late is made again, and stays",
    ),
    (
        "arrives",
        Where::Real,
        "a label that is acknowledged and never shows is waited for without end",
    ),
    (
        "stays silent",
        Where::Real,
        "what lists show late is made again, and goes again",
    ),
    (
        "takes what is asked",
        Where::Real,
        "a group whose dead are listed for an hour takes no commit",
    ),
];

/// Returns whether a promise is known to be broken, in the world of real providers or in another.
#[must_use]
pub fn is_not_kept_yet(promise: &str, real: bool) -> bool {
    let mut rows = NOT_YET.iter();
    rows.any(|(name, at, _)| *name == promise && (real || *at == Where::Everywhere))
}
