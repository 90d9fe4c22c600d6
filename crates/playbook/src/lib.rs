//! Playbooks: commands that are made from templates.
//!
//! A playbook is an index, which names commands, and a template for each of them. This crate knows
//! where playbooks come from ([`Place`], [`Source`]), keeps them and notices when they change
//! ([`Shelf`]), and finds a command by its words ([`Tree`]). It reads no network, asks nobody and
//! runs nothing: whoever uses it brings a source, answers questions, and has the backends.

mod ask;
mod backend;
mod copies;
mod error;
mod files;
mod flags;
mod functions;
mod gather;
mod index;
mod lock;
mod phases;
mod place;
mod registry;
mod shelf;
mod source;
#[cfg(test)]
mod testing;
mod tree;

pub use ask::{Ask, Nobody, Question};
pub use backend::{Backend, DIRECTIVES, Directive, Word};
pub use error::{Changes, Error};
pub use flags::{Flag, Kind, RESERVED, Setting, Values, unfit_flag};
pub use functions::{Act, Defaults, Unanswered};
pub use gather::{Gathered, gather};
pub use index::{References, description, index, unfit_name};
pub use lock::{Grant, Grants, Lock, Locked, LockedFile, Signed, sha256};
pub use phases::{Definition, Options, Player, RunError, Script, check};
pub use place::{BUILT_IN, INDEX, Origin, Place, PlaceError};
pub use registry::{Entries, Entry, parse as parse_registry};
pub use shelf::{Kept, Paths, Playbook, Shelf, Taken, Terms, Update};
pub use source::{BuiltIn, Everywhere, LARGEST, LocalFiles, ReadError, Source};
pub use tree::{Command, Index, Node, Reach, Tree};

/// Returns `text` on one line.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
