//! Which life of an id is meant.
//!
//! Operators name members by id, and so do repairs. But an id is only unique within its plugin, and
//! its plugin may give it to another instance when the first is gone. So what is remembered of an id
//! is bound to the member that has it when it is first planned for, and goes with that one.

use std::collections::BTreeSet;

use infrakit_spi::{InstanceId, PluginName};

use crate::life::Life;
use crate::memory::Memory;
use crate::observation::{Member, Observed};

impl Memory {
    /// Returns whether what is remembered of the member's id is about this member.
    #[must_use]
    pub fn means(&self, member: &Member) -> bool {
        let life = self.lives.get(&member.id);
        life.is_none_or(|life| life.is(member))
    }

    /// Returns whether the operator asked to leave the member alone.
    #[must_use]
    pub fn is_held(&self, member: &Member) -> bool {
        self.held.contains(&member.id) && self.means(member)
    }

    /// Returns whether the operator asked to destroy the member.
    #[must_use]
    pub fn is_doomed(&self, member: &Member) -> bool {
        self.doomed.contains(&member.id) && self.means(member)
    }

    /// Returns whether the member is to go at once, whoever serves.
    #[must_use]
    pub fn is_urgent(&self, member: &Member) -> bool {
        self.urgent.contains(&member.id) && self.means(member)
    }

    /// Returns the member that is meant by what is remembered of an id.
    pub(crate) fn remembered<'a>(&self, id: &InstanceId, seen: &'a Observed) -> Option<&'a Member> {
        let there = match self.lives.get(id) {
            Some(life) => seen.get_on(&life.plugin, id),
            None => seen.get(id),
        };
        there.filter(|member| self.means(member))
    }

    /// Returns the member that is meant by whoever names an id now: the one that was named before, as
    /// long as it is there.
    #[must_use]
    pub fn meant<'a>(&self, id: &InstanceId, seen: &'a Observed) -> Option<&'a Member> {
        self.remembered(id, seen).or_else(|| seen.get(id))
    }

    /// Takes in that somebody names an id anew. Were the member that is held under it there, it would
    /// be known: another one has the id now.
    pub(crate) fn name_anew(&mut self, id: &InstanceId) {
        if self.held.remove(id) {
            self.lives.remove(id);
        }
    }

    /// Returns from which creation on those that are made on `plugin` are others than the members there of
    /// which lists say no number. Whoever comes of one that is under way would be shown with its own,
    /// where lists show it at all.
    #[must_use]
    pub fn others_from(&self, plugin: &PluginName, seen: &Observed) -> u64 {
        let open = || self.intents.keys().next().copied();
        let shown = seen.shows_tokens(plugin);
        shown.then(open).flatten().unwrap_or(self.next_token)
    }

    /// Binds what is remembered of ids to the members that have them, and forgets it with them. A
    /// hold stays while lists lack its member, as long as no other has the id.
    pub(crate) fn bind_lives(&mut self, seen: &Observed) {
        let named = self.doomed.iter().chain(&self.held).chain(&self.drained);
        let named = named.chain(self.repairs.0.keys()).chain(self.lives.keys());
        let named: BTreeSet<InstanceId> = named.cloned().collect();
        for id in named {
            let there = match self.lives.get(&id) {
                Some(life) => seen.get_on(&life.plugin, &id),
                None => seen.get(&id),
            };
            match there {
                Some(member) if self.means(member) => {
                    let others = self.others_from(&member.plugin, seen);
                    let life = self.lives.entry(id);
                    let life = life.or_insert_with(|| Life::of(member, others));
                    // What tells it apart may be declared, or shown, after it was named.
                    let told = life.incarnation.take();
                    life.incarnation = told.or_else(|| member.incarnation.clone());
                }
                Some(_) => {
                    self.forget(&id);
                    self.held.remove(&id);
                }
                None => self.forget(&id),
            }
        }
        let Self {
            doomed,
            held,
            drained,
            repairs,
            ..
        } = self;
        self.lives.retain(|id, _| {
            let named = doomed.contains(id) || held.contains(id) || drained.contains(id);
            named || repairs.0.contains_key(id)
        });
    }

    fn forget(&mut self, id: &InstanceId) {
        self.doomed.remove(id);
        self.urgent.remove(id);
        self.drained.remove(id);
        self.repairs.0.remove(id);
    }
}
