//! `Health`: when a member counts as sick, and what is done about it.

use std::time::Duration;

use infrakit_spi::Any;

use super::Share;
use crate::fields::Fields;
use crate::{InvalidSpec, Timestamp};

/// When a member counts as sick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    /// Time after creation during which an unhealthy member that was never healthy is let be.
    pub grace_period: Duration,
    /// Unhealthy verdicts among the last [`HealthPolicy::window`] after which a member is sick.
    pub threshold: u32,
    /// Time between two routine checks of a member; the poll interval when not given.
    pub interval: Option<Duration>,
    /// How many of the last verdicts are looked at. As many as the threshold means: in a row.
    pub window: u32,
    /// More unhealthy members than this, and none is destroyed for its health.
    pub max_unhealthy: Option<Share>,
    /// Steps that the instance plugin is asked for, in this order, before a member is replaced.
    pub repair: Vec<String>,
    /// How long a step has time to help.
    pub repair_wait: Duration,
    /// Whether the spec has such a part at all; one that has none is shown without.
    pub(super) given: bool,
}

/// How long a repair step has time to help when the spec does not say: a machine that is rebooted
/// is back and checked within five minutes nearly always.
pub(super) const REPAIR_WAIT: Duration = Duration::from_secs(300);

impl Default for HealthPolicy {
    /// Five minutes of grace, as EC2 Auto Scaling gives; three verdicts, as Kubernetes' probes need.
    fn default() -> Self {
        Self {
            grace_period: Duration::from_secs(300),
            threshold: 3,
            interval: None,
            window: 3,
            max_unhealthy: None,
            repair: Vec::new(),
            repair_wait: REPAIR_WAIT,
            given: false,
        }
    }
}

impl HealthPolicy {
    /// The breaker's limit when the spec does not say.
    pub const MAX_UNHEALTHY: Share = Share::Percent(40);

    /// Returns when the grace of a member ends that was created at that moment.
    #[must_use]
    pub fn grace_ends(&self, created: Timestamp) -> Timestamp {
        created + self.grace_period
    }

    /// Returns how many members may be unhealthy before none is destroyed for it; at least one, so
    /// that a single sick member is replaced in the smallest group too.
    #[must_use]
    pub fn unhealthy_limit(&self, size: u64) -> u64 {
        self.max_unhealthy
            .unwrap_or(Self::MAX_UNHEALTHY)
            .floor(size)
            .max(1)
    }

    /// Decodes the part.
    pub(super) fn decode(raw: Option<&Any>) -> Result<Self, InvalidSpec> {
        let fields = Fields::of(
            raw,
            "Health",
            &[
                "GracePeriod",
                "Threshold",
                "Interval",
                "Window",
                "MaxUnhealthy",
                "Repair",
                "RepairWait",
            ],
        )?;
        let default = Self::default();
        let threshold = fields
            .get("Threshold", "a whole number from 1")?
            .unwrap_or(default.threshold);
        if threshold == 0 {
            return Err(InvalidSpec::field(
                "Health.Threshold",
                "expected a whole number from 1, found `0`",
            ));
        }
        let interval = fields.duration("Interval")?;
        if interval.is_some_and(|interval| interval < Duration::from_millis(100)) {
            return Err(InvalidSpec::field(
                "Health.Interval",
                "expected at least \"100ms\"",
            ));
        }
        Ok(Self {
            grace_period: fields
                .duration("GracePeriod")?
                .unwrap_or(default.grace_period),
            threshold,
            interval,
            window: fields
                .get("Window", "a whole number from 1")?
                .unwrap_or(threshold),
            max_unhealthy: fields.share("MaxUnhealthy")?,
            repair: fields
                .get("Repair", "a list of strings")?
                .unwrap_or_default(),
            repair_wait: fields.duration("RepairWait")?.unwrap_or(REPAIR_WAIT),
            given: raw.is_some(),
        })
    }
}
