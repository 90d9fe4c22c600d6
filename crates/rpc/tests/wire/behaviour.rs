//! How a provider behaves: declared by peers that can, unknown to all others.

use std::sync::Arc;

use async_trait::async_trait;
use infrakit_rpc::kind::InstanceClient;
use infrakit_rpc::{Fixed, Plugin};
use infrakit_spi::behaviour::{Behaviour, IdempotencyKind, Seconds};
use infrakit_spi::instance::{Context, Description, Detail, Instance, InstanceSpec};
use infrakit_spi::{Any, Delivery, Error, InstanceId, Result, Tags};
use serde_json::{Value, json};

use crate::fakes::Fake;
use crate::hostile_servers::Scripted;
use crate::served::{Served, body, client, converse, post};

/// Declares what it is told to.
struct Declaring(Option<Behaviour>);

#[async_trait]
impl Instance for Declaring {
    async fn validate(&self, _properties: Option<&Any>) -> Result<()> {
        Ok(())
    }
    async fn provision(&self, _spec: &InstanceSpec) -> Result<InstanceId> {
        Err(Error::refused("no"))
    }
    async fn label(&self, _id: &InstanceId, _labels: &Tags) -> Result<()> {
        Ok(())
    }
    async fn destroy(&self, _id: &InstanceId, _context: &Context) -> Result<()> {
        Ok(())
    }
    async fn describe(&self, _tags: &Tags, _detail: Detail) -> Result<Vec<Description>> {
        Ok(Vec::new())
    }
    async fn behaviour(&self) -> Result<Option<Behaviour>> {
        Ok(self.0.clone())
    }
}

fn declared() -> Behaviour {
    let mut behaviour = Behaviour::default();
    behaviour.idempotency.kind = IdempotencyKind::Token;
    behaviour.create.give_up = Some(Seconds(90.0));
    behaviour
}

#[tokio::test]
async fn a_declaration_travels_there_and_back() {
    let declaring = Arc::new(Declaring(Some(declared())));
    let served = Served::start(Plugin::new().instance(Fixed::single(declaring as _)));
    let instance = InstanceClient::new(served.client(), "");
    assert_eq!(instance.behaviour().await.unwrap(), Some(declared()));
    let request =
        json!({"jsonrpc": "2.0", "id": 1, "method": "Instance.Behaviour", "params": {"Type": ""}});
    let answer = converse(served.socket(), &post(&request.to_string())).await;
    let answer: Value = serde_json::from_str(&body(&answer)).unwrap();
    assert_eq!(
        answer["result"],
        json!({"Type": "", "Behaviour": {"idempotency": {"kind": "token"}, "create": {"give_up_s": 90}}})
    );
    served.stop().await;
}

#[tokio::test]
async fn whoever_declares_nothing_does_not_know_the_method() {
    let served =
        Served::start(Plugin::new().instance(Fixed::single(Arc::new(Fake::default()) as _)));
    let instance = InstanceClient::new(served.client(), "");
    assert_eq!(instance.behaviour().await.unwrap(), None);
    let request =
        json!({"jsonrpc": "2.0", "id": 1, "method": "Instance.Behaviour", "params": {"Type": ""}});
    let answer = converse(served.socket(), &post(&request.to_string())).await;
    let answer: Value = serde_json::from_str(&body(&answer)).unwrap();
    assert_eq!(
        answer["error"]["message"],
        "rpc: can't find method \"Instance.Behaviour\""
    );
    served.stop().await;
}

async fn declared_by(answer: &str) -> Result<Option<Behaviour>> {
    let plugin = Scripted::start(vec![Scripted::answer(answer)]);
    let instance = InstanceClient::new(client(plugin.socket()), "");
    instance.behaviour().await
}

#[tokio::test]
async fn the_fields_may_stand_beside_the_type() {
    for answer in [
        r#"{"result":{"Type":"x","idempotency":{"kind":"token"},"create":{"give_up_s":90}}}"#,
        r#"{"result":{"Type":"x","behaviour":{"Idempotency":{"Kind":"TOKEN"},"create":{"give_up_s":90.0}}}}"#,
    ] {
        assert_eq!(
            declared_by(answer).await.unwrap(),
            Some(declared()),
            "{answer}"
        );
    }
    for nothing in [
        r#"{"result":{}}"#,
        r#"{"result":{"Type":"x","Behaviour":null}}"#,
    ] {
        assert_eq!(declared_by(nothing).await.unwrap(), None);
    }
}

/// What cannot be read is the plugin's fault, and no reason to look for it anew.
#[tokio::test]
async fn a_declaration_that_cannot_be_read_is_refused() {
    let answer = r#"{"result":{"Behaviour":{"create":{"give_up_s":"long"}}}}"#;
    let error = declared_by(answer).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Refused);
    let message = error.message();
    assert!(message.contains("a number of seconds"), "{message}");
}
