//! The engine as whoever steers rollouts sees it.

use std::time::Duration;

use async_trait::async_trait;
use infrakit_plan::Spec;
use infrakit_spi::group::{GroupDescription, GroupSpec};
use infrakit_spi::rollout::{
    Command, Condition, Freeze, Hold, Orphan, Preview, RevisionRecord, RolloutStatus, Rollouts,
    Setting, Why,
};
use infrakit_spi::{Error, GroupId, InstanceId, Result};

use crate::api::{Engine, nonce, refused, stopped};
use crate::core::{Core, Refused};

/// How long a rollback waits for a list of the members. It goes on without one: the list only
/// tells which members are there. It is a quarter of what a request may take, so that the rest is
/// left for the rollback itself.
const GLANCE: Duration = Duration::from_secs(3);

#[async_trait]
impl Rollouts for Engine {
    async fn status(&self, id: &GroupId) -> Result<RolloutStatus> {
        let id = id.clone();
        let status = self.ask(move |shell, _| shell.core.rollout_status(&id));
        status.await?.map_err(refused)
    }

    async fn command(&self, id: &GroupId, command: &Command) -> Result<String> {
        if let Command::Rollback { .. } = command {
            let _ = tokio::time::timeout(GLANCE, self.refresh(id)).await;
        }
        let (group, command) = (id.clone(), command.clone());
        self.change(id, move |core, now| core.steer(&group, &command, now))
            .await
    }

    async fn history(&self, id: &GroupId) -> Result<Vec<RevisionRecord>> {
        let id = id.clone();
        let history = self.ask(move |shell, _| shell.core.history(&id));
        history.await?.map_err(refused)
    }

    async fn hold(&self, id: &GroupId, instance: &InstanceId, hold: Hold) -> Result<String> {
        let (group, instance) = (id.clone(), instance.clone());
        self.change(id, move |core, _| core.hold(&group, &instance, hold))
            .await
    }

    async fn freeze(&self, id: Option<&GroupId>, freeze: Freeze) -> Result<String> {
        let Some(id) = id else {
            // No group is of that name, so that this queue is all groups' own.
            let all = GroupId::default();
            return self
                .change(&all, move |core, now| core.freeze_all(freeze, now))
                .await;
        };
        let group = id.clone();
        self.change(id, move |core, now| core.freeze(&group, freeze, now))
            .await
    }

    async fn confirm_loss(&self, id: &GroupId) -> Result<String> {
        let group = id.clone();
        self.change(id, move |core, now| core.confirm_loss(&group, now))
            .await
    }

    async fn why(&self, id: &GroupId, instance: Option<&InstanceId>) -> Result<Why> {
        let (id, instance) = (id.clone(), instance.cloned());
        let why = self.ask(move |shell, now| shell.core.why(&id, instance.as_ref(), now));
        why.await?.map_err(refused)
    }

    async fn preview(&self, spec: &GroupSpec) -> Result<Preview> {
        let parsed = self.looked_at(spec).await?;
        let preview = self.foresee(spec.clone(), parsed).await?;
        self.shown.remember(&spec.id, &preview);
        Ok(preview)
    }

    async fn commit_shown(&self, spec: &GroupSpec, plan: &str) -> Result<String> {
        let parsed = self.looked_at(spec).await?;
        let (engine, raw, plan) = (self.clone(), spec.clone(), plan.to_owned());
        // Once begun it goes on although nobody waits for it any more, as every change does.
        let committing = tokio::spawn(async move {
            let id = raw.id.clone();
            let _place = engine.queues.enter(&id).await;
            let group = id.clone();
            let seen = engine
                .ask(move |shell, _| shell.core.revision(&group))
                .await?;
            let now = engine.foresee(raw.clone(), parsed.clone()).await?;
            if now.plan != plan {
                let refusal = engine.shown.refusal(&raw.id, &plan, &now);
                return Err(Error::refused(refusal));
            }
            let nonce = nonce();
            let commit = move |core: &mut Core, now| {
                if core.revision(&raw.id) != seen {
                    // A failed rollout was rolled back while this was worked out.
                    return Err(Refused::Overtaken(raw.id));
                }
                core.commit(raw, parsed, &nonce, now)
            };
            engine.change_next(&id, commit).await
        });
        committing.await.map_err(|_| stopped())?
    }

    async fn conditions(&self, id: &GroupId) -> Result<Vec<Condition>> {
        let id = id.clone();
        let conditions = self.ask(move |shell, now| shell.core.conditions(&id, now));
        conditions.await?.map_err(refused)
    }

    async fn orphans(&self) -> Result<Vec<Orphan>> {
        self.ask(|shell, _| shell.core.orphans()).await
    }

    async fn settings(&self) -> Result<Vec<Setting>> {
        self.ask(|shell, _| shell.core.settings()).await
    }
}

impl Engine {
    /// Describes a group with its conditions, as of the last list where its members cannot be listed.
    pub(crate) async fn describe_whole(&self, id: &GroupId) -> Result<GroupDescription> {
        let unlisted = self.refresh(id).await.err();
        let group = id.clone();
        let described = self.ask(move |shell, now| {
            let core = &shell.core;
            let mut description = match unlisted {
                None => core.describe(&group)?,
                Some(error) => core.describe_as_listed(&group, error.message())?,
            };
            description.conditions = Some(core.conditions(&group, now)?);
            Ok(description)
        });
        described.await?.map_err(refused)
    }

    /// Checks a spec, and looks at the group: what follows is said of it as it is, not as it was a
    /// poll ago.
    pub(crate) async fn looked_at(&self, spec: &GroupSpec) -> Result<Spec> {
        let parsed = self.validate(spec).await?;
        let id = spec.id.clone();
        if self.ask(move |shell, _| shell.core.knows(&id)).await? {
            self.refresh(&spec.id).await?;
        }
        Ok(parsed)
    }

    /// Works out what a commit would do, aside: a big group must not keep the others waiting.
    async fn foresee(&self, raw: GroupSpec, spec: Spec) -> Result<Preview> {
        let nonce = nonce();
        let outlook = self
            .ask(move |shell, now| shell.core.outlook(&raw, spec, &nonce, now))
            .await?
            .map_err(refused)?;
        let preview = tokio::task::spawn_blocking(move || outlook.preview());
        preview.await.map_err(|_| stopped())
    }
}
