//! Verbs of instance plugins.

use clap::Args;
use infrakit_spi::instance::{Context as Reason, InstanceSpec, wire};
use infrakit_spi::{Any, FieldKey, version};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::verb::{Verb, verb};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::input::{self, InputArgs};
use crate::target::Target;
use crate::view::{self, Row, ViewArgs};

/// Returns the verbs.
pub(super) fn verbs() -> Vec<Verb> {
    vec![
        verb!("describe", DescribeArgs, describe),
        verb!("provision", ProvisionArgs, provision),
        verb!("validate", ValidateArgs, validate),
        verb!("destroy", DestroyArgs, destroy),
    ]
}

/// List the instances of the plugin, of all groups and of none
///
/// With arguments, only the instances with these ids or logical ids.
#[derive(Args, Debug)]
#[command(
    visible_alias = "ls",
    after_help = "Example:\n  infrakit instance-file describe\n  infrakit instance-file describe --tags infrakit.group=cattle -o yaml"
)]
pub(crate) struct DescribeArgs {
    /// Ids or logical ids
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    view: ViewArgs,
}

/// Create an instance and print its id
///
/// The document holds Properties, Tags, Init, LogicalID and Attachments.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit instance-file provision instance.json\n  echo '{\"Properties\": {\"Note\": \"mine\"}}' | infrakit instance-file provision -"
)]
struct ProvisionArgs {
    /// Path, URL, or `-` for the standard input
    #[arg(value_name = "URL")]
    source: String,
    #[command(flatten)]
    input: InputArgs,
}

/// Check the properties of an instance without creating it
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit instance-file validate properties.json")]
struct ValidateArgs {
    /// Path, URL, or `-` for the standard input
    #[arg(value_name = "URL")]
    source: String,
    #[command(flatten)]
    input: InputArgs,
}

/// Destroy instances
///
/// Stops at the first that cannot be destroyed. A member of a group is replaced by the group; to
/// shrink it, use `destroy-instance` of the group.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit instance-file destroy instance-123 instance-456")]
struct DestroyArgs {
    /// Ids of the instances
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

/// An answer to `DescribeInstances`, borrowing from its text.
#[derive(Default)]
struct Listed<'a>(Vec<Row<'a>>);

impl<'de> Deserialize<'de> for Listed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Listed<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of instances")
            }
            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Listed<'de>, A::Error> {
                let mut listed = Listed::default();
                while let Some(key) = map.next_key_seed(FieldKey(&["Descriptions"]))? {
                    if key.is_some() {
                        listed.0 = map
                            .next_value::<Option<Vec<Row<'de>>>>()?
                            .unwrap_or_default();
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(listed)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

async fn describe(context: &Context, target: &Target, args: DescribeArgs) -> Result {
    let filter = args.view.filter()?;
    let request = wire::DescribeRequest {
        kind: target.wire_type(version::INSTANCE),
        tags: Some(filter.clone()),
        properties: args.view.wants_properties(),
        page: None,
    };
    let answer: Any = target.call("Instance.DescribeInstances", &request).await?;
    let Listed(mut rows) =
        serde_json::from_str(answer.as_str()).map_err(|error| odd(target, &error))?;
    view::select(&mut rows, &filter, &args.ids);
    view::show(context, &args.view, &rows)
}

/// Says that an answer cannot be understood.
pub(crate) fn odd(target: &Target, error: &serde_json::Error) -> CommandError {
    CommandError::remote(format!(
        "the answer of plugin `{}` makes no sense: {error}",
        target.socket()
    ))
}

async fn provision(context: &Context, target: &Target, args: ProvisionArgs) -> Result {
    let document = input::load(context, &args.source, &args.input)?;
    if args.input.dump {
        return context.out.line(document.text());
    }
    create(context, target, document.decode(InstanceSpec::FIELDS)?).await
}

/// Creates an instance and prints its id.
pub(crate) async fn create(context: &Context, target: &Target, spec: InstanceSpec) -> Result {
    let request = wire::ProvisionRequest {
        kind: target.wire_type(version::INSTANCE),
        spec,
    };
    let answer: wire::ProvisionResponse = target.call("Instance.Provision", &request).await?;
    match answer.id {
        Some(id) => context.out.line(id.as_str()),
        None => Err(CommandError::remote(format!(
            "plugin `{}` created an instance and did not say its id",
            target.socket()
        ))),
    }
}

async fn validate(context: &Context, target: &Target, args: ValidateArgs) -> Result {
    let document = input::load(context, &args.source, &args.input)?;
    if args.input.dump {
        return context.out.line(document.text());
    }
    let request = wire::ValidateRequest {
        kind: target.wire_type(version::INSTANCE),
        properties: Some(document.one()?),
    };
    let _: wire::Done = target.call("Instance.Validate", &request).await?;
    context.out.line("validate:ok")
}

async fn destroy(context: &Context, target: &Target, args: DestroyArgs) -> Result {
    for id in args.ids {
        let request = wire::DestroyRequest {
            kind: target.wire_type(version::INSTANCE),
            instance: id.as_str().into(),
            context: Reason::terminate(),
        };
        let _: wire::Done = target.call("Instance.Destroy", &request).await?;
        context.out.line(format!("destroyed {id}"))?;
        context.out.flush()?;
    }
    Ok(())
}
