//! Simulated load balancers: they remember what they are told, and balance nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use infrakit_spi::l4::{HealthCheck, L4, Route};
use infrakit_spi::{Error, InstanceId, Result, wire_struct};

use crate::store;

wire_struct! {
    /// What a balancer remembers. Health checks are apart from the routes; the original files
    /// them among these, after which it cannot list its routes any more.
    struct Settings {
        routes: Vec<Route> => "Routes",
        health_check: Option<HealthCheck> => "HealthCheck",
        backends: BTreeSet<InstanceId> => "Backends",
    }
}

/// A simulated load balancer.
#[derive(Debug)]
pub(crate) struct Balancer {
    name: String,
    /// Where the settings are kept, with the file store.
    file: Option<PathBuf>,
    settings: Mutex<Settings>,
}

impl Balancer {
    pub(crate) fn open(name: &str, file: Option<PathBuf>) -> Result<Self> {
        let settings = match &file {
            Some(file) => store::read(file)?.unwrap_or_default(),
            None => Settings::default(),
        };
        Ok(Self {
            name: name.to_owned(),
            file,
            settings: Mutex::new(settings),
        })
    }

    /// Changes the settings, in memory and on disk or in neither.
    fn change(&self, change: impl FnOnce(&mut Settings) -> Result<()>) -> Result<()> {
        let mut settings = self.lock();
        let mut wanted = settings.clone();
        change(&mut wanted)?;
        if let Some(file) = &self.file {
            store::write(file, &wanted)?;
        }
        *settings = wanted;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl L4 for Balancer {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn routes(&self) -> Result<Vec<Route>> {
        Ok(self.lock().routes.clone())
    }

    async fn publish(&self, route: &Route) -> Result<String> {
        self.change(|settings| {
            let port = route.balancer_port;
            if settings.routes.iter().any(|old| old.balancer_port == port) {
                return Err(Error::refused(format!("duplicate port {port}")));
            }
            settings.routes.push(route.clone());
            settings.routes.sort_by_key(|route| route.balancer_port);
            Ok(())
        })?;
        Ok("publish".to_owned())
    }

    async fn unpublish(&self, port: i64) -> Result<String> {
        self.change(|settings| {
            let before = settings.routes.len();
            settings.routes.retain(|route| route.balancer_port != port);
            if settings.routes.len() == before {
                return Err(Error::refused(format!("unknown port {port}")));
            }
            Ok(())
        })?;
        Ok("unpublish".to_owned())
    }

    async fn configure_health_check(&self, check: &HealthCheck) -> Result<String> {
        self.change(|settings| {
            settings.health_check = Some(check.clone());
            Ok(())
        })?;
        Ok("healthcheck".to_owned())
    }

    async fn register(&self, backends: &[InstanceId]) -> Result<String> {
        self.change(|settings| {
            settings.backends.extend(backends.iter().cloned());
            Ok(())
        })?;
        Ok("ok".to_owned())
    }

    async fn deregister(&self, backends: &[InstanceId]) -> Result<String> {
        self.change(|settings| {
            settings.backends.retain(|old| !backends.contains(old));
            Ok(())
        })?;
        Ok("ok".to_owned())
    }

    async fn backends(&self) -> Result<Vec<InstanceId>> {
        Ok(self.lock().backends.iter().cloned().collect())
    }
}
