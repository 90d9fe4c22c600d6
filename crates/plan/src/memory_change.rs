//! Changes of a group's memory that somebody asks for, as data: they are logged, compared and
//! replayed, and made in exactly one way.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_spi::hash::ConfigHash;
use infrakit_spi::{InstanceId, PluginName};
use serde::{Deserialize, Serialize};

use crate::{Memory, Outcome, Pause, PausedBy, Phase, Roll, RollResult, Timestamp};

/// A change of a group's memory.
///
/// It is made twice, of what is stored and, once the store has it, of what is in force. What a plan
/// has noted between the two stays, so that a change names what it sets and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemoryChange {
    /// The rollout is paused.
    Pause {
        /// By whom or what.
        by: PausedBy,
        /// Since when.
        since: Timestamp,
    },
    /// A paused rollout goes on, and failed creations are tried again.
    Resume {
        /// From when on.
        at: Timestamp,
    },
    /// The stage that waits for a person is approved.
    Approve,
    /// The rollout ends where it stands.
    Abort {
        /// The revision in force.
        revision: u64,
        /// Its configuration.
        hash: ConfigHash,
        /// What is remembered of it, unless it is known to be good.
        outcome: Outcome,
    },
    /// A member is left alone.
    Hold(InstanceId),
    /// A member is treated like any other again.
    Release(InstanceId),
    /// The spec in force is committed once more.
    Anew {
        /// The rollout from its beginning, where it was aborted.
        restarted: Option<Option<Roll>>,
    },
    /// Another spec is put in force.
    Commit(Box<CommitChange>),
    /// The group is destroyed.
    Destroy,
    /// Nothing is begun for the group any more.
    Freeze {
        /// Since when.
        since: Timestamp,
    },
    /// The group goes on.
    Thaw,
    /// Nobody is left on these plugins any more.
    Leave(BTreeSet<PluginName>),
}

/// What a commit changes in a group's memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitChange {
    /// The revision that it makes.
    pub revision: u64,
    /// The rollout from now on; `None` where the one under way, or none, stays as it is.
    pub roll: Option<Option<Roll>>,
    /// How much more a group may grow that waits with growing for its rollout.
    pub growth: u64,
    /// What became of revisions before.
    pub ended: BTreeMap<u64, Outcome>,
    /// The plugin from now on.
    pub plugin: PluginName,
    /// Plugins that members may be left on.
    pub homes: BTreeSet<PluginName>,
    /// Whether like members are to be given identities; `None` where that stays as it is.
    pub naming: Option<bool>,
    /// Members to destroy by name.
    pub doomed: BTreeSet<InstanceId>,
    /// Those of them that go at once, whoever else serves.
    #[serde(default)]
    pub urgent: BTreeSet<InstanceId>,
    /// Whether an aborted rollout may go on, and what failed is tried anew: somebody has changed
    /// more than the size.
    pub unabort: bool,
}

impl MemoryChange {
    /// Makes the change.
    pub fn apply(&self, memory: &mut Memory) {
        match self {
            Self::Pause { by, since } => {
                if let Some(roll) = &mut memory.roll {
                    let (by, since) = (by.clone(), *since);
                    roll.paused = Some(Pause { by, since });
                }
            }
            Self::Resume { at } => {
                memory.creation.forgive();
                let paused = memory.roll.as_mut().filter(|roll| roll.paused.is_some());
                if let Some(roll) = paused {
                    roll.resume(*at);
                }
            }
            Self::Approve => {
                if let Some(roll) = &mut memory.roll {
                    roll.approve();
                }
            }
            Self::Abort {
                revision,
                hash,
                outcome,
            } => {
                memory.roll = None;
                memory.aborted = Some(hash.clone());
                // That all members were seen to work with it once stays true.
                let outcomes = memory.outcomes.entry(*revision);
                outcomes.or_insert_with(|| outcome.clone());
            }
            Self::Hold(id) => {
                memory.name_anew(id);
                memory.held.insert(id.clone());
            }
            Self::Release(id) => {
                memory.held.remove(id);
            }
            Self::Anew { restarted } => begin_anew(memory, restarted.as_ref()),
            Self::Commit(commit) => commit.apply(memory),
            Self::Destroy => memory.phase = Phase::Destroying,
            Self::Freeze { since } => memory.frozen = Some(*since),
            Self::Thaw => memory.frozen = None,
            Self::Leave(homes) => {
                memory.homes.retain(|home| !homes.contains(home));
                // Nobody is made there any more, and nothing goes back there by itself.
                if let Some(roll) = &mut memory.roll {
                    roll.former.take_if(|former| homes.contains(&former.plugin));
                }
            }
        }
    }
}

fn begin_anew(memory: &mut Memory, restarted: Option<&Option<Roll>>) {
    memory.aborted = None;
    memory.creation.forgive();
    let Some(roll) = restarted else { return };
    memory.roll.clone_from(roll);
    // What becomes of it is open again.
    let outcome = memory.outcomes.get(&memory.revision);
    if outcome.is_some_and(|outcome| outcome.result == RollResult::Aborted) {
        memory.outcomes.remove(&memory.revision);
    }
}

impl CommitChange {
    fn apply(&self, memory: &mut Memory) {
        memory.revision = self.revision;
        if self.unabort {
            memory.creation.forgive();
            memory.aborted = None;
        }
        match &self.roll {
            Some(roll) => memory.roll.clone_from(roll),
            None => {
                if let Some(hold) = memory.roll.as_mut().and_then(|roll| roll.hold.as_mut()) {
                    *hold += self.growth;
                }
            }
        }
        memory.outcomes.extend(self.ended.clone());
        memory.homes.extend(self.homes.iter().cloned());
        memory.homes.remove(&self.plugin);
        if let Some(naming) = self.naming {
            memory.naming = naming;
        }
        for id in &self.doomed {
            memory.name_anew(id);
        }
        memory.doomed.extend(self.doomed.iter().cloned());
        memory.urgent.extend(self.urgent.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rolling() -> Memory {
        Memory {
            revision: 3,
            roll: Some(Roll {
                complete: Some(Timestamp(5)),
                failed: 2,
                ..Roll::default()
            }),
            ..Memory::default()
        }
    }

    fn changes() -> Vec<MemoryChange> {
        let outcome = Outcome {
            result: RollResult::Aborted,
            at: Timestamp(9),
            note: "1 of 3".to_owned(),
        };
        let commit = CommitChange {
            revision: 4,
            homes: ["old".into(), "older".into()].into(),
            doomed: ["i-1".into()].into(),
            ..CommitChange::default()
        };
        vec![
            MemoryChange::Pause {
                by: PausedBy::Operator,
                since: Timestamp(7),
            },
            MemoryChange::Approve,
            MemoryChange::Resume { at: Timestamp(8) },
            MemoryChange::Hold("i-1".into()),
            MemoryChange::Release("i-1".into()),
            MemoryChange::Abort {
                revision: 3,
                hash: ConfigHash::from_tag("h"),
                outcome,
            },
            MemoryChange::Anew {
                restarted: Some(Some(Roll::default())),
            },
            MemoryChange::Commit(Box::new(commit)),
            MemoryChange::Destroy,
            MemoryChange::Freeze {
                since: Timestamp(6),
            },
            MemoryChange::Leave(["old".into()].into()),
        ]
    }

    /// What is replayed from what was written down comes out as it did the first time, and a second
    /// time changes nothing.
    #[test]
    fn changes_are_replayed_from_their_text() {
        let (mut first, mut second) = (rolling(), rolling());
        for change in changes() {
            change.apply(&mut first);
            let text = serde_json::to_string(&change).unwrap();
            let read: MemoryChange = serde_json::from_str(&text).unwrap();
            assert_eq!(read, change);
            read.apply(&mut second);
            assert_eq!(first, second, "{change:?}");
            read.apply(&mut second);
            assert_eq!(first, second, "twice: {change:?}");
        }
        assert_eq!((first.phase, first.revision), (Phase::Destroying, 4));
        assert_eq!(first.frozen, Some(Timestamp(6)));
        assert!(first.outcomes.is_empty() && first.held.is_empty());
        assert_eq!(first.homes, ["older".into()].into());
        assert_eq!(first.roll, Some(Roll::default()));
    }

    #[test]
    fn a_change_leaves_alone_what_it_does_not_name() {
        let mut memory = rolling();
        memory.next_token = 9;
        MemoryChange::Approve.apply(&mut memory);
        let roll = memory.roll.clone().unwrap();
        assert_eq!((roll.approved, roll.failed, memory.next_token), (1, 2, 9));
        MemoryChange::Hold("a".into()).apply(&mut memory);
        assert_eq!(memory.roll, Some(roll));
    }
}
