//! The interface versions that travel in the handshake, now and in earlier releases.

/// An interface and its version, as in `Instance/0.6.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interface {
    /// Name, as in `Instance`.
    pub name: &'static str,
    /// Version that this code speaks and announces.
    pub version: &'static str,
    /// Versions of earlier releases that a plugin may announce and that we can still call.
    pub older: &'static [&'static str],
}

impl Interface {
    /// Returns the key of the handshake, as in `Instance/0.6.1`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.name, self.version)
    }

    /// Returns whether `version` can be called by this code.
    #[must_use]
    pub fn speaks(&self, version: &str) -> bool {
        self.version == version || self.older.contains(&version)
    }
}

/// Instance plugins.
pub const INSTANCE: Interface = Interface {
    name: "Instance",
    version: "0.6.1",
    older: &["0.6.0", "0.5.0", "0.3.0"],
};
/// Flavor plugins.
pub const FLAVOR: Interface = Interface {
    name: "Flavor",
    version: "0.1.1",
    older: &["0.1.0"],
};
/// Group plugins.
pub const GROUP: Interface = Interface {
    name: "Group",
    version: "0.1.1",
    older: &["0.1.0"],
};
/// Readable metadata.
pub const METADATA: Interface = Interface {
    name: "Metadata",
    version: "0.1.1",
    older: &["0.1.0"],
};
/// Writable metadata.
pub const UPDATABLE: Interface = Interface {
    name: "Updatable",
    version: "0.1.1",
    older: &["0.1.0"],
};
/// Event streams.
pub const EVENT: Interface = Interface {
    name: "Event",
    version: "0.1.1",
    older: &["0.1.0"],
};
/// Controllers.
pub const CONTROLLER: Interface = Interface {
    name: "Controller",
    version: "0.1.1",
    older: &["0.1.0"],
};
/// Resources.
pub const RESOURCE: Interface = Interface {
    name: "Resource",
    version: "0.1.1",
    older: &["0.1.0"],
};
/// Load balancers.
pub const L4: Interface = Interface {
    name: "L4",
    version: "0.6.1",
    older: &["0.6.0"],
};
/// The manager. Its methods are called `Manager.*`.
pub const STACK: Interface = Interface {
    name: "Stack",
    version: "0.1.1",
    older: &["0.1.0"],
};

/// Every interface, in the order in which a plugin lists them.
pub const ALL: [Interface; 10] = [
    CONTROLLER, EVENT, FLAVOR, GROUP, INSTANCE, L4, METADATA, RESOURCE, STACK, UPDATABLE,
];
