//! The static commands: one file each, with its flags and its `run`.

pub(crate) mod completion;
pub(crate) mod event;
pub(crate) mod freeze;
pub(crate) mod help;
pub(crate) mod manager;
pub(crate) mod metadata;
pub(crate) mod play;
pub(crate) mod playbook;
pub(crate) mod plugin;
pub(crate) mod remote;
pub(crate) mod template;
pub(crate) mod version;
