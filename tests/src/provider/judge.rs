//! What was true, and when: what tests assert.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Provider;
use super::lives::{Life, World};

/// Since when something is counted.
pub type Moment = Instant;

/// An instance as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// `Note` of its properties.
    pub note: String,
    /// Its identity, empty when it has none.
    pub logical: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Provider {
    /// The instances of a group that there are, by id.
    pub fn members(&self, group: &str) -> BTreeMap<String, Shown> {
        let world = self.0.world();
        let lives = world
            .lives
            .iter()
            .filter(|life| life.lives() && life.group() == group);
        lives.map(|life| (life.id.clone(), shown(life))).collect()
    }

    /// The ids of the members of a group.
    pub fn ids(&self, group: &str) -> BTreeSet<String> {
        self.members(group).into_keys().collect()
    }

    /// How often a method was called.
    pub fn calls(&self, method: &str) -> usize {
        let world = self.0.world();
        world
            .calls
            .iter()
            .filter(|(_, name, _)| name == method)
            .count()
    }

    /// When a method was called, and for which instance where it is about one.
    pub fn times(&self, method: &str) -> Vec<(Moment, String)> {
        let world = self.0.world();
        let calls = world.calls.iter().filter(|(_, name, _)| name == method);
        calls
            .map(|(at, _, about)| (*at, about.as_str().unwrap_or_default().to_owned()))
            .collect()
    }

    /// How many creations of a group were asked for.
    pub fn begun(&self, group: &str) -> usize {
        self.begun_since(group, None)
    }

    /// How many creations of a group were asked for since a moment.
    pub fn begun_since(&self, group: &str, since: Option<Moment>) -> usize {
        let world = self.0.world();
        let attempts = world.attempts.iter().filter(|one| one.group == group);
        attempts
            .filter(|one| since.is_none_or(|since| one.begun >= since))
            .count()
    }

    /// How many creations of a group have not ended.
    pub fn open(&self, group: &str) -> usize {
        let world = self.0.world();
        let attempts = world.attempts.iter().filter(|one| one.group == group);
        attempts.filter(|one| one.ended.is_none()).count()
    }

    /// The ids that destructions were asked for.
    pub fn destroyed(&self) -> Vec<String> {
        let times = self.times("Instance.Destroy").into_iter();
        times.map(|(_, id)| id).collect()
    }

    /// The most members that a group ever had at once, with those on their way.
    pub fn peak(&self, group: &str) -> usize {
        let world = self.0.world();
        most(&spans(&world, |of, _| of == group))
    }

    /// The most bodies that any identity of a group ever had at once, with those on their way.
    pub fn bodies(&self, group: &str) -> usize {
        let world = self.0.world();
        let lives = world.lives.iter().filter(|life| life.group() == group);
        let names: BTreeSet<String> = lives.map(|life| text(&life.logical_id)).collect();
        let of = |name: &String| {
            most(&spans(&world, |of, logical| {
                of == group && text(logical) == *name
            }))
        };
        names.iter().map(of).max().unwrap_or_default()
    }

    /// The fewest members of a group that were there at once, since a moment; one that somebody wants
    /// to go does not count.
    pub fn fewest(&self, group: &str, since: Moment) -> usize {
        let world = self.0.world();
        let lives = world.lives.iter().filter(|life| life.group() == group);
        let spans: Vec<(Instant, Option<Instant>)> = lives
            .map(|life| {
                (
                    life.born,
                    [life.doomed, life.gone].into_iter().flatten().min(),
                )
            })
            .collect();
        let at = |moment: Instant| {
            let there = |(from, to): &&(Instant, Option<Instant>)| {
                *from <= moment && to.is_none_or(|to| to > moment)
            };
            spans.iter().filter(there).count()
        };
        // It only ever becomes less at the end of a span.
        let ends = spans
            .iter()
            .filter_map(|(_, to)| *to)
            .filter(|to| *to >= since);
        ends.chain([since]).map(at).min().unwrap_or_default()
    }

    /// Everything about a group, for the message of a test that fails.
    pub fn story(&self, group: &str) -> String {
        let world = self.0.world();
        let Some(start) = world.calls.first().map(|(at, ..)| *at) else {
            return "nothing was ever called".to_owned();
        };
        let since = |at: Instant| at.saturating_duration_since(start).as_secs_f32();
        let mut lines: Vec<(Instant, String)> = Vec::new();
        for one in world.attempts.iter().filter(|one| one.group == group) {
            lines.push((
                one.begun,
                format!("asked for {} {}", one.token, one.logical_id),
            ));
            if let Some(ended) = one.ended {
                lines.push((ended, format!("{} made {:?}", one.token, one.made)));
            }
        }
        for life in world.lives.iter().filter(|life| life.group() == group) {
            lines.extend(life.doomed.map(|at| (at, format!("{} is to go", life.id))));
            lines.extend(life.gone.map(|at| (at, format!("{} is gone", life.id))));
        }
        lines.sort();
        let lines = lines
            .iter()
            .map(|(at, what)| format!("{:8.3} {what}\n", since(*at)));
        lines.collect()
    }

    /// Waits until a group has so many members, all of this note, and nothing is on its way.
    ///
    /// # Panics
    /// When that does not come in time: with the story of the group.
    pub fn settles(&self, group: &str, size: usize, note: &str, limit: Duration) {
        crate::eventually(limit, &format!("`{group}` has {size} of `{note}`"), || {
            let members = self.members(group);
            let right = members.values().all(|one| one.note == note);
            if members.len() == size && right && self.open(group) == 0 {
                Ok(())
            } else {
                Err(format!("{members:?}\n{}", self.story(group)))
            }
        });
    }

    /// Watches for a while that something stays true.
    ///
    /// # Panics
    /// When it is not: with the story of the group.
    pub fn stays(&self, group: &str, time: Duration, what: &str, look: impl Fn(&Self) -> bool) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            assert!(
                look(self),
                "{what}: {:?}\n{}",
                self.ids(group),
                self.story(group)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn shown(life: &Life) -> Shown {
    Shown {
        note: life.properties["Note"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        logical: text(&life.logical_id),
        tags: life.tags.clone(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

type Span = (Instant, Option<Instant>);

/// From when to when there was a body, or one on its way: from the beginning of each creation that
/// came true or is open, and from the birth of those that nobody asked for.
fn spans(world: &World, wanted: impl Fn(&str, &Value) -> bool) -> Vec<Span> {
    let mut spans = Vec::new();
    for life in world
        .lives
        .iter()
        .filter(|life| wanted(life.group(), &life.logical_id))
    {
        let made = |one: &&super::lives::Attempt| {
            one.made.as_ref() == Some(&life.id)
                && one.begun <= life.born
                && one.token == token(life)
        };
        let begun = world.attempts.iter().find(made).map(|one| one.begun);
        spans.push((begun.unwrap_or(life.born), life.gone));
    }
    for one in &world.attempts {
        if one.ended.is_none() && wanted(&one.group, &one.logical_id) {
            spans.push((one.begun, None));
        }
    }
    spans
}

fn token(life: &Life) -> &str {
    life.tags.get("infrakit.token").map_or("", String::as_str)
}

/// The most spans that cover one moment.
fn most(spans: &[Span]) -> usize {
    let mut edges: Vec<(Instant, i32)> = Vec::new();
    for (from, to) in spans {
        edges.push((*from, 1));
        edges.extend(to.map(|to| (to, -1)));
    }
    // At one moment, who goes does so before somebody comes.
    edges.sort();
    let mut now = 0;
    let mut most = 0;
    for (_, step) in edges {
        now += step;
        most = most.max(now);
    }
    usize::try_from(most).unwrap_or_default()
}
