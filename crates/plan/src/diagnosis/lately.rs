//! What members said that were asked of late: by that it is judged whether too many are ill.

use std::collections::BTreeSet;
use std::time::Duration;

use infrakit_spi::flavor::Health;

use crate::diagnosis::domains::{QUORUM, is_in};
use crate::draft::Draft;
use crate::ledger::budget::number;
use crate::{HealthPolicy, Share, Timestamp};

/// How far back "of late" goes at least. Ten a second are asked in a large group: six hundred are
/// enough to tell a share of 40 % to within some 4 % either way.
const LATELY: Duration = Duration::from_secs(60);
/// The same as intervals of the routine, so that in a small group everybody's last answer counts: of
/// one interval those would be missing whose answer came a moment later than the one before.
const INTERVALS: u32 = 2;

/// What those said that were asked of late.
///
/// Members known as unhealthy are asked again and again, and would soon be most of those that were
/// asked. So they count while their illness is news: what is looked for is how many of those whose
/// turn came have fallen ill.
#[derive(Debug)]
pub(crate) struct Lately {
    /// Members that do well.
    well: usize,
    /// Members that were found unhealthy and are so since.
    pub(crate) fallen_ill: usize,
}

/// Returns whether too few were asked since the controller started to judge anybody. From then on
/// others are asked whenever one is suspected.
pub(crate) fn is_unsure(draft: &Draft<'_>) -> bool {
    draft.index.asked() < draft.index.askable().min(QUORUM)
}

impl Lately {
    /// What members outside of these domains said.
    pub(crate) fn of(draft: &Draft<'_>, domains: &BTreeSet<String>) -> Self {
        let policy = &draft.spec.health;
        let interval = policy.interval.unwrap_or(draft.config.poll_interval);
        let window = LATELY.max(interval.saturating_mul(INTERVALS));
        let window = u64::try_from(window.as_nanos()).unwrap_or(u64::MAX);
        let since = Timestamp(draft.now.0.saturating_sub(window));
        let mut lately = Self {
            well: 0,
            fallen_ill: 0,
        };
        for (_, member) in draft.members(draft.index.asked_since(since)) {
            if is_in(draft, member, domains) {
                continue;
            }
            let health = &member.health;
            match health.last() {
                Health::Healthy => lately.well += 1,
                Health::Unhealthy => {
                    let news = health.since() >= since;
                    let counts = health.counts(policy, member.created, draft.now);
                    lately.fallen_ill += usize::from(news && counts);
                }
                Health::Unknown => {}
            }
        }
        lately
    }

    /// Returns how many of those asked may be ill.
    pub(crate) fn limit(&self, policy: &HealthPolicy) -> usize {
        number(policy.unhealthy_limit((self.well + self.fallen_ill) as u64))
    }

    /// Returns whether more of those asked have fallen ill than may. A number of members is meant of
    /// the whole group and says nothing of a sample.
    pub(crate) fn is_over(&self, policy: &HealthPolicy) -> bool {
        let share = policy.max_unhealthy.unwrap_or(HealthPolicy::MAX_UNHEALTHY);
        let told = match share {
            Share::Percent(_) => self.well + self.fallen_ill >= QUORUM,
            Share::Count(_) => false,
        };
        told && self.fallen_ill > self.limit(policy)
    }
}
