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

use super::{MAX_SIZE, PluginPart, Share, Spec};
use crate::InvalidSpec;

/// Properties of a plugin may be as long as the longest document that the command line reads.
const MAX_PROPERTIES: usize = 8 << 20;

/// Checks a spec that was decoded.
pub(super) fn check(spec: &Spec) -> Result<(), InvalidSpec> {
    properties("Instance.Properties", &spec.instance)?;
    properties("Flavor.Properties", &spec.flavor)?;
    budget::check(spec)?;
    rollout::check(spec)?;
    health::check(spec)
}

/// Refuses what could be committed and never be made: a plugin takes a request, and a list an answer,
/// of 64 MiB, and a plugin may show the properties of each member.
fn properties(path: &str, part: &PluginPart) -> Result<(), InvalidSpec> {
    let length = part.properties.as_ref().map_or(0, |any| any.as_str().len());
    if length <= MAX_PROPERTIES {
        return Ok(());
    }
    refuse(
        path,
        format!("expected at most 8 MiB, found {length} bytes; let instances fetch what is large"),
    )
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
