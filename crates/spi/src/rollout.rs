//! Rollouts: how a group gets from one revision to the next, and who may steer it.
//!
//! The original has no such interface. It travels as the service `Rollout` on the socket of the
//! group controller and is not announced in the greeting.

pub mod wire;

use async_trait::async_trait;

use crate::behaviour::Facts;
use crate::group::GroupSpec;
use crate::{
    Any, Error, GoDuration, GroupId, InstanceId, LogicalId, PluginName, Result, wire_struct, words,
};

words! {
    /// A respect in which a group is well, or not.
    #[derive(Default)]
    pub enum ConditionKind {
        /// A kind that is not known here.
        #[default]
        Other = "",
        /// As many members serve as the budget demands.
        Available = "Available",
        /// All members have the configuration in force.
        UpToDate = "UpToDate",
        /// Members are being replaced by ones of another configuration.
        RollingOut = "RollingOut",
        /// Members are being added or removed.
        Scaling = "Scaling",
        /// Sick members are being repaired or replaced.
        Healing = "Healing",
        /// Nothing is rolled until somebody says so.
        Paused = "Paused",
        /// Nothing is begun until somebody thaws the group.
        Frozen = "Frozen",
        /// Something is wrong that does not pass by itself.
        Degraded = "Degraded",
    }
}

wire_struct! {
    /// One condition of a group.
    #[derive(PartialEq, Eq)]
    pub struct Condition {
        /// The respect.
        pub kind: ConditionKind => "Type",
        /// Whether it is so.
        pub status: bool => "Status",
        /// Why, in one CamelCase word.
        pub reason: String => "Reason",
        /// Why, in a sentence.
        pub message: String => "Message",
        /// Since when it is so, in RFC 3339.
        pub since: String => "Since",
    }
}

words! {
    /// Where a rollout stands.
    #[derive(Default)]
    pub enum RolloutState {
        /// There is nothing to roll, but not all members have proved themselves yet.
        #[default]
        None = "None",
        /// Members are being replaced.
        Rolling = "Rolling",
        /// A stage is done; its members have to prove themselves for a while.
        Baking = "Baking",
        /// A stage is done; somebody has to approve of it.
        AwaitingApproval = "AwaitingApproval",
        /// It goes on when the next maintenance window opens.
        AwaitingWindow = "AwaitingWindow",
        /// It goes on when somebody resumes it.
        Paused = "Paused",
        /// The members return to a former configuration.
        RollingBack = "RollingBack",
        /// All members are new.
        Completed = "Completed",
        /// Somebody ended it; the members stay as they are.
        Aborted = "Aborted",
        /// It failed, and goes no further.
        Failed = "Failed",
    }
}

impl RolloutState {
    /// Returns whether it goes no further, whatever happens, until somebody says something.
    #[must_use]
    pub fn is_over(self) -> bool {
        match self {
            Self::None | Self::Completed | Self::Aborted | Self::Failed => true,
            Self::Rolling
            | Self::Baking
            | Self::AwaitingApproval
            | Self::AwaitingWindow
            | Self::Paused
            | Self::RollingBack => false,
        }
    }
}

wire_struct! {
    /// How far a rollout is.
    #[derive(PartialEq, Eq)]
    pub struct RolloutStatus {
        /// The group.
        pub group: GroupId => "Group",
        /// The revision in force.
        pub revision: u64 => "Revision",
        /// The revision that the outdated members have.
        pub from: u64 => "From",
        /// Where it stands.
        pub state: RolloutState => "State",
        /// The stage that it is in, from 1.
        pub stage: u64 => "Stage",
        /// How many stages it has.
        pub stages: u64 => "Stages",
        /// Members of the new configuration.
        pub updated: u64 => "Updated",
        /// Those of them that have proved themselves.
        pub ready: u64 => "Ready",
        /// All members.
        pub total: u64 => "Total",
        /// Members of another configuration.
        pub outdated: u64 => "Outdated",
        /// New members that failed.
        pub failed: u64 => "Failed",
        /// Since when it stands there, in RFC 3339.
        pub since: String => "Since",
        /// Who paused it.
        pub paused_by: String => "PausedBy",
        /// What there is to say, in a sentence.
        pub message: String => "Message",
        /// What it waits for, one sentence each.
        pub waiting: Vec<String> => "Waiting",
        /// Members that somebody holds.
        pub held: Vec<InstanceId> => "Held",
        /// Whether the group is as specified, and nothing is under way.
        pub converged: bool => "Converged",
    }
}

words! {
    /// What became of a revision.
    #[derive(Default)]
    pub enum Outcome {
        /// It is on its way.
        #[default]
        Pending = "Pending",
        /// It is in force and needed no rollout.
        Current = "Current",
        /// Its rollout came to its end.
        Completed = "Completed",
        /// Another came before it was done.
        Superseded = "Superseded",
        /// Somebody ended its rollout.
        Aborted = "Aborted",
        /// Its rollout failed.
        Failed = "Failed",
        /// The group went back from it.
        RolledBack = "RolledBack",
    }
}

wire_struct! {
    /// A revision that was in force, or is.
    #[derive(PartialEq, Eq)]
    pub struct RevisionRecord {
        /// Its number.
        pub revision: u64 => "Revision",
        /// The hash of its configuration.
        pub hash: String => "Hash",
        /// When it was committed, in RFC 3339.
        pub committed: String => "Committed",
        /// What became of it.
        pub outcome: Outcome => "Outcome",
        /// Whether all members were seen to work with it.
        pub good: bool => "Good",
        /// Whether it is the one in force.
        pub in_force: bool => "InForce",
        /// What there is to say, in a sentence.
        pub message: String => "Message",
    }
}

wire_struct! {
    /// Something that was done to an instance, and why.
    #[derive(PartialEq, Eq)]
    pub struct Deed {
        /// When, in RFC 3339.
        pub at: String => "At",
        /// The instance.
        pub instance: InstanceId => "Instance",
        /// The plugin that it lives on: another one may have its id elsewhere.
        pub plugin: PluginName => "Plugin",
        /// What was done.
        pub action: String => "Action",
        /// The rule that caused it.
        pub rule: String => "Rule",
        /// What was seen.
        pub evidence: String => "Evidence",
    }
}

wire_struct! {
    /// An instance, or a creation that may still come true, of a group that nobody manages any more.
    #[derive(PartialEq, Eq)]
    pub struct Orphan {
        /// The group that it was made for.
        pub group: GroupId => "Group",
        /// What became of the group: `freed` or `destroyed`.
        pub fate: String => "Fate",
        /// The plugin that it lives on.
        pub plugin: PluginName => "Plugin",
        /// The instance; empty while none is known.
        pub instance: InstanceId => "Instance",
        /// The identity that it has; may be empty.
        pub logical_id: String => "LogicalID",
        /// The tag by which it is recognised.
        pub token: String => "Token",
        /// When the creation began, or the instance became known, in RFC 3339.
        pub since: String => "Since",
        /// Until when it may come true, in RFC 3339; empty for one that is there, and while a call
        /// is under way.
        pub until: String => "Until",
    }
}

wire_struct! {
    /// Why a group, or a member, is as it is.
    #[derive(PartialEq, Eq)]
    pub struct Why {
        /// What is waited for, since when and on which evidence: at most three lines.
        pub lines: Vec<String> => "Lines",
        /// What was done, the youngest first.
        pub deeds: Vec<Deed> => "Deeds",
    }
}

wire_struct! {
    /// A field of a spec that a commit changes.
    #[derive(PartialEq, Eq)]
    pub struct Change {
        /// Path of the field, as in `Instance.Properties.Image`.
        pub path: String => "Path",
        /// What it is now; absent for a new field.
        pub before: Option<Any> => "Before" omit,
        /// What it becomes; absent for a field that goes.
        pub after: Option<Any> => "After" omit,
    }
}

wire_struct! {
    /// A member that goes.
    #[derive(PartialEq, Eq)]
    pub struct Leaver {
        /// Its id.
        pub id: InstanceId => "ID",
        /// Identity of a pet.
        pub logical_id: Option<LogicalId> => "LogicalID",
        /// Why it goes.
        pub reason: String => "Reason",
    }
}

wire_struct! {
    /// A member that comes.
    #[derive(PartialEq, Eq)]
    pub struct Comer {
        /// Identity of a pet.
        pub logical_id: Option<LogicalId> => "LogicalID",
        /// The hash of its configuration.
        pub hash: String => "Hash",
    }
}

wire_struct! {
    /// Members that go and come together.
    #[derive(PartialEq, Eq)]
    pub struct Wave {
        /// Those that go.
        pub go: Vec<Leaver> => "Go",
        /// Those that come.
        pub come: Vec<Comer> => "Come",
        /// When it begins, from the beginning of the whole; absent when nothing was measured.
        pub starts: Option<GoDuration> => "Starts" omit,
        /// How long it takes; absent when nothing was measured.
        pub takes: Option<GoDuration> => "Takes" omit,
        /// What has to happen before the next one, in a sentence; empty when nothing special has.
        pub then: String => "Then" omit,
    }
}

wire_struct! {
    /// What a commit would do.
    #[derive(PartialEq, Eq)]
    pub struct Preview {
        /// Names this plan; a commit can be bound to it.
        pub plan: String => "Plan",
        /// The plan in a sentence.
        pub sentence: String => "Sentence",
        /// The fields that change.
        pub changes: Vec<Change> => "Changes",
        /// The members that go and come.
        pub waves: Vec<Wave> => "Waves",
        /// How long it takes; absent when nothing was measured.
        pub duration: Option<GoDuration> => "Duration" omit,
        /// What the expected duration rests on.
        pub basis: String => "Basis",
        /// What else there is to know, one sentence each.
        pub notes: Vec<String> => "Notes",
    }
}

wire_struct! {
    /// What an operator set for a plugin, as far as it holds.
    #[derive(PartialEq, Eq)]
    pub struct Setting {
        /// The plugin.
        pub plugin: PluginName => "Plugin",
        /// What holds of it, field by field.
        pub set: Facts => "Set",
        /// What is wrong with what is set now; empty where that is what holds.
        pub fault: String => "Fault" omit,
        /// Whether nobody knows what was meant, so that the plugin is treated as if it declared nothing.
        pub lost: bool => "Lost" omit,
    }
}

/// What somebody wants to become of a rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Roll nothing until it is resumed; healing and scaling go on.
    Pause,
    /// Go on.
    Resume,
    /// The stage is well: go on to the next.
    Approve,
    /// End it; the members stay as they are.
    Abort,
    /// Return to a former configuration.
    Rollback {
        /// Its revision; none for the last good one.
        to: Option<u64>,
    },
}

/// Whether anything may be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freeze {
    /// Nothing may: no member is created, destroyed, repaired or drained.
    Set,
    /// It may again.
    Thaw,
}

/// Whether a member is to be left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It is: nothing destroys, repairs or replaces it.
    Set,
    /// It is not, any more.
    Release,
}

/// What a group controller knows of rollouts.
#[async_trait]
pub trait Rollouts: Send + Sync {
    /// Returns how far the rollout of a group is.
    async fn status(&self, id: &GroupId) -> Result<RolloutStatus>;

    /// Steers the rollout of a group and returns a sentence about what follows.
    async fn command(&self, id: &GroupId, command: &Command) -> Result<String>;

    /// Returns the revisions of a group, the oldest first.
    async fn history(&self, id: &GroupId) -> Result<Vec<RevisionRecord>>;

    /// Holds a member or releases it, and returns a sentence about what follows.
    async fn hold(&self, id: &GroupId, instance: &InstanceId, hold: Hold) -> Result<String>;

    /// Freezes or thaws a group, or all groups and those to come, and returns a sentence about it.
    async fn freeze(&self, id: Option<&GroupId>, freeze: Freeze) -> Result<String> {
        let _ = (id, freeze);
        Err(Error::absent("this group controller cannot be frozen"))
    }

    /// Believes that the members of a group are gone which lists lack, although that is doubted, and
    /// returns a sentence about what follows.
    async fn confirm_loss(&self, _id: &GroupId) -> Result<String> {
        Err(crate::Error::absent("this controller doubts no lists"))
    }

    /// Says why a group, or one of its members, is as it is.
    async fn why(&self, id: &GroupId, instance: Option<&InstanceId>) -> Result<Why>;

    /// Says what a commit of `spec` would do, wave by wave.
    async fn preview(&self, spec: &GroupSpec) -> Result<Preview>;

    /// Commits `spec` if what follows is what the preview with the name `plan` showed, and returns
    /// a sentence about it. A run that turns out differently later stops and says so.
    async fn commit_shown(&self, spec: &GroupSpec, plan: &str) -> Result<String>;

    /// Returns the conditions of a group.
    async fn conditions(&self, id: &GroupId) -> Result<Vec<Condition>>;

    /// Returns what is there, or may still come, of groups that nobody manages any more.
    async fn orphans(&self) -> Result<Vec<Orphan>>;

    /// Returns what of an operator's settings holds, by plugin.
    async fn settings(&self) -> Result<Vec<Setting>> {
        Err(Error::absent("this controller knows no settings"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_later_release_are_read_as_not_known() {
        let text = r#"[{"Type":"Sleepy","Status":true},{"type":"UpToDate","Reason":"AllNew"}]"#;
        let conditions: Vec<Condition> = serde_json::from_str(text).unwrap();
        let kinds: Vec<_> = conditions.iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [ConditionKind::Other, ConditionKind::UpToDate]);
    }

    #[test]
    fn what_was_not_measured_is_absent() {
        let wave = serde_json::to_string(&Wave::default()).unwrap();
        assert_eq!(wave, r#"{"Go":[],"Come":[]}"#);
        let preview: Preview = serde_json::from_str(r#"{"Duration":"1m30s"}"#).unwrap();
        assert_eq!(preview.duration.unwrap().to_string(), "1m30s");
    }
}
