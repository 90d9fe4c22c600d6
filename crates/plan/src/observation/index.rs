//! Members sorted by what a planner asks for, kept up to date one member at a time, so that a plan
//! costs what has changed and not what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use infrakit_spi::flavor::Health;
use infrakit_spi::{InstanceId, LogicalId, PluginName};

use super::key::Key;
use super::member::{Member, Standing, Step};
use crate::diagnosis::health::Witnesses;
use crate::{HealthPolicy, Size, Spec, Timestamp, Updating};

/// What members are sorted by: the spec in force, and whether nameless members are to be named.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    spec: Arc<Spec>,
    naming: bool,
    /// Positions of the identities wanted.
    wanted: BTreeMap<LogicalId, usize>,
}

impl Aim {
    fn new(spec: Arc<Spec>, naming: bool) -> Self {
        let wanted = match &spec.size {
            Size::Cattle(_) => BTreeMap::new(),
            Size::Pets(ids) => ids
                .iter()
                .enumerate()
                .map(|(position, id)| (id.clone(), position))
                .collect(),
        };
        Self {
            spec,
            naming,
            wanted,
        }
    }

    pub(crate) fn is(&self, spec: &Spec, naming: bool) -> bool {
        let same = || {
            self.spec.hash == spec.hash
                && self.spec.updating.count == spec.updating.count
                && self.spec.updating.duration == spec.updating.duration
                && self.spec.size == spec.size
        };
        self.naming == naming && (std::ptr::eq(Arc::as_ptr(&self.spec), spec) || same())
    }

    /// Returns when a member has proved itself.
    pub(crate) fn updating(&self) -> &Updating {
        &self.spec.updating
    }

    /// Returns when a member counts as sick.
    pub(crate) fn health(&self) -> &HealthPolicy {
        &self.spec.health
    }

    /// Returns whether the group is to have a member of this identity.
    pub(crate) fn wants(&self, id: &LogicalId) -> bool {
        self.wanted.contains_key(id)
    }

    /// Returns whether the size is about this member: every one of like members, but only those
    /// with an identity where members are named.
    fn concerns(&self, member: &Member) -> bool {
        match &self.spec.size {
            Size::Cattle(_) => true,
            Size::Pets(_) => self.naming || member.identity().is_some(),
        }
    }
}

/// How one member is filed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filing {
    stays: bool,
    leaves: bool,
    works: bool,
    serves: bool,
    serves_outdated: bool,
    /// Set where it is of another configuration.
    outdated: Option<Standing>,
    missed: bool,
    unproved: bool,
    comes_up: bool,
    outlived: bool,
    unhealthy: bool,
    flaps: bool,
    asking: bool,
    flies: bool,
    unasked: bool,
    foreign: Option<Timestamp>,
    nameless: bool,
    token: Option<u64>,
    identity: Option<LogicalId>,
    turn: Option<Turn>,
}

impl Filing {
    /// Returns where it is filed and `other` is not.
    fn without(&self, other: &Self) -> Self {
        fn new<T: Copy + PartialEq>(own: Option<T>, other: Option<T>) -> Option<T> {
            own.filter(|_| own != other)
        }
        let identity = self.identity.as_ref();
        Self {
            stays: self.stays && !other.stays,
            leaves: self.leaves && !other.leaves,
            works: self.works && !other.works,
            serves: self.serves && !other.serves,
            serves_outdated: self.serves_outdated && !other.serves_outdated,
            outdated: new(self.outdated, other.outdated),
            missed: self.missed && !other.missed,
            unproved: self.unproved && !other.unproved,
            comes_up: self.comes_up && !other.comes_up,
            outlived: self.outlived && !other.outlived,
            unhealthy: self.unhealthy && !other.unhealthy,
            flaps: self.flaps && !other.flaps,
            asking: self.asking && !other.asking,
            flies: self.flies && !other.flies,
            unasked: self.unasked && !other.unasked,
            foreign: new(self.foreign, other.foreign),
            nameless: self.nameless && !other.nameless,
            // Two may say that one creation made them; who was changed last is known by it.
            token: self.token,
            identity: identity
                .filter(|_| self.identity != other.identity)
                .cloned(),
            turn: new(self.turn, other.turn),
        }
    }

    pub(crate) fn identity(&self) -> Option<&LogicalId> {
        self.identity.as_ref()
    }
}

/// When a member's next routine check comes, relative to the pace that holds then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It was checked at this moment.
    After(Timestamp),
    /// It was never checked: created at about this moment, and this far into the round.
    First(Timestamp, u32),
}

/// Members of one moment of creation are asked for the first time in the order of their ids'
/// hashes, so that those that came together are not all asked together. A moment is as long as the
/// usual poll interval: within it no list tells who came first.
const MOMENT: u64 = 10_000_000_000;

#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pub(crate) aim: Option<Aim>,
    /// Staying members.
    pub(crate) staying: usize,
    /// Staying members that the size is about.
    pub(crate) working: usize,
    /// Those of them that serve.
    pub(crate) serving: usize,
    /// Those of them that serve and are of another configuration.
    pub(crate) serving_outdated: usize,
    /// Working members that the last list lacks.
    pub(crate) missed: usize,
    /// Members on their way out.
    pub(crate) leaving: BTreeSet<Key>,
    /// Working members of other configurations, those first with whom least is lost: whom the
    /// budget keeps, it keeps those behind it, too.
    pub(crate) outdated: BTreeSet<(Standing, Key)>,
    /// Working members of the configuration in force that have yet to prove themselves.
    pub(crate) unproved: BTreeSet<Key>,
    /// Those of them that still come up, by their plugin's word.
    pub(crate) coming_up: BTreeSet<Key>,
    /// Working members of the configuration in force that did well so long ago that nobody counts on
    /// it.
    pub(crate) outlived: BTreeSet<Key>,
    /// Staying members whose last verdict was "unhealthy".
    pub(crate) unhealthy: BTreeSet<Key>,
    /// Staying members whose verdicts keep changing.
    pub(crate) flapping: BTreeSet<Key>,
    /// Staying members that ask for adoption.
    pub(crate) asking: BTreeSet<Key>,
    /// Working members of other configurations that no intent of this record made.
    foreign: BTreeSet<(Timestamp, Key)>,
    /// Staying members without an identity, where members are named.
    pub(crate) nameless: BTreeSet<Key>,
    /// Who was made by which intent.
    pub(crate) tokens: BTreeMap<u64, Key>,
    /// Who holds which identity, those on their way out included.
    pub(crate) holders: BTreeMap<LogicalId, BTreeSet<Key>>,
    /// Positions of wanted identities that nobody holds.
    pub(crate) free: BTreeSet<usize>,
    /// Identities of which not all staying holders can stay.
    pub(crate) contested: BTreeSet<LogicalId>,
    /// Members of which a verdict is awaited.
    pub(super) flying: BTreeSet<Key>,
    /// Members that were asked, by when the last verdict came.
    pub(super) checked: BTreeSet<(Timestamp, Key)>,
    /// How many members were there before this controller was, and were never asked by it.
    unasked: usize,
    pub(super) first: BTreeMap<Timestamp, BTreeSet<(u32, Key)>>,
}

impl Index {
    /// Sorts all members anew, by another spec.
    pub(crate) fn aim<'a>(
        &mut self,
        spec: Arc<Spec>,
        naming: bool,
        members: impl Iterator<Item = (&'a Key, &'a Member)>,
    ) {
        let aim = Aim::new(spec, naming);
        *self = Self {
            free: aim.wanted.values().copied().collect(),
            aim: Some(aim),
            ..Self::default()
        };
        for (key, member) in members {
            let filing = self.filing(member);
            self.put(key, &filing);
        }
    }

    /// Returns whether a member of the configuration in force has yet to prove itself.
    pub(crate) fn is_unproved(&self, member: &Member) -> bool {
        self.aim.as_ref().is_some_and(|aim| {
            let works = !member.is_pending() && !member.is_down();
            let proved = works && member.health.proved(&aim.spec.updating);
            member.matches(&aim.spec.hash) && !proved
        })
    }

    /// Returns how a member is to be filed.
    pub(crate) fn filing(&self, member: &Member) -> Filing {
        let Some(aim) = &self.aim else {
            return Filing::default();
        };
        let stays = member.stays();
        let concerned = aim.concerns(member);
        let matches = member.matches(&aim.spec.hash);
        let working = stays && concerned;
        let named = matches!(aim.spec.size, Size::Pets(_));
        let stuck = member
            .departure
            .is_some_and(|departure| matches!(departure.step, Step::Failed(..)));
        let asked = (stays || stuck) && !member.is_pending();
        let turn = asked.then(|| match member.health.asked() {
            Some(at) => Turn::After(at),
            None => Turn::First(
                Timestamp(member.created.0 / MOMENT * MOMENT),
                spread(member.id.as_str()),
            ),
        });
        // One that the last list lacks is not counted on, whatever it proved.
        let unproved = working && (member.missed && matches || self.is_unproved(member));
        Filing {
            stays,
            leaves: !stays,
            works: working,
            serves: working && member.serves(),
            serves_outdated: working && !matches && member.serves(),
            outdated: (working && !matches).then(|| member.standing_if_outdated()),
            missed: working && member.missed,
            unproved,
            comes_up: unproved && member.is_pending(),
            outlived: working && matches && member.health.was_well(),
            unhealthy: stays && member.health.last() == Health::Unhealthy,
            flaps: stays && member.health.flaps(),
            asking: stays && member.asks_for_adoption(),
            flies: asked && member.health.in_flight(),
            unasked: asked && member.health.asked().is_none() && member.answered.is_none(),
            foreign: (working && !matches && member.token.is_none()).then_some(member.created),
            nameless: stays && named && member.identity().is_none(),
            token: member.token,
            identity: member.identity().cloned(),
            turn,
        }
    }

    /// Files a member anew that was filed as `before`.
    pub(crate) fn refile(&mut self, key: &Key, before: &Filing, after: &Filing) {
        if before != after {
            self.take(key, &before.without(after));
            self.put(key, &after.without(before));
        }
    }

    /// Returns the sets of keys that a member is in, and no others: to look for it where it is not costs
    /// as much as to take it out.
    fn sets(&mut self, filing: &Filing) -> impl Iterator<Item = &mut BTreeSet<Key>> {
        let all = [
            (&mut self.leaving, filing.leaves),
            (&mut self.unproved, filing.unproved),
            (&mut self.coming_up, filing.comes_up),
            (&mut self.outlived, filing.outlived),
            (&mut self.unhealthy, filing.unhealthy),
            (&mut self.flapping, filing.flaps),
            (&mut self.asking, filing.asking),
            (&mut self.flying, filing.flies),
            (&mut self.nameless, filing.nameless),
        ];
        let its = all.into_iter().filter(|(_, is)| *is);
        its.map(|(set, _)| set)
    }

    pub(crate) fn put(&mut self, key: &Key, filing: &Filing) {
        if self.aim.is_none() {
            return;
        }
        self.staying += usize::from(filing.stays);
        self.working += usize::from(filing.works);
        self.serving += usize::from(filing.serves);
        self.missed += usize::from(filing.missed);
        self.serving_outdated += usize::from(filing.serves_outdated);
        self.unasked += usize::from(filing.unasked);
        for set in self.sets(filing) {
            set.insert(key.clone());
        }
        if let Some(created) = filing.foreign {
            self.foreign.insert((created, key.clone()));
        }
        if let Some(standing) = filing.outdated {
            self.outdated.insert((standing, key.clone()));
        }
        if let Some(token) = filing.token {
            self.tokens.insert(token, key.clone());
        }
        if let Some(id) = &filing.identity {
            self.holders
                .entry(id.clone())
                .or_default()
                .insert(key.clone());
        }
        match filing.turn {
            Some(Turn::After(at)) => {
                self.checked.insert((at, key.clone()));
            }
            Some(Turn::First(moment, spread)) => {
                let round = self.first.entry(moment).or_default();
                round.insert((spread, key.clone()));
            }
            None => {}
        }
    }

    pub(crate) fn take(&mut self, key: &Key, filing: &Filing) {
        if self.aim.is_none() {
            return;
        }
        self.staying -= usize::from(filing.stays);
        self.working -= usize::from(filing.works);
        self.serving -= usize::from(filing.serves);
        self.missed -= usize::from(filing.missed);
        self.serving_outdated -= usize::from(filing.serves_outdated);
        self.unasked -= usize::from(filing.unasked);
        for set in self.sets(filing) {
            set.remove(key);
        }
        if let Some(created) = filing.foreign {
            self.foreign.remove(&(created, key.clone()));
        }
        if let Some(standing) = filing.outdated {
            self.outdated.remove(&(standing, key.clone()));
        }
        if let Some(token) = filing.token
            && self.tokens.get(&token) == Some(key)
        {
            self.tokens.remove(&token);
        }
        if let Some(id) = &filing.identity
            && let Some(holders) = self.holders.get_mut(id)
        {
            holders.remove(key);
            if holders.is_empty() {
                self.holders.remove(id);
            }
        }
        match filing.turn {
            Some(Turn::After(at)) => {
                self.checked.remove(&(at, key.clone()));
            }
            Some(Turn::First(moment, spread)) => {
                if let Some(round) = self.first.get_mut(&moment) {
                    round.remove(&(spread, key.clone()));
                    if round.is_empty() {
                        self.first.remove(&moment);
                    }
                }
            }
            None => {}
        }
    }

    /// Judges an identity anew after its holders changed; `staying` is how many of them stay.
    pub(crate) fn judge(&mut self, id: &LogicalId, staying: usize) {
        let Some(aim) = &self.aim else { return };
        if !matches!(aim.spec.size, Size::Pets(_)) {
            return;
        }
        let wanted = aim.wanted.get(id).copied();
        if let Some(position) = wanted {
            if self.holders.contains_key(id) {
                self.free.remove(&position);
            } else {
                self.free.insert(position);
            }
        }
        let contested = if wanted.is_some() {
            staying > 1
        } else {
            staying > 0
        };
        if contested {
            self.contested.insert(id.clone());
        } else {
            self.contested.remove(id);
        }
    }

    /// Returns the working members of other configurations of whom nobody has heard.
    pub(crate) fn unheard(&self) -> impl Iterator<Item = &Key> {
        let first = Key {
            id: InstanceId::default(),
            plugin: PluginName::default(),
        };
        let unheard = self.outdated.range((Standing::Untried, first)..);
        unheard
            .take_while(|(standing, _)| *standing <= Standing::Unheard)
            .map(|(_, key)| key)
    }

    /// Returns the working members of other configurations that no intent of this record made, and
    /// that became known after `since`.
    pub(crate) fn foreign_since(&self, since: Timestamp) -> impl Iterator<Item = &Key> {
        let first = Key {
            id: InstanceId::default(),
            plugin: PluginName::default(),
        };
        let later = self.foreign.range((since, first)..);
        later.map(|(_, key)| key)
    }

    /// Returns members that are not known as unhealthy, those first that were never asked, then
    /// those that were asked longest ago.
    pub(crate) fn controls(&self) -> impl Iterator<Item = &Key> {
        let first = self.first.values().flatten().map(|(_, key)| key);
        let checked = self.checked.iter().map(|(_, key)| key);
        let all = first.chain(checked);
        all.filter(|key| !self.unhealthy.contains(key))
    }

    /// Returns the members whose last verdict came since that moment.
    pub(crate) fn asked_since(&self, since: Timestamp) -> impl Iterator<Item = &Key> {
        let first = Key {
            id: InstanceId::default(),
            plugin: PluginName::default(),
        };
        let later = self.checked.range((since, first)..);
        later.map(|(_, key)| key)
    }

    /// Returns how many members there are that were asked or, after a restart, have yet to be.
    pub(crate) fn askable(&self) -> usize {
        self.checked.len() + self.unasked
    }

    /// Returns how many of them were asked by this life of the controller.
    pub(crate) fn asked(&self) -> usize {
        self.checked.len()
    }

    /// Returns how many verdicts are awaited.
    pub(crate) fn awaited(&self) -> usize {
        self.flying.len()
    }

    /// Returns whether a suspect has others beside it that can be asked: nobody can say of one that comes
    /// up how it is.
    pub(crate) fn witnesses(&self) -> Witnesses {
        if self.staying > 1 + self.coming_up.len() {
            Witnesses::Some
        } else {
            Witnesses::None
        }
    }
}

/// A number that depends on the id alone (FNV-1a, then mixed once more: ids often differ in their
/// last characters only, which reach too few of its upper bits).
pub(crate) fn spread(id: &str) -> u32 {
    let hash = id.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let mixed = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    mixed ^ (mixed >> 13)
}
