//! What a plugin call can come to when it does not succeed.

use std::time::Duration;

use crate::words;

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

words! {
    /// What has to change before a failed creation can succeed.
    #[derive(Default)]
    pub enum FailureClass {
        /// The configuration: trying again as it stands is of no use.
        Configuration = "configuration",
        /// The room there is: others may give some back.
        Quota = "quota",
        /// The plugin, or what stands behind it: it is expected to come back.
        Unavailable = "unavailable",
        /// Nobody can tell.
        #[default]
        Other = "other",
    }
}

/// Words of clouds and daemons that have no more to give, or that want to be asked less often.
const QUOTA: &[&str] = &[
    "quota",
    "limit exceeded",
    "limitexceeded",
    "limit_exceeded",
    "limit reached",
    "exceeds the limit",
    "throttl",
    "rate exceeded",
    "rate limit",
    "ratelimit",
    "too many requests",
    "toomanyrequests",
    "resource exhausted",
    "resource_exhausted",
    "resource pool exhausted",
    "insufficient capacity",
    "insufficientinstancecapacity",
    "insufficient resources",
    "insufficient memory",
    "not enough memory",
    "out of capacity",
    "out of memory",
    "no space left",
    "no capacity",
    "capacity exceeded",
    "at capacity",
    "zone_resource_pool_exhausted",
    "stockout",
];

/// Those of them that are about how often is asked.
const THROTTLED: &[&str] = &[
    "throttl",
    "rate exceeded",
    "rate limit",
    "ratelimit",
    "rate_limit",
    "too many requests",
    "toomanyrequests",
    "requestlimitexceeded",
];

/// A plugin that wants not to be called for longer than this is mistaken, or another clock is: hourly
/// limits are the longest that providers are known to have.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Words of passing trouble. They win over those of a wrong configuration: an answer that could
/// not be read is often called invalid.
const UNAVAILABLE: &[&str] = &[
    "timeout",
    "timed out",
    "deadline exceeded",
    "unavailable",
    "temporar",
    "try again",
    "connection refused",
    "connection reset",
    "broken pipe",
    "no route to host",
    "bad gateway",
    "internal server error",
    "looking for beginning of value",
    "unexpected eof",
];

/// Words that only a change of the configuration, or of a permission, answers.
const CONFIGURATION: &[&str] = &[
    "invalid",
    "malformed",
    "unknown field",
    "unknown property",
    "missing required",
    "unsupported",
    "not supported",
    "unauthorized",
    "unauthenticated",
    "not authorized",
    "access denied",
    "accessdenied",
    "permission denied",
    "forbidden",
    "no such image",
    "image not found",
    "does not exist",
    "cannot unmarshal",
    "cannot read the properties",
];

/// A failed plugin call. The message is the plugin's own text where it gave one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    delivery: Delivery,
    message: String,
    class: Option<FailureClass>,
    /// For how long the plugin wants not to be called.
    retry_after: Option<Duration>,
    /// The peer does not have the method that was called.
    absent: bool,
    /// Another plugin said it than the one that the call was for.
    of_another: bool,
    /// An answer came, and cannot be used.
    unusable: bool,
}

impl Error {
    fn new(delivery: Delivery, message: impl Into<String>) -> Self {
        Self {
            delivery,
            message: message.into(),
            class: None,
            retry_after: None,
            absent: false,
            of_another: false,
            unusable: false,
        }
    }

    /// An answer of the plugin that refuses the call, with the plugin's own text.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Delivery::Refused, message)
    }

    /// An answer of the plugin that it does not have the method, or its service.
    pub fn absent(message: impl Into<String>) -> Self {
        Self {
            absent: true,
            ..Self::refused(message)
        }
    }

    /// A call that could not be delivered.
    pub fn not_delivered(message: impl Into<String>) -> Self {
        Self::new(Delivery::NotDelivered, message)
    }

    /// A call whose outcome is unknown.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(Delivery::Unknown, message)
    }

    /// An answer that says nothing which can be used, such as no JSON, or no id of what was made: what came
    /// of the call is unknown, and its plugin has a fault.
    pub fn unusable(message: impl Into<String>) -> Self {
        Self {
            unusable: true,
            ..Self::unknown(message)
        }
    }

    /// Says what has to change before the call can succeed.
    #[must_use]
    pub fn with_class(mut self, class: FailureClass) -> Self {
        self.class = Some(class);
        self
    }

    /// Says that the plugin was called too often, and for how long it wants not to be.
    #[must_use]
    pub fn with_retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause.min(LONGEST_PAUSE));
        self
    }

    /// Says that it is the word of another plugin than the one that the call was for, as of a flavor that
    /// prepares an instance: it tells nothing of that one, nor of how often that one may be called.
    ///
    /// ```
    /// use infrakit_spi::Error;
    ///
    /// assert!(!Error::refused("ThrottlingException").of_another().is_throttled());
    /// ```
    #[must_use]
    pub fn of_another(mut self) -> Self {
        self.of_another = true;
        self
    }

    /// Returns whether it is the word of another plugin than the one that the call was for.
    #[must_use]
    pub fn is_of_another(&self) -> bool {
        self.of_another
    }

    /// Returns for how long the plugin wants not to be called, if it said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns whether the plugin refused the call because it is called too often: it says when to
    /// come back, or uses a word that providers use for nothing else. Such words slow calls down;
    /// they never stop a group.
    ///
    /// ```
    /// assert!(infrakit_spi::Error::refused("ThrottlingException: Rate exceeded").is_throttled());
    /// assert!(!infrakit_spi::Error::refused("Quota 'CPUS' exceeded").is_throttled());
    /// ```
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        if self.delivery != Delivery::Refused || self.of_another {
            return false;
        }
        let message = self.message.to_lowercase();
        self.retry_after.is_some() || THROTTLED.iter().any(|word| message.contains(word))
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

    /// Returns whether an answer came that cannot be used.
    #[must_use]
    pub fn is_unusable(&self) -> bool {
        self.unusable
    }

    /// Returns whether the peer does not have the method at all.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.absent
    }

    /// Returns the class as the plugin gave it, if it did.
    #[must_use]
    pub fn given_class(&self) -> Option<FailureClass> {
        self.class
    }

    /// Returns the class: as the plugin gave it, or else told from how the call failed and from
    /// the words of the message.
    ///
    /// ```
    /// use infrakit_spi::{Error, FailureClass};
    ///
    /// let error = Error::refused("VcpuLimitExceeded: you have requested more vCPU capacity");
    /// assert_eq!(error.class(), FailureClass::Quota);
    /// ```
    #[must_use]
    pub fn class(&self) -> FailureClass {
        self.class.unwrap_or_else(|| match self.delivery {
            Delivery::NotDelivered | Delivery::Unknown => FailureClass::Unavailable,
            Delivery::Refused => told_by_words(&self.message),
        })
    }
}

fn told_by_words(message: &str) -> FailureClass {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(QUOTA) {
        FailureClass::Quota
    } else if says(UNAVAILABLE) {
        FailureClass::Unavailable
    } else if says(CONFIGURATION) {
        FailureClass::Configuration
    } else {
        FailureClass::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_real_servers_tell_the_class() {
        use FailureClass::{Configuration, Other, Quota, Unavailable};
        for (message, class) in [
            (
                "InstanceLimitExceeded: You have requested more instances (21) than your limit",
                Quota,
            ),
            ("Quota 'CPUS' exceeded. Limit: 24.0 in region x", Quota),
            ("RequestLimitExceeded: Request limit exceeded.", Quota),
            ("ThrottlingException: Rate exceeded", Quota),
            ("429 Too Many Requests", Quota),
            (
                "InsufficientInstanceCapacity: no t2 in this zone, invalid for now",
                Quota,
            ),
            ("mkdir /x: no space left on device", Quota),
            (
                "InvalidAMIID.NotFound: The image id does not exist",
                Configuration,
            ),
            (
                "Error response from daemon: No such image: nope:1",
                Configuration,
            ),
            ("json: unknown field \"Imgae\"", Configuration),
            (
                "UnauthorizedOperation: You are not authorized",
                Configuration,
            ),
            ("open /etc/x: permission denied", Configuration),
            (
                "dial tcp 10.0.0.1:2376: connect: connection refused",
                Unavailable,
            ),
            (
                "invalid character '<' looking for beginning of value",
                Unavailable,
            ),
            ("context deadline exceeded", Unavailable),
            ("503 Service Unavailable", Unavailable),
            ("exit status 1", Other),
            ("", Other),
        ] {
            assert_eq!(Error::refused(message).class(), class, "{message}");
        }
    }

    #[test]
    fn calls_without_an_answer_are_of_an_unavailable_plugin() {
        for error in [Error::unknown("EOF"), Error::not_delivered("invalid quota")] {
            assert_eq!(error.class(), FailureClass::Unavailable);
            assert_eq!(error.given_class(), None);
        }
    }

    #[test]
    fn what_the_plugin_gives_wins() {
        let error = Error::refused("invalid image").with_class(FailureClass::Other);
        assert_eq!(error.class(), FailureClass::Other);
        assert_eq!(error.given_class(), Some(FailureClass::Other));
        assert_eq!(error.to_string(), "invalid image");
    }

    #[test]
    fn a_class_is_a_word_in_any_case() {
        assert_eq!(FailureClass::from_word("Quota"), Some(FailureClass::Quota));
        assert_eq!(FailureClass::from_word("full"), None);
        for class in FailureClass::ALL {
            assert_eq!(FailureClass::from_word(class.as_str()), Some(*class));
        }
    }
}
