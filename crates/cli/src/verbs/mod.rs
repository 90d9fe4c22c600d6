//! What can be done with an object: the verbs of each interface, as commands.
//!
//! The verbs of both generations of the original are here: `describe` and `ls`, `commit` and
//! `commit-group`, `metadata ls` and `keys`. Where two interfaces of one object want the same
//! word, the first in [`of`] has it and the other gets its interface behind it, always the same.

pub(crate) mod controller;
pub(crate) mod event;
pub(crate) mod flavor;
pub(crate) mod group;
pub(crate) mod info;
pub(crate) mod instance;
pub(crate) mod l4;
pub(crate) mod metadata;
pub(crate) mod stack;
pub(crate) mod tree;
pub(crate) mod updatable;
pub(crate) mod verb;

use infrakit_spi::version::{self, Interface};

pub(crate) use self::verb::Verb;
use crate::target::Target;

/// The verbs of an interface; which ones may depend on what else the object implements.
type Table = fn(&Target) -> Vec<Verb>;

/// The interfaces with verbs. Earlier ones keep their words when two want the same.
const TABLES: [(Interface, Table); 9] = [
    (version::GROUP, |_| group::verbs()),
    (version::CONTROLLER, controller::verbs),
    (version::INSTANCE, |_| instance::verbs()),
    (version::FLAVOR, |_| flavor::verbs()),
    (version::STACK, |_| stack::verbs()),
    (version::UPDATABLE, |_| updatable::verbs()),
    (version::METADATA, |_| metadata::verbs()),
    (version::EVENT, |_| event::verbs()),
    (version::L4, |_| l4::verbs()),
];

/// Returns the verbs of an object, each with the word under which it is offered, sorted by word.
pub(crate) fn of(target: &Target) -> Vec<(String, Verb)> {
    let mut verbs: Vec<(String, Verb)> = Vec::new();
    for (interface, table) in TABLES {
        // Writable values are readable by the same words.
        let covered = interface == version::METADATA && target.has(version::UPDATABLE);
        if !target.has(interface) || covered {
            continue;
        }
        for verb in table(target) {
            let taken = verbs.iter().any(|(word, _)| word == verb.name);
            let word = if taken {
                format!("{}-{}", verb.name, interface.name.to_lowercase())
            } else {
                verb.name.to_owned()
            };
            verbs.push((word, verb));
        }
    }
    verbs.extend(
        info::verbs()
            .into_iter()
            .map(|verb| (verb.name.to_owned(), verb)),
    );
    verbs.sort_by(|a, b| a.0.cmp(&b.0));
    verbs
}
