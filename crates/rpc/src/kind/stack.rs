//! Managers over the wire. The interface is called `Stack`, its methods are `Manager.*`.

use async_trait::async_trait;
use infrakit_spi::document::{Object, Spec};
use infrakit_spi::stack::Stack;
use infrakit_spi::stack::wire::{InspectResponse, IsLeaderResponse, SpecsMessage};
use infrakit_spi::{Any, Result, wire_struct};

use crate::client::Client;
use crate::handshake::Nothing;
use crate::method::{Method, method};
use crate::server::call::{Call, Fault, Reply, reply};
use crate::server::objects::{Objects, by_name};

wire_struct! {
    /// A URL in its parts, as Go keeps it.
    #[derive(PartialEq)]
    struct Url {
        scheme: String => "Scheme",
        opaque: String => "Opaque",
        user: Option<Any> => "User",
        host: String => "Host",
        path: String => "Path",
        raw_path: String => "RawPath",
        omit_host: bool => "OmitHost",
        force_query: bool => "ForceQuery",
        raw_query: String => "RawQuery",
        fragment: String => "Fragment",
        raw_fragment: String => "RawFragment",
    }
}

wire_struct! {
    /// Result of `Manager.LeaderLocation`.
    struct LocationResponse {
        location: Option<Url> => "Location",
    }
}

impl Url {
    fn parse(text: &str) -> Self {
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (text, query) = text.split_once('?').unwrap_or((text, ""));
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let (host, path) = match rest.find('/') {
            _ if scheme.is_empty() => ("", rest),
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        Self {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            raw_query: query.to_owned(),
            fragment: fragment.to_owned(),
            ..Self::default()
        }
    }

    fn join(&self) -> String {
        let mut text = String::new();
        if !self.scheme.is_empty() {
            text = format!("{}:", self.scheme);
        }
        if !self.host.is_empty() || !self.scheme.is_empty() {
            text = format!("{text}//{}", self.host);
        }
        text.push_str(&self.path);
        for (mark, part) in [('?', &self.raw_query), ('#', &self.fragment)] {
            if !part.is_empty() {
                text.push(mark);
                text.push_str(part);
            }
        }
        text
    }
}

/// A manager in another process.
#[derive(Clone, Debug)]
pub struct StackClient {
    client: Client,
}

impl StackClient {
    /// Makes a client of a manager.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl Stack for StackClient {
    async fn is_leader(&self) -> Result<bool> {
        let response: IsLeaderResponse = self.client.call("Manager.IsLeader", &Nothing {}).await?;
        Ok(response.leader)
    }

    async fn leader_location(&self) -> Result<Option<String>> {
        let response: LocationResponse = self
            .client
            .call("Manager.LeaderLocation", &Nothing {})
            .await?;
        Ok(response.location.map(|location| location.join()))
    }

    async fn specs(&self) -> Result<Vec<Spec>> {
        let response: SpecsMessage = self.client.call("Manager.Specs", &Nothing {}).await?;
        Ok(response.specs.unwrap_or_default())
    }

    async fn enforce(&self, specs: &[Spec]) -> Result<()> {
        let request = SpecsMessage {
            specs: Some(specs.to_vec()),
        };
        self.client
            .call("Manager.Enforce", &request)
            .await
            .map(|_: Nothing| ())
    }

    async fn inspect(&self) -> Result<Vec<Object>> {
        let response: InspectResponse = self.client.call("Manager.Inspect", &Nothing {}).await?;
        Ok(response.objects.unwrap_or_default())
    }

    async fn terminate(&self, specs: &[Spec]) -> Result<()> {
        let request = SpecsMessage {
            specs: Some(specs.to_vec()),
        };
        self.client
            .call("Manager.Terminate", &request)
            .await
            .map(|_: Nothing| ())
    }
}

pub(crate) async fn serve(objects: &dyn Objects<dyn Stack>, call: Call<'_>) -> Reply {
    // Requests name no object.
    let stack = || by_name(objects, "");
    match call.method {
        "IsLeader" => {
            let Nothing {} = call.params()?;
            reply(&IsLeaderResponse {
                leader: stack()?.is_leader().await?,
            })
        }
        "LeaderLocation" => {
            let Nothing {} = call.params()?;
            let location = stack()?.leader_location().await?;
            reply(&LocationResponse {
                location: location.as_deref().map(Url::parse),
            })
        }
        "Specs" => {
            let Nothing {} = call.params()?;
            reply(&SpecsMessage {
                specs: Some(stack()?.specs().await?),
            })
        }
        "Enforce" => {
            let SpecsMessage { specs } = call.params()?;
            stack()?.enforce(&specs.unwrap_or_default()).await?;
            reply(&Nothing {})
        }
        "Inspect" => {
            let Nothing {} = call.params()?;
            reply(&InspectResponse {
                objects: Some(stack()?.inspect().await?),
            })
        }
        "Terminate" => {
            let SpecsMessage { specs } = call.params()?;
            stack()?.terminate(&specs.unwrap_or_default()).await?;
            reply(&Nothing {})
        }
        _ => Err(Fault::NoMethod),
    }
}

pub(crate) fn methods() -> Vec<Method> {
    let (nothing, specs) = (Nothing {}, SpecsMessage::default());
    vec![
        method("Manager.Enforce", &specs, &nothing),
        method("Manager.Inspect", &nothing, &InspectResponse::default()),
        method("Manager.IsLeader", &nothing, &IsLeaderResponse::default()),
        method(
            "Manager.LeaderLocation",
            &nothing,
            &LocationResponse::default(),
        ),
        method("Manager.Specs", &nothing, &specs),
        method("Manager.Terminate", &specs, &nothing),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_travel_in_their_parts() {
        let url = Url::parse("http://127.0.0.1:25864");
        assert_eq!(
            serde_json::to_string(&url).unwrap(),
            concat!(
                r#"{"Scheme":"http","Opaque":"","User":null,"Host":"127.0.0.1:25864","Path":"","#,
                r#""RawPath":"","OmitHost":false,"ForceQuery":false,"RawQuery":"","#,
                r#""Fragment":"","RawFragment":""}"#
            )
        );
        for text in ["http://h:1", "http://h/a/b?x=1#f", "/path"] {
            assert_eq!(Url::parse(text).join(), text);
        }
    }
}
