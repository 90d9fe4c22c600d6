//! What a creation may be answered with, and what it may not.
//!
//! An answer names an instance, and may name the wrong one: such a one is never touched. What the creation
//! really made, if anything, only a list can tell.

use infrakit_plan::guards::Guard;
use infrakit_plan::{Departure, Member, Step, Timestamp};
use infrakit_spi::instance::Description;
use infrakit_spi::{Error, InstanceId, PluginName};

use crate::core::{Core, Group, Target};

/// Whose an id is that a creation was answered with.
enum Holder {
    /// It may well be that of a new instance.
    New,
    /// It was that of a member of the same group that goes or has gone, or that nobody here has made. Its
    /// plugin may use the id again, or have named the wrong one: the next list that shows it tells, and nobody
    /// is to blame before that.
    Former,
    /// It is that of another one, as these words say.
    Another(String),
}

impl Core {
    /// Takes in what creation `number` of a group was answered with, unless its id may not be that of a new
    /// instance. Returns it, and whether its plugin is to blame for naming the wrong one. `begun` is when the
    /// creation was.
    pub(in crate::core) fn take_name(
        &mut self,
        creation @ (target, number): (&Target, u64),
        plugin: &PluginName,
        made: Box<Description>,
        (begun, now): (Timestamp, Timestamp),
    ) -> (Result<Box<Description>, Error>, bool) {
        if made.id.as_str().is_empty() {
            return (Err(nameless(plugin)), true);
        }
        let id = &made.id;
        match self.holder(creation, (plugin, id), begun) {
            Holder::New => {
                if self.is_news(target, number) {
                    self.give(creation, (plugin, id), now);
                }
                (Ok(made), false)
            }
            Holder::Former => {
                self.hold_back(target, (plugin, id), now);
                if let Some(group) = self.groups.living(target) {
                    group.seen.may_have_gone(plugin, id, now);
                    let key = (plugin.clone(), id.clone());
                    if let Some(decided) = group.memory.decided.get_mut(&key) {
                        decided.since = decided.since.max(now);
                    }
                }
                self.claim(&target.group, (plugin, id), now);
                (Err(unclear(plugin, id)), false)
            }
            Holder::Another(owner) => {
                self.claim(&target.group, (plugin, id), now);
                (Err(not_ours(plugin, id, &owner)), true)
            }
        }
    }

    /// Takes back what was decided of a member and has not begun: it may have gone by itself, and its id be
    /// another one's. It is asked to go on the word of a later list.
    fn hold_back(
        &mut self,
        target: &Target,
        (plugin, id): (&PluginName, &InstanceId),
        now: Timestamp,
    ) {
        let group = self.groups.with_remains(&target.group);
        let decided = group.and_then(|group| {
            let member = group.seen.get_on(plugin, id)?;
            let asked = self.may_have_been_asked_to_go(group, member);
            member.departure.filter(|_| !asked)
        });
        let Some(decided) = decided else {
            return;
        };
        self.withdraw(target);
        if let Some(group) = self.groups.living(target)
            && let Some(mut member) = group.seen.get_mut_on(plugin, id)
        {
            member.departure = Some(Departure {
                step: Step::Failed(0, now),
                taken: Some(now),
                ..decided
            });
        }
    }

    /// Returns whether no list has told of a creation before its answer. Where one has, another group may
    /// have been given the id since.
    fn is_news(&self, target: &Target, number: u64) -> bool {
        let group = self.groups.with_remains(&target.group);
        group.is_some_and(|group| {
            group.seen.made_by(number).is_none() && !group.young.was_told(number)
        })
    }

    fn holder(
        &self,
        (target, number): (&Target, u64),
        (plugin, id): (&PluginName, &InstanceId),
        begun: Timestamp,
    ) -> Holder {
        let observer = self.observers.get(plugin).filter(|_| Guard::Ids.stands());
        let Some(observer) = observer else {
            return Holder::New;
        };
        let behaviour = self.behaviours.of(plugin);
        // A member that lists have shown and lack now may have gone, and its plugin uses the id again; so may
        // one that goes by its plugin's own word. One that was made a moment ago lists would not show yet.
        let lost = |member: &Member| member.is_lacked() || member.description.state.is_leaving();
        let own = self.groups.with_remains(&target.group);
        if let Some(member) = own.and_then(|group| group.seen.get_on(plugin, id)) {
            if member.token == Some(number) {
                // A list has shown it before its answer came.
                return Holder::New;
            }
            let key = (plugin.clone(), id.clone());
            let decided = own.is_some_and(|own| own.memory.decided.contains_key(&key));
            let goes = member.departure.is_some() || decided || lost(member);
            // One without a token that came since may be what this very creation made.
            let older = member.first_shown.is_none_or(|shown| shown < begun);
            let nobodys = older && member.token.is_none();
            let given_out = nobodys && behaviour.gives_out_machines();
            if (goes || given_out) && behaviour.reuses_ids() {
                return if behaviour.shows_tokens() {
                    Holder::Former
                } else {
                    Holder::New
                };
            }
            if goes && older || member.token.is_some() {
                return Holder::Another("was made by another creation".to_owned());
            }
        }
        let others = observer.holders(id).iter();
        let others = others.filter(|group| **group != target.group);
        let others = others.filter_map(|group| self.groups.with_remains(group));
        let mut others = others.filter_map(|group| Some((group, group.seen.get_on(plugin, id)?)));
        if let Some((owner, member)) = others.next() {
            // One that was asked to go may have gone, and its plugin uses the id again.
            let gone = self.may_have_been_asked_to_go(owner, member) || lost(member);
            if gone && behaviour.reuses_ids() {
                return Holder::New;
            }
            return Holder::Another(format!("is a member of group `{}`", owner.id()));
        }
        // Machines are listed whether they are given out or not. Whoever has this one, a list tells
        // before it is touched.
        let shown = observer.shown(id).is_some_and(|shown| shown < begun);
        if shown && !behaviour.gives_out_machines() {
            return Holder::Another("was listed before that creation began".to_owned());
        }
        Holder::New
    }

    /// Returns whether a call for the end of a member was made, or may have been: what is being written
    /// down, or waits for a slot, has not begun.
    fn may_have_been_asked_to_go(&self, group: &Group, member: &Member) -> bool {
        member.departure.is_some_and(|departure| {
            let begun = !departure.is_in_flight();
            let place = (&member.plugin, &member.id);
            begun || departure.taken.is_some() || self.calls.is_destroying(&group.target, place)
        })
    }
}

/// A creation was answered without an id: something was made, and only a list can tell what.
fn nameless(plugin: &PluginName) -> Error {
    Error::unusable(format!("`{plugin}` answered a creation without an id"))
}

/// A creation was answered with an id that is not that of a new instance. Something may have been
/// made all the same: only a list tells.
fn not_ours(plugin: &PluginName, id: &InstanceId, owner: &str) -> Error {
    Error::unusable(format!(
        "`{plugin}` answered a creation with `{id}`, which {owner}; it is not touched"
    ))
}

/// A creation was answered with the id of one that was a member before: either that has gone, or the answer
/// is wrong.
fn unclear(plugin: &PluginName, id: &InstanceId) -> Error {
    Error::unusable(format!(
        "`{plugin}` answered a creation with `{id}`, which was a member before; a list tells whether it \
         uses the id again"
    ))
}
