//! How far a rollout is: in a few lines, or followed to its end.

use std::time::Duration;

use infrakit_spi::rollout::{RolloutState, RolloutStatus, Rollouts as _};
use infrakit_spi::{Delivery, GroupId};
use tokio::time::Instant;

use super::ask::{explain_rollouts, rollouts};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::out::{Format, table};
use crate::progress::FollowArgs;
use crate::target::Target;

/// How long a controller that is followed may be away.
const RESTART: Duration = Duration::from_secs(15);

/// Prints how far a rollout is, or follows it to its end.
pub(super) async fn status(
    context: &Context,
    target: &Target,
    id: &GroupId,
    (follow, format): (&FollowArgs, Format),
) -> Result {
    let first = ask(target, id).await?;
    if follow.wanted() {
        return to_the_end(context, target, first, (follow, format)).await;
    }
    if format != Format::Table {
        return context.out.document(&first, format);
    }
    for line in lines(&first, &target.name) {
        context.out.line(&*table::printable(&line))?;
    }
    Ok(())
}

async fn ask(target: &Target, id: &GroupId) -> Result<RolloutStatus> {
    match rollouts(target).status(id).await {
        Ok(status) => Ok(status),
        Err(error) => Err(explain_rollouts(target, id, error).await),
    }
}

/// Asks again after a pause. A controller that restarts meanwhile is waited for.
async fn ask_again(target: &Target, id: &GroupId, follow: &FollowArgs) -> Result<RolloutStatus> {
    let began = Instant::now();
    loop {
        tokio::time::sleep(follow.pause()).await;
        match rollouts(target).status(id).await {
            Ok(status) => return Ok(status),
            Err(error) if error.delivery() == Delivery::Refused || began.elapsed() > RESTART => {
                return Err(explain_rollouts(target, id, error).await);
            }
            Err(_) => {}
        }
    }
}

/// Prints each change until the rollout goes no further.
async fn to_the_end(
    context: &Context,
    target: &Target,
    first: RolloutStatus,
    (follow, format): (&FollowArgs, Format),
) -> Result {
    let started = Instant::now();
    let revision = first.revision;
    let mut before = None;
    let mut status = first;
    loop {
        let now = summary(&status);
        if before.as_ref() != Some(&now) {
            match format {
                Format::Table => context.out.line(&*table::printable(&now))?,
                format => context.out.document(&status, format)?,
            }
            context.out.flush()?;
            before = Some(now);
        }
        if let Some(end) = end(&status, revision, &target.name) {
            return end;
        }
        if follow
            .timeout()
            .is_some_and(|timeout| started.elapsed() >= timeout)
        {
            return Err(CommandError::remote(format!(
                "the rollout of group `{}` is not over after {:.1} s: {}",
                status.group,
                started.elapsed().as_secs_f64(),
                counts(&status)
            ))
            .hint("it goes on by itself"));
        }
        status = ask_again(target, &status.group, follow).await?;
    }
}

/// Returns how following a rollout ends, if it ends here.
fn end(status: &RolloutStatus, followed: u64, target: &str) -> Option<Result> {
    let group = &status.group;
    let failed = |what: &str| {
        let why = if status.message.is_empty() {
            String::new()
        } else {
            format!(": {}", status.message)
        };
        let error = CommandError::remote(format!("the rollout of group `{group}` {what}{why}"));
        Some(Err(error.maybe_hint(next(status, target))))
    };
    match status.state {
        RolloutState::Completed if status.revision == followed => Some(Ok(())),
        RolloutState::Completed => failed(&format!(
            "gave way: revision {} is in force instead of {followed}",
            status.revision
        )),
        RolloutState::Paused => failed("is paused"),
        RolloutState::Aborted => failed("was aborted"),
        RolloutState::Failed => failed("failed"),
        // A group without members has nothing to prove.
        RolloutState::None if status.converged && status.revision == followed => Some(Ok(())),
        // A group that is new, or has another size now: nothing is rolled, but its members have yet
        // to prove themselves.
        RolloutState::None
        | RolloutState::Rolling
        | RolloutState::Baking
        | RolloutState::AwaitingApproval
        | RolloutState::AwaitingWindow
        | RolloutState::RollingBack => None,
    }
}

/// Returns the status on one line.
fn summary(status: &RolloutStatus) -> String {
    format!("{}; {}", standing(status), counts(status))
}

fn standing(status: &RolloutStatus) -> String {
    let RolloutStatus {
        group,
        revision,
        from,
        state,
        stage,
        stages,
        ..
    } = status;
    let mut text = match state {
        RolloutState::None => format!("{group}: nothing to roll, revision {revision} is in force"),
        RolloutState::Completed | RolloutState::Aborted => {
            format!("{group}: {state}, revision {revision} is in force")
        }
        RolloutState::Rolling
        | RolloutState::Baking
        | RolloutState::AwaitingApproval
        | RolloutState::AwaitingWindow
        | RolloutState::Paused
        | RolloutState::RollingBack
        | RolloutState::Failed => match from {
            0 => format!("{group}: {state}, to revision {revision}"),
            _ => format!("{group}: {state}, from revision {from} to {revision}"),
        },
    };
    if *stages > 0 && !state.is_over() {
        text.push_str(&format!(", stage {stage} of {stages}"));
    }
    if !status.paused_by.is_empty() {
        text.push_str(&format!(", paused by {}", status.paused_by));
    }
    text
}

fn counts(status: &RolloutStatus) -> String {
    let RolloutStatus {
        updated,
        ready,
        total,
        outdated,
        failed,
        ..
    } = status;
    let mut text = format!("{updated} of {total} members updated, {ready} of these ready");
    if *outdated > 0 {
        text.push_str(&format!(", {outdated} outdated"));
    }
    if *failed > 0 {
        text.push_str(&format!(", {failed} failed"));
    }
    text
}

/// Returns the status for people.
fn lines(status: &RolloutStatus, target: &str) -> Vec<String> {
    let mut standing = standing(status);
    if !status.since.is_empty() {
        standing.push_str(&format!(", since {}", status.since));
    }
    let mut lines = vec![standing, counts(status)];
    if !status.message.is_empty() {
        lines.push(status.message.clone());
    }
    lines.extend(status.waiting.iter().map(|what| format!("waits: {what}")));
    if !status.held.is_empty() {
        let held: Vec<&str> = status.held.iter().map(|id| id.as_str()).collect();
        lines.push(format!("held: {}", held.join(", ")));
    }
    lines.extend(next(status, target).map(|next| format!("next: {next}")));
    lines
}

/// Returns what a person can do, where it takes one to go on. There is no going back where no former
/// revision is known.
fn next(status: &RolloutStatus, target: &str) -> Option<String> {
    let group = &status.group;
    let say = |verb: &str| format!("`infrakit {target} rollout {verb} {group}`");
    let or_back = |first: String| match status.from {
        0 => first,
        _ => format!("{first} or {}", say("rollback")),
    };
    match status.state {
        RolloutState::AwaitingApproval => Some(or_back(say("approve"))),
        RolloutState::Paused => Some(or_back(say("resume"))),
        RolloutState::Failed if status.from == 0 => Some("another commit".to_owned()),
        RolloutState::Failed => Some(format!("{} or another commit", say("rollback"))),
        RolloutState::Aborted if status.from == 0 => Some("another commit".to_owned()),
        RolloutState::Aborted => Some(format!("another commit, or {}", say("rollback"))),
        RolloutState::None
        | RolloutState::Rolling
        | RolloutState::Baking
        | RolloutState::AwaitingWindow
        | RolloutState::RollingBack
        | RolloutState::Completed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: RolloutState) -> RolloutStatus {
        RolloutStatus {
            group: "cattle".into(),
            revision: 4,
            from: 3,
            state,
            stage: 1,
            stages: 2,
            updated: 5,
            ready: 4,
            total: 100,
            outdated: 95,
            since: "2026-11-25T13:00:00Z".to_owned(),
            ..RolloutStatus::default()
        }
    }

    #[test]
    fn a_status_says_where_it_stands_and_what_to_type_next() {
        let mut waiting = status(RolloutState::AwaitingApproval);
        waiting.waiting = vec!["somebody approves of stage 1".to_owned()];
        waiting.held = vec!["i-9".into(), "i-8".into()];
        waiting.failed = 1;
        assert_eq!(
            lines(&waiting, "group"),
            [
                "cattle: AwaitingApproval, from revision 3 to 4, stage 1 of 2, since 2026-11-25T13:00:00Z",
                "5 of 100 members updated, 4 of these ready, 95 outdated, 1 failed",
                "waits: somebody approves of stage 1",
                "held: i-9, i-8",
                "next: `infrakit group rollout approve cattle` or `infrakit group rollout rollback cattle`",
            ]
        );
        let done = RolloutStatus {
            updated: 100,
            ready: 100,
            outdated: 0,
            ..status(RolloutState::Completed)
        };
        assert_eq!(
            summary(&done),
            "cattle: Completed, revision 4 is in force; 100 of 100 members updated, 100 of these ready"
        );
    }

    /// A group that was freed and committed anew has no revision before.
    #[test]
    fn without_a_former_revision_nobody_is_sent_back_to_it() {
        let new = RolloutStatus {
            from: 0,
            ..status(RolloutState::Paused)
        };
        let said = lines(&new, "group").join("\n");
        assert!(
            said.contains("Paused, to revision 4") && !said.contains("rollback"),
            "{said}"
        );
    }

    #[test]
    fn following_ends_well_only_with_the_revision_that_was_followed() {
        let ended = |state, followed| end(&status(state), followed, "group");
        assert_eq!(ended(RolloutState::Completed, 4), Some(Ok(())));
        assert!(ended(RolloutState::Completed, 3).unwrap().is_err());
        for state in [
            RolloutState::Paused,
            RolloutState::Aborted,
            RolloutState::Failed,
        ] {
            assert!(ended(state, 4).unwrap().unwrap_err().has_hint());
        }
        for state in RolloutState::ALL {
            let goes_on = matches!(
                state,
                RolloutState::None
                    | RolloutState::Rolling
                    | RolloutState::Baking
                    | RolloutState::AwaitingApproval
                    | RolloutState::AwaitingWindow
                    | RolloutState::RollingBack
            );
            assert_eq!(ended(*state, 4).is_none(), goes_on, "{state}");
        }
    }
}
