//! Members as the budget counts them.

/// Numbers of members, kept up to date while a plan is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Members that the size is about and that are not on their way out.
    pub(crate) working: usize,
    /// Those of them that serve.
    pub(crate) serving: usize,
    /// Those of them that serve and owe no proof: outdated ones, and new ones that proved themselves.
    pub(crate) ready: usize,
    /// Working members of the configuration in force, those being made from it included.
    pub(crate) new: usize,
    /// Members on their way out, and still there.
    pub(crate) leaving: usize,
    /// Creations without an outcome.
    pub(crate) coming: usize,
}
