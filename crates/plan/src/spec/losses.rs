//! `Losses`: how many members may be missing at once before that is doubted, and for how long.

use std::time::Duration;

use infrakit_spi::Any;

use super::Share;
use crate::InvalidSpec;
use crate::fields::Fields;

/// When it is believed that members are gone which nobody asked to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossPolicy {
    /// So many of the group, or of a domain, are believed to be gone at once; two always are.
    pub at_once: Share,
    /// How much later a second list has to be asked for that confirms a first one; what the plugin
    /// declares when not given.
    pub confirm_after: Option<Duration>,
    /// After how long it is believed that nobody is there any more.
    pub silent_after: Duration,
    /// Whether the spec has such a part at all; one that has none is shown without.
    pub(super) given: bool,
}

/// A restarted plugin usually knows its instances again within a minute.
pub(super) const SILENT_AFTER: Duration = Duration::from_secs(60);

/// More than half of a group is rarely lost to anything but the sight of its observer: Kubernetes
/// doubts a zone from 55 % on, too.
pub(super) const AT_ONCE: Share = Share::Percent(50);

/// The longest that a loss may be doubted; a group that has really lost everybody waits for it.
const MOST: Duration = Duration::from_secs(86_400);

impl Default for LossPolicy {
    fn default() -> Self {
        Self {
            at_once: AT_ONCE,
            confirm_after: None,
            silent_after: SILENT_AFTER,
            given: false,
        }
    }
}

impl LossPolicy {
    /// Decodes the part.
    pub(super) fn decode(raw: Option<&Any>) -> Result<Self, InvalidSpec> {
        let fields = Fields::of(raw, "Losses", &["AtOnce", "ConfirmAfter", "SilentAfter"])?;
        let bounded = |name: &'static str| {
            let time = fields.duration(name)?;
            match time {
                Some(time) if time > MOST => Err(InvalidSpec::field(
                    format!("Losses.{name}"),
                    "expected at most \"24h\"",
                )),
                time => Ok(time),
            }
        };
        Ok(Self {
            at_once: fields.share("AtOnce")?.unwrap_or(AT_ONCE),
            confirm_after: bounded("ConfirmAfter")?,
            silent_after: bounded("SilentAfter")?.unwrap_or(SILENT_AFTER),
            given: raw.is_some(),
        })
    }
}
