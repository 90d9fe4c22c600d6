//! Every instance that there ever was, with its moments.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fleet;

/// One life of an instance. An id that is used again has several.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) id: String,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) properties: Value,
    pub(super) logical_id: Value,
    pub(super) born: Instant,
    pub(super) gone: Option<Instant>,
    /// Since when somebody wants it to go, whether it goes or not.
    pub(super) doomed: Option<Instant>,
    pub(super) sick: bool,
    hidden: bool,
}

impl Life {
    pub(super) fn group(&self) -> &str {
        self.tags.get(fleet::GROUP).map_or("", String::as_str)
    }

    pub(super) fn lives(&self) -> bool {
        self.gone.is_none()
    }
}

/// A creation that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) group: String,
    pub(super) logical_id: Value,
    pub(super) token: String,
    pub(super) spec: Value,
    pub(super) begun: Instant,
    pub(super) ended: Option<Instant>,
    pub(super) made: Option<String>,
}

/// All lives and all attempts.
#[derive(Default)]
pub(super) struct World {
    pub(super) lives: Vec<Life>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) calls: Vec<(Instant, String, Value)>,
    next: u64,
}

impl World {
    /// Notes that a creation was asked for; returns its number.
    pub(super) fn begin(&mut self, spec: &Value) -> usize {
        let tags = tags(&spec["Tags"]);
        let tag = |name: &str| tags.get(name).cloned().unwrap_or_default();
        self.attempts.push(Attempt {
            group: tag(fleet::GROUP),
            logical_id: spec["LogicalID"].clone(),
            token: tag("infrakit.token"),
            spec: spec.clone(),
            begun: Instant::now(),
            ended: None,
            made: None,
        });
        self.attempts.len() - 1
    }

    /// The last creation that was begun with the token of this one.
    pub(super) fn begun_with(&self, spec: &Value) -> Option<usize> {
        let tags = tags(&spec["Tags"]);
        let token = tags.get("infrakit.token")?;
        self.attempts.iter().rposition(|one| one.token == *token)
    }

    /// Notes that a creation came to an end without an instance.
    pub(super) fn give_up(&mut self, attempt: usize) {
        self.attempts[attempt].ended = Some(Instant::now());
    }

    /// A creation comes true.
    pub(super) fn make(&mut self, attempt: usize, spec: &Value, reuse: bool, sick: bool) -> String {
        let id = if reuse {
            let free = |number: &u64| {
                !self
                    .lives
                    .iter()
                    .any(|life| life.lives() && life.id == name(*number))
            };
            name((1..).find(free).unwrap_or_default())
        } else {
            self.next += 1;
            name(self.next)
        };
        self.put(&id, spec);
        if sick {
            self.sicken(&id, true);
        }
        self.attempts[attempt].ended = Some(Instant::now());
        self.attempts[attempt].made = Some(id.clone());
        id
    }

    pub(super) fn put(&mut self, id: &str, spec: &Value) {
        self.lives.push(Life {
            id: id.to_owned(),
            tags: tags(&spec["Tags"]),
            properties: spec["Properties"].clone(),
            logical_id: spec["LogicalID"].clone(),
            born: Instant::now(),
            gone: None,
            doomed: None,
            sick: false,
            hidden: false,
        });
    }

    /// The life that has the id now, as far as the plugin knows.
    pub(super) fn known(&mut self, id: &str) -> Option<&mut Life> {
        let mut found = self.lives.iter_mut().rev();
        found.find(|life| life.lives() && !life.hidden && life.id == id)
    }

    pub(super) fn sicken(&mut self, id: &str, sick: bool) {
        if let Some(life) = self.known(id) {
            life.sick = sick;
        }
    }

    pub(super) fn hide(&mut self, hidden: bool) {
        for life in &mut self.lives {
            life.hidden = hidden;
        }
    }

    pub(super) fn end(&mut self, id: &str) -> bool {
        let found = self.known(id);
        let there = found.is_some();
        if let Some(life) = found {
            life.gone = Some(Instant::now());
        }
        there
    }

    /// What a list of a moment so long ago shows, of those with these tags.
    pub(super) fn list(&self, age: Duration, wanted: &BTreeMap<String, String>) -> Vec<&Life> {
        let now = Instant::now();
        let then = now.checked_sub(age).unwrap_or(now);
        let all = self.lives.iter().filter(|life| !life.hidden);
        let there =
            all.filter(|life| life.born <= then && life.gone.is_none_or(|gone| gone > then));
        let matching = there.filter(|life| wanted.iter().all(|(k, v)| life.tags.get(k) == Some(v)));
        matching.collect()
    }
}

fn name(number: u64) -> String {
    format!("vm-{number}")
}

pub(super) fn tags(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}
