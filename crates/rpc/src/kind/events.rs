//! Events over the wire: listing topics, and subscribing to them.

use std::pin::Pin;

use async_trait::async_trait;
use futures_core::Stream;
use futures_util::StreamExt as _;
use infrakit_spi::Result;
use infrakit_spi::event::wire::{ListRequest, ListResponse};
use infrakit_spi::event::{Event, Events};

use crate::client::Client;
use crate::method::{Method, method};
use crate::server::call::{Call, Fault, Reply, reply};
use crate::server::objects::{ONLY, Objects};
use crate::sse::selects;

/// The events of another process.
#[derive(Clone, Debug)]
pub struct EventsClient {
    client: Client,
}

impl EventsClient {
    /// Makes a client of a plugin with events.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl Events for EventsClient {
    async fn list(&self, topic: &str) -> Result<Option<Vec<String>>> {
        let request = ListRequest {
            topic: topic.to_owned(),
        };
        let response: ListResponse = self.client.call("Event.List", &request).await?;
        Ok(response.nodes)
    }

    /// Connects when first polled; ends when the plugin does, or cannot be reached.
    fn subscribe(&self, topic: &str) -> Pin<Box<dyn Stream<Item = Event> + Send>> {
        let (client, topic) = (self.client.clone(), topic.to_owned());
        let stream = futures_util::stream::once(async move {
            client.events(&topic).await.map_or_else(
                |error| futures_util::stream::once(async { Err(error) }).boxed(),
                futures_util::StreamExt::boxed,
            )
        });
        let events = stream.flatten().filter_map(|event: Result<Event>| async {
            event
                .inspect_err(|error| tracing::debug!(%error, "event stream failed"))
                .ok()
        });
        events.boxed()
    }
}

/// Returns the topic that a query asks for.
pub(crate) fn topic(query: &str) -> String {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(key, _)| *key == "topic")
        .map_or_else(String::new, |(_, value)| unescape(value))
}

fn unescape(text: &str) -> String {
    let mut bytes = text.as_bytes().iter();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(&byte) = bytes.next() {
        match byte {
            b'+' => plain.push(b' '),
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                let ahead = (
                    bytes.as_slice().first().copied(),
                    bytes.as_slice().get(1).copied(),
                );
                match (digit(ahead.0), digit(ahead.1)) {
                    (Some(high), Some(low)) => {
                        plain.push((high << 4 | low) as u8);
                        bytes.nth(1);
                    }
                    _ => plain.push(byte),
                }
            }
            _ => plain.push(byte),
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Returns the events that `topic` selects. Those of a typed object carry its name before their
/// topic. Without events, or without a match, the stream is silent and does not end.
pub(crate) fn subscribe(
    objects: Option<&(dyn Objects<dyn Events> + 'static)>,
    topic: &str,
) -> Pin<Box<dyn Stream<Item = Event> + Send>> {
    let wanted = if topic == "." {
        ""
    } else {
        topic.strip_prefix('/').unwrap_or(topic)
    };
    let mut streams = vec![futures_util::stream::pending().boxed()];
    for name in objects.map(Objects::names).unwrap_or_default() {
        let Some(object) = objects.and_then(|objects| objects.get(&name)) else {
            continue;
        };
        if name == ONLY {
            streams.push(object.subscribe(wanted));
            continue;
        }
        let below = match wanted.split_once('/') {
            _ if wanted.is_empty() => "",
            Some((first, rest)) if first == name => rest,
            _ => continue,
        };
        let prefixed = object.subscribe(below).map(move |mut event| {
            event.topic = format!("{name}/{}", event.topic);
            event
        });
        streams.push(prefixed.boxed());
    }
    let wanted = wanted.to_owned();
    futures_util::stream::select_all(streams)
        .filter(move |event| std::future::ready(selects(&wanted, &event.topic)))
        .boxed()
}

pub(crate) async fn serve(objects: &dyn Objects<dyn Events>, call: Call<'_>) -> Reply {
    match call.method {
        "List" => {
            let ListRequest { topic } = call.params()?;
            reply(&ListResponse {
                nodes: list(objects, &topic).await?,
            })
        }
        _ => Err(Fault::NoMethod),
    }
}

/// Lists the topics below `topic`: at the top, those of the object without a type, and the types.
async fn list(objects: &dyn Objects<dyn Events>, topic: &str) -> Result<Option<Vec<String>>> {
    let topic = topic.strip_suffix('/').unwrap_or(topic);
    let only = objects.get(ONLY);
    // A leading slash makes an empty first element, which is the top whatever follows.
    if topic.is_empty() || topic == "." || topic.starts_with('/') {
        let mut nodes: Vec<String> = objects
            .names()
            .into_iter()
            .filter(|name| name != ONLY)
            .collect();
        if let Some(only) = only {
            nodes.extend(only.list("").await?.unwrap_or_default());
        }
        nodes.sort();
        nodes.dedup();
        return Ok(Some(nodes));
    }
    let (first, rest) = topic.split_once('/').unwrap_or((topic, ""));
    let nodes = match (objects.get(first).filter(|_| first != ONLY), only) {
        (Some(typed), _) => typed.list(rest).await?,
        (None, Some(only)) => only.list(topic).await?,
        (None, None) => None,
    };
    Ok(nodes.map(|mut nodes| {
        nodes.sort();
        nodes
    }))
}

pub(crate) fn methods() -> Vec<Method> {
    let request = ListRequest {
        topic: ".".to_owned(),
    };
    vec![method("Event.List", &request, &ListResponse::default())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_unescaped() {
        for (query, want) in [
            ("topic=streams%2Fmsec%2F100", "streams/msec/100"),
            ("x=1&topic=/a+b", "/a b"),
            ("topic=%c3%a9%zz%4", "é%zz%4"),
            ("topic=", ""),
            ("", ""),
        ] {
            assert_eq!(topic(query), want, "{query}");
        }
    }
}
