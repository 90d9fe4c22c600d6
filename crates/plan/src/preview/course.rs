//! The course of a preview: what happens in its world when its time has come.

use std::collections::BTreeMap;

use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Description;
use infrakit_spi::{PluginName, Tags};

use super::event::Event;
use super::model::{Model, key};
use crate::observation::Key;
use crate::{Lag, Listed, Member, Origin, Plan, Timestamp};

impl Model {
    /// Lets the clock jump, and everything happen that happens until then.
    pub(super) fn advance(&mut self, to: Timestamp, decided: &Plan) {
        let waits = to > self.now;
        self.now = to;
        if waits {
            self.say_what_is_between(decided);
        }
        let mut labelled: Vec<(Key, Tags)> = Vec::new();
        while let Some(entry) = self.events.first_entry() {
            if *entry.key() > to {
                break;
            }
            for event in entry.remove() {
                match event {
                    Event::Labelled(key, labels) => labelled.push((key, labels)),
                    other => self.happen(other),
                }
            }
        }
        if !labelled.is_empty() {
            self.label(&labelled);
        }
    }

    fn happen(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Created {
                number,
                plugin,
                description,
                wave,
            } => {
                let key = key(&plugin, &description.id);
                if let Some(intent) = self.memory.intents.remove(&number) {
                    self.memory.creation.succeed(&intent.hash, intent.begun);
                }
                // Here lists show at once what there is.
                let (origin, nonce) = (Origin::Listed, &self.memory.nonce);
                let mut member = Member::new(description, &plugin, origin, nonce, now);
                member.health.ask();
                self.seen.provisioned(member);
                self.done(wave);
                self.later(self.pace.proof(), Event::Healthy(key, wave));
            }
            Event::Healthy(key, wave) => {
                self.verdicts(&key, 1);
                self.done(wave);
                let updating = &self.spec.updating;
                let more = self.config.poll_interval * updating.count.saturating_sub(1);
                let more = more.max(updating.duration);
                if !more.is_zero() {
                    self.later(more, Event::Proved(key, wave));
                }
            }
            Event::Proved(key, wave) => {
                self.verdicts(&key, self.spec.updating.count.max(2) - 1);
                self.done(wave);
            }
            // One that was suspected before goes on to be unhealthy.
            Event::Verdict(key) => {
                if let Some(mut member) = self.seen.get_mut_on(&key.plugin, &key.id) {
                    member.health.note(Health::Unhealthy, now);
                }
            }
            Event::Gone(key, wave) => {
                let goes = |member: &Member| member.departure.is_some();
                if self.seen.at(&key).is_some_and(goes) {
                    self.seen.vanish(&key);
                    self.done(wave);
                }
            }
            Event::Labelled(..) => {}
        }
    }

    /// Notes good verdicts, and that no others have to be asked for.
    fn verdicts(&mut self, key: &Key, count: u32) {
        let now = self.now;
        if let Some(mut member) = self.seen.get_mut_on(&key.plugin, &key.id) {
            for _ in 0..count {
                member.health.note(Health::Healthy, now);
            }
            member.health.ask();
        }
    }

    fn done(&mut self, wave: Option<usize>) {
        let passed = self.now.since(self.begun);
        if let Some(wave) = wave.and_then(|wave| self.waves.get_mut(wave)) {
            wave.takes = passed.saturating_sub(wave.at);
        }
    }

    /// Shows labels as a list would.
    fn label(&mut self, labelled: &[(Key, Tags)]) {
        let labels: BTreeMap<&Key, &Tags> =
            labelled.iter().map(|(key, tags)| (key, tags)).collect();
        let mut lists: BTreeMap<PluginName, Vec<Description>> = BTreeMap::new();
        for (key, member) in self.seen.entries() {
            let mut description = (*member.description).clone();
            if let Some(labels) = labels.get(key) {
                let tags = description.tags.get_or_insert_default();
                tags.extend((*labels).clone());
            }
            lists
                .entry(key.plugin.clone())
                .or_default()
                .push(description);
        }
        for (plugin, list) in lists {
            let circumstances = Listed {
                plugin: &plugin,
                started: self.now,
                now: self.now,
                lag: Lag::NONE,
            };
            let nonce = &self.memory.nonce;
            self.seen
                .apply(&self.memory.group, list, circumstances, nonce);
        }
    }
}
