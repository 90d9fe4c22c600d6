//! Whether the fields of a spec suit each other and its size. Only commits ask.
//!
//! Each refusal says where, why, and what would be right. What is merely unusual passes: a batch
//! larger than the budget, a window longer than its period, a surge that doubles the group.

#[cfg(test)]
mod bounds;
mod budget;
mod health;
mod rollout;
#[cfg(test)]
mod tests;

use super::{MAX_SIZE, Share, Spec};
use crate::InvalidSpec;

/// Checks a spec that was decoded.
pub(super) fn check(spec: &Spec) -> Result<(), InvalidSpec> {
    budget::check(spec)?;
    rollout::check(spec)?;
    health::check(spec)
}

fn refuse(path: &str, problem: impl Into<String>) -> Result<(), InvalidSpec> {
    Err(InvalidSpec::field(path, problem))
}

/// Refuses a share of nobody, where nobody would mean that nothing ever happens.
fn some(path: &str, share: Option<Share>, reason: &str) -> Result<(), InvalidSpec> {
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
fn within_bounds(path: &str, share: Share) -> Result<(), InvalidSpec> {
    match share {
        Share::Count(count) if count > MAX_SIZE => refuse(
            path,
            format!("expected at most {MAX_SIZE}, found `{count}`"),
        ),
        Share::Count(_) | Share::Percent(_) => Ok(()),
    }
}

fn members(count: u64) -> String {
    match count {
        1 => "1 member".to_owned(),
        count => format!("{count} members"),
    }
}
