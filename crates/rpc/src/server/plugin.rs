//! A plugin as a server has it: tables of objects by interface, and the dispatch of calls.

use std::sync::Arc;

use infrakit_spi::controller::Controller;
use infrakit_spi::event::Events;
use infrakit_spi::flavor::Flavor;
use infrakit_spi::group::Group;
use infrakit_spi::instance::Instance;
use infrakit_spi::l4::L4;
use infrakit_spi::metadata::{Metadata, Updatable};
use infrakit_spi::resource::Resource;
use infrakit_spi::stack::Stack;
use infrakit_spi::version::{self, Interface};

use super::call::{Call, Fault, Reply, reply};
use super::envelope::Request;
use super::objects::{ONLY, Objects};
use crate::handshake::{Hello, Implements, InterfaceSpec, Nothing, ObjectName, Types};
use crate::kind;

type Table<T> = Option<Arc<dyn Objects<T>>>;

/// A plugin to be served.
///
/// ```
/// use std::sync::Arc;
/// use infrakit_rpc::{Fixed, Plugin};
/// use infrakit_spi::flavor::Flavor;
///
/// fn served(flavor: Arc<dyn Flavor>) -> Plugin {
///     Plugin::new().flavor(Fixed::single(flavor)).vendor("acme", "1.0", "http://localhost/")
/// }
/// ```
#[derive(Default)]
pub struct Plugin {
    pub(crate) instance: Table<dyn Instance>,
    pub(crate) flavor: Table<dyn Flavor>,
    pub(crate) group: Table<dyn Group>,
    pub(crate) metadata: Table<dyn Metadata>,
    pub(crate) updatable: Table<dyn Updatable>,
    pub(crate) controller: Table<dyn Controller>,
    pub(crate) stack: Table<dyn Stack>,
    pub(crate) events: Table<dyn Events>,
    /// Events that are served and not announced, where there are no others.
    pub(crate) changes: Table<dyn Events>,
    pub(crate) l4: Table<dyn L4>,
    pub(crate) resource: Table<dyn Resource>,
    pub(crate) vendor: Option<Vendor>,
    pub(crate) functions: Option<String>,
}

/// Who made a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// Name of the plugin.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where more is to be read.
    pub url: String,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Plugin")
            .field(&self.hello().objects)
            .finish()
    }
}

macro_rules! tables {
    ($($(#[$meta:meta])* $field:ident: $object:ty = $interface:ident;)*) => {
        impl Plugin {
            $(
                $(#[$meta])*
                #[must_use]
                pub fn $field(mut self, objects: impl Objects<$object> + 'static) -> Self {
                    self.$field = Some(Arc::new(objects));
                    self
                }
            )*

            /// Serves signs of change of instances as events, without announcing them: peers of
            /// the original see the plugin that they know.
            #[must_use]
            pub fn changes(mut self, objects: impl Objects<dyn Events> + 'static) -> Self {
                self.changes = Some(Arc::new(objects));
                self
            }

            /// Returns the events that can be subscribed to.
            pub(crate) fn told(&self) -> Table<dyn Events> {
                self.events.clone().or_else(|| self.changes.clone())
            }

            /// Returns the interfaces of this plugin with the names of their objects.
            fn tables(&self) -> Vec<(Interface, Vec<String>)> {
                let mut tables = Vec::new();
                $(
                    if let Some(objects) = &self.$field {
                        tables.push((version::$interface, objects.names()));
                    }
                )*
                tables
            }
        }
    };
}

// In the order of the interfaces' names.
tables! {
    /// Serves controllers.
    controller: dyn Controller = CONTROLLER;
    /// Serves events.
    events: dyn Events = EVENT;
    /// Serves flavors.
    flavor: dyn Flavor = FLAVOR;
    /// Serves groups.
    group: dyn Group = GROUP;
    /// Serves instances.
    instance: dyn Instance = INSTANCE;
    /// Serves load balancers.
    l4: dyn L4 = L4;
    /// Serves readable values.
    metadata: dyn Metadata = METADATA;
    /// Serves resources.
    resource: dyn Resource = RESOURCE;
    /// Serves a manager.
    stack: dyn Stack = STACK;
    /// Serves writable values.
    updatable: dyn Updatable = UPDATABLE;
}

/// Answers with the service's reply, or that there is no such service.
macro_rules! route {
    ($table:expr, $kind:ident, $call:expr) => {
        match &$table {
            Some(objects) => Box::pin(kind::$kind::serve(&**objects, $call)).await,
            None => Err(Fault::NoService),
        }
    };
}

impl Plugin {
    /// A plugin without objects.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says who made the plugin.
    #[must_use]
    pub fn vendor(mut self, name: &str, version: &str, url: &str) -> Self {
        let (name, version, url) = (name.to_owned(), version.to_owned(), url.to_owned());
        self.vendor = Some(Vendor { name, version, url });
        self
    }

    /// Sets the text of `/info/functions.json`: the functions that templates of this plugin know.
    #[must_use]
    pub fn functions(mut self, json: impl Into<String>) -> Self {
        self.functions = Some(json.into());
        self
    }

    /// Returns the interfaces that the plugin has, in the order of their names.
    pub(crate) fn interfaces(&self) -> Vec<Interface> {
        self.tables()
            .into_iter()
            .map(|(interface, _)| interface)
            .collect()
    }

    /// Returns the greeting: the objects as they are now.
    #[must_use]
    pub fn hello(&self) -> Hello {
        let object = |name: String| ObjectName {
            name,
            proxy_for: String::new(),
        };
        let tables = self.tables().into_iter();
        let objects = tables.map(|(interface, names)| {
            (
                interface.key(),
                Some(names.into_iter().map(object).collect()),
            )
        });
        Hello {
            objects: objects.collect(),
        }
    }

    /// Answers the request in `body`; nothing where the caller wants no answer.
    pub(crate) async fn answer(&self, body: &[u8]) -> Option<Vec<u8>> {
        let request = Request::read(body)?;
        let (method, reply) = match request.method() {
            Ok((method, params)) => {
                let reply = self.run(&method, params).await;
                (method, reply)
            }
            Err(answer) => (String::new(), Err(Fault::Envelope(answer))),
        };
        request.id().map(|_| request.finish(reply, &method))
    }

    async fn run(&self, method: &str, params: &str) -> Reply {
        let Some((service, method)) = method.split_once('.').filter(|(_, m)| !m.contains('.'))
        else {
            return Err(Fault::IllFormed);
        };
        let call = Call { method, params };
        match service {
            "Handshake" | "Plugin" => self.handshake(service, call),
            "Instance" => route!(self.instance, instance, call),
            "Flavor" => route!(self.flavor, flavor, call),
            "Group" => route!(self.group, group, call),
            // Goes with the groups and is announced nowhere.
            "Rollout" => route!(self.group, rollout, call),
            "Metadata" => match &self.metadata {
                Some(objects) => Box::pin(kind::metadata::serve(&**objects, call)).await,
                None => Err(Fault::NoService),
            },
            "Updatable" => match &self.updatable {
                Some(objects) => Box::pin(kind::updatable::serve(&**objects, call)).await,
                None => Err(Fault::NoService),
            },
            "Controller" => route!(self.controller, controller, call),
            "Manager" => route!(self.stack, stack, call),
            "Event" if self.events.is_none() => route!(self.changes, events, call),
            "Event" => route!(self.events, events, call),
            "L4" => route!(self.l4, l4, call),
            "Resource" => route!(self.resource, resource, call),
            _ => Err(Fault::NoService),
        }
    }

    /// Greets peers of this release and, beside the original, of every earlier one.
    fn handshake(&self, service: &str, call: Call<'_>) -> Reply {
        match (service, call.method) {
            ("Handshake", "Hello") => {
                call.params::<Nothing>()?;
                reply(&self.hello())
            }
            ("Handshake" | "Plugin", "Implements") => reply(&self.implements()),
            ("Handshake", "Types") => reply(&self.types()),
            ("Handshake", _) => Err(Fault::NoMethod),
            // The service as such exists in no release that knows `Handshake`.
            _ => Err(Fault::NoService),
        }
    }

    /// Lists each interface once for every version that callers may ask for: an older caller
    /// looks for its own version among all entries of the interface.
    fn implements(&self) -> Implements {
        let apis = self
            .tables()
            .into_iter()
            .flat_map(|(interface, _)| versions(interface));
        let apis = apis.map(|(name, version)| InterfaceSpec {
            name: name.to_owned(),
            version: version.to_owned(),
            sub: String::new(),
        });
        Implements {
            apis: Some(apis.collect()),
        }
    }

    fn types(&self) -> Types {
        let types = self.tables().into_iter().flat_map(|(interface, names)| {
            let names: Vec<String> = names.into_iter().filter(|name| name != ONLY).collect();
            versions(interface)
                .map(move |(name, version)| (format!("{name}/{version}"), Some(names.clone())))
        });
        Types {
            types: types.collect(),
        }
    }
}

/// Returns an interface under every name and version that it has had.
fn versions(interface: Interface) -> impl Iterator<Item = (&'static str, &'static str)> {
    let Interface {
        name,
        version,
        older,
    } = interface;
    let renamed = (interface == version::STACK).then_some(("Manager", "0.1.0"));
    let same = std::iter::once(version).chain(older.iter().copied());
    same.map(move |version| (name, version)).chain(renamed)
}
