//! Instances as files in a directory.
//!
//! Each instance is one file, named by its id, with its specification readable inside. Creating
//! writes a file, destroying removes it, and whatever a person does to the directory by hand is
//! seen by the next list. Nothing here knows about groups, sockets or the network.
//!
//! # Durability
//!
//! A file is written without a name and then linked into place, so a list never sees half of one,
//! a process that is killed leaves either the whole instance or nothing, and the directory holds
//! the instances and nothing else. Files are *not* synced to
//! the disk one by one: after a crash of the whole machine the newest ones may be missing, which
//! a group controller repairs like any other loss. Syncing each file would make 10,000 of them
//! cost minutes instead of a fraction of a second.

mod behaviour;
mod cache;
mod directory;
mod document;
mod failure;
mod plugin;
mod refresh;
mod staging;
mod watch;

pub use directory::OpenError;
pub use plugin::FilePlugin;
