//! Verbs of controllers.

use std::borrow::Cow;

use clap::{Args, Subcommand};
use infrakit_spi::controller::{Operation, wire};
use infrakit_spi::document::{Metadata, Object, Spec};
use infrakit_spi::version;
use serde_json::Value;

use super::verb::{Verb, verb};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::input::{self, InputArgs};
use crate::out::table::Headings;
use crate::out::{Format, OutputArgs};
use crate::target::Target;

/// Returns the verbs: beside those of a group only `controller VERB` and `plan`.
pub(super) fn verbs(target: &Target) -> Vec<Verb> {
    let mut verbs = vec![
        verb!("plan", PlanArgs, plan),
        verb!("controller", ControllerArgs, controller),
    ];
    if !target.has(version::GROUP) {
        verbs.push(verb!("commit", CommitArgs, commit));
        verbs.push(verb!("describe", DescribeArgs, describe));
        verbs.push(verb!("free", FreeArgs, free));
    }
    verbs
}

/// Flags that ask for the destruction of all that a document led to.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct DestroyAllArgs {
    /// Destroy all that the document led to, instead of committing it
    #[arg(long)]
    destroy_all: bool,
    /// Confirm --destroy-all
    #[arg(short = 'c', long)]
    destroy_all_confirm: bool,
}

impl DestroyAllArgs {
    /// Returns whether destruction is asked for.
    pub(crate) fn wanted(&self) -> bool {
        self.destroy_all
    }

    /// Returns what to do, or an error when the confirmation is missing.
    pub(crate) fn operation(&self) -> Result<Operation> {
        match (self.destroy_all, self.destroy_all_confirm) {
            (false, _) => Ok(Operation::Enforce),
            (true, true) => Ok(Operation::Destroy),
            (true, false) => Err(CommandError::user(
                "--destroy-all is not confirmed; nothing was done",
            )
            .hint("add --destroy-all-confirm")),
        }
    }
}

/// Commit a document: store it and make it so
///
/// Prints the object that the controller now has.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit ingress commit ingress.yml")]
struct CommitArgs {
    /// Path, URL, or `-` for the standard input
    #[arg(value_name = "URL")]
    source: String,
    /// Only say what would happen
    #[arg(short, long)]
    pretend: bool,
    #[command(flatten)]
    destroy: DestroyAllArgs,
    #[command(flatten)]
    input: InputArgs,
}

/// Say what a commit would do
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group plan workers.yml")]
struct PlanArgs {
    /// Path, URL, or `-` for the standard input
    #[arg(value_name = "URL")]
    source: String,
    #[command(flatten)]
    destroy: DestroyAllArgs,
    #[command(flatten)]
    input: InputArgs,
}

/// List the objects of the controller
#[derive(Args, Debug)]
#[command(
    visible_alias = "ls",
    after_help = "Example:\n  infrakit ingress describe\n  infrakit inventory describe --objects"
)]
struct DescribeArgs {
    /// Name of an object
    name: Option<String>,
    /// List what the objects hold: COLLECTION, KEY, STATE, DATA
    #[arg(long)]
    objects: bool,
    /// Only objects with these tags
    #[arg(long, value_name = "KEY=VALUE")]
    tags: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Stop enforcing an object; what it led to stays
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit ingress free test.com")]
struct FreeArgs {
    /// Name of the object
    name: String,
    #[command(flatten)]
    output: OutputArgs,
}

/// Use the object as a controller
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group controller commit -y workers.yml")]
struct ControllerArgs {
    #[command(subcommand)]
    command: ControllerCommand,
}

#[derive(Subcommand, Debug)]
enum ControllerCommand {
    Commit(CommitArgs),
    Plan(PlanArgs),
    Describe(DescribeArgs),
    Free(FreeArgs),
}

async fn controller(context: &Context, target: &Target, args: ControllerArgs) -> Result {
    match args.command {
        ControllerCommand::Commit(args) => commit(context, target, args).await,
        ControllerCommand::Plan(args) => plan(context, target, args).await,
        ControllerCommand::Describe(args) => describe(context, target, args).await,
        ControllerCommand::Free(args) => free(context, target, args).await,
    }
}

fn request(target: &Target, operation: Operation, spec: &Spec) -> wire::CommitRequest {
    wire::CommitRequest {
        name: target.wire_name(version::CONTROLLER),
        operation,
        spec: spec.clone(),
    }
}

async fn commit(context: &Context, target: &Target, args: CommitArgs) -> Result {
    let document = input::load(context, &args.source, &args.input)?;
    if args.input.dump {
        return context.out.line(document.text());
    }
    let operation = args.destroy.operation()?;
    for spec in document.specs("the older list of plugins and groups")? {
        if args.pretend {
            explain(context, target, operation, &spec).await?;
        } else {
            commit_spec(context, target, operation, &spec).await?;
        }
    }
    Ok(())
}

async fn plan(context: &Context, target: &Target, args: PlanArgs) -> Result {
    let document = input::load(context, &args.source, &args.input)?;
    if args.input.dump {
        return context.out.line(document.text());
    }
    let operation = if args.destroy.wanted() {
        Operation::Destroy
    } else {
        Operation::Enforce
    };
    for spec in document.specs("the older list of plugins and groups")? {
        explain(context, target, operation, &spec).await?;
    }
    Ok(())
}

/// Says what a commit of one document would do.
pub(crate) async fn explain(
    context: &Context,
    target: &Target,
    operation: Operation,
    spec: &Spec,
) -> Result {
    let answer: wire::CommitResponse = target
        .call("Controller.Plan", &request(target, operation, spec))
        .await?;
    let steps = answer.plan.message.unwrap_or_default();
    let name = &spec.metadata.name;
    if steps.is_empty() {
        return context
            .out
            .line(format!("Committing {name} would involve: Noop"));
    }
    for step in steps {
        context
            .out
            .line(format!("Committing {name} would involve: {step}"))?;
    }
    Ok(())
}

/// Commits one document and prints the object as YAML.
pub(crate) async fn commit_spec(
    context: &Context,
    target: &Target,
    operation: Operation,
    spec: &Spec,
) -> Result {
    let answer: wire::CommitResponse = target
        .call("Controller.Commit", &request(target, operation, spec))
        .await?;
    context.out.document(&answer.object, Format::Yaml)
}

fn selection(target: &Target, name: Option<&String>) -> wire::SelectRequest {
    wire::SelectRequest {
        name: target.wire_name(version::CONTROLLER),
        metadata: name.map(|name| Metadata {
            name: name.clone(),
            ..Metadata::default()
        }),
    }
}

async fn describe(context: &Context, target: &Target, args: DescribeArgs) -> Result {
    if !args.tags.is_empty() {
        let wanted = crate::settings::pairs(&args.tags)?;
        let mut objects = select(target, args.name.as_ref()).await?;
        objects
            .retain(|object| infrakit_spi::tags::matches(object.metadata.tags.as_ref(), &wanted));
        return show(context, &objects, &args.output, args.objects);
    }
    describe_objects(
        context,
        target,
        args.name.as_ref(),
        &args.output,
        args.objects,
    )
    .await
}

async fn select(target: &Target, name: Option<&String>) -> Result<Vec<Object>> {
    let answer: wire::SelectResponse = target
        .call("Controller.Describe", &selection(target, name))
        .await?;
    let mut objects = answer.objects.unwrap_or_default();
    objects.sort_by(|a, b| (&a.kind, &a.metadata.name).cmp(&(&b.kind, &b.metadata.name)));
    Ok(objects)
}

/// Lists the objects of the controller.
pub(crate) async fn describe_objects(
    context: &Context,
    target: &Target,
    name: Option<&String>,
    output: &OutputArgs,
    contents: bool,
) -> Result {
    show(context, &select(target, name).await?, output, contents)
}

fn show(context: &Context, objects: &[Object], output: &OutputArgs, contents: bool) -> Result {
    match output.format() {
        Format::Table if contents => {
            let rows: Vec<[Cow<'_, str>; 4]> = objects.iter().flat_map(items).collect();
            let headings = ["COLLECTION", "KEY", "STATE", "DATA"];
            context.out.table(headings, Headings::Shown, &rows)
        }
        Format::Table => {
            let rows: Vec<[Cow<'_, str>; 3]> = objects
                .iter()
                .map(|object| {
                    let id = object.metadata.id.as_deref().unwrap_or("-");
                    [
                        object.kind.as_str().into(),
                        object.metadata.name.as_str().into(),
                        id.into(),
                    ]
                })
                .collect();
            context
                .out
                .table(["KIND", "NAME", "ID"], Headings::Shown, &rows)
        }
        format => context.out.document(objects, format),
    }
}

/// Returns a row for each thing that an object holds; a group holds its members.
fn items(object: &Object) -> Vec<[Cow<'_, str>; 4]> {
    let name = object.metadata.name.as_str();
    let state = object
        .state
        .as_ref()
        .and_then(|state| state.to_value().ok());
    let text = |value: &Value, key: &str| match &value[key] {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let mut rows: Vec<[Cow<'_, str>; 4]> = match &state {
        Some(Value::Array(list)) => list
            .iter()
            .map(|item| {
                let data = match (&item["Data"]["instance"]["ID"], &item["Data"]["error"]) {
                    (Value::String(id), _) => id.clone(),
                    (_, Value::String(error)) => error.clone(),
                    _ => text(item, "Data"),
                };
                [
                    name.into(),
                    text(item, "Key").into(),
                    text(item, "State").into(),
                    data.into(),
                ]
            })
            .collect(),
        Some(Value::Object(map)) => {
            let members = map.get("Instances").and_then(Value::as_array);
            members
                .into_iter()
                .flatten()
                .map(|member| {
                    [
                        name.into(),
                        text(member, "ID").into(),
                        "-".into(),
                        text(member, "LogicalID").into(),
                    ]
                })
                .collect()
        }
        _ => Vec::new(),
    };
    rows.sort();
    rows
}

async fn free(context: &Context, target: &Target, args: FreeArgs) -> Result {
    let answer: wire::SelectResponse = target
        .call("Controller.Free", &selection(target, Some(&args.name)))
        .await?;
    let objects = answer.objects.unwrap_or_default();
    if objects.is_empty() {
        return Err(
            CommandError::remote(format!("there is no object `{}`", args.name)).hint(format!(
                "`infrakit {} controller describe` lists them",
                target.name
            )),
        );
    }
    match args.output.asked() {
        None => context.out.line(format!("Freed {}", args.name)),
        Some(_) => context.out.document(&objects, args.output.document()),
    }
}
