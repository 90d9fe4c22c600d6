//! One declaration over another, and a declaration as facts that a person reads.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Behaviour;

/// A declaration, field by field: paths as in `create.give_up_s`, values as JSON.
pub type Facts = BTreeMap<String, String>;

impl Behaviour {
    /// Returns what holds where `over` says something else: each field that it declares wins.
    #[must_use]
    pub fn overridden(&self, over: &Self) -> Self {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        merge(&mut value, serde_json::to_value(over).unwrap_or_default());
        serde_json::from_value(value).unwrap_or_else(|_| self.clone())
    }

    /// Returns what is declared, field by field.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let mut facts = Facts::new();
        flatten(
            "",
            &serde_json::to_value(self).unwrap_or_default(),
            &mut facts,
        );
        facts
    }

    /// Returns whether nothing is declared.
    #[must_use]
    pub fn is_undeclared(&self) -> bool {
        *self == Self::default()
    }
}

fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

/// Entries of lists are not taken apart: a limit is read as one.
fn flatten(path: &str, value: &Value, facts: &mut Facts) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                flatten(&path, value, facts);
            }
        }
        Value::String(word) => {
            facts.insert(path.to_owned(), word.clone());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            facts.insert(path.to_owned(), value.to_string());
        }
    }
}
