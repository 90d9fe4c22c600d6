//! The sentence that a commit answers with. Scripts match on it, so it is the original's.

use std::collections::BTreeSet;

use infrakit_spi::LogicalId;

use crate::{Observed, Size, Spec};

/// A commit to explain: the spec in force, if any, and the one that is proposed.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The spec in force.
    pub before: Option<&'a Spec>,
    /// The spec that is proposed.
    pub after: &'a Spec,
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
/// assert_eq!(sentence(first, &nothing), "Managing 3 instances");
///
/// let grown = spec.with_size(5);
/// let change = Change { before: Some(&spec), after: &grown };
/// assert_eq!(
///     sentence(change, &nothing),
///     "Adding 2 instances to increase the group size to 5"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn sentence(change: Change<'_>, seen: &Observed) -> String {
    let Change { before, after } = change;
    let size = after.size.count();
    let Some(before) = before else {
        return format!("Managing {size} instances");
    };
    let (going, coming) = difference(&before.size, &after.size);
    let (matching, outdated) = census(change, seen);
    let mut steps = Vec::new();
    steps.extend(naming(before, after, seen));
    if going > 0 {
        let reason = if coming > 0 {
            "that are not listed any more".to_owned()
        } else {
            format!("to reduce the group size to {size}")
        };
        steps.push(format!("terminating {going} instances {reason}"));
    }
    let rolled = match &after.size {
        // What makes way need not be rolled, whichever it is.
        Size::Cattle(_) if going > 0 && outdated > 0 => size.saturating_sub(matching),
        Size::Cattle(_) | Size::Pets(_) => outdated,
    };
    if rolled > 0 {
        let (from, to) = (&before.instance.plugin, &after.instance.plugin);
        let moved = if from == to {
            String::new()
        } else {
            format!(", which moves them from `{from}` to `{to}`")
        };
        steps.push(format!(
            "performing a rolling update on {rolled} instances{moved}"
        ));
    }
    if coming > 0 {
        let reason = if going > 0 {
            "that are newly listed".to_owned()
        } else {
            format!("to increase the group size to {size}")
        };
        steps.push(format!("adding {coming} instances {reason}"));
    }
    capitalised(steps.join(", then "))
}

/// Returns how many members go and how many come, whatever becomes of the others.
fn difference(before: &Size, after: &Size) -> (u64, u64) {
    if let (Size::Pets(old), Size::Pets(new)) = (before, after) {
        let old: BTreeSet<_> = old.iter().collect();
        let new: BTreeSet<_> = new.iter().collect();
        let (going, coming) = (old.difference(&new), new.difference(&old));
        return (going.count() as u64, coming.count() as u64);
    }
    let (old, new) = (before.count(), after.count());
    (old.saturating_sub(new), new.saturating_sub(old))
}

/// Returns how many of the members that may stay match the spec, and how many do not.
fn census(change: Change<'_>, seen: &Observed) -> (u64, u64) {
    let Change { before, after } = change;
    let named = matches!(before.map(|before| &before.size), Some(Size::Pets(_)));
    let listed: Option<BTreeSet<&LogicalId>> = match &after.size {
        Size::Cattle(_) => None,
        Size::Pets(ids) => Some(ids.iter().collect()),
    };
    let (mut matching, mut outdated) = (0, 0);
    for member in seen.members() {
        let concerned = match (&listed, &member.logical_id) {
            (None, _) => true,
            (Some(listed), Some(id)) => listed.contains(id),
            // It is given an identity, where it had none to have.
            (Some(_), None) => !named,
        };
        if !concerned {
            continue;
        }
        if member.matches(&after.hash) {
            matching += 1;
        } else {
            outdated += 1;
        }
    }
    (matching, outdated)
}

/// Says that members are given identities, or that theirs no longer count.
fn naming(before: &Spec, after: &Spec, seen: &Observed) -> Option<String> {
    match (&before.size, &after.size) {
        (Size::Cattle(_), Size::Pets(ids)) => {
            let members = seen.members();
            let nameless = members.filter(|member| member.logical_id.is_none()).count();
            let named = nameless.min(ids.len());
            Some(format!("giving logical IDs to {named} instances"))
        }
        (Size::Pets(_), Size::Cattle(_)) => {
            let kept = (seen.len() as u64).min(after.size.count());
            Some(format!(
                "keeping {kept} instances without regard to their logical IDs"
            ))
        }
        (Size::Cattle(_), Size::Cattle(_)) | (Size::Pets(_), Size::Pets(_)) => None,
    }
}

fn capitalised(text: String) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => "Noop".to_owned(),
    }
}
