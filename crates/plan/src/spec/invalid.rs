//! Why properties are refused. It knows no field.

/// Why properties were refused. The texts of the first three are those of the original.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpec {
    /// Neither a size nor logical ids.
    #[error("Allocation must not be blank")]
    NoAllocation,
    /// Both a size and logical ids.
    #[error("Only one Allocation method may be used")]
    TwoAllocations,
    /// Both a count and a duration.
    #[error("Only one Updating method may be used")]
    TwoUpdatings,
    /// Anything else: where, and what is wrong.
    #[error("Invalid properties: {path}: {problem}")]
    Field {
        /// Path of the field.
        path: String,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
}

impl InvalidSpec {
    pub(crate) fn field(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field {
            path: path.into(),
            problem: problem.into(),
        }
    }
}
