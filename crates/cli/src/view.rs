//! Lists of instances, as the flags want them shown.

mod row;

use std::borrow::Cow;
use std::io::Write;

use clap::Args;
use infrakit_spi::Tags;
use infrakit_template::{Engine, Vars};
use serde_json::Value;

use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::out::table::Headings;
use crate::out::{Format, OutputArgs, table};
use crate::settings::pairs;

pub(crate) use row::Row;

/// Flags of every command that lists instances.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ViewArgs {
    /// Only instances with these tags; a bare key wants an empty value
    #[arg(long, value_name = "KEY=VALUE")]
    tags: Vec<String>,
    /// Show the properties as well
    #[arg(short, long)]
    pub(crate) properties: bool,
    /// Template over the tags, for the column TAGS
    #[arg(
        short,
        long,
        value_name = "TEMPLATE",
        default_value = "*",
        hide_default_value = true
    )]
    tags_view: Option<String>,
    /// Template over the properties, for the column PROPERTIES
    #[arg(short = 'w', long, value_name = "TEMPLATE")]
    properties_view: Option<String>,
    /// Template over the whole description; shows ID and VIEW only
    #[arg(short = 'z', long, value_name = "TEMPLATE")]
    description_view: Option<String>,
    /// Leave out the headings; with -p print the properties only
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Show the tags of InfraKit's own bookkeeping as well
    #[arg(long)]
    all_tags: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

impl ViewArgs {
    /// Returns the tags that instances must have.
    pub(crate) fn filter(&self) -> Result<Tags> {
        pairs(&self.tags)
    }

    /// Returns whether properties are needed for what is to be shown.
    pub(crate) fn wants_properties(&self) -> bool {
        self.properties || self.properties_view.is_some() || self.description_view.is_some()
    }
}

/// Sorts rows by id and keeps those that were asked for, by id or logical id.
pub(crate) fn select(rows: &mut Vec<Row<'_>>, filter: &Tags, wanted: &[String]) {
    rows.retain(|row| {
        row.matches(filter)
            && (wanted.is_empty()
                || wanted
                    .iter()
                    .any(|id| *id == row.id.0 || *id == row.logical()))
    });
    rows.sort_by(|a, b| a.id.cmp(&b.id));
}

/// Shows rows as the flags say.
pub(crate) fn show(context: &Context, args: &ViewArgs, rows: &[Row<'_>]) -> Result {
    match args.output.format() {
        Format::Table => {
            let mut text = Vec::with_capacity(rows.len() * 192);
            write_table(&mut text, args, rows)?;
            context.out.text(text)
        }
        format => context.out.document(&*documented(args, rows), format),
    }
}

/// Returns rows as a document has them. Some plugins send properties unasked; what is shown does
/// not depend on that.
pub(crate) fn documented<'a, 'row>(args: &ViewArgs, rows: &'a [Row<'row>]) -> Cow<'a, [Row<'row>]> {
    if args.properties {
        return Cow::Borrowed(rows);
    }
    let bare = rows.iter().map(|row| Row {
        properties: None,
        ..row.clone()
    });
    Cow::Owned(bare.collect())
}

/// Writes rows as a table.
pub(crate) fn write_table(out: &mut dyn Write, args: &ViewArgs, rows: &[Row<'_>]) -> Result {
    let headings = Headings::unless(args.quiet);
    if let Some(template) = &args.description_view {
        let view = View::new(template);
        let cells = rows
            .iter()
            .map(|row| {
                Ok([
                    Cow::Borrowed(&*row.id.0),
                    view.render(&row.value()?)?.into(),
                ])
            })
            .collect::<Result<Vec<_>>>()?;
        return Ok(table::write(out, ["ID", "VIEW"], headings, &cells)?);
    }
    if args.properties || args.properties_view.is_some() {
        return with_properties(out, args, rows, headings);
    }
    let cells = rows
        .iter()
        .map(|row| {
            Ok([
                Cow::Borrowed(&*row.id.0),
                row.logical().into(),
                tags_cell(args, row)?.into(),
            ])
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(table::write(
        out,
        ["ID", "LOGICAL", "TAGS"],
        headings,
        &cells,
    )?)
}

fn with_properties(
    out: &mut dyn Write,
    args: &ViewArgs,
    rows: &[Row<'_>],
    headings: Headings,
) -> Result {
    let view = args.properties_view.as_deref().map(View::new);
    let cell = |row: &Row<'_>| -> Result<String> {
        match (&view, row.properties) {
            (Some(view), Some(raw)) => {
                let value = serde_json::from_str(raw.get()).map_err(|error| {
                    CommandError::remote(format!(
                        "properties of `{}` are not JSON: {error}",
                        row.id.0
                    ))
                })?;
                view.render(&value)
            }
            (Some(view), None) => view.render(&Value::Null),
            (None, Some(raw)) => {
                let compact = infrakit_spi::compact(raw.get().as_bytes());
                Ok(String::from_utf8_lossy(&compact).into_owned())
            }
            (None, None) => Ok("-".to_owned()),
        }
    };
    if args.quiet {
        for row in rows {
            writeln!(out, "{}", table::printable(&cell(row)?))?;
        }
        return Ok(());
    }
    let cells = rows
        .iter()
        .map(|row| {
            Ok([
                Cow::Borrowed(&*row.id.0),
                row.logical().into(),
                tags_cell(args, row)?.into(),
                cell(row)?.into(),
            ])
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(table::write(
        out,
        ["ID", "LOGICAL", "TAGS", "PROPERTIES"],
        headings,
        &cells,
    )?)
}

fn tags_cell(args: &ViewArgs, row: &Row<'_>) -> Result<String> {
    match args.tags_view.as_deref() {
        None | Some("*" | "") => Ok(row.joined_tags(args.all_tags)),
        Some(template) => {
            let map: serde_json::Map<String, Value> = row
                .tags
                .iter()
                .map(|(key, value)| (key.0.clone().into_owned(), Value::from(&*value.0)))
                .collect();
            View::new(template).render(&Value::Object(map))
        }
    }
}

/// A template over what is shown. It is given with or without `str://`.
pub(crate) struct View<'a> {
    template: &'a str,
    engine: Engine,
}

impl<'a> View<'a> {
    /// Wraps the text of a flag.
    pub(crate) fn new(template: &'a str) -> Self {
        Self {
            template: template.strip_prefix("str://").unwrap_or(template),
            engine: Engine::new(),
        }
    }

    /// Renders one value.
    pub(crate) fn render(&self, value: &Value) -> Result<String> {
        self.engine
            .render(self.template, "view", value, &Vars::new())
            .map_err(|error| CommandError::user(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing;

    const TWO: &str = r#"[
        {"ID":"i-2","LogicalID":null,"Tags":{"tier":"web","infrakit.token":"t1","a":"\u0031"},"Properties":{"n":1.50}},
        {"id":"i-1","LogicalID":"pet","Tags":null,"Extra":[1,{"x":2}],"State":"pending"}]"#;

    fn shown(args: &ViewArgs, filter: &[&str], ids: &[&str]) -> String {
        let mut rows: Vec<Row<'_>> = serde_json::from_str(TWO).unwrap();
        let filter = pairs(&filter.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>()).unwrap();
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        select(&mut rows, &filter, &ids);
        let (context, written) = testing::context(&[]);
        show(&context, args, &rows).unwrap();
        written.text()
    }

    fn args() -> ViewArgs {
        ViewArgs::default()
    }

    #[test]
    fn rows_are_sorted_and_bookkeeping_is_hidden() {
        let want = "ID   LOGICAL  TAGS\ni-1  pet\ni-2  -        a=1,tier=web\n";
        assert_eq!(shown(&args(), &[], &[]), want);
        let all = ViewArgs {
            all_tags: true,
            ..args()
        };
        assert!(shown(&all, &[], &[]).contains("a=1,infrakit.token=t1,tier=web"));
    }

    #[test]
    fn rows_are_selected_by_tag_id_and_logical_id() {
        assert_eq!(shown(&args(), &["tier=web"], &[]).lines().count(), 2);
        assert_eq!(shown(&args(), &["nosuch"], &[]).lines().count(), 1);
        assert!(shown(&args(), &[], &["pet"]).contains("i-1"));
        assert!(!shown(&args(), &[], &["pet"]).contains("i-2"));
    }

    #[test]
    fn properties_have_a_column_or_stand_alone() {
        let with = ViewArgs {
            properties: true,
            ..args()
        };
        assert!(shown(&with, &[], &[]).contains("{\"n\":1.50}"));
        let quiet = ViewArgs {
            properties: true,
            quiet: true,
            ..args()
        };
        assert_eq!(shown(&quiet, &[], &[]), "-\n{\"n\":1.50}\n");
    }

    #[test]
    fn views_are_templates_with_or_without_a_scheme() {
        for template in ["{{ .n }}", "str://{{ .n }}"] {
            let view = ViewArgs {
                properties_view: Some(template.to_owned()),
                quiet: true,
                ..args()
            };
            assert_eq!(shown(&view, &[], &["i-2"]), "1.5\n");
        }
        let view = ViewArgs {
            description_view: Some("{{ .ID }}!".to_owned()),
            ..args()
        };
        assert_eq!(shown(&view, &[], &["i-2"]), "ID   VIEW\ni-2  i-2!\n");
        let view = ViewArgs {
            tags_view: Some("{{ .tier }}".to_owned()),
            ..args()
        };
        assert_eq!(
            shown(&view, &[], &["i-2"]),
            "ID   LOGICAL  TAGS\ni-2  -        web\n"
        );
    }

    #[test]
    fn documents_have_all_tags_and_properties_when_asked() {
        let yaml = OutputArgs::yaml_for_tests();
        let view = ViewArgs {
            output: yaml,
            properties: true,
            ..args()
        };
        let text = shown(&view, &[], &["i-2"]);
        assert!(
            text.contains("infrakit.token: t1") && text.contains("\"n\": 1.5"),
            "{text}"
        );
        let view = ViewArgs {
            output: OutputArgs::yaml_for_tests(),
            ..args()
        };
        assert!(!shown(&view, &[], &["i-2"]).contains("1.5"));
        assert!(shown(&view, &[], &["i-1"]).contains("State: pending"));
        assert!(!shown(&view, &[], &["i-2"]).contains("State"));
    }
}
