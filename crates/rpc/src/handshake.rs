//! The greeting between peers: which objects a plugin has, under which interface and version.

use std::collections::BTreeMap;

use infrakit_spi::version::Interface;
use infrakit_spi::{Delivery, Error, PluginName, Result, wire_struct};

use crate::client::{Client, Limits};
use crate::discovery::Directory;

wire_struct! {
    /// Result of `Handshake.Hello`.
    #[derive(PartialEq, Eq)]
    pub struct Hello {
        /// The objects of the plugin by `Interface/version`.
        pub objects: BTreeMap<String, Option<Vec<ObjectName>>> => "Objects",
    }
}

wire_struct! {
    /// An object of a plugin.
    #[derive(PartialEq, Eq)]
    pub struct ObjectName {
        /// Its name within the plugin; `.` for the only one.
        pub name: String => "Name",
        /// Always empty.
        pub proxy_for: String => "ProxyFor",
    }
}

impl Hello {
    /// Returns the names of the objects that the plugin has of an interface, in any version that
    /// this code speaks, in the plugin's order.
    #[must_use]
    pub fn names(&self, interface: Interface) -> Vec<&str> {
        let spoken = self.objects.iter().filter(|(key, _)| {
            let (name, version) = split(key);
            name == interface.name && interface.speaks(version)
        });
        spoken
            .flat_map(|(_, objects)| objects.iter().flatten())
            .map(|object| object.name.as_str())
            .collect()
    }

    /// Returns whether the plugin has an interface in a version that this code speaks.
    #[must_use]
    pub fn has(&self, interface: Interface) -> bool {
        check(self, interface).is_ok()
    }
}

/// Checks that a plugin has an interface in a version that this code speaks.
///
/// # Errors
/// Says that the plugin does not support the interface, or in which version it does. Nothing was
/// delivered.
pub fn check(hello: &Hello, interface: Interface) -> Result<()> {
    let mut other = None;
    for key in hello.objects.keys() {
        let (name, version) = split(key);
        if name == interface.name {
            if interface.speaks(version) {
                return Ok(());
            }
            other = Some(version);
        }
    }
    let Interface { name, version, .. } = interface;
    Err(Error::not_delivered(match other {
        Some(other) => {
            format!("Plugin supports {name} interface version {other}, client requires {version}")
        }
        None => format!("Plugin does not support interface {name}/{version}"),
    }))
}

/// Splits `Name/Version[/Sub]` into name and version.
fn split(key: &str) -> (&str, &str) {
    let mut parts = key.splitn(3, '/');
    (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    )
}

/// Finds a plugin, greets it, and checks that it has an interface.
///
/// # Errors
/// `plugin not found:<name>`, why the plugin does not answer, or what it does not support.
/// Nothing was delivered.
pub async fn connect(
    directory: &Directory,
    name: &PluginName,
    interface: Interface,
    limits: Limits,
) -> Result<Client> {
    let client = Client::new(directory.find(name)?, limits);
    // A greeting has no effect, so whatever becomes of it, nothing was delivered.
    let harmless = |error: Error| Error::not_delivered(error.message());
    let hello = client.hello().await.map_err(harmless)?;
    check(&hello, interface)?;
    Ok(client)
}

wire_struct! {
    /// Parameters of methods that take none.
    pub(crate) struct Nothing {}
}

wire_struct! {
    /// Result of `Handshake.Implements` and `Plugin.Implements`, as peers up to v0.5 have it.
    pub(crate) struct Implements {
        pub(crate) apis: Option<Vec<InterfaceSpec>> => "APIs",
    }
}

wire_struct! {
    /// An interface of an older peer.
    pub(crate) struct InterfaceSpec {
        pub(crate) name: String => "Name",
        pub(crate) version: String => "Version",
        pub(crate) sub: String => "Sub",
    }
}

wire_struct! {
    /// Result of `Handshake.Types`, as peers of v0.5 have it.
    pub(crate) struct Types {
        pub(crate) types: BTreeMap<String, Option<Vec<String>>> => "Types",
    }
}

impl Client {
    /// Greets the plugin, in the words of an older release where it needs that.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn hello(&self) -> Result<Hello> {
        hello(self).await
    }
}

/// Says hello, in the words of older releases where the peer does not know the newest.
async fn hello(client: &Client) -> Result<Hello> {
    let client = &client.brief();
    let refusal = match client.call("Handshake.Hello", &Nothing {}).await {
        Err(error) if is_unknown(&error) => error,
        answer => return answer,
    };
    for method in ["Handshake.Implements", "Plugin.Implements"] {
        match client.call::<_, Implements>(method, &Nothing {}).await {
            Ok(implements) => {
                // Peers before v0.5 do not know types: each of their interfaces has one object.
                let types: Types = match client.call("Handshake.Types", &Nothing {}).await {
                    Err(error) if is_unknown(&error) => Types::default(),
                    types => types?,
                };
                return Ok(translate(implements, &types));
            }
            Err(error) if is_unknown(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Err(refusal)
}

/// Returns whether the peer refused because it has no such method or service.
pub(crate) fn is_unknown(error: &Error) -> bool {
    error.delivery() == Delivery::Refused && error.message().starts_with("rpc: can't find ")
}

fn translate(implements: Implements, types: &Types) -> Hello {
    let object = |name: &str| ObjectName {
        name: name.to_owned(),
        proxy_for: String::new(),
    };
    let apis = implements.apis.unwrap_or_default().into_iter();
    let objects = apis.map(|api| {
        let key = format!("{}/{}", api.name, api.version);
        let names = match types.types.get(&key) {
            Some(Some(names)) if !names.is_empty() => names.iter().map(|n| object(n)).collect(),
            _ => vec![object(".")],
        };
        // What is a stack today was called by its methods.
        let key = if api.name == "Manager" {
            format!("Stack/{}", api.version)
        } else {
            key
        };
        (key, Some(names))
    });
    Hello {
        objects: objects.collect(),
    }
}

#[cfg(test)]
mod tests {
    use infrakit_spi::version;

    use super::*;

    fn hello(keys: &[&str]) -> Hello {
        Hello {
            objects: keys
                .iter()
                .map(|key| ((*key).to_owned(), Some(Vec::new())))
                .collect(),
        }
    }

    #[test]
    fn check_says_what_is_missing_or_wrong() {
        let text = |keys: &[&str]| {
            check(&hello(keys), version::INSTANCE)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            text(&["Flavor/0.1.1"]),
            "Plugin does not support interface Instance/0.6.1"
        );
        assert_eq!(
            text(&["Instance/9.9.9"]),
            "Plugin supports Instance interface version 9.9.9, client requires 0.6.1"
        );
        for good in ["Instance/0.6.1", "Instance/0.5.0", "Instance/0.6.1/sub"] {
            check(&hello(&[good]), version::INSTANCE).unwrap();
        }
        check(
            &hello(&["Instance/9.9.9", "Instance/0.3.0"]),
            version::INSTANCE,
        )
        .unwrap();
    }

    #[test]
    fn older_peers_have_one_object_unless_they_name_types() {
        let implements: Implements = serde_json::from_str(
            r#"{"APIs":[{"Name":"Instance","Version":"0.5.0"},{"Name":"Manager","Version":"0.1.0"}]}"#,
        )
        .unwrap();
        let types: Types =
            serde_json::from_str(r#"{"Types":{"Instance/0.5.0":["compute","disk"]}}"#).unwrap();
        let hello = translate(implements, &types);
        assert_eq!(hello.names(version::INSTANCE), ["compute", "disk"]);
        assert_eq!(hello.names(version::STACK), ["."]);
    }
}
