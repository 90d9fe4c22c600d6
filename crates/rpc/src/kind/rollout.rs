//! Rollouts over the wire: the service `Rollout` on the socket of a group plugin.
//!
//! The original has no such service. It goes with the group objects and is not announced: neither
//! the greeting nor `/info` lists it, so that the original's clients see what they always saw.
//! Who calls it on another group controller learns that there is no such service.

use async_trait::async_trait;
use infrakit_spi::group::wire::GroupRequest;
use infrakit_spi::group::{Group, GroupSpec};
use infrakit_spi::rollout::wire::{
    ConditionsResponse, FreezeRequest, HistoryResponse, MemberRequest, OrphansResponse,
    PreviewResponse, RollbackRequest, SaidResponse, SettingsResponse, SpecRequest, StatusResponse,
    WhyResponse,
};
use infrakit_spi::rollout::{
    Command, Condition, Freeze, Hold, Orphan, Preview, RevisionRecord, RolloutStatus, Rollouts,
    Setting, Why,
};
use infrakit_spi::{Error, GroupId, InstanceId, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::GroupClient;
use crate::server::call::{Call, Fault, Reply, reply};
use crate::server::objects::{Objects, by_name};

impl GroupClient {
    async fn rollout<R: DeserializeOwned>(
        &self,
        method: &str,
        request: &(impl Serialize + Sync),
    ) -> Result<R> {
        let answer = self.client.call(method, request).await;
        answer.map_err(|error| self.explained(error))
    }

    fn explained(&self, error: Error) -> Error {
        if !error.is_absent() {
            return error;
        }
        let name = &self.name;
        Error::absent(format!(
            "plugin `{name}` does not know rollouts; it is another group controller than ours"
        ))
    }

    fn about_member(&self, id: &GroupId, instance: Option<&InstanceId>) -> MemberRequest {
        MemberRequest {
            name: self.name.clone(),
            id: id.clone(),
            instance: instance.cloned(),
        }
    }
}

#[async_trait]
impl Rollouts for GroupClient {
    async fn status(&self, id: &GroupId) -> Result<RolloutStatus> {
        let answer: StatusResponse = self.rollout("Rollout.Status", &self.about(id)).await?;
        Ok(answer.status)
    }

    async fn command(&self, id: &GroupId, command: &Command) -> Result<String> {
        let method = match command {
            Command::Pause => "Rollout.Pause",
            Command::Resume => "Rollout.Resume",
            Command::Approve => "Rollout.Approve",
            Command::Abort => "Rollout.Abort",
            Command::Rollback { to } => {
                let request = RollbackRequest {
                    name: self.name.clone(),
                    id: id.clone(),
                    to: *to,
                };
                let said: SaidResponse = self.rollout("Rollout.Rollback", &request).await?;
                return Ok(said.details);
            }
        };
        let said: SaidResponse = self.rollout(method, &self.about(id)).await?;
        Ok(said.details)
    }

    async fn history(&self, id: &GroupId) -> Result<Vec<RevisionRecord>> {
        let answer: HistoryResponse = self.rollout("Rollout.History", &self.about(id)).await?;
        Ok(answer.revisions)
    }

    async fn hold(&self, id: &GroupId, instance: &InstanceId, hold: Hold) -> Result<String> {
        let method = match hold {
            Hold::Set => "Rollout.Hold",
            Hold::Release => "Rollout.Release",
        };
        let request = self.about_member(id, Some(instance));
        let said: SaidResponse = self.rollout(method, &request).await?;
        Ok(said.details)
    }

    async fn freeze(&self, id: Option<&GroupId>, freeze: Freeze) -> Result<String> {
        let method = match freeze {
            Freeze::Set => "Rollout.Freeze",
            Freeze::Thaw => "Rollout.Thaw",
        };
        // Earlier controllers take no name for all groups.
        if id.is_some_and(|id| id.as_str().is_empty()) {
            return Err(no_group());
        }
        let request = FreezeRequest {
            name: self.name.clone(),
            id: id.cloned().unwrap_or_default(),
            all: id.is_none(),
        };
        let said: SaidResponse = self.rollout(method, &request).await?;
        Ok(said.details)
    }

    async fn confirm_loss(&self, id: &GroupId) -> Result<String> {
        let about = self.about(id);
        let said: SaidResponse = self.rollout("Rollout.ConfirmLoss", &about).await?;
        Ok(said.details)
    }

    async fn why(&self, id: &GroupId, instance: Option<&InstanceId>) -> Result<Why> {
        let request = self.about_member(id, instance);
        let answer: WhyResponse = self.rollout("Rollout.Why", &request).await?;
        Ok(answer.why)
    }

    async fn preview(&self, spec: &GroupSpec) -> Result<Preview> {
        let request = SpecRequest {
            name: self.name.clone(),
            spec: spec.clone(),
            plan: String::new(),
        };
        let answer: PreviewResponse = self.rollout("Rollout.Preview", &request).await?;
        Ok(answer.preview)
    }

    async fn commit_shown(&self, spec: &GroupSpec, plan: &str) -> Result<String> {
        let request = SpecRequest {
            name: self.name.clone(),
            spec: spec.clone(),
            plan: plan.to_owned(),
        };
        let said: SaidResponse = self.rollout("Rollout.Commit", &request).await?;
        Ok(said.details)
    }

    async fn conditions(&self, id: &GroupId) -> Result<Vec<Condition>> {
        let answer: ConditionsResponse =
            self.rollout("Rollout.Conditions", &self.about(id)).await?;
        Ok(answer.conditions)
    }

    async fn orphans(&self) -> Result<Vec<Orphan>> {
        let request = self.about(&GroupId::default());
        let answer: OrphansResponse = self.rollout("Rollout.Orphans", &request).await?;
        Ok(answer.orphans)
    }

    async fn settings(&self) -> Result<Vec<Setting>> {
        let request = self.about(&GroupId::default());
        let answer: SettingsResponse = self.rollout("Rollout.Settings", &request).await?;
        Ok(answer.settings)
    }
}

pub(crate) async fn serve(objects: &dyn Objects<dyn Group>, call: Call<'_>) -> Reply {
    match call.method {
        "Status" => {
            let GroupRequest { name, id } = call.params()?;
            let group = by_name(objects, &name)?;
            let status = rollouts(&*group)?.status(&id).await?;
            reply(&StatusResponse { name, id, status })
        }
        "Pause" => command(objects, call, Command::Pause).await,
        "Resume" => command(objects, call, Command::Resume).await,
        "Approve" => command(objects, call, Command::Approve).await,
        "Abort" => command(objects, call, Command::Abort).await,
        "Rollback" => {
            let RollbackRequest { name, id, to } = call.params()?;
            let group = by_name(objects, &name)?;
            let rollback = Command::Rollback { to };
            let details = rollouts(&*group)?.command(&id, &rollback).await?;
            reply(&SaidResponse { name, id, details })
        }
        "History" => {
            let GroupRequest { name, id } = call.params()?;
            let group = by_name(objects, &name)?;
            let revisions = rollouts(&*group)?.history(&id).await?;
            reply(&HistoryResponse {
                name,
                id,
                revisions,
            })
        }
        "ConfirmLoss" => {
            let GroupRequest { name, id } = call.params()?;
            let group = by_name(objects, &name)?;
            let details = rollouts(&*group)?.confirm_loss(&id).await?;
            reply(&SaidResponse { name, id, details })
        }
        "Hold" => hold(objects, call, Hold::Set).await,
        "Release" => hold(objects, call, Hold::Release).await,
        "Freeze" => freeze(objects, call, Freeze::Set).await,
        "Thaw" => freeze(objects, call, Freeze::Thaw).await,
        "Why" => {
            let MemberRequest { name, id, instance } = call.params()?;
            let instance = instance.filter(|instance| !instance.as_str().is_empty());
            let group = by_name(objects, &name)?;
            let why = rollouts(&*group)?.why(&id, instance.as_ref()).await?;
            reply(&WhyResponse { name, id, why })
        }
        "Preview" => {
            let SpecRequest { name, spec, .. } = call.params()?;
            let group = by_name(objects, &name)?;
            let preview = rollouts(&*group)?.preview(&spec).await?;
            reply(&PreviewResponse {
                name,
                id: spec.id,
                preview,
            })
        }
        "Commit" => {
            let SpecRequest { name, spec, plan } = call.params()?;
            let group = by_name(objects, &name)?;
            let rollouts = rollouts(&*group)?;
            if plan.is_empty() {
                return Err(Error::refused("the commit names no plan").into());
            }
            let details = rollouts.commit_shown(&spec, &plan).await?;
            reply(&SaidResponse {
                name,
                id: spec.id,
                details,
            })
        }
        "Conditions" => {
            let GroupRequest { name, id } = call.params()?;
            let group = by_name(objects, &name)?;
            let conditions = rollouts(&*group)?.conditions(&id).await?;
            reply(&ConditionsResponse {
                name,
                id,
                conditions,
            })
        }
        "Orphans" => {
            let GroupRequest { name, .. } = call.params()?;
            let group = by_name(objects, &name)?;
            let orphans = rollouts(&*group)?.orphans().await?;
            reply(&OrphansResponse { name, orphans })
        }
        "Settings" => {
            let GroupRequest { name, .. } = call.params()?;
            let group = by_name(objects, &name)?;
            let settings = rollouts(&*group)?.settings().await?;
            reply(&SettingsResponse { name, settings })
        }
        _ => Err(Fault::NoMethod),
    }
}

async fn command(objects: &dyn Objects<dyn Group>, call: Call<'_>, command: Command) -> Reply {
    let GroupRequest { name, id } = call.params()?;
    let group = by_name(objects, &name)?;
    let details = rollouts(&*group)?.command(&id, &command).await?;
    reply(&SaidResponse { name, id, details })
}

async fn hold(objects: &dyn Objects<dyn Group>, call: Call<'_>, hold: Hold) -> Reply {
    let MemberRequest { name, id, instance } = call.params()?;
    let group = by_name(objects, &name)?;
    let rollouts = rollouts(&*group)?;
    let instance = instance
        .filter(|instance| !instance.as_str().is_empty())
        .ok_or_else(|| Error::refused("the request names no instance"))?;
    let details = rollouts.hold(&id, &instance, hold).await?;
    reply(&SaidResponse { name, id, details })
}

async fn freeze(objects: &dyn Objects<dyn Group>, call: Call<'_>, freeze: Freeze) -> Reply {
    let FreezeRequest { name, id, all } = call.params()?;
    let group = by_name(objects, &name)?;
    let rollouts = rollouts(&*group)?;
    if all != id.as_str().is_empty() {
        return Err(no_group().into());
    }
    let details = rollouts.freeze((!all).then_some(&id), freeze).await?;
    reply(&SaidResponse { name, id, details })
}

/// Who sends no name may have lost one: all groups have to be asked for.
fn no_group() -> Error {
    Error::refused("the request has to name a group in `ID`, or all of them by `All: true`")
}

/// Returns the rollouts of a group controller; one that has none has no such service.
fn rollouts(group: &dyn Group) -> std::result::Result<&dyn Rollouts, Fault> {
    group.rollouts().ok_or(Fault::NoService)
}
