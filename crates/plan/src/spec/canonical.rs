//! The canonical form of a spec, field by field.
//!
//! The original's fields are always there, in its order. A field that the original lacks is there
//! only when it says something, so that an old spec looks as it always did.

use infrakit_spi::{Any, GoDuration, LogicalId, PluginName, wire_struct};

use super::health::REPAIR_WAIT;
use super::updating::{ON_FAILURE, ORDERS};
use super::{
    HealthPolicy, LossPolicy, OnFailure, PluginPart, Share, Skip, Spec, Stage, Updating, Window,
};

/// Returns the canonical form.
fn of(spec: &Spec) -> Any {
    let allocation = spec.allocation();
    let canonical = wire::Properties {
        instance: part(&spec.instance),
        flavor: part(&spec.flavor),
        allocation: wire::Allocation {
            size: allocation.size,
            logical_ids: allocation.logical_ids,
            max_instances: spec.max_instances,
        },
        updating: updating(&spec.updating),
        health: spec.health.given.then(|| health(&spec.health)),
        losses: (spec.losses != LossPolicy::default()).then(|| losses(&spec.losses)),
    };
    Any::from_value(&canonical).expect("these structs have only string keys")
}

fn part(part: &PluginPart) -> wire::Part {
    wire::Part {
        plugin: part.plugin.clone(),
        properties: part.properties.clone(),
    }
}

fn updating(updating: &Updating) -> wire::Updating {
    wire::Updating {
        duration: GoDuration(updating.duration),
        count: updating.count,
        skip: updating
            .skip_before_instance_destroy
            .map(|Skip::Drain| "drain".to_owned()),
        max_unavailable: updating.max_unavailable.map(Share::canonical),
        max_surge: updating.max_surge.map(Share::canonical),
        order: updating.order.map(|order| name(ORDERS, order)),
        batch: updating.batch.map(Share::canonical),
        stages: updating.stages.iter().map(stage).collect(),
        progress_deadline: updating.progress_deadline.map(GoDuration),
        failure_threshold: updating.failure_threshold.map(Share::canonical),
        on_failure: (updating.on_failure != OnFailure::default())
            .then(|| name(ON_FAILURE, updating.on_failure)),
        windows: updating.windows.iter().map(window).collect(),
    }
}

fn name<T: Copy + PartialEq>(names: &[(&str, T)], wanted: T) -> String {
    names
        .iter()
        .find(|(_, value)| *value == wanted)
        .map(|(name, _)| (*name).to_owned())
        .unwrap_or_default()
}

fn stage(stage: &Stage) -> wire::Stage {
    wire::Stage {
        until: Some(stage.until.canonical()),
        bake: (!stage.bake.is_zero()).then_some(GoDuration(stage.bake)),
        approve: stage.approve.then_some(true),
    }
}

fn window(window: &Window) -> wire::Window {
    wire::Window {
        cron: window.cron().to_owned(),
        duration: GoDuration(window.duration()),
        time_zone: window.time_zone().map(str::to_owned),
    }
}

fn health(health: &HealthPolicy) -> wire::Health {
    wire::Health {
        grace_period: GoDuration(health.grace_period),
        threshold: health.threshold,
        interval: health.interval.map(GoDuration),
        window: (health.window != health.threshold).then_some(health.window),
        max_unhealthy: health.max_unhealthy.map(Share::canonical),
        repair: health.repair.clone(),
        repair_wait: (health.repair_wait != REPAIR_WAIT).then_some(GoDuration(health.repair_wait)),
    }
}

fn losses(losses: &LossPolicy) -> wire::Losses {
    wire::Losses {
        at_once: losses.at_once.map(Share::canonical),
        confirm_after: losses.confirm_after.map(GoDuration),
        silent_after: losses.silent_after.map(GoDuration),
    }
}

impl Spec {
    /// Returns the properties in canonical form: every field of the original, in its order, and of
    /// the others those that say something.
    #[must_use]
    pub fn canonical(&self) -> Any {
        of(self)
    }
}

impl LossPolicy {
    /// Returns what is said, by the names that a spec has for it.
    #[must_use]
    pub fn canonical(&self) -> Any {
        Any::from_value(&losses(self)).expect("this struct has only string keys")
    }
}

/// The structs that are written.
mod wire {
    use super::{Any, GoDuration, LogicalId, PluginName, wire_struct};

    wire_struct! {
        pub(super) struct Part {
            pub(super) plugin: PluginName => "Plugin",
            pub(super) properties: Option<Any> => "Properties",
        }
    }
    wire_struct! {
        pub(super) struct Allocation {
            pub(super) size: u64 => "Size",
            pub(super) logical_ids: Option<Vec<LogicalId>> => "LogicalIDs",
            pub(super) max_instances: Option<u64> => "MaxInstances" omit,
        }
    }
    wire_struct! {
        pub(super) struct Stage {
            pub(super) until: Option<Any> => "Until",
            pub(super) bake: Option<GoDuration> => "Bake" omit,
            pub(super) approve: Option<bool> => "Approve" omit,
        }
    }
    wire_struct! {
        pub(super) struct Window {
            pub(super) cron: String => "Cron",
            pub(super) duration: GoDuration => "Duration",
            pub(super) time_zone: Option<String> => "TimeZone" omit,
        }
    }
    wire_struct! {
        pub(super) struct Updating {
            pub(super) duration: GoDuration => "Duration",
            pub(super) count: u32 => "Count",
            pub(super) skip: Option<String> => "SkipBeforeInstanceDestroy",
            pub(super) max_unavailable: Option<Any> => "MaxUnavailable" omit,
            pub(super) max_surge: Option<Any> => "MaxSurge" omit,
            pub(super) order: Option<String> => "Order" omit,
            pub(super) batch: Option<Any> => "Batch" omit,
            pub(super) stages: Vec<Stage> => "Stages" omit,
            pub(super) progress_deadline: Option<GoDuration> => "ProgressDeadline" omit,
            pub(super) failure_threshold: Option<Any> => "FailureThreshold" omit,
            pub(super) on_failure: Option<String> => "OnFailure" omit,
            pub(super) windows: Vec<Window> => "Windows" omit,
        }
    }
    wire_struct! {
        pub(super) struct Health {
            pub(super) grace_period: GoDuration => "GracePeriod",
            pub(super) threshold: u32 => "Threshold",
            pub(super) interval: Option<GoDuration> => "Interval" omit,
            pub(super) window: Option<u32> => "Window" omit,
            pub(super) max_unhealthy: Option<Any> => "MaxUnhealthy" omit,
            pub(super) repair: Vec<String> => "Repair" omit,
            pub(super) repair_wait: Option<GoDuration> => "RepairWait" omit,
        }
    }
    wire_struct! {
        pub(super) struct Losses {
            pub(super) at_once: Option<Any> => "AtOnce" omit,
            pub(super) confirm_after: Option<GoDuration> => "ConfirmAfter" omit,
            pub(super) silent_after: Option<GoDuration> => "SilentAfter" omit,
        }
    }
    wire_struct! {
        pub(super) struct Properties {
            pub(super) instance: Part => "Instance",
            pub(super) flavor: Part => "Flavor",
            pub(super) allocation: Allocation => "Allocation",
            pub(super) updating: Updating => "Updating",
            pub(super) health: Option<Health> => "Health" omit,
            pub(super) losses: Option<Losses> => "Losses" omit,
        }
    }
}
