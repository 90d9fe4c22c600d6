//! Resource plugins over the wire.

use async_trait::async_trait;
use infrakit_spi::group::Commit;
use infrakit_spi::resource::{Resource, ResourceSpec};
use infrakit_spi::{Result, wire_struct};

use crate::client::Client;
use crate::method::{Method, method};
use crate::server::call::{Call, Fault, Reply, reply};
use crate::server::objects::{Objects, by_name};

wire_struct! {
    /// Parameters of `Resource.Commit` and `Resource.Destroy`.
    struct CommitRequest {
        spec: ResourceSpec => "Spec",
        pretend: bool => "Pretend",
    }
}

wire_struct! {
    /// Parameters of `Resource.DescribeResources`.
    struct DescribeRequest {
        spec: ResourceSpec => "Spec",
    }
}

wire_struct! {
    /// Result of every method.
    struct Details {
        details: String => "Details",
    }
}

/// A resource plugin in another process.
#[derive(Clone, Debug)]
pub struct ResourceClient {
    client: Client,
}

impl ResourceClient {
    /// Makes a client of a resource plugin.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    async fn submit(&self, method: &str, spec: &ResourceSpec, mode: Commit) -> Result<String> {
        let pretend = matches!(mode, Commit::Pretend);
        let request = CommitRequest {
            spec: spec.clone(),
            pretend,
        };
        self.client
            .call(method, &request)
            .await
            .map(|response: Details| response.details)
    }
}

#[async_trait]
impl Resource for ResourceClient {
    async fn commit(&self, spec: &ResourceSpec, mode: Commit) -> Result<String> {
        self.submit("Resource.Commit", spec, mode).await
    }

    async fn destroy(&self, spec: &ResourceSpec, mode: Commit) -> Result<String> {
        self.submit("Resource.Destroy", spec, mode).await
    }

    async fn describe(&self, spec: &ResourceSpec) -> Result<String> {
        let request = DescribeRequest { spec: spec.clone() };
        let response: Details = self
            .client
            .call("Resource.DescribeResources", &request)
            .await?;
        Ok(response.details)
    }
}

pub(crate) async fn serve(objects: &dyn Objects<dyn Resource>, call: Call<'_>) -> Reply {
    // Requests name no object.
    let mode = |pretend| {
        if pretend {
            Commit::Pretend
        } else {
            Commit::Enforce
        }
    };
    let details = match call.method {
        "Commit" => {
            let CommitRequest { spec, pretend } = call.params()?;
            by_name(objects, "")?.commit(&spec, mode(pretend)).await?
        }
        "Destroy" => {
            let CommitRequest { spec, pretend } = call.params()?;
            by_name(objects, "")?.destroy(&spec, mode(pretend)).await?
        }
        "DescribeResources" => {
            let DescribeRequest { spec } = call.params()?;
            by_name(objects, "")?.describe(&spec).await?
        }
        _ => return Err(Fault::NoMethod),
    };
    reply(&Details { details })
}

pub(crate) fn methods() -> Vec<Method> {
    let (commit, details) = (CommitRequest::default(), Details::default());
    vec![
        method("Resource.Commit", &commit, &details),
        method(
            "Resource.DescribeResources",
            &DescribeRequest::default(),
            &details,
        ),
        method("Resource.Destroy", &commit, &details),
    ]
}
