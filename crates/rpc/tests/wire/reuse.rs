//! Connections that are kept: reused, replaced when they went away, and given up when too old.

use std::sync::Arc;
use std::time::Duration;

use infrakit_rpc::{Address, Client, Fixed, Limits, Plugin, bind};
use infrakit_spi::Delivery;
use infrakit_spi::instance::Instance;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::fakes::Fake;
use crate::hostile_servers::Scripted;
use crate::served::{BOUND, Served, bounded, client};

const ANSWER: &str = r#"{"jsonrpc":"2.0","result":{},"id":1}"#;

async fn call(client: &Client) -> infrakit_spi::Result<Value> {
    bounded(client.call("A.B", &json!({}))).await
}

#[tokio::test]
async fn one_connection_carries_many_calls() {
    let peer = Scripted::start(vec![Scripted::answer(ANSWER); 3]);
    let client = client(peer.socket());
    for _ in 0..3 {
        call(&client).await.unwrap();
    }
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_went_away_is_replaced_without_an_error() {
    let home = tempfile::tempdir().unwrap();
    let plugin = || {
        let object: Arc<dyn Instance> = Arc::new(Fake::default());
        Arc::new(Plugin::new().instance(Fixed::single(object)))
    };
    let client = client(&home.path().join("plugin"));
    for _ in 0..3 {
        let bound = bind(home.path(), "plugin").unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(bound.serve(plugin(), async { drop(stopped.await) }));
        for _ in 0..2 {
            bounded(client.hello()).await.unwrap();
        }
        drop(stop);
        bounded(serving).await.unwrap().unwrap();
        let error = client.hello().await.unwrap_err();
        assert_eq!(error.delivery(), Delivery::NotDelivered, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_a_while() {
    let object: Arc<dyn Instance> = Arc::new(Fake::default());
    let served = Served::start(Plugin::new().instance(Fixed::single(object)));
    let peer = Scripted::start(vec![Scripted::answer(ANSWER); 2]);
    let client = client(peer.socket());
    call(&client).await.unwrap();
    tokio::time::sleep(Duration::from_secs(11)).await;
    bounded(peer.closed()).await;
    call(&client).await.unwrap();
    assert_eq!(peer.connections(), 2);
    served.stop().await;
}

#[tokio::test]
async fn a_call_given_up_closes_its_connection() {
    let peer = Scripted::start(vec![Scripted::silence(), Scripted::answer(ANSWER)]);
    let client = client(peer.socket());
    let deadline = Duration::from_millis(30);
    let error = client
        .call_within::<_, Value>(deadline, "A.B", &json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert!(
        error.message().contains("A.B got no answer from "),
        "{error}"
    );
    bounded(peer.closed()).await;
    call(&client).await.unwrap();
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn calls_side_by_side_do_not_wait_for_each_other() {
    let object: Arc<dyn Instance> = Arc::new(Fake::default());
    let served = Served::start(Plugin::new().instance(Fixed::single(object)));
    let limits = Limits {
        deadline: BOUND,
        ..Limits::default()
    };
    let client = Client::new(Address::Unix(served.socket().to_owned()), limits);
    let mut stuck = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let client = client.clone();
        stuck.spawn(async move {
            let params = json!({"Properties": "wait"});
            client.call::<_, Value>("Instance.Validate", &params).await
        });
    }
    for _ in 0..20 {
        bounded(client.hello()).await.unwrap();
    }
    stuck.shutdown().await;
    bounded(client.hello()).await.unwrap();
}
