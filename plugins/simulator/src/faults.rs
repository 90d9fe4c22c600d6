//! What goes wrong, and how slowly: settings that are read at each call and switched at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use infrakit_spi::{Error, FailureClass, GoDuration, InstanceId};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Tag that a list puts on an instance that is set to be unhealthy, for flavors to see.
pub const HEALTH_TAG: &str = "simulator.health";
/// Value of [`HEALTH_TAG`].
pub const UNHEALTHY: &str = "unhealthy";

/// How a failed call looks to its caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Failure {
    /// The plugin refuses: nothing happened, and the caller knows.
    #[default]
    Refused,
    /// The plugin could not be reached: nothing happened, and the caller knows.
    Undelivered,
    /// No answer came: nothing happened, but the caller cannot know.
    Unknown,
}

impl Failure {
    fn error(self, message: &str, class: Option<FailureClass>) -> Error {
        let error = match self {
            Self::Refused => Error::refused(message),
            Self::Undelivered => Error::not_delivered(message),
            Self::Unknown => Error::unknown(message),
        };
        match class {
            Some(class) => error.with_class(class),
            None => error,
        }
    }
}

/// Faults of one kind of call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallFaults {
    /// How long each call takes.
    pub delay: GoDuration,
    /// Whether calls wait until this is switched off.
    pub hang: bool,
    /// How many of the next calls fail.
    pub fail: u32,
    /// Share of the other calls that fail, from 0 to 1.
    pub rate: f64,
    /// What failed calls say; `simulated failure` if empty.
    pub message: String,
    /// How failed calls look.
    pub failure: Failure,
    /// The class that failed calls declare: `configuration`, `quota`, `unavailable`, `other`, or
    /// none.
    pub class: Option<FailureClass>,
    /// How many of the next calls that do not fail do their work and lose their answer.
    pub lose: u32,
}

/// Faults of one type of instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TypeFaults {
    /// Faults of creations.
    pub provision: CallFaults,
    /// Faults of lists.
    pub describe: CallFaults,
    /// Faults of destructions.
    pub destroy: CallFaults,
    /// Faults of labels.
    pub label: CallFaults,
    /// Faults of repairs.
    pub repair: CallFaults,
    /// How long a new instance is not listed.
    pub boot: GoDuration,
    /// How long a new instance, or one that reboots, is listed as pending. While it is not zero,
    /// all others are listed as running; else nothing is said about that.
    pub pending: GoDuration,
    /// How many of the next creations get no answer and succeed later.
    pub late: u32,
    /// How much later.
    pub lateness: GoDuration,
    /// Instances that are unhealthy until they are rebooted.
    pub unhealthy: BTreeSet<InstanceId>,
    /// Instances that are unhealthy, whatever is done to them.
    pub broken: BTreeSet<InstanceId>,
    /// Instances that die now; emptied as they do.
    pub kill: BTreeSet<InstanceId>,
    /// Whether the plugin says that it runs elsewhere, so that calls may outlive their callers.
    pub remote: bool,
    /// Start of the random numbers that `rate` uses; setting another one starts anew.
    pub seed: u32,
}

/// Settings that make no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFaults {
    /// No such type of instance.
    #[error("no instance type `{kind}`, there are {known}")]
    UnknownType {
        /// The type that was named.
        kind: String,
        /// The types that exist.
        known: String,
    },
    /// A share outside its range.
    #[error("the rate of {kind}/{call} is {rate}, not between 0 and 1")]
    Rate {
        /// Type of instance.
        kind: String,
        /// Kind of call.
        call: &'static str,
        /// The rate that was given.
        rate: String,
    },
}

/// Kinds of calls that can go wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Provision,
    Describe,
    Destroy,
    Label,
    Repair,
}

impl TypeFaults {
    fn call(&self, call: Call) -> &CallFaults {
        match call {
            Call::Provision => &self.provision,
            Call::Describe => &self.describe,
            Call::Destroy => &self.destroy,
            Call::Label => &self.label,
            Call::Repair => &self.repair,
        }
    }

    fn call_mut(&mut self, call: Call) -> &mut CallFaults {
        match call {
            Call::Provision => &mut self.provision,
            Call::Describe => &mut self.describe,
            Call::Destroy => &mut self.destroy,
            Call::Label => &mut self.label,
            Call::Repair => &mut self.repair,
        }
    }

    pub(crate) fn is_unhealthy(&self, id: &InstanceId) -> bool {
        self.unhealthy.contains(id) || self.broken.contains(id)
    }

    fn check(&self, kind: &str) -> Result<(), InvalidFaults> {
        let calls = [
            ("provision", &self.provision),
            ("describe", &self.describe),
            ("destroy", &self.destroy),
            ("label", &self.label),
            ("repair", &self.repair),
        ];
        for (call, faults) in calls {
            if !(0.0..=1.0).contains(&faults.rate) {
                return Err(InvalidFaults::Rate {
                    kind: kind.to_owned(),
                    call,
                    rate: faults.rate.to_string(),
                });
            }
        }
        Ok(())
    }
}

/// What a call meets.
#[derive(Debug)]
pub(crate) struct Encounter {
    pub(crate) delay: Duration,
    pub(crate) verdict: Verdict,
}

/// What becomes of a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It does its work and answers.
    Work,
    /// It does nothing and answers this.
    Fail(Error),
    /// It does its work and the answer is lost.
    Lose,
    /// The answer is lost, and the effect shows this much later.
    Late(Duration),
}

/// The switchboard of a simulator, shared by its instances, by tests and by people.
#[derive(Clone, Debug)]
pub struct Faults {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    types: Mutex<BTreeMap<String, State>>,
    /// Counts the switchings.
    switched: watch::Sender<u64>,
}

#[derive(Clone, Debug, Default)]
struct State {
    faults: TypeFaults,
    random: u64,
}

impl Faults {
    pub(crate) fn new(types: impl IntoIterator<Item = String>, initial: &TypeFaults) -> Self {
        let state = State {
            faults: initial.clone(),
            random: u64::from(initial.seed),
        };
        let types = types.into_iter().map(|kind| (kind, state.clone()));
        Self {
            shared: Arc::new(Shared {
                types: Mutex::new(types.collect()),
                switched: watch::Sender::new(0),
            }),
        }
    }

    /// Returns the settings for a type of instance.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<TypeFaults> {
        self.lock().get(kind).map(|state| state.faults.clone())
    }

    /// Changes the settings for a type of instance; calls that wait notice it.
    ///
    /// # Errors
    /// Refuses an unknown type and settings that make no sense, and changes nothing then.
    pub fn change(
        &self,
        kind: &str,
        change: impl FnOnce(&mut TypeFaults),
    ) -> Result<(), InvalidFaults> {
        self.update(|all| {
            let Some(faults) = all.get_mut(kind) else {
                return Err(unknown(kind, all.keys()));
            };
            change(faults);
            Ok(())
        })
    }

    /// Kills an instance: it is gone without anybody having destroyed it.
    ///
    /// # Errors
    /// Refuses an unknown type.
    pub fn kill(&self, kind: &str, id: &InstanceId) -> Result<(), InvalidFaults> {
        self.change(kind, |faults| {
            faults.kill.insert(id.clone());
        })
    }

    /// Makes an instance healthy, as a reboot does.
    pub(crate) fn cure(&self, kind: &str, id: &InstanceId) {
        let cured = {
            let mut types = self.lock();
            let state = types.get_mut(kind);
            state.is_some_and(|state| state.faults.unhealthy.remove(id))
        };
        if cured {
            self.shared
                .switched
                .send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Returns whether an instance is set to be unhealthy.
    #[must_use]
    pub fn is_unhealthy(&self, kind: &str, id: &InstanceId) -> bool {
        self.lock()
            .get(kind)
            .is_some_and(|state| state.faults.is_unhealthy(id))
    }

    /// Returns what is told of each switching.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.shared.switched.subscribe()
    }

    /// Returns how often the settings were switched.
    pub(crate) fn version(&self) -> u64 {
        *self.shared.switched.borrow()
    }

    /// Returns the settings of all types.
    pub(crate) fn all(&self) -> BTreeMap<String, TypeFaults> {
        settings(&self.lock())
    }

    /// Replaces the settings by what `change` makes of them, in one step.
    pub(crate) fn update<E: From<InvalidFaults>>(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, TypeFaults>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut types = self.lock();
        let mut wanted = settings(&types);
        change(&mut wanted)?;
        for (kind, faults) in &wanted {
            if !types.contains_key(kind) {
                return Err(unknown(kind, types.keys()).into());
            }
            faults.check(kind)?;
        }
        for (kind, faults) in wanted {
            let state = types.entry(kind).or_default();
            if faults.seed != state.faults.seed {
                state.random = u64::from(faults.seed);
            }
            state.faults = faults;
        }
        drop(types);
        self.shared
            .switched
            .send_modify(|count| *count = count.wrapping_add(1));
        Ok(())
    }

    /// Decides what a call meets, and uses up what is counted.
    pub(crate) fn meet(&self, kind: &str, call: Call) -> Encounter {
        let mut types = self.lock();
        let Some(state) = types.get_mut(kind) else {
            return Encounter {
                delay: Duration::ZERO,
                verdict: Verdict::Work,
            };
        };
        let faults = state.faults.call_mut(call);
        let unlucky = if faults.fail > 0 {
            faults.fail -= 1;
            true
        } else {
            faults.rate > 0.0 && share(&mut state.random) < faults.rate
        };
        let late = matches!(call, Call::Provision) && state.faults.late > 0;
        let faults = state.faults.call_mut(call);
        let verdict = if unlucky {
            let message = match faults.message.as_str() {
                "" => "simulated failure",
                message => message,
            };
            Verdict::Fail(faults.failure.error(message, faults.class))
        } else if faults.lose > 0 {
            faults.lose -= 1;
            Verdict::Lose
        } else if late {
            state.faults.late -= 1;
            Verdict::Late(state.faults.lateness.0)
        } else {
            Verdict::Work
        };
        Encounter {
            delay: state.faults.call(call).delay.0,
            verdict,
        }
    }

    /// Waits while calls of this kind hang.
    pub(crate) async fn pass(&self, kind: &str, call: Call) {
        let mut switched = self.subscribe();
        while self.get(kind).is_some_and(|faults| faults.call(call).hang) {
            if switched.changed().await.is_err() {
                return;
            }
        }
    }

    /// Takes the instances that are to die.
    pub(crate) fn take_killed(&self, kind: &str) -> BTreeSet<InstanceId> {
        let mut types = self.lock();
        types
            .get_mut(kind)
            .map(|state| std::mem::take(&mut state.faults.kill))
            .unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.shared
            .types
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn settings(types: &BTreeMap<String, State>) -> BTreeMap<String, TypeFaults> {
    let settings = types.iter();
    settings
        .map(|(kind, state)| (kind.clone(), state.faults.clone()))
        .collect()
}

fn unknown<'a>(kind: &str, known: impl Iterator<Item = &'a String>) -> InvalidFaults {
    let known: Vec<String> = known.map(|kind| format!("`{kind}`")).collect();
    InvalidFaults::UnknownType {
        kind: kind.to_owned(),
        known: known.join(", "),
    }
}

/// Returns the next random number from 0 up to but not including 1, by the splitmix64 generator:
/// the same seed gives the same failures on every machine.
fn share(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    // 53 bits are what a float holds exactly.
    (z >> 11) as f64 / (1_u64 << 53) as f64
}
