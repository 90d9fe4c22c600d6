//! Committing groups.

use clap::Args;
use infrakit_spi::document::{GroupEntry, PluginSpec, Spec};
use infrakit_spi::group::{GroupSpec, wire};
use infrakit_spi::rollout::{Preview, Rollouts as _};
use infrakit_spi::version;

use super::ask::{explain_rollouts, rollouts};
use super::preview;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::input::{self, Committed, InputArgs};
use crate::out::Format;
use crate::out::table::printable;
use crate::progress::{self, WaitArgs};
use crate::target::Target;
use crate::verbs::controller;

/// Commit a group: store its spec and make it so
///
/// The document is JSON or YAML, either `{ID, Properties}` or `{kind, metadata, properties}`; it is
/// rendered as a template first. With --pretend nothing is changed, only explained: what changes in
/// the specification, which members go and come in which waves, and how long it takes. The plan has
/// a name; a commit with --plan carries out that plan, or refuses where it is another by now.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit group commit cattle.json --pretend\n  infrakit group commit cattle.json --pretend -o json\n  infrakit group commit cattle.json --plan 1f8c20a9\n  infrakit group commit cattle.json --wait"
)]
pub(crate) struct CommitArgs {
    /// Path, URL, or `-` for the standard input
    #[arg(value_name = "URL")]
    source: String,
    /// Only say what would happen
    #[arg(short, long)]
    pretend: bool,
    /// Form of the output of --pretend
    #[arg(short, long, value_enum, value_name = "FORMAT", requires = "pretend")]
    output: Option<Format>,
    /// Commit only if what follows is what this plan showed
    #[arg(long, value_name = "PLAN", conflicts_with = "pretend")]
    plan: Option<String>,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    destroy: controller::DestroyAllArgs,
}

/// Commits what the document holds: by the controller where it is a spec document and there is
/// one, else by the group plugin.
pub(super) async fn commit(context: &Context, target: &Target, args: CommitArgs) -> Result {
    run(context, target, args, Prefer::Controller).await
}

/// Commits by the group plugin, whichever form the document has.
pub(super) async fn commit_group(context: &Context, target: &Target, args: CommitArgs) -> Result {
    run(context, target, args, Prefer::Group).await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Prefer {
    Controller,
    Group,
}

async fn run(context: &Context, target: &Target, args: CommitArgs, prefer: Prefer) -> Result {
    let document = input::load(context, &args.source, &args.input)?;
    if args.input.dump {
        return context.out.line(document.text());
    }
    let documents = document.committed()?;
    if args.plan.is_some() && documents.len() != 1 {
        return Err(CommandError::user(
            "a plan is of one group, and this document does not hold one group",
        )
        .hint("commit each group by itself"));
    }
    let single = documents.len() == 1;
    let mut previews = Vec::new();
    for committed in documents {
        let group = match committed {
            Committed::Spec(spec) => {
                let by_controller = target.has(version::CONTROLLER)
                    && (prefer == Prefer::Controller || args.destroy.wanted());
                let plain = !args.pretend && args.plan.is_none() && !args.wait.wanted();
                if by_controller && plain {
                    let operation = args.destroy.operation()?;
                    controller::commit_spec(context, target, operation, &spec).await?;
                    continue;
                }
                of_spec(&spec)?
            }
            Committed::Group(group) => group,
            Committed::Entry(entry) => of_entry(&entry)?,
        };
        if args.destroy.wanted() {
            return Err(CommandError::user(
                "only a controller can destroy all that a document led to",
            )
            .hint(format!(
                "`infrakit {} destroy {}` destroys the group",
                target.name, group.id
            )));
        }
        if args.pretend {
            let shown = pretend(target, &group).await?;
            match args.output.unwrap_or(Format::Table) {
                Format::Table => show(context, target, &group, (&shown, &args.source))?,
                Format::Json | Format::Yaml => previews.push(shown),
            }
            continue;
        }
        let details = match &args.plan {
            Some(plan) => commit_shown(target, &group, (plan, &args.source)).await?,
            None => commit_spec(target, &group, false).await?,
        };
        context
            .out
            .line(format!("Committed {}: {details}", group.id))?;
        if args.wait.wanted() {
            context.out.flush()?;
            progress::wait(context, target, &group, &args.wait).await?;
        }
    }
    match (args.output, previews.as_slice()) {
        (None | Some(Format::Table), _) => Ok(()),
        (Some(format), [only]) if single => context.out.document(only, format),
        (Some(format), all) => context.out.document(all, format),
    }
}

fn of_spec(spec: &Spec) -> Result<GroupSpec> {
    input::group_of(spec).ok_or_else(|| {
        CommandError::config(format!(
            "this is a document of kind `{}`, not a group",
            spec.kind
        ))
        .hint(format!(
            "commit it to the plugin of that kind, `infrakit {} commit`",
            spec.kind
        ))
    })
}

/// Returns the group in an entry of the older list.
pub(crate) fn of_entry(entry: &PluginSpec) -> Result<GroupSpec> {
    let properties = entry.properties.as_ref();
    let entry: GroupEntry = infrakit_spi::decode(properties).map_err(|error| {
        CommandError::config(format!("an entry of the list is no group: {error}"))
    })?;
    Ok(GroupSpec {
        id: entry.id,
        properties: entry.properties,
    })
}

/// Asks what a commit would do. A controller that does not know rollouts has only a sentence.
async fn pretend(target: &Target, group: &GroupSpec) -> Result<Preview> {
    let sentence = commit_spec(target, group, true).await?;
    match rollouts(target).preview(group).await {
        Ok(preview) => Ok(Preview {
            sentence,
            ..preview
        }),
        Err(error) if error.is_absent() => Ok(Preview {
            sentence,
            ..Preview::default()
        }),
        Err(error) => Err(explain_rollouts(target, &group.id, error).await),
    }
}

/// Prints what a commit would do: the sentence of the original first, as it ever was.
fn show(
    context: &Context,
    target: &Target,
    group: &GroupSpec,
    (preview, source): (&Preview, &str),
) -> Result {
    context.out.line(format!(
        "Committing {} would involve: {}",
        group.id, preview.sentence
    ))?;
    let command = format!("infrakit {} commit {source}", target.name);
    for line in preview::lines(preview, &command) {
        context.out.line(&*printable(&line))?;
    }
    Ok(())
}

/// Returns what a commit of one group among several would do: the sentence, and the plan in lines.
pub(crate) async fn foretell(target: &Target, group: &GroupSpec) -> Result<(String, Vec<String>)> {
    // A list of groups cannot be bound to a plan of one of them.
    let unbound = Preview {
        plan: String::new(),
        ..pretend(target, group).await?
    };
    let lines = preview::lines(&unbound, "");
    let lines = lines.iter().map(|line| printable(line).into_owned());
    Ok((unbound.sentence, lines.collect()))
}

/// Commits what a plan showed.
async fn commit_shown(
    target: &Target,
    group: &GroupSpec,
    (plan, source): (&str, &str),
) -> Result<String> {
    match rollouts(target).commit_shown(group, plan).await {
        Ok(details) => Ok(details),
        Err(error) => {
            let error = explain_rollouts(target, &group.id, error).await;
            if error.has_hint() {
                return Err(error);
            }
            Err(error.hint(format!(
                "`infrakit {} commit {source} --pretend` shows the plan as it is now",
                target.name
            )))
        }
    }
}

/// Commits one group and returns what the plugin says about it.
pub(crate) async fn commit_spec(
    target: &Target,
    group: &GroupSpec,
    pretend: bool,
) -> Result<String> {
    let request = wire::CommitRequest {
        name: target.wire_name(version::GROUP),
        spec: group.clone(),
        pretend,
    };
    let answer: wire::CommitResponse = target.call("Group.CommitGroup", &request).await?;
    Ok(answer.details)
}
