//! One life of an id, of several that it may have.

use infrakit_spi::PluginName;
use serde::{Deserialize, Serialize};

use crate::observation::{Birth, Member};

/// One life of an id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// The plugin that the member lives on.
    pub plugin: PluginName,
    /// Number of the creation that made it, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
    /// What the field said that its plugin declares for telling lives apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<String>,
    /// Where it is not: number of the first creation that was open when somebody named the member, or was
    /// begun after that. What that made is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
}

impl Life {
    pub(crate) fn of(member: &Member, others_from: u64) -> Self {
        Self {
            plugin: member.plugin.clone(),
            token: member.token,
            incarnation: member.incarnation.clone(),
            before: member.token.is_none().then_some(others_from),
        }
    }

    /// Returns how this life is known in a record of the group that is younger than it: whatever that
    /// one makes is another.
    pub(crate) fn before_record(self) -> Self {
        Self {
            token: None,
            before: Some(0),
            ..self
        }
    }

    pub(crate) fn is(&self, member: &Member) -> bool {
        let younger = match (member.token, self.before) {
            (Some(token), Some(before)) => token >= before,
            (None, _) | (_, None) => false,
        };
        let birth = Birth {
            token: self.token,
            incarnation: self.incarnation.clone(),
        };
        self.plugin == member.plugin && !member.is_another(&birth) && !younger
    }
}
