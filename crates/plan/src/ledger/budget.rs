//! The ledger: the whole budget of a group, and the only place that hands out the right to make a
//! member, to destroy, to repair or to drain one.
//!
//! A step of the planner asks; the ledger says yes with a [`Right`], without which no such action
//! can be built, or no with what is in the way. Whatever it grants it books at once, so that steps
//! that ask later in the same plan, for whatever reason, find less. Everything that limits is here:
//!
//! - the *floor*: members that have to serve, whatever is done to the others;
//! - *replacements* under way at once: one is under way from the moment that the old member is taken
//!   until the new one has proved itself. Repairs count as such;
//! - *room*: members that there may be at once, those on their way out and those that are being made
//!   included, and the hard ceiling above it;
//! - *calls*: the free slots of each plugin, and what its rate limits leave ([`Allowance`]). What is
//!   not granted for want of a call is noted nowhere: it is decided anew, if it is still wanted.

use infrakit_spi::{InstanceId, PluginName};

use crate::action::{Action, Cause, Reason};
use crate::observation::{Index, Member};
use crate::{Allowance, CallKind, Config, Order, Scarce, Spec, Token};

/// The right to do one thing. Only the ledger can make one, and each names what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right(Grant);

/// What a right was given for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Grant {
    Create(Token),
    Destroy(InstanceId, PluginName),
    Repair(InstanceId, PluginName),
    Drain(InstanceId, PluginName),
}

impl Right {
    /// Returns whether an action that needs a right has the one that was given for it.
    #[must_use]
    pub(crate) fn covers(action: &Action) -> bool {
        match action {
            Action::Provision(one) => one.right.0 == Grant::Create(one.token.clone()),
            Action::Destroy {
                id, plugin, right, ..
            } => right.0 == Grant::Destroy(id.clone(), plugin.clone()),
            Action::Repair {
                id, plugin, right, ..
            } => right.0 == Grant::Repair(id.clone(), plugin.clone()),
            Action::Drain { id, plugin, right } => {
                right.0 == Grant::Drain(id.clone(), plugin.clone())
            }
            Action::Adopt { .. } | Action::Check { .. } | Action::Revert { .. } => true,
        }
    }
}

/// Why the ledger says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too few others would serve.
    Floor { available: usize, needed: usize },
    /// As many replacements are under way as may be, or there is no surplus to take from.
    Slots,
    /// There are as many members as may be, those that come and go included.
    Room,
    /// The hard ceiling is reached.
    Ceiling { most: u64 },
    /// The plugin takes no more calls of this kind for now.
    Call(PluginName, Scarce),
}

/// Why a member is to go, and what the ledger has to know of it beyond its own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    /// The whole group goes.
    Everybody,
    /// The operator named it, and nobody is made in its place.
    Requested,
    /// There are too many like members. `stand_ins` are those that were made in advance for others
    /// that are about to go.
    Surplus { stand_ins: usize },
    /// Its identity is not in the list.
    Unlisted,
    /// It could not be given an identity.
    Nameless,
    /// A better member has its identity.
    Duplicate,
    /// It is sick. `settling` are new members that may yet prove themselves.
    Sick { settling: usize },
    /// It was made from another configuration. `settling` are new members that have yet to prove
    /// themselves, and sick ones that stand before it in line.
    Outdated { settling: usize },
    /// An earlier life decided it, for this reason.
    Resumed(Reason),
}

impl Errand {
    /// Returns the reason that the member's destruction is told with.
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::Everybody => Reason::GroupDestroyed,
            Self::Requested => Reason::Requested,
            Self::Surplus { .. } => Reason::Surplus,
            Self::Unlisted | Self::Nameless => Reason::Unlisted,
            Self::Duplicate => Reason::Duplicate,
            Self::Sick { .. } => Reason::Unhealthy,
            Self::Outdated { .. } => Reason::Outdated,
            Self::Resumed(reason) => reason,
        }
    }
}

/// What a member means to the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stake {
    /// Whether the size is about it.
    pub(crate) working: bool,
    /// Whether it serves.
    pub(crate) serves: bool,
    /// Whether it serves and owes no proof.
    pub(crate) ready: bool,
    /// Whether it has the configuration in force.
    pub(crate) new: bool,
}

/// Numbers of members, kept up to date while a plan is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Members that the size is about and that are not on their way out.
    pub(crate) working: usize,
    /// Those of them that serve.
    pub(crate) serving: usize,
    /// Those of them that serve and owe no proof: outdated ones, and new ones that proved themselves.
    pub(crate) ready: usize,
    /// Working members of the configuration in force, those being made from it included.
    pub(crate) new: usize,
    /// Members on their way out, and still there.
    pub(crate) leaving: usize,
    /// Creations without an outcome.
    pub(crate) coming: usize,
}

/// The budget of a group, and what of it is in use.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Members that the group is to have in the end.
    size: usize,
    /// Members that the group is to have for now: its size, or less while a rollout holds it.
    pub(crate) wanted: usize,
    bounds: Bounds,
    tally: Tally,
    /// Members that are needed and not there, beyond what is being created.
    pub(crate) missing: usize,
    /// Members that may have the configuration in force, those being made included.
    pub(crate) most_new: usize,
    /// Whether creations are held back, so that nothing can be made before something goes.
    pub(crate) creation_blocked: bool,
    /// Sick members that are being repaired.
    repairing: usize,
    /// Most members that may ever exist.
    ceiling: Option<u64>,
    calls: Allowance,
}

/// What the spec allows a group of a certain size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Members that may be unavailable at a time.
    pub(crate) unavailable: usize,
    /// Members that there may be beyond the size.
    pub(crate) surge: usize,
    /// Which comes first when a member is replaced.
    order: Order,
}

impl Bounds {
    /// Returns what `spec` allows a group of `size` members.
    pub(crate) fn of(spec: &Spec, size: usize) -> Self {
        let members = size as u64;
        Self {
            unavailable: number(spec.unavailable(members)),
            surge: number(spec.surge(members)),
            order: spec.order(members),
        }
    }

    /// Replacements that may be under way at once: each keeps one member out of service or one too
    /// many in being. At least one, or nothing could ever be replaced.
    pub(crate) fn replacements(&self) -> usize {
        (self.unavailable + self.surge).max(1)
    }
}

impl Ledger {
    /// Opens the ledger of a group with these members. `hold` is the size that a rollout keeps.
    pub(crate) fn open(spec: &Spec, index: &Index, hold: Option<u64>, config: &Config) -> Self {
        let size = spec.size.count();
        let bounds = Bounds::of(spec, number(size));
        // Where new members come before old ones go, those that the group grows by are the first.
        let hold = hold.filter(|_| bounds.surge == 0);
        let ceilings = [spec.max_instances, config.max_instances];
        let new = index.working - index.outdated.len();
        Self {
            size: number(size),
            wanted: number(hold.map_or(size, |hold| size.min(hold))),
            bounds,
            tally: Tally {
                working: index.working,
                serving: index.serving,
                ready: index.serving_outdated + new - index.unproved.len(),
                new,
                leaving: index.leaving.len(),
                coming: 0,
            },
            missing: 0,
            most_new: usize::MAX,
            creation_blocked: false,
            repairing: 0,
            ceiling: ceilings.into_iter().flatten().min(),
            calls: config.allowance.clone(),
        }
    }

    /// Books creations that were begun before, `new` of them from the configuration in force.
    pub(crate) fn expect(&mut self, coming: usize, new: usize) {
        self.tally.coming = coming;
        self.tally.new += new;
    }

    /// Keeps the size no longer that a rollout held.
    pub(crate) fn release_hold(&mut self) {
        self.wanted = self.size;
    }

    /// Returns the numbers of members.
    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    /// Returns whether old members make way only once new ones have taken over. While nothing can
    /// be made, that would be never.
    fn new_first(&self) -> bool {
        self.bounds.order == Order::SurgeFirst && !self.creation_blocked
    }

    // ---- The floor.

    /// Returns how many members have to serve, whatever is done: the size but for those that may be
    /// unavailable. Of a smaller size than before it is the smaller one that counts, so that a
    /// group can be made smaller, and emptied.
    pub(crate) fn needed(&self) -> usize {
        self.size.saturating_sub(self.bounds.unavailable)
    }

    /// Returns how many members are there for the floor, and how many it asks for.
    fn floor(&self, errand: Errand) -> (usize, usize) {
        match errand {
            // Nobody is to serve any more.
            Errand::Everybody => (1, 0),
            Errand::Requested | Errand::Surplus { .. } | Errand::Nameless => {
                (self.tally.serving, self.needed())
            }
            Errand::Unlisted | Errand::Duplicate | Errand::Resumed(_) => (1, 0),
            // It does not serve.
            Errand::Sick { .. } => (1, 0),
            Errand::Outdated { .. } => {
                // Those on their way out, those that are coming, and those that cannot be made are
                // part of what has to be there; what a group that is to grow has not got yet is not.
                let known = self.tally.working + self.tally.leaving + self.tally.coming;
                let least = self.size.min(known.max(self.wanted));
                let spared = if self.new_first() {
                    0
                } else {
                    self.bounds.unavailable
                };
                // New members that have yet to prove themselves do not count: an old one stays for
                // each.
                (self.tally.ready, least.saturating_sub(spared))
            }
        }
    }

    // ---- Going.

    /// Grants the destruction of a member, and books it as gone.
    pub(crate) fn destroy(
        &mut self,
        member: &Member,
        stake: Stake,
        errand: Errand,
    ) -> Result<Right, Refusal> {
        if self.slots(errand) == 0 {
            return Err(Refusal::Slots);
        }
        let (available, floor) = self.floor(errand);
        if stake.serves && available <= floor {
            let needed = floor + 1;
            return Err(Refusal::Floor { available, needed });
        }
        let right = self.destroy_again(member)?;
        self.let_go(stake);
        Ok(right)
    }

    /// Grants another call for a member that was let go before: it is booked already.
    pub(crate) fn destroy_again(&mut self, member: &Member) -> Result<Right, Refusal> {
        self.call(&member.plugin, CallKind::Destroy)?;
        let grant = Grant::Destroy(member.id.clone(), member.plugin.clone());
        Ok(Right(grant))
    }

    /// Books a member as gone.
    pub(crate) fn let_go(&mut self, stake: Stake) {
        self.tally.leaving += 1;
        self.tally.working -= usize::from(stake.working);
        self.tally.serving -= usize::from(stake.serves);
        self.tally.ready -= usize::from(stake.ready);
        self.tally.new -= usize::from(stake.new);
    }

    /// Returns how many more members may go on an errand, as far as it is not about service.
    pub(crate) fn slots(&self, errand: Errand) -> usize {
        let replacements = self.bounds.replacements();
        let busy = self.tally.leaving + self.tally.coming;
        match errand {
            // Nobody is made in their place.
            Errand::Everybody | Errand::Requested => usize::MAX,
            Errand::Unlisted | Errand::Duplicate | Errand::Resumed(_) => usize::MAX,
            Errand::Surplus { stand_ins } => self.surplus(stand_ins),
            // Those beyond the size are not replaced; the others make way one for one.
            Errand::Nameless => replacements
                .saturating_sub(busy)
                .max(self.tally.working.saturating_sub(self.wanted)),
            Errand::Sick { settling } => {
                let under_way = busy + self.missing + settling + self.repairing;
                replacements.saturating_sub(under_way)
            }
            Errand::Outdated { settling } => {
                if self.extra() == 0 && self.allowed() == 0 {
                    return 0;
                }
                replacements.saturating_sub(busy + self.missing + settling)
            }
        }
    }

    /// Returns how many like members are too many. What was made in advance for others that are to
    /// go is no surplus: those go when their turn comes.
    pub(crate) fn surplus(&self, stand_ins: usize) -> usize {
        let most = self.size + self.bounds.surge.min(stand_ins);
        self.tally.working.saturating_sub(most)
    }

    /// Returns how many members are there, or coming, beyond those wanted.
    pub(crate) fn extra(&self) -> usize {
        let there = self.tally.working + self.tally.coming;
        there.saturating_sub(self.wanted)
    }

    /// Grants a step of repair, which takes the place of a replacement.
    pub(crate) fn repair(&mut self, member: &Member, settling: usize) -> Result<Right, Refusal> {
        if self.slots(Errand::Sick { settling }) == 0 {
            return Err(Refusal::Slots);
        }
        self.call(&member.plugin, CallKind::Other)?;
        self.wait_for_repair();
        let grant = Grant::Repair(member.id.clone(), member.plugin.clone());
        Ok(Right(grant))
    }

    /// Books a repair that was begun before.
    pub(crate) fn wait_for_repair(&mut self) {
        self.repairing += 1;
    }

    /// Grants the drain of the controller's own member, which stays. It comes last: not while
    /// anything else goes or comes.
    pub(crate) fn drain(&mut self, own: &Member, stake: Stake) -> Result<Right, Refusal> {
        if self.tally.leaving + self.tally.coming + self.missing > 0 {
            return Err(Refusal::Slots);
        }
        // Nothing can be made in its place, so one member less must do even where new ones come
        // first.
        let spared = self.bounds.unavailable.max(1);
        let (available, floor) = (self.tally.serving, self.size.saturating_sub(spared));
        if stake.serves && available <= floor {
            let needed = floor + 1;
            return Err(Refusal::Floor { available, needed });
        }
        self.call(&own.plugin, CallKind::Other)?;
        let grant = Grant::Drain(own.id.clone(), own.plugin.clone());
        Ok(Right(grant))
    }

    // ---- Calls.

    /// Draws a call of a plugin.
    pub(crate) fn call(&mut self, plugin: &PluginName, kind: CallKind) -> Result<(), Refusal> {
        let drawn = self.calls.draw(plugin, kind);
        drawn.map_err(|scarce| Refusal::Call(plugin.clone(), scarce))
    }

    // ---- Coming.

    /// Returns how many members are to be made: those that are missing, those that a rollout makes
    /// in advance of the `replaceable` that it replaces, and one for each of the `doomed` that the
    /// operator wants gone and that may not be missing.
    pub(crate) fn short(&self, replaceable: usize, doomed: usize) -> usize {
        let there = self.tally.working + self.tally.coming;
        (self.wanted + replaceable.min(self.surge_left()) + doomed).saturating_sub(there)
    }

    /// Returns how many members may be made beyond the size, as far as the rollout lets more have
    /// the configuration in force.
    pub(crate) fn surge_left(&self) -> usize {
        self.bounds.surge.min(self.allowed())
    }

    /// Returns how many members may be there beyond the size.
    pub(crate) fn surge(&self) -> usize {
        self.bounds.surge
    }

    /// Returns how many places are free, beyond what is being created.
    pub(crate) fn free(&self) -> usize {
        let there = self.tally.working + self.tally.coming;
        self.wanted.saturating_sub(there)
    }

    /// Returns how many more members may be given the configuration in force, those that will fill
    /// the places that are free already left out.
    pub(crate) fn allowed(&self) -> usize {
        self.most_new.saturating_sub(self.tally.new + self.free())
    }

    /// Returns whether one more member may have the configuration in force.
    pub(crate) fn may_be_new(&self) -> bool {
        self.tally.new < self.most_new
    }

    /// Grants the creation that `token` names, and books it. One that is on its way out counts until
    /// it is gone: a group is never larger than its size and surge.
    pub(crate) fn create(
        &mut self,
        (token, plugin): (&Token, &PluginName),
        cause: Cause,
        kind: Made,
    ) -> Result<Right, Refusal> {
        let all = self.tally.working + self.tally.coming + self.tally.leaving;
        if let Some(most) = self.ceiling
            && all >= number(most)
        {
            // What is made in advance is no want that anybody has to be told of.
            return Err(match cause {
                Cause::Missing => Refusal::Ceiling { most },
                Cause::Surge => Refusal::Room,
            });
        }
        if all >= self.wanted + self.bounds.surge {
            return Err(Refusal::Room);
        }
        if let Err(refusal) = self.call(plugin, CallKind::Create) {
            // A slot is free again as soon as a call ends: what comes first stays first. A rate limit
            // may take minutes, in which old members need not be waited with.
            self.creation_blocked |= !matches!(refusal, Refusal::Call(_, Scarce::Slots));
            return Err(refusal);
        }
        self.tally.coming += 1;
        self.tally.new += usize::from(kind == Made::New);
        self.missing = self
            .missing
            .saturating_sub(usize::from(cause == Cause::Missing));
        Ok(Right(Grant::Create(token.clone())))
    }
}

/// What a member is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// The configuration in force.
    New,
    /// The former one.
    Former,
}

/// Returns a count of a spec as one of things in memory.
pub(crate) fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
