//! What tells members apart.

use infrakit_spi::{InstanceId, PluginName};

/// What tells members apart: ids are only unique within one plugin. Ordered by id first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) id: InstanceId,
    pub(crate) plugin: PluginName,
}
