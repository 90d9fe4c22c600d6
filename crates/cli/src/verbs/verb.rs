//! One verb: its word, its command, and what it does.

use std::future::Future;
use std::pin::Pin;

use clap::{ArgMatches, Command};

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
        $crate::verbs::verb::Verb {
            name: $name,
            command: || <$args as clap::Args>::augment_args(clap::Command::new($name)),
            run: |context, target, matches| {
                Box::pin(async move {
                    let args = <$args as clap::FromArgMatches>::from_arg_matches(matches)
                        .map_err($crate::usage::usage)?;
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
