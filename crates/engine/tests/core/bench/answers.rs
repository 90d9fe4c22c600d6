//! What a test says in the place of plugins.

use infrakit_engine::core::{Event, ListAnswer, Subject};
use infrakit_plan::Timestamp;
use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::instance::{Description, Listing, Locality};
use infrakit_spi::{Error, PluginName};

use super::Bench;

impl Bench {
    /// Everything that there is, as a list shows it.
    pub(crate) fn all(&self) -> Vec<Description> {
        self.instances.values().cloned().collect()
    }

    /// Answers a list that was held.
    pub(crate) fn answer_list(
        &mut self,
        (plugin, started): (PluginName, Timestamp),
        outcome: Result<Listing, Error>,
    ) {
        let answer = ListAnswer {
            plugin,
            started,
            locality: Locality::Remote,
            outcome,
        };
        self.core.handle(Event::Listed(answer), self.now);
    }

    /// Answers a destruction.
    pub(crate) fn answer_destruction(&mut self, subject: Subject, outcome: Result<(), Error>) {
        let event = Event::Destroyed { subject, outcome };
        self.core.handle(event, self.now);
    }

    /// Has a plugin say how its provider behaves.
    pub(crate) fn declare(&mut self, plugin: &str, behaviour: Behaviour) {
        let event = Event::Behaves {
            plugin: plugin.into(),
            behaviour: Ok(Box::new(behaviour)),
        };
        self.core.handle(event, self.now);
    }

    /// Has the plugin `file` say that something has changed.
    pub(crate) fn changed(&mut self) {
        let plugin = "file".into();
        self.core.handle(Event::Changed { plugin }, self.now);
    }
}
