//! Verbs of managers: who leads, and which documents are in force.

use clap::Args;
use infrakit_spi::document::{Object, Spec};
use infrakit_spi::stack::wire;
use infrakit_spi::wire_struct;

use super::verb::{NoArgs, Verb, verb};
use crate::context::Context;
use crate::error::Result;
use crate::input::{self, InputArgs};
use crate::out::OutputArgs;
use crate::target::Target;

/// Returns the verbs.
pub(super) fn verbs() -> Vec<Verb> {
    vec![
        verb!("specs", SpecsArgs, specs),
        verb!("inspect", InspectArgs, inspect),
        verb!("enforce", EnforceArgs, enforce),
        verb!("terminate", TerminateArgs, terminate),
        verb!("leader", LeaderArgs, leader),
    ]
}

/// Print the documents in force
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group specs -y")]
struct SpecsArgs {
    #[command(flatten)]
    output: OutputArgs,
}

/// Print the documents in force with their state
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group inspect-stack -y")]
struct InspectArgs {
    #[command(flatten)]
    output: OutputArgs,
}

/// Put documents in force
///
/// Without --pretend=false only says which documents would be added, changed or removed.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group enforce stack.yml --pretend=false")]
struct EnforceArgs {
    /// Path, URL, or `-` for the standard input
    #[arg(value_name = "URL")]
    source: String,
    /// Only say what would change
    #[arg(short, long, default_value_t = true, num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pretend: bool,
    #[command(flatten)]
    input: InputArgs,
}

/// Remove documents and all that they led to
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group terminate stack.yml")]
struct TerminateArgs {
    /// Path, URL, or `-` for the standard input
    #[arg(value_name = "URL")]
    source: String,
    #[command(flatten)]
    input: InputArgs,
}

/// Print whether this manager leads, and where the leader is
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group leader")]
struct LeaderArgs {
    #[command(flatten)]
    none: NoArgs,
}

wire_struct! {
    /// Parameters of methods that take none.
    struct Nothing {}
}

wire_struct! {
    /// Result of `Manager.LeaderLocation`.
    struct Location {
        location: Option<Url> => "Location",
    }
}

wire_struct! {
    /// A URL in its parts.
    struct Url {
        scheme: String => "Scheme",
        host: String => "Host",
        path: String => "Path",
    }
}

async fn in_force(target: &Target) -> Result<Vec<Spec>> {
    let answer: wire::SpecsMessage = target.call("Manager.Specs", &Nothing {}).await?;
    let mut specs = answer.specs.unwrap_or_default();
    specs.sort_by(|a, b| (&a.kind, &a.metadata.name).cmp(&(&b.kind, &b.metadata.name)));
    Ok(specs)
}

async fn specs(context: &Context, target: &Target, args: SpecsArgs) -> Result {
    context
        .out
        .document(&in_force(target).await?, args.output.document())
}

async fn inspect(context: &Context, target: &Target, args: InspectArgs) -> Result {
    let answer: wire::InspectResponse = target.call("Manager.Inspect", &Nothing {}).await?;
    let mut objects: Vec<Object> = answer.objects.unwrap_or_default();
    objects.sort_by(|a, b| (&a.kind, &a.metadata.name).cmp(&(&b.kind, &b.metadata.name)));
    context.out.document(&objects, args.output.document())
}

/// Reads the documents of a stack.
fn documents(context: &Context, source: &str, input: &InputArgs) -> Result<Vec<Spec>> {
    input::load(context, source, input)?.specs("the older list of plugins and groups, not a stack")
}

async fn enforce(context: &Context, target: &Target, args: EnforceArgs) -> Result {
    let wanted = documents(context, &args.source, &args.input)?;
    enforce_specs(context, target, wanted, args.pretend).await
}

/// Puts documents in force, or says what that would change.
pub(crate) async fn enforce_specs(
    context: &Context,
    target: &Target,
    wanted: Vec<Spec>,
    pretend: bool,
) -> Result {
    if !pretend {
        let message = wire::SpecsMessage {
            specs: Some(wanted),
        };
        let _: serde_json::Value = target.call("Manager.Enforce", &message).await?;
        return context.out.line("Enforced");
    }
    let there = in_force(target).await?;
    let find = |specs: &[Spec], spec: &Spec| -> Option<Spec> {
        let same =
            |other: &&Spec| other.kind == spec.kind && other.metadata.name == spec.metadata.name;
        specs.iter().find(same).cloned()
    };
    let mut lines = Vec::new();
    for spec in &wanted {
        match find(&there, spec) {
            None => lines.push(format!("ADD     {} {}", spec.kind, spec.metadata.name)),
            Some(other) if other.properties != spec.properties => {
                lines.push(format!("CHANGE  {} {}", spec.kind, spec.metadata.name));
            }
            Some(_) => {}
        }
    }
    for spec in &there {
        if find(&wanted, spec).is_none() {
            lines.push(format!("REMOVE  {} {}", spec.kind, spec.metadata.name));
        }
    }
    lines.sort();
    if lines.is_empty() {
        lines.push("Noop".to_owned());
    }
    context.out.line(lines.join("\n"))
}

async fn terminate(context: &Context, target: &Target, args: TerminateArgs) -> Result {
    let specs = documents(context, &args.source, &args.input)?;
    let message = wire::SpecsMessage { specs: Some(specs) };
    let _: serde_json::Value = target.call("Manager.Terminate", &message).await?;
    context.out.line("Terminate initiated")
}

async fn leader(context: &Context, target: &Target, _args: LeaderArgs) -> Result {
    show_leader(context, target).await
}

/// Prints who leads.
pub(crate) async fn show_leader(context: &Context, target: &Target) -> Result {
    let leads: wire::IsLeaderResponse = target.call("Manager.IsLeader", &Nothing {}).await?;
    context
        .out
        .line(format!("IsLeader       : {}", leads.leader))?;
    // A manager without a front end has no location; that is no failure.
    let location: Location = target
        .call("Manager.LeaderLocation", &Nothing {})
        .await
        .unwrap_or_default();
    let location = match location.location {
        Some(url) => format!("{}://{}{}", url.scheme, url.host, url.path),
        None => "-".to_owned(),
    };
    context.out.line(format!("LeaderLocation : {location}"))
}
