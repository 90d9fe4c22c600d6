//! Verbs of load balancers.

use std::borrow::Cow;

use clap::{Args, Subcommand};
use infrakit_spi::l4::{Protocol, Route};
use infrakit_spi::{InstanceId, version, wire_struct};

use super::verb::{Verb, verb};
use crate::context::Context;
use crate::error::Result;
use crate::out::table::Headings;
use crate::out::{Format, OutputArgs};
use crate::target::Target;

/// Returns the verbs.
pub(super) fn verbs() -> Vec<Verb> {
    vec![
        verb!("routes", RoutesArgs, routes),
        verb!("backends", BackendsArgs, backends),
    ]
}

/// List, add or remove routes of the balancer
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit simulator/lb1 routes add 80 8080 --protocol http\n  infrakit simulator/lb1 routes ls"
)]
struct RoutesArgs {
    #[command(subcommand)]
    command: RoutesCommand,
}

#[derive(Subcommand, Debug)]
enum RoutesCommand {
    /// List the routes
    Ls(OutputArgs),
    /// Add a route
    Add {
        /// Port of the balancer
        frontend_port: u16,
        /// Port of the backends
        backend_port: u16,
        /// Protocol of the backends: http, https, tcp, udp or ssl
        #[arg(long, default_value = "tcp")]
        protocol: Protocol,
        /// Protocol of the balancer: http, https, tcp, udp or ssl
        #[arg(long, default_value = "tcp")]
        loadbalancerprotocol: Protocol,
        /// Certificate, for https and ssl
        #[arg(long)]
        cert: Option<String>,
    },
    /// Remove routes
    Rm {
        /// Ports of the balancer
        #[arg(required = true)]
        frontend_port: Vec<u16>,
    },
}

/// List, add or remove backends of the balancer
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit simulator/lb1 backends add instance-1 instance-2\n  infrakit simulator/lb1 backends ls"
)]
struct BackendsArgs {
    #[command(subcommand)]
    command: BackendsCommand,
}

#[derive(Subcommand, Debug)]
enum BackendsCommand {
    /// List the backends
    Ls(OutputArgs),
    /// Add backends
    Add {
        /// Ids of the instances
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Remove backends
    Rm {
        /// Ids of the instances
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

wire_struct! {
    /// Parameters of every method of a balancer; each uses what it needs.
    pub(crate) struct Request {
        /// Subtype.
        pub(crate) kind: String => "Type",
        /// Port of `L4.Unpublish`.
        pub(crate) port: Option<i64> => "ExtPort" omit,
        /// Route of `L4.Publish`.
        pub(crate) route: Option<Route> => "Route" omit,
        /// Backends to add or to remove.
        pub(crate) ids: Option<Vec<InstanceId>> => "IDs" omit,
    }
}

wire_struct! {
    /// Results of every method of a balancer.
    pub(crate) struct Response {
        /// The provider's own words.
        pub(crate) result: String => "Result",
        /// The routes.
        pub(crate) routes: Option<Vec<Route>> => "Routes",
        /// The backends.
        pub(crate) ids: Option<Vec<InstanceId>> => "IDs",
    }
}

fn request(target: &Target) -> Request {
    Request {
        kind: target.wire_type(version::L4),
        ..Request::default()
    }
}

async fn routes(context: &Context, target: &Target, args: RoutesArgs) -> Result {
    match args.command {
        RoutesCommand::Ls(output) => {
            let answer: Response = target.call("L4.Routes", &request(target)).await?;
            list_routes(context, &output, answer.routes.unwrap_or_default())
        }
        RoutesCommand::Add {
            frontend_port,
            backend_port,
            protocol,
            loadbalancerprotocol,
            cert,
        } => {
            let route = Route {
                port: backend_port.into(),
                protocol,
                balancer_port: frontend_port.into(),
                balancer_protocol: loadbalancerprotocol,
                certificate: cert,
                health_monitor_path: None,
            };
            let request = Request {
                route: Some(route),
                ..request(target)
            };
            let answer: Response = target.call("L4.Publish", &request).await?;
            context.out.line(answer.result)
        }
        RoutesCommand::Rm { frontend_port } => {
            for port in frontend_port {
                let request = Request {
                    port: Some(port.into()),
                    ..request(target)
                };
                let answer: Response = target.call("L4.Unpublish", &request).await?;
                context.out.line(answer.result)?;
            }
            Ok(())
        }
    }
}

fn list_routes(context: &Context, output: &OutputArgs, mut routes: Vec<Route>) -> Result {
    routes.sort_by_key(|route| route.balancer_port);
    match output.format() {
        Format::Table => {
            let rows: Vec<[Cow<'_, str>; 5]> = routes
                .iter()
                .map(|route| {
                    [
                        route.balancer_port.to_string().into(),
                        route.balancer_protocol.to_string().into(),
                        route.port.to_string().into(),
                        route.protocol.to_string().into(),
                        route.certificate.as_deref().unwrap_or("-").into(),
                    ]
                })
                .collect();
            let headings = [
                "FRONTEND PORT",
                "FRONTEND PROTOCOL",
                "BACKEND PORT",
                "BACKEND PROTOCOL",
                "CERT",
            ];
            context.out.table(headings, Headings::Shown, &rows)
        }
        format => context.out.document(&routes, format),
    }
}

async fn backends(context: &Context, target: &Target, args: BackendsArgs) -> Result {
    let change = |ids: Vec<String>| Request {
        ids: Some(ids.into_iter().map(InstanceId::from).collect()),
        ..request(target)
    };
    match args.command {
        BackendsCommand::Ls(output) => {
            let answer: Response = target.call("L4.Backends", &request(target)).await?;
            let mut ids = answer.ids.unwrap_or_default();
            ids.sort();
            match output.format() {
                Format::Table => {
                    let rows: Vec<[Cow<'_, str>; 1]> =
                        ids.iter().map(|id| [id.as_str().into()]).collect();
                    context.out.table(["INSTANCE ID"], Headings::Shown, &rows)
                }
                format => context.out.document(&ids, format),
            }
        }
        BackendsCommand::Add { ids } => {
            let answer: Response = target.call("L4.RegisterBackends", &change(ids)).await?;
            context.out.line(answer.result)
        }
        BackendsCommand::Rm { ids } => {
            let answer: Response = target.call("L4.DeregisterBackends", &change(ids)).await?;
            context.out.line(answer.result)
        }
    }
}
