//! Rows of instances: read straight from the answer, without building what is not shown.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;

use clap::Args;
use infrakit_spi::{FieldKey, Tags, tags};
use infrakit_template::{Engine, Vars};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::out::table::Headings;
use crate::out::{Format, OutputArgs, table};
use crate::settings::pairs;

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
    #[arg(short, long, value_name = "TEMPLATE", default_value = "*", hide_default_value = true)]
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

/// Text that borrows from the answer where it can.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> std::result::Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_unit<E>(self) -> std::result::Result<Text<'de>, E> {
                Ok(Text::default())
            }
        }
        deserializer.deserialize_any(Borrow)
    }
}

/// An instance, borrowing from the answer that lists it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row<'a> {
    pub(crate) id: Text<'a>,
    logical_id: Option<Text<'a>>,
    tags: Vec<(Text<'a>, Text<'a>)>,
    properties: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for Row<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Row<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an instance")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Row<'de>, A::Error> {
                let mut row = Row::default();
                const KEYS: FieldKey = FieldKey(&["ID", "LogicalID", "Tags", "Properties"]);
                while let Some(key) = map.next_key_seed(KEYS)? {
                    match key {
                        Some(0) => row.id = map.next_value()?,
                        Some(1) => row.logical_id = map.next_value()?,
                        Some(2) => row.tags = map.next_value::<Pairs<'de>>()?.0,
                        Some(3) => {
                            let raw: &RawValue = map.next_value()?;
                            row.properties = (raw.get() != "null").then_some(raw);
                        }
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(row)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// Tags in the order of the answer, sorted afterwards.
struct Pairs<'a>(Vec<(Text<'a>, Text<'a>)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tags")
            }
            fn visit_unit<E>(self) -> std::result::Result<Pairs<'de>, E> {
                Ok(Pairs(Vec::new()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Pairs<'de>, A::Error> {
                let mut pairs: Vec<(Text<'de>, Text<'de>)> = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                if !pairs.is_sorted_by(|a, b| a.0 <= b.0) {
                    pairs.sort();
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_any(Entries)
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        struct Map<'a>(&'a [(Text<'a>, Text<'a>)]);
        impl Serialize for Map<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|(key, value)| (&key.0, &value.0)))
            }
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("ID", &self.id.0)?;
        map.serialize_entry("LogicalID", &self.logical_id.as_ref().map(|id| &id.0))?;
        map.serialize_entry("Tags", &Map(&self.tags))?;
        if let Some(properties) = self.properties {
            map.serialize_entry("Properties", properties)?;
        }
        map.end()
    }
}

impl<'a> Row<'a> {
    /// Returns a tag.
    pub(crate) fn tag(&self, key: &str) -> Option<&str> {
        self.tags
            .iter()
            .find(|(name, _)| name.0 == key)
            .map(|(_, value)| &*value.0)
    }

    /// Returns the config hash that the instance was made from.
    pub(crate) fn config_hash(&self) -> Option<&str> {
        self.tag(tags::CONFIG_HASH).or_else(|| self.tag(tags::CONFIG_SHA))
    }

    /// Returns the logical id, from its field or its tag.
    fn logical(&self) -> &str {
        let field = self.logical_id.as_ref().map(|id| &*id.0);
        field.or_else(|| self.tag(tags::LOGICAL_ID)).filter(|id| !id.is_empty()).unwrap_or("-")
    }

    fn matches(&self, filter: &Tags) -> bool {
        filter.iter().all(|(key, value)| self.tag(key) == Some(value))
    }

    /// Returns the tags as one cell: sorted, joined by commas.
    pub(crate) fn joined_tags(&self, all: bool) -> String {
        let mut text = String::with_capacity(128);
        for (key, value) in &self.tags {
            if !all && key.0 == tags::TOKEN {
                continue;
            }
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(&key.0);
            text.push('=');
            text.push_str(&value.0);
        }
        text
    }

    fn value(&self) -> Result<Value> {
        serde_json::to_value(self)
            .map_err(|error| CommandError::remote(format!("properties of `{}` are not JSON: {error}", self.id.0)))
    }
}

/// Sorts rows by id and keeps those that were asked for, by id or logical id.
pub(crate) fn select(rows: &mut Vec<Row<'_>>, filter: &Tags, wanted: &[String]) {
    rows.retain(|row| {
        row.matches(filter)
            && (wanted.is_empty()
                || wanted.iter().any(|id| *id == row.id.0 || *id == row.logical()))
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
        format => {
            if args.properties {
                return context.out.document(rows, format);
            }
            // Some plugins send properties unasked; what is shown does not depend on that.
            let bare: Vec<Row<'_>> = rows
                .iter()
                .map(|row| Row { properties: None, ..row.clone() })
                .collect();
            context.out.document(&bare, format)
        }
    }
}

/// Writes rows as a table.
pub(crate) fn write_table(out: &mut dyn Write, args: &ViewArgs, rows: &[Row<'_>]) -> Result {
    let headings = Headings::unless(args.quiet);
    if let Some(template) = &args.description_view {
        let view = View::new(template);
        let cells = rows
            .iter()
            .map(|row| Ok([Cow::Borrowed(&*row.id.0), view.render(&row.value()?)?.into()]))
            .collect::<Result<Vec<_>>>()?;
        return Ok(table::write(out, ["ID", "VIEW"], headings, &cells)?);
    }
    if args.properties || args.properties_view.is_some() {
        return with_properties(out, args, rows, headings);
    }
    let cells = rows
        .iter()
        .map(|row| Ok([Cow::Borrowed(&*row.id.0), row.logical().into(), tags_cell(args, row)?.into()]))
        .collect::<Result<Vec<_>>>()?;
    Ok(table::write(out, ["ID", "LOGICAL", "TAGS"], headings, &cells)?)
}

fn with_properties(out: &mut dyn Write, args: &ViewArgs, rows: &[Row<'_>], headings: Headings) -> Result {
    let view = args.properties_view.as_deref().map(View::new);
    let cell = |row: &Row<'_>| -> Result<String> {
        match (&view, row.properties) {
            (Some(view), Some(raw)) => {
                let value = serde_json::from_str(raw.get()).map_err(|error| {
                    CommandError::remote(format!("properties of `{}` are not JSON: {error}", row.id.0))
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
    Ok(table::write(out, ["ID", "LOGICAL", "TAGS", "PROPERTIES"], headings, &cells)?)
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
        {"id":"i-1","LogicalID":"pet","Tags":null,"Extra":[1,{"x":2}]}]"#;

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
        let all = ViewArgs { all_tags: true, ..args() };
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
        let with = ViewArgs { properties: true, ..args() };
        assert!(shown(&with, &[], &[]).contains("{\"n\":1.50}"));
        let quiet = ViewArgs { properties: true, quiet: true, ..args() };
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
        let view = ViewArgs { description_view: Some("{{ .ID }}!".to_owned()), ..args() };
        assert_eq!(shown(&view, &[], &["i-2"]), "ID   VIEW\ni-2  i-2!\n");
        let view = ViewArgs { tags_view: Some("{{ .tier }}".to_owned()), ..args() };
        assert_eq!(shown(&view, &[], &["i-2"]), "ID   LOGICAL  TAGS\ni-2  -        web\n");
    }

    #[test]
    fn documents_have_all_tags_and_properties_when_asked() {
        let yaml = OutputArgs::yaml_for_tests();
        let view = ViewArgs { output: yaml, properties: true, ..args() };
        let text = shown(&view, &[], &["i-2"]);
        assert!(text.contains("infrakit.token: t1") && text.contains("n: 1.5"), "{text}");
        let view = ViewArgs { output: OutputArgs::yaml_for_tests(), ..args() };
        assert!(!shown(&view, &[], &["i-2"]).contains("n: 1.5"));
    }
}
