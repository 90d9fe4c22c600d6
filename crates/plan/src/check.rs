//! Invariants of every plan. Tests and the simulator check each plan against them; a plan that
//! breaks one is a bug of the planner, never of its input.

use std::collections::BTreeSet;

use crate::ledger::budget::{Bounds, number};
use crate::{Action, Asked, CallKind, Config, Observed, Plan, Reason, Size, Spec};

/// Returns the invariants that `plan` breaks, each in a sentence; none for a sound plan.
#[must_use]
pub fn violations(spec: &Spec, seen: &Observed, plan: &Plan, config: &Config) -> Vec<String> {
    let mut broken = Vec::new();
    if seen.listed().is_none() && !plan.actions.is_empty() {
        broken.push("something is done before a complete list was seen".to_owned());
    }
    each_deed_has_its_right(plan, &mut broken);
    no_more_is_begun_than_plugins_take(plan, config, &mut broken);
    members_are_handled_once(seen, plan, &mut broken);
    the_controllers_machine_stays(seen, plan, config, &mut broken);
    replacements_keep_to_the_budget(spec, seen, plan, &mut broken);
    the_group_never_outgrows_size_and_surge(spec, seen, plan, &mut broken);
    healthy_matching_members_go_only_for_a_reason(spec, seen, plan, &mut broken);
    identities_are_unique(spec, seen, plan, &mut broken);
    service_is_kept_up(spec, seen, plan, &mut broken);
    doing_nothing_has_a_reason(plan, &mut broken);
    broken
}

/// Returns the replacements that this plan decides; what a former life of the controller decided, or
/// an earlier plan, was drawn from the budget then.
fn replacements<'a>(
    seen: &'a Observed,
    plan: &'a Plan,
) -> impl Iterator<Item = &'a infrakit_spi::InstanceId> {
    destroys(plan)
        .filter(|(_, reason)| matches!(reason, Reason::Outdated | Reason::Unhealthy))
        .map(|(id, _)| id)
        .filter(|id| seen.get(id).is_some_and(crate::Member::stays))
        .filter(|id| !plan.memory.decided.keys().any(|(_, known)| known == *id))
}

fn destroys(plan: &Plan) -> impl Iterator<Item = (&infrakit_spi::InstanceId, Reason)> {
    plan.actions.iter().filter_map(|action| match action {
        Action::Destroy { id, reason, .. } => Some((id, *reason)),
        Action::Provision(_)
        | Action::Spare { .. }
        | Action::Drain { .. }
        | Action::Repair { .. }
        | Action::Adopt { .. }
        | Action::Check { .. }
        | Action::Revert { .. } => None,
    })
}

fn creations(plan: &Plan) -> impl Iterator<Item = &crate::Provision> {
    plan.actions.iter().filter_map(|action| match action {
        // What is asked for again was counted when it was asked for first.
        Action::Provision(provision) => (provision.asked == Asked::First).then_some(provision),
        Action::Destroy { .. }
        | Action::Spare { .. }
        | Action::Drain { .. }
        | Action::Repair { .. }
        | Action::Adopt { .. }
        | Action::Check { .. }
        | Action::Revert { .. } => None,
    })
}

fn each_deed_has_its_right(plan: &Plan, broken: &mut Vec<String>) {
    for action in plan.actions.iter().filter(|one| !one.has_leave()) {
        broken.push(format!("{action:?} has the right to something else"));
    }
}

fn no_more_is_begun_than_plugins_take(plan: &Plan, config: &Config, broken: &mut Vec<String>) {
    let mut left = config.allowance.clone();
    for action in &plan.actions {
        let (plugin, kind) = match action {
            Action::Provision(one) => {
                let intent = plan.memory.intents.get(&one.token.number());
                let Some(intent) = intent else { continue };
                (&intent.plugin, CallKind::Create)
            }
            Action::Destroy { plugin, .. } => (plugin, CallKind::Destroy),
            Action::Drain { plugin, .. } | Action::Repair { plugin, .. } => {
                (plugin, CallKind::Other)
            }
            Action::Adopt { plugin, .. } => (plugin, CallKind::Label),
            Action::Spare { .. } | Action::Check { .. } | Action::Revert { .. } => continue,
        };
        if let Err(scarce) = left.draw(plugin, kind) {
            broken.push(format!(
                "more calls of `{plugin}` are begun than it takes: {scarce:?}"
            ));
        }
    }
}

fn members_are_handled_once(seen: &Observed, plan: &Plan, broken: &mut Vec<String>) {
    let mut handled = BTreeSet::new();
    for (id, _) in destroys(plan) {
        if !handled.insert(id) {
            broken.push(format!("`{id}` is destroyed twice"));
        }
        if seen.get(id).is_none() {
            broken.push(format!("`{id}` is destroyed and is no member"));
        }
    }
    for action in &plan.actions {
        if let Action::Adopt { id, .. } = action
            && !handled.insert(id)
        {
            broken.push(format!("`{id}` is both adopted and destroyed"));
        }
    }
}

fn the_controllers_machine_stays(
    seen: &Observed,
    plan: &Plan,
    config: &Config,
    broken: &mut Vec<String>,
) {
    for (id, reason) in destroys(plan) {
        let own = seen.get(id).is_some_and(|member| {
            config.self_logical_id.is_some() && member.logical_id == config.self_logical_id
        });
        if own && !matches!(reason, Reason::GroupDestroyed | Reason::Requested) {
            broken.push(format!(
                "`{id}` is destroyed, and the controller runs on it"
            ));
        }
    }
}

fn replacements_keep_to_the_budget(
    spec: &Spec,
    seen: &Observed,
    plan: &Plan,
    broken: &mut Vec<String>,
) {
    let replaced = replacements(seen, plan).count();
    let allowed = Bounds::of(spec, number(spec.size.count())).replacements();
    if replaced > allowed {
        broken.push(format!(
            "{replaced} members are replaced at once, {allowed} may be"
        ));
    }
}

fn the_group_never_outgrows_size_and_surge(
    spec: &Spec,
    seen: &Observed,
    plan: &Plan,
    broken: &mut Vec<String>,
) {
    if creations(plan).next().is_none() {
        return;
    }
    let Size::Cattle(size) = spec.size else {
        return;
    };
    let total = seen.len() + seen.ghosts().count() + plan.memory.intents.len();
    let size = number(size);
    let most = size + Bounds::of(spec, size).surge;
    if total > most {
        broken.push(format!("{total} members would exist, {most} may"));
    }
}

fn healthy_matching_members_go_only_for_a_reason(
    spec: &Spec,
    seen: &Observed,
    plan: &Plan,
    broken: &mut Vec<String>,
) {
    for (id, reason) in destroys(plan) {
        let Some(member) = seen.get(id) else { continue };
        // What was decided before is tried again, whatever has changed meanwhile.
        if !member.stays() {
            continue;
        }
        if member.matches(&spec.hash) && reason == Reason::Outdated {
            broken.push(format!("`{id}` is destroyed as outdated and is not"));
        }
        let healthy = member.health.last() != infrakit_spi::flavor::Health::Unhealthy;
        if healthy && reason == Reason::Unhealthy {
            broken.push(format!("`{id}` is destroyed as unhealthy and is not"));
        }
    }
}

fn identities_are_unique(spec: &Spec, seen: &Observed, plan: &Plan, broken: &mut Vec<String>) {
    let Size::Pets(ids) = &spec.size else { return };
    let ids: BTreeSet<_> = ids.iter().collect();
    let mut held: BTreeSet<_> = seen
        .members()
        .filter_map(|member| member.logical_id.as_ref())
        .collect();
    for provision in creations(plan) {
        match &provision.logical_id {
            Some(id) if !ids.contains(id) => broken.push(format!("`{id}` is not in the list")),
            Some(id) if !held.insert(id) => {
                broken.push(format!("`{id}` is created while a member holds it"));
            }
            Some(_) => {}
            None => broken.push("a member without identity is created".to_owned()),
        }
    }
}

/// Whoever is destroyed, as many members go on serving as the budget demands, or as there were
/// before. Worked out from the members alone, without the ledger.
fn service_is_kept_up(spec: &Spec, seen: &Observed, plan: &Plan, broken: &mut Vec<String>) {
    let missed: BTreeSet<_> = destroys(plan)
        .filter(|(id, reason)| is_drawn_from_the_budget(id, *reason, seen, plan))
        .filter(|(id, reason)| *reason != Reason::Duplicate || !has_a_deputy(seen, id, plan))
        .map(|(id, _)| id)
        .collect();
    if missed.is_empty() {
        return;
    }
    let (mut before, mut after, mut working) = (0, 0, 0);
    for member in seen.members().filter(|member| member.stays()) {
        let serves = usize::from(member.serves());
        working += 1;
        before += serves;
        after += usize::from(!missed.contains(&member.id)) * serves;
    }
    let wanted = number(spec.size.count());
    let needed = working
        .min(wanted)
        .saturating_sub(Bounds::of(spec, wanted).unavailable);
    if after < before.min(needed) {
        broken.push(format!(
            "{after} members serve after replacements, {before} did, {needed} have to"
        ));
    }
}

/// Returns whether a destruction is one that has to leave enough others. A group that goes whole, and
/// what a person wants gone at once, need not; what is on its way out was drawn before.
fn is_drawn_from_the_budget(
    id: &infrakit_spi::InstanceId,
    reason: Reason,
    seen: &Observed,
    plan: &Plan,
) -> bool {
    let urgent = match reason {
        Reason::GroupDestroyed => true,
        Reason::Requested => plan.memory.urgent.contains(id),
        Reason::Surplus
        | Reason::Unlisted
        | Reason::Duplicate
        | Reason::Unhealthy
        | Reason::Outdated => false,
    };
    !urgent && seen.get(id).is_some_and(crate::Member::stays)
}

/// Returns whether another member of the same identity stays and serves.
fn has_a_deputy(seen: &Observed, id: &infrakit_spi::InstanceId, plan: &Plan) -> bool {
    let going: BTreeSet<_> = destroys(plan).map(|(id, _)| id).collect();
    let identity = seen.get(id).and_then(|member| member.logical_id.as_ref());
    seen.members().any(|other| {
        other.id != *id
            && other.logical_id.as_ref() == identity
            && other.stays()
            && other.serves()
            && !going.contains(&other.id)
    })
}

fn doing_nothing_has_a_reason(plan: &Plan, broken: &mut Vec<String>) {
    if plan.actions.is_empty() && plan.waiting.is_empty() && !plan.converged {
        broken.push("nothing is done, and nothing says why".to_owned());
    }
}
