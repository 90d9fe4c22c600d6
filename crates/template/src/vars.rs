//! The variables of `var`: one namespace, shared by everything that is rendered with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use gotmpl::Value;

use crate::cells::Cells;
use crate::value;

/// Variables that templates read and set with `var`. Clones share their content.
#[derive(Clone, Debug, Default)]
pub struct Vars(Arc<Mutex<BTreeMap<String, Value>>>);

impl Vars {
    /// Returns an empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a variable.
    pub fn set(&self, name: impl Into<String>, value: &serde_json::Value) {
        self.set_value(name.into(), value::from_json(value));
    }

    /// Returns a variable, if it was set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<serde_json::Value> {
        self.get_value(name).map(|value| value::to_json(&value))
    }

    /// Returns the names of all variables, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// Returns a copy: what is set in it is not seen here.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.lock().clone())))
    }

    pub(crate) fn set_value(&self, name: String, value: Value) {
        self.lock().insert(name, value);
    }

    pub(crate) fn get_value(&self, name: &str) -> Option<Value> {
        self.lock().get(name).cloned()
    }

    /// Replaces dicts that were changed by what they hold now.
    pub(crate) fn settle(&self, cells: &Cells) -> Result<(), &'static str> {
        for value in self.lock().values_mut() {
            *value = cells.all_now(value)?;
        }
        Ok(())
    }

    /// A panic between lock and unlock cannot leave the map half changed.
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Into<String>> FromIterator<(K, serde_json::Value)> for Vars {
    fn from_iter<I: IntoIterator<Item = (K, serde_json::Value)>>(entries: I) -> Self {
        let vars = Self::new();
        for (name, value) in entries {
            vars.set(name, &value);
        }
        vars
    }
}
