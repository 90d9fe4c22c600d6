//! Controllers over the wire.

use async_trait::async_trait;
use infrakit_spi::Result;
use infrakit_spi::controller::wire::{
    CommitRequest, CommitResponse, Plan, SelectRequest, SelectResponse,
};
use infrakit_spi::controller::{Controller, Operation};
use infrakit_spi::document::{Metadata, Object, Spec};

use crate::client::Client;
use crate::method::{Method, method};
use crate::server::call::{Call, Fault, Reply, reply};
use crate::server::objects::{Objects, by_name};

/// A controller in another process.
#[derive(Clone, Debug)]
pub struct ControllerClient {
    client: Client,
    name: String,
}

impl ControllerClient {
    /// Makes a client of the object with the full name `name`.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }

    async fn submit(
        &self,
        method: &str,
        operation: Operation,
        spec: &Spec,
    ) -> Result<CommitResponse> {
        let request = CommitRequest {
            name: self.name.clone(),
            operation,
            spec: spec.clone(),
        };
        self.client.call(method, &request).await
    }

    async fn select(&self, method: &str, metadata: Option<&Metadata>) -> Result<Vec<Object>> {
        let request = SelectRequest {
            name: self.name.clone(),
            metadata: metadata.cloned(),
        };
        let response: SelectResponse = self.client.call(method, &request).await?;
        Ok(response.objects.unwrap_or_default())
    }
}

#[async_trait]
impl Controller for ControllerClient {
    async fn plan(&self, operation: Operation, spec: &Spec) -> Result<(Object, Vec<String>)> {
        let response = self.submit("Controller.Plan", operation, spec).await?;
        Ok((response.object, response.plan.message.unwrap_or_default()))
    }

    async fn commit(&self, operation: Operation, spec: &Spec) -> Result<Object> {
        Ok(self
            .submit("Controller.Commit", operation, spec)
            .await?
            .object)
    }

    async fn describe(&self, metadata: Option<&Metadata>) -> Result<Vec<Object>> {
        self.select("Controller.Describe", metadata).await
    }

    async fn free(&self, metadata: Option<&Metadata>) -> Result<Vec<Object>> {
        self.select("Controller.Free", metadata).await
    }
}

pub(crate) async fn serve(objects: &dyn Objects<dyn Controller>, call: Call<'_>) -> Reply {
    match call.method {
        "Plan" => {
            let CommitRequest {
                name,
                operation,
                spec,
            } = call.params()?;
            let (object, message) = by_name(objects, &name)?.plan(operation, &spec).await?;
            reply(&CommitResponse {
                name,
                object,
                plan: Plan {
                    message: Some(message),
                },
            })
        }
        "Commit" => {
            let CommitRequest {
                name,
                operation,
                spec,
            } = call.params()?;
            let object = by_name(objects, &name)?.commit(operation, &spec).await?;
            reply(&CommitResponse {
                name,
                object,
                plan: Plan::default(),
            })
        }
        "Describe" => {
            let SelectRequest { name, metadata } = call.params()?;
            let objects = by_name(objects, &name)?.describe(metadata.as_ref()).await?;
            reply(&SelectResponse {
                name,
                objects: Some(objects),
            })
        }
        "Free" => {
            let SelectRequest { name, metadata } = call.params()?;
            let objects = by_name(objects, &name)?.free(metadata.as_ref()).await?;
            reply(&SelectResponse {
                name,
                objects: Some(objects),
            })
        }
        _ => Err(Fault::NoMethod),
    }
}

pub(crate) fn methods() -> Vec<Method> {
    let (commit, committed) = (CommitRequest::default(), CommitResponse::default());
    let (select, selected) = (SelectRequest::default(), SelectResponse::default());
    vec![
        method("Controller.Commit", &commit, &committed),
        method("Controller.Describe", &select, &selected),
        method("Controller.Free", &select, &selected),
        method("Controller.Plan", &commit, &committed),
    ]
}
