//! Whether the fields of a spec suit each other and its size. Only commits ask.
//!
//! Each refusal says where, why, and what would be right. What is merely unusual passes: a batch
//! larger than the budget, a window longer than its period, a surge that doubles the group.

#[cfg(test)]
mod bounds;
mod budget;
mod health;
mod refusal;
mod rollout;
#[cfg(test)]
mod tests;

use infrakit_spi::Any;

use self::refusal::refuse;
use super::{PluginPart, Spec};
use crate::InvalidSpec;

/// Properties of a plugin may be as long as the longest document that the command line reads.
const MAX_PROPERTIES: usize = 8 << 20;

impl Spec {
    /// Decodes and checks the properties of a group, for a commit.
    ///
    /// ```
    /// use infrakit_plan::{Size, Spec};
    /// use infrakit_spi::Any;
    ///
    /// let text = r#"{"Instance": {"Plugin": "file"}, "Allocation": {"Size": 3}}"#;
    /// let spec = Spec::parse(Some(&Any::parse(text)?))?;
    /// assert_eq!(spec.size, Size::Cattle(3));
    ///
    /// let slip = Any::parse(r#"{"Alocation": {"Size": 3}}"#)?;
    /// assert_eq!(
    ///     Spec::parse(Some(&slip)).unwrap_err().to_string(),
    ///     "Invalid properties: Alocation: unknown field; did you mean `Allocation`?"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns the first fault, with its path and what would be right.
    pub fn parse(properties: Option<&Any>) -> Result<Self, InvalidSpec> {
        let spec = Self::decode(properties)?;
        check(&spec)?;
        Ok(spec)
    }
}

/// Checks a spec that was decoded.
fn check(spec: &Spec) -> Result<(), InvalidSpec> {
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
