//! Why a group, or a member, is as it is: in at most three lines.

use infrakit_plan::{ConditionKind, Member, Timestamp, Wait, WaitingOn};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Lifecycle;
use infrakit_spi::rollout::{Deed, Why};
use infrakit_spi::{GroupId, InstanceId};

use crate::core::state::census::Census;
use crate::core::state::unfit::Unfit;
use crate::core::views::evidence::NOT_SHOWN;
use crate::core::words::{Wall, count, names, span};
use crate::core::{Core, Group, Refused};

impl Core {
    /// Says why a group, or one of its members, is as it is.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn why(
        &self,
        id: &GroupId,
        instance: Option<&InstanceId>,
        now: Timestamp,
    ) -> Result<Why, Refused> {
        let wall = self.on_wall();
        let group = match (self.known(id), self.groups.remains(id)) {
            (Ok(group), _) => group,
            (Err(_), Some(remains)) => return Ok(remains.why(instance, (wall, now))),
            (Err(refused), None) => return Err(refused),
        };
        let deeds = group.told_deeds(instance, wall);
        let lines = match instance {
            None => {
                let lines = self.with_faults(group, self.why_group(group, (wall, now)));
                self.with_way_out(group, lines, now)
            }
            Some(instance) => match group.seen.get(instance) {
                Some(member) => {
                    let last = deeds.iter().find(|deed| deed.plugin == member.plugin);
                    self.why_member(group, member, last, now)
                }
                None => {
                    let last = deeds.first().ok_or_else(|| Unfit::NotMember {
                        group: id.clone(),
                        instance: instance.clone(),
                    })?;
                    vec![format!("`{instance}` is not a member any more"), told(last)]
                }
            },
        };
        Ok(Why { lines, deeds })
    }

    fn why_group(&self, group: &Group, (wall, now): (Wall, Timestamp)) -> Vec<String> {
        let mut lines = group.why(wall, now);
        let Some(limits) = self.limits_in_words(group, now) else {
            return lines;
        };
        match lines.get_mut(2) {
            Some(evidence) => *evidence = format!("{limits}; {evidence}"),
            None => lines.push(limits),
        }
        lines
    }

    /// Adds what a person can say where a former plugin of the group keeps it waiting.
    fn with_way_out(&self, group: &Group, mut lines: Vec<String>, now: Timestamp) -> Vec<String> {
        let id = group.id();
        let out_of_reach = self.out_of_reach(id, now);
        if !out_of_reach.is_empty() {
            let left = names(&out_of_reach);
            let way_out = format!("`infrakit group confirm-loss {id}` if nobody is left on {left}");
            add_evidence(&mut lines, way_out);
        }
        lines
    }

    /// Adds what is wrong with what is said of the plugins of a group; it may slow the group down, and
    /// nobody else would tell.
    fn with_faults(&self, group: &Group, mut lines: Vec<String>) -> Vec<String> {
        let fault = group
            .homes()
            .find_map(|home| Some((home, self.behaviours.fault(home)?)));
        if let Some((plugin, fault)) = fault {
            lines.truncate(2);
            lines.push(format!("`{plugin}` {fault}"));
        }
        let part = group
            .homes()
            .find_map(|home| group.only_part(home, self.on_wall()));
        if let Some(part) = part.filter(|part| !lines.iter().any(|line| line.contains(part))) {
            lines.truncate(2);
            lines.push(part);
        }
        if let Some(lack) = self.lists_lack(group, None) {
            match lines.get_mut(2) {
                Some(evidence) if *evidence == NOT_SHOWN => *evidence = lack,
                _ => add_evidence(&mut lines, lack),
            }
        }
        lines
    }

    /// Says which members the last list lacks that may be too young for it: all of them, or this one.
    fn lists_lack(&self, group: &Group, one: Option<&Member>) -> Option<String> {
        let young = group
            .seen
            .too_young_to_miss(|plugin| self.config.lag(plugin));
        let young = young.filter(|(member, _)| one.is_none_or(|one| one.id == member.id));
        let young: Vec<_> = young.collect();
        let until = young.iter().map(|(_, until)| *until).max()?;
        let until = self.on_wall().moment(until);
        let who = match one {
            Some(_) => "it".to_owned(),
            None => names(young.iter().map(|(member, _)| &member.id)),
        };
        Some(format!(
            "the last list lacks {who}, and may be older; one from after {until} tells"
        ))
    }

    fn why_member(
        &self,
        group: &Group,
        member: &Member,
        last: Option<&Deed>,
        now: Timestamp,
    ) -> Vec<String> {
        let last = last.map_or_else(
            || "this controller has done nothing to it since it started".to_owned(),
            told,
        );
        vec![
            self.state(group, member, now),
            health(group, member, (self.on_wall(), now)),
            last,
        ]
    }

    /// Says what a member is, and why it goes or stays.
    fn state(&self, group: &Group, member: &Member, now: Timestamp) -> String {
        let wall = self.on_wall();
        let id = &member.id;
        let own = &self.config.self_logical_id;
        let own = own.is_some() && member.logical_id == *own;
        let mut parts = vec![format!(
            "`{id}` is known since {}",
            wall.moment(member.created)
        )];
        let outdated = !member.matches(&group.spec.hash);
        parts.push(match &member.hash {
            Some(_) if !outdated => format!(
                "has the configuration in force, revision {}",
                group.revision
            ),
            Some(hash) => format!("is outdated: it was made from {}", group.named(hash)),
            None => "is outdated: it carries no hash".to_owned(),
        });
        match &member.description.state {
            Lifecycle::Pending => parts.push("is still coming up by its plugin's word".to_owned()),
            Lifecycle::Gone => parts.push("is gone by its plugin's word".to_owned()),
            Lifecycle::Terminating => {
                parts.push("is on its way out by its plugin's word".to_owned());
            }
            Lifecycle::Stopped => parts.push("does not run by its plugin's word".to_owned()),
            Lifecycle::Broken => {
                parts.push("will never work by its plugin's word".to_owned());
            }
            Lifecycle::Own(word) => parts.push(format!(
                "is `{word}` to its plugin, which is no evidence against it"
            )),
            Lifecycle::Unsaid | Lifecycle::Running => {}
        }
        if own {
            parts.push("is what the controller runs on, so it is never destroyed".to_owned());
        }
        if group.memory.is_held(member) {
            parts.push("is held, so it stays until it is released".to_owned());
        } else if let Some(departure) = member.departure {
            parts.push(group.goes(member, departure, (wall, now)));
        } else if group.memory.is_doomed(member) {
            parts.push("is to go: its destruction was requested".to_owned());
        } else if outdated
            && !own
            && let Some(why) = group.holds_back(wall)
        {
            parts.push(format!("stays for now: {why}"));
        }
        parts.extend(self.lists_lack(group, Some(member)));
        parts.join(", ")
    }
}

/// Adds to the third line, which is the evidence, or says it as that.
fn add_evidence(lines: &mut Vec<String>, said: String) {
    match lines.get_mut(2) {
        Some(evidence) => evidence.push_str(&format!("; {said}")),
        None => lines.push(said),
    }
}

/// Says what is known of a member's health, and what was tried.
fn health(group: &Group, member: &Member, (wall, now): (Wall, Timestamp)) -> String {
    let mut said = wall.verdict(&member.health);
    if let Some(at) = member.health.checked() {
        said.push_str(&format!("; asked {} ago", span(now.since(at))));
    }
    let until = group.spec.health.grace_ends(member.created);
    if member.health.last() == Health::Unhealthy && !member.health.ever_healthy() && now < until {
        let until = wall.moment(until);
        said.push_str(&format!("; that does not count before {until}"));
    }
    if let Some(repair) = group.memory.repairs.0.get(&member.id) {
        let at = wall.moment(repair.at);
        let tried = count(repair.tried, "step");
        said.push_str(&format!("; {tried} of repair tried, the last at {at}"));
    }
    said
}

fn told(deed: &Deed) -> String {
    let Deed {
        at,
        action,
        rule,
        evidence,
        ..
    } = deed;
    let evidence = if evidence.is_empty() {
        String::new()
    } else {
        format!(" ({evidence})")
    };
    format!("{action} at {at}, by the rule {rule}{evidence}")
}

impl Group {
    /// Says what the group waits for, since when, and on which evidence.
    fn why(&self, wall: Wall, now: Timestamp) -> Vec<String> {
        let what: Vec<String> = self.waiting.iter().map(|(on, _)| wall.said(on)).collect();
        if what.is_empty() {
            let lines = std::iter::once(self.all_is_well());
            let lines = lines.chain(self.shown_again(wall));
            return lines.chain(self.as_of(wall, now)).collect();
        }
        let began = self.waiting.iter();
        let began = began.map(|(on, noted)| wall.since(self.began(on, *noted), now));
        let mut began: Vec<String> = began.collect();
        began.dedup();
        let mut lines = vec![what.join("; "), format!("since {}", began.join("; "))];
        let mut evidence: Vec<String> = Vec::new();
        for (on, _) in self.waiting.iter() {
            if let Some(text) = self.evidence_of(on, (wall, now))
                && !evidence.contains(&text)
            {
                evidence.push(text);
            }
        }
        // That it takes too long is said, whatever it is.
        let degraded = self.memory.conditions.get(ConditionKind::Degraded);
        if let Some(degraded) =
            degraded.filter(|degraded| degraded.holds && Wait::explains(&degraded.reason))
        {
            let since = wall.since(degraded.since, now);
            evidence.push(format!(
                "degraded since {since}, {}: {}",
                degraded.reason, degraded.message
            ));
        }
        evidence.extend(self.as_of(wall, now));
        if !evidence.is_empty() {
            lines.push(evidence.join("; "));
        }
        lines
    }

    fn all_is_well(&self) -> String {
        let Census { total, updated, .. } = Census::of(self);
        let members = count(total, "member");
        let revision = self.revision;
        if self.converged {
            return format!(
                "nothing is waited for: {members}, {updated} of them of revision {revision}, as specified"
            );
        }
        format!(
            "nothing is waited for: {members}, revision {revision}; the next plan is being made"
        )
    }

    /// Returns when something began to be waited for. The moments that are written down hold over
    /// a restart.
    pub(in crate::core) fn began(&self, on: &WaitingOn, noted: Timestamp) -> Timestamp {
        let memory = &self.memory;
        let roll = memory.roll.as_ref();
        let written = match on {
            WaitingOn::Paused { .. } => roll
                .and_then(|roll| roll.paused.as_ref())
                .map(|pause| pause.since),
            WaitingOn::Bake { .. } => roll.and_then(|roll| roll.complete),
            WaitingOn::Approval { stage } => {
                let stages = &self.spec.updating.stages;
                let bake = stages.get(stage.saturating_sub(1)).map(|stage| stage.bake);
                let complete = roll.and_then(|roll| roll.complete);
                complete.map(|complete| complete + bake.unwrap_or_default())
            }
            WaitingOn::Breaker { domain: None, .. } => memory.breaker.map(|breaker| breaker.since),
            WaitingOn::Breaker {
                domain: Some(domain),
                ..
            } => {
                let breaker = memory.domain_breakers.get(domain);
                breaker.map(|breaker| breaker.since)
            }
            WaitingOn::Configuration => memory
                .creation
                .stopped(&self.spec.hash)
                .map(|stopped| stopped.since),
            WaitingOn::Aborted { .. } => memory
                .outcomes
                .get(&self.revision)
                .map(|outcome| outcome.at),
            WaitingOn::Frozen { since, .. } | WaitingOn::Losses { since, .. } => Some(*since),
            WaitingOn::Repair { id, .. } => memory.repairs.0.get(id).map(|repair| repair.at),
            WaitingOn::Observation
            | WaitingOn::Creations { .. }
            | WaitingOn::Departures { .. }
            | WaitingOn::Health { .. }
            | WaitingOn::Backoff { .. }
            | WaitingOn::CrashLoop { .. }
            | WaitingOn::Budget { .. }
            | WaitingOn::SelfMember { .. }
            | WaitingOn::Governor { .. }
            | WaitingOn::Slots { .. }
            | WaitingOn::Ceiling { .. }
            | WaitingOn::Doubt { .. }
            | WaitingOn::Confirmation { .. }
            | WaitingOn::Window { .. }
            | WaitingOn::Held { .. } => None,
        };
        written.map_or(noted, |written| written.min(noted))
    }

    /// Says what keeps outdated members from being replaced.
    fn holds_back(&self, wall: Wall) -> Option<String> {
        let rolls = |on: &WaitingOn| match on {
            WaitingOn::Held { .. } | WaitingOn::SelfMember { .. } => false,
            WaitingOn::Observation
            | WaitingOn::Creations { .. }
            | WaitingOn::Departures { .. }
            | WaitingOn::Health { .. }
            | WaitingOn::Backoff { .. }
            | WaitingOn::CrashLoop { .. }
            | WaitingOn::Budget { .. }
            | WaitingOn::Configuration
            | WaitingOn::Governor { .. }
            | WaitingOn::Slots { .. }
            | WaitingOn::Ceiling { .. }
            | WaitingOn::Breaker { .. }
            | WaitingOn::Doubt { .. }
            | WaitingOn::Losses { .. }
            | WaitingOn::Confirmation { .. }
            | WaitingOn::Repair { .. }
            | WaitingOn::Paused { .. }
            | WaitingOn::Bake { .. }
            | WaitingOn::Approval { .. }
            | WaitingOn::Window { .. }
            | WaitingOn::Frozen { .. }
            | WaitingOn::Aborted { .. } => true,
        };
        let mut waits = self.waiting.iter().filter(|(on, _)| rolls(on));
        waits.next().map(|(on, _)| wall.said(on))
    }
}

#[cfg(test)]
mod tests {
    use infrakit_plan::PausedBy;

    use super::*;
    use crate::core::state::waiting::Waiting;

    fn at(second: u64) -> Timestamp {
        Timestamp(1_795_614_260_000_000_000 + second * 1_000_000_000)
    }

    #[test]
    fn what_goes_on_is_waited_for_since_it_began() {
        let mut waiting = Waiting::default();
        let none = infrakit_plan::Waits::new();
        waiting.note(vec![WaitingOn::Creations { count: 3 }], &none, at(0));
        waiting.note(
            vec![WaitingOn::Observation, WaitingOn::Creations { count: 1 }],
            &none,
            at(5),
        );
        let noted: Vec<Timestamp> = waiting.iter().map(|(_, since)| *since).collect();
        assert_eq!(noted, [at(5), at(0)]);
        waiting.note(vec![WaitingOn::Observation], &none, at(6));
        waiting.note(vec![WaitingOn::Creations { count: 1 }], &none, at(7));
        assert_eq!(waiting.iter().next().map(|(_, since)| *since), Some(at(7)));
    }

    #[test]
    fn what_ends_by_itself_says_when() {
        for (on, text) in [
            (
                WaitingOn::Backoff {
                    until: at(9),
                    failures: 3,
                },
                "pausing after 3 failed creations in a row, until 2026-11-25T13:44:29Z",
            ),
            (
                WaitingOn::Bake {
                    stage: 2,
                    until: at(9),
                },
                "stage 2 of the rollout has to stand a while, until 2026-11-25T13:44:29Z",
            ),
            (
                WaitingOn::Window { opens: Some(at(9)) },
                "waiting for the next maintenance window, which opens at 2026-11-25T13:44:29Z",
            ),
            (
                WaitingOn::Window { opens: None },
                "no maintenance window is in sight",
            ),
            (
                WaitingOn::Health {
                    id: "i-1".into(),
                    count: 1,
                },
                "waiting for the health of one new member, `i-1`",
            ),
            (
                WaitingOn::Paused {
                    by: PausedBy::Operator,
                },
                "the rollout is paused by the operator",
            ),
        ] {
            assert_eq!(Wall::default().said(&on), text);
        }
    }
}
