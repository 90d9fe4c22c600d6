//! Lists: when they are asked for, and what they tell.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_plan::{Listed, Step, Timestamp};
use infrakit_spi::instance::{Description, Listing, Locality};
use infrakit_spi::{GroupId, PluginName, tags};

use super::{Core, Effect, ListAnswer};

impl Core {
    /// Asks for a list of all groups of a plugin as soon as one may be started.
    pub(super) fn look_again(&mut self, plugin: &PluginName, now: Timestamp) {
        if let Some(observer) = self.observers.get_mut(plugin) {
            observer.want_all(now);
        }
    }

    /// Asks for a list of one group that is started after this moment.
    pub fn refresh(&mut self, group: &GroupId, now: Timestamp) {
        let Some(plugin) = self.plugin_of(group).cloned() else {
            return;
        };
        if let Some(observer) = self.observers.get_mut(&plugin) {
            observer.want(group, now);
        }
    }

    pub(super) fn watch(&mut self, plugin: &PluginName, group: &GroupId, now: Timestamp) {
        let observer = self.observers.entry(plugin.clone()).or_default();
        observer.groups.insert(group.clone());
        observer.forget();
        observer.want(group, now);
        observer.want_all(now + self.config.poll_interval);
    }

    pub(super) fn unwatch(&mut self, plugin: &PluginName, group: &GroupId) {
        if let Some(observer) = self.observers.get_mut(plugin) {
            observer.groups.remove(group);
            observer.forget();
        }
    }

    /// Begins the lists that are due.
    pub fn look(&mut self, now: Timestamp) {
        for (plugin, observer) in &mut self.observers {
            if observer.due().is_some_and(|due| due <= now) {
                let (filter, seen) = observer.begin(now);
                let plugin = plugin.clone();
                self.effects.push(Effect::List {
                    plugin,
                    filter,
                    seen,
                    started: now,
                });
            }
        }
    }

    pub(super) fn listed(&mut self, answer: ListAnswer, now: Timestamp) {
        let ListAnswer {
            plugin,
            started,
            locality,
            outcome,
        } = answer;
        let plugin = &plugin;
        let Some(observer) = self.observers.get_mut(plugin) else {
            return;
        };
        let Some(served) = observer.end(started) else {
            return;
        };
        let poll_interval = self.config.poll_interval;
        match outcome {
            Ok(listing) => {
                observer.succeeded(started, now, locality, poll_interval);
                let circumstances = Listed {
                    started,
                    now,
                    locality,
                };
                match listing {
                    Listing::Unchanged => self.nothing_new(&served, circumstances),
                    Listing::Changed(list, fingerprint) => {
                        observer.remember(fingerprint);
                        self.take_in(&served, list, circumstances);
                    }
                }
                self.keep_looking(plugin, &served, now);
            }
            Err(error) => {
                let failures = observer.failed(now, poll_interval);
                // A plugin that stays away is said ever more rarely.
                if failures.is_power_of_two() {
                    tracing::warn!(%plugin, failures, %error, "cannot list instances");
                }
                for id in &served {
                    if let Some(group) = self.groups.get_mut(id) {
                        group.unlisted = Some((now, format!("cannot list `{plugin}`: {error}")));
                    }
                }
            }
        }
    }

    fn nothing_new(&mut self, served: &BTreeSet<GroupId>, circumstances: Listed) {
        for id in served {
            let Some(group) = self.groups.get_mut(id) else {
                continue;
            };
            let seen = group.seen.unchanged(circumstances.started);
            settle_inherited(group, circumstances);
            if seen.anything() || !group.converged {
                self.touch(id);
            }
        }
    }

    fn take_in(
        &mut self,
        served: &BTreeSet<GroupId>,
        list: Vec<Description>,
        circumstances: Listed,
    ) {
        let mut by_group: BTreeMap<&GroupId, Vec<Description>> =
            served.iter().map(|id| (id, Vec::new())).collect();
        for description in list {
            let owner = description
                .tags
                .as_ref()
                .and_then(|tags| tags.get(tags::GROUP));
            let owner = owner.and_then(|owner| served.get(owner.as_str()));
            if let Some(members) = owner.and_then(|owner| by_group.get_mut(owner)) {
                members.push(description);
            }
        }
        for (id, members) in by_group {
            let Some(group) = self.groups.get_mut(id) else {
                continue;
            };
            let first = group.seen.listed().is_none();
            let nonce = group.memory.nonce.as_str();
            let seen = group
                .seen
                .apply(id, members, circumstances, (nonce, &self.config));
            settle_inherited(group, circumstances);
            if seen.vanished > 0 {
                tracing::info!(group = %id, vanished = seen.vanished, "members are gone");
            }
            if seen.anything() || first || !group.converged {
                self.touch(id);
            }
        }
    }

    /// Looks again soon while something is awaited that only a list can show.
    fn keep_looking(&mut self, plugin: &PluginName, served: &BTreeSet<GroupId>, now: Timestamp) {
        let Some(observer) = self.observers.get_mut(plugin) else {
            return;
        };
        for group in served.iter().filter_map(|id| self.groups.get(id)) {
            if awaits_list(group) {
                observer.want_eagerly(group.id(), now, self.config.poll_interval);
            }
        }
    }
}

fn awaits_list(group: &super::Group) -> bool {
    let departed = group.seen.members().any(|member| {
        member
            .departure
            .is_some_and(|departure| matches!(departure.step, Step::Accepted(_)))
    });
    departed
        || group
            .memory
            .intents
            .values()
            .any(|intent| intent.doubt.is_some())
}

/// Creations of a former process cannot come true any more when the plugin died with it.
fn settle_inherited(group: &mut super::Group, circumstances: Listed) {
    if group.inherited.is_empty() || circumstances.locality != Locality::InProcess {
        return;
    }
    for number in std::mem::take(&mut group.inherited) {
        if let Some(intent) = group.memory.intents.get_mut(&number)
            && let Some(doubt) = &mut intent.doubt
        {
            doubt.settle_at = circumstances.started;
        }
    }
}
