//! A group under test: what is known of it, and short ways to change that and to plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::{
    Action, Again, Changing, Config, Departure, Doubt, Drain, FailedCreation, Intent, Labelling,
    Lag, Listed, Member, Memory, Observed, Origin, Plan, Reason, Spec, Step, Timestamp, Told,
    check, plan,
};
use infrakit_spi::behaviour::{Behaviour, Seconds};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Description;
use infrakit_spi::{Any, FailureClass, InstanceId, LogicalId, PluginName, tags};

/// The nonce of the record under test.
pub(crate) const NONCE: &str = "n";

/// Returns the moment so many seconds after the start of the test.
pub(crate) fn at(seconds: u64) -> Timestamp {
    after(Duration::from_secs(seconds))
}

/// So long before the beginning that no list is from before it.
pub(crate) fn long_ago() -> Timestamp {
    Timestamp(999_900 * 1_000_000_000)
}

pub(crate) fn after(duration: Duration) -> Timestamp {
    Timestamp(1_000_000 * 1_000_000_000) + duration
}

/// Returns the spec of configuration `note` with the given allocation and further fields.
pub(crate) fn spec(allocation: &str, note: &str, more: &str) -> Spec {
    let text = format!(
        r#"{{"Instance":{{"Plugin":"file","Properties":{{"Note":"{note}"}}}},"Allocation":{allocation}{more}}}"#
    );
    Spec::parse(Some(&Any::parse(&text).expect("valid JSON"))).expect("a valid spec")
}

pub(crate) fn cattle(size: u64) -> Spec {
    spec(&format!(r#"{{"Size":{size}}}"#), "v1", "")
}

pub(crate) fn pets(ids: &[&str]) -> Spec {
    spec(&format!(r#"{{"LogicalIDs":{ids:?}}}"#), "v1", "")
}

/// Returns the hash of configuration `note`.
pub(crate) fn hash(note: &str) -> String {
    spec(r#"{"Size":1}"#, note, "").hash.to_string()
}

/// Returns how the plugin shows a member made from configuration `note`.
pub(crate) fn shown(id: &str, note: &str) -> Description {
    tagged(id, &[(tags::CONFIG_HASH, &hash(note))])
}

pub(crate) fn tagged(id: &str, pairs: &[(&str, &str)]) -> Description {
    let group = (tags::GROUP, "g");
    let pairs = pairs.iter().copied().chain([group]);
    Description {
        id: id.into(),
        tags: Some(
            pairs
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        ),
        ..Description::default()
    }
}

/// Adds a tag to a description.
pub(crate) fn and(mut description: Description, key: &str, value: &str) -> Description {
    let tags = description.tags.get_or_insert_default();
    tags.insert(key.to_owned(), value.to_owned());
    description
}

/// A provider whose creations come at once or never, and show in lists 15 s later.
pub(crate) fn gives_up_at_once() -> Behaviour {
    let mut behaviour = Behaviour::default();
    behaviour.create.give_up = Some(Seconds(0.0));
    behaviour
}

/// The answer of a creation was lost at the very beginning.
pub(crate) const DOUBT: Option<Doubt> = Some(Doubt {
    since: Timestamp(0),
    until: Timestamp(0),
});

/// A group under test.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) spec: Spec,
    pub(crate) seen: Observed,
    pub(crate) memory: Memory,
    pub(crate) config: Config,
    pub(crate) now: Timestamp,
    /// What the plugins list.
    pub(crate) list: Vec<Description>,
    /// The plugins of those that do not live on the first one.
    pub(crate) homes: BTreeMap<InstanceId, PluginName>,
}

impl Bench {
    /// A group of which an empty list was seen.
    pub(crate) fn new(spec: Spec) -> Self {
        let memory = Memory {
            group: "g".into(),
            nonce: NONCE.to_owned(),
            next_token: 100,
            ..Memory::default()
        };
        let mut bench = Self {
            spec,
            seen: Observed::default(),
            memory,
            config: Config {
                undeclared: Arc::new(gives_up_at_once()),
                ..Config::default()
            },
            now: at(0),
            list: Vec::new(),
            homes: BTreeMap::new(),
        };
        bench.look();
        bench
    }

    /// A group whose members were made from configuration `v1` and are all healthy.
    pub(crate) fn healthy(spec: Spec, ids: &[&str]) -> Self {
        let mut bench = Self::new(spec);
        for id in ids {
            bench.add(shown(id, "v1"));
            bench.verdict(id, Health::Healthy);
        }
        bench
    }

    /// A group of named members, each named like its instance, all healthy.
    pub(crate) fn named(spec: Spec, ids: &[&str]) -> Self {
        let mut bench = Self::new(spec);
        for id in ids {
            bench.add(and(shown(id, "v1"), tags::LOGICAL_ID, id));
            bench.verdict(id, Health::Healthy);
        }
        bench
    }

    /// Adds an instance and lists.
    pub(crate) fn add(&mut self, description: Description) {
        self.list.push(description);
        self.look();
    }

    /// Returns how many instances have the configuration that the note names.
    pub(crate) fn of(&self, note: &str) -> usize {
        let hash = hash(note);
        let made = self.list.iter().filter(|one| {
            let tags = one.tags.as_ref();
            tags.and_then(tags::config_hash) == Some(hash.as_str())
        });
        made.count()
    }

    /// Removes an instance and lists.
    pub(crate) fn remove(&mut self, id: &str) {
        self.list.retain(|one| one.id.as_str() != id);
        let member = self.seen.get(&id.into());
        let asked = member.is_some_and(|member| member.departure.is_some());
        // How long lists may be behind an end that was asked for is tested where lists are.
        let lag = if asked { Lag::NONE } else { Lag::default() };
        self.look_behind(self.now, lag);
    }

    /// Takes in a complete list that is started now.
    pub(crate) fn look(&mut self) {
        self.look_from(self.now);
    }

    pub(crate) fn look_from(&mut self, started: Timestamp) {
        self.look_behind(started, Lag::default());
    }

    /// Takes in a complete list that may be so far behind.
    pub(crate) fn look_behind(&mut self, started: Timestamp, lag: Lag) {
        let first = PluginName::from("file");
        let mut plugins: BTreeSet<PluginName> = self.homes.values().cloned().collect();
        plugins.insert(first.clone());
        for plugin in &plugins {
            let circumstances = Listed {
                plugin,
                started,
                now: self.now,
                lag,
            };
            let there = |one: &&Description| self.homes.get(&one.id).unwrap_or(&first) == plugin;
            let list: Vec<Description> = self.list.iter().filter(there).cloned().collect();
            self.seen.apply(&"g".into(), list, circumstances, NONCE);
        }
    }

    pub(crate) fn verdict(&mut self, id: &str, health: Health) {
        let now = self.now;
        self.member(id).health.note(health, now);
    }

    /// Notes as many verdicts as make a member sick that was healthy before.
    pub(crate) fn sicken(&mut self, id: &str) {
        self.verdict(id, Health::Healthy);
        self.verdicts(id, 3, Health::Unhealthy);
        self.confirm(id);
    }

    /// Notes the bad verdicts that make a sick member of a suspect.
    pub(crate) fn confirm(&mut self, id: &str) {
        let more = if self.seen.len() > 1 { 10 } else { 30 };
        self.verdicts(id, more, Health::Unhealthy);
    }

    pub(crate) fn verdicts(&mut self, id: &str, count: usize, health: Health) {
        for _ in 0..count {
            self.verdict(id, health);
        }
    }

    pub(crate) fn member(&mut self, id: &str) -> Changing<'_> {
        self.seen
            .get_mut(&InstanceId::from(id))
            .expect("a member of the bench")
    }

    pub(crate) fn depart(&mut self, id: &str, reason: Reason, step: Step) {
        let since = self.now;
        let taken = match step {
            Step::Accepted(at) => Some(at),
            Step::InFlight(_) | Step::Failed(..) => None,
        };
        self.member(id).departure = Some(Departure {
            reason,
            since,
            step,
            taken,
        });
    }

    pub(crate) fn intend(&mut self, number: u64, logical_id: Option<&str>) -> &mut Intent {
        let intent = Intent {
            logical_id: logical_id.map(LogicalId::from),
            plugin: self.spec.instance.plugin.clone(),
            hash: self.spec.hash.clone(),
            begun: self.now,
            content: None,
            again: Again::default(),
            doubt: None,
        };
        self.memory.intents.entry(number).or_insert(intent)
    }

    /// Notes a failed creation that was begun now.
    pub(crate) fn fail(&mut self) {
        self.fail_as(FailureClass::Other, Told::Guessed, "no");
    }

    /// Notes a failed creation of this class that was begun now.
    pub(crate) fn fail_as(&mut self, class: FailureClass, told: Told, message: &str) {
        let failed = FailedCreation {
            token: self.memory.token(0),
            hash: &self.spec.hash,
            class,
            told,
            message,
            begun: self.now,
        };
        self.memory.creation.fail(&failed, self.now);
    }

    pub(crate) fn pass(&mut self, duration: Duration) {
        self.now = self.now + duration;
    }

    /// Plans, without anything being done about it.
    pub(crate) fn preview(&self) -> Plan {
        let memory = self.memory.clone();
        let plan = plan(&self.spec, &self.seen, memory, self.now, &self.config);
        let broken = check::violations(&self.spec, &self.seen, &plan, &self.config);
        assert_eq!(broken, Vec::<String>::new());
        assert!(plan.wake_at.is_none_or(|at| at > self.now), "a busy loop");
        plan
    }

    /// Plans, and marks everything as under way, as the engine does.
    pub(crate) fn plan(&mut self) -> Plan {
        let plan = self.preview();
        self.memory = plan.memory.clone();
        let now = self.now;
        for action in &plan.actions {
            match action {
                Action::Provision(_) => {}
                Action::Destroy { id, reason, .. } => {
                    self.depart(id.as_str(), *reason, Step::InFlight(now));
                }
                Action::Adopt { id, labels, .. } => {
                    let given = labels.get(tags::LOGICAL_ID);
                    let given = given.map(|id| LogicalId::from(id.as_str()));
                    self.member(id.as_str()).labelling = Labelling::UnderWay(given);
                }
                Action::Check { id, .. } => self.member(id.as_str()).health.ask(),
                Action::Spare { id, .. } => self.member(id.as_str()).departure = None,
                Action::Drain { .. } | Action::Repair { .. } | Action::Revert { .. } => {}
            }
        }
        plan
    }

    /// Answers the creations of a plan: instances of the names given appear in its order.
    pub(crate) fn create(&mut self, plan: &Plan, ids: &[&str]) {
        let mut ids = ids.iter();
        for action in &plan.actions {
            let Action::Provision(provision) = action else {
                continue;
            };
            let description = Description {
                id: (**ids.next().expect("a name for each creation")).into(),
                logical_id: provision.logical_id.clone(),
                tags: Some(provision.tags.clone()),
                ..Description::default()
            };
            self.list.push(description.clone());
            self.memory.intents.remove(&provision.token.number());
            let origin = Origin::Provisioned(self.now);
            let plugin = self.spec.instance.plugin.clone();
            self.seen
                .provisioned(Member::new(description, &plugin, origin, NONCE, self.now));
        }
        assert_eq!(ids.next(), None, "a creation for each name");
    }
}

/// Returns what a plan destroys, and why.
pub(crate) fn destroyed(plan: &Plan) -> Vec<(&str, Reason)> {
    plan.actions
        .iter()
        .filter_map(|action| match action {
            Action::Destroy { id, reason, .. } => Some((id.as_str(), *reason)),
            _ => None,
        })
        .collect()
}

/// Returns how those that a plan destroys are drained.
pub(crate) fn drains(plan: &Plan) -> Vec<Drain> {
    plan.actions
        .iter()
        .filter_map(|action| match action {
            Action::Destroy { drain, .. } => Some(*drain),
            _ => None,
        })
        .collect()
}

/// Returns who is to stay after all.
pub(crate) fn spared(plan: &Plan) -> Vec<&str> {
    plan.actions
        .iter()
        .filter_map(|action| match action {
            Action::Spare { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect()
}

/// Returns the logical ids, or nothing, and the positions of what a plan creates.
pub(crate) fn created(plan: &Plan) -> Vec<(Option<&str>, u64)> {
    plan.actions
        .iter()
        .filter_map(|action| match action {
            Action::Provision(one) => {
                Some((one.logical_id.as_ref().map(LogicalId::as_str), one.sequence))
            }
            _ => None,
        })
        .collect()
}

/// Returns whose health a plan asks for.
pub(crate) fn checked(plan: &Plan) -> Vec<&str> {
    plan.actions
        .iter()
        .filter_map(|action| match action {
            Action::Check { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect()
}

/// Returns whose adoption a plan begins.
pub(crate) fn adopted(plan: &Plan) -> Vec<&str> {
    plan.actions
        .iter()
        .filter_map(|action| match action {
            Action::Adopt { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect()
}
