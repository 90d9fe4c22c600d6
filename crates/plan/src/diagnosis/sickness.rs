//! Who is sick, and whether that is believed.

use crate::diagnosis::domains;
use crate::diagnosis::lately::Lately;
use crate::draft::Draft;
use crate::guards::Guard;
use crate::ledger::budget::number;
use crate::observation::{Key, Member};
use crate::waiting::WaitingOn;

/// Suspects that are asked quickly at once; the others go on at the usual pace.
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
    let (mut unhealthy, mut suspected) = (0, false);
    // Members that were never well and may still come up, of the configuration in force and of others,
    // and whether one like them is given up.
    let (mut young, mut given_up) = ([0, 0], [false, false]);
    let mut outdated_first = Vec::new();
    let index = draft.index;
    for (key, member) in draft.members(&index.unhealthy) {
        let concerned = draft.memory.naming || draft.spec.size.concerns(member);
        if !concerned {
            continue;
        }
        let new = !draft.outdated(member);
        if !member.health.counts(policy, member.created, draft.now) {
            young[usize::from(new)] += 1;
            continue;
        }
        unhealthy += 1;
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
    // Who is the first to be past its grace period is not judged before those that were made with it:
    // when none of them comes up, the fault is not with one. Nor is it when nobody at all does well.
    let nobody = draft.ledger.tally().serving == 0;
    for (young, given_up) in young.into_iter().zip(given_up) {
        unhealthy += if given_up || nobody { young } else { 0 };
    }
    outdated_first.append(&mut illness.sick);
    illness.sick = outdated_first;
    let concerned = suspected || draft.memory.breaker.is_some();
    let lately = concerned.then(|| Lately::of(draft));
    illness.unsure = lately.as_ref().is_some_and(Lately::is_unsure);
    illness.broken = judge_breaker(draft, (unhealthy, suspected), &illness, lately.as_ref());
    let broken = domains::judge(draft, suspected, illness.unsure);
    if !broken.is_empty() {
        let spared = |member: &Member| broken.contains(&*domains::of(draft, member));
        illness.sick.retain(|(_, member)| !spared(member));
    }
    let doubted = judge_observer(draft, suspected);
    illness.withheld = illness.broken || doubted || illness.unsure;
    let asked_again = illness.suspects.first().copied();
    let sick = illness.sick.first().map(|(key, _)| *key);
    let first = if illness.unsure {
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

/// Returns whether too many members are unhealthy at once: of all, or of those that were asked of
/// late. In a large group it takes long until all were asked, and what is found meanwhile is a
/// sample of what there is. The breaker closes when there were no more than may be for a whole poll
/// interval, and enough were asked to tell.
fn judge_breaker(
    draft: &mut Draft<'_>,
    (unhealthy, suspected): (usize, bool),
    illness: &Illness<'_>,
    lately: Option<&Lately>,
) -> bool {
    let most = illness.most;
    let sample = lately.filter(|lately| lately.is_over(&draft.spec.health));
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
/// whoever judges them. One flapping member of three is its own trouble.
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
