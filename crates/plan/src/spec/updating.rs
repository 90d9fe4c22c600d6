//! `Updating`: how changes are rolled through.

use std::time::Duration;

use infrakit_spi::Any;

use super::{Opening, Share, Window};
use crate::fields::Fields;
use crate::{InvalidSpec, Timestamp};

/// What a rolling update may leave out before it destroys a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The flavor's drain.
    Drain,
}

/// Which comes first when a member is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The new member, beyond the size; the old one leaves when the new one has proved itself.
    SurgeFirst,
    /// The old member's leaving.
    DestroyFirst,
}

/// What is done when a rollout fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// It stops until a person decides.
    #[default]
    Pause,
    /// The former configuration is put back.
    Rollback,
    /// It goes on regardless.
    Continue,
}

/// One step of a rollout: how far it goes, and what must happen before it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// How many members have the new configuration at its end.
    pub until: Share,
    /// How long they must then have been watched.
    pub bake: Duration,
    /// Whether a person must approve before the next stage.
    pub approve: bool,
}

impl Stage {
    /// Returns how many members of a group of this size have the new configuration at its end; at
    /// least one.
    #[must_use]
    pub fn reaches(&self, size: u64) -> u64 {
        self.until.ceil(size).min(size)
    }
}

/// How a rolling update proceeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updating {
    /// How long a new member must be healthy before the next one is replaced.
    pub duration: Duration,
    /// How many checks in a row a new member must pass before the next one is replaced.
    pub count: u32,
    /// What to leave out before a member is destroyed.
    pub skip_before_instance_destroy: Option<Skip>,
    /// How many members may be out of service at once, by whatever we do.
    pub max_unavailable: Option<Share>,
    /// How many members may exist beyond the size.
    pub max_surge: Option<Share>,
    /// Which comes first when a member is replaced.
    pub order: Option<Order>,
    /// How many replacements are begun until all of them have proved themselves.
    pub batch: Option<Share>,
    /// Canary stages, in this order; the rest of the group follows the last one.
    pub stages: Vec<Stage>,
    /// How long a rollout may make no progress before it counts as failed.
    pub progress_deadline: Option<Duration>,
    /// How many new members may fail before the rollout counts as failed.
    pub failure_threshold: Option<Share>,
    /// What is done when it fails.
    pub on_failure: OnFailure,
    /// When replacements may begin; at any time when there are none.
    pub windows: Vec<Window>,
}

impl Updating {
    /// Returns how many members a surge means for a group of this size.
    #[must_use]
    pub fn surge(&self, size: u64) -> u64 {
        self.max_surge.map_or(0, |share| share.ceil(size))
    }

    /// Returns how many members of a group of this size may be out of service at once, as the
    /// budget says; [`Spec::unavailable`](crate::Spec::unavailable) keeps it within reason.
    #[must_use]
    pub fn unavailable(&self, size: u64) -> u64 {
        let least = u64::from(self.surge(size) == 0);
        self.max_unavailable
            .map_or(0, |share| share.floor(size))
            .max(least)
    }

    /// Returns which comes first when a member of a group of this size is replaced, as the budget
    /// says; [`Spec::order`](crate::Spec::order) keeps it within reason.
    #[must_use]
    pub fn order(&self, size: u64) -> Order {
        match self.order {
            _ if self.surge(size) == 0 => Order::DestroyFirst,
            Some(order) => order,
            None => Order::SurgeFirst,
        }
    }

    /// Returns whether replacements may begin at this moment, and when that changes.
    #[must_use]
    pub fn opening(&self, now: Timestamp) -> Opening {
        super::window::opening(&self.windows, now)
    }

    /// Decodes the part.
    pub(super) fn decode(raw: Option<&Any>) -> Result<Self, InvalidSpec> {
        let fields = Fields::of(
            raw,
            "Updating",
            &[
                "Duration",
                "Count",
                "SkipBeforeInstanceDestroy",
                "MaxUnavailable",
                "MaxSurge",
                "Order",
                "Batch",
                "Stages",
                "ProgressDeadline",
                "FailureThreshold",
                "OnFailure",
                "Windows",
            ],
        )?;
        let updating = Self {
            duration: fields.duration("Duration")?.unwrap_or_default(),
            count: fields.get("Count", "a whole number")?.unwrap_or_default(),
            skip_before_instance_destroy: fields
                .choice("SkipBeforeInstanceDestroy", &[("drain", Skip::Drain)])?,
            max_unavailable: fields.share("MaxUnavailable")?,
            max_surge: fields.share("MaxSurge")?,
            order: fields.choice("Order", ORDERS)?,
            batch: fields.share("Batch")?,
            stages: each(&fields, "Stages", stage)?,
            progress_deadline: fields.duration("ProgressDeadline")?,
            failure_threshold: fields.share("FailureThreshold")?,
            on_failure: fields.choice("OnFailure", ON_FAILURE)?.unwrap_or_default(),
            windows: each(&fields, "Windows", Window::decode)?,
        };
        if updating.count > 0 && !updating.duration.is_zero() {
            return Err(InvalidSpec::TwoUpdatings);
        }
        Ok(updating)
    }
}

/// The orders by their names.
pub(super) const ORDERS: &[(&str, Order)] = &[
    ("surge-first", Order::SurgeFirst),
    ("destroy-first", Order::DestroyFirst),
];

/// What can be done when a rollout fails, by its names.
pub(super) const ON_FAILURE: &[(&str, OnFailure)] = &[
    ("pause", OnFailure::Pause),
    ("rollback", OnFailure::Rollback),
    ("continue", OnFailure::Continue),
];

fn each<T>(
    fields: &Fields,
    name: &'static str,
    decode: impl Fn(&Any, String) -> Result<T, InvalidSpec>,
) -> Result<Vec<T>, InvalidSpec> {
    fields
        .list(name)?
        .into_iter()
        .map(|(path, raw)| decode(&raw, path))
        .collect()
}

fn stage(raw: &Any, path: String) -> Result<Stage, InvalidSpec> {
    let fields = Fields::of(Some(raw), path, &["Until", "Bake", "Approve"])?;
    Ok(Stage {
        until: fields.share("Until")?.ok_or_else(|| {
            InvalidSpec::field(
                fields.place("Until"),
                "is needed: a count like 2 or a percentage like \"10%\"",
            )
        })?,
        bake: fields.duration("Bake")?.unwrap_or_default(),
        approve: fields.get("Approve", "true or false")?.unwrap_or_default(),
    })
}
