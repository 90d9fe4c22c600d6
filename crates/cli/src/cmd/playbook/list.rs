//! `infrakit playbook ls` and `rm`.

use std::borrow::Cow;

use clap::Args;

use super::home::{built_in_names, built_in_place, shelf};
use super::signed;
use crate::context::Context;
use crate::error::Result;
use crate::out::table::Headings;
use crate::out::{Format, OutputArgs};

/// List the playbooks
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit playbook ls\n  infrakit playbook ls -ry")]
pub(super) struct ListArgs {
    #[command(flatten)]
    output: OutputArgs,
    /// Leave out the headings
    #[arg(short, long)]
    quiet: bool,
}

/// Forget playbooks and their copies
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit playbook rm web")]
pub(super) struct RemoveArgs {
    /// Names of the playbooks
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// Lists them. A machine reads the registry; a person also sees what comes with the program.
pub(super) fn list(context: &Context, args: &ListArgs) -> Result {
    let all = shelf(context)?.list()?;
    match args.output.format() {
        Format::Table => {
            let mut rows: Vec<[Cow<'_, str>; 3]> = all
                .iter()
                .map(|(name, kept)| {
                    let cache = match kept.entry.cache.as_str() {
                        "" => "-",
                        cache => cache,
                    };
                    [
                        name.as_str().into(),
                        kept.entry.source.as_str().into(),
                        cache.into(),
                    ]
                })
                .collect();
            for name in built_in_names().filter(|name| !all.contains_key(*name)) {
                let place = built_in_place(name).map_or_else(String::new, |at| at.to_string());
                rows.push([name.into(), place.into(), "-".into()]);
            }
            rows.sort();
            let headings = Headings::unless(args.quiet);
            context
                .out
                .table(["PLAYBOOK", "URL", "CACHE"], headings, &rows)
        }
        format => {
            let entries: serde_json::Map<String, serde_json::Value> = all
                .into_iter()
                .map(|(name, kept)| {
                    let entry = serde_json::json!({
                        "Source": kept.entry.source,
                        "Cache": kept.entry.cache,
                    });
                    (name, entry)
                })
                .collect();
            context.out.document(&entries, format)
        }
    }
}

/// Forgets them.
pub(super) fn remove(context: &Context, args: &RemoveArgs) -> Result {
    let shelf = shelf(context)?;
    for name in &args.names {
        shelf.remove(name)?;
        signed::forget(context, name);
        context.out.line(format!("Removed {name}"))?;
    }
    Ok(())
}
