//! The description that a plugin gives of itself at `/info/api.json`.

use std::time::{SystemTime, UNIX_EPOCH};

use infrakit_spi::version::{self, Interface};
use infrakit_spi::{Any, wire_struct};

use crate::kind;
use crate::method::Method;
use crate::server::Plugin;

wire_struct! {
    struct Description {
        vendor: Option<VendorInfo> => "Vendor",
        implements: Vec<Spec> => "Implements",
        interfaces: Vec<Described> => "Interfaces",
    }
}

wire_struct! {
    struct VendorInfo {
        name: String => "Name",
        version: String => "Version",
        sub: String => "Sub",
        url: String => "URL",
    }
}

wire_struct! {
    struct Spec {
        name: String => "Name",
        version: String => "Version",
        sub: String => "Sub",
    }
}

wire_struct! {
    struct Described {
        name: String => "Name",
        version: String => "Version",
        sub: String => "Sub",
        methods: Vec<Exchange> => "Methods",
    }
}

wire_struct! {
    struct Exchange {
        request: Request => "Request",
        response: Response => "Response",
    }
}

wire_struct! {
    struct Request {
        jsonrpc: String => "jsonrpc",
        method: String => "method",
        params: Option<Any> => "params",
        id: String => "id",
    }
}

wire_struct! {
    struct Response {
        result: Option<Any> => "result",
        id: String => "id",
    }
}

/// Returns the description of all interfaces of a plugin. The original describes one of them,
/// and which one is left to chance.
pub(crate) fn describe(plugin: &Plugin) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let id = now.as_secs().to_string();
    let interfaces = plugin.interfaces();
    let description = Description {
        vendor: plugin.vendor.as_ref().map(|vendor| VendorInfo {
            name: vendor.name.clone(),
            version: vendor.version.clone(),
            sub: String::new(),
            url: vendor.url.clone(),
        }),
        implements: interfaces.iter().map(spec).collect(),
        interfaces: interfaces
            .iter()
            .map(|interface| described(plugin, interface, &id))
            .collect(),
    };
    // Strings and raw JSON always serialise.
    serde_json::to_string(&description).unwrap_or_default()
}

fn spec(interface: &Interface) -> Spec {
    Spec {
        name: interface.name.to_owned(),
        version: interface.version.to_owned(),
        sub: String::new(),
    }
}

fn described(plugin: &Plugin, interface: &Interface, id: &str) -> Described {
    let Spec { name, version, sub } = spec(interface);
    let mut methods = methods(plugin, *interface);
    methods.sort_by_key(|method| method.name);
    let methods = methods.into_iter().map(|method| Exchange {
        request: Request {
            jsonrpc: "2.0".to_owned(),
            method: method.name.to_owned(),
            params: method.params,
            id: id.to_owned(),
        },
        response: Response {
            result: method.result,
            id: id.to_owned(),
        },
    });
    Described {
        name,
        version,
        sub,
        methods: methods.collect(),
    }
}

/// Returns the methods of an interface with example parameters and results.
fn methods(plugin: &Plugin, interface: Interface) -> Vec<Method> {
    match interface {
        version::CONTROLLER => kind::controller::methods(),
        version::EVENT => kind::events::methods(),
        version::FLAVOR => kind::flavor::methods(),
        version::GROUP => kind::group::methods(),
        version::INSTANCE => {
            let only = plugin
                .instance
                .as_ref()
                .and_then(|objects| objects.single());
            kind::instance::methods(only.and_then(|instance| instance.example()).as_ref())
        }
        version::L4 => kind::l4::methods(),
        version::METADATA => kind::metadata::methods(),
        version::RESOURCE => kind::resource::methods(),
        version::STACK => kind::stack::methods(),
        version::UPDATABLE => kind::updatable::methods(),
        _ => Vec::new(),
    }
}
