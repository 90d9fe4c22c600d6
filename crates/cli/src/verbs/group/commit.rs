//! Committing groups.

use clap::Args;
use infrakit_spi::document::GroupEntry;
use infrakit_spi::group::{GroupSpec, wire};
use infrakit_spi::version;

use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::input::{self, Committed, InputArgs};
use crate::progress::{self, WaitArgs};
use crate::target::Target;
use crate::verbs::controller;

/// Commit a group: store its spec and make it so
///
/// The document is JSON or YAML, either `{ID, Properties}` or `{kind, metadata, properties}`; it is
/// rendered as a template first. With --pretend nothing is changed, only explained.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit group commit cattle.json --pretend\n  infrakit group commit cattle.json --wait"
)]
pub(crate) struct CommitArgs {
    /// Path, URL, or `-` for the standard input
    #[arg(value_name = "URL")]
    source: String,
    /// Only say what would happen
    #[arg(short, long)]
    pretend: bool,
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
    for committed in document.committed()? {
        let group = match committed {
            Committed::Spec(spec) => {
                let by_controller = target.has(version::CONTROLLER)
                    && (prefer == Prefer::Controller || args.destroy.wanted());
                if by_controller && !args.pretend && !args.wait.wanted() {
                    let operation = args.destroy.operation()?;
                    controller::commit_spec(context, target, operation, &spec).await?;
                    continue;
                }
                input::group_of(&spec).ok_or_else(|| {
                    CommandError::config(format!(
                        "this is a document of kind `{}`, not a group",
                        spec.kind
                    ))
                    .hint(format!(
                        "commit it to the plugin of that kind, `infrakit {} commit`",
                        spec.kind
                    ))
                })?
            }
            Committed::Group(group) => group,
            Committed::Entry(entry) => {
                let properties = entry.properties.as_ref();
                let entry: GroupEntry = infrakit_spi::decode(properties).map_err(|error| {
                    CommandError::config(format!("an entry of the list is no group: {error}"))
                })?;
                GroupSpec {
                    id: entry.id,
                    properties: entry.properties,
                }
            }
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
        let details = commit_spec(target, &group, args.pretend).await?;
        let said = if args.pretend {
            "Committing {} would involve: "
        } else {
            "Committed {}: "
        };
        context.out.line(format!(
            "{}{details}",
            said.replace("{}", group.id.as_str())
        ))?;
        if args.wait.wanted() && !args.pretend {
            context.out.flush()?;
            progress::wait(context, target, &group, &args.wait).await?;
        }
    }
    Ok(())
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
