//! Asking a group plugin: which group is meant, and what an answer that is an error means.

use infrakit_rpc::kind::GroupClient;
use infrakit_spi::group::{GroupSpec, wire};
use infrakit_spi::{Error, GroupId, suggest, version};

use crate::error::{CommandError, Result};
use crate::target::Target;

/// Returns the group that a command is about: implied by the object, or the first of `words`,
/// which is then taken off.
pub(super) fn the_group(target: &Target, words: &mut Vec<String>) -> Result<GroupId> {
    if let Some(id) = target.implied_group() {
        // `group/workers scale workers 3` names it twice; that is no reason to refuse.
        if words.first().is_some_and(|word| word == id.as_str()) {
            words.remove(0);
        }
        return Ok(id);
    }
    if words.is_empty() {
        return Err(CommandError::user("which group? its id is missing")
            .hint(format!("`infrakit {} groups` lists them", target.name)));
    }
    let id = words.remove(0);
    // As of `"$GROUP"` where the variable is not set.
    if id.is_empty() {
        return Err(CommandError::user("which group? its id is empty"));
    }
    Ok(GroupId::from(id))
}

pub(super) fn request(target: &Target, id: &GroupId) -> wire::GroupRequest {
    wire::GroupRequest {
        name: target.wire_name(version::GROUP),
        id: id.clone(),
    }
}

/// Returns the specs of all groups, sorted by id.
pub(crate) async fn specs(target: &Target) -> Result<Vec<GroupSpec>> {
    let answer: wire::InspectResponse = target
        .call("Group.InspectGroups", &request(target, &GroupId::default()))
        .await?;
    let mut groups = answer.groups.unwrap_or_default();
    groups.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(groups)
}

/// Adds to an error about an unknown group which groups there are.
pub(super) async fn explain(target: &Target, id: &GroupId, error: CommandError) -> CommandError {
    let unknown = ["not being watched", "not found"]
        .iter()
        .any(|part| error.message().contains(part));
    if !unknown || error.has_hint() {
        return error;
    }
    // Only a hint is lost when this second question fails.
    let groups = specs(target).await.unwrap_or_default();
    let names = groups.iter().map(|group| group.id.as_str());
    let hint = match suggest(id.as_str(), names) {
        Some(close) if close != id.as_str() => format!("did you mean `{close}`?"),
        _ if groups.is_empty() => format!(
            "there are no groups; commit one with `infrakit {} commit FILE`",
            target.name
        ),
        _ => {
            let names: Vec<&str> = groups.iter().map(|group| group.id.as_str()).collect();
            format!("there are {}", names.join(", "))
        }
    };
    error.hint(hint)
}

/// Returns what the group plugin knows of rollouts.
pub(super) fn rollouts(target: &Target) -> GroupClient {
    GroupClient::new(target.client().clone(), target.wire_name(version::GROUP))
}

/// Says of a failed call about rollouts what can be done.
pub(super) async fn explain_rollouts(target: &Target, id: &GroupId, error: Error) -> CommandError {
    if error.is_absent() {
        return CommandError::remote(error.message())
            .hint("`infrakit plugin start group` starts one that does");
    }
    explain(target, id, target.failed("the call", &error)).await
}

/// Calls a method on one group.
pub(super) async fn on_group<R: serde::de::DeserializeOwned>(
    target: &Target,
    method: &str,
    id: &GroupId,
) -> Result<R> {
    match target.call(method, &request(target, id)).await {
        Ok(answer) => Ok(answer),
        Err(error) => Err(explain(target, id, error).await),
    }
}
