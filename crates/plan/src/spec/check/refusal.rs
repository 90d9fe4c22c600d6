//! How fields are refused, and bounds that are the same for all of them.

use crate::InvalidSpec;
use crate::spec::{MAX_SIZE, Share};

pub(super) fn refuse(path: &str, problem: impl Into<String>) -> Result<(), InvalidSpec> {
    Err(InvalidSpec::field(path, problem))
}

/// Refuses a share of nobody, where nobody would mean that nothing ever happens.
pub(super) fn some(path: &str, share: Option<Share>, reason: &str) -> Result<(), InvalidSpec> {
    match share {
        Some(share @ (Share::Count(0) | Share::Percent(0))) => refuse(
            path,
            format!("`{share}` {reason}; expected a count like 1 or a percentage like \"10%\""),
        ),
        Some(share) => within_bounds(path, share),
        None => Ok(()),
    }
}

/// Refuses counts that no group can have.
pub(super) fn within_bounds(path: &str, share: Share) -> Result<(), InvalidSpec> {
    match share {
        Share::Count(count) if count > MAX_SIZE => refuse(
            path,
            format!("expected at most {MAX_SIZE}, found `{count}`"),
        ),
        Share::Count(_) | Share::Percent(_) => Ok(()),
    }
}

pub(super) fn members(count: u64) -> String {
    match count {
        1 => "1 member".to_owned(),
        count => format!("{count} members"),
    }
}
