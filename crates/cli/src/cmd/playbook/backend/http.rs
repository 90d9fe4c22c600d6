//! `http`: the script is the body of a request.

use super::Job;
use crate::context::Context;
use crate::error::{CommandError, Result};

/// Sends the script: method, URL, then any number of `Header=value`.
pub(super) fn send(context: &Context, job: &Job<'_>) -> Result {
    job.no_arguments()?;
    let (Some(method), Some(url)) = (job.word(0), job.word(1)) else {
        return Err(CommandError::config(format!(
            "the directive of `{}` does not say where to send it",
            job.path
        ))
        .hint("write `http \"POST\" \"http://host/path\"`"));
    };
    if job.test {
        return job.show(context, &format!("send this by {method} to {url}"));
    }
    Err(CommandError::config("sending is not there yet"))
}
