//! A deposed controller does nothing any more.

use crate::controller::Ask;
use crate::judge::{Cause, Invariant, Scene};

/// Once another term is in the store, nothing is begun by a controller of a former term, unless the
/// store had taken its plan before that.
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
        let before = matches!(scene.sight.cause, Cause::Written(taken) if taken < *began);
        (!before).then(|| format!("`{group}` is changed in term {own}, and {term} has begun"))
    }
}
