//! What cannot succeed is not tried for ever at full speed.

use crate::controller::Ask;
use crate::judge::{Invariant, Scene};

/// What early deaths may be answered with at once, in ten minutes: five a minute, or a tenth of the
/// size.
const AT_ONCE: u64 = 5;
/// Tries beyond that in ten minutes: pauses that double from a second on, some of them forgotten
/// after a success.
const TRIES: u64 = 60;

/// In ten minutes no more members of a group are made than there was reason for, in the size asked
/// for, in rollouts and in members that were lost, and those that make up for early deaths.
pub(super) struct Storms;

impl Invariant for Storms {
    fn name(&self) -> &'static str {
        "no storms"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let Ask::Create(creation) = ask else {
            return None;
        };
        let group = &creation.group;
        let promise = scene.sight.promises.get(group)?;
        let (begun, reasons) = scene.ledger.pace.lately(group);
        let early = 10 * AT_ONCE.max(promise.size / 10);
        let most = reasons + early + TRIES;
        (begun > most).then(|| {
            format!("{begun} creations of `{group}` in ten minutes, and reason for {most}")
        })
    }
}
