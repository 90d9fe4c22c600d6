//! Runs the drain command of an instance.

use infrakit_spi::GoDuration;
use infrakit_spi::instance::Description;
use tokio::time::timeout;

use crate::command::{self, Stderr};
use crate::expand::{Expander, environment};
use crate::properties::Drain;

/// Runs the command; when it takes too long, it is killed with all that it started.
pub(crate) async fn drain(drain: &Drain, instance: &Description) -> Result<(), String> {
    let id = &instance.id;
    let words = Expander::new(instance)
        .expand_all(&drain.command)
        .map_err(|why| format!("failed to drain {id}: {why}"))?;
    let env = environment(instance);
    match timeout(drain.timeout, command::run(&words, &env, Stderr::LastLine)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(failure)) => Err(format!("failed to drain {id}: the command {failure}")),
        Err(_) => Err(format!(
            "failed to drain {id}: the command did not finish within {} and was killed",
            GoDuration(drain.timeout)
        )),
    }
}
