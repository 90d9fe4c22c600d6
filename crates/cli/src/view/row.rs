//! An instance as it is listed, read straight from the answer.

use std::borrow::Cow;
use std::fmt;

use infrakit_spi::instance::Lifecycle;
use infrakit_spi::{FieldKey, Tags, tags};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{CommandError, Result};

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
    pub(super) logical_id: Option<Text<'a>>,
    pub(super) tags: Vec<(Text<'a>, Text<'a>)>,
    pub(super) properties: Option<&'a RawValue>,
    pub(super) state: Lifecycle,
}

impl<'de> Deserialize<'de> for Row<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Row<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an instance")
            }
            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Row<'de>, A::Error> {
                let mut row = Row::default();
                const KEYS: FieldKey =
                    FieldKey(&["ID", "LogicalID", "Tags", "Properties", "State"]);
                while let Some(key) = map.next_key_seed(KEYS)? {
                    match key {
                        Some(0) => row.id = map.next_value()?,
                        Some(1) => row.logical_id = map.next_value()?,
                        Some(2) => row.tags = map.next_value::<Pairs<'de>>()?.0,
                        Some(3) => {
                            let raw: &RawValue = map.next_value()?;
                            row.properties = (raw.get() != "null").then_some(raw);
                        }
                        Some(4) => {
                            row.state = map.next_value::<Option<_>>()?.unwrap_or_default();
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
            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Pairs<'de>, A::Error> {
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
            fn serialize<S: Serializer>(
                &self,
                serializer: S,
            ) -> std::result::Result<S::Ok, S::Error> {
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
        if self.state != Lifecycle::Unsaid {
            map.serialize_entry("State", &self.state)?;
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
        self.tag(tags::CONFIG_HASH)
            .or_else(|| self.tag(tags::CONFIG_SHA))
    }

    /// Returns the logical id, from its field or its tag.
    pub(super) fn logical(&self) -> &str {
        let field = self.logical_id.as_ref().map(|id| &*id.0);
        field
            .or_else(|| self.tag(tags::LOGICAL_ID))
            .filter(|id| !id.is_empty())
            .unwrap_or("-")
    }

    pub(super) fn matches(&self, filter: &Tags) -> bool {
        filter
            .iter()
            .all(|(key, value)| self.tag(key) == Some(value))
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

    pub(super) fn value(&self) -> Result<Value> {
        serde_json::to_value(self).map_err(|error| {
            CommandError::remote(format!(
                "properties of `{}` are not JSON: {error}",
                self.id.0
            ))
        })
    }
}
