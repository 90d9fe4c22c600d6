//! Greetings between releases, and what a lookup says when it fails.

use std::sync::Arc;

use infrakit_rpc::kind::MetadataClient;
use infrakit_rpc::{Fixed, Limits, Plugin, connect};
use infrakit_spi::metadata::Metadata as _;
use infrakit_spi::{Delivery, version};
use serde_json::{Value, json};

use crate::fakes::Fake;
use crate::hostile_servers::Scripted;
use crate::served::{Served, client};

fn plugin() -> Plugin {
    let fake = || Arc::new(Fake::default());
    let types = ["compute", "disk"].map(|name| (name.to_owned(), fake() as _));
    Plugin::new()
        .instance(Fixed::new(types))
        .stack(Fixed::single(fake() as _))
}

#[tokio::test]
async fn older_callers_find_their_version() {
    let served = Served::start(plugin());
    let client = served.client();
    for method in ["Handshake.Implements", "Plugin.Implements"] {
        let answer: Value = client.call(method, &json!({})).await.unwrap();
        for (name, version) in [
            ("Instance", "0.6.1"),
            ("Instance", "0.5.0"),
            ("Instance", "0.3.0"),
            ("Stack", "0.1.1"),
            ("Manager", "0.1.0"),
        ] {
            let entry = json!({"Name": name, "Version": version, "Sub": ""});
            assert!(
                answer["APIs"].as_array().unwrap().contains(&entry),
                "{answer} {entry}"
            );
        }
    }
    let types: Value = client.call("Handshake.Types", &json!({})).await.unwrap();
    assert_eq!(types["Types"]["Instance/0.5.0"], json!(["compute", "disk"]));
    served.stop().await;
}

#[tokio::test]
async fn an_older_plugin_is_greeted_in_its_own_words() {
    let unknown = |what: &str, method: &str| {
        let text = format!("rpc: can't find {what} \"{method}\"");
        json!({"jsonrpc": "2.0", "error": {"code": -32000, "message": text, "data": null}, "id": 1})
    };
    let apis = json!({"result": {"APIs": [{"Name": "Instance", "Version": "0.5.0"}]}});
    let types = json!({"result": {"Types": {"Instance/0.5.0": ["compute"]}}});
    let method = unknown("method", "Handshake.Hello");
    let service = unknown("service", "Handshake.Hello");
    let without_types = unknown("method", "Handshake.Types");
    for (script, names) in [
        (vec![method.clone(), apis.clone(), types], vec!["compute"]),
        (vec![method, apis.clone(), without_types.clone()], vec!["."]),
        (
            vec![service.clone(), service, apis, without_types],
            vec!["."],
        ),
    ] {
        let answers = script
            .iter()
            .map(|body| Scripted::answer(&body.to_string()))
            .collect();
        let peer = Scripted::start(answers);
        let hello = client(peer.socket()).hello().await.unwrap();
        assert_eq!(hello.names(version::INSTANCE), names);
        assert!(hello.has(version::INSTANCE) && !hello.has(version::FLAVOR));
    }
}

#[tokio::test]
async fn connecting_says_what_is_wrong() {
    let served = Served::start(plugin());
    let directory = served.directory();
    let reach = async |name: &str, interface| {
        let result = connect(&directory, &name.into(), interface, Limits::default()).await;
        result.map(|_| ()).map_err(|error| {
            assert_eq!(error.delivery(), Delivery::NotDelivered);
            error.message().to_owned()
        })
    };
    reach("plugin/compute", version::INSTANCE).await.unwrap();
    assert_eq!(
        reach("plugin", version::FLAVOR).await.unwrap_err(),
        "Plugin does not support interface Flavor/0.1.1"
    );
    let missing = reach("nope/x", version::FLAVOR).await.unwrap_err();
    assert_eq!(missing, "plugin not found:nope/x");
    let stale = directory.path().join("stale");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    assert_eq!(
        reach("stale", version::FLAVOR).await.unwrap_err(),
        format!(
            "Post \"http://h\": dial unix {}: connect: connection refused",
            stale.display()
        )
    );
    served.stop().await;
}

#[tokio::test]
async fn older_metadata_is_asked_for_its_list() {
    let unknown =
        r#"{"error":{"code":-32000,"message":"rpc: can't find method \"Metadata.Keys\""}}"#;
    let answers = [unknown, r#"{"result":{"Nodes":["a"]}}"#, unknown, unknown];
    let peer = Scripted::start(answers.map(Scripted::answer).to_vec());
    let metadata = MetadataClient::new(client(peer.socket()), "m");
    assert_eq!(
        metadata.keys(".").await.unwrap(),
        Some(vec!["a".to_owned()])
    );
    let error = metadata.keys(".").await.unwrap_err();
    assert_eq!(error.message(), "rpc: can't find method \"Metadata.Keys\"");
}
