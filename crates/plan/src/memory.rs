//! What the controller has to remember of a group beyond what can be observed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::hash::ConfigHash;
use infrakit_spi::{GroupId, InstanceId, LogicalId, PluginName};
use serde::{Deserialize, Serialize};

use crate::conditions::Conditions;
use crate::diagnosis::breaker::Breaker;
use crate::life::Life;
use crate::{
    EarlyDeath, Failures, Lag, Measured, Missing, Reason, Repairs, Roll, Timestamp, Token,
};

/// What is to become of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// It is kept as specified.
    #[default]
    Active,
    /// All its members are destroyed, then it is forgotten.
    Destroying,
    /// It is not managed any more. Only what was under way is waited for; nothing is done about it.
    Freed,
}

/// A creation that was decided, and of which no outcome is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Identity that the instance is to have.
    pub logical_id: Option<LogicalId>,
    /// Plugin that makes it.
    pub plugin: PluginName,
    /// Configuration that it is made from.
    pub hash: ConfigHash,
    /// When its call began, or was decided where that is not known. Where it was asked for again, it is
    /// the first call that is meant.
    pub begun: Timestamp,
    /// What it was asked for with, where that is known.
    pub content: Option<Content>,
    /// How it was asked for again.
    pub again: Again,
    /// Set when the answer was lost.
    pub doubt: Option<Doubt>,
}

/// What a creation was asked for with, beside its token, identity and configuration: with these the
/// very same can be asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Position of the member in its group.
    pub sequence: u64,
    /// The revision of the spec, which the flavor is shown.
    pub revision: u64,
}

/// How a creation was asked for again with its token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// How often in this life of the controller.
    pub times: u32,
    /// Whether the plugin refused; it would again.
    pub refused: bool,
}

/// Longest pause before a creation is asked for again: a provider that has lost many answers is busy,
/// and most count their limits by the minute. With half of it an outage costs twice the calls, with
/// twice as much a provider that is well again waits two minutes for the next one.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Intent {
    /// Returns until when it may come true, or have come true and not show in lists yet. A complete
    /// list that is started at or after this moment and lacks it proves that nothing came of it.
    ///
    /// It is counted from the beginning of the creation, so that neither a restart nor the moment
    /// at which its answer was given up moves it.
    #[must_use]
    pub fn open_until(&self, behaviour: &Behaviour) -> Timestamp {
        let shown = Lag::of(behaviour).longest();
        // A former life may have asked for it again as late as it could.
        let asked = Self::asked_within(behaviour).unwrap_or_default();
        self.begun + asked + behaviour.creation_limit() + shown
    }

    /// Returns for how long after it began a creation is asked for again: for longer than it may take
    /// there is no use in it, however long the provider knows the token.
    fn asked_within(behaviour: &Behaviour) -> Option<Duration> {
        let known = behaviour.asks_again_within()?;
        Some(known.min(behaviour.creation_limit()))
    }

    /// Returns when it can simply be asked for again, since its answer was lost and its provider
    /// knows the token; `None` where it has to be found in a list.
    pub(crate) fn asked_again_at(&self, behaviour: &Behaviour) -> Option<Timestamp> {
        let doubt = self.doubt.filter(|_| !self.again.refused)?;
        // Doubled from a second on, as after failures: most answers are lost one by one.
        let pause = Duration::from_secs(1).saturating_mul(1 << self.again.times.min(16));
        let at = doubt.since + pause.min(LONGEST_PAUSE);
        let until = self.begun + Self::asked_within(behaviour)?;
        (at < until).then_some(at)
    }
}

/// The answer of a creation was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Since when nothing is known of it.
    pub since: Timestamp,
    /// A complete list that is started at or after this moment settles it. As of the last plan.
    pub until: Timestamp,
}

impl Doubt {
    /// Returns a doubt that begins now.
    #[must_use]
    pub fn since(now: Timestamp) -> Self {
        Self {
            since: now,
            until: now,
        }
    }
}

/// A destruction that was decided in a former life of the controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The plugin that the member lives on.
    pub plugin: PluginName,
    /// Why it goes.
    pub reason: Reason,
    /// When that was decided.
    pub begun: Timestamp,
    /// When the present life took it up: a call of the former one may have been accepted until then.
    pub since: Timestamp,
}

/// What the controller remembers of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The group.
    pub group: GroupId,
    /// Names this record in tokens; drawn once.
    pub nonce: String,
    /// Number of the next intent. Only ever grows.
    pub next_token: u64,
    /// Revision of the spec in force.
    #[serde(default)]
    pub revision: u64,
    /// What is to become of the group.
    #[serde(default)]
    pub phase: Phase,
    /// Set while a rollout is under way.
    #[serde(default)]
    pub roll: Option<Roll>,
    /// Configuration whose rollout was aborted: members of others are let be while it is in force.
    #[serde(default)]
    pub aborted: Option<ConfigHash>,
    /// How rollouts of former revisions, and the last one of this, came out.
    #[serde(default)]
    pub outcomes: BTreeMap<u64, Outcome>,
    /// Plugins that members lived on before `Instance.Plugin` changed, as long as some may be left.
    #[serde(default)]
    pub homes: BTreeSet<PluginName>,
    /// Members that the operator asked to destroy.
    #[serde(default)]
    pub doomed: BTreeSet<InstanceId>,
    /// Those of them that go at once, whoever serves.
    #[serde(default)]
    pub urgent: BTreeSet<InstanceId>,
    /// Members that the operator asked to leave alone.
    #[serde(default)]
    pub held: BTreeSet<InstanceId>,
    /// Since when lists lack members that are held.
    #[serde(default)]
    pub held_unseen: BTreeMap<InstanceId, Timestamp>,
    /// Since when the group is frozen: nothing is begun, whatever happens.
    #[serde(default)]
    pub frozen: Option<Timestamp>,
    /// Which life of an id the two above, `drained` and `repairs` mean.
    #[serde(default)]
    pub lives: BTreeMap<InstanceId, Life>,
    /// Whether like members are given identities, after a change from a size to logical ids.
    #[serde(default)]
    pub naming: bool,
    /// The controller's own member, once it was drained because it is outdated.
    #[serde(default)]
    pub drained: BTreeSet<InstanceId>,
    /// Repairs of sick members.
    #[serde(default)]
    pub repairs: Repairs,
    /// Set while too many members are sick at once.
    #[serde(default)]
    pub breaker: Option<Breaker>,
    /// Domains in which too many members are sick at once, those of the group aside.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub domain_breakers: BTreeMap<String, Breaker>,
    /// Failed creations.
    #[serde(default)]
    pub creation: Failures,
    /// How long things took so far.
    #[serde(default)]
    pub measured: Measured,
    /// Since when what is waited for.
    #[serde(default)]
    pub waits: crate::Waits,
    /// Members whose loss is doubted, by plugin.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing: BTreeMap<PluginName, Missing>,
    /// The state of the group in words, each with its reason and its moment.
    #[serde(default)]
    pub conditions: Conditions,
    /// Creations without a known outcome, by number. Journaled apart from this record.
    #[serde(skip)]
    pub intents: BTreeMap<u64, Intent>,
    /// Destructions that a former life decided and of which no outcome is known. Journaled apart
    /// from this record; a list that shows the member has it destroyed again.
    #[serde(skip)]
    pub decided: BTreeMap<(PluginName, InstanceId), Decided>,
}

impl Memory {
    /// Takes back that a creation was decided whose call has not begun, and returns it. One that was
    /// only to be asked for again stays, in doubt as before.
    pub fn take_back(&mut self, number: u64) -> Option<Intent> {
        match self.intents.get_mut(&number) {
            Some(intent) if intent.again.times > 0 => {
                intent.again.times -= 1;
                intent.doubt = Some(Doubt::since(intent.begun));
                None
            }
            _ => self.intents.remove(&number),
        }
    }

    /// Returns the token of creation `number` of this record.
    #[must_use]
    pub fn token(&self, number: u64) -> Token {
        Token::new(&self.nonce, number)
    }

    /// Notes that a member died as soon as it was made, in a group of this size.
    pub fn note_early_death(&mut self, death: &EarlyDeath, size: u64, now: Timestamp) {
        let token = self.token(death.number);
        self.creation
            .die((death, &token), size, self.next_token, now);
    }
}

/// How the rollout of a revision came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What became of it.
    pub result: RollResult,
    /// When.
    pub at: Timestamp,
    /// More about it, in words; may be empty.
    pub note: String,
}

/// What became of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RollResult {
    /// All members have the configuration and proved themselves: it is known to be good.
    Completed,
    /// Another revision took its place first.
    Superseded,
    /// It was aborted by the operator.
    Aborted,
    /// It failed and was rolled back.
    RolledBack,
}
