//! The world of a preview: members that do as they are told, and a clock that jumps.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use infrakit_spi::instance::Description;
use infrakit_spi::{InstanceId, LogicalId, PluginName, Tags, tags};

use super::PreviewInput;
use super::event::Event;
use super::pace::Pace;
use super::wave::{Coming, Going, Wave};
use crate::observation::Key;
use crate::{
    Action, Allowance, Config, Departure, Labelling, Lag, Listed, Memory, Observed, Plan,
    Provision, Spec, Step, Timestamp, Token, plan,
};

/// Plans after which a preview gives up. Each costs some ten microseconds, so that this many are
/// made in less than a second; a roll of ten thousand members one by one needs fewer.
const PLANS: usize = if cfg!(test) { 3_000 } else { 40_000 };

/// Plans in which nothing begins, after which nothing is expected to begin any more. Each is made when
/// something happens or is due. A verdict takes a tenth of a second and lists come every ten seconds: that
/// is some forty seconds where members are asked all the time, and an hour where nothing but lists come.
const IDLE: usize = 400;

/// How long a verdict takes: no longer than the shortest time between two checks, so that it delays
/// nobody who is waited for.
const VERDICT: Duration = Duration::from_millis(100);

/// Where the world came to.
pub(super) struct End {
    pub(super) waves: Vec<Wave>,
    pub(super) notes: Vec<String>,
    pub(super) took: Duration,
    /// Whether the group arrived at what is specified.
    pub(super) arrived: bool,
    /// Members that would go after the last wave that is shown, by plugin and id.
    pub(super) rest: Vec<(String, String)>,
    pub(super) pace: Pace,
}

impl End {
    /// Returns whether its times mean anything.
    pub(super) fn known(&self) -> bool {
        self.waves.iter().all(|wave| wave.come.is_empty())
            || self.pace.measured.provision.usual().is_some()
    }
}

pub(super) struct Model {
    pub(super) spec: Arc<Spec>,
    pub(super) seen: Observed,
    pub(super) memory: Memory,
    pub(super) config: Config,
    pub(super) begun: Timestamp,
    pub(super) now: Timestamp,
    pub(super) events: BTreeMap<Timestamp, Vec<Event>>,
    /// The wave that an event belongs to is told by its place here.
    pub(super) waves: Vec<Wave>,
    pub(super) notes: Vec<String>,
    pub(super) pace: Pace,
}

/// Plays a commit forward.
pub(super) fn play(input: &PreviewInput<'_>) -> End {
    let mut model = Model::new(input);
    model.begin();
    let mut idle = 0;
    let mut arrived = false;
    let mut effort = 0;
    loop {
        let decided = model.decide();
        let acts = model.carry_out(&decided);
        idle = if acts || !model.events.is_empty() {
            0
        } else {
            idle + 1
        };
        if decided.converged && model.events.is_empty() {
            arrived = true;
            break;
        }
        if model.stops(&decided) {
            break;
        }
        if model.approve(&decided) {
            continue;
        }
        effort += 1;
        if effort > PLANS {
            return model.cut();
        }
        let next = [model.events.keys().next().copied(), decided.wake_at];
        match next.into_iter().flatten().min() {
            Some(next) if idle < IDLE => model.advance(next.max(model.now), &decided),
            Some(_) | None => {
                model.say_waiting(&decided);
                break;
            }
        }
    }
    model.end(arrived)
}

impl Model {
    fn new(input: &PreviewInput<'_>) -> Self {
        let mut config = input.config.clone();
        let mut notes = Vec::new();
        if !config.allowance.is_unmetered() {
            notes.push("the plugin's governor may slow it down".to_owned());
        }
        config.allowance = Allowance::default();
        let spec = Arc::new(input.after.clone());
        let mut seen = input.seen.clone();
        let plugin = &spec.instance.plugin;
        // A group that is not known at all after a restart is another matter: it has members.
        let knowable = input.before.is_none() || seen.listed().is_some();
        if knowable && seen.listed_on(plugin).is_none() {
            let circumstances = Listed {
                plugin,
                started: input.now,
                now: input.now,
                lag: Lag::NONE,
            };
            let nonce = &input.memory.nonce;
            seen.apply(&input.memory.group, [], circumstances, nonce);
            notes.push(format!(
                "`{plugin}` was not listed for this group yet; it is taken to have nothing of it"
            ));
        }
        seen.show_the_young();
        seen.aim(&spec, input.memory.naming);
        Self {
            spec,
            seen,
            memory: input.memory.clone(),
            config,
            begun: input.now,
            now: input.now,
            events: BTreeMap::new(),
            waves: Vec::new(),
            notes,
            pace: Pace {
                measured: input.memory.measured,
            },
        }
    }

    pub(super) fn later(&mut self, after: Duration, event: Event) {
        self.events.entry(self.now + after).or_default().push(event);
    }

    /// Sets going what is under way already: creations, departures, and proofs that are awaited.
    /// Members that do well are taken to go on doing well, and are not asked again.
    fn begin(&mut self) {
        let intents: Vec<_> = self.memory.intents.clone().into_iter().collect();
        for (number, intent) in intents {
            let mut labels = Tags::from([
                (tags::GROUP.to_owned(), self.memory.group.to_string()),
                (self.config.hash_tag.to_owned(), intent.hash.to_string()),
            ]);
            let token = Token::new(&self.memory.nonce, number);
            labels.insert(tags::TOKEN.to_owned(), token.to_string());
            let description = described(number, intent.logical_id, labels);
            let left = (intent.begun + self.pace.provision()).since(self.now);
            let plugin = intent.plugin;
            let wave = None;
            self.later(
                left,
                Event::Created {
                    number,
                    plugin,
                    description,
                    wave,
                },
            );
        }
        let members: Vec<Key> = self.seen.entries().map(|(key, _)| key.clone()).collect();
        for key in members {
            let Some(member) = self.seen.at(&key) else {
                continue;
            };
            if let Some(departure) = member.departure {
                let left = (departure.since + self.pace.departure()).since(self.now);
                self.later(left, Event::Gone(key, None));
                continue;
            }
            let policy = &self.spec.health;
            let suspect = member.health.suspect(policy, member.created, self.now);
            if suspect {
                continue;
            }
            let proved = member.health.proved(&self.spec.updating);
            if let Some(mut member) = self.seen.get_mut_on(&key.plugin, &key.id) {
                member.health.ask();
            }
            if !proved {
                self.later(self.pace.proof(), Event::Healthy(key, None));
            }
        }
    }

    fn decide(&mut self) -> Plan {
        let memory = std::mem::take(&mut self.memory);
        let naming = memory.naming;
        let mut decided = plan(&self.spec, &self.seen, memory, self.now, &self.config);
        #[cfg(test)]
        if self.seen.len() < 100 {
            assert_eq!(
                crate::check::violations(&self.spec, &self.seen, &decided, &self.config),
                Vec::<String>::new()
            );
        }
        self.memory = std::mem::take(&mut decided.memory);
        if self.memory.naming != naming {
            self.seen.aim(&self.spec, self.memory.naming);
        }
        decided
    }

    /// Carries out a plan, and returns whether anything but a check was begun.
    fn carry_out(&mut self, decided: &Plan) -> bool {
        let mut wave = Wave::at(self.now.since(self.begun));
        let number = self.waves.len();
        let mut acts = false;
        for action in &decided.actions {
            acts |= !matches!(action, Action::Check { .. });
            match action {
                Action::Provision(provision) => {
                    wave.come.push(Coming {
                        logical_id: provision.logical_id.clone(),
                        hash: provision.hash.clone(),
                        cause: provision.cause,
                    });
                    self.create(provision, number);
                }
                Action::Destroy {
                    id, plugin, reason, ..
                } => {
                    let departure = Departure {
                        reason: *reason,
                        since: self.now,
                        step: Step::InFlight(self.now),
                        taken: None,
                    };
                    let Some(mut member) = self.seen.get_mut_on(plugin, id) else {
                        continue;
                    };
                    let again = member.departure.replace(departure).is_some();
                    let logical_id = member.logical_id.clone();
                    drop(member);
                    if again {
                        continue;
                    }
                    wave.go.push(Going {
                        id: id.clone(),
                        plugin: plugin.clone(),
                        logical_id,
                        reason: *reason,
                    });
                    let gone = Event::Gone(key(plugin, id), Some(number));
                    self.later(self.pace.departure(), gone);
                }
                Action::Spare { id, plugin } => {
                    if let Some(mut member) = self.seen.get_mut_on(plugin, id) {
                        member.departure = None;
                    }
                }
                Action::Adopt { id, plugin, labels } => {
                    let given = labels.get(tags::LOGICAL_ID);
                    let given = given.map(|id| LogicalId::from(id.as_str()));
                    if let Some(mut member) = self.seen.get_mut_on(plugin, id) {
                        member.labelling = Labelling::UnderWay(given);
                    }
                    let done = Event::Labelled(key(plugin, id), labels.clone());
                    self.later(Duration::ZERO, done);
                }
                Action::Check { id, plugin } => {
                    if let Some(mut member) = self.seen.get_mut_on(plugin, id) {
                        member.health.ask();
                    }
                    self.later(VERDICT, Event::Verdict(key(plugin, id)));
                }
                Action::Repair {
                    id, plugin, step, ..
                } => {
                    self.note(format!("`{step}` is asked for `{id}` and taken to help"));
                    if let Some(repair) = self.memory.repairs.0.get_mut(id) {
                        repair.in_flight = false;
                    }
                    self.later(Duration::ZERO, Event::Healthy(key(plugin, id), None));
                }
                Action::Drain { id, .. } => {
                    self.note(format!(
                        "the controller runs on `{id}`, which is drained and not destroyed"
                    ));
                }
                Action::Revert { .. } => {}
            }
        }
        if !wave.go.is_empty() || !wave.come.is_empty() {
            self.waves.push(wave);
        }
        acts
    }

    fn create(&mut self, provision: &Provision, wave: usize) {
        let number = provision.token.number();
        let tags = provision.tags.clone();
        let description = described(number, provision.logical_id.clone(), tags);
        let intent = self.memory.intents.get(&number);
        let plugin = intent.map_or_else(
            || self.spec.instance.plugin.clone(),
            |intent| intent.plugin.clone(),
        );
        let wave = Some(wave);
        self.later(
            self.pace.provision(),
            Event::Created {
                number,
                plugin,
                description,
                wave,
            },
        );
    }

    /// Ends before everything is played: says what is left, and how long it will take at this rate.
    fn cut(mut self) -> End {
        let rest: Vec<(String, String)> = self
            .seen
            .entries()
            .filter(|(_, member)| member.stays() && !member.matches(&self.spec.hash))
            .map(|(key, _)| (key.plugin.to_string(), key.id.to_string()))
            .collect();
        let shown: usize = self.waves.iter().map(|wave| wave.go.len()).sum();
        let passed = self.now.since(self.begun);
        let more = rest.len() as f64 / shown.max(1) as f64;
        self.note(format!(
            "only the first {shown} members that go are shown; about {} more follow in the same way",
            rest.len()
        ));
        let mut end = self.end(true);
        end.took = passed + passed.mul_f64(more);
        end.rest = rest;
        end
    }

    fn end(self, arrived: bool) -> End {
        let mut waves: Vec<Wave> = Vec::with_capacity(self.waves.len());
        for mut wave in self.waves {
            match waves.last_mut().filter(|last| last.is_completed_by(&wave)) {
                Some(last) => {
                    last.takes = (wave.at + wave.takes).saturating_sub(last.at);
                    last.go.append(&mut wave.go);
                    last.come.append(&mut wave.come);
                    last.then = wave.then;
                }
                None => waves.push(wave),
            }
        }
        End {
            waves,
            notes: self.notes,
            took: self.now.since(self.begun),
            arrived,
            rest: Vec::new(),
            pace: self.pace,
        }
    }
}

pub(super) fn key(plugin: &PluginName, id: &InstanceId) -> Key {
    Key {
        id: id.clone(),
        plugin: plugin.clone(),
    }
}

/// Describes a member that does not exist yet.
fn described(number: u64, logical_id: Option<LogicalId>, tags: Tags) -> Description {
    Description {
        id: format!("new-{number}").into(),
        logical_id,
        tags: Some(tags),
        ..Description::default()
    }
}
