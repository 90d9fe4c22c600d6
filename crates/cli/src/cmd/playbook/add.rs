//! `infrakit playbook add` and `update`: what a playbook holds is taken in.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use infrakit_playbook::{Grant, Grants, Origin, Place, Taken, Terms, Update};

use super::home::{shelf, with_sources};
use super::signed;
use crate::context::Context;
use crate::error::{CommandError, Result};

/// Add a playbook
///
/// What it holds now is locked: another content is not run until `update` takes it in. A playbook
/// from another machine is copied, and works without a network from then on; its templates see
/// neither files nor the environment of this machine unless that is allowed.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit playbook add web ./playbooks/index.yml\n  infrakit playbook add aws https://example.com/aws/index.yml --allow env"
)]
pub(super) struct AddArgs {
    /// Name to use it by
    name: String,
    /// Path or URL of its index, of a directory with an `index.yml`, or of a single command
    #[arg(value_name = "URL")]
    url: String,
    /// What its templates may reach, if it is from another machine: env, files, net
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    allow: Vec<Allow>,
    /// Root metadata of its owner: the URL is that of a repository signed by TUF
    #[arg(long, value_name = "ROOT.JSON")]
    root: Option<PathBuf>,
}

/// Take in what playbooks hold now
///
/// Nothing is lost when that fails: what was there stays, and is used on.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit playbook update web --dry-run\n  infrakit playbook update web\n  infrakit playbook update aws --allow env,files"
)]
pub(super) struct UpdateArgs {
    /// Names of the playbooks
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Only say what would change
    #[arg(long)]
    dry_run: bool,
    /// What its templates may reach from now on: env, files, net, or none
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    allow: Vec<Allow>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Allow {
    /// The environment of whoever uses the playbook
    Env,
    /// Files and sockets of this machine
    Files,
    /// Other servers than the one it comes from
    Net,
    /// Nothing of this
    None,
}

fn grants(allow: &[Allow]) -> Result<Grants> {
    if allow.contains(&Allow::None) && allow.iter().any(|other| *other != Allow::None) {
        return Err(CommandError::user("`--allow none` allows nothing else"));
    }
    Ok(allow
        .iter()
        .filter_map(|allow| match allow {
            Allow::Env => Some(Grant::Env),
            Allow::Files => Some(Grant::Files),
            Allow::Net => Some(Grant::Net),
            Allow::None => None,
        })
        .collect())
}

/// Adds a playbook.
pub(super) fn add(context: &Context, args: &AddArgs) -> Result {
    let shelf = shelf(context)?;
    let root = Place::typed(&args.url, &directory()?).map_err(infrakit_playbook::Error::from)?;
    let allow = grants(&args.allow)?;
    if root.origin() == Origin::Local && !args.allow.is_empty() {
        context.warn("a playbook on this machine reaches everything anyway; --allow is for others");
    }
    let taken = match &args.root {
        None => {
            let terms = Terms {
                allow,
                signed: None,
            };
            with_sources(|source| shelf.add(&args.name, &root, terms, source))?
        }
        Some(file) => add_signed(context, args, &root, file, allow)?,
    };
    for warning in &taken.warnings {
        context.warn(warning);
    }
    context.out.line(format!(
        "Added {}: {} in {}",
        args.name,
        counted(taken.commands, "command"),
        counted(taken.files, "file")
    ))?;
    context.note(&format!("next: `infrakit use {}`", args.name));
    Ok(())
}

/// Adds a playbook from a signed repository.
fn add_signed(
    context: &Context,
    args: &AddArgs,
    url: &Place,
    file: &Path,
    allow: Grants,
) -> Result<Taken> {
    let shelf = shelf(context)?;
    shelf.check_new(&args.name)?;
    let (repository, signed) = signed::first_look(context, &args.name, url, file)?;
    let terms = Terms {
        allow,
        signed: Some(signed),
    };
    let added = repository
        .first()
        .and_then(|first| Ok(shelf.add(&args.name, &first, terms, &repository)?));
    if added.is_err() {
        signed::forget(context, &args.name);
    }
    added
}

/// Takes in what one playbook holds now.
fn update_one(context: &Context, name: &str, mode: Update, allow: Option<Grants>) -> Result<Taken> {
    let shelf = shelf(context)?;
    let kept = shelf.kept(name)?;
    let signed = kept.locked.and_then(|locked| locked.signed);
    let taken = match signed {
        Some(signed) => {
            let repository = signed::look_again(context, name, &signed)?;
            shelf.update(name, mode, allow, &repository)
        }
        None => with_sources(|source| shelf.update(name, mode, allow, source)),
    };
    Ok(taken?)
}

/// Takes in what playbooks hold now.
pub(super) fn update(context: &Context, args: &UpdateArgs) -> Result {
    let shelf = shelf(context)?;
    let mode = if args.dry_run {
        Update::DryRun
    } else {
        Update::Apply
    };
    let allow = if args.allow.is_empty() {
        None
    } else {
        Some(grants(&args.allow)?)
    };
    let mut failures = Vec::new();
    for name in &args.names {
        // A name that is wrong is said before anything is fetched.
        shelf.kept(name)?;
        match update_one(context, name, mode, allow.clone()) {
            Ok(taken) => tell(context, name, mode, &taken)?,
            Err(error) => failures.push((name, error)),
        }
    }
    let Some((name, error)) = failures.pop() else {
        return Ok(());
    };
    for (name, error) in &failures {
        context.warn(&format!("`{name}` is as it was: {error}"));
    }
    Err(error
        .in_place(&format!("`{name}` is as it was"))
        .or_hint("what is there can still be used"))
}

fn tell(context: &Context, name: &str, mode: Update, taken: &Taken) -> Result {
    for warning in &taken.warnings {
        context.warn(warning);
    }
    let changes = &taken.changes;
    if changes.is_empty() {
        return context.out.line(format!("{name} is up to date"));
    }
    context.out.line(match mode {
        Update::Apply => format!("Updated {name}:"),
        Update::DryRun => format!("Updating {name} would take in:"),
    })?;
    for (what, names) in [
        ("changed", &changes.changed),
        ("new", &changes.added),
        ("gone", &changes.removed),
    ] {
        for file in names {
            context
                .out
                .line(format!("  {what:8} {}", crate::error::one_line(file)))?;
        }
    }
    Ok(())
}

/// Returns `1 file` or `2 files`.
pub(super) fn counted(count: usize, what: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {what}{end}")
}

/// Returns the directory that paths are seen from.
fn directory() -> Result<PathBuf> {
    std::env::current_dir()
        .and_then(|directory| std::path::absolute(Path::new(&directory)))
        .map_err(|error| {
            CommandError::config(format!("failed to find the working directory: {error}"))
        })
}
