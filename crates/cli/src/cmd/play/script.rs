//! The show without a person: each step is done, and then seen to happen.

use std::time::Duration;

use tokio::time::Instant;

use super::stage::{GROUP, Sight, Stage};
use crate::context::Context;
use crate::error::{CommandError, Result};

/// How long a step may take until it counts as not happening. The whole show has 30 s.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often to look.
const LOOK: Duration = Duration::from_millis(10);

/// Runs the show.
pub(super) async fn run(context: &Context, stage: &Stage) -> Result {
    let show = Show { context, stage };
    let started = Instant::now();
    show.say(&format!("Home: {}", stage.home().display()))?;

    let details = stage.commit(1, 5, false).await?;
    show.say(&format!("Committed {GROUP}: {details}"))?;
    let sight = show
        .until("5 instances are there", |sight| sight.members.len() == 5)
        .await?;
    let old_hash = sight.members[0].hash.clone();

    let stranger = stage.stranger().await?;
    show.say(&format!(
        "Somebody else made {stranger}, which is none of the group's business"
    ))?;

    let victims: Vec<String> = sight
        .members
        .iter()
        .take(2)
        .map(|member| member.id.clone())
        .collect();
    for victim in &victims {
        stage.kill(victim)?;
        show.say(&format!("Removed {victim}"))?;
    }
    let replaced = |sight: &Sight| {
        sight.members.len() == 5
            && sight
                .members
                .iter()
                .all(|member| !victims.contains(&member.id))
    };
    show.until("2 others are in their place", replaced).await?;

    let plan = stage.commit(2, 7, true).await?;
    show.say(&format!("Committing {GROUP} would involve: {plan}"))?;
    show.check(
        plan.contains("rolling update on 5 instances"),
        "the plan names the rolling update",
    )?;
    show.check(
        stage
            .look()
            .await?
            .members
            .iter()
            .all(|member| member.hash == old_hash),
        "pretending changed nothing",
    )?;

    let details = stage.commit(2, 7, false).await?;
    show.say(&format!("Committed {GROUP}: {details}"))?;
    let mut fewest = usize::MAX;
    let updated = |sight: &Sight| {
        fewest = fewest.min(sight.members.len());
        sight.members.len() == 7 && sight.members.iter().all(|member| member.hash != old_hash)
    };
    show.until("7 instances of the new version are there", updated)
        .await?;
    show.check(fewest >= 4, "never more than one was missing on the way")?;

    stage.scale(3).await?;
    show.say("Scaled to 3")?;
    show.until("3 instances are left", |sight| sight.members.len() == 3)
        .await?;
    show.check(stage.exists(&stranger), "the stranger was never touched")?;

    let last: Vec<String> = stage
        .look()
        .await?
        .members
        .into_iter()
        .map(|member| member.id)
        .collect();
    stage.destroy().await?;
    show.say(&format!("Destroy {GROUP} initiated"))?;
    show.gone(&last).await?;
    show.check(stage.exists(&stranger), "the stranger is still there")?;
    show.say(&format!(
        "Every step was seen, in {:.1} s",
        started.elapsed().as_secs_f64()
    ))
}

struct Show<'a> {
    context: &'a Context,
    stage: &'a Stage,
}

impl Show<'_> {
    fn say(&self, text: &str) -> Result {
        self.context.out.line(text)?;
        self.context.out.flush()
    }

    fn check(&self, holds: bool, what: &str) -> Result {
        if !holds {
            return Err(CommandError::internal(format!(
                "this did not happen: {what}"
            )));
        }
        self.say(&format!("  seen: {what}"))
    }

    /// Looks until `done`, and says how long it took.
    async fn until(&self, what: &str, mut done: impl FnMut(&Sight) -> bool) -> Result<Sight> {
        let started = Instant::now();
        loop {
            let sight = self.stage.look().await?;
            if done(&sight) {
                let took = started.elapsed().as_secs_f64();
                self.say(&format!("  seen: {what}, after {took:.2} s"))?;
                return Ok(sight);
            }
            if started.elapsed() > PATIENCE {
                return Err(CommandError::internal(format!(
                    "this did not happen within {} s: {what}; there are {} instances",
                    PATIENCE.as_secs(),
                    sight.members.len()
                )));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the files of instances are gone.
    async fn gone(&self, ids: &[String]) -> Result {
        let started = Instant::now();
        while ids.iter().any(|id| self.stage.exists(id)) {
            if started.elapsed() > PATIENCE {
                return Err(CommandError::internal(
                    "the members of a destroyed group are still there",
                ));
            }
            tokio::time::sleep(LOOK).await;
        }
        self.say(&format!(
            "  seen: all members are gone, after {:.2} s",
            started.elapsed().as_secs_f64()
        ))
    }
}
