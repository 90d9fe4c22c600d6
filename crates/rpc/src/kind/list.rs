//! The list of an instance plugin, checked while it is read.
//!
//! What a group does follows from this list, so one that cannot be right is refused as a whole:
//! an answer without a list, an instance without an id, more instances than can be.

use std::fmt;

use infrakit_spi::FieldKey;
use infrakit_spi::instance::{Description, Domains};
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The method that answers with one.
pub(super) const DESCRIBE: &str = "Instance.DescribeInstances";

/// Most instances in a list: about as many as the largest answer holds when each has an id, a group
/// and a hash. A hostile answer of that size would otherwise be worth gigabytes once decoded.
pub(crate) const MOST: usize = 250_000;

/// Longest name of a page: those of known providers have some hundred bytes, and each is kept until
/// the list ends.
const TOKEN: usize = 8 << 10;
/// Most domains of a list: a large provider has some thousand hosts.
const DOMAINS: usize = 100_000;

/// A `DescribeInstances` result.
pub(crate) struct List {
    /// The instances.
    pub(crate) instances: Vec<Description>,
    /// What asks for the next page; empty where there is none.
    pub(crate) next: String,
    /// The domains that it covers, where it does not cover everything.
    pub(crate) covers: Option<Domains>,
}

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = List;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `Descriptions`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<List, A::Error> {
        let (mut list, mut next, mut covers) = (None, None, None::<Domains>);
        while let Some(index) = map.next_key_seed(FieldKey(&["Descriptions", "Next", "Covers"]))? {
            match index {
                Some(0) => list = Some(map.next_value::<Option<Members>>()?),
                Some(1) => next = map.next_value::<Option<String>>()?,
                Some(_) => covers = map.next_value::<Option<Domains>>()?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        // The original sends `null` for an empty list, but it never leaves the list out.
        let members = list.ok_or_else(|| A::Error::missing_field("Descriptions"))?;
        let next: String = next.unwrap_or_default();
        if next.len() > TOKEN {
            return Err(A::Error::custom(format_args!(
                "`Next` has more than {TOKEN} bytes"
            )));
        }
        if covers.as_ref().is_some_and(|covers| covers.len() > DOMAINS) {
            return Err(A::Error::custom(format_args!(
                "`Covers` names more than {DOMAINS} domains"
            )));
        }
        Ok(List {
            instances: members.map(|members| members.0).unwrap_or_default(),
            next,
            covers,
        })
    }
}

struct Members(Vec<Description>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Entries).map(Self)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<Description>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element::<Description>()? {
            if entry.id.as_str().is_empty() {
                return Err(A::Error::custom("an instance has no ID"));
            }
            if list.len() >= MOST {
                return Err(A::Error::custom(format_args!("more than {MOST} instances")));
            }
            list.push(entry);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Result<Vec<String>, String> {
        let list: List = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let ids = list.instances.into_iter().map(|one| one.id.to_string());
        Ok(ids.collect())
    }

    #[test]
    fn lists_are_read_as_the_original_sends_them() {
        let two = r#"{"Type":"","Descriptions":[{"ID":"a","Tags":null},{"ID":"b"}]}"#;
        assert_eq!(ids(two).unwrap(), ["a", "b"]);
        assert!(
            ids(r#"{"Type":"","Descriptions":null}"#)
                .unwrap()
                .is_empty()
        );
        assert!(ids(r#"{"descriptions":[]}"#).unwrap().is_empty());
    }

    #[test]
    fn a_list_that_cannot_be_right_is_refused() {
        let missing = ids("{}").unwrap_err();
        assert!(
            missing.contains("missing field `Descriptions`"),
            "{missing}"
        );
        let nameless = ids(r#"{"Descriptions":[{"ID":"a"},{}]}"#).unwrap_err();
        assert!(nameless.contains("an instance has no ID"), "{nameless}");
        let many = format!(
            r#"{{"Descriptions":[{}{{"ID":"a"}}]}}"#,
            r#"{"ID":"a"},"#.repeat(MOST)
        );
        assert!(
            ids(&many)
                .unwrap_err()
                .contains("more than 250000 instances")
        );
        assert!(ids("[]").is_err() && ids(r#"{"Descriptions":7}"#).is_err());
    }
}
