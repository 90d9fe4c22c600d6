//! `Allocation`: how many members a group has.

use std::collections::BTreeSet;

use infrakit_spi::{Any, LogicalId};

use crate::fields::Fields;
use crate::{InvalidSpec, Member};

/// Largest size that is accepted. A slip of the finger must not order a billion machines; and a
/// member takes some two kilobytes, so that this many are two gigabytes.
pub const MAX_SIZE: u64 = 1_000_000;

/// How many members a group has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Size {
    /// That many like members.
    Cattle(u64),
    /// One member for each of these identities, in this order.
    Pets(Vec<LogicalId>),
}

impl Size {
    /// Returns the number of members.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Cattle(size) => *size,
            Self::Pets(ids) => ids.len() as u64,
        }
    }

    /// Returns whether the size is about this member: every one of like members, but only those
    /// with an identity where members are named.
    pub(crate) fn concerns(&self, member: &Member) -> bool {
        match self {
            Self::Cattle(_) => true,
            Self::Pets(_) => member.logical_id.is_some(),
        }
    }
}

/// Decodes the size and the ceiling.
pub(super) fn decode(raw: Option<&Any>) -> Result<(Size, Option<u64>), InvalidSpec> {
    let fields = Fields::of(raw, "Allocation", &["Size", "LogicalIDs", "MaxInstances"])?;
    let size = size(&fields)?;
    let ceiling = fields.get("MaxInstances", "a whole number from 1")?;
    Ok((size, ceiling))
}

fn size(fields: &Fields) -> Result<Size, InvalidSpec> {
    let size: Option<u64> = fields.get("Size", "a whole number from 0 to 1000000")?;
    let ids: Vec<LogicalId> = fields
        .get("LogicalIDs", "a list of strings")?
        .unwrap_or_default();
    match (size, ids.is_empty()) {
        (None, true) => Err(InvalidSpec::NoAllocation),
        // Canonical specs of pets say `Size: 0` beside their ids.
        (Some(1..), false) => Err(InvalidSpec::TwoAllocations),
        (Some(size), true) if size > MAX_SIZE => Err(InvalidSpec::field(
            "Allocation.Size",
            format!("expected a whole number from 0 to {MAX_SIZE}, found `{size}`"),
        )),
        (Some(size), true) => Ok(Size::Cattle(size)),
        (Some(0) | None, false) => pets(ids),
    }
}

fn pets(ids: Vec<LogicalId>) -> Result<Size, InvalidSpec> {
    let mut seen = BTreeSet::new();
    for (index, id) in ids.iter().enumerate() {
        let path = || format!("Allocation.LogicalIDs[{index}]");
        id.check()
            .map_err(|error| InvalidSpec::field(path(), error.to_string()))?;
        if !seen.insert(id) {
            return Err(InvalidSpec::field(
                path(),
                format!("`{id}` is listed twice"),
            ));
        }
    }
    Ok(Size::Pets(ids))
}
