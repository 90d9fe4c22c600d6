//! The judge's books: what people asked for and were told, and what each life of a controller heard.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::flavor::Health;
use infrakit_spi::group::GroupSpec;
use infrakit_spi::{GroupId, InstanceId, LogicalId, PluginName, tags};

use super::sight::{Open, Sight};
use super::truth::may_be_missed;
use super::{Pace, Promise, Told};
use crate::controller::{Answer, Ask, Foreseen, Operation, Ticket};
use crate::world::{MINUTE, Machine, Park, Traits};

/// The most members that a group has had since its promise was made, up to its size. A group that
/// is yet to grow need not serve with members that it never had.
#[derive(Clone, Debug, Default)]
struct Reached {
    size: u64,
    hash: String,
    count: u64,
}

/// After how long a destruction hangs where its plugin declares nothing, as is documented.
const STUCK: u64 = 15 * MINUTE;

/// Calls for the end of an instance.
#[derive(Clone, Debug)]
pub struct AskedToGo {
    /// For which group the last one was.
    pub by: GroupId,
    pub first: u64,
    pub last: u64,
}

/// The books.
#[derive(Debug, Default)]
pub struct Ledger {
    sights: BTreeMap<u32, Sight>,
    /// Groups that somebody put under management and nobody took away.
    pub groups: BTreeSet<GroupId>,
    /// Groups that are to be destroyed.
    pub destroying: BTreeSet<GroupId>,
    /// What people were told.
    pub told: Told,
    /// What was begun how often.
    pub pace: Pace,
    /// Instances that lists did not show when the last was seen of their group, which was to be
    /// destroyed: nobody looks for them any more.
    pub given_up: BTreeSet<(PluginName, InstanceId)>,
    /// Groups that had like members at some time since they came under management.
    alike: BTreeSet<GroupId>,
    /// Plugins that each group has lived on since it came under management.
    homes: BTreeMap<GroupId, BTreeSet<PluginName>>,
    /// Where groups had lived that were given up: who takes one up in the middle of a move goes on with that.
    left: BTreeMap<GroupId, BTreeSet<PluginName>>,
    /// Groups that were given up in the middle of a move.
    moving: BTreeSet<GroupId>,
    /// Members whose end a person asked for.
    pub requested: BTreeSet<(GroupId, InstanceId)>,
    /// Instances whose destruction any life has asked for.
    pub asked_to_go: BTreeMap<(PluginName, InstanceId), AskedToGo>,
    /// The last verdict on each instance that any life was told.
    pub verdicts: BTreeMap<(PluginName, InstanceId), Health>,
    /// How many members each group has reached under the promise in force.
    reached: BTreeMap<GroupId, Reached>,
    done: BTreeMap<GroupId, Foreseen>,
    /// How many destructions were asked for of groups that nobody has under management.
    pub ended: u64,
    /// When each term of office began.
    pub terms: Vec<(u64, u64)>,
    /// How long lists may lag behind creations that were answered, where nothing is declared.
    visibility: u64,
    /// How long they may where it is: what is answered when it is accepted may come much later.
    after_answer: BTreeMap<PluginName, u64>,
    /// After how long a destruction that has not happened hangs, where that is declared.
    stuck: BTreeMap<PluginName, u64>,
    /// Identity of the member that controllers run on.
    pub own: Option<LogicalId>,
}

impl Ledger {
    /// Opens the books of a world like this.
    #[must_use]
    pub fn new(traits: &Traits) -> Self {
        let nanos = |long: Duration| u64::try_from(long.as_nanos()).unwrap_or(u64::MAX);
        let visibility = nanos(traits.visibility);
        let after_answer = |(plugin, behaviour): (&PluginName, &Behaviour)| {
            let lag = behaviour.visibility().max(behaviour.relapse());
            let long = behaviour.goes_on_after_answer() + lag;
            (plugin.clone(), nanos(long).max(visibility))
        };
        let stuck = |(plugin, behaviour): (&PluginName, &Behaviour)| {
            (plugin.clone(), nanos(behaviour.destruction_stuck()))
        };
        Self {
            visibility,
            after_answer: traits.behaviours.iter().map(after_answer).collect(),
            stuck: traits.behaviours.iter().map(stuck).collect(),
            own: traits.own.clone(),
            ..Self::default()
        }
    }

    /// Opens the book of a new life.
    pub fn begin(&mut self, life: u32, term: u64) {
        let sight = Sight {
            term,
            ..Sight::default()
        };
        self.sights.insert(life, sight);
    }

    /// Notes which groups there are to be in the end, and which are to be no more.
    pub fn expect(&mut self, groups: BTreeSet<GroupId>, destroying: BTreeSet<GroupId>) {
        self.groups = groups;
        self.destroying = destroying;
    }

    /// Closes the book of a life.
    pub fn end(&mut self, life: u32) {
        self.sights.remove(&life);
    }

    /// Returns the book of a life.
    #[must_use]
    pub fn sight(&self, life: u32) -> Option<&Sight> {
        self.sights.get(&life)
    }

    /// Returns the book of a life, to write into.
    pub fn sight_mut(&mut self, life: u32) -> Option<&mut Sight> {
        self.sights.get_mut(&life)
    }

    /// Notes which specs a life has in force.
    pub fn in_force(&mut self, life: u32, specs: &[GroupSpec], (park, now): (&Park, u64)) {
        let promises: BTreeMap<GroupId, Promise> = specs
            .iter()
            .filter_map(|spec| Some((spec.id.clone(), Promise::of(spec)?)))
            .collect();
        let former = self.sights.get(&life).map(|sight| sight.promises.clone());
        for (former, promise) in former.into_iter().flatten() {
            if !promises.contains_key(&former) {
                // Of one that is destroyed it is still to be seen what is left.
                if !self.destroying.contains(&former) {
                    self.let_go(&former, &promise.plugin, park);
                }
                self.alike.remove(&former);
                // Whoever takes it up again begins with those that are there then.
                self.reached.remove(&former);
            }
        }
        if let Some(sight) = self.sights.get_mut(&life) {
            for (group, promise) in &promises {
                let homes = self.homes.entry(group.clone()).or_default();
                homes.insert(promise.plugin.clone());
                if self.moving.remove(group) {
                    homes.extend(self.left.get(group).into_iter().flatten().cloned());
                }
                if promise.ids.is_none() {
                    self.alike.insert(group.clone());
                }
            }
            let freed: BTreeSet<&GroupId> = self.told.perhaps_freed().collect();
            let known = |group: &GroupId| promises.contains_key(group) || freed.contains(group);
            sight.members.retain(|_, seen| known(&seen.group));
            sight.promises = promises;
        }
        self.measure(life, park, now);
    }

    /// Notes that a group is given up that was to live on a plugin. Where it was moving there and members
    /// were left behind, whoever takes it up again goes on with that.
    fn let_go(&mut self, group: &GroupId, plugin: &PluginName, park: &Park) {
        let Some(homes) = self.homes.remove(group) else {
            return;
        };
        let mut elsewhere = park
            .of(group.as_str())
            .filter(|(home, _)| *home != plugin && homes.contains(*home));
        let in_sight = |one: &Machine| one.unseen.is_none() || one.seen_again;
        let known = |one: &Machine| one.listed && in_sight(one) && !one.leaving;
        if elsewhere.any(|(_, one)| known(one)) {
            self.moving.insert(group.clone());
        } else {
            self.moving.remove(group);
        }
        self.left.insert(group.clone(), homes);
    }

    /// Returns how many members a group has to be measured by: its size, or as many as it ever
    /// had under that promise.
    #[must_use]
    pub fn grown(&self, group: &GroupId) -> u64 {
        self.reached.get(group).map_or(0, |reached| reached.count)
    }

    /// Counts the members that there are, by the promises of a life. Those that are rightly taken for
    /// gone are none that a new promise counts on.
    pub fn measure(&mut self, life: u32, park: &Park, now: u64) {
        let Some(sight) = self.sights.get(&life) else {
            return;
        };
        for (group, promise) in &sight.promises {
            let there = park.of(group.as_str()).filter(|(plugin, one)| {
                let home = self
                    .homes
                    .get(group)
                    .is_some_and(|homes| homes.contains(*plugin));
                // Nobody counts on one that a person wants gone.
                let wanted = !self.requested.contains(&(group.clone(), one.id.clone()));
                let missed = || may_be_missed(park, (group, sight), (*plugin, one), now);
                home && wanted && !one.leaving && one.is_asked_for() && !missed()
            });
            let count = (there.count() as u64).min(promise.size);
            let reached = self.reached.entry(group.clone()).or_default();
            if reached.size == promise.size && reached.hash == promise.hash {
                reached.count = reached.count.max(count);
            } else {
                *reached = Reached {
                    size: promise.size,
                    hash: promise.hash.clone(),
                    count,
                };
            }
        }
    }

    /// Notes what a person asked for and was granted, although it may not be written yet.
    pub fn operated(&mut self, life: u32, (group, operation): (&GroupId, &Operation), park: &Park) {
        match operation {
            Operation::Commit { .. } => {
                self.groups.insert(group.clone());
                self.destroying.remove(group);
            }
            Operation::DestroyMembers(ids) => {
                let named = ids.iter().map(|id| (group.clone(), id.clone()));
                self.requested.extend(named);
            }
            Operation::Destroy => {
                self.destroying.insert(group.clone());
                self.groups.remove(group);
            }
            Operation::Free => {
                self.groups.remove(group);
                self.destroying.remove(group);
                let promise = self.sights.get(&life);
                let promise = promise.and_then(|sight| sight.promises.get(group));
                if let Some(plugin) = promise.map(|promise| promise.plugin.clone()) {
                    self.let_go(group, &plugin, park);
                }
            }
            Operation::SetSize(_)
            | Operation::Pause
            | Operation::Resume
            | Operation::Approve
            | Operation::Abort
            | Operation::Rollback(_)
            | Operation::Hold(_)
            | Operation::Release(_) => {}
        }
    }

    /// Notes that what a person was granted did not come to be written: a group that was to be given up
    /// lives where it lived.
    pub fn not_written(&mut self, life: u32, (group, operation): (&GroupId, &Operation)) {
        let sight = self.sights.get(&life);
        let stays = sight.is_some_and(|sight| sight.promises.contains_key(group));
        if matches!(operation, Operation::Free) && stays {
            self.moving.remove(group);
            let left = self.left.get(group).into_iter().flatten().cloned();
            self.homes.entry(group.clone()).or_default().extend(left);
        }
    }

    /// Returns whether a person asked for the end of a member, by its name or with its group.
    #[must_use]
    pub fn asked_for(&self, group: &GroupId, id: &InstanceId) -> bool {
        self.destroying.contains(group) || self.requested.contains(&(group.clone(), id.clone()))
    }

    /// Returns whether a group has lived on a plugin since somebody took it up. What a group that
    /// was given up has left elsewhere is nobody's affair.
    #[must_use]
    pub fn is_home(&self, group: &GroupId, plugin: &PluginName) -> bool {
        self.homes
            .get(group)
            .is_some_and(|homes| homes.contains(plugin))
    }

    /// Returns whether members of a group on a plugin may be its own: it lives there, or did when it was
    /// given up.
    #[must_use]
    pub fn may_be_home(&self, group: &GroupId, plugin: &PluginName) -> bool {
        let left = self.left.get(group);
        self.is_home(group, plugin) || left.is_some_and(|homes| homes.contains(plugin))
    }

    /// Returns whether members without identity are a group's own. In one that always had named
    /// members they are nobody's.
    #[must_use]
    pub fn owns_nameless(&self, group: &GroupId) -> bool {
        self.alike.contains(group)
    }

    /// Forgets what was done for a group so far.
    pub fn begin_account(&mut self, group: &GroupId) {
        self.done.remove(group);
    }

    /// Returns what was done for a group since its account was begun.
    #[must_use]
    pub fn account(&self, group: &GroupId) -> Foreseen {
        self.done.get(group).cloned().unwrap_or_default()
    }

    /// Notes that an instance is gone; another may be given its id.
    pub fn gone(&mut self, plugin: &PluginName, id: &InstanceId, group: Option<&GroupId>) {
        self.verdicts.remove(&(plugin.clone(), id.clone()));
        self.asked_to_go.remove(&(plugin.clone(), id.clone()));
        self.given_up.remove(&(plugin.clone(), id.clone()));
        if let Some(group) = group {
            self.requested.remove(&(group.clone(), id.clone()));
            self.told.gone(group, id);
        }
    }

    /// Returns whether a member that goes is counted on by those who cannot know that, since it is said to be
    /// well: its destruction hangs, as its plugin declares or as is documented of one that declares nothing;
    /// or it was meant, lately, for whoever had the id in another group.
    #[must_use]
    pub fn seems_to_stay(
        &self,
        (plugin, id): (&PluginName, &InstanceId),
        group: &GroupId,
        (now, age): (u64, u64),
    ) -> bool {
        let place = (plugin.clone(), id.clone());
        let stuck = self.stuck.get(plugin).copied().unwrap_or(STUCK);
        let unknown = self.asked_to_go.get(&place).is_some_and(|asked| {
            let hangs = asked.last + stuck <= now;
            let mistaken = asked.by != *group && asked.last + age >= now;
            hangs || mistaken
        });
        unknown && self.verdicts.get(&place) == Some(&Health::Healthy)
    }

    /// Notes what a life is about to do.
    pub fn asked(&mut self, life: u32, ticket: Ticket, ask: &Ask, now: u64) {
        self.pace.asked(ask, now);
        let Some(sight) = self.sights.get_mut(&life) else {
            return;
        };
        let open = match ask {
            Ask::List { plugin, filter, .. } => Open::List {
                plugin: plugin.clone(),
                group: filter.get(tags::GROUP).map(|id| id.as_str().into()),
                started: now,
            },
            Ask::Create(creation) => {
                self.done.entry(creation.group.clone()).or_default().come += 1;
                Open::Create {
                    group: creation.group.clone(),
                    plugin: creation.plugin.clone(),
                }
            }
            Ask::Destroy {
                group, plugin, id, ..
            } => {
                let done = self.done.entry(group.clone()).or_default();
                done.go.insert(id.clone());
                self.ended += u64::from(!self.groups.contains(group));
                let asked = self.asked_to_go.entry((plugin.clone(), id.clone()));
                let asked = asked.or_insert_with(|| AskedToGo {
                    by: group.clone(),
                    first: now,
                    last: now,
                });
                (asked.by, asked.last) = (group.clone(), now);
                Open::Destroy(plugin.clone(), id.clone())
            }
            Ask::Check { plugin, id, .. } => Open::Check(plugin.clone(), id.clone()),
            Ask::Write { .. } | Ask::Label { .. } | Ask::Repair { .. } | Ask::Drain { .. } => {
                Open::Other
            }
        };
        sight.open.insert(ticket, open);
    }

    /// Notes what a life is told.
    pub fn heard(&mut self, life: u32, ticket: Ticket, answer: &Answer, now: u64) {
        let Some(sight) = self.sights.get_mut(&life) else {
            return;
        };
        let Some(open) = sight.open.remove(&ticket) else {
            return;
        };
        match (&open, answer) {
            (Open::List { plugin, .. }, Answer::Listed(Ok(listing))) => {
                let lag = self.after_answer.get(plugin);
                let lag = lag.copied().unwrap_or(self.visibility);
                let former = self.told.perhaps_freed().chain(&self.destroying);
                let former = former.cloned().collect();
                sight.listed(&open, listing, (lag, &former));
            }
            (Open::Create { group, plugin }, Answer::Created(Ok(made))) => {
                sight.note(plugin, group.clone(), (made, Some(now)));
            }
            (Open::Check(plugin, id), Answer::Checked(verdict)) => {
                let told = verdict.clone().unwrap_or_default();
                if told != Health::Unknown {
                    self.verdicts.insert((plugin.clone(), id.clone()), told);
                }
            }
            (Open::Destroy(plugin, id), Answer::Done(Ok(()))) => {
                // An instance that no list has shown need not be missed in one.
                if let Some(seen) = sight.members.get_mut(&(plugin.clone(), id.clone())) {
                    seen.answered = None;
                }
            }
            _ => {}
        }
    }
}
