//! `info`: what a plugin says about itself.

use clap::{Args, Subcommand};

use super::verb::{Verb, verb};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::out::OutputArgs;
use crate::target::Target;

/// Print what the plugin says about itself
///
/// `api` shows every method with an example of request and response; `template` the functions that
/// its configuration may use.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit instance-file info api")]
struct InfoArgs {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Print the methods of the plugin
    Api(OutputArgs),
    /// Print the template functions that the plugin knows
    Template(OutputArgs),
}

/// Returns the verbs that every object has.
pub(super) fn verbs() -> Vec<Verb> {
    vec![verb!("info", InfoArgs, run)]
}

async fn run(context: &Context, target: &Target, args: InfoArgs) -> Result {
    let (path, output) = match args.what {
        None => ("/info/api.json", OutputArgs::default()),
        Some(What::Api(output)) => ("/info/api.json", output),
        Some(What::Template(output)) => ("/info/functions.json", output),
    };
    let text = target.client().get(path).await.map_err(|error| {
        CommandError::remote(format!(
            "plugin `{}` says nothing about itself: {error}",
            target.socket()
        ))
    })?;
    context.out.json(&text, output.document())
}
