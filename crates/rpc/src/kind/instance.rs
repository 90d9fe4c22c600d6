//! Instance plugins over the wire.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_core::Stream;
use futures_util::StreamExt as _;
use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::event::Events as _;
use infrakit_spi::event::wire::{ListRequest, ListResponse};
use infrakit_spi::instance::wire::{
    BehaviourRequest, BehaviourResponse, DescribeRequest, DescribeResponse, DestroyRequest, Done,
    LabelRequest, ProvisionRequest, ProvisionResponse, RepairRequest, ValidateRequest,
};
use infrakit_spi::instance::{
    Context, Description, Detail, Domains, Fingerprint, Instance, InstanceSpec, Listing, Locality,
    Page, Repaired,
};
use infrakit_spi::{Any, Error, InstanceId, Result, Tags};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::fingerprint::fingerprint;
use crate::kind::changes::TOPIC;
use crate::kind::events::EventsClient;
use crate::kind::list::{DESCRIBE, List};
use crate::kind::pages;
use crate::method::{Method, method};
use crate::server::call::{Call, Fault, Reply, reply};
use crate::server::objects::{Objects, by_type};

/// An instance plugin in another process.
#[derive(Clone, Debug)]
pub struct InstanceClient {
    client: Client,
    kind: String,
    /// The topic on which the plugin tells of changes, where it does.
    topic: Option<String>,
    /// Whether the plugin declared that it lists in pages.
    pages: Arc<AtomicBool>,
}

impl InstanceClient {
    /// Makes a client of the instance type `kind`; empty for a plugin without types.
    pub fn new(client: Client, kind: impl Into<String>) -> Self {
        Self {
            client,
            kind: kind.into(),
            topic: None,
            pages: Arc::default(),
        }
    }

    /// Finds out whether the plugin tells of changes of its list. It need not announce that.
    ///
    /// What it answers is not needed for anything else: a plugin that does not is polled.
    #[must_use = "the client that listens is returned"]
    pub async fn listening(mut self) -> Self {
        let request = ListRequest {
            topic: self.kind.clone(),
        };
        let client = self.client.brief();
        let answer = client.call_within(HEARING, "Event.List", &request).await;
        let topics = answer.ok().and_then(|answer: ListResponse| answer.nodes);
        if topics.is_some_and(|topics| topics.iter().any(|topic| topic == TOPIC)) {
            self.topic = Some(match self.kind.as_str() {
                "" => TOPIC.to_owned(),
                kind => format!("{kind}/{TOPIC}"),
            });
        }
        self
    }

    /// Calls a method that creates or destroys.
    async fn effect<R: DeserializeOwned>(
        &self,
        method: &str,
        request: &(impl Serialize + Sync),
    ) -> Result<R> {
        let limits = self.client.limits();
        let deadline = limits.effect.unwrap_or(limits.deadline);
        let client = self.client.brief();
        client.call_within(deadline, method, request).await
    }

    fn request(&self, tags: &Tags, detail: Detail) -> DescribeRequest {
        let pages = self.pages.load(Ordering::Relaxed);
        DescribeRequest {
            kind: self.kind.clone(),
            tags: Some(tags.clone()),
            properties: matches!(detail, Detail::Properties),
            page: pages.then(String::new),
        }
    }
}

/// How long a plugin has to say how its provider behaves: it knows, and need not ask anybody.
const DECLARING: Duration = Duration::from_secs(5);
/// How long a plugin has to say whether it tells of changes.
const HEARING: Duration = Duration::from_secs(1);

/// Whoever asks for all there is must not take a part for it.
fn part(covers: &Domains) -> Error {
    let covers: Vec<_> = covers.iter().map(String::as_str).collect();
    Error::refused(format!(
        "the list covers only some domains: {}",
        covers.join(", ")
    ))
}

#[async_trait]
impl Instance for InstanceClient {
    async fn validate(&self, properties: Option<&Any>) -> Result<()> {
        let kind = self.kind.clone();
        let request = ValidateRequest {
            kind,
            properties: properties.cloned(),
        };
        self.client
            .brief()
            .call("Instance.Validate", &request)
            .await
            .map(|_: Done| ())
    }

    async fn provision(&self, spec: &InstanceSpec) -> Result<InstanceId> {
        let request = ProvisionRequest {
            kind: self.kind.clone(),
            spec: spec.clone(),
        };
        let response: ProvisionResponse = self.effect("Instance.Provision", &request).await?;
        // It says that it made something, but not what: only a list can tell.
        response
            .id
            .filter(|id| !id.as_str().is_empty())
            .ok_or_else(|| Error::unusable("Instance.Provision: the result has no ID"))
    }

    async fn label(&self, id: &InstanceId, labels: &Tags) -> Result<()> {
        let request = LabelRequest {
            kind: self.kind.clone(),
            instance: id.clone(),
            labels: Some(labels.clone()),
        };
        self.client
            .brief()
            .call("Instance.Label", &request)
            .await
            .map(|_: Done| ())
    }

    async fn destroy(&self, id: &InstanceId, context: &Context) -> Result<()> {
        let request = DestroyRequest {
            kind: self.kind.clone(),
            instance: id.clone(),
            context: context.clone(),
        };
        self.effect("Instance.Destroy", &request)
            .await
            .map(|_: Done| ())
    }

    async fn repair(&self, id: &InstanceId, step: &str) -> Result<Repaired> {
        let request = RepairRequest {
            kind: self.kind.clone(),
            instance: id.clone(),
            step: step.to_owned(),
        };
        match self.effect("Instance.Repair", &request).await {
            Ok(Done { .. }) => Ok(Repaired::Done),
            Err(error) if error.is_absent() => Ok(Repaired::NotOffered),
            Err(error) => Err(error),
        }
    }

    async fn describe(&self, tags: &Tags, detail: Detail) -> Result<Vec<Description>> {
        match self.describe_since(tags, detail, None).await? {
            Listing::Changed(list, _) => Ok(list),
            Listing::Part(_, covers, _) => Err(part(&covers)),
            Listing::Unchanged => Err(Error::refused("nothing was seen, so nothing is unchanged")),
        }
    }

    async fn describe_since(
        &self,
        tags: &Tags,
        detail: Detail,
        seen: Option<Fingerprint>,
    ) -> Result<Listing> {
        let deadline = self.client.limits().deadline;
        let request = self.request(tags, detail);
        if request.page.is_some() {
            let gathered = pages::gather(&self.client, request).await?;
            return Ok(gathered.listing(seen));
        }
        let answer = self.client.ask(deadline, DESCRIBE, &request).await?;
        let now = answer.presumed().map(fingerprint);
        if now.is_some() && now == seen {
            return Ok(Listing::Unchanged);
        }
        let list: List = answer.decode(DESCRIBE)?;
        if !list.next.is_empty() {
            return Err(pages::undeclared());
        }
        Ok(match list.covers {
            Some(covers) => Listing::Part(list.instances, covers, now),
            None => Listing::Changed(list.instances, now),
        })
    }

    /// The answer names its fields either in `Behaviour` or, as briefly, beside the type.
    async fn behaviour(&self) -> Result<Option<Behaviour>> {
        const METHOD: &str = "Instance.Behaviour";
        let request = BehaviourRequest {
            kind: self.kind.clone(),
        };
        let client = self.client.brief();
        let answer: Any = match client.call_within(DECLARING, METHOD, &request).await {
            Ok(answer) => answer,
            Err(error) if error.is_absent() => return Ok(None),
            Err(error) => return Err(error),
        };
        // What was declared came; that it cannot be read is the plugin's fault and not the line's.
        let unreadable = |error| {
            Error::refused(format!(
                "{METHOD}: it declares what cannot be read: {error}"
            ))
        };
        let response: BehaviourResponse = answer.decode().map_err(unreadable)?;
        let declared = match response.behaviour {
            Some(declared) => declared,
            None => answer.decode().map_err(unreadable)?,
        };
        let pages = declared.list.page.is_some();
        self.pages.store(pages, Ordering::Relaxed);
        Ok((!declared.is_undeclared()).then_some(declared))
    }

    fn locality(&self) -> Locality {
        Locality::Remote
    }

    /// Connects when first polled; the first item says that it is connected. Ends when the plugin
    /// does.
    fn changes(&self) -> Option<Pin<Box<dyn Stream<Item = ()> + Send>>> {
        let topic = self.topic.as_ref()?;
        let events = EventsClient::new(self.client.clone()).subscribe(topic);
        Some(events.map(drop).boxed())
    }
}

pub(crate) async fn serve(objects: &dyn Objects<dyn Instance>, call: Call<'_>) -> Reply {
    match call.method {
        "Validate" => {
            let request: ValidateRequest = call.params()?;
            let instance = by_type(objects, &request.kind)?;
            instance.validate(request.properties.as_ref()).await?;
            done(request.kind)
        }
        "Provision" => {
            let request: ProvisionRequest = call.params()?;
            let id = by_type(objects, &request.kind)?
                .provision(&request.spec)
                .await?;
            reply(&ProvisionResponse {
                kind: request.kind,
                id: Some(id),
            })
        }
        "Label" => {
            let request: LabelRequest = call.params()?;
            let instance = by_type(objects, &request.kind)?;
            instance
                .label(&request.instance, &request.labels.unwrap_or_default())
                .await?;
            done(request.kind)
        }
        "Destroy" => {
            let request: DestroyRequest = call.params()?;
            let instance = by_type(objects, &request.kind)?;
            instance
                .destroy(&request.instance, &request.context)
                .await?;
            done(request.kind)
        }
        "Repair" => {
            let request: RepairRequest = call.params()?;
            let instance = by_type(objects, &request.kind)?;
            match instance.repair(&request.instance, &request.step).await? {
                Repaired::Done => done(request.kind),
                // As a plugin answers that has never heard of repair.
                Repaired::NotOffered => Err(Fault::NoMethod),
            }
        }
        "Behaviour" => {
            let request: BehaviourRequest = call.params()?;
            let instance = by_type(objects, &request.kind)?;
            match instance.behaviour().await? {
                Some(behaviour) => reply(&BehaviourResponse {
                    kind: request.kind,
                    behaviour: Some(behaviour),
                }),
                // As a plugin answers that has never heard of it.
                None => Err(Fault::NoMethod),
            }
        }
        "DescribeInstances" => {
            let request: DescribeRequest = call.params()?;
            let instance = by_type(objects, &request.kind)?;
            let detail = if request.properties {
                Detail::Properties
            } else {
                Detail::Tags
            };
            let tags = request.tags.unwrap_or_default();
            let page = match request.page {
                Some(page) => instance.describe_page(&tags, detail, &page).await?,
                None => everything(instance.as_ref(), &tags, detail).await?,
            };
            reply(&DescribeResponse {
                kind: request.kind,
                descriptions: Some(page.descriptions),
                next: page.next,
                covers: page.covers,
            })
        }
        _ => Err(Fault::NoMethod),
    }
}

/// Lists everything at once, for peers that know of no pages.
async fn everything(instance: &dyn Instance, tags: &Tags, detail: Detail) -> Result<Page> {
    let (descriptions, covers) = match instance.describe_since(tags, detail, None).await? {
        Listing::Changed(list, _) => (list, None),
        Listing::Part(list, covers, _) => (list, Some(covers)),
        Listing::Unchanged => (instance.describe(tags, detail).await?, None),
    };
    Ok(Page {
        descriptions,
        next: String::new(),
        covers,
    })
}

pub(super) fn done(kind: String) -> Reply {
    reply(&Done { kind, ok: true })
}

pub(crate) fn methods(example: Option<&Any>) -> Vec<Method> {
    let done = Done::default();
    let mut provision = ProvisionRequest::default();
    provision.spec.properties = example.cloned();
    let validate = ValidateRequest {
        properties: example.cloned(),
        ..Default::default()
    };
    vec![
        method(
            DESCRIBE,
            &DescribeRequest::default(),
            &DescribeResponse::default(),
        ),
        method("Instance.Destroy", &DestroyRequest::default(), &done),
        method("Instance.Label", &LabelRequest::default(), &done),
        method(
            "Instance.Provision",
            &provision,
            &ProvisionResponse::default(),
        ),
        method("Instance.Validate", &validate, &done),
    ]
}
