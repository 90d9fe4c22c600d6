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

use std::future::Future;
use std::pin::Pin;

use clap::{ArgMatches, Command};
use infrakit_spi::version::{self, Interface};

use crate::context::Context;
use crate::error::Result;
use crate::target::Target;

/// A verb at work.
pub(crate) type Working<'a> = Pin<Box<dyn Future<Output = Result> + 'a>>;

/// A verb of an object.
pub(crate) struct Verb {
    /// Its word.
    pub(crate) name: &'static str,
    /// Makes its command: flags, help and example.
    pub(crate) command: fn() -> Command,
    /// Does it.
    pub(crate) run: for<'a> fn(&'a Context, &'a Target, &'a ArgMatches) -> Working<'a>,
}

/// Makes a verb of a struct of arguments and an async function of context, target and arguments.
macro_rules! verb {
    ($name:literal, $args:ty, $run:path) => {
        $crate::verbs::Verb {
            name: $name,
            command: || <$args as clap::Args>::augment_args(clap::Command::new($name)),
            run: |context, target, matches| {
                Box::pin(async move {
                    let args = <$args as clap::FromArgMatches>::from_arg_matches(matches)
                        .map_err($crate::app::usage)?;
                    $run(context, target, args).await
                })
            },
        }
    };
}
pub(crate) use verb;

/// Arguments of a verb that takes none of its own.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct NoArgs {}

/// Returns the verbs of an object, sorted by word, with the word under which each is offered.
pub(crate) fn of(target: &Target) -> Vec<(String, Verb)> {
    let tables: [(Interface, fn(&Target) -> Vec<Verb>); 9] = [
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
    let mut verbs: Vec<(String, Verb)> = Vec::new();
    let mut offer = |name: String, verb: Verb| {
        if !verbs.iter().any(|(taken, _)| *taken == name) {
            verbs.push((name, verb));
        }
    };
    let mut late = Vec::new();
    for (interface, table) in tables {
        if !target.has(interface) {
            continue;
        }
        let mut words = Vec::new();
        for verb in table(target) {
            words.push((interface, verb));
        }
        late.push(words);
    }
    let mut taken: Vec<&'static str> = Vec::new();
    for words in late {
        let before = taken.len();
        for (interface, verb) in words {
            if taken[..before].contains(&verb.name) {
                offer(format!("{}-{}", verb.name, interface.name.to_lowercase()), verb);
            } else {
                taken.push(verb.name);
                offer(verb.name.to_owned(), verb);
            }
        }
    }
    for verb in info::verbs() {
        offer(verb.name.to_owned(), verb);
    }
    verbs.sort_by(|a, b| a.0.cmp(&b.0));
    verbs
}
