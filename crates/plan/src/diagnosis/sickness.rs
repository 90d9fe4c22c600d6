//! Who is sick, and whether that is believed.

use std::collections::BTreeSet;

use infrakit_spi::flavor::Health;

use crate::diagnosis::breaker::Breaker;
use crate::diagnosis::lately::Lately;
use crate::diagnosis::{domains, lately};
use crate::draft::Draft;
use crate::guards::Guard;
use crate::ledger::budget::number;
use crate::observation::{Key, Member};
use crate::reason::Reason;
use crate::waiting::WaitingOn;

/// Suspects that are asked quickly at once; the others go on at the usual pace. With nine beside them,
/// twice a second each, they are thirty-eight checks a second, of the hundred that may come out of turn.
pub(crate) const SUSPECTS: usize = 10;

/// Who is sick, and whether that is believed.
#[derive(Debug, Default)]
pub(crate) struct Illness<'a> {
    /// Sick members that may be touched, those of other configurations first.
    pub(crate) sick: Vec<(&'a Key, &'a Member)>,
    /// Members that are being asked again, the first few.
    pub(crate) suspects: Vec<&'a Key>,
    /// Sick members of the configuration in force.
    pub(crate) sick_new: usize,
    /// Unhealthy members of the configuration in force, those within their grace period left out.
    pub(crate) unhealthy_new: usize,
    /// How many members may be unhealthy.
    pub(crate) most: usize,
    /// Whether nobody is to be destroyed for its health.
    pub(crate) withheld: bool,
    /// Whether too few were asked of late to tell.
    pub(crate) unsure: bool,
    /// Whether the breaker is open.
    pub(crate) broken: bool,
}

/// Returns whether a member is sick.
pub(crate) fn is_sick(draft: &Draft<'_>, member: &Member) -> bool {
    if !Guard::Confirmation.stands() {
        return is_suspect(draft, member);
    }
    let witnesses = draft.index.witnesses();
    member
        .health
        .sick(&draft.spec.health, member.created, draft.now, witnesses)
}

/// Returns whether a member is suspected to be sick: enough to spare it what only serves those that
/// do well.
pub(crate) fn is_suspect(draft: &Draft<'_>, member: &Member) -> bool {
    member
        .health
        .suspect(&draft.spec.health, member.created, draft.now)
}

/// Finds out who is sick, and opens or closes the breaker.
///
/// Only what would lead to a destruction opens it: as long as nobody is even suspected, a burst of
/// single bad verdicts changes nothing.
pub(crate) fn diagnose<'a>(draft: &mut Draft<'a>) -> Illness<'a> {
    let policy = &draft.spec.health;
    let mut illness = Illness {
        most: number(policy.unhealthy_limit(draft.ledger.wanted as u64)),
        ..Illness::default()
    };
    let mut suspected = false;
    // Whether members of the configuration in force, and others, are given up that were never well.
    let mut given_up = [false, false];
    let mut outdated_first = Vec::new();
    for (key, member) in ill(draft) {
        let new = !draft.outdated(member);
        if !member.health.counts(policy, member.created, draft.now) {
            continue;
        }
        illness.unhealthy_new += usize::from(new);
        if !member.health.suspect(policy, member.created, draft.now) {
            continue;
        }
        suspected = true;
        given_up[usize::from(new)] |= !member.health.ever_healthy();
        if !is_sick(draft, member) {
            if illness.suspects.len() < SUSPECTS {
                illness.suspects.push(key);
            }
            continue;
        }
        illness.sick_new += usize::from(new);
        if draft.is_untouchable(member) {
            continue;
        }
        if new {
            illness.sick.push((key, member));
        } else {
            outdated_first.push((key, member));
        }
    }
    // Nothing but a rollout asks for it.
    if draft.memory.roll.is_some() {
        illness.unhealthy_new += surplus_ill(draft);
    }
    outdated_first.append(&mut illness.sick);
    illness.sick = outdated_first;
    let concerned = suspected || draft.memory.breaker.is_some();
    illness.unsure = concerned && lately::is_unsure(draft);
    let alone = suspected && is_alone(draft);
    let broken = domains::judge(draft, suspected, illness.unsure);
    if !broken.is_empty() {
        let inside = |member: &Member| domains::is_in(draft, member, &broken);
        illness.sick.retain(|(_, member)| !inside(member));
    }
    illness.broken = concerned && judge_breaker(draft, (suspected, given_up), &illness, &broken);
    let doubted = judge_observer(draft, suspected);
    illness.withheld = illness.broken || doubted || illness.unsure || alone;
    let asked_again = illness.suspects.first().copied();
    let sick = illness.sick.first().map(|(key, _)| *key);
    let first = if illness.unsure || alone {
        asked_again.or(sick)
    } else {
        asked_again
    };
    if !illness.broken
        && !doubted
        && let Some(first) = first
    {
        let id = first.id.clone();
        draft.wait(WaitingOn::Confirmation { id });
    }
    illness
}

/// Counts the new members that are ill and go since there are too many. Until they are gone they say as much
/// of the configuration as before: that they are asked to go must not let a rollout on in the next plan.
fn surplus_ill(draft: &Draft<'_>) -> usize {
    let ill = |member: &&Member| {
        let surplus = member
            .departure
            .is_some_and(|one| one.reason == Reason::Surplus);
        surplus && !draft.outdated(member) && member.health.last() == Health::Unhealthy
    };
    let leaving = draft.members(&draft.index.leaving);
    leaving.map(|(_, member)| member).filter(ill).count()
}

/// Returns whether one member alone is known by a verdict, while others come up of which one is to come.
/// Nothing tells that one from an observer that errs about everybody, and a member that is replaced is as
/// long in coming as those are. One that nobody knows of within its grace period is not waited for.
fn is_alone(draft: &Draft<'_>) -> bool {
    let policy = &draft.spec.health;
    let known = |member: &&Member| member.stays() && member.health.last_known().is_some();
    let mut known = draft.seen.members().filter(known);
    let mut staying = draft.seen.members().filter(|member| member.stays());
    known.nth(1).is_none()
        && staying.any(|member| {
            member.health.last_known().is_none() && draft.now < policy.grace_ends(member.created)
        })
}

/// Counts the new members that come up by their plugin's word, are within their grace period, and are not
/// lacking from lists.
fn coming_up(draft: &Draft<'_>) -> usize {
    let policy = &draft.spec.health;
    let coming_up = draft.members(&draft.index.coming_up);
    coming_up
        .filter(|(_, member)| !member.missed && draft.now < policy.grace_ends(member.created))
        .count()
}

/// Returns the members that the size is about and whose last verdict was bad.
fn ill<'a>(draft: &Draft<'a>) -> impl Iterator<Item = (&'a Key, &'a Member)> {
    let concerned = |member: &Member| draft.memory.naming || draft.spec.size.concerns(member);
    let members = draft.members(&draft.index.unhealthy);
    members.filter(move |(_, member)| concerned(member))
}

/// Counts the unhealthy members outside of domains whose own breaker is open.
///
/// Who is the first to be past its grace period is not judged before those that were made with it:
/// when none of them comes up, the fault is not with one. Nor is it when nobody at all does well.
fn unhealthy(draft: &Draft<'_>, given_up: [bool; 2], broken: &BTreeSet<String>) -> usize {
    let policy = &draft.spec.health;
    let nobody = draft.ledger.tally().serving == 0;
    let counts = |member: &Member| {
        let young = !member.health.counts(policy, member.created, draft.now);
        !young || nobody || given_up[usize::from(!draft.outdated(member))]
    };
    ill(draft)
        .filter(|(_, member)| counts(member))
        .filter(|(_, member)| !domains::is_in(draft, member, broken))
        .count()
}

/// Returns whether too many members are unhealthy at once: of all, or of those that were asked of
/// late. In a large group it takes long until all were asked, and what is found meanwhile is a
/// sample of what there is. The breaker closes when there were no more than may be for a whole poll
/// interval, and enough were asked to tell. Domains whose own breaker is open are one event each, of
/// which it knows already; but where they are most of the group, the fault is with whoever judges them
/// rather than with each, and the few outside say nothing against that.
fn judge_breaker(
    draft: &mut Draft<'_>,
    (suspected, given_up): (bool, [bool; 2]),
    illness: &Illness<'_>,
    broken: &BTreeSet<String>,
) -> bool {
    let policy = &draft.spec.health;
    let nowhere = BTreeSet::new();
    let inside = domains::members(draft, broken);
    // Those that are not there yet, that nobody can ask, or that lists lack say nothing for those that are.
    // Of those that are lacking some may have been asked to go by this very plan, and work no longer.
    let silent = draft.index.missed + coming_up(draft);
    let there = draft.ledger.tally().working.saturating_sub(silent);
    let judged = draft.ledger.wanted.min(there);
    let few = inside <= judged / 2;
    let (broken, inside) = if few { (broken, inside) } else { (&nowhere, 0) };
    let unhealthy = unhealthy(draft, given_up, broken);
    let outside = judged.saturating_sub(inside);
    let most = number(policy.unhealthy_limit(outside as u64));
    let lately = Lately::of(draft, broken);
    let sample = lately.is_over(policy).then_some(&lately);
    let over = unhealthy > most || sample.is_some();
    // A restart knows of nobody yet. That closes nothing.
    let stays = over || illness.unsure;
    let open = draft.next_breaker(draft.memory.breaker, (over && suspected, stays));
    draft.memory.breaker = open;
    if open.is_some() {
        let (unhealthy, most) = match sample {
            Some(lately) if unhealthy <= most => {
                (lately.fallen_ill, lately.limit(&draft.spec.health))
            }
            Some(_) | None => (unhealthy, most),
        };
        draft.wait(WaitingOn::Breaker {
            domain: None,
            unhealthy,
            most,
        });
    }
    open.is_some() && Guard::Breaker.stands()
}

/// Returns whether verdicts contradict themselves in so many members that the fault is rather with
/// whoever judges them. One flapping member of three is its own trouble; of many, a fifth flap where the
/// observer is wrong one time in twenty (three changes or more among sixteen verdicts).
fn judge_observer(draft: &mut Draft<'_>, suspected: bool) -> bool {
    let flapping = draft.index.flapping.len();
    let most = if draft.ledger.wanted < 3 {
        0
    } else {
        (draft.ledger.wanted / 5).max(1)
    };
    let doubted = suspected && flapping > most;
    if doubted {
        draft.wait(WaitingOn::Doubt { flapping });
    }
    doubted
}

impl Draft<'_> {
    /// Returns what becomes of a breaker that opens, or stays open, for these reasons.
    pub(crate) fn next_breaker(
        &mut self,
        former: Option<Breaker>,
        reasons: (bool, bool),
    ) -> Option<Breaker> {
        let later = self.config.poll_interval;
        let open = Breaker::next(former, reasons, (self.now, later));
        if let Some(open) = open.filter(|open| open.last < self.now) {
            self.wake(open.last + later);
        }
        open
    }
}
