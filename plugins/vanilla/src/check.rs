//! One check of one instance.

use async_trait::async_trait;
use infrakit_spi::instance::Description;
use tokio::net::TcpStream;

use crate::command::{self, Stderr};
use crate::expand::{Expander, environment};
use crate::http_check;
use crate::properties::{HealthCheck, Probe};
use crate::target::check_address;

/// Checks instances. Tests put their own in its place.
#[async_trait]
pub(crate) trait Checker: Send + Sync {
    /// Checks `instance` once, without a deadline; the error says why it failed and holds nothing
    /// of what the instance or a command said.
    async fn check(&self, check: &HealthCheck, instance: &Description) -> Result<(), String>;
}

/// Checks as the properties say.
pub(crate) struct Prober;

#[async_trait]
impl Checker for Prober {
    async fn check(&self, check: &HealthCheck, instance: &Description) -> Result<(), String> {
        let mut expander = Expander::new(instance);
        match &check.probe {
            Probe::Command(words) => {
                let words = expander.expand_all(words)?;
                command::run(&words, &environment(instance), Stderr::Ignored)
                    .await
                    .map_err(|failure| format!("the command {failure}"))
            }
            Probe::Http(target) => {
                http_check::check(&expander.expand(&target.url)?, target.status).await
            }
            Probe::Tcp(address) => {
                let address = expander.expand(address)?;
                check_address(&address)?;
                TcpStream::connect(&address)
                    .await
                    .map(drop)
                    .map_err(|error| format!("no connection: {error}"))
            }
        }
    }
}
