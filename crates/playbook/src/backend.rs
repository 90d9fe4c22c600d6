//! What can be done with a script: the backends by name, and their own flags. Doing it is the
//! work of whoever runs the command.

use infrakit_template::Value;

use crate::flags::{Flag, Kind, Values};

/// A backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// `/bin/sh` with the script as its input.
    Sh,
    /// Prints the script.
    Print,
    /// Sends the script to a server.
    Http,
    /// Creates an instance from the script.
    InstanceProvision,
    /// Commits the script to a controller.
    ControllerCommit,
    /// Commits the script, a list of groups, to the manager.
    ManagerCommit,
    /// Puts the script, the documents of a stack, in force.
    StackEnforce,
    /// Runs the script on other machines.
    Ssh,
    /// Runs the script in a container.
    Docker,
    /// A plan for VMware.
    VmwScript,
}

/// The directives, each with the backend that it chooses.
pub const DIRECTIVES: [(&str, Backend); 12] = [
    ("controllerCommit", Backend::ControllerCommit),
    ("doc", Backend::Print),
    ("docker", Backend::Docker),
    ("http", Backend::Http),
    ("instanceProvision", Backend::InstanceProvision),
    ("managerCommit", Backend::ManagerCommit),
    ("print", Backend::Print),
    ("sh", Backend::Sh),
    ("ssh", Backend::Ssh),
    ("stackEnforce", Backend::StackEnforce),
    ("text", Backend::Print),
    ("vmwscript", Backend::VmwScript),
];

impl Backend {
    /// Returns the directive that chooses it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sh => "sh",
            Self::Print => "print",
            Self::Http => "http",
            Self::InstanceProvision => "instanceProvision",
            Self::ControllerCommit => "controllerCommit",
            Self::ManagerCommit => "managerCommit",
            Self::StackEnforce => "stackEnforce",
            Self::Ssh => "ssh",
            Self::Docker => "docker",
            Self::VmwScript => "vmwscript",
        }
    }

    /// Returns what it does with a script, in a few words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Sh => "runs the script with /bin/sh",
            Self::Print => "prints the text",
            Self::Http => "sends the text to a server",
            Self::InstanceProvision => "creates an instance",
            Self::ControllerCommit => "commits a document to a controller",
            Self::ManagerCommit => "commits groups to the manager",
            Self::StackEnforce => "puts the documents of a stack in force",
            Self::Ssh => "runs the script on other machines",
            Self::Docker => "runs the script in a container",
            Self::VmwScript => "shows a plan for VMware",
        }
    }

    /// Returns the flags that a command gets from it.
    #[must_use]
    pub fn flags(self) -> Vec<Flag> {
        let flag = |name: &str, values, about: &str| Flag {
            name: name.to_owned(),
            kind: Kind::Text,
            values,
            about: about.to_owned(),
            default: None,
        };
        let one = |name, about| flag(name, Values::One, about);
        match self {
            Self::Sh | Self::Print | Self::Http | Self::ManagerCommit | Self::VmwScript => {
                Vec::new()
            }
            Self::InstanceProvision => vec![one("plugin", "Instance plugin to use")],
            Self::ControllerCommit => vec![one("plugin", "Controller to commit to")],
            Self::StackEnforce => vec![one("stack", "Name of the manager")],
            Self::Ssh => vec![
                flag(
                    "hostport",
                    Values::Repeated,
                    "Machine to run on, host or host:port; may be repeated",
                ),
                one("user", "User on these machines"),
                one("keyfile", "File with the private key, or `file:user`"),
                one("password", "Not supported: use a key or an agent"),
            ],
            Self::Docker => vec![one("image", "Image of the container")],
        }
    }
}

/// An argument of a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// A text, or anything that prints as one.
    Text(String),
    /// True or false.
    Truth(bool),
}

impl Word {
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Bool(truth) => Self::Truth(*truth),
            Value::String(text) => Self::Text(text.as_ref().to_owned()),
            other => Self::Text(other.to_string()),
        }
    }

    /// Returns it as text.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Truth(truth) => truth.to_string(),
        }
    }

    /// Returns whether it says yes.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Self::Truth(truth) => *truth,
            Self::Text(text) => crate::flags::truth(text).unwrap_or(false),
        }
    }
}

/// What a template's directive asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The backend.
    pub backend: Backend,
    /// The arguments.
    pub words: Vec<Word>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_backend_has_a_directive_of_its_name() {
        for (_, backend) in DIRECTIVES {
            assert!(DIRECTIVES.contains(&(backend.name(), backend)));
            assert!(!backend.about().is_empty());
        }
    }

    #[test]
    fn words_keep_truth() {
        assert!(Word::of(&Value::Bool(true)).is_true());
        assert!(!Word::of(&Value::String("no".into())).is_true());
        assert_eq!(Word::of(&Value::Int(3)).text(), "3");
    }
}
