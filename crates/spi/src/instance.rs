//! Instance plugins: what creates, lists and destroys resources.

use std::collections::BTreeSet;
use std::pin::Pin;

use async_trait::async_trait;
use futures_core::Stream;

use crate::behaviour::Behaviour;
pub use crate::lifecycle::Lifecycle;
use crate::{Any, Error, InstanceId, LogicalId, Result, Tags, wire_struct};

wire_struct! {
    /// What an instance is to be made from.
    #[derive(PartialEq)]
    pub struct InstanceSpec {
        /// The plugin's own configuration.
        pub properties: Option<Any> => "Properties",
        /// Tags to put on the instance.
        pub tags: Option<Tags> => "Tags",
        /// Script to run at first boot.
        pub init: String => "Init",
        /// Identity of a pet.
        pub logical_id: Option<LogicalId> => "LogicalID",
        /// Things to attach, such as volumes.
        pub attachments: Option<Vec<Attachment>> => "Attachments",
    }
}

wire_struct! {
    /// A thing to attach to an instance.
    #[derive(PartialEq, Eq)]
    pub struct Attachment {
        /// Id of the thing, known to the plugin.
        pub id: String => "ID",
        /// Its type, known to the plugin.
        pub kind: String => "Type",
    }
}

wire_struct! {
    /// An instance as its plugin sees it.
    #[derive(PartialEq)]
    pub struct Description {
        /// Id given by the plugin.
        pub id: InstanceId => "ID",
        /// Identity of a pet.
        pub logical_id: Option<LogicalId> => "LogicalID",
        /// Tags on the instance.
        pub tags: Option<Tags> => "Tags",
        /// Details, where they were asked for.
        pub properties: Option<Any> => "Properties" omit,
        /// Where the instance is in its life, where the plugin can tell.
        pub state: Lifecycle => "State" omit,
    }
}

wire_struct! {
    /// Why an instance is destroyed.
    #[derive(PartialEq, Eq)]
    pub struct Context {
        /// `rolling_update`, `terminate`, or empty when not said.
        pub reason: String => "Reason",
    }
}

impl Context {
    /// A member gives way to one of the new configuration.
    #[must_use]
    pub fn rolling_update() -> Self {
        Self {
            reason: "rolling_update".to_owned(),
        }
    }

    /// A member is no longer wanted.
    #[must_use]
    pub fn terminate() -> Self {
        Self {
            reason: "terminate".to_owned(),
        }
    }
}

/// How much a list is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Ids and tags.
    Tags,
    /// Properties as well.
    Properties,
}

/// Where a plugin runs, which decides what a lost answer can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locality {
    /// In this process: calls cannot outlive it, and a list shows every finished call.
    InProcess,
    /// Elsewhere: a call may take effect after its caller stopped waiting, or died.
    Remote,
}

/// A fingerprint of a list, for asking whether anything changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u64; 2]);

/// Answer to "what has changed since this fingerprint?".
#[derive(Clone, Debug)]
pub enum Listing {
    /// The list is the one that the fingerprint was taken of.
    Unchanged,
    /// The list, and its fingerprint where the plugin can give one.
    Changed(Vec<Description>, Option<Fingerprint>),
    /// A list of some domains: what is elsewhere it neither shows nor denies.
    Part(Vec<Description>, Domains, Option<Fingerprint>),
}

/// Names of domains: zones, hosts, racks.
pub type Domains = BTreeSet<String>;

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The instances on it.
    pub descriptions: Vec<Description>,
    /// What asks for the page behind it; empty on the last one.
    pub next: String,
    /// The domains that the list covers; all of them where nothing is said.
    pub covers: Option<Domains>,
}

/// What became of a step of repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repaired {
    /// The step was taken; a health check will show whether it helped.
    Done,
    /// The plugin does not have this step, or repairs nothing at all.
    NotOffered,
}

/// A plugin for instances.
#[async_trait]
pub trait Instance: Send + Sync {
    /// Checks the plugin's own configuration.
    async fn validate(&self, properties: Option<&Any>) -> Result<()>;

    /// Creates an instance and returns its id.
    async fn provision(&self, spec: &InstanceSpec) -> Result<InstanceId>;

    /// Puts `labels` on an instance, keeping its other tags.
    async fn label(&self, id: &InstanceId, labels: &Tags) -> Result<()>;

    /// Destroys an instance.
    async fn destroy(&self, id: &InstanceId, context: &Context) -> Result<()>;

    /// Takes a step that may heal an instance without replacing it, such as `reboot`. It is the
    /// same instance afterwards.
    async fn repair(&self, _id: &InstanceId, _step: &str) -> Result<Repaired> {
        Ok(Repaired::NotOffered)
    }

    /// Lists the instances that carry all of `tags`.
    async fn describe(&self, tags: &Tags, detail: Detail) -> Result<Vec<Description>>;

    /// Lists as [`describe`](Self::describe) does, unless nothing changed since `seen`.
    async fn describe_since(
        &self,
        tags: &Tags,
        detail: Detail,
        _seen: Option<Fingerprint>,
    ) -> Result<Listing> {
        Ok(Listing::Changed(self.describe(tags, detail).await?, None))
    }

    /// Returns a page of a list: the first one for an empty `page`, another one for what the page
    /// before it named as the next. Plugins that declare how many instances a page has implement it;
    /// all others have one page.
    async fn describe_page(&self, tags: &Tags, detail: Detail, page: &str) -> Result<Page> {
        if !page.is_empty() {
            return Err(Error::refused(format!("there is no page `{page}`")));
        }
        let (descriptions, covers) = match self.describe_since(tags, detail, None).await? {
            Listing::Changed(list, _) => (list, None),
            Listing::Part(list, covers, _) => (list, Some(covers)),
            Listing::Unchanged => {
                return Err(Error::refused("nothing was seen, so nothing is unchanged"));
            }
        };
        Ok(Page {
            descriptions,
            next: String::new(),
            covers,
        })
    }

    /// Returns how the provider behaves, as far as the plugin declares it. Nothing is declared by
    /// default, which is safe and slow.
    async fn behaviour(&self) -> Result<Option<Behaviour>> {
        Ok(None)
    }

    /// Returns where the plugin runs.
    fn locality(&self) -> Locality {
        Locality::InProcess
    }

    /// Returns a stream with an item whenever the list may have changed, for a plugin that can
    /// tell. An item only says "look again"; several changes may come as one.
    fn changes(&self) -> Option<Pin<Box<dyn Stream<Item = ()> + Send>>> {
        None
    }

    /// Returns an example of the properties, shown in the plugin's own description.
    fn example(&self) -> Option<Any> {
        None
    }
}

/// Parameters and results of the methods, as they travel.
pub mod wire {
    use super::{Context, Description, Domains, InstanceSpec};
    use crate::behaviour::Behaviour;
    use crate::{Any, InstanceId, Tags, wire_struct};

    wire_struct! {
        /// Parameters of `Instance.Validate`.
        pub struct ValidateRequest {
            /// Subtype.
            pub kind: String => "Type",
            /// Properties to check.
            pub properties: Option<Any> => "Properties",
        }
    }
    wire_struct! {
        /// Result of methods that only succeed.
        pub struct Done {
            /// Subtype of the request.
            pub kind: String => "Type",
            /// Always true.
            pub ok: bool => "OK",
        }
    }
    wire_struct! {
        /// Parameters of `Instance.Provision`.
        pub struct ProvisionRequest {
            /// Subtype.
            pub kind: String => "Type",
            /// What to make.
            pub spec: InstanceSpec => "Spec",
        }
    }
    wire_struct! {
        /// Result of `Instance.Provision`.
        pub struct ProvisionResponse {
            /// Subtype of the request.
            pub kind: String => "Type",
            /// Id of the new instance.
            pub id: Option<InstanceId> => "ID",
        }
    }
    wire_struct! {
        /// Parameters of `Instance.Label`.
        pub struct LabelRequest {
            /// Subtype.
            pub kind: String => "Type",
            /// Instance to label.
            pub instance: InstanceId => "Instance",
            /// Labels to put on it.
            pub labels: Option<Tags> => "Labels",
        }
    }
    wire_struct! {
        /// Parameters of `Instance.Destroy`.
        pub struct DestroyRequest {
            /// Subtype.
            pub kind: String => "Type",
            /// Instance to destroy.
            pub instance: InstanceId => "Instance",
            /// Why.
            pub context: Context => "Context",
        }
    }
    wire_struct! {
        /// Parameters of `Instance.Repair`; peers that repair nothing do not know the method.
        pub struct RepairRequest {
            /// Subtype.
            pub kind: String => "Type",
            /// Instance to repair.
            pub instance: InstanceId => "Instance",
            /// The step, such as `reboot`.
            pub step: String => "Step",
        }
    }
    wire_struct! {
        /// Parameters of `Instance.Behaviour`; peers that declare nothing do not know the method.
        pub struct BehaviourRequest {
            /// Subtype.
            pub kind: String => "Type",
        }
    }
    wire_struct! {
        /// Result of `Instance.Behaviour`.
        pub struct BehaviourResponse {
            /// Subtype of the request.
            pub kind: String => "Type",
            /// What is declared.
            pub behaviour: Option<Behaviour> => "Behaviour",
        }
    }
    wire_struct! {
        /// Parameters of `Instance.DescribeInstances`.
        pub struct DescribeRequest {
            /// Subtype.
            pub kind: String => "Type",
            /// Tags that every listed instance carries.
            pub tags: Option<Tags> => "Tags",
            /// Whether properties are asked for.
            pub properties: bool => "Properties",
            /// The page that is asked for, empty for the first one. Sent only to peers that declared
            /// that they list in pages; who gets none lists everything at once.
            pub page: Option<String> => "Page" omit,
        }
    }
    wire_struct! {
        /// Result of `Instance.DescribeInstances`.
        pub struct DescribeResponse {
            /// Subtype of the request.
            pub kind: String => "Type",
            /// The instances.
            pub descriptions: Option<Vec<Description>> => "Descriptions",
            /// What asks for the next page, where there is one.
            pub next: String => "Next" omit,
            /// The domains that the list covers, where it does not cover everything.
            pub covers: Option<Domains> => "Covers" omit,
        }
    }
}
