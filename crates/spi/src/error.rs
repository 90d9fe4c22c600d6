//! What a plugin call can come to when it does not succeed.

/// Result of a plugin call.
pub type Result<T> = std::result::Result<T, Error>;

/// Whether a failed call may have had an effect. This, not the message, decides what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The call never reached the plugin: nothing happened, and it may be tried again.
    NotDelivered,
    /// The plugin answered with an error: it refused.
    Refused,
    /// The call was sent and no answer came: it may have happened, or may yet happen.
    Unknown,
}

/// A failed plugin call. The message is the plugin's own text where it gave one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    delivery: Delivery,
    message: String,
}

impl Error {
    /// An answer of the plugin that refuses the call, with the plugin's own text.
    pub fn refused(message: impl Into<String>) -> Self {
        Self {
            delivery: Delivery::Refused,
            message: message.into(),
        }
    }

    /// A call that could not be delivered.
    pub fn not_delivered(message: impl Into<String>) -> Self {
        Self {
            delivery: Delivery::NotDelivered,
            message: message.into(),
        }
    }

    /// A call whose outcome is unknown.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self {
            delivery: Delivery::Unknown,
            message: message.into(),
        }
    }

    /// Returns whether the call may have had an effect.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}
