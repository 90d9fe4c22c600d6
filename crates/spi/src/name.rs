//! Names and ids, each a type of its own, and what makes one acceptable.

use std::cmp::Ordering;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a name was refused. The message names the rule and shows the name, shortened and escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {shown} is not usable: {rule}")]
pub struct InvalidName {
    what: &'static str,
    shown: String,
    rule: &'static str,
}

/// Longest name that is accepted, in bytes. Sockets live at `<plugins>/<name>`, and a unix socket
/// path holds 107 bytes on Linux; group ids travel in tags, where clouds allow 128 to 256.
const LONGEST: usize = 128;

fn check(what: &'static str, name: &str) -> Result<(), InvalidName> {
    let rule = if name.is_empty() {
        "it is empty"
    } else if name.len() > LONGEST {
        "it is longer than 128 bytes"
    } else if name == "." || name == ".." {
        "`.` and `..` are reserved"
    } else if name.contains('/') {
        "it contains a `/`"
    } else if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        "it contains white space or control characters"
    } else {
        return Ok(());
    };
    let mut shown: String = name.escape_debug().take(40).collect();
    if name.chars().count() > 40 {
        shown.push('…');
    }
    Err(InvalidName {
        what,
        shown: format!("`{shown}`"),
        rule,
    })
}

/// Orders names by their texts. Most that are compared are copies of one another, or of few: members
/// are looked up by the name of their plugin, too, and whoever shares its text need not be read.
macro_rules! ordered_by_text {
    ($name:ident) => {
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                if Arc::ptr_eq(&self.0, &other.0) {
                    Ordering::Equal
                } else {
                    self.0.cmp(&other.0)
                }
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
    };
}

macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $what:literal) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        ordered_by_text!($name);

        impl $name {
            /// Wraps `id` as it is; a peer may use any string.
            #[must_use]
            pub fn new(id: impl Into<Arc<str>>) -> Self {
                Self(id.into())
            }

            /// Returns the id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Checks that the id may be given to something new: 1 to 128 bytes, no `/`, no
            /// white space, no control characters, neither `.` nor `..`.
            ///
            /// # Errors
            /// Returns the rule that the id breaks.
            pub fn check(&self) -> Result<(), InvalidName> {
                check($what, &self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.into())
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id.into())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// The id of a group, chosen by its operator. Copies of an id share its text.
    GroupId,
    "group id"
);
id!(
    /// The id of an instance, chosen by its instance plugin.
    InstanceId,
    "instance id"
);
id!(
    /// The identity of a pet: an address, a host name, anything that outlives one instance.
    LogicalId,
    "logical id"
);

/// The name of a plugin object: `lookup` or `lookup/subtype`, as in `simulator/compute`.
///
/// The lookup part names the socket, the subtype what lies behind it; the subtype may contain
/// further slashes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PluginName(Arc<str>);

ordered_by_text!(PluginName);

impl PluginName {
    /// Wraps `name` as it is.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Returns the whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the part before the first `/`: the name of the socket.
    #[must_use]
    pub fn lookup(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(lookup, _)| lookup)
    }

    /// Returns the part behind the first `/`, or the empty string.
    #[must_use]
    pub fn subtype(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, subtype)| subtype)
    }

    /// Checks that a socket may be made under the lookup part of this name.
    ///
    /// # Errors
    /// Returns the rule that the name breaks.
    pub fn check(&self) -> Result<(), InvalidName> {
        check("plugin name", self.lookup())?;
        let reserved = Path::new(self.lookup())
            .extension()
            .is_some_and(|e| e == "pid" || e == "listen");
        if reserved {
            return Err(InvalidName {
                what: "plugin name",
                shown: format!("`{}`", self.lookup()),
                rule: "names ending in `.pid` or `.listen` are reserved",
            });
        }
        Ok(())
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for PluginName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for PluginName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_first_slash() {
        let name = PluginName::from("a/b/c");
        assert_eq!((name.lookup(), name.subtype()), ("a", "b/c"));
        assert_eq!(
            (
                PluginName::from("a").lookup(),
                PluginName::from("a").subtype()
            ),
            ("a", "")
        );
    }

    #[test]
    fn refuses_names_that_cannot_be_files_or_tags() {
        let long = "x".repeat(300);
        for bad in ["", ".", "..", "a/b", "a b", "a\nb", long.as_str()] {
            let error = GroupId::from(bad).check().unwrap_err().to_string();
            assert!(!error.contains('\n') && error.len() < 160, "{error}");
        }
        for good in ["cattle", "us-east.web_1", "größe"] {
            GroupId::from(good).check().unwrap();
        }
        assert!(PluginName::from("foo.pid").check().is_err());
        PluginName::from("simulator/compute").check().unwrap();
    }
}
