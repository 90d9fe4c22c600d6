//! What instances may ask of the simulator: a limit on their number, a delay of their creation.

use std::time::Duration;

use infrakit_spi::{Any, Error, GoDuration, Result};
use serde_json::Value;

/// What an instance asks of the simulator in its own properties.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    pub(crate) cap: Option<u64>,
    pub(crate) delay: Duration,
}

impl Wishes {
    /// Reads the wishes from the properties of a spec.
    pub(crate) fn read(properties: Option<&Any>) -> Result<Self> {
        let mut wishes = Self::default();
        // Most properties have no such wish, and need not be decoded to know it.
        let Some(properties) = properties.filter(|any| any.as_str().contains("simulator_")) else {
            return Ok(wishes);
        };
        let fail = |field: &str, value: &Value, want: &str| {
            Error::refused(format!("{field} is {value}, not {want}"))
        };
        let properties = properties
            .to_value()
            .map_err(|error| Error::refused(format!("cannot read the properties: {error}")))?;
        if let Some(cap) = properties.get("simulator_cap") {
            let number = cap.as_u64().or_else(|| whole(cap.as_f64()?));
            wishes.cap =
                Some(number.ok_or_else(|| fail("simulator_cap", cap, "a number of instances"))?);
        }
        if let Some(delay) = properties.get("simulator_delay") {
            let want = "a duration like \"30s\"";
            let text = delay
                .as_str()
                .ok_or_else(|| fail("simulator_delay", delay, want))?;
            let delay: GoDuration = text
                .parse()
                .map_err(|error| Error::refused(format!("simulator_delay: {error}")))?;
            wishes.delay = delay.0;
        }
        Ok(wishes)
    }
}

/// Returns a whole number written as a float, such as `5.0`.
fn whole(number: f64) -> Option<u64> {
    let exact = (0.0..9e15).contains(&number) && number.fract() == 0.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, not negative and far below the limit, as just checked"
    )]
    exact.then_some(number as u64)
}
