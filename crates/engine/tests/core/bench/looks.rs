//! What tests look at: what there is, what was asked for, what is on record.

use std::collections::BTreeSet;

use infrakit_plan::Memory;
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Description;
use infrakit_spi::rollout::ConditionKind;
use infrakit_spi::{Error, InstanceId, Tags, tags};
use infrakit_store::Store as _;

use super::{Bench, GROUP};

impl Bench {
    /// An instance on the plugin `file`, to be changed.
    pub(crate) fn instance(&mut self, id: &str) -> &mut Description {
        let key = ("file".into(), id.into());
        self.instances.get_mut(&key).unwrap()
    }

    /// The tags of the first instance.
    pub(crate) fn tags(&self) -> Tags {
        let first = self.instances.values().next();
        first.and_then(|one| one.tags.clone()).unwrap()
    }

    /// Its id.
    pub(crate) fn first(&self) -> String {
        self.ids()[0].to_owned()
    }

    /// What the flavor says of a member.
    pub(super) fn verdict(&self, id: &InstanceId) -> Result<Health, Error> {
        match (self.silent.contains(id), self.sick.contains(id)) {
            (true, _) => Err(Error::unknown("no answer")),
            (false, true) => Ok(Health::Unhealthy),
            (false, false) => Ok(Health::Healthy),
        }
    }

    /// The ids of the instances, in order.
    pub(crate) fn ids(&self) -> Vec<&str> {
        self.instances.keys().map(|(_, id)| id.as_str()).collect()
    }

    /// How many instances live on a plugin.
    pub(crate) fn on(&self, plugin: &str) -> usize {
        let homes = self.instances.keys();
        homes.filter(|(home, _)| home.as_str() == plugin).count()
    }

    /// The identities of the instances, in order.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        let tags = self.instances.values().filter_map(|one| one.tags.as_ref());
        tags.filter_map(|tags| tags.get(tags::LOGICAL_ID))
            .map(String::as_str)
            .collect()
    }

    /// Calls of one kind that were made so far.
    pub(crate) fn count(&self, kind: &str) -> usize {
        let calls = self.made.iter();
        calls.filter(|call| call.starts_with(kind)).count()
    }

    pub(crate) fn converged(&self) -> bool {
        self.core.describe(&GROUP.into()).unwrap().converged
    }

    /// The memory as it is in the store.
    pub(crate) fn memory(&self) -> Memory {
        let found = self.store.get(&"memory/g".into()).unwrap();
        found.value.decode().unwrap()
    }

    /// Whether the group is degraded, and the reason in one word.
    pub(crate) fn degraded(&self) -> (bool, String) {
        let conditions = self.core.conditions(&GROUP.into(), self.now).unwrap();
        let mut conditions = conditions.into_iter();
        let degraded = conditions.find(|one| one.kind == ConditionKind::Degraded);
        degraded.map(|one| (one.status, one.reason)).unwrap()
    }

    /// Creations that the store takes to be open.
    pub(crate) fn open_creations(&self) -> u64 {
        let found = self.store.scan("intents/").into_iter();
        let values = found.map(|(_, found)| found.value.decode::<serde_json::Value>().unwrap());
        values.filter_map(|value| value["count"].as_u64()).sum()
    }

    /// The keys of the records under a prefix.
    pub(crate) fn records(&self, prefix: &str) -> Vec<String> {
        let found = self.store.scan(prefix).into_iter();
        found.map(|(key, _)| key.to_string()).collect()
    }
}
