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

use infrakit_spi::PluginName;

use super::errand::{Errand, Made, Refusal, Stake};
use super::right::{Grant, Right};
use super::tally::Tally;
use crate::guards::Guard;
use crate::observation::{Member, Observed, Origin};
use crate::reason::{Cause, Reason};
use crate::{Allowance, CallKind, Config, Order, Scarce, Spec, Token};

/// The budget of a group, and what of it is in use.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Members that the group is to have in the end.
    size: usize,
    /// Members that the group is to have for now: its size, or less while a rollout holds it.
    pub(crate) wanted: usize,
    bounds: Bounds,
    tally: Tally,
    /// Instances that were said to be gone and are shown again. Should they be there, they are members.
    ghosts: usize,
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

/// Who counts for the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    /// Whoever serves.
    Serving,
    /// Whoever serves and owes no proof.
    Ready,
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
    pub(crate) fn open(spec: &Spec, seen: &Observed, hold: Option<u64>, config: &Config) -> Self {
        let index = seen.index();
        let size = spec.size.count();
        let bounds = Bounds::of(spec, number(size));
        let ceilings = [spec.max_instances, config.max_instances];
        let new = index.working - index.outdated.len();
        let mut ledger = Self {
            size: number(size),
            wanted: number(size),
            bounds,
            tally: Tally {
                working: index.working,
                serving: index.serving,
                ready: index.serving_outdated + new - index.unproved.len(),
                new,
                strangers: 0,
                leaving: index.leaving.len(),
                coming: 0,
            },
            ghosts: seen.ghosts().count(),
            missing: 0,
            most_new: usize::MAX,
            creation_blocked: false,
            repairing: 0,
            ceiling: ceilings.into_iter().flatten().min(),
            calls: config.allowance.clone(),
        };
        if let Some(hold) = hold {
            ledger.hold(hold);
        }
        ledger
    }

    /// Books creations that were begun before, `new` of them from the configuration in force.
    pub(crate) fn expect(&mut self, coming: usize, new: usize) {
        self.tally.coming = coming;
        self.tally.new += new;
    }

    /// Notes how many of the members a person is to look at first.
    pub(crate) fn note_strangers(&mut self, members: usize) {
        self.tally.strangers = members;
    }

    /// Notes that nothing can be made for now, before anybody asks: what may go must not depend on
    /// whether a step has tried in vain.
    pub(crate) fn block_creations(&mut self) {
        self.creation_blocked = true;
    }

    /// Keeps so many members for now, where that is less than the size. Where new members come before
    /// old ones go, those that the group grows by are the first.
    pub(crate) fn hold(&mut self, members: u64) {
        if self.bounds.surge == 0 && members > 0 {
            self.wanted = self.size.min(number(members));
        }
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

    /// Returns how many members are to be there: the size, but for what a group that is to grow has
    /// not got yet. Those on their way out, those that are coming, and those that cannot be made are
    /// part of it.
    fn target(&self) -> usize {
        self.size.min(self.tally.all().max(self.wanted))
    }

    /// Returns how many members the floor asks for, and who counts.
    ///
    /// Where the group becomes smaller, whoever serves counts. Where one takes the place of another,
    /// new members count only once they have proved themselves: an old one stays for each that has
    /// not.
    fn floor(&self, errand: Errand) -> (usize, Counts) {
        let floor = self.target().saturating_sub(self.bounds.unavailable);
        match errand {
            // Nobody is to serve any more, or a person wants it whoever serves, or it does not serve,
            // or another does its work.
            Errand::Everybody
            | Errand::RequestedNow
            | Errand::Sick { .. }
            | Errand::Duplicate {
                better_serves: true,
            } => (0, Counts::Serving),
            Errand::Outdated { .. } | Errand::Resumed(Reason::Outdated) if self.new_first() => {
                (self.target(), Counts::Ready)
            }
            Errand::Outdated { .. } | Errand::Resumed(Reason::Outdated) => (floor, Counts::Ready),
            Errand::Unlisted { .. } if self.tally.own() <= self.wanted => (floor, Counts::Ready),
            // What was decided before is drawn anew: others may be missing since.
            Errand::Unlisted { .. }
            | Errand::Requested
            | Errand::Surplus { .. }
            | Errand::Nameless
            | Errand::Duplicate {
                better_serves: false,
            }
            | Errand::Resumed(_) => (floor, Counts::Serving),
        }
    }

    /// Returns what keeps a member from going, as far as service is concerned.
    fn keep(&self, stake: Stake, errand: Errand) -> Result<(), Refusal> {
        let (floor, counts) = self.floor(errand);
        let (available, counted) = match counts {
            Counts::Serving => (self.tally.serving, stake.serves),
            Counts::Ready => (self.tally.ready, stake.ready),
        };
        // One that is not among those that are there takes nothing from them, but must not be the
        // last that may serve.
        let others = available.saturating_sub(usize::from(counted));
        if (stake.serves || stake.silent) && others < floor && Guard::Floor.stands() {
            let needed = floor + usize::from(counted);
            return Err(Refusal::Floor { available, needed });
        }
        Ok(())
    }

    /// Returns what keeps a member from going after all that was let go before and may still serve:
    /// others may be missing since. It is not among those that are counted.
    pub(crate) fn may_still_go(&self, stake: Stake, errand: Errand) -> Result<(), Refusal> {
        let (needed, counts) = self.floor(errand);
        let available = match counts {
            Counts::Serving => self.tally.serving,
            Counts::Ready => self.tally.ready,
        };
        if (stake.serves || stake.silent) && available < needed {
            return Err(Refusal::Floor { available, needed });
        }
        Ok(())
    }

    // ---- Going.

    /// Grants the destruction of a member, and books it as gone.
    pub(crate) fn destroy(
        &mut self,
        member: &Member,
        stake: Stake,
        errand: Errand,
    ) -> Result<Right, Refusal> {
        was_shown(member)?;
        if self.slots(errand) == 0 {
            return Err(Refusal::Slots);
        }
        self.keep(stake, errand)?;
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
        self.tally.let_go(stake);
    }

    /// Takes back that a member was booked as gone: it is decided anew whether it goes.
    pub(crate) fn take_back(&mut self, stake: Stake) {
        self.tally.take_back(stake);
    }

    /// Returns how many more members may go on an errand, as far as it is not about service.
    pub(crate) fn slots(&self, errand: Errand) -> usize {
        let replacements = self.bounds.replacements();
        let busy = self.tally.leaving + self.tally.coming;
        match errand {
            // Nobody is made in their place.
            Errand::Everybody
            | Errand::Requested
            | Errand::RequestedNow
            | Errand::Duplicate { .. }
            // It was counted among those under way when it was decided.
            | Errand::Resumed(_) => usize::MAX,
            Errand::Surplus { stand_ins } => self.surplus(stand_ins),
            // Those beyond the size are not replaced; the others make way one for one.
            Errand::Nameless => replacements
                .saturating_sub(busy)
                .max(self.tally.own().saturating_sub(self.wanted)),
            Errand::Unlisted { settling } => replacements
                .saturating_sub(busy + settling)
                .max(self.tally.own().saturating_sub(self.wanted)),
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
    /// go is no surplus: those go when their turn comes. Nor is anybody for members from elsewhere.
    pub(crate) fn surplus(&self, stand_ins: usize) -> usize {
        let most = self.size + self.bounds.surge.min(stand_ins);
        self.tally.own().saturating_sub(most)
    }

    /// Returns how many members are there, or coming, beyond those wanted.
    pub(crate) fn extra(&self) -> usize {
        let there = self.tally.working + self.tally.coming;
        there.saturating_sub(self.wanted)
    }

    /// Grants a step of repair, which takes the place of a replacement.
    pub(crate) fn repair(&mut self, member: &Member, settling: usize) -> Result<Right, Refusal> {
        was_shown(member)?;
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

    /// Draws a call that puts labels on a member.
    pub(crate) fn label(&mut self, member: &Member) -> Result<(), Refusal> {
        was_shown(member)?;
        self.call(&member.plugin, CallKind::Label)
    }

    /// Returns whether a plugin takes one more call.
    pub(crate) fn takes(&self, plugin: &PluginName, kind: CallKind) -> bool {
        self.calls.takes(plugin, kind)
    }

    /// Draws a call of a plugin.
    pub(crate) fn call(&mut self, plugin: &PluginName, kind: CallKind) -> Result<(), Refusal> {
        let drawn = self.calls.draw(plugin, kind);
        drawn.map_err(|scarce| Refusal::Call(plugin.clone(), scarce))
    }

    /// Returns how many destructions of a plugin its rate limit leaves; `None` for no limit.
    pub(crate) fn destroys_left(&self, plugin: &PluginName) -> Option<usize> {
        self.calls.destroys_left(plugin)
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
        let all = self.tally.all();
        if let Some(most) = self.ceiling
            && all >= number(most)
        {
            // What is made in advance is no want that anybody has to be told of.
            return Err(match cause {
                Cause::Missing => Refusal::Ceiling { most },
                Cause::Surge => Refusal::Room,
            });
        }
        let most = self.wanted + self.bounds.surge;
        if all >= most && Guard::Room.stands() {
            return Err(Refusal::Room);
        }
        if self.ghosts > 0 && all + self.ghosts >= most.min(self.ceiling.map_or(usize::MAX, number))
        {
            return Err(Refusal::Unsure);
        }
        if let Err(refusal) = self.call(plugin, CallKind::Create) {
            // A slot is free again as soon as a call ends: what comes first stays first. A rate limit
            // may take minutes, in which old members need not be waited with.
            self.creation_blocked |= !matches!(refusal, Refusal::Call(_, Scarce::Slots(_)));
            return Err(refusal);
        }
        self.tally.coming += 1;
        self.tally.new += usize::from(kind == Made::New);
        self.missing = self
            .missing
            .saturating_sub(usize::from(cause == Cause::Missing));
        Ok(Right(Grant::Create(token.clone())))
    }

    /// Draws the call that asks once more for a creation whose answer was lost. It counts as a member
    /// already, however often it is asked for. Where there are as many without the `doubted` ones by now, since
    /// some are back that had been missing, or fewer are wanted, a list tells what came of them.
    pub(crate) fn ask_again(
        &mut self,
        (token, plugin): (&Token, &PluginName),
        doubted: usize,
    ) -> Result<Right, Refusal> {
        let sure = self.tally.all().saturating_sub(doubted);
        if sure >= self.wanted + self.bounds.surge && Guard::Room.stands() {
            return Err(Refusal::Room);
        }
        self.call(plugin, CallKind::Create)?;
        Ok(Right(Grant::Create(token.clone())))
    }
}

/// Returns whether a list has shown a member. Until one has, nobody but an answer says that it is the
/// group's own, and what is somebody else's must not be touched.
fn was_shown(member: &Member) -> Result<(), Refusal> {
    let shown = member.origin == Origin::Listed || !Guard::Ids.stands();
    shown.then_some(()).ok_or(Refusal::Unseen)
}

/// Returns a count of a spec as one of things in memory.
pub(crate) fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
