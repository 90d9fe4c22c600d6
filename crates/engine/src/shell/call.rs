//! Carries a call out: the plugin calls that it is made of, in order, with a deadline.

use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::{Drain, Provision, Reason, Spec, Timestamp};
use infrakit_spi::flavor::{Health, Index};
use infrakit_spi::instance::{Description, InstanceSpec};
use infrakit_spi::{Delivery, Error, GroupId, PluginName, Result};

use crate::core::{Call, CreationAnswer, Event, deadlines};
use crate::shell::resolve::Resolver;

/// How long a call may take.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    /// After this time a creation or destruction is reported as slow, and waited for all the same.
    pub(crate) slow: Duration,
    /// After this time it is given up; what came of it is then unknown.
    pub(crate) limit: Duration,
    /// After this time a health check is given up.
    pub(crate) check: Duration,
}

impl Patience {
    /// Returns the patience for a drain before a destruction. A sick member most often cannot be
    /// drained at all, and the one that is to come in its place waits for it.
    fn for_drain(&self, reason: Reason) -> Self {
        let limit = match reason {
            Reason::Unhealthy => self.check.min(self.limit),
            Reason::Requested
            | Reason::Surplus
            | Reason::Unlisted
            | Reason::Duplicate
            | Reason::Outdated
            | Reason::GroupDestroyed => self.limit,
        };
        Self {
            slow: self.slow.min(limit),
            limit,
            ..*self
        }
    }
}

impl Default for Patience {
    /// 15 s is the original's limit for any call, and from then on one is slow.
    fn default() -> Self {
        Self {
            slow: Duration::from_secs(15),
            limit: deadlines::CALL,
            check: deadlines::CHECK,
        }
    }
}

/// Runs a call to its end and returns what came of it.
pub(crate) async fn run(
    call: Call,
    begun: Timestamp,
    plugins: Arc<Resolver>,
    patience: Patience,
) -> Event {
    match call {
        Call::Provision {
            target,
            number,
            spec,
            provision,
        } => {
            let plugin = spec.instance.plugin.clone();
            let work = create(&plugins, &target.group, &spec, &provision);
            let outcome = patiently(&patience, "creation", &plugin, work).await;
            let outcome = outcome.map(Box::new);
            Event::Provisioned(CreationAnswer {
                target,
                number,
                plugin,
                begun,
                outcome,
            })
        }
        Call::Destroy {
            subject,
            description,
            spec,
            reason,
            drain,
            ..
        } => {
            let outcome = match drain {
                Drain::Skip => Ok(()),
                Drain::Insist | Drain::Try => {
                    // Both calls have all the time that a call may take.
                    let patience = patience.for_drain(reason);
                    let work = drained(&plugins, &spec, &description);
                    patiently(&patience, "drain", &spec.flavor.plugin, work).await
                }
            };
            let outcome = match give_up(outcome, drain, &description) {
                Some(error) => Err(error),
                None => {
                    let plugin = &subject.plugin;
                    let work = destroy(&plugins, plugin, &description, reason);
                    patiently(&patience, "destruction", plugin, work).await
                }
            };
            Event::Destroyed { subject, outcome }
        }
        Call::Drain {
            subject,
            description,
            spec,
        } => {
            let work = drained(&plugins, &spec, &description);
            let outcome = patiently(&patience, "drain", &spec.flavor.plugin, work).await;
            Event::Drained { subject, outcome }
        }
        Call::Repair { subject, step } => {
            let (plugin, id) = (&subject.plugin, &subject.id);
            let work = async { plugins.instance(plugin).await?.repair(id, &step).await };
            let outcome = patiently(&patience, "repair", plugin, work).await;
            Event::Repaired { subject, outcome }
        }
        Call::Label { subject, labels } => {
            let (plugin, id) = (&subject.plugin, &subject.id);
            let work = async { plugins.instance(plugin).await?.label(id, &labels).await };
            let outcome = patiently(&patience, "labelling", plugin, work).await;
            Event::Labelled { subject, outcome }
        }
        Call::Check {
            subject,
            description,
            spec,
        } => {
            let work = check(&plugins, &spec, &description);
            let outcome = match tokio::time::timeout(patience.check, work).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Error::unknown("the flavor does not answer")),
            };
            Event::Checked { subject, outcome }
        }
    }
}

/// Waits for a call, says when it is slow, and gives it up at the limit.
async fn patiently<T>(
    patience: &Patience,
    what: &str,
    plugin: &PluginName,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let mut work = std::pin::pin!(work);
    if let Ok(outcome) = tokio::time::timeout(patience.slow, &mut work).await {
        return outcome;
    }
    tracing::warn!(%plugin, seconds = patience.slow.as_secs(), "a {what} is slow; waiting on");
    let rest = patience.limit.saturating_sub(patience.slow);
    tokio::time::timeout(rest, work).await.unwrap_or_else(|_| {
        let seconds = patience.limit.as_secs();
        Err(Error::unknown(format!(
            "`{plugin}` did not answer within {seconds} s"
        )))
    })
}

async fn create(
    plugins: &Resolver,
    group: &GroupId,
    spec: &Spec,
    provision: &Provision,
) -> Result<Description> {
    let bare = InstanceSpec {
        properties: spec.instance.properties.clone(),
        tags: Some(provision.tags.clone()),
        logical_id: provision.logical_id.clone(),
        ..InstanceSpec::default()
    };
    let flavor = plugins
        .flavor(&spec.flavor.plugin)
        .await
        .map_err(nothing_created)?;
    let index = Index {
        group: group.clone(),
        sequence: provision.sequence,
    };
    let properties = spec.flavor.properties.as_ref();
    let mut prepared = flavor
        .prepare(properties, bare, &spec.allocation(), &index)
        .await
        .map_err(nothing_created)?;
    // Whatever the flavor made of them, these are how the group knows its own.
    let mut tags = prepared.tags.take().unwrap_or_default();
    tags.extend(
        provision
            .tags
            .iter()
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    prepared.tags = Some(tags);
    let instance = plugins.instance(&spec.instance.plugin).await?;
    let id = instance.provision(&prepared).await?;
    Ok(Description {
        id,
        logical_id: prepared.logical_id,
        tags: prepared.tags,
        properties: None,
        ..Description::default()
    })
}

/// Preparing has no effect: however it fails, no instance comes of it. And it is the flavor that says so.
fn nothing_created(error: Error) -> Error {
    let error = match error.delivery() {
        Delivery::Unknown => Error::not_delivered(error.message()),
        Delivery::NotDelivered | Delivery::Refused => error,
    };
    error.of_another()
}

/// Returns why a member is not destroyed after its drain ended like this, if it is not.
fn give_up(outcome: Result<()>, drain: Drain, description: &Description) -> Option<Error> {
    let error = outcome.err()?;
    if drain == Drain::Insist {
        let message = format!("it cannot be drained: {}", error.message());
        return Some(Error::refused(message).of_another());
    }
    tracing::warn!(instance = %description.id, %error, "cannot drain; destroying all the same");
    None
}

async fn destroy(
    plugins: &Resolver,
    plugin: &PluginName,
    description: &Description,
    reason: Reason,
) -> Result<()> {
    let instance = plugins.instance(plugin).await?;
    instance.destroy(&description.id, &reason.context()).await
}

/// Takes the work off an instance.
async fn drained(plugins: &Resolver, spec: &Spec, description: &Description) -> Result<()> {
    let flavor = plugins.flavor(&spec.flavor.plugin).await?;
    flavor
        .drain(spec.flavor.properties.as_ref(), description)
        .await
}

async fn check(plugins: &Resolver, spec: &Spec, description: &Description) -> Result<Health> {
    let flavor = plugins.flavor(&spec.flavor.plugin).await?;
    flavor
        .healthy(spec.flavor.properties.as_ref(), description)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_flavor_says_is_not_the_word_of_the_instance_plugin() {
        let busy = || Error::refused("Rate exceeded").with_retry_after(Duration::from_secs(60));
        for error in [
            busy(),
            Error::unknown("no answer"),
            Error::not_delivered("x"),
        ] {
            let error = nothing_created(error);
            assert!(error.is_of_another() && !error.is_throttled(), "{error}");
            assert_ne!(error.delivery(), Delivery::Unknown);
        }
        let error = give_up(Err(busy()), Drain::Insist, &Description::default()).unwrap();
        assert!(error.is_of_another() && !error.is_throttled(), "{error}");
    }
}
