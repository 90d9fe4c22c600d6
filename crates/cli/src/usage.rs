//! What the parser says: shown where somebody asked for it, one line and a tip where it complains.

use clap::error::ErrorKind;

use crate::context::Context;
use crate::error::{CommandError, Result, one_line};

/// Prints what the parser shows on request; anything else it says is an error.
pub(crate) fn help_or_usage(context: &Context, error: clap::Error) -> Result {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let text = error.render();
            if context.out.color {
                context.out.text(text.ansi().to_string())
            } else {
                context.out.text(text.to_string())
            }
        }
        _ => Err(usage(error)),
    }
}

/// Turns the parser's complaint into ours: one line, and what to do.
pub(crate) fn usage(error: clap::Error) -> CommandError {
    let text = error.render().to_string();
    let mut message = String::new();
    let mut tip = None;
    let mut use_line = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("error: ") {
            message = rest.to_owned();
        } else if let Some(rest) = line.trim_start().strip_prefix("tip: ") {
            tip.get_or_insert_with(|| rest.to_owned());
        } else if let Some(rest) = line.strip_prefix("Usage: ") {
            use_line = Some(format!("usage: {rest}"));
        } else if use_line.is_none() && tip.is_none() && line.starts_with("  ") {
            message.push(' ');
            message.push_str(line.trim());
        }
    }
    let message = one_line(&message.replace("subcommand", "command").replace('\'', "`"));
    let tip = tip.map(|tip| tip.replace("subcommand", "command").replace('\'', "`"));
    CommandError::user(message).maybe_hint(tip.or(use_line))
}
