//! Whose an id is.
//!
//! Ids are given by plugins, and lists are of a whole plugin: an id may pass from one member to another, in
//! the same group or in another one, and what was decided of the former must not be done to the latter.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_plan::guards::Guard;
use infrakit_plan::{
    Again, Birth, Doubt, FailedCreation, GivenAway, Intent, Origin, Timestamp, Token, Told,
};
use infrakit_spi::instance::Description;
use infrakit_spi::{FailureClass, GroupId, InstanceId, PluginName, tags};

use crate::core::steps::lists::learn;
use crate::core::{Call, Core, Group, Subject, Target};

/// A young member that a list shows as somebody else's.
struct Refuted {
    group: GroupId,
    number: u64,
    id: InstanceId,
    owner: String,
}

impl Core {
    /// Takes in that creation `number` of a group was answered with an id. Whoever had it before is gone, in
    /// this group and in others; what was decided of that one and has not begun is taken back.
    pub(in crate::core) fn give(
        &mut self,
        (target, number): (&Target, u64),
        (plugin, id): (&PluginName, &InstanceId),
        now: Timestamp,
    ) {
        let group = self.groups.living(target);
        let former = group.and_then(|group| group.seen.get_on(plugin, id));
        let birth = Birth {
            token: Some(number),
            incarnation: None,
        };
        if former.is_some_and(|former| former.departure.is_some() && former.is_another(&birth)) {
            self.withdraw(target);
        }
        self.pass_on(&target.group, (plugin, id), now);
    }

    /// Drops young members that a list of their plugin shows as somebody else's.
    pub(in crate::core) fn refute(
        &mut self,
        served: &BTreeSet<GroupId>,
        plugin: &PluginName,
        list: &[Description],
        (started, now): (Timestamp, Timestamp),
    ) {
        let machines = self.behaviours.of(plugin).gives_out_machines();
        for refuted in self.refuted(served, plugin, (list, started)) {
            let Refuted {
                group: id,
                number,
                id: instance,
                owner,
            } = refuted;
            let Some(group) = self.groups.with_remains_mut(&id) else {
                continue;
            };
            doubt_again(group, number, (plugin, &instance), now);
            if machines {
                // The list may be from before the machine was given out: its plugin is not to blame.
                tracing::info!(group = %id, number, %instance, %owner, "a list shows another life of it");
                self.touch(&id);
                continue;
            }
            let message = format!(
                "`{plugin}` answered a creation with `{instance}`, which {owner}; it is not touched"
            );
            tracing::error!(group = %id, number, "{message}");
            let intent = group.memory.intents.get(&number);
            let hash = intent.map_or_else(|| group.spec.hash.clone(), |intent| intent.hash.clone());
            let failed = FailedCreation {
                token: group.memory.token(number),
                hash: &hash,
                class: FailureClass::Other,
                told: Told::Guessed,
                message: &message,
                begun: now,
            };
            group.memory.creation.fail(&failed, now);
            self.touch(&id);
        }
    }

    /// Takes those off the records of departures whose ids a young member of another group was given since:
    /// they are gone, and the first list, which may be from before that, must not bring them back.
    pub(in crate::core) fn spare_the_given(&mut self) {
        let mut owners: BTreeMap<(PluginName, InstanceId), (Timestamp, GroupId)> = BTreeMap::new();
        for group in self.groups.all_with_remains() {
            for (_, plugin, id, since) in group.young.members() {
                let owner = (since, group.id().clone());
                let known = owners.entry((plugin.clone(), id.clone()));
                let known = known.or_insert_with(|| owner.clone());
                if *known < owner {
                    *known = owner;
                }
            }
        }
        let ids: Vec<GroupId> = self
            .groups
            .all_with_remains()
            .map(|group| group.id().clone())
            .collect();
        for id in ids {
            let Some(group) = self.groups.with_remains_mut(&id) else {
                continue;
            };
            for (key @ (plugin, instance), (since, owner)) in &owners {
                if *owner == id || !group.departures.decided_before(key, *since) {
                    continue;
                }
                tracing::info!(group = %id, %instance, %owner, "its id was given to another group");
                group.departures.strike(plugin, instance);
                group.memory.decided.remove(key);
                let given = given_away(group, *since);
                group.seen.give_away(plugin, instance, given);
            }
        }
    }

    /// Returns whether a group has a member of this id.
    fn has(&self, group: &GroupId, (plugin, id): (&PluginName, &InstanceId)) -> bool {
        let group = self.groups.with_remains(group);
        group.is_some_and(|group| group.seen.get_on(plugin, id).is_some())
    }

    /// Returns the groups but this one that have a member of this id.
    fn other_holders(
        &self,
        group: &GroupId,
        (plugin, id): (&PluginName, &InstanceId),
    ) -> Vec<GroupId> {
        let observer = self.observers.get(plugin).into_iter();
        let holders = observer.flat_map(|observer| observer.holders(id));
        let others = holders.filter(|holder| *holder != group);
        let others = others.filter(|holder| self.has(holder, (plugin, id)));
        others.cloned().collect()
    }

    /// Returns whether the list that was asked for at `started` has shown an id as that of a member of a
    /// group.
    fn is_shown(
        &self,
        group: &GroupId,
        (plugin, id): (&PluginName, &InstanceId),
        started: Timestamp,
    ) -> bool {
        let group = self.groups.with_remains(group);
        group.is_some_and(|group| {
            let member = group.seen.get_on(plugin, id);
            member.is_some_and(|member| group.seen.has_shown(member, started))
        })
    }

    /// Returns whether whoever else has an id came so early that a list asked for at `started` cannot be from
    /// before that.
    fn came_before(
        &self,
        started: Timestamp,
        (plugin, id): (&PluginName, &InstanceId),
        claimant: &GroupId,
    ) -> bool {
        let Some(observer) = self.observers.get(plugin) else {
            return false;
        };
        let relapse = self.config.lag(plugin).relapse;
        let others = observer.holders(id).iter().filter(|one| *one != claimant);
        let mut others =
            others.filter_map(|one| self.groups.with_remains(one)?.seen.get_on(plugin, id));
        others.all(|other| started > other.created + relapse)
    }

    /// Takes in that an id was given to a member of a group: whoever else had it is gone, be it that lists
    /// lack it and that is doubted, and what was decided of it must not be done to that one. Of one that
    /// was asked to go, and that lists have shown until now, a list from after that tells.
    fn pass_on(&mut self, to: &GroupId, (plugin, id): (&PluginName, &InstanceId), now: Timestamp) {
        for former in self.other_holders(to, (plugin, id)) {
            let Some(group) = self.groups.with_remains(&former) else {
                continue;
            };
            tracing::info!(group = %former, instance = %id, %to, "its id was given to another group");
            let target = group.target.clone();
            self.withdraw(&target);
            self.give_up_holder(&former, (plugin, id), now);
        }
    }

    /// Notes that a creation of a group was answered with an id that may be another one's. Where that one came
    /// a moment ago, lists that show the id as the group's may be from before.
    pub(in crate::core) fn claim(
        &mut self,
        to: &GroupId,
        (plugin, id): (&PluginName, &InstanceId),
        now: Timestamp,
    ) {
        if let Some(observer) = self.observers.get_mut(plugin) {
            observer.claim(id, to);
        }
        for holder in self.other_holders(to, (plugin, id)) {
            if let Some(group) = self.groups.with_remains_mut(&holder) {
                group.seen.doubt_id(plugin, id, now);
            }
        }
        if !self.came_before(now, (plugin, id), to)
            && let Some(group) = self.groups.with_remains_mut(to)
        {
            let given = given_away(group, now);
            group.seen.give_away(plugin, id, given);
        }
    }

    /// Looks whose the claimed ids are that a list of these groups, asked for at `started`, has shown.
    pub(in crate::core) fn settle_claims(
        &mut self,
        served: &BTreeSet<GroupId>,
        plugin: &PluginName,
        (started, now): (Timestamp, Timestamp),
    ) {
        let Some(observer) = self.observers.get(plugin) else {
            return;
        };
        let claims = observer.claims().iter();
        let claims = claims.filter(|(_, claimant)| served.contains(*claimant));
        let settled: Vec<(InstanceId, GroupId)> = claims
            .filter(|(id, claimant)| self.is_shown(claimant, (plugin, id), started))
            .filter(|(id, claimant)| self.came_before(started, (plugin, id), claimant))
            .map(|(id, claimant)| (id.clone(), claimant.clone()))
            .collect();
        for (id, claimant) in settled {
            self.pass_on(&claimant, (plugin, &id), now);
            if let Some(observer) = self.observers.get_mut(plugin) {
                observer.settle_claim(&id);
            }
        }
    }

    /// Takes in that a member of a group has lost its id to a member of another one.
    pub(in crate::core) fn give_up_holder(
        &mut self,
        former: &GroupId,
        (plugin, id): (&PluginName, &InstanceId),
        now: Timestamp,
    ) {
        let Some(group) = self.groups.with_remains_mut(former) else {
            return;
        };
        let given = given_away(group, now);
        if !group.seen.contest(plugin, id, given) {
            let seen = group.seen.destroyed(plugin, id, now);
            learn(group, &seen, now);
            group.departures.strike(plugin, id);
            group.memory.decided.remove(&(plugin.clone(), id.clone()));
        }
        self.touch(former);
    }

    /// Looks whether members that a list lacks, asked for at `started`, are lacking because their ids are
    /// those of members of other groups by now.
    pub(in crate::core) fn pass_on_the_missing(
        &mut self,
        served: &BTreeSet<GroupId>,
        plugin: &PluginName,
        (started, now): (Timestamp, Timestamp),
    ) {
        let Some(observer) = self.observers.get(plugin) else {
            return;
        };
        let mut given = Vec::new();
        let lacking = observer.lacking().intersection(served);
        for group in lacking.filter_map(|id| self.groups.with_remains(id)) {
            // Of many that are out of sight at once nobody looks for each in all other groups.
            let missing = group.seen.surely_missed(plugin, started);
            for missing in missing.filter(|id| observer.shown(id).is_some()) {
                let mut others = served.iter().filter(|other| *other != group.id());
                let owner = others.find(|other| self.is_shown(other, (plugin, missing), started));
                given.extend(owner.map(|owner| (owner.clone(), missing.clone())));
            }
        }
        for (owner, id) in given {
            self.pass_on(&owner, (plugin, &id), now);
        }
    }

    /// Returns the instance that a call is about, if its group does not have it any more, and another one
    /// has.
    pub(in crate::core) fn passed_on(&self, call: &Call) -> Option<(PluginName, InstanceId)> {
        let Subject {
            target, plugin, id, ..
        } = call.changes()?;
        let own = self.groups.with_remains(&target.group);
        let keeps = own.is_some_and(|own| {
            let member = own.seen.get_on(plugin, id);
            member.is_some_and(|member| !own.seen.is_contested(member))
        });
        let observer = self.observers.get(plugin).filter(|_| !keeps);
        let others = observer.into_iter().flat_map(|observer| observer.groups());
        let mut others = others.filter(|group| **group != target.group);
        let has = others.any(|group| self.has(group, (plugin, id)));
        has.then(|| (plugin.clone(), id.clone()))
    }

    /// Returns whether a call is about a member whose id another one of its group has by now, or may have.
    pub(in crate::core) fn is_succeeded(&self, call: &Call) -> bool {
        let about = call.changes();
        about.is_some_and(|about| {
            let group = self.groups.with_remains(&about.target.group);
            group.is_some_and(|group| !is_it(group, about) || is_held_back(group, call))
        })
    }

    /// Returns whether a call that waited for its slot may reach another one than it was decided for: its member
    /// is gone for all that is known by now, or somebody else may have its id.
    pub(in crate::core) fn is_overtaken(&self, call: &Call) -> bool {
        // A flavor is told of the end of those, too, that are gone.
        let about = call.changes();
        let Some(about) = about.filter(|_| !matches!(call, Call::Drain { .. })) else {
            return false;
        };
        let group = self.groups.with_remains(&about.target.group);
        let there =
            group.is_some_and(|group| group.seen.get_on(&about.plugin, &about.id).is_some());
        !there || self.is_succeeded(call)
    }

    /// Returns whether a list shows an instance in the place of a young member only because it may be from
    /// before that one came: it is one of another group that went, or a former life of its own.
    fn is_from_before(
        &self,
        (group, plugin): (&Group, &PluginName),
        shown: &Description,
        started: Timestamp,
    ) -> bool {
        let list = (started, self.config.lag(plugin));
        let tag = |tag: &str| shown.tags.as_ref().and_then(|all| all.get(tag));
        let owner = tag(tags::GROUP).map(|owner| GroupId::from(owner.as_str()));
        if owner.as_ref() == Some(group.id()) {
            let nonce = &group.memory.nonce;
            return group.seen.shows_a_former((plugin, shown), list, nonce);
        }
        let owner = owner.and_then(|owner| self.groups.with_remains(&owner));
        owner.is_some_and(|owner| owner.seen.may_be_from_before((plugin, &shown.id), list))
    }

    /// A list of everything serves all groups; one of a single group shows no others.
    fn refuted(
        &self,
        served: &BTreeSet<GroupId>,
        plugin: &PluginName,
        (list, started): (&[Description], Timestamp),
    ) -> Vec<Refuted> {
        let groups = served.iter();
        let groups = groups.filter_map(|group| self.groups.with_remains(group));
        let mut young: BTreeMap<&InstanceId, (&Group, u64)> = BTreeMap::new();
        for group in groups {
            let unlisted = group.young.on(plugin).filter(|(id, _)| {
                let member = group.seen.get_on(plugin, id);
                member.is_some_and(|member| member.origin != Origin::Listed)
            });
            young.extend(unlisted.map(|(id, number)| (id, (group, number))));
        }
        if young.is_empty() || !Guard::Ids.stands() {
            return Vec::new();
        }
        let shown = list.iter().filter_map(|one| {
            let (group, number) = young.get(&one.id)?;
            let owner = belongs_to_another(group, *number, one)?;
            if self.is_from_before((group, plugin), one, started) {
                return None;
            }
            Some(Refuted {
                group: group.id().clone(),
                number: *number,
                id: one.id.clone(),
                owner,
            })
        });
        shown.collect()
    }
}

/// Returns how a group loses an id to another one, by `since`.
fn given_away(group: &Group, since: Timestamp) -> GivenAway {
    GivenAway {
        since,
        before: group.memory.next_token,
    }
}

/// Says whose a listed instance is that creation `number` of a group was answered with, if its tags
/// say that it is not what came of that. Tags may come later than the instance.
fn belongs_to_another(group: &Group, number: u64, shown: &Description) -> Option<String> {
    let tags = shown.tags.as_ref()?;
    if let Some(owner) = tags.get(tags::GROUP)
        && owner != group.id().as_str()
    {
        return Some(format!("is a member of group `{owner}`"));
    }
    let token = tags.get(tags::TOKEN)?;
    let own = Token::new(&group.memory.nonce, number).to_string();
    (*token != own).then(|| "was made by another creation".to_owned())
}

/// Takes back that a creation was answered: nobody knows what came of it.
fn doubt_again(
    group: &mut Group,
    number: u64,
    (plugin, id): (&PluginName, &InstanceId),
    now: Timestamp,
) {
    group.young.remove(number);
    group.newborn.remove(&(plugin.clone(), id.clone()));
    let Some(member) = group.seen.get_on(plugin, id) else {
        return;
    };
    let intent = Intent {
        logical_id: member.logical_id.clone(),
        plugin: plugin.clone(),
        hash: member
            .hash
            .clone()
            .unwrap_or_else(|| group.spec.hash.clone()),
        begun: member.created,
        content: None,
        again: Again::default(),
        doubt: Some(Doubt::since(now)),
    };
    group.memory.intents.insert(number, intent);
    group.seen.disown(plugin, id);
}

/// Returns whether a member is not to be asked to go before a list tells, which a call was decided for.
fn is_held_back(group: &Group, call: &Call) -> bool {
    let Call::Destroy {
        subject, reason, ..
    } = call
    else {
        return false;
    };
    let Some(member) = group.seen.get_on(&subject.plugin, &subject.id) else {
        return false;
    };
    let departure = member.departure;
    group.seen.may_reach_another(member, *reason)
        || departure.is_some_and(|departure| !departure.is_in_flight())
}

/// Returns whether the member that now has the id is the one that a call was about.
pub(in crate::core) fn is_it(group: &Group, subject: &Subject) -> bool {
    let member = group.seen.get_on(&subject.plugin, &subject.id);
    member.is_none_or(|member| {
        // Where it is known what made the one meant, that tells.
        let unknown = subject.birth.token.is_none();
        let younger = unknown && member.token.is_some_and(|token| token >= subject.before);
        !younger && !member.is_another(&subject.birth)
    })
}
