//! What is known of a member's health over time.

use infrakit_spi::flavor::Health;

use crate::diagnosis::verdicts::Verdicts;
use crate::{HealthPolicy, Timestamp, Updating};

/// Verdicts that a suspect has to give beyond those that make it one, before it counts as sick.
///
/// They come quickly and cost seconds. They are what tells a sick member from an observer that
/// answers at random: of ten more answers that are wrong six times in ten, all say "unhealthy" six
/// times in a thousand, and meanwhile the members asked beside it contradict themselves, too.
pub(crate) const CONFIRMATION: u32 = 10;
/// The same for a suspect beside whom nobody can be asked. Where no other verdict can contradict the
/// observer, the suspect's own have to agree for longer: an observer that is wrong six times in ten,
/// and asks every ten seconds, says "unhealthy" thirty-three times in a row once in sixteen years, and
/// twenty-three times in a row ten times a year.
const CONFIRMATION_ALONE: u32 = 30;
/// Known verdicts over which changes are counted: some three minutes at the usual interval. Over twice
/// as many a member counted as flapping that was ill twice and got well again in between.
const FLAP_WINDOW: u32 = 16;
/// Changes among them from which on a member flaps. One change is an illness, two a recovery.
const FLAPS: u32 = 3;

/// Changes among the last thirty-two known verdicts from which on a suspect contradicts itself. An
/// illness, a recovery, a relapse and another recovery are four.
const WAVERS: u32 = 5;

/// Whether others can be asked beside a suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Witnesses {
    /// The suspect is the only member.
    None,
    /// There are others.
    Some,
}

/// Verdicts on one member, condensed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthRecord {
    last: Health,
    /// Equal verdicts in a row, the last one included.
    streak: u32,
    /// When the present row of equal verdicts began.
    since: Timestamp,
    /// When the last verdict came; zero before the first.
    checked: Timestamp,
    /// The last verdicts, the latest in the lowest bit; set where one said "unhealthy".
    failures: u64,
    /// The last verdicts that were not "unknown", the latest in the lowest bit; set where one
    /// differs from the one before.
    changes: u32,
    /// The last verdict that was not "unknown".
    known: Option<Health>,
    ever_healthy: bool,
    /// Whether a flavor ever said anything of it, be it that it does not know.
    told: bool,
    in_flight: bool,
    /// Whether the verdict that is awaited was asked for so long ago that it counts for nothing.
    moot: bool,
    /// Whether the last verdict is of a former life of the controller.
    recalled: bool,
    /// Whether that is so long ago that nobody can count on it.
    outlived: bool,
}

impl HealthRecord {
    /// Notes that a verdict was asked for.
    pub fn ask(&mut self) {
        (self.in_flight, self.moot) = (true, false);
    }

    /// Forgets the verdicts; one that is on its way is still waited for.
    pub(crate) fn void(&mut self) {
        *self = Self {
            in_flight: self.in_flight,
            moot: self.moot,
            ..Self::default()
        };
    }

    /// Notes that a verdict came that counts for nothing.
    pub fn dismiss(&mut self) {
        (self.in_flight, self.moot) = (false, false);
    }

    /// Notes that a verdict which is awaited counts for nothing: it is of long ago.
    pub(crate) fn give_up(&mut self) {
        self.moot = self.in_flight;
    }

    /// Returns whether a verdict that comes now counts for nothing.
    #[must_use]
    pub fn is_moot(&self) -> bool {
        self.moot
    }

    /// Notes that no verdict came: nothing is known now. Returns whether that differs from what was
    /// known before.
    pub fn note_silence(&mut self, now: Timestamp) -> bool {
        self.take(Health::Unknown, now)
    }

    /// Notes a verdict. Returns whether it differs from the one before.
    pub fn note(&mut self, verdict: Health, now: Timestamp) -> bool {
        self.told = true;
        self.take(verdict, now)
    }

    fn take(&mut self, verdict: Health, now: Timestamp) -> bool {
        let changed = self.last != verdict || self.checked == Timestamp::default();
        if changed {
            self.streak = 0;
            self.since = now;
        }
        self.last = verdict;
        self.streak = self.streak.saturating_add(1);
        self.checked = now;
        (self.in_flight, self.moot) = (false, false);
        (self.recalled, self.outlived) = (false, false);
        if verdict == Health::Healthy && !self.ever_healthy {
            // That it was not up before it was up is no sign of sickness.
            self.ever_healthy = true;
            self.failures = 0;
        }
        self.failures = self.failures << 1 | u64::from(verdict == Health::Unhealthy);
        if verdict != Health::Unknown {
            let differs = self.known.is_some_and(|known| known != verdict);
            self.changes = self.changes << 1 | u32::from(differs);
            self.known = Some(verdict);
        }
        changed
    }

    /// Returns the last verdict.
    #[must_use]
    pub fn last(&self) -> Health {
        self.last
    }

    /// Returns the last verdict that was not "unknown".
    #[must_use]
    pub fn last_known(&self) -> Option<Health> {
        self.known
    }

    /// Returns how many equal verdicts came in a row, the last one included.
    #[must_use]
    pub fn streak(&self) -> u32 {
        self.streak
    }

    /// Returns when the present row of equal verdicts began.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Returns whether a verdict was asked for and has not come.
    #[must_use]
    pub fn in_flight(&self) -> bool {
        self.in_flight
    }

    /// Returns when the last verdict of this life of the controller came; `None` before the first.
    #[must_use]
    pub fn asked(&self) -> Option<Timestamp> {
        self.checked().filter(|_| !self.recalled)
    }

    /// Returns when the last verdict came; `None` before the first.
    #[must_use]
    pub fn checked(&self) -> Option<Timestamp> {
        (self.checked != Timestamp::default()).then_some(self.checked)
    }

    /// Returns whether a flavor ever said anything of the member that still counts.
    pub(crate) fn is_told(&self) -> bool {
        self.told && !self.outlived
    }

    /// Returns whether the member does well, for all that is known.
    pub(crate) fn is_well(&self) -> bool {
        self.known == Some(Health::Healthy) && !self.outlived
    }

    /// Returns whether the member did well so long ago that nobody can count on it.
    pub(crate) fn was_well(&self) -> bool {
        self.known == Some(Health::Healthy) && self.outlived
    }

    /// Returns whether the verdicts are so old that nobody can count on them.
    pub(crate) fn is_outlived(&self) -> bool {
        self.outlived
    }

    /// Notes that the verdicts are so old that nobody can count on them.
    pub(crate) fn outlive(&mut self) {
        self.outlived = true;
    }

    /// Returns whether the member was ever found healthy.
    #[must_use]
    pub fn ever_healthy(&self) -> bool {
        self.ever_healthy
    }

    /// Returns whether verdicts keep changing: three times or more among the last sixteen.
    #[must_use]
    pub fn flaps(&self) -> bool {
        (self.changes & ((1 << FLAP_WINDOW) - 1)).count_ones() >= FLAPS
    }

    /// Returns whether a new member has proved itself: healthy `Count` times in a row, or for
    /// `Duration`, or once when neither is asked for. Time that merely went by since the last
    /// verdict proves nothing.
    #[must_use]
    pub fn proved(&self, updating: &Updating) -> bool {
        self.last == Health::Healthy
            && self.streak >= updating.count.max(1)
            && self.checked.since(self.since) >= updating.duration
    }

    /// Returns whether a verdict of sickness counts already: it came after the grace period, or the
    /// member was healthy before. What was found within the grace period is no news at its end.
    pub(crate) fn counts(&self, policy: &HealthPolicy, created: Timestamp, now: Timestamp) -> bool {
        let patient = policy.grace_ends(created);
        self.last == Health::Unhealthy
            && (self.ever_healthy || (now >= patient && self.checked >= patient))
    }

    /// Returns whether a member is suspected to be sick: unhealthy at least `Threshold` times among
    /// the last `Window` checks, the last one included. Unknown is not unhealthy.
    pub(crate) fn suspect(
        &self,
        policy: &HealthPolicy,
        created: Timestamp,
        now: Timestamp,
    ) -> bool {
        // What was found in a former life, or long ago, is no reason to act before it was asked once
        // more.
        let old = self.recalled || self.outlived;
        !old && self.counts(policy, created, now) && self.failed(policy, 0)
    }

    /// Returns whether a suspect is sick: it went on failing at the same rate when it was asked
    /// more often. Without witnesses that takes longer, and verdicts that changed several times are
    /// not believed at all.
    pub(crate) fn sick(
        &self,
        policy: &HealthPolicy,
        created: Timestamp,
        now: Timestamp,
        witnesses: Witnesses,
    ) -> bool {
        let changes = self.changes.count_ones();
        // Where the policy wants failures in a row, a member that contradicted itself all the time of
        // late is not believed before its last thirty-two verdicts agree better: an observer that is
        // wrong six times in ten gives thirteen in a row in an afternoon. A policy that looks at a
        // window has chosen to believe verdicts that change.
        let in_a_row = policy.window <= policy.threshold;
        let (more, believed) = match witnesses {
            Witnesses::Some => (CONFIRMATION, changes < WAVERS || !in_a_row),
            Witnesses::None => (CONFIRMATION_ALONE, changes < FLAPS),
        };
        believed && self.suspect(policy, created, now) && self.failed(policy, more)
    }

    /// Returns whether nothing but good verdicts is known of a member, and it has proved itself.
    pub(crate) fn is_plainly_well(&self, updating: &Updating) -> bool {
        self.failures == 0 && self.changes == 0 && self.proved(updating)
    }

    /// The health of a member that was plainly well when that was written down.
    pub(crate) fn well(updating: &Updating, written: Timestamp) -> Self {
        let duration = u64::try_from(updating.duration.as_nanos()).unwrap_or(u64::MAX);
        Self {
            last: Health::Healthy,
            streak: updating.count.max(1),
            since: Timestamp(written.0.saturating_sub(duration)),
            checked: written,
            known: Some(Health::Healthy),
            ever_healthy: true,
            told: true,
            recalled: true,
            ..Self::default()
        }
    }

    /// The health of a member that was not well when that was written down, of which no more is
    /// known.
    pub(crate) fn ill(written: Timestamp) -> Self {
        Self {
            last: Health::Unhealthy,
            streak: 1,
            since: written,
            checked: written,
            failures: 1,
            known: Some(Health::Unhealthy),
            ever_healthy: true,
            recalled: true,
            ..Self::default()
        }
    }

    /// Returns what is written down of it.
    pub(crate) fn verdicts(&self) -> Verdicts {
        Verdicts {
            last: self.last,
            streak: self.streak,
            since: self.since,
            checked: self.checked,
            failures: self.failures,
            changes: self.changes,
            known: self.known,
            ever_healthy: self.ever_healthy,
        }
    }

    /// The health that was written down.
    pub(crate) fn recall(written: &Verdicts) -> Self {
        Self {
            last: written.last,
            streak: written.streak,
            since: written.since,
            checked: written.checked,
            failures: written.failures,
            changes: written.changes,
            known: written.known,
            ever_healthy: written.ever_healthy,
            // What it was when that was written may be long past: it must not go for that.
            told: written.known == Some(Health::Healthy),
            in_flight: false,
            moot: false,
            recalled: true,
            outlived: false,
        }
    }

    /// Returns whether it failed as often as the policy allows, at the same rate over `more` verdicts
    /// than those that it looks at. A threshold alone means failures in a row, of any number.
    fn failed(&self, policy: &HealthPolicy, more: u32) -> bool {
        let threshold = policy.threshold.max(1);
        if policy.window <= threshold {
            return self.last == Health::Unhealthy && self.streak >= threshold.saturating_add(more);
        }
        let needed = threshold + more * threshold / policy.window;
        self.failed_of(policy.window + more) >= needed
    }

    fn failed_of(&self, window: u32) -> u32 {
        let mask = u64::MAX >> (64 - window.clamp(1, 64));
        (self.failures & mask).count_ones()
    }
}

#[cfg(test)]
mod tests;
