//! Holds that outlive their group: it was freed, and whoever holds a member may be looking into it still.

use std::collections::BTreeMap;

use infrakit_spi::InstanceId;
use serde::{Deserialize, Serialize};

use crate::life::Life;
use crate::{Memory, Phase};

/// The members of a freed group that somebody asked to leave alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holds {
    /// Names the record of the group by which lives are told apart.
    nonce: String,
    /// The members, each with the life that is meant where that is known.
    members: BTreeMap<InstanceId, Option<Life>>,
}

impl Holds {
    /// Returns the holds that are to outlive a group, if there are any. One that is destroyed leaves
    /// nobody behind.
    #[must_use]
    pub fn of(memory: &Memory) -> Option<Self> {
        if memory.held.is_empty() || memory.phase == Phase::Destroying {
            return None;
        }
        let held = memory.held.iter();
        let members = held.map(|id| (id.clone(), memory.lives.get(id).cloned()));
        Some(Self {
            nonce: memory.nonce.clone(),
            members: members.collect(),
        })
    }

    /// Sets them in the memory of the group that is committed anew.
    pub fn set_in(&self, memory: &mut Memory) {
        for (id, life) in &self.members {
            memory.held.insert(id.clone());
            let life = life.clone().map(|life| {
                if self.nonce == memory.nonce {
                    life
                } else {
                    life.before_record()
                }
            });
            memory.lives.extend(life.map(|life| (id.clone(), life)));
        }
    }
}
