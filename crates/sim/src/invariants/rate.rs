//! A limit a minute is a limit, whoever counts.

use crate::controller::Ask;
use crate::judge::{Invariant, Scene};

/// No more calls are begun than a bucket of a minute's lets through, through restarts and for all
/// groups together.
pub(super) struct Rate;

impl Invariant for Rate {
    fn name(&self) -> &'static str {
        "limits hold"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        match ask {
            Ask::Create(_) | Ask::Destroy { .. } => scene.ledger.pace.over.clone(),
            Ask::List { .. }
            | Ask::Write { .. }
            | Ask::Label { .. }
            | Ask::Check { .. }
            | Ask::Repair { .. }
            | Ask::Drain { .. } => None,
        }
    }
}
