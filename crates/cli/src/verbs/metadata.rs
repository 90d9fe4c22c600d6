//! Verbs of plugins with readable values.

use std::time::Duration;

use clap::{Args, Subcommand};
use infrakit_spi::metadata::wire;
use infrakit_spi::{Any, GoDuration};

use super::tree::{self, Tree, TreeArgs};
use super::verb::{Verb, verb};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::out::{Format, OutputArgs};
use crate::target::Target;

/// Returns the verbs.
pub(super) fn verbs() -> Vec<Verb> {
    vec![
        verb!("keys", KeysArgs, keys),
        verb!("cat", CatArgs, cat),
        verb!("metadata", MetadataArgs, metadata),
    ]
}

/// List the values of the object
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  infrakit group keys specs\n  infrakit group keys -a")]
pub(crate) struct KeysArgs {
    /// Paths to list below
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    #[command(flatten)]
    tree: TreeArgs,
}

/// Print values of the object
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  infrakit group cat specs/cattle/Properties/Allocation/Size")]
pub(crate) struct CatArgs {
    /// Paths of the values
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<String>,
    #[command(flatten)]
    wait: RetryArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Flags that wait for a value to appear.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RetryArgs {
    /// Ask again after this time until the value is there
    #[arg(long, value_name = "DURATION")]
    retry: Option<GoDuration>,
    /// Give up after this time
    #[arg(long, value_name = "DURATION")]
    timeout: Option<GoDuration>,
    /// Accepted for old scripts: a missing value is always an error
    #[arg(long, hide = true)]
    err_on_timeout: bool,
}

/// Use the values of the object
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  infrakit group metadata ls\n  infrakit group metadata cat specs/cattle"
)]
struct MetadataArgs {
    #[command(subcommand)]
    command: MetadataCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum MetadataCommand {
    Ls(KeysArgs),
    Cat(CatArgs),
}

async fn metadata(context: &Context, target: &Target, args: MetadataArgs) -> Result {
    match args.command {
        MetadataCommand::Ls(args) => keys(context, target, args).await,
        MetadataCommand::Cat(args) => cat(context, target, args).await,
    }
}

/// Lists names below paths.
pub(crate) async fn keys(context: &Context, target: &Target, args: KeysArgs) -> Result {
    let paths = if args.paths.is_empty() {
        vec![String::new()]
    } else {
        args.paths
    };
    let several = paths.len() > 1;
    for (index, path) in paths.iter().enumerate() {
        let names = tree::list(target, Tree::Metadata, path, &args.tree, "").await?;
        if several && args.tree.output.format() == Format::Table {
            let gap = if index > 0 { "\n" } else { "" };
            context.out.line(format!("{gap}{path}:"))?;
        }
        tree::print(context, &args.tree, &names)?;
    }
    Ok(())
}

/// Prints values.
pub(crate) async fn cat(context: &Context, target: &Target, args: CatArgs) -> Result {
    for path in &args.paths {
        let value = wait_for(target, path, &args.wait).await?;
        print(context, &value, &args.output)?;
    }
    Ok(())
}

/// Returns the value at `path`, if there is one.
pub(crate) async fn value(target: &Target, path: &str) -> Result<Option<Any>> {
    let interface = tree::readable(target);
    let request = wire::PathRequest {
        name: target.wire_name(interface),
        path: path.to_owned(),
    };
    let method = format!("{}.Get", interface.name);
    let answer: wire::GetResponse = target.call(&method, &request).await?;
    Ok(answer.value)
}

/// Returns the value at `path`, waiting for it where the flags say so.
pub(crate) async fn wait_for(target: &Target, path: &str, wait: &RetryArgs) -> Result<Any> {
    let started = tokio::time::Instant::now();
    loop {
        if let Some(value) = value(target, path).await? {
            return Ok(value);
        }
        let missing = || {
            CommandError::remote(format!("`{}` has no value at `{path}`", target.name))
                .hint(format!("`infrakit {} keys` lists what it has", target.name))
        };
        let Some(retry) = wait.retry else {
            return Err(missing());
        };
        // Without a pause the plugin would be asked as fast as it can answer.
        let pause = retry.0.max(Duration::from_millis(10));
        if wait
            .timeout
            .is_some_and(|timeout| started.elapsed() + pause > timeout.0)
        {
            return Err(missing());
        }
        tokio::time::sleep(pause).await;
    }
}

/// Prints a value: text without quotes, everything else as JSON, unless a form is asked for.
pub(crate) fn print(context: &Context, value: &Any, output: &OutputArgs) -> Result {
    match output.asked() {
        None | Some(Format::Table) => match value.decode::<String>() {
            Ok(text) => context.out.line(text),
            Err(_) => context.out.json(value.as_str(), Format::Json),
        },
        Some(format) => context.out.json(value.as_str(), format),
    }
}
