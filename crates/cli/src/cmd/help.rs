//! `infrakit help env`: every environment variable. Help on commands is the parser's work.

use std::borrow::Cow;

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::out::table::Headings;
use crate::out::{Format, OutputArgs};
use crate::settings::VARIABLES;

/// Explain a command, or with `env` the environment variables
///
/// `infrakit help plugin start` is the same as `infrakit plugin start --help`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit help plugin start\n  infrakit help env")]
pub(crate) struct HelpArgs {
    /// The command, or `env`
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Prints the environment variables with what holds without them and what is set.
pub(crate) fn environment(context: &Context, output: &OutputArgs) -> Result {
    match output.format() {
        Format::Table => {
            let rows: Vec<[Cow<'_, str>; 4]> = VARIABLES
                .iter()
                .map(|variable| {
                    let now = context
                        .settings
                        .shown(variable.name)
                        .unwrap_or_else(|| "-".to_owned());
                    [
                        variable.name.into(),
                        variable.default.into(),
                        now.into(),
                        variable.purpose.into(),
                    ]
                })
                .collect();
            let headings = ["VARIABLE", "DEFAULT", "NOW", "PURPOSE"];
            context.out.table(headings, Headings::Shown, &rows)
        }
        format => {
            let all: Vec<_> = VARIABLES
                .iter()
                .map(|variable| {
                    serde_json::json!({
                        "Name": variable.name,
                        "Default": variable.default,
                        "Now": context.settings.shown(variable.name),
                        "Purpose": variable.purpose,
                    })
                })
                .collect();
            context.out.document(&all, format)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing;

    #[test]
    fn lists_every_variable_with_default_and_value() {
        let (context, written) = testing::context(&[("INFRAKIT_HOME", "/somewhere")]);
        environment(&context, &OutputArgs::default()).unwrap();
        let text = written.text();
        assert_eq!(text.lines().count(), VARIABLES.len() + 1);
        let home = text
            .lines()
            .find(|line| line.starts_with("INFRAKIT_HOME "))
            .unwrap();
        assert!(
            home.contains("~/.infrakit") && home.contains("/somewhere"),
            "{home}"
        );
    }
}
