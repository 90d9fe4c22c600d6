//! Plugins that note what they are asked and answer with something recognisable.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_core::Stream;
use infrakit_spi::controller::{Controller, Operation};
use infrakit_spi::document::{Metadata as DocumentMetadata, Object, Spec};
use infrakit_spi::event::{Event, Events};
use infrakit_spi::flavor::{Allocation, Flavor, Health, Index};
use infrakit_spi::group::{Commit, Group, GroupDescription, GroupSpec};
use infrakit_spi::instance::{Context, Description, Detail, Instance, InstanceSpec, Repaired};
use infrakit_spi::l4::{HealthCheck, L4, Route};
use infrakit_spi::metadata::{Change, Metadata, Proposal, Updatable};
use infrakit_spi::resource::{Resource, ResourceSpec};
use infrakit_spi::rollout::Rollouts;
use infrakit_spi::stack::Stack;
use infrakit_spi::{Any, Error, GroupId, InstanceId, Result, Tags};
use tokio::sync::broadcast;

/// One object for every interface.
#[derive(Clone, Debug)]
pub(crate) struct Fake {
    calls: Arc<Mutex<Vec<String>>>,
    pub(crate) instances: Arc<Mutex<Vec<Description>>>,
    pub(crate) events: broadcast::Sender<Event>,
}

impl Default for Fake {
    fn default() -> Self {
        let (calls, instances) = Default::default();
        Self {
            calls,
            instances,
            events: broadcast::channel(16).0,
        }
    }
}

impl Fake {
    fn note(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }

    /// Takes the notes of calls so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

#[async_trait]
impl Instance for Fake {
    async fn validate(&self, properties: Option<&Any>) -> Result<()> {
        match properties.map(Any::as_str) {
            Some("\"panic\"") => panic!("asked for"),
            Some("\"wait\"") => std::future::pending().await,
            Some("\"bad\"") => Err(Error::refused("bad <properties>")),
            _ => {
                self.note(format!("validate {properties:?}"));
                Ok(())
            }
        }
    }

    async fn provision(&self, spec: &InstanceSpec) -> Result<InstanceId> {
        self.note(format!(
            "provision {}",
            serde_json::to_string(spec).unwrap()
        ));
        Ok("i-1".into())
    }

    async fn label(&self, id: &InstanceId, labels: &Tags) -> Result<()> {
        self.note(format!("label {id} {labels:?}"));
        Ok(())
    }

    async fn destroy(&self, id: &InstanceId, context: &Context) -> Result<()> {
        self.note(format!("destroy {id} {}", context.reason));
        Ok(())
    }

    async fn describe(&self, tags: &Tags, detail: Detail) -> Result<Vec<Description>> {
        self.note(format!("describe {tags:?} {detail:?}"));
        Ok(self.instances.lock().unwrap().clone())
    }

    async fn repair(&self, id: &InstanceId, step: &str) -> Result<Repaired> {
        self.note(format!("repair {id} {step}"));
        Ok(match step {
            "reboot" => Repaired::Done,
            _ => Repaired::NotOffered,
        })
    }

    fn changes(&self) -> Option<Pin<Box<dyn Stream<Item = ()> + Send>>> {
        let receiver = self.events.subscribe();
        let next = |mut receiver: broadcast::Receiver<Event>| async {
            receiver.recv().await.ok()?;
            Some(((), receiver))
        };
        Some(Box::pin(futures_util::stream::unfold(receiver, next)))
    }

    fn example(&self) -> Option<Any> {
        let example = r#"{"exampleBool":true,"exampleInt":1,"exampleString":"a_string"}"#;
        Some(Any::parse(example).unwrap())
    }
}

#[async_trait]
impl Flavor for Fake {
    async fn validate(&self, properties: Option<&Any>, allocation: &Allocation) -> Result<()> {
        self.note(format!("validate {properties:?} {}", allocation.size));
        Ok(())
    }

    async fn prepare(
        &self,
        _properties: Option<&Any>,
        mut spec: InstanceSpec,
        _allocation: &Allocation,
        index: &Index,
    ) -> Result<InstanceSpec> {
        spec.init = format!("{} {}", index.group, index.sequence);
        Ok(spec)
    }

    async fn healthy(&self, _properties: Option<&Any>, instance: &Description) -> Result<Health> {
        Ok(if instance.id.as_str() == "sick" {
            Health::Unhealthy
        } else {
            Health::Healthy
        })
    }

    async fn drain(&self, _properties: Option<&Any>, instance: &Description) -> Result<()> {
        self.note(format!("drain {}", instance.id));
        Ok(())
    }
}

#[async_trait]
impl Group for Fake {
    async fn commit(&self, spec: &GroupSpec, mode: Commit) -> Result<String> {
        Ok(format!("commit {} {mode:?}", spec.id))
    }

    async fn free(&self, id: &GroupId) -> Result<()> {
        self.note(format!("free {id}"));
        Ok(())
    }

    async fn describe(&self, _id: &GroupId) -> Result<GroupDescription> {
        Ok(GroupDescription {
            instances: None,
            converged: true,
            ..GroupDescription::default()
        })
    }

    async fn destroy(&self, id: &GroupId) -> Result<()> {
        self.note(format!("destroy {id}"));
        Ok(())
    }

    async fn inspect(&self) -> Result<Vec<GroupSpec>> {
        Ok(vec![GroupSpec {
            id: "g".into(),
            properties: Any::parse("{\"a\": 1.50}").ok(),
        }])
    }

    async fn destroy_instances(&self, id: &GroupId, instances: &[InstanceId]) -> Result<()> {
        self.note(format!("destroy {id} {instances:?}"));
        Ok(())
    }

    async fn destroy_instances_now(&self, id: &GroupId, instances: &[InstanceId]) -> Result<()> {
        self.note(format!("destroy now {id} {instances:?}"));
        Ok(())
    }

    async fn size(&self, _id: &GroupId) -> Result<u64> {
        Ok(7)
    }

    async fn set_size(&self, id: &GroupId, size: i64) -> Result<()> {
        self.note(format!("size {id} {size}"));
        Ok(())
    }

    fn rollouts(&self) -> Option<&dyn Rollouts> {
        Some(self)
    }
}

#[async_trait]
impl Metadata for Fake {
    async fn keys(&self, path: &str) -> Result<Option<Vec<String>>> {
        Ok((path != "none").then(|| vec![path.to_owned()]))
    }

    async fn get(&self, path: &str) -> Result<Option<Any>> {
        Ok((path != "none").then(|| Any::from_value(path).unwrap()))
    }
}

#[async_trait]
impl Updatable for Fake {
    async fn changes(&self, changes: &[Change]) -> Result<Proposal> {
        let proposed = changes.first().and_then(|change| change.value.clone());
        Ok(Proposal {
            original: None,
            proposed,
            cas: "cas".to_owned(),
        })
    }

    async fn commit(&self, proposed: Option<&Any>, cas: &str) -> Result<()> {
        self.note(format!("commit {proposed:?} {cas}"));
        Ok(())
    }
}

#[async_trait]
impl Controller for Fake {
    async fn plan(&self, operation: Operation, spec: &Spec) -> Result<(Object, Vec<String>)> {
        let state = Any::from_value(&format!("{operation:?}")).ok();
        Ok((Object::new(spec.clone(), state), vec!["step".to_owned()]))
    }

    async fn commit(&self, operation: Operation, spec: &Spec) -> Result<Object> {
        self.note(format!("commit {operation:?}"));
        Ok(Object::new(spec.clone(), None))
    }

    async fn describe(&self, metadata: Option<&DocumentMetadata>) -> Result<Vec<Object>> {
        self.note(format!(
            "describe {:?}",
            metadata.map(|metadata| &metadata.name)
        ));
        Ok(Vec::new())
    }

    async fn free(&self, metadata: Option<&DocumentMetadata>) -> Result<Vec<Object>> {
        self.note(format!(
            "free {:?}",
            metadata.map(|metadata| &metadata.name)
        ));
        Ok(vec![Object::default()])
    }
}

#[async_trait]
impl Stack for Fake {
    async fn is_leader(&self) -> Result<bool> {
        Ok(true)
    }

    async fn leader_location(&self) -> Result<Option<String>> {
        Ok(Some("http://127.0.0.1:1/x".to_owned()))
    }

    async fn specs(&self) -> Result<Vec<Spec>> {
        Ok(vec![Spec {
            kind: "group".to_owned(),
            ..Spec::default()
        }])
    }

    async fn enforce(&self, specs: &[Spec]) -> Result<()> {
        self.note(format!("enforce {}", specs.len()));
        Ok(())
    }

    async fn inspect(&self) -> Result<Vec<Object>> {
        Err(Error::refused("not implemented -- coming soon"))
    }

    async fn terminate(&self, specs: &[Spec]) -> Result<()> {
        self.note(format!("terminate {}", specs.len()));
        Ok(())
    }
}

#[async_trait]
impl Events for Fake {
    async fn list(&self, topic: &str) -> Result<Option<Vec<String>>> {
        Ok(match topic {
            "" => Some(vec!["msec".to_owned(), "hr".to_owned()]),
            "msec" => Some(Vec::new()),
            _ => None,
        })
    }

    fn subscribe(&self, topic: &str) -> Pin<Box<dyn Stream<Item = Event> + Send>> {
        self.note(format!("subscribe {topic}"));
        let receiver = self.events.subscribe();
        Box::pin(futures_util::stream::unfold(
            receiver,
            |mut receiver| async { receiver.recv().await.ok().map(|event| (event, receiver)) },
        ))
    }
}

#[async_trait]
impl L4 for Fake {
    fn name(&self) -> String {
        "lb1".to_owned()
    }

    async fn routes(&self) -> Result<Vec<Route>> {
        Ok(vec![Route {
            port: 80,
            ..Route::default()
        }])
    }

    async fn publish(&self, route: &Route) -> Result<String> {
        Ok(format!("publish {}", route.balancer_protocol))
    }

    async fn unpublish(&self, port: i64) -> Result<String> {
        Ok(format!("unpublish {port}"))
    }

    async fn configure_health_check(&self, check: &HealthCheck) -> Result<String> {
        Ok(format!("check {}", check.interval))
    }

    async fn register(&self, backends: &[InstanceId]) -> Result<String> {
        Ok(format!("register {}", backends.len()))
    }

    async fn deregister(&self, backends: &[InstanceId]) -> Result<String> {
        Ok(format!("deregister {}", backends.len()))
    }

    async fn backends(&self) -> Result<Vec<InstanceId>> {
        Ok(vec!["i-1".into()])
    }
}

#[async_trait]
impl Resource for Fake {
    async fn commit(&self, spec: &ResourceSpec, mode: Commit) -> Result<String> {
        Ok(format!("commit {} {mode:?}", spec.id))
    }

    async fn destroy(&self, spec: &ResourceSpec, mode: Commit) -> Result<String> {
        Ok(format!("destroy {} {mode:?}", spec.id))
    }

    async fn describe(&self, spec: &ResourceSpec) -> Result<String> {
        Ok(format!("describe {}", spec.id))
    }
}
