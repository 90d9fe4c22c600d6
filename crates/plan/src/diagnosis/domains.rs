//! The breaker of a domain: a zone, a host or a rack whose members fall sick together is one event.
//!
//! The members of a zone that its observer does not reach any more may be few beside all others. To
//! heal them one by one would empty it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::draft::Draft;
use crate::guards::Guard;
use crate::ledger::budget::number;
use crate::observation::{Member, domain};
use crate::waiting::WaitingOn;

/// So many members of a domain are healed whatever its size: two that share a host of few others are
/// no zone that is out of sight. The same is believed of lists that lack them.
const ALONE: usize = 2;

/// Members that have to be asked before anybody is judged: a suspect, and those that are asked
/// beside it. Of ten that share a fault of their observer it is hardly ever one alone that shows: where
/// it is wrong about 40 %, one time in twenty-five.
pub(crate) const QUORUM: usize = 10;

/// The members of a domain.
#[derive(Clone, Copy, Default)]
struct Health {
    all: usize,
    unhealthy: usize,
    /// Those that this life of the controller has not asked, and could.
    unasked: usize,
}

impl Health {
    /// Returns whether too few were asked to tell how the domain does.
    fn is_unsure(self) -> bool {
        self.all - self.unasked < self.all.min(QUORUM)
    }
}

/// Returns the domain that a member is in; empty where nobody knows.
pub(crate) fn of<'a>(draft: &Draft<'_>, member: &'a Member) -> Cow<'a, str> {
    let behaviour = draft.config.behaviour(&member.plugin);
    domain(member, behaviour.domain_of.as_deref().unwrap_or_default())
}

/// Opens and closes the breakers of domains, and returns those in which nobody is destroyed for its
/// health.
pub(crate) fn judge(draft: &mut Draft<'_>, suspected: bool, unsure: bool) -> BTreeSet<String> {
    if !suspected && draft.memory.domain_breakers.is_empty() {
        return BTreeSet::new();
    }
    let domains = count(draft);
    let mut former = std::mem::take(&mut draft.memory.domain_breakers);
    for (domain, health) in domains {
        let limit = draft.spec.health.unhealthy_limit(health.all as u64);
        let most = number(limit).max(ALONE);
        let over = health.unhealthy > most;
        let open = former.remove(&domain);
        let stays = over || unsure || health.is_unsure();
        let Some(open) = draft.next_breaker(open, (over && suspected, stays)) else {
            continue;
        };
        draft.wait(WaitingOn::Breaker {
            domain: Some(domain.clone()),
            unhealthy: health.unhealthy,
            most,
        });
        draft.memory.domain_breakers.insert(domain, open);
    }
    if !Guard::Breaker.stands() {
        return BTreeSet::new();
    }
    draft.memory.domain_breakers.keys().cloned().collect()
}

/// Returns whether nobody in the domain of a member is destroyed for its health.
pub(crate) fn is_broken(draft: &Draft<'_>, member: &Member) -> bool {
    let broken = &draft.memory.domain_breakers;
    let inside = !broken.is_empty() && broken.contains_key(&*of(draft, member));
    inside && Guard::Breaker.stands()
}

/// Returns whether a member is in one of these domains.
pub(crate) fn is_in(draft: &Draft<'_>, member: &Member, domains: &BTreeSet<String>) -> bool {
    !domains.is_empty() && domains.contains(&*of(draft, member))
}

/// Counts the members of these domains that stay.
pub(crate) fn members(draft: &Draft<'_>, domains: &BTreeSet<String>) -> usize {
    if domains.is_empty() {
        return 0;
    }
    let staying = draft.seen.members().filter(|member| member.stays());
    staying
        .filter(|member| is_in(draft, member, domains))
        .count()
}

/// Counts the members of each domain that is known by name, those that are leaving left out.
fn count(draft: &Draft<'_>) -> BTreeMap<String, Health> {
    let mut domains: BTreeMap<Cow<'_, str>, Health> = BTreeMap::new();
    let policy = &draft.spec.health;
    let declared = |member: &Member| draft.config.behaviour(&member.plugin).domain_of.is_some();
    // Whoever goes away by its plugin's word is asked no more, and says nothing of the others.
    let staying = draft.seen.members();
    let staying = staying.filter(|member| member.stays() && declared(member));
    for member in staying {
        let health = domains.entry(of(draft, member)).or_default();
        let last = member.health.last();
        let unhealthy = last == infrakit_spi::flavor::Health::Unhealthy
            && member.health.counts(policy, member.created, draft.now);
        health.all += 1;
        health.unhealthy += usize::from(unhealthy);
        health.unasked += usize::from(member.health.asked().is_none() && !member.is_pending());
    }
    let known = domains.into_iter().filter(|(domain, _)| !domain.is_empty());
    known
        .map(|(domain, health)| (domain.into_owned(), health))
        .collect()
}
