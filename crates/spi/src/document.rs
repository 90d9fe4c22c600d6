//! Spec documents: the form in which operators write what they want of any controller.

use std::collections::BTreeMap;

use crate::{Any, GroupId, PluginName, Tags, wire_struct};

wire_struct! {
    /// Name and tags of a document.
    #[derive(PartialEq, Eq)]
    pub struct Metadata {
        /// Identity, once it exists.
        pub id: Option<String> => "id" omit,
        /// Name, `name` or `plugin/name`.
        pub name: String => "name",
        /// Tags.
        pub tags: Option<Tags> => "tags",
    }
}

wire_struct! {
    /// A dependency on another document.
    #[derive(PartialEq, Eq)]
    pub struct Dependency {
        /// Kind of the other.
        pub kind: String => "kind",
        /// Name of the other.
        pub name: String => "name",
        /// Values taken from it: name to path.
        pub bind: Option<BTreeMap<String, String>> => "bind",
    }
}

wire_struct! {
    /// A spec document.
    #[derive(PartialEq)]
    pub struct Spec {
        /// Kind, `kind` or `kind/type`.
        pub kind: String => "kind",
        /// Version of the schema.
        pub version: String => "version",
        /// Name and tags.
        pub metadata: Metadata => "metadata",
        /// URL of a template.
        pub template: String => "template" omit,
        /// What is wanted, in the controller's own schema.
        pub properties: Option<Any> => "properties",
        /// How it is to be done.
        pub options: Option<Any> => "options" omit,
        /// What it depends on.
        pub depends: Option<Vec<Dependency>> => "depends" omit,
    }
}

wire_struct! {
    /// A spec document together with the state that it led to.
    #[derive(PartialEq)]
    pub struct Object {
        /// Kind, `kind` or `kind/type`.
        pub kind: String => "kind",
        /// Version of the schema.
        pub version: String => "version",
        /// Name and tags.
        pub metadata: Metadata => "metadata",
        /// URL of a template.
        pub template: String => "template" omit,
        /// What is wanted.
        pub properties: Option<Any> => "properties",
        /// How it is to be done.
        pub options: Option<Any> => "options" omit,
        /// What it depends on.
        pub depends: Option<Vec<Dependency>> => "depends" omit,
        /// What is.
        pub state: Option<Any> => "state" omit,
    }
}

impl Object {
    /// Joins a spec with its state.
    #[must_use]
    pub fn new(spec: Spec, state: Option<Any>) -> Self {
        let Spec {
            kind,
            version,
            metadata,
            template,
            properties,
            options,
            depends,
        } = spec;
        Self {
            kind,
            version,
            metadata,
            template,
            properties,
            options,
            depends,
            state,
        }
    }
}

/// Where a document leads: the plugin that owns it and the object within.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Plugin that owns the document.
    pub plugin: PluginName,
    /// Object within the plugin.
    pub instance: String,
}

impl Spec {
    /// Returns where the document leads, from its kind and name.
    ///
    /// `group` named `workers` leads to `group/workers`; `simulator/disk` named `us-east/disk1`
    /// to `us-east/disk`, object `disk1`.
    #[must_use]
    pub fn address(&self) -> Address {
        let (kind, kind_type) = self.kind.split_once('/').unwrap_or((&self.kind, ""));
        let kind_type = kind_type.split('/').next().unwrap_or_default();
        let name = self.metadata.name.as_str();
        let or = |a: &str, b: &str| {
            if a.is_empty() {
                b.to_owned()
            } else {
                a.to_owned()
            }
        };
        let (plugin, instance) = match name.split_once('/') {
            Some((lookup, rest)) => {
                let rest = rest.split('/').next().unwrap_or_default();
                (format!("{lookup}/{}", or(kind_type, rest)), rest)
            }
            None => (format!("{kind}/{}", or(kind_type, name)), name),
        };
        let instance = self
            .metadata
            .id
            .clone()
            .unwrap_or_else(|| instance.to_owned());
        Address {
            plugin: PluginName::new(plugin),
            instance,
        }
    }
}

wire_struct! {
    /// One entry of the older multi-group document.
    #[derive(PartialEq)]
    pub struct PluginSpec {
        /// Plugin that owns the entry.
        pub plugin: PluginName => "Plugin",
        /// Its properties.
        pub properties: Option<Any> => "Properties",
    }
}

wire_struct! {
    /// Properties of an entry for a group plugin.
    #[derive(PartialEq)]
    pub struct GroupEntry {
        /// Id of the group.
        pub id: GroupId => "ID",
        /// Properties of the group.
        pub properties: Option<Any> => "Properties",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_kind_and_name() {
        for (kind, name, plugin, instance) in [
            ("group", "workers", "group/workers", "workers"),
            ("group", "us-east/workers", "us-east/workers", "workers"),
            ("ingress", "lb1", "ingress/lb1", "lb1"),
            ("simulator/disk", "disk1", "simulator/disk", "disk1"),
            ("simulator/disk", "us-east/disk1", "us-east/disk", "disk1"),
            (
                "aws/ec2-instance",
                "us-east/host1",
                "us-east/ec2-instance",
                "host1",
            ),
        ] {
            let mut spec = Spec {
                kind: kind.to_owned(),
                ..Spec::default()
            };
            spec.metadata.name = name.to_owned();
            let want = Address {
                plugin: plugin.into(),
                instance: instance.to_owned(),
            };
            assert_eq!(spec.address(), want, "{kind} {name}");
        }
    }
}
