//! Where an instance is in its life, in words that all plugins share or in a provider's own.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Omit;
use crate::behaviour::{Behaviour, Meaning};

/// Where an instance is in its life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lifecycle {
    /// The plugin does not say.
    #[default]
    Unsaid,
    /// It is being made: it exists, and does not work yet.
    Pending,
    /// It is made.
    Running,
    /// It is made, and does not run.
    Stopped,
    /// It is going away.
    Terminating,
    /// It is gone, and only still listed.
    Gone,
    /// It exists, and will never work.
    Broken,
    /// The provider cannot tell, or in a word of its own that the plugin does not declare. That is no
    /// evidence against the instance.
    Own(Arc<str>),
}

impl Lifecycle {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unsaid => "",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Terminating => "terminating",
            Self::Gone => "gone",
            Self::Broken => "broken",
            Self::Own(word) => word,
        }
    }

    /// Returns what a word says, in upper or lower case.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        let shared = [
            Self::Unsaid,
            Self::Pending,
            Self::Running,
            Self::Stopped,
            Self::Terminating,
            Self::Gone,
            Self::Broken,
        ];
        let mut same = shared.into_iter();
        let same = same.find(|one| one.as_str().eq_ignore_ascii_case(word));
        same.unwrap_or_else(|| Self::Own(Arc::from(word)))
    }

    /// Returns whether the instance is on its way out, or gone.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        matches!(self, Self::Terminating | Self::Gone)
    }

    /// Returns what the plugin means by it. What it declares goes before what the word means elsewhere:
    /// to one provider `stopped` is a machine that rests, to another one that is gone.
    #[must_use]
    pub fn meant_by(self, behaviour: &Behaviour) -> Self {
        match behaviour.meaning(self.as_str()) {
            None => self,
            Some(Meaning::Creating) => Self::Pending,
            Some(Meaning::Up) => Self::Running,
            Some(Meaning::Stopped) => Self::Stopped,
            Some(Meaning::Leaving) => Self::Terminating,
            Some(Meaning::Gone) => Self::Gone,
            Some(Meaning::Broken) => Self::Broken,
            Some(Meaning::Unknown) => Self::Own(Arc::from(self.as_str())),
        }
    }
}

impl fmt::Display for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Omit for Lifecycle {
    fn is_absent(&self) -> bool {
        *self == Self::Unsaid
    }
}

impl Serialize for Lifecycle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Lifecycle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = Cow::<str>::deserialize(deserializer)?;
        Ok(Self::from_word(&word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared() -> Behaviour {
        serde_json::from_str(
            r#"{"states": {"building": "creating", "ACTIVE": "up", "running": "stopped",
                "deleting": "leaving", "error": "broken", "odd": "unknown"},
                "tombstone_states": ["terminated"]}"#,
        )
        .unwrap()
    }

    #[test]
    fn words_that_are_declared_say_what_the_plugin_means() {
        let meant = |word: &str| Lifecycle::from_word(word).meant_by(&declared());
        assert_eq!(meant("BUILDING"), Lifecycle::Pending);
        assert_eq!(meant("active"), Lifecycle::Running);
        assert_eq!(meant("running"), Lifecycle::Stopped);
        assert_eq!(meant("Deleting"), Lifecycle::Terminating);
        assert_eq!(meant("terminated"), Lifecycle::Gone);
        assert_eq!(meant("error"), Lifecycle::Broken);
        assert_eq!(meant("odd"), Lifecycle::Own("odd".into()));
    }

    #[test]
    fn words_that_are_not_declared_mean_what_they_mean_everywhere() {
        let meant = |word: &str| Lifecycle::from_word(word).meant_by(&Behaviour::default());
        assert_eq!(meant("Pending"), Lifecycle::Pending);
        assert_eq!(meant(""), Lifecycle::Unsaid);
        assert_eq!(meant("building"), Lifecycle::Own("building".into()));
    }

    #[test]
    fn a_word_stays_as_it_is_on_the_wire() {
        for text in [r#""pending""#, r#""Hibernating""#, r#""a \"quoted\" word""#] {
            let state: Lifecycle = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&state).unwrap(), text);
        }
    }
}
