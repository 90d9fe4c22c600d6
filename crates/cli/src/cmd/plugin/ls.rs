//! `infrakit plugin ls`: which plugins run, and how the providers of instance plugins behave.

use std::borrow::Cow;
use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use futures_util::future::join_all;
use infrakit_engine::core::Override;
use infrakit_rpc::Client;
use infrakit_rpc::kind::InstanceClient;
use infrakit_spi::PluginName;
use infrakit_spi::behaviour::{Behaviour, Facts};
use infrakit_spi::instance::Instance as _;
use serde_json::Value;

use crate::context::Context;
use crate::error::Result;
use crate::out::table::Headings;
use crate::out::{Format, table};
use crate::overrides::OverridesFile;
use crate::target;

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
                .with(|out| table::write(out, ["INTERFACE", "LISTEN", "NAME"], headings, &cells))
        }
        ListFormat::Wide => {
            let behaviours = context.block_on(behaviours(context, &rows))?;
            let rows = rows.iter().zip(behaviours);
            let cells: Vec<[Cow<'_, str>; 4]> = rows
                .map(|(row, behaviour)| {
                    let [interface, listen, name] = cells(row);
                    [interface, listen, name, behaviour.into()]
                })
                .collect();
            let columns = ["INTERFACE", "LISTEN", "NAME", "BEHAVIOUR"];
            context
                .out
                .with(|out| table::write(out, columns, headings, &cells))
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

/// Asks the instance plugins how they behave, all at once.
async fn behaviours(context: &Context, rows: &[Row]) -> Result<Vec<String>> {
    let set = OverridesFile::new(context.settings.overrides_file()?).read();
    let set = set.unwrap_or_default();
    if let Some(fault) = &set.fault {
        context.warn(fault);
    }
    let asked = rows.iter().map(async |row| match &row.instance {
        Some(instance) => {
            let set = set.by_plugin.get(&PluginName::from(row.name.as_str()));
            behaviour(instance, set).await
        }
        None => String::new(),
    });
    Ok(join_all(asked).await)
}

async fn behaviour(
    instance: &InstanceClient,
    set: Option<&std::result::Result<Override, String>>,
) -> String {
    let (declared, fault) = match instance.behaviour().await {
        Ok(declared) => (declared.unwrap_or_default(), None),
        Err(error) => (Behaviour::default(), Some(error.to_string())),
    };
    let nonsense = declared.check().err();
    let fault = fault.or_else(|| Some(format!("declares nonsense: {}", nonsense?)));
    let (set, wrong) = match set {
        Some(Ok(set)) => (facts(set), None),
        Some(Err(wrong)) => (Facts::new(), Some(format!("wrongly set: {wrong}"))),
        None => (Facts::new(), None),
    };
    let declared = fault.map_or_else(|| Ok(declared.facts()), Err);
    described(&declared, &set, wrong)
}

/// What is set, field by field.
fn facts(set: &Override) -> Facts {
    let mut facts = set.behaviour.facts();
    let losses: BTreeMap<String, Value> = set.losses.canonical().decode().unwrap_or_default();
    for (name, value) in losses {
        let word = value.as_str().map(str::to_owned);
        let said = word.unwrap_or_else(|| value.to_string());
        facts.insert(format!("Losses.{name}"), said);
    }
    facts
}

/// Says what is declared, or why that is not known, and what is set instead.
fn described(
    declared: &std::result::Result<Facts, String>,
    set: &Facts,
    wrong: Option<String>,
) -> String {
    let nothing = Facts::new();
    let facts = declared.as_ref().unwrap_or(&nothing);
    let mut said: Vec<String> = match declared {
        Ok(facts) if facts.is_empty() => vec!["undeclared".to_owned()],
        Ok(_) => Vec::new(),
        Err(fault) => vec![format!("{fault};")],
    };
    said.extend(facts.iter().map(|(name, value)| match set.get(name) {
        Some(set) => format!("{name}={set} (set; declared {value})"),
        None => format!("{name}={value}"),
    }));
    let only_set = set.iter().filter(|(name, _)| !facts.contains_key(*name));
    said.extend(only_set.map(|(name, value)| format!("{name}={value} (set)")));
    said.extend(wrong);
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> Facts {
        serde_json::from_str::<Behaviour>(text).unwrap().facts()
    }

    #[test]
    fn declared_and_set_are_both_shown() {
        let nothing = Ok(Facts::new());
        let five = facts(r#"{"create": {"give_up_s": 5}}"#);
        assert_eq!(described(&nothing, &Facts::new(), None), "undeclared");
        assert_eq!(
            described(&nothing, &five, None),
            "undeclared create.give_up_s=5 (set)"
        );
        let declared = Ok(facts(
            r#"{"create": {"give_up_s": 60}, "list": {"durable": true}}"#,
        ));
        assert_eq!(
            described(
                &declared,
                &Facts::new(),
                Some("wrongly set: line 3".to_owned())
            ),
            "create.give_up_s=60 list.durable=true wrongly set: line 3"
        );
        assert_eq!(
            described(&declared, &five, None),
            "create.give_up_s=5 (set; declared 60) list.durable=true"
        );
        let nonsense = Err("declares nonsense: no".to_owned());
        assert_eq!(
            described(&nonsense, &five, None),
            "declares nonsense: no; create.give_up_s=5 (set)"
        );
    }
}
