//! L4 plugins: load balancers with routes and backends.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{InstanceId, Result, wire_struct};

/// Protocol of a route. Read without regard to case, written in upper case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// Plain TCP.
    #[default]
    Tcp,
    /// HTTP.
    Http,
    /// HTTPS.
    Https,
    /// TLS over TCP.
    Ssl,
    /// UDP.
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::Ssl => "SSL",
            Self::Udp => "UDP",
        })
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        [Self::Tcp, Self::Http, Self::Https, Self::Ssl, Self::Udp]
            .into_iter()
            .find(|protocol| protocol.to_string().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("bad value: `{text}` is none of HTTP, HTTPS, TCP, SSL, UDP"))
    }
}

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Protocol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

wire_struct! {
    /// A route from a port of the balancer to a port of its backends.
    #[derive(PartialEq, Eq)]
    pub struct Route {
        /// Port of the backends.
        pub port: i64 => "Port",
        /// Protocol of the backends.
        pub protocol: Protocol => "Protocol",
        /// Port of the balancer.
        pub balancer_port: i64 => "LoadBalancerPort",
        /// Protocol of the balancer.
        pub balancer_protocol: Protocol => "LoadBalancerProtocol",
        /// Certificate for HTTPS and SSL.
        pub certificate: Option<String> => "Certificate",
        /// Path to ask for health.
        pub health_monitor_path: Option<String> => "HealthMonitorPath",
    }
}

wire_struct! {
    /// How the balancer checks its backends. The two durations are integer nanoseconds.
    #[derive(PartialEq, Eq)]
    pub struct HealthCheck {
        /// Port to check.
        pub backend_port: i64 => "BackendPort",
        /// Good answers until a backend counts as healthy.
        pub healthy: i64 => "Healthy",
        /// Bad answers until a backend counts as unhealthy.
        pub unhealthy: i64 => "Unhealthy",
        /// Time between two checks.
        pub interval: i64 => "Interval",
        /// Time until a check counts as failed.
        pub timeout: i64 => "Timeout",
    }
}

/// A load balancer. Results are the provider's own words.
#[async_trait]
pub trait L4: Send + Sync {
    /// Returns the name of the balancer.
    fn name(&self) -> String;

    /// Lists the routes.
    async fn routes(&self) -> Result<Vec<Route>>;

    /// Adds a route.
    async fn publish(&self, route: &Route) -> Result<String>;

    /// Removes the route on a port of the balancer.
    async fn unpublish(&self, port: i64) -> Result<String>;

    /// Sets how backends are checked.
    async fn configure_health_check(&self, check: &HealthCheck) -> Result<String>;

    /// Adds backends.
    async fn register(&self, backends: &[InstanceId]) -> Result<String>;

    /// Removes backends.
    async fn deregister(&self, backends: &[InstanceId]) -> Result<String>;

    /// Lists the backends.
    async fn backends(&self) -> Result<Vec<InstanceId>>;
}
