//! How long calls may take unless the operator says otherwise. Who carries them out keeps to it, and
//! who waits says until when.

use std::time::Duration;

/// After this time a creation, a drain or a destruction is given up. Machines take minutes to come, and
/// a creation that is given up too early is a creation in doubt.
pub(crate) const CALL: Duration = Duration::from_secs(600);
/// After this time a health check is given up, and the drain of a sick member: 15 s is the original's
/// limit for any call.
pub(crate) const CHECK: Duration = Duration::from_secs(15);
/// How much later than its record says a call may begin: a tenth of the time that is waited for lists to
/// show a creation where nothing is declared (`infrakit_spi::behaviour::defaults`).
pub(crate) const LATE: Duration = Duration::from_millis(1_500);
