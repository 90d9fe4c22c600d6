//! What a group answers when it is asked for its members, its conditions and its size.

use infrakit_spi::group::wire;
use infrakit_spi::rollout::{Condition, ConditionKind};
use infrakit_spi::{Any, FieldKey, GroupId, version};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::ask::{explain, on_group};
use crate::error::Result;
use crate::target::Target;
use crate::verbs::instance::odd;
use crate::view::Row;

/// The members of a group as it answers.
pub(crate) struct Members(Any);

/// Members, borrowing from the answer.
#[derive(Default)]
pub(crate) struct Described<'a> {
    pub(crate) rows: Vec<Row<'a>>,
    pub(crate) converged: bool,
    pub(crate) conditions: Option<Vec<Condition>>,
    /// Why they cannot be listed now; empty where they are those of now.
    pub(crate) unlisted: String,
    /// Of when they are then.
    pub(crate) listed: String,
}

impl Members {
    /// Reads the members.
    pub(crate) fn read(&self, target: &Target) -> Result<Described<'_>> {
        let answer: Answer<'_> =
            serde_json::from_str(self.0.as_str()).map_err(|error| odd(target, &error))?;
        Ok(answer.0)
    }
}

impl Described<'_> {
    /// Returns whether somebody froze the group.
    pub(crate) fn is_frozen(&self) -> bool {
        let mut conditions = self.conditions.iter().flatten();
        conditions.any(|said| said.kind == ConditionKind::Frozen && said.status)
    }
}

/// An answer to `DescribeGroup`.
#[derive(Default)]
struct Answer<'a>(Described<'a>);

impl<'de> Deserialize<'de> for Answer<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Answer<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a group")
            }
            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Answer<'de>, A::Error> {
                let mut answer = Answer::default();
                while let Some(key) = map.next_key_seed(FieldKey(&["Description"]))? {
                    if key.is_some() {
                        answer.0 = map
                            .next_value::<Option<Described<'de>>>()?
                            .unwrap_or_default();
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(answer)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl<'de> Deserialize<'de> for Described<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Described<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the description of a group")
            }
            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Described<'de>, A::Error> {
                const FIELDS: &[&str] =
                    &["Instances", "Converged", "Conditions", "Unlisted", "Listed"];
                let mut described = Described::default();
                while let Some(key) = map.next_key_seed(FieldKey(FIELDS))? {
                    match key {
                        Some(0) => {
                            described.rows = map
                                .next_value::<Option<Vec<Row<'de>>>>()?
                                .unwrap_or_default();
                        }
                        Some(1) => described.converged = map.next_value()?,
                        Some(2) => described.conditions = map.next_value()?,
                        Some(3) => described.unlisted = map.next_value()?,
                        Some(4) => described.listed = map.next_value()?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(described)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// Asks for the members of a group.
pub(crate) async fn members(target: &Target, id: &GroupId) -> Result<Members> {
    on_group(target, "Group.DescribeGroup", id)
        .await
        .map(Members)
}

/// Asks for the members of a group, and in which respects it is well.
pub(crate) async fn members_and_conditions(target: &Target, id: &GroupId) -> Result<Members> {
    let request = wire::DescribeRequest {
        name: target.wire_name(version::GROUP),
        id: id.clone(),
        conditions: true,
    };
    match target.call("Group.DescribeGroup", &request).await {
        Ok(answer) => Ok(Members(answer)),
        Err(error) => Err(explain(target, id, error).await),
    }
}

/// Asks for the size that a group is specified to have.
pub(crate) async fn size(target: &Target, id: &GroupId) -> Result<i64> {
    let answer: wire::SizeMessage = on_group(target, "Group.Size", id).await?;
    Ok(answer.size)
}
