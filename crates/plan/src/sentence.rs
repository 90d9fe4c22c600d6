//! The sentence that a commit answers with. Scripts match on it, so it is the original's.

use std::collections::BTreeSet;

use crate::{Observed, Size, Spec};

/// A commit to explain: the spec in force, if any, and the one that is proposed.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The spec in force.
    pub before: Option<&'a Spec>,
    /// The spec that is proposed.
    pub after: &'a Spec,
}

/// A change of a live group that this controller does not carry out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// Another set of logical ids.
    #[error("Logical ID changes to a quorum is not currently supported")]
    LogicalIds,
    /// From a size to logical ids, or back.
    #[error(
        "Allocation cannot change between Size and LogicalIDs on a live group: free the group, or destroy it, and commit it anew"
    )]
    Method,
    /// Another instance plugin.
    #[error(
        "Instance.Plugin cannot change on a live group (`{from}` to `{to}`): commit the new plugin under another group id, then destroy this group"
    )]
    InstancePlugin {
        /// Plugin in force.
        from: String,
        /// Plugin proposed.
        to: String,
    },
}

/// Says what a commit leads to, given what was last observed of the group.
///
/// ```
/// use infrakit_plan::{Change, Observed, Spec, sentence};
/// use infrakit_spi::Any;
///
/// let spec = Spec::parse(Some(&Any::parse(r#"{"Allocation": {"Size": 3}}"#)?))?;
/// let nothing = Observed::default();
/// let first = Change { before: None, after: &spec };
/// assert_eq!(sentence(first, &nothing)?, "Managing 3 instances");
///
/// let grown = spec.with_size(5);
/// let change = Change { before: Some(&spec), after: &grown };
/// assert_eq!(
///     sentence(change, &nothing)?,
///     "Adding 2 instances to increase the group size to 5"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Returns why the change cannot be carried out.
pub fn sentence(change: Change<'_>, seen: &Observed) -> Result<String, Unsupported> {
    let Change { before, after } = change;
    let size = after.size.count();
    let Some(before) = before else {
        return Ok(format!("Managing {size} instances"));
    };
    supported(before, after)?;
    let (mut matching, mut outdated) = (0_u64, 0_u64);
    for member in seen.members().filter(|one| after.size.concerns(one)) {
        if member.matches(&after.hash) {
            matching += 1;
        } else {
            outdated += 1;
        }
    }
    let old_size = before.size.count();
    Ok(if size < old_size {
        let gone = old_size - size;
        let shrink = format!("Terminating {gone} instances to reduce the group size to {size}");
        match size.saturating_sub(matching) {
            rolled @ 1.. if outdated > 0 => {
                format!("{shrink}, then performing a rolling update on {rolled} instances")
            }
            _ => shrink,
        }
    } else {
        let added = size - old_size;
        let roll = format!("erforming a rolling update on {outdated} instances");
        let grow = format!("dding {added} instances to increase the group size to {size}");
        match (outdated, added) {
            (0, 0) => "Noop".to_owned(),
            (1.., 0) => format!("P{roll}"),
            (0, 1..) => format!("A{grow}"),
            (1.., 1..) => format!("P{roll}, then a{grow}"),
        }
    })
}

fn supported(before: &Spec, after: &Spec) -> Result<(), Unsupported> {
    match (&before.size, &after.size) {
        (Size::Pets(old), Size::Pets(new)) => {
            // Order says nothing about identity.
            if old.iter().collect::<BTreeSet<_>>() != new.iter().collect() {
                return Err(Unsupported::LogicalIds);
            }
        }
        (Size::Cattle(_), Size::Cattle(_)) => {}
        (Size::Cattle(_), Size::Pets(_)) | (Size::Pets(_), Size::Cattle(_)) => {
            return Err(Unsupported::Method);
        }
    }
    if before.instance.plugin == after.instance.plugin {
        Ok(())
    } else {
        Err(Unsupported::InstancePlugin {
            from: before.instance.plugin.to_string(),
            to: after.instance.plugin.to_string(),
        })
    }
}
