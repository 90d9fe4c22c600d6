//! The objects behind the commands: which plugins there are, what they implement, and how each
//! is addressed on the wire.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use infrakit_rpc::handshake::Hello;
use infrakit_rpc::{Address, Client, Directory, Limits};
use infrakit_spi::version::{self, Interface};
use infrakit_spi::{Delivery, Error, GroupId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::error::{CommandError, Result, did_you_mean, one_line};

/// How long a plugin may take to say hello when everybody is asked. One dead plugin must not
/// delay a command that does not need it.
const HELLO: Duration = Duration::from_secs(1);

/// Name of the object that stands for all groups of a manager.
const GROUPS: &str = "groups";

/// An interface that an object implements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The interface.
    pub(crate) interface: Interface,
    /// What the plugin announced, as in `Group/0.1.1`.
    pub(crate) key: String,
    /// The object's name within its plugin; `.` for the only one.
    pub(crate) object: String,
}

/// A plugin that was found, and what it said.
#[derive(Debug)]
pub(crate) struct Found {
    /// Name of its socket.
    pub(crate) socket: String,
    /// Where it answers.
    pub(crate) address: Address,
    /// What it implements.
    pub(crate) hello: Hello,
}

/// An object that commands address.
#[derive(Clone)]
pub(crate) struct Target {
    /// Its name, `socket` or `socket/object`.
    pub(crate) name: String,
    /// What it implements, sorted by interface.
    pub(crate) offers: Vec<Offer>,
    client: Client,
    /// Group that the name stands for where the plugin has no object of that name.
    group: Option<GroupId>,
}

/// Returns the directory with the plugins of this machine.
pub(crate) fn directory(context: &Context) -> Result<Directory> {
    Ok(Directory::new(context.settings.plugins_dir()?))
}

/// Lists the plugins of this machine, without asking any.
pub(crate) fn list(context: &Context) -> Result<BTreeMap<String, Address>> {
    let directory = directory(context)?;
    directory.list().map_err(|error| {
        CommandError::config(format!(
            "failed to list the plugins in `{}`: {error}",
            directory.path().display()
        ))
        .hint("INFRAKIT_HOME and INFRAKIT_PLUGINS_DIR say where the sockets are")
    })
}

/// Asks every plugin what it implements, all at once. One that does not answer is left out, with
/// a warning.
pub(crate) async fn greet_all(context: &Context) -> Result<Vec<Found>> {
    let limits = limits(context)?;
    let asked = list(context)?.into_iter().map(async |(socket, address)| {
        let client = Client::new(address.clone(), limits);
        let hello = match tokio::time::timeout(HELLO, client.hello()).await {
            Ok(hello) => hello.map_err(|error| error.message().to_owned()),
            Err(_) => Err("it does not answer".to_owned()),
        };
        (socket, address, hello)
    });
    let mut found = Vec::new();
    for (socket, address, hello) in join_all(asked).await {
        match hello {
            Ok(hello) => found.push(Found {
                socket,
                address,
                hello,
            }),
            Err(reason) => context.warn(&format!("plugin `{socket}` is left out: {reason}")),
        }
    }
    Ok(found)
}

/// Returns the bounds of a call.
pub(crate) fn limits(context: &Context) -> Result<Limits> {
    Ok(Limits {
        deadline: context.settings.client_timeout()?,
        ..Limits::default()
    })
}

/// Splits `Group/0.1.1[/Sub]` into the interface and what was announced.
fn known(key: &str) -> Option<Interface> {
    let mut parts = key.split('/');
    let (name, version) = (parts.next()?, parts.next()?);
    version::ALL
        .into_iter()
        .find(|interface| interface.name == name && interface.speaks(version))
}

impl Found {
    /// Returns the objects of the plugin by name, each with what it implements.
    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<Offer>> {
        let mut objects: BTreeMap<String, Vec<Offer>> = BTreeMap::new();
        for (key, names) in &self.hello.objects {
            let Some(interface) = known(key) else {
                continue;
            };
            for object in names.iter().flatten() {
                let name = match object.name.as_str() {
                    "" | "." => self.socket.clone(),
                    object => format!("{}/{object}", self.socket),
                };
                objects.entry(name).or_default().push(Offer {
                    interface,
                    key: key.clone(),
                    object: object.name.clone(),
                });
            }
        }
        // The bare name of a manager stands for its groups as well: `infrakit group ls`.
        if let Some(all) = objects.get(&format!("{}/{GROUPS}", self.socket)).cloned() {
            let bare = objects.entry(self.socket.clone()).or_default();
            for offer in all {
                if !bare.iter().any(|other| other.interface == offer.interface) {
                    bare.push(offer);
                }
            }
        }
        for offers in objects.values_mut() {
            offers.sort_by(|a, b| a.key.cmp(&b.key));
            offers.dedup_by(|a, b| a.key == b.key);
        }
        objects
    }

    /// Returns the object of that name.
    pub(crate) fn target(&self, context: &Context, name: &str) -> Result<Option<Target>> {
        let Some(offers) = self.objects().remove(name) else {
            return Ok(None);
        };
        Ok(Some(Target {
            name: name.to_owned(),
            offers,
            client: Client::new(self.address.clone(), limits(context)?),
            group: None,
        }))
    }
}

/// Finds an object by name, asking only its own plugin.
///
/// # Errors
/// Says that there is no such plugin or object, with the closest name, or why it does not answer.
pub(crate) async fn find(context: &Context, name: &str) -> Result<Target> {
    let socket = name.split('/').next().unwrap_or_default();
    let plugins = list(context)?;
    let Some(address) = plugins.get(socket) else {
        return Err(no_plugin(name, plugins.keys().map(String::as_str)));
    };
    let client = Client::new(address.clone(), limits(context)?);
    let hello = client
        .hello()
        .await
        .map_err(|error| dead(socket, error.message()))?;
    let found = Found {
        socket: socket.to_owned(),
        address: address.clone(),
        hello,
    };
    let objects = found.objects();
    if let Some(offers) = objects.get(name).cloned() {
        return Ok(Target {
            name: name.to_owned(),
            offers,
            client,
            group: None,
        });
    }
    // A group plugin without a manager has no object for each group; its groups are named alike.
    if let Some(group) = name.split_once('/').map(|(_, group)| GroupId::from(group))
        && let Some(offer) = plain_group(objects.get(socket))
        && group.check().is_ok()
    {
        let offers = vec![offer];
        return Ok(Target {
            name: name.to_owned(),
            offers,
            client,
            group: Some(group),
        });
    }
    Err(no_object(name, socket, &objects))
}

/// Returns the offer of a plugin that keeps all its groups in one object.
fn plain_group(offers: Option<&Vec<Offer>>) -> Option<Offer> {
    let offer = offers?
        .iter()
        .find(|offer| offer.interface == version::GROUP)?;
    matches!(offer.object.as_str(), "" | ".").then(|| offer.clone())
}

fn dead(socket: &str, reason: &str) -> CommandError {
    CommandError::remote(format!("plugin `{socket}` does not answer: {reason}")).hint(format!(
        "start it again, or remove it with `infrakit plugin stop {socket}`"
    ))
}

/// Says that there is no such plugin.
pub(crate) fn no_plugin<'a>(name: &str, there: impl Iterator<Item = &'a str>) -> CommandError {
    let names: Vec<&str> = there.collect();
    let shown = name.escape_debug().take(60).collect::<String>();
    let hint = match did_you_mean(name, names.iter().copied()) {
        Some(hint) => hint,
        None if names.is_empty() => {
            "no plugins are running; start some with `infrakit plugin start manager group vanilla file`"
                .to_owned()
        }
        None => format!("running are {}", names.join(", ")),
    };
    CommandError::remote(format!("there is no plugin `{shown}`")).hint(hint)
}

fn no_object(name: &str, socket: &str, objects: &BTreeMap<String, Vec<Offer>>) -> CommandError {
    let names: Vec<&str> = objects.keys().map(String::as_str).collect();
    let close = if name == socket {
        None
    } else {
        did_you_mean(name, names.iter().copied())
    };
    let hint =
        close.or_else(|| (!names.is_empty()).then(|| format!("it has {}", names.join(", "))));
    let message = if name == socket {
        format!("plugin `{socket}` has no object without a type")
    } else {
        format!("plugin `{socket}` has no object `{}`", one_line(name))
    };
    CommandError::remote(message).maybe_hint(hint)
}

impl Target {
    /// Returns what the object offers of an interface.
    pub(crate) fn offer(&self, interface: Interface) -> Option<&Offer> {
        self.offers
            .iter()
            .find(|offer| offer.interface == interface)
    }

    /// Returns whether the object implements an interface.
    pub(crate) fn has(&self, interface: Interface) -> bool {
        self.offer(interface).is_some()
    }

    /// Returns the name of the socket.
    pub(crate) fn socket(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    /// Returns the `Name` under which methods of an interface address the object.
    pub(crate) fn wire_name(&self, interface: Interface) -> String {
        match self.offer(interface).map(|offer| offer.object.as_str()) {
            None | Some("" | ".") => self.socket().to_owned(),
            Some(object) => format!("{}/{object}", self.socket()),
        }
    }

    /// Returns the `Type` under which methods of an interface address the object.
    pub(crate) fn wire_type(&self, interface: Interface) -> String {
        match self.offer(interface).map(|offer| offer.object.as_str()) {
            None | Some("" | ".") => String::new(),
            Some(object) => object.to_owned(),
        }
    }

    /// Returns the group that the object stands for, as `group/workers` does for `workers`.
    pub(crate) fn implied_group(&self) -> Option<GroupId> {
        if let Some(group) = &self.group {
            return Some(group.clone());
        }
        let object = self.offer(version::GROUP)?.object.as_str();
        (!matches!(object, "" | "." | GROUPS)).then(|| GroupId::from(object))
    }

    /// Returns the interfaces as help shows them: `Group/0.1.1,Metadata/0.1.1`.
    pub(crate) fn implements(&self) -> String {
        implements(&self.offers)
    }

    /// Returns the client, for what is more than a call.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Calls a method.
    pub(crate) async fn call<P: Serialize + Sync, R: DeserializeOwned>(
        &self,
        method: &str,
        params: &P,
    ) -> Result<R> {
        let answer = self.client.call(method, params).await;
        answer.map_err(|error| self.failed(method, &error))
    }

    /// Says what became of a call that failed.
    pub(crate) fn failed(&self, method: &str, error: &Error) -> CommandError {
        match error.delivery() {
            Delivery::Refused => CommandError::remote(error.message()),
            Delivery::NotDelivered => dead(self.socket(), error.message()),
            Delivery::Unknown => CommandError::remote(format!(
                "plugin `{}` gave no answer to {method}: {}",
                self.socket(),
                error.message()
            ))
            .hint("it may have been carried out all the same; look before you repeat it"),
        }
    }
}

/// Returns interfaces as help shows them.
pub(crate) fn implements(offers: &[Offer]) -> String {
    let keys: Vec<&str> = offers.iter().map(|offer| offer.key.as_str()).collect();
    keys.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> Found {
        Found {
            socket: "group".to_owned(),
            address: Address::Unix("/nowhere".into()),
            hello: serde_json::from_str(json).unwrap(),
        }
    }

    const MANAGER: &str = r#"{"Objects":{
        "Stack/0.1.1":[{"Name":"."}],
        "Controller/0.1.1":[{"Name":"workers"},{"Name":"groups"}],
        "Group/0.1.1":[{"Name":"groups"},{"Name":"workers"}],
        "Updatable/0.1.1":[{"Name":"vars"}],
        "Unheard/9.9":[{"Name":"x"}]}}"#;

    fn target(found: &Found, name: &str) -> Target {
        Target {
            name: name.to_owned(),
            offers: found.objects().remove(name).unwrap(),
            client: Client::new(found.address.clone(), Limits::default()),
            group: None,
        }
    }

    #[test]
    fn a_bare_manager_stands_for_its_groups() {
        let found = found(MANAGER);
        let names: Vec<String> = found.objects().into_keys().collect();
        assert_eq!(
            names,
            ["group", "group/groups", "group/vars", "group/workers"]
        );
        let bare = target(&found, "group");
        assert_eq!(
            bare.implements(),
            "Controller/0.1.1,Group/0.1.1,Stack/0.1.1"
        );
        assert_eq!(bare.wire_name(version::GROUP), "group/groups");
        assert_eq!(bare.wire_name(version::STACK), "group");
        assert_eq!(bare.implied_group(), None);
        let workers = target(&found, "group/workers");
        assert_eq!(workers.wire_name(version::GROUP), "group/workers");
        assert_eq!(workers.implied_group(), Some("workers".into()));
    }

    #[test]
    fn a_plugin_with_one_object_is_addressed_by_its_socket() {
        let plain =
            found(r#"{"Objects":{"Group/0.1.0":[{"Name":"."}],"Metadata/0.1.1":[{"Name":"."}]}}"#);
        let plain = target(&plain, "group");
        assert_eq!(plain.wire_name(version::GROUP), "group");
        assert_eq!(plain.wire_type(version::GROUP), "");
        assert_eq!(plain.implements(), "Group/0.1.0,Metadata/0.1.1");
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_closest() {
        let error = no_plugin("grup", ["group", "file"].into_iter());
        assert!(
            error
                .render(false)
                .unwrap()
                .contains("did you mean `group`?")
        );
        let error = no_plugin("x", std::iter::empty());
        assert!(error.render(false).unwrap().contains("plugin start"));
        let objects = found(MANAGER).objects();
        let error = no_object("group/wokers", "group", &objects);
        assert!(
            error
                .render(false)
                .unwrap()
                .contains("did you mean `group/workers`?")
        );
    }
}
