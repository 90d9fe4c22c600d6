//! What a plan waits for, in values and in words. It knows nothing of what is done meanwhile.

use std::fmt;

use infrakit_spi::{InstanceId, PluginName};
use serde::{Deserialize, Serialize};

use crate::{CallKind, Timestamp};

/// What a plan waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitingOn {
    /// A complete list of the instances.
    Observation,
    /// Answers to creations under way, or in doubt.
    Creations {
        /// How many.
        count: usize,
    },
    /// Destroyed members that are still there.
    Departures {
        /// How many.
        count: usize,
    },
    /// A new member that has yet to prove itself.
    Health {
        /// The first of them.
        id: InstanceId,
        /// How many there are.
        count: usize,
    },
    /// The end of a pause after failed creations.
    Backoff {
        /// When it ends.
        until: Timestamp,
        /// How many failures came in a row.
        failures: u32,
    },
    /// Members die as soon as they were made; no more are made for now.
    CrashLoop {
        /// When more are tried.
        until: Timestamp,
        /// What is known of the end of the last one.
        last: String,
    },
    /// Too few members are available to take another one out.
    Budget {
        /// Members available.
        available: usize,
        /// Members needed.
        needed: usize,
    },
    /// The member that the controller runs on is outdated or one too many; it is not destroyed.
    SelfMember {
        /// The member.
        id: InstanceId,
    },
    /// Creations stopped after a configuration error, until a commit or `rollout resume`.
    Configuration,
    /// As many calls of a plugin are under way as may be at once; what is left is decided anew when
    /// one of them ends.
    Slots {
        /// The plugin.
        plugin: PluginName,
        /// The kind of call, where the plugin says how many of it are safe.
        kind: Option<CallKind>,
    },
    /// A limit on how often a plugin is called lets no more calls of a kind through for now.
    Governor {
        /// The plugin.
        plugin: PluginName,
        /// The kind of call.
        kind: CallKind,
        /// When it lets the next one through.
        until: Timestamp,
    },
    /// The hard ceiling of instances is reached.
    Ceiling {
        /// The ceiling.
        most: u64,
    },
    /// Too many members are sick at once; nothing is destroyed for its health.
    Breaker {
        /// The domain that they are in; `None` where it is about the whole group.
        domain: Option<String>,
        /// Unhealthy members.
        unhealthy: usize,
        /// How many may be.
        most: usize,
    },
    /// Verdicts contradict themselves in several members: whoever judges health is doubted.
    Doubt {
        /// Members whose verdicts keep changing.
        flapping: usize,
    },
    /// A list lacks many members that nobody asked to go, which is doubted; nothing is made for
    /// them.
    Losses {
        /// How many.
        count: usize,
        /// Since when.
        since: Timestamp,
        /// When a list can be asked for that settles it; `None` where only a person can.
        until: Option<Timestamp>,
    },
    /// A suspect is asked again before it counts as sick.
    Confirmation {
        /// The first suspect.
        id: InstanceId,
    },
    /// A repair step has been done, and the member has some time to get well.
    Repair {
        /// The member.
        id: InstanceId,
        /// The step.
        step: String,
        /// Until when.
        until: Timestamp,
    },
    /// The rollout is paused.
    Paused {
        /// By whom or what.
        by: PausedBy,
    },
    /// A stage of the rollout is complete and has to stand for some time.
    Bake {
        /// The stage, from 1.
        stage: usize,
        /// Until when.
        until: Timestamp,
    },
    /// A stage of the rollout is complete and waits for a person.
    Approval {
        /// The stage, from 1.
        stage: usize,
    },
    /// The rollout waits for its next maintenance window.
    Window {
        /// When it opens, by the clock on the wall; `None` when none is in sight.
        opens: Option<Timestamp>,
    },
    /// The rollout was aborted; members of other configurations stay until the next commit.
    Aborted {
        /// How many there are.
        outdated: usize,
    },
    /// Somebody froze the group: only its health is asked for.
    Frozen {
        /// How far the freeze reaches.
        brake: Brake,
        /// Since when.
        since: Timestamp,
    },
    /// Members that would have to go are held.
    Held {
        /// How many of them are beyond what is specified, beside those of another configuration.
        surplus: usize,
        /// The first of them.
        id: InstanceId,
        /// How many there are.
        count: usize,
    },
}

/// Who or what paused a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PausedBy {
    /// `rollout pause`.
    Operator,
    /// New members failed.
    Failures {
        /// How many did.
        failed: u64,
        /// How many were too many.
        most: u64,
    },
    /// No new member proved itself for too long.
    Deadline,
    /// New members cannot be made from the configuration.
    Configuration {
        /// What the plugin said.
        message: String,
    },
    /// The group is not as it was when the rollout was shown.
    Changed {
        /// What is different.
        what: String,
    },
    /// A rollback failed in its turn.
    Rollback,
}

impl fmt::Display for PausedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("the operator"),
            Self::Failures { failed, most } => {
                write!(
                    f,
                    "failures: {failed} new members failed, {most} are too many"
                )
            }
            Self::Deadline => f.write_str("the progress deadline: no new member proved itself"),
            Self::Configuration { message } => write!(f, "a configuration error: {message}"),
            Self::Changed { what } => write!(f, "a change since the rollout was shown: {what}"),
            Self::Rollback => f.write_str("a rollback that failed, too"),
        }
    }
}

/// How far a freeze reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Brake {
    /// One group.
    Group,
    /// All groups of the controller, those that come later included.
    All,
}

impl fmt::Display for WaitingOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Observation => f.write_str("waiting for a complete list of the instances"),
            Self::Creations { count } => write!(f, "waiting for {count} creations"),
            Self::Departures { count } => write!(f, "waiting for {count} destroyed members to go"),
            Self::Health { id, count } => {
                write!(
                    f,
                    "waiting for the health of {count} new members, first `{id}`"
                )
            }
            Self::Backoff { failures, .. } => {
                write!(f, "pausing after {failures} failed creations in a row")
            }
            Self::CrashLoop { last, .. } => write!(
                f,
                "members die as soon as they were made, so that fewer are made; the last: {last}"
            ),
            Self::Budget { available, needed } => {
                write!(
                    f,
                    "only {available} members are available, {needed} are needed"
                )
            }
            Self::SelfMember { id } => {
                write!(f, "`{id}` would have to go, but the controller runs on it")
            }
            Self::Configuration => f.write_str(
                "creations stopped after a configuration error; commit a correction, or `rollout resume`",
            ),
            Self::Slots { plugin, kind } => {
                let calls = kind.map_or("calls", CallKind::plural);
                write!(f, "as many {calls} of `{plugin}` are under way as may be at once")
            }
            Self::Governor { plugin, kind, .. } => {
                write!(f, "the limit on {} of `{plugin}` is reached", kind.plural())
            }
            Self::Ceiling { most } => write!(f, "the ceiling of {most} instances is reached"),
            Self::Breaker {
                domain,
                unhealthy,
                most,
            } => f.write_str(&breaker(domain.as_deref(), *unhealthy, *most)),
            Self::Losses { count: 0, until, .. } => {
                let proof = proof(*until);
                write!(f, "lists show nobody, of those that were asked to go before neither; {proof}")
            }
            Self::Losses { count: 1, until, .. } => {
                write!(f, "a list lacks a member that nobody asked to go; {}", proof(*until))
            }
            Self::Losses { count, until, .. } => {
                write!(f, "a list lacks {count} members that nobody asked to go; {}", proof(*until))
            }
            Self::Doubt { flapping } => write!(
                f,
                "the health of {flapping} members keeps changing; whoever judges it is doubted"
            ),
            Self::Confirmation { id } => write!(f, "asking again whether `{id}` is sick"),
            Self::Repair { id, step, .. } => {
                write!(f, "waiting whether `{step}` has repaired `{id}`")
            }
            Self::Paused { by } => write!(f, "the rollout is paused by {by}"),
            Self::Bake { stage, .. } => write!(f, "stage {stage} of the rollout has to stand a while"),
            Self::Approval { stage } => {
                write!(f, "stage {stage} of the rollout waits for `rollout approve`")
            }
            Self::Window { opens: Some(_) } => f.write_str("waiting for the next maintenance window"),
            Self::Window { opens: None } => f.write_str("no maintenance window is in sight"),
            Self::Aborted { outdated } => write!(
                f,
                "the rollout was aborted; {outdated} members of other configurations stay until the next commit"
            ),
            Self::Frozen { brake, .. } => f.write_str(match brake {
                Brake::Group => "the group is frozen; nothing is done before it is thawed",
                Brake::All => "all groups are frozen; nothing is done before they are thawed",
            }),
            Self::Held { id, count, .. } => {
                write!(f, "{count} members that would have to go are held, first `{id}`")
            }
        }
    }
}

/// Says that too many members are sick at once, or were and have to be asked again.
fn breaker(domain: Option<&str>, unhealthy: usize, most: usize) -> String {
    let within = domain.map_or_else(String::new, |domain| format!(" in `{domain}`"));
    if unhealthy <= most {
        return format!(
            "too many members{within} were unhealthy at once; nothing is destroyed for that before \
             enough were asked again (now {unhealthy}, {most} may be)"
        );
    }
    let there = if domain.is_some() { " there" } else { "" };
    format!(
        "{unhealthy} members{within} are unhealthy at once, {most} may be; nothing{there} is destroyed"
    )
}

/// Says what else it takes to believe a loss.
fn proof(until: Option<Timestamp>) -> &'static str {
    match until {
        Some(_) => "a second one has to say so, too",
        None => "no list proves a loss there",
    }
}
