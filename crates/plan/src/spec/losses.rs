//! `Losses`: how many members may be missing at once before that is doubted, and for how long.

use std::time::Duration;

use infrakit_spi::Any;

use super::Share;
use crate::InvalidSpec;
use crate::fields::Fields;

/// When it is believed that members are gone which nobody asked to go. What is left open a plugin's
/// operator may have said for all groups on it; else the defaults hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LossPolicy {
    /// So many of the group, or of a domain, are believed to be gone at once; two always are.
    pub at_once: Option<Share>,
    /// How much later a second list has to be asked for that confirms a first one; what the plugin
    /// declares when nobody said it.
    pub confirm_after: Option<Duration>,
    /// After how long it is believed that nobody is there any more.
    pub silent_after: Option<Duration>,
}

/// A restarted plugin usually knows its instances again within a minute.
const SILENT_AFTER: Duration = Duration::from_secs(60);

/// More than half of a group is rarely lost to anything but the sight of its observer: Kubernetes
/// doubts a zone from 55 % on, too.
const AT_ONCE: Share = Share::Percent(50);

/// The longest that a loss may be doubted; a group that has really lost everybody waits for it.
const MOST: Duration = Duration::from_secs(86_400);

impl LossPolicy {
    /// Returns how many are believed to be gone at once.
    #[must_use]
    pub fn at_once(&self) -> Share {
        self.at_once.unwrap_or(AT_ONCE)
    }

    /// Returns after how long it is believed that nobody is there any more.
    #[must_use]
    pub fn silent_after(&self) -> Duration {
        self.silent_after.unwrap_or(SILENT_AFTER)
    }

    /// Returns what holds where `under` says what is left open here.
    #[must_use]
    pub fn or(self, under: Self) -> Self {
        Self {
            at_once: self.at_once.or(under.at_once),
            confirm_after: self.confirm_after.or(under.confirm_after),
            silent_after: self.silent_after.or(under.silent_after),
        }
    }

    /// Decodes the part of a spec; nothing is said where there is none.
    ///
    /// # Errors
    /// Names the field that is unknown, has another form, or is out of bounds.
    pub fn decode(raw: Option<&Any>) -> Result<Self, InvalidSpec> {
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
            at_once: fields.share("AtOnce")?,
            confirm_after: bounded("ConfirmAfter")?,
            silent_after: bounded("SilentAfter")?,
        })
    }
}
