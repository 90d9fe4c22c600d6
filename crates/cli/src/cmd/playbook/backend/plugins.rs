//! Backends that speak to plugins, the way the other commands do.

use infrakit_spi::controller::Operation;
use infrakit_spi::instance::InstanceSpec;
use infrakit_spi::version;

use super::Job;
use crate::cmd::manager;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::input::Document;
use crate::machine::this_machine;
use crate::target::{self, Target, greet_all};
use crate::verbs::{controller, instance, stack};

/// Creates an instance from the script and prints its id.
pub(super) fn provision(context: &Context, job: &Job<'_>) -> Result {
    job.no_arguments()?;
    let spec: InstanceSpec = document(job).decode(InstanceSpec::FIELDS)?;
    let name = job.flag("plugin").or_else(|| job.word(0));
    if job.test {
        let with = name.unwrap_or_else(|| "none is named".to_owned());
        return job.show(context, &format!("create an instance with plugin `{with}`"));
    }
    this_machine(context)?;
    context.block_on(async {
        let target = named(context, job, name, version::INSTANCE.name).await?;
        instance::create(context, &target, spec).await
    })
}

/// Commits the script to a controller and prints the object.
pub(super) fn commit(context: &Context, job: &Job<'_>) -> Result {
    job.no_arguments()?;
    let specs = document(job).specs("the older list of plugins and groups")?;
    let name = job.flag("plugin").or_else(|| job.word(0));
    this_machine(context)?;
    context.block_on(async {
        let groups = specs.iter().all(|spec| {
            let kind = spec.kind.split('/').next().unwrap_or_default();
            kind.eq_ignore_ascii_case("group")
        });
        let target = match name {
            None if groups => manager::manager(context).await?,
            name => named(context, job, name, version::CONTROLLER.name).await?,
        };
        for spec in &specs {
            if job.test {
                controller::explain(context, &target, Operation::Enforce, spec).await?;
            } else {
                controller::commit_spec(context, &target, Operation::Enforce, spec).await?;
            }
        }
        Ok(())
    })
}

/// Commits the script, a list of groups, to the manager. The second word of the directive, and
/// `--test`, only ask what would happen.
pub(super) fn commit_groups(context: &Context, job: &Job<'_>) -> Result {
    job.no_arguments()?;
    this_machine(context)?;
    let pretend = job.test
        || job
            .words
            .get(1)
            .is_some_and(infrakit_playbook::Word::is_true);
    context.block_on(async { manager::commit_document(context, &document(job), pretend).await })
}

/// Puts the script, the documents of a stack, in force.
pub(super) fn enforce(context: &Context, job: &Job<'_>) -> Result {
    job.no_arguments()?;
    let specs = document(job).specs("the older list of plugins and groups, not a stack")?;
    let name = job.flag("stack").or_else(|| job.word(0));
    this_machine(context)?;
    context.block_on(async {
        let target = match name {
            Some(name) => target::find(context, &name).await?,
            None => manager::manager(context).await?,
        };
        if !target.has(version::STACK) {
            return Err(CommandError::remote(format!(
                "`{}` is no manager, and only a manager has a stack",
                target.name
            )));
        }
        stack::enforce_specs(context, &target, specs, job.test).await
    })
}

fn document(job: &Job<'_>) -> Document {
    Document::of_text(job.path, job.script)
}

/// Finds the plugin that the directive or a flag names.
async fn named(
    context: &Context,
    job: &Job<'_>,
    name: Option<String>,
    interface: &str,
) -> Result<Target> {
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        return target::find(context, &name).await;
    }
    let mut fit: Vec<String> = Vec::new();
    for found in greet_all(context).await? {
        for (name, offers) in found.objects() {
            if offers.iter().any(|offer| offer.interface.name == interface) {
                fit.push(name);
            }
        }
    }
    let error = CommandError::user(format!("`{}` does not say which plugin to use", job.path));
    Err(if fit.is_empty() {
        error.hint(
            "none is running; start one with `infrakit plugin start manager group vanilla file`",
        )
    } else {
        error.hint(format!("give one with --plugin: {}", fit.join(", ")))
    })
}
