//! How long things take in the world of a preview: as long as they usually took in this group.

use std::time::Duration;

use infrakit_spi::GoDuration;

use crate::Measured;

/// Stands for a time that was never measured, to bring what happens into an order. No time is shown
/// that rests on it.
const SOME_TIME: Duration = Duration::from_secs(1);

/// How long things take in this world.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) measured: Measured,
}

impl Pace {
    pub(super) fn provision(&self) -> Duration {
        self.measured.provision.usual().unwrap_or(SOME_TIME)
    }

    pub(super) fn proof(&self) -> Duration {
        self.measured.proof.usual().unwrap_or_default()
    }

    pub(super) fn departure(&self) -> Duration {
        self.measured.departure.usual().unwrap_or_default()
    }

    /// Says what the times rest on.
    pub(super) fn basis(&self) -> String {
        let Measured {
            provision,
            proof,
            departure,
        } = self.measured;
        let Some(create) = provision.usual() else {
            return "no creation was measured in this group yet".to_owned();
        };
        let usual = |took: Option<Duration>, what: &str| match took {
            Some(took) => format!("{} until it {what}", GoDuration(rounded(took))),
            None => format!("no time until it {what}, which was not measured yet"),
        };
        format!(
            "{} to create a member (measured {} times), {}, {}",
            GoDuration(rounded(create)),
            provision.count,
            usual(proof.usual(), "is healthy"),
            usual(departure.usual(), "is gone when it goes"),
        )
    }
}

/// Rounds to what a person reads: milliseconds, or tenths of a second beyond one.
pub(super) fn rounded(duration: Duration) -> Duration {
    let step = if duration < Duration::from_secs(1) {
        1
    } else {
        100
    };
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(ms.div_ceil(step).saturating_mul(step))
}
