//! `http`: the script is the body of a request.

use std::time::Duration;

use infrakit_fetch::{Client, Sending};

use super::Job;
use crate::context::Context;
use crate::error::{CommandError, Result};

/// How long the whole exchange may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Most bytes of an answer.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Sends the script: method, URL, then any number of `Header=value`. Prints the answer.
pub(super) fn send(context: &Context, job: &Job<'_>) -> Result {
    job.no_arguments()?;
    let (Some(method), Some(url)) = (job.word(0), job.word(1)) else {
        return Err(CommandError::config(format!(
            "the directive of `{}` does not say where to send it",
            job.path
        ))
        .hint("write `http \"POST\" \"http://host/path\"`"));
    };
    let headers = job
        .texts()
        .into_iter()
        .skip(2)
        .map(|word| match word.split_once('=') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
            None => Err(CommandError::config(format!(
                "`{word}` is no header; write `Name=value`"
            ))),
        })
        .collect::<Result<Vec<_>>>()?;
    if job.test {
        return job.show(context, &format!("send this by {method} to {url}"));
    }
    let sending = Sending {
        method: &method,
        url: &url,
        headers: &headers,
        body: job.script.as_bytes(),
        limit: LARGEST,
        timeout: TIMEOUT,
    };
    let answer = Client::new()
        .send(&sending)
        .map_err(|why| CommandError::remote(format!("failed to send to `{url}`: {why}")))?;
    if !answer.success {
        let said = String::from_utf8_lossy(&answer.body);
        let said: String = said.trim().chars().take(200).collect();
        return Err(CommandError::remote(format!(
            "`{url}` answers {}: {said}",
            answer.status
        )));
    }
    context.out.text(&answer.body)
}
