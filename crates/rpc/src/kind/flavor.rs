//! Flavor plugins over the wire.

use async_trait::async_trait;
use infrakit_spi::flavor::wire::{
    HealthyResponse, InstanceRequest, PrepareRequest, PrepareResponse, ValidateRequest,
};
use infrakit_spi::flavor::{Allocation, Flavor, Health, Index};
use infrakit_spi::instance::wire::Done;
use infrakit_spi::instance::{Description, InstanceSpec};
use infrakit_spi::{Any, Result};

use super::instance::done;
use crate::client::Client;
use crate::method::{Method, method};
use crate::server::call::{Call, Fault, Reply, reply};
use crate::server::objects::{Objects, by_type};

/// A flavor plugin in another process.
#[derive(Clone, Debug)]
pub struct FlavorClient {
    client: Client,
    /// For answers that carry the properties of an instance, which may be large.
    whole: Client,
    kind: String,
}

impl FlavorClient {
    /// Makes a client of the flavor type `kind`; empty for a plugin without types.
    pub fn new(client: Client, kind: impl Into<String>) -> Self {
        Self {
            client: client.brief(),
            whole: client,
            kind: kind.into(),
        }
    }

    fn about(&self, properties: Option<&Any>, instance: &Description) -> InstanceRequest {
        InstanceRequest {
            kind: self.kind.clone(),
            properties: properties.cloned(),
            instance: instance.clone(),
        }
    }
}

#[async_trait]
impl Flavor for FlavorClient {
    async fn validate(&self, properties: Option<&Any>, allocation: &Allocation) -> Result<()> {
        let request = ValidateRequest {
            kind: self.kind.clone(),
            properties: properties.cloned(),
            allocation: allocation.clone(),
        };
        self.client
            .call("Flavor.Validate", &request)
            .await
            .map(|_: Done| ())
    }

    async fn prepare(
        &self,
        properties: Option<&Any>,
        spec: InstanceSpec,
        allocation: &Allocation,
        index: &Index,
    ) -> Result<InstanceSpec> {
        let request = PrepareRequest {
            kind: self.kind.clone(),
            properties: properties.cloned(),
            spec,
            allocation: allocation.clone(),
            index: index.clone(),
        };
        let response: PrepareResponse = self.whole.call("Flavor.Prepare", &request).await?;
        Ok(response.spec)
    }

    async fn healthy(&self, properties: Option<&Any>, instance: &Description) -> Result<Health> {
        let request = self.about(properties, instance);
        let response: HealthyResponse = self.client.call("Flavor.Healthy", &request).await?;
        Ok(response.health)
    }

    async fn drain(&self, properties: Option<&Any>, instance: &Description) -> Result<()> {
        let request = self.about(properties, instance);
        // Taking the work off a member takes as long as its work does.
        let limits = self.client.limits();
        let deadline = limits.effect.unwrap_or(limits.deadline);
        self.client
            .call_within(deadline, "Flavor.Drain", &request)
            .await
            .map(|_: Done| ())
    }
}

pub(crate) async fn serve(objects: &dyn Objects<dyn Flavor>, call: Call<'_>) -> Reply {
    match call.method {
        "Validate" => {
            let request: ValidateRequest = call.params()?;
            let flavor = by_type(objects, &request.kind)?;
            flavor
                .validate(request.properties.as_ref(), &request.allocation)
                .await?;
            done(request.kind)
        }
        "Prepare" => {
            let PrepareRequest {
                kind,
                properties,
                spec,
                allocation,
                index,
            } = call.params()?;
            let flavor = by_type(objects, &kind)?;
            let spec = flavor
                .prepare(properties.as_ref(), spec, &allocation, &index)
                .await?;
            reply(&PrepareResponse { kind, spec })
        }
        "Healthy" => {
            let InstanceRequest {
                kind,
                properties,
                instance,
            } = call.params()?;
            let flavor = by_type(objects, &kind)?;
            let health = flavor.healthy(properties.as_ref(), &instance).await?;
            reply(&HealthyResponse { kind, health })
        }
        "Drain" => {
            let InstanceRequest {
                kind,
                properties,
                instance,
            } = call.params()?;
            by_type(objects, &kind)?
                .drain(properties.as_ref(), &instance)
                .await?;
            done(kind)
        }
        _ => Err(Fault::NoMethod),
    }
}

pub(crate) fn methods() -> Vec<Method> {
    let done = Done::default();
    let about = InstanceRequest::default();
    vec![
        method("Flavor.Drain", &about, &done),
        method("Flavor.Healthy", &about, &HealthyResponse::default()),
        method(
            "Flavor.Prepare",
            &PrepareRequest::default(),
            &PrepareResponse::default(),
        ),
        method("Flavor.Validate", &ValidateRequest::default(), &done),
    ]
}
