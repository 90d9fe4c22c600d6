//! What a group that was given up has left is nobody's to destroy.

use crate::controller::Ask;
use crate::judge::{Invariant, Scene};

/// Once it was acknowledged that a group is free, nothing of it is destroyed, repaired or made.
pub(super) struct Freed;

impl Invariant for Freed {
    fn name(&self) -> &'static str {
        "what is free stays"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let group = match ask {
            Ask::Create(creation) => &creation.group,
            Ask::Destroy { group, .. } | Ask::Repair { group, .. } => group,
            Ask::List { .. }
            | Ask::Write { .. }
            | Ask::Label { .. }
            | Ask::Check { .. }
            | Ask::Drain { .. } => return None,
        };
        (scene.ledger.told.freed.contains(group)).then(|| format!("`{group}` is free, and changed"))
    }
}
