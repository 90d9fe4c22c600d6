//! A deposed controller does nothing any more.

use crate::controller::Ask;
use crate::judge::{Cause, Invariant, Scene};
use crate::world::SECOND;

/// For so long a call may wait for a slot that its plan has found; after that it is to be decided anew.
const SLOT: u64 = 5 * SECOND;

/// Once another term is in the store, nothing is begun by a controller of a former term, unless the
/// store had taken its plan before that: a call may wait a moment for a slot.
pub(super) struct Terms;

impl Invariant for Terms {
    fn name(&self) -> &'static str {
        "deposed terms do nothing"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let group = match ask {
            Ask::Create(creation) => &creation.group,
            Ask::Destroy { group, .. }
            | Ask::Label { group, .. }
            | Ask::Repair { group, .. }
            | Ask::Drain { group, .. } => group,
            // The store refuses what it writes, and looking does no harm.
            Ask::List { .. } | Ask::Check { .. } | Ask::Write { .. } => return None,
        };
        let own = scene.sight.term;
        let (term, began) = scene.ledger.terms.iter().find(|(term, _)| *term > own)?;
        let written = scene.sight.planned;
        let waits = written < *began && scene.now < written + SLOT;
        let before = matches!(scene.sight.cause, Cause::Written(taken) if taken < *began) || waits;
        (!before).then(|| format!("`{group}` is changed in term {own}, and {term} has begun"))
    }
}
