//! On which evidence something is waited for.

use infrakit_plan::{Brake, Intent, Labelling, Member, PausedBy, Phase, Timestamp, WaitingOn};
use infrakit_spi::flavor::Health;
use infrakit_spi::{InstanceId, PluginName};

use crate::core::Group;
use crate::core::state::census::Census;
use crate::core::state::group::Said;
use crate::core::state::history::Kind;
use crate::core::words::{Wall, count, names, span};

/// A list is waited for, and there is no more to say of why.
pub(in crate::core) const NOT_SHOWN: &str = "the last list does not show yet what was asked for";

impl Group {
    /// Says what was seen that makes the group wait.
    pub(in crate::core) fn evidence_of(
        &self,
        on: &WaitingOn,
        (wall, now): (Wall, Timestamp),
    ) -> Option<String> {
        match on {
            WaitingOn::Observation => Some(self.not_listed(wall, now)),
            WaitingOn::Creations { .. } => self.creations(wall, now),
            WaitingOn::Departures { .. } => self.first_leaving(wall, now),
            WaitingOn::Health { .. } => self.unproved(wall, now),
            WaitingOn::Budget { .. } => self.not_serving(wall),
            WaitingOn::Backoff { .. } | WaitingOn::Configuration => self.last_failure(),
            WaitingOn::Breaker { .. } => self.unhealthy(wall),
            WaitingOn::Doubt { .. } => {
                let flapping = self.seen.members().filter(|member| member.health.flaps());
                Some(format!("the verdicts of {} keep changing", ids(flapping)))
            }
            WaitingOn::Confirmation { id } => self.verdict_on(id, wall),
            WaitingOn::Repair { id, .. } => self.verdict_on(id, wall),
            WaitingOn::Paused { by } => match by {
                PausedBy::Operator => Some(self.rolled_so_far()),
                PausedBy::Failures { .. } | PausedBy::Deadline | PausedBy::Rollback => self
                    .unhealthy(wall)
                    .or_else(|| self.last_casualty(wall))
                    .or_else(|| self.last_failure())
                    .or_else(|| self.unproved(wall, now))
                    .or_else(|| Some(self.rolled_so_far())),
                // It says itself what it rests on.
                PausedBy::Configuration { .. } | PausedBy::Changed { .. } => None,
            },
            WaitingOn::Bake { .. } | WaitingOn::Window { .. } | WaitingOn::Aborted { .. } => {
                Some(self.rolled_so_far())
            }
            WaitingOn::Approval { stage } => {
                let group = self.id();
                Some(format!(
                    "{}; `infrakit group rollout approve {group}` lets stage {stage} pass",
                    self.rolled_so_far()
                ))
            }
            WaitingOn::Held { .. } => {
                let held = self.memory.held.iter();
                Some(format!("held: {}", names(held)))
            }
            WaitingOn::Ceiling { .. } => {
                let there = count(self.seen.len(), "instance");
                Some(format!("{there} of the group are there"))
            }
            WaitingOn::Frozen { brake, .. } => {
                let what = match brake {
                    Brake::Group => self.id().as_str(),
                    Brake::All => "--all",
                };
                Some(format!("`infrakit thaw {what}` lets it go on"))
            }
            WaitingOn::Losses { until, .. } => Some(self.lacking(*until, wall)),
            // They say themselves what they rest on.
            WaitingOn::SelfMember { .. }
            | WaitingOn::Governor { .. }
            | WaitingOn::Slots { .. }
            | WaitingOn::CrashLoop { .. } => None,
        }
    }

    /// Says who is missing, until when that is doubted, and what ends the doubt.
    fn lacking(&self, until: Option<Timestamp>, wall: Wall) -> String {
        let mut missed = self.seen.doubted_members().peekable();
        let mut said = match missed.peek() {
            Some(_) => format!("missing: {}", ids(missed)),
            None => {
                "the controller was started anew since it knew them, and has no list that names \
                     them"
                    .to_owned()
            }
        };
        let doubted = self.seen.doubted();
        if let Some(domains) = doubted.map(|doubted| doubted.domains)
            && !domains.is_empty()
        {
            said.push_str(&format!(", in {}", names(domains.iter())));
        }
        let group = self.id();
        let settles = match until {
            Some(until) => format!("a list from {} on settles it, or", wall.moment(until)),
            None => "it is settled when a list shows them, or by".to_owned(),
        };
        said.push_str(&format!(
            "; {settles} `infrakit group confirm-loss {group}` if you know that they are gone"
        ));
        said
    }

    /// Says as of when the members are known, if they cannot be listed.
    pub(in crate::core) fn as_of(&self, wall: Wall, now: Timestamp) -> Option<String> {
        let (listed, message) = self.blind()?;
        let listed = wall.since(listed?, now);
        Some(format!(
            "{message}; what is known of the members is of {listed}"
        ))
    }

    fn not_listed(&self, wall: Wall, now: Timestamp) -> String {
        if self.blind().is_some()
            && let Some((at, message)) = &self.unlisted
        {
            return format!("{message}, at {}", wall.since(*at, now));
        }
        let missing = self
            .homes()
            .filter(|home| self.seen.listed_on(home).is_none());
        let missing: Vec<_> = missing.collect();
        if missing.is_empty() {
            if let Some(labels) = self.labels(wall) {
                return labels;
            }
            if let Some(again) = self.shown_again(wall) {
                return again;
            }
            if self.memory.phase == Phase::Destroying && self.seen.may_have_others() {
                return "members that a list lacked lately may be back".to_owned();
            }
            return NOT_SHOWN.to_owned();
        }
        let mut parts = missing.iter().filter_map(|home| self.only_part(home, wall));
        if let Some(part) = parts.next() {
            return part;
        }
        format!("{} did not list its instances yet", names(missing))
    }

    /// Says who may be a member beside those that are.
    pub(in crate::core) fn shown_again(&self, wall: Wall) -> Option<String> {
        let again: Vec<(&InstanceId, Timestamp)> = self.seen.shown_again().collect();
        let until = again.iter().map(|(_, until)| *until).max()?;
        Some(format!(
            "lists show {} as well, which one before lacked; from {} on they are believed",
            names(again.iter().map(|(id, _)| *id)),
            wall.moment(until)
        ))
    }

    /// Says which labels no list shows yet, and until when they are waited for.
    fn labels(&self, wall: Wall) -> Option<String> {
        let pending = self.seen.members().filter(|member| {
            member.is_being_labelled() || matches!(member.labelling, Labelling::Failed(_))
        });
        let pending: Vec<&Member> = pending.collect();
        let first = pending.first()?;
        let plugin = &first.plugin;
        let who = ids(pending.iter().copied());
        let key = (plugin.clone(), first.id.clone());
        let mut said = match (self.labels_in_doubt.get(&key), &first.labelling) {
            (Some((Said::Done, until)), _) => format!(
                "`{plugin}` says that it has labelled {who}, and no list shows that; labels that a list \
                 from {} on lacks are put on again",
                wall.moment(*until)
            ),
            (Some((Said::Nothing, until)), _) => {
                let unusable = self.history.unusable_call((plugin, &first.id), Kind::Label);
                let answer = match unusable {
                    Some(message) => format!(
                        "the answer of `{plugin}` to the labels of {who} cannot be used ({message})"
                    ),
                    None => format!("the answer to the labels of {who} is lost"),
                };
                format!(
                    "{answer}; those that a list from {} on lacks are put on again",
                    wall.moment(*until)
                )
            }
            (None, Labelling::Failed(again)) => format!(
                "labels do not stay on {who}; they are put on again at {}",
                wall.moment(*again)
            ),
            (None, Labelling::UnderWay(_) | Labelling::Nothing) => {
                format!("`{plugin}` was asked to label {who}, and has not answered yet")
            }
        };
        if first.label_failures > 0 {
            let times = count(first.label_failures as usize, "time");
            said.push_str(&format!("; that came to nothing {times}"));
        }
        Some(said)
    }

    /// Says which part of the world the last list of a plugin covers, if it is not everything.
    pub(in crate::core) fn only_part(&self, plugin: &PluginName, wall: Wall) -> Option<String> {
        let covers = self.seen.covered_on(plugin)?;
        let rest = match self.seen.listed_on(plugin) {
            Some(at) => format!("what is elsewhere counts as it was at {}", wall.moment(at)),
            None => "nothing is known of what is elsewhere, so nothing is made; a list that covers everything has no `Covers`".to_owned(),
        };
        let shown = if covers.is_empty() {
            "shows no part of the world".to_owned()
        } else {
            format!("shows only {}", names(covers))
        };
        Some(format!("`{plugin}` {shown}; {rest}"))
    }

    fn creations(&self, wall: Wall, now: Timestamp) -> Option<String> {
        let intents = &self.memory.intents;
        let begun = intents.values().map(|intent| intent.begun).min()?;
        let mut said = format!(
            "the oldest creation was begun at {}",
            wall.since(begun, now)
        );
        let mut doubted: Vec<_> = intents
            .iter()
            .filter_map(|(number, intent)| Some((intent.doubt?.until, *number, intent)))
            .collect();
        doubted.sort_unstable_by_key(|(until, number, _)| (*until, *number));
        if let [(until, number, first), others @ ..] = &doubted[..] {
            said.push_str(&format!(
                ", and {}: it was begun at {}, `{}` may take until {}",
                self.unanswered(*number, first),
                wall.moment(first.begun),
                first.plugin,
                wall.moment(*until),
            ));
            if first.again.times > 0 {
                said.push_str(&format!(", asked again {} times", first.again.times));
            }
            if let Some((last, ..)) = others.last() {
                said.push_str(&format!(
                    ", and {} more until {} at most",
                    others.len(),
                    wall.moment(*last)
                ));
            }
        }
        if let Some(failure) = self.last_failure() {
            said.push_str(&format!("; {failure}"));
        }
        Some(said)
    }

    /// Says why nobody knows what came of a creation that is in doubt.
    fn unanswered(&self, number: u64, intent: &Intent) -> String {
        let (what, plugin) = (creation(number, intent), &intent.plugin);
        match self.history.unusable_creation(number) {
            Some(message) => {
                format!("the answer of `{plugin}` to {what} cannot be used ({message})")
            }
            None => format!("the answer to {what} is lost"),
        }
    }

    fn unproved(&self, wall: Wall, now: Timestamp) -> Option<String> {
        let updating = &self.spec.updating;
        let new = self.seen.members().filter(|member| {
            member.stays() && member.matches(&self.spec.hash) && !member.health.proved(updating)
        });
        let new: Vec<&Member> = new.collect();
        let first = new.first()?;
        let mut said = format!(
            "`{}` is there for {}: {}",
            first.id,
            span(now.since(first.created)),
            wall.verdict(&first.health)
        );
        if updating.count > 1 && first.health.last() == Health::Healthy {
            said.push_str(&format!(", {} are needed", updating.count));
        }
        if !updating.duration.is_zero() && first.health.last() == Health::Healthy {
            said.push_str(&format!(", {} are needed", span(updating.duration)));
        }
        if let [_, others @ ..] = &new[..]
            && !others.is_empty()
        {
            let others = others.iter().map(|member| &member.id);
            said.push_str(&format!("; as yet unproved, too: {}", names(others)));
        }
        Some(said)
    }

    fn not_serving(&self, wall: Wall) -> Option<String> {
        let hash = &self.spec.hash;
        let idle = self.seen.members().filter(|member| {
            let unknown = member.health.last() == Health::Unknown && member.matches(hash);
            let sick = member.health.last() == Health::Unhealthy;
            !member.stays() || member.is_pending() || unknown || sick
        });
        let idle: Vec<&Member> = idle.collect();
        let first = idle.first()?;
        let mut said = format!("not serving: {}", ids(idle.iter().copied()));
        if let Some(departure) = first.departure {
            said.push_str(&format!(
                "; `{}` goes because {}",
                first.id, departure.reason
            ));
        } else {
            said.push_str(&format!(
                "; `{}` was {}",
                first.id,
                wall.verdict(&first.health)
            ));
        }
        Some(said)
    }

    fn last_failure(&self) -> Option<String> {
        let last = self.memory.creation.last();
        (!last.is_empty()).then(|| format!("the last creation failed with: {last}"))
    }

    fn unhealthy(&self, wall: Wall) -> Option<String> {
        let sick = self.seen.members();
        let sick = sick.filter(|member| member.health.last() == Health::Unhealthy);
        let sick: Vec<&Member> = sick.collect();
        let first = sick.first()?;
        Some(format!(
            "unhealthy: {}; `{}` was {}",
            ids(sick.iter().copied()),
            first.id,
            wall.verdict(&first.health)
        ))
    }

    fn verdict_on(&self, id: &InstanceId, wall: Wall) -> Option<String> {
        let member = self.seen.get(id)?;
        Some(format!("`{id}` was {}", wall.verdict(&member.health)))
    }

    fn rolled_so_far(&self) -> String {
        let Census {
            total,
            updated,
            ready,
        } = Census::of(self);
        format!(
            "{updated} of {} have the configuration in force, {ready} of these have proved themselves",
            count(total, "member")
        )
    }
}

fn ids<'a>(members: impl IntoIterator<Item = &'a Member>) -> String {
    names(members.into_iter().map(|member| &member.id))
}

/// Names a creation: by the identity that it makes, or by its number.
pub(in crate::core) fn creation(number: u64, intent: &Intent) -> String {
    match &intent.logical_id {
        Some(id) => format!("the creation of `{id}`"),
        None => format!("creation {number}"),
    }
}
