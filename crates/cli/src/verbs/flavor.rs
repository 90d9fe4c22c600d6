//! Verbs of flavor plugins.

use clap::Args;
use infrakit_spi::flavor::{Allocation, Health, Index, wire};
use infrakit_spi::instance::{Description, InstanceSpec};
use infrakit_spi::{LogicalId, version};

use super::verb::{Verb, verb};
use crate::context::Context;
use crate::error::Result;
use crate::input::{self, InputArgs};
use crate::out::{Format, OutputArgs};
use crate::settings::pairs;
use crate::target::Target;
use crate::view::View;

/// Returns the verbs.
pub(super) fn verbs() -> Vec<Verb> {
    vec![
        verb!("prepare", PrepareArgs, prepare),
        verb!("validate", ValidateArgs, validate),
        verb!("healthy", HealthyArgs, healthy),
    ]
}

#[derive(Args, Debug)]
struct AllocationArgs {
    /// Size of the group
    #[arg(long, default_value_t = 1, conflicts_with = "logical_ids")]
    size: u64,
    /// Logical ids of the group instead of a size
    #[arg(long, value_delimiter = ',', value_name = "ID")]
    logical_ids: Vec<String>,
}

impl AllocationArgs {
    fn allocation(&self) -> Allocation {
        if self.logical_ids.is_empty() {
            return Allocation {
                size: self.size,
                logical_ids: None,
            };
        }
        let ids = self
            .logical_ids
            .iter()
            .map(|id| LogicalId::from(id.as_str()))
            .collect();
        Allocation {
            size: 0,
            logical_ids: Some(ids),
        }
    }
}

/// Print what the flavor makes of an instance
///
/// The document holds the properties of the flavor. The result is the spec that an instance of the
/// group would be created from.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  echo '{\"Init\": [\"echo hello\"]}' | infrakit flavor-vanilla prepare -"
)]
struct PrepareArgs {
    /// Path, URL, or `-` for the standard input
    #[arg(value_name = "URL")]
    source: String,
    #[command(flatten)]
    allocation: AllocationArgs,
    /// Logical id of the instance
    #[arg(long, value_name = "ID")]
    logical_id: Option<String>,
    /// Id of the group
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    index_group: String,
    /// Position of the instance in the group
    #[arg(long, value_name = "N", default_value_t = 0)]
    index_sequence: u64,
    /// Template over the result
    #[arg(long, value_name = "TEMPLATE")]
    view: Option<String>,
    /// Form of the output
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "json")]
    output: Format,
    #[command(flatten)]
    input: InputArgs,
}

/// Check the properties of a flavor for a group of some size
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit flavor-vanilla validate --size 5 flavor.json")]
struct ValidateArgs {
    /// Path, URL, or `-` for the standard input
    #[arg(value_name = "URL")]
    source: String,
    #[command(flatten)]
    allocation: AllocationArgs,
    #[command(flatten)]
    input: InputArgs,
}

/// Ask the flavor whether instances are healthy
///
/// Prints the id and one of `healthy`, `unhealthy`, `unknown`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit flavor-vanilla healthy --properties flavor.json instance-123"
)]
struct HealthyArgs {
    /// Ids of the instances
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// The ids are logical ids
    #[arg(short, long)]
    logical_id: bool,
    /// Properties of the flavor: path, URL, or `-`
    #[arg(long, value_name = "URL")]
    properties: Option<String>,
    /// Tags of the instances
    #[arg(long, value_name = "KEY=VALUE")]
    tags: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

async fn prepare(context: &Context, target: &Target, args: PrepareArgs) -> Result {
    let document = input::load(context, &args.source, &args.input)?;
    if args.input.dump {
        return context.out.line(document.text());
    }
    let request = wire::PrepareRequest {
        kind: target.wire_type(version::FLAVOR),
        properties: Some(document.one()?),
        spec: InstanceSpec {
            logical_id: args.logical_id.map(LogicalId::from),
            ..InstanceSpec::default()
        },
        allocation: args.allocation.allocation(),
        index: Index {
            group: args.index_group.into(),
            sequence: args.index_sequence,
        },
    };
    let answer: wire::PrepareResponse = target.call("Flavor.Prepare", &request).await?;
    if let Some(template) = &args.view {
        let value = serde_json::to_value(&answer.spec)
            .map_err(|error| super::instance::odd(target, &error))?;
        return context.out.line(View::new(template).render(&value)?);
    }
    context.out.document(&answer.spec, args.output)
}

async fn validate(context: &Context, target: &Target, args: ValidateArgs) -> Result {
    let document = input::load(context, &args.source, &args.input)?;
    if args.input.dump {
        return context.out.line(document.text());
    }
    let request = wire::ValidateRequest {
        kind: target.wire_type(version::FLAVOR),
        properties: Some(document.one()?),
        allocation: args.allocation.allocation(),
    };
    let _: serde_json::Value = target.call("Flavor.Validate", &request).await?;
    context.out.line("validate:ok")
}

async fn healthy(context: &Context, target: &Target, args: HealthyArgs) -> Result {
    let properties = match &args.properties {
        Some(source) => Some(input::load(context, source, &InputArgs::default())?.one()?),
        None => None,
    };
    let tags = pairs(&args.tags)?;
    let mut verdicts = Vec::new();
    for id in args.ids {
        let mut instance = Description {
            tags: Some(tags.clone()),
            ..Description::default()
        };
        if args.logical_id {
            instance.logical_id = Some(id.as_str().into());
        } else {
            instance.id = id.as_str().into();
        }
        let request = wire::InstanceRequest {
            kind: target.wire_type(version::FLAVOR),
            properties: properties.clone(),
            instance,
        };
        let answer: wire::HealthyResponse = target.call("Flavor.Healthy", &request).await?;
        let verdict = match answer.health {
            Health::Healthy => "healthy",
            Health::Unhealthy => "unhealthy",
            Health::Unknown => "unknown",
        };
        verdicts.push((id, verdict));
    }
    match args.output.format() {
        Format::Table => {
            for (id, verdict) in verdicts {
                context.out.line(format!("{id}  {verdict}"))?;
            }
            Ok(())
        }
        format => {
            let all: Vec<_> = verdicts
                .iter()
                .map(|(id, verdict)| serde_json::json!({"ID": id, "Health": verdict}))
                .collect();
            context.out.document(&all, format)
        }
    }
}
