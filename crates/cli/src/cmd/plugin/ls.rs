//! `infrakit plugin ls`: which plugins run, and how the providers of instance plugins behave.

use std::borrow::Cow;

use clap::{Args, ValueEnum};
use infrakit_rpc::Client;
use infrakit_rpc::kind::{GroupClient, InstanceClient};
use infrakit_spi::version;
use serde_json::Value;

use super::behaviours::behaviours;

use crate::context::Context;
use crate::error::Result;
use crate::out::Format;
use crate::out::table::Headings;
use crate::target::{self, Found, Offer};

/// In which form the plugins are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// Columns for people.
    Table,
    /// More columns: how providers behave, as declared and as set in `plugins.yml`.
    Wide,
    /// Indented JSON.
    Json,
    /// YAML, keys sorted.
    Yaml,
}

/// List the plugins that run, with what they implement
#[derive(Args, Debug)]
#[command(
    alias = "list",
    after_help = "Example:\n  infrakit plugin ls -o json\n  infrakit plugin ls -o wide"
)]
pub(super) struct ListArgs {
    /// Leave out the headings
    #[arg(short, long)]
    quiet: bool,
    /// Form of the output
    #[arg(short = 'o', long = "output", value_enum, value_name = "FORMAT")]
    output: Option<ListFormat>,
    /// Short for `-o json`; with -y, for `-o yaml`
    #[arg(short = 'r', long)]
    raw: bool,
    /// Short for `-o yaml`
    #[arg(short = 'y', long = "yaml")]
    yaml: bool,
}

impl ListArgs {
    fn format(&self) -> ListFormat {
        match (self.output, self.yaml, self.raw) {
            (Some(format), _, _) => format,
            (None, true, _) => ListFormat::Yaml,
            (None, false, true) => ListFormat::Json,
            (None, false, false) => ListFormat::Table,
        }
    }
}

/// An object of a plugin.
struct Row {
    interface: String,
    listen: String,
    name: String,
    /// What asks it, where it is an instance plugin.
    instance: Option<InstanceClient>,
}

/// Runs the command.
pub(super) fn list(context: &Context, args: &ListArgs) -> Result {
    let found = context.block_on(target::greet_all(context))?;
    let limits = target::limits(context)?;
    let mut rows: Vec<Row> = Vec::new();
    for plugin in &found {
        for (key, names) in &plugin.hello.objects {
            for object in names.iter().flatten() {
                let (name, kind) = match object.name.as_str() {
                    "" | "." => (plugin.socket.clone(), ""),
                    object => (format!("{}/{object}", plugin.socket), object),
                };
                let instance = key.starts_with("Instance/").then(|| {
                    InstanceClient::new(Client::new(plugin.address.clone(), limits), kind)
                });
                rows.push(Row {
                    interface: key.clone(),
                    listen: plugin.address.to_string(),
                    name,
                    instance,
                });
            }
        }
    }
    rows.sort_by(|a, b| (&a.name, &a.interface).cmp(&(&b.name, &b.interface)));
    let headings = Headings::unless(args.quiet);
    match args.format() {
        ListFormat::Table => {
            let cells: Vec<[Cow<'_, str>; 3]> = rows.iter().map(cells).collect();
            context
                .out
                .table(["INTERFACE", "LISTEN", "NAME"], headings, &cells)
        }
        ListFormat::Wide => {
            let controllers = controllers(context, &found)?;
            let instances: Vec<_> = rows
                .iter()
                .map(|row| (row.name.as_str(), row.instance.as_ref()))
                .collect();
            let behaviours = context.block_on(behaviours(context, &instances, &controllers))?;
            let rows = rows.iter().zip(behaviours);
            let cells: Vec<[Cow<'_, str>; 4]> = rows
                .map(|(row, behaviour)| {
                    let [interface, listen, name] = cells(row);
                    [interface, listen, name, behaviour.into()]
                })
                .collect();
            let columns = ["INTERFACE", "LISTEN", "NAME", "BEHAVIOUR"];
            context.out.table(columns, headings, &cells)
        }
        ListFormat::Json => document(context, &rows, Format::Json),
        ListFormat::Yaml => document(context, &rows, Format::Yaml),
    }
}

fn cells(row: &Row) -> [Cow<'_, str>; 3] {
    [&row.interface, &row.listen, &row.name].map(|cell| Cow::Borrowed(cell.as_str()))
}

fn document(context: &Context, rows: &[Row], format: Format) -> Result {
    let all: Vec<Value> = rows
        .iter()
        .map(|row| {
            serde_json::json!({"Interface": row.interface, "Listen": row.listen, "Name": row.name})
        })
        .collect();
    context.out.document(&all, format)
}

/// Returns what asks each group controller. Any of its objects will do: settings are about all groups.
fn controllers(context: &Context, found: &[Found]) -> Result<Vec<GroupClient>> {
    let mut controllers = Vec::new();
    for plugin in found {
        let objects = plugin.objects();
        let mut objects = objects.iter();
        let group = |offers: &[Offer]| offers.iter().any(|one| one.interface == version::GROUP);
        if let Some((name, _)) = objects.find(|(_, offers)| group(offers))
            && let Some(target) = plugin.target(context, name)?
        {
            let name = target.wire_name(version::GROUP);
            controllers.push(GroupClient::new(target.client().clone(), name));
        }
    }
    Ok(controllers)
}
