//! How far the destruction of a member has come, and what it waits for, in words.

use infrakit_plan::{Departure, Drain, Member, Reason, Step, Timestamp, WaitingOn, drain};

use crate::core::words::{AT_ONCE, Wall, count};
use crate::core::{Group, deadlines};

impl Group {
    /// Says how far the destruction is that most speaks for the wait: one that fails, else the first that was
    /// asked for here, else one that goes without that.
    pub(in crate::core) fn first_leaving(&self, wall: Wall, now: Timestamp) -> Option<String> {
        let leaving = || {
            let leaving = self.seen.leaving();
            leaving.filter_map(|member| Some((member, member.departure?)))
        };
        let fails = |(_, departure): &(&Member, Departure)| matches!(departure.step, Step::Failed(times, _) if times > 0);
        let Some((member, departure)) = leaving().find(fails).or_else(|| leaving().next()) else {
            return self.first_of_others(wall, now);
        };
        Some(format!(
            "`{}` {}",
            member.id,
            self.goes(member, departure, (wall, now))
        ))
    }

    /// Names one that goes though nobody asked it to in this life.
    fn first_of_others(&self, wall: Wall, now: Timestamp) -> Option<String> {
        if let Some(member) = self.seen.leaving().next() {
            let id = &member.id;
            return Some(format!("`{id}` is on its way out by its plugin's word"));
        }
        let mut decided = self.memory.decided.iter();
        let ((_, id), decided) = decided.find(|((plugin, id), _)| {
            let member = self.seen.get_on(plugin, id);
            member.is_some_and(Member::stays)
        })?;
        Some(format!(
            "`{id}` was to go before the controller was started anew, since {}, because {}; it may go yet, and \
             is counted on again when a list shows it for long enough",
            wall.since(decided.begun, now),
            decided.reason
        ))
    }

    /// Says since when a member goes, why, and how far that has come.
    pub(in crate::core) fn goes(
        &self,
        member: &Member,
        departure: Departure,
        (wall, now): (Wall, Timestamp),
    ) -> String {
        format!(
            "goes since {}, because {}; {}",
            wall.since(departure.since, now),
            self.reason(member, departure.reason),
            self.gone_so_far(member, departure, (wall, now))
        )
    }

    fn reason(&self, member: &Member, reason: Reason) -> String {
        if reason == Reason::Requested && self.memory.is_urgent(member) {
            format!("{reason}, {AT_ONCE}")
        } else {
            reason.to_string()
        }
    }

    fn gone_so_far(
        &self,
        member: &Member,
        departure: Departure,
        (wall, now): (Wall, Timestamp),
    ) -> String {
        match departure.step {
            Step::InFlight(at) => self.asked(member, departure.reason, (wall, at)),
            Step::Accepted(at) => format!(
                "its plugin agreed at {}, and a list has yet to show that it is gone",
                wall.moment(at)
            ),
            // A former life decided it, and may have asked for it.
            Step::Failed(0, _) => format!(
                "that was decided before, it may have gone since, and {}",
                self.next_try(member, departure, wall)
            ),
            Step::Failed(times, again) => {
                let error = member.destruction_error.as_deref();
                let error = error.map_or_else(String::new, |error| format!(" with: {error}"));
                let next = if again > now {
                    format!("the next try is at {}", wall.moment(again))
                } else {
                    self.next_try(member, departure, wall)
                };
                format!(
                    "that failed {}{error}; {next}",
                    count(times as usize, "time")
                )
            }
        }
    }

    /// Says who was asked, and until when the flavor has time to drain it.
    fn asked(&self, member: &Member, reason: Reason, (wall, at): (Wall, Timestamp)) -> String {
        let asked = wall.moment(at);
        let spec = self.spec_of(member.hash.as_ref());
        if drain(&spec, reason) == Drain::Skip {
            return format!("its plugin was asked at {asked}");
        }
        // A sick member is given the time of a health check (`Patience::for_drain`).
        let limit = match reason {
            Reason::Unhealthy => deadlines::CHECK,
            Reason::Requested
            | Reason::Surplus
            | Reason::Unlisted
            | Reason::Duplicate
            | Reason::Outdated
            | Reason::GroupDestroyed => deadlines::CALL,
        };
        format!(
            "its flavor `{}` was asked at {asked} to drain it, until {} at most; then `{}` destroys it",
            spec.flavor.plugin,
            wall.moment(at + limit),
            member.plugin,
        )
    }

    /// Says what it takes until a destruction is asked for again that could be by its time.
    fn next_try(&self, member: &Member, departure: Departure, wall: Wall) -> String {
        let holds = |on: &&WaitingOn| {
            matches!(
                on,
                WaitingOn::Budget { .. }
                    | WaitingOn::Governor { .. }
                    | WaitingOn::Slots { .. }
                    | WaitingOn::Frozen { .. }
                    | WaitingOn::Breaker { .. }
            )
        };
        let mut waits = self.waiting.iter().map(|(on, _)| on);
        if member.description.state.is_leaving() {
            "its plugin says that it is on its way out".to_owned()
        } else if let Some(on) = waits.find(holds) {
            format!("the next try has to wait: {}", wall.said(on))
        } else if departure
            .taken
            .is_some_and(|taken| !self.seen.has_shown_since(member, taken))
        {
            "the next try waits for a list that shows it".to_owned()
        } else {
            "the next try is due".to_owned()
        }
    }
}
