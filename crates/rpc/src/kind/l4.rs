//! Load balancers over the wire.

use async_trait::async_trait;
use infrakit_spi::l4::{HealthCheck, L4, Route};
use infrakit_spi::{InstanceId, Result, wire_struct};

use crate::client::Client;
use crate::method::{Method, method};
use crate::server::call::{Call, Fault, Reply, reply};
use crate::server::objects::{Objects, by_name};

wire_struct! {
    /// Parameters of methods without any of their own.
    struct TypeRequest {
        kind: String => "Type",
    }
}

wire_struct! {
    /// Parameters of `L4.Publish`.
    struct PublishRequest {
        kind: String => "Type",
        route: Route => "Route",
    }
}

wire_struct! {
    /// Parameters of `L4.Unpublish`.
    struct UnpublishRequest {
        kind: String => "Type",
        port: i64 => "ExtPort",
    }
}

wire_struct! {
    /// Parameters of `L4.ConfigureHealthCheck`.
    struct HealthCheckRequest {
        kind: String => "Type",
        backend_port: i64 => "BackendPort",
        healthy: i64 => "Healthy",
        unhealthy: i64 => "Unhealthy",
        interval: i64 => "Interval",
        timeout: i64 => "Timeout",
    }
}

wire_struct! {
    /// Backends, as parameters and as result.
    struct Backends {
        kind: String => "Type",
        ids: Option<Vec<InstanceId>> => "IDs",
    }
}

wire_struct! {
    /// Result of `L4.Name`.
    struct NameResponse {
        kind: String => "Type",
        name: String => "Name",
    }
}

wire_struct! {
    /// Result of `L4.Routes`.
    struct RoutesResponse {
        kind: String => "Type",
        routes: Option<Vec<Route>> => "Routes",
    }
}

wire_struct! {
    /// Result of methods that change something.
    struct Outcome {
        kind: String => "Type",
        result: String => "Result",
    }
}

/// A load balancer in another process.
#[derive(Clone, Debug)]
pub struct L4Client {
    client: Client,
    kind: String,
}

impl L4Client {
    /// Makes a client of the balancer `kind`; empty for a plugin with a single one.
    pub fn new(client: Client, kind: impl Into<String>) -> Self {
        Self {
            client,
            kind: kind.into(),
        }
    }

    fn named(&self) -> TypeRequest {
        TypeRequest {
            kind: self.kind.clone(),
        }
    }

    fn backends_of(&self, ids: &[InstanceId]) -> Backends {
        Backends {
            kind: self.kind.clone(),
            ids: Some(ids.to_vec()),
        }
    }
}

fn result(outcome: Outcome) -> String {
    outcome.result
}

#[async_trait]
impl L4 for L4Client {
    fn name(&self) -> String {
        self.kind.clone()
    }

    async fn routes(&self) -> Result<Vec<Route>> {
        let response: RoutesResponse = self.client.call("L4.Routes", &self.named()).await?;
        Ok(response.routes.unwrap_or_default())
    }

    async fn publish(&self, route: &Route) -> Result<String> {
        let request = PublishRequest {
            kind: self.kind.clone(),
            route: route.clone(),
        };
        self.client.call("L4.Publish", &request).await.map(result)
    }

    async fn unpublish(&self, port: i64) -> Result<String> {
        let request = UnpublishRequest {
            kind: self.kind.clone(),
            port,
        };
        self.client.call("L4.Unpublish", &request).await.map(result)
    }

    async fn configure_health_check(&self, check: &HealthCheck) -> Result<String> {
        let HealthCheck {
            backend_port,
            healthy,
            unhealthy,
            interval,
            timeout,
        } = check.clone();
        let kind = self.kind.clone();
        let request = HealthCheckRequest {
            kind,
            backend_port,
            healthy,
            unhealthy,
            interval,
            timeout,
        };
        self.client
            .call("L4.ConfigureHealthCheck", &request)
            .await
            .map(result)
    }

    async fn register(&self, backends: &[InstanceId]) -> Result<String> {
        let request = self.backends_of(backends);
        self.client
            .call("L4.RegisterBackends", &request)
            .await
            .map(result)
    }

    async fn deregister(&self, backends: &[InstanceId]) -> Result<String> {
        let request = self.backends_of(backends);
        self.client
            .call("L4.DeregisterBackends", &request)
            .await
            .map(result)
    }

    async fn backends(&self) -> Result<Vec<InstanceId>> {
        let response: Backends = self.client.call("L4.Backends", &self.named()).await?;
        Ok(response.ids.unwrap_or_default())
    }
}

pub(crate) async fn serve(objects: &dyn Objects<dyn L4>, call: Call<'_>) -> Reply {
    let find = |kind: &str| by_name(objects, &format!("./{kind}"));
    // As in the original, results leave their type empty.
    let kind = String::new();
    let result = match call.method {
        "Name" => {
            let request: TypeRequest = call.params()?;
            let name = find(&request.kind)?.name();
            return reply(&NameResponse { kind, name });
        }
        "Routes" => {
            let request: TypeRequest = call.params()?;
            let routes = Some(find(&request.kind)?.routes().await?);
            return reply(&RoutesResponse { kind, routes });
        }
        "Backends" => {
            let request: TypeRequest = call.params()?;
            let ids = Some(find(&request.kind)?.backends().await?);
            return reply(&Backends { kind, ids });
        }
        "Publish" => {
            let request: PublishRequest = call.params()?;
            find(&request.kind)?.publish(&request.route).await?
        }
        "Unpublish" => {
            let request: UnpublishRequest = call.params()?;
            find(&request.kind)?.unpublish(request.port).await?
        }
        "ConfigureHealthCheck" => {
            let HealthCheckRequest {
                kind,
                backend_port,
                healthy,
                unhealthy,
                interval,
                timeout,
            } = call.params()?;
            let check = HealthCheck {
                backend_port,
                healthy,
                unhealthy,
                interval,
                timeout,
            };
            find(&kind)?.configure_health_check(&check).await?
        }
        "RegisterBackends" => {
            let request: Backends = call.params()?;
            find(&request.kind)?
                .register(&request.ids.unwrap_or_default())
                .await?
        }
        "DeregisterBackends" => {
            let request: Backends = call.params()?;
            find(&request.kind)?
                .deregister(&request.ids.unwrap_or_default())
                .await?
        }
        _ => return Err(Fault::NoMethod),
    };
    reply(&Outcome { kind, result })
}

pub(crate) fn methods() -> Vec<Method> {
    let (named, backends, outcome) = (
        TypeRequest::default(),
        Backends::default(),
        Outcome::default(),
    );
    vec![
        method("L4.Backends", &named, &backends),
        method(
            "L4.ConfigureHealthCheck",
            &HealthCheckRequest::default(),
            &outcome,
        ),
        method("L4.DeregisterBackends", &backends, &outcome),
        method("L4.Name", &named, &NameResponse::default()),
        method("L4.Publish", &PublishRequest::default(), &outcome),
        method("L4.RegisterBackends", &backends, &outcome),
        method("L4.Routes", &named, &RoutesResponse::default()),
        method("L4.Unpublish", &UnpublishRequest::default(), &outcome),
    ]
}
