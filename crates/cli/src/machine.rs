//! Which machine a command works on: this one, unless the environment points to another.

use crate::cmd::remote;
use crate::context::Context;
use crate::error::{CommandError, Result, did_you_mean};

/// Refuses to work on this machine when the environment points to another.
pub(crate) fn this_machine(context: &Context) -> Result {
    let Some(host) = context.settings.host()? else {
        return Ok(());
    };
    let path = context.settings.hosts_file()?;
    // Without a file the original works locally, under that name; scripts use it as a label.
    if !path.exists() {
        return Ok(());
    }
    let remotes = remote::read(&path)?;
    if remotes.contains_key(&host) {
        return Err(CommandError::config(format!(
            "INFRAKIT_HOST names the remote `{host}`, and commands on remotes are not supported yet"
        ))
        .hint("unset INFRAKIT_HOST, or say `infrakit local …`, to work on this machine"));
    }
    Err(CommandError::config(format!(
        "INFRAKIT_HOST names `{host}`, which `{}` does not know",
        path.display()
    ))
    .maybe_hint(
        did_you_mean(&host, remotes.keys().map(String::as_str))
            .or_else(|| Some("`infrakit remote ls` lists the remotes".to_owned())),
    ))
}
