//! `infrakit template`: renders a template, or converts between JSON and YAML.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::input::{self, InputArgs};
use crate::out::yaml;

/// Render a template: a path, a URL, or `-` for the standard input
///
/// The language is that of Go's text/template with sprig's functions and InfraKit's own. Variables
/// come from --var.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example:\n  infrakit template 'str://{{ add 1 2 }}'\n  infrakit template --var size=3 group.yml.tmpl -o group.yml"
)]
pub(crate) struct TemplateArgs {
    #[command(subcommand)]
    command: Option<TemplateCommand>,
    /// Path, URL, or `-`
    #[arg(value_name = "URL", required = true)]
    source: Option<String>,
    #[command(flatten)]
    input: InputArgs,
    /// Write to this file instead of the standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Older form of the argument
    #[arg(long, hide = true, conflicts_with = "source")]
    url: Option<String>,
}

#[derive(Subcommand, Debug)]
enum TemplateCommand {
    /// Convert the standard input to JSON or YAML
    #[command(after_help = "Example:\n  infrakit template format json < group.yml")]
    Format {
        /// Form to convert to
        form: Form,
        /// Write to this file instead of the standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Json,
    Yaml,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &TemplateArgs) -> Result {
    match &args.command {
        Some(TemplateCommand::Format { form, output }) => {
            let document = input::load(context, "-", &InputArgs::default())?;
            let any = document.one()?;
            let text = match form {
                Form::Json => infrakit_spi::compact(any.as_str().as_bytes()).into_owned(),
                Form::Yaml => {
                    let value = any
                        .to_value()
                        .map_err(|error| CommandError::config(error.to_string()))?;
                    let mut text = Vec::new();
                    yaml::write(&mut text, &value)?;
                    text
                }
            };
            put(context, output.as_ref(), &text)
        }
        None => {
            let source = args
                .source
                .as_deref()
                .or(args.url.as_deref())
                .unwrap_or("-");
            let (name, text) = input::fetch(source)?;
            let text = input::render(context, &name, text, &args.input)?;
            put(context, args.output.as_ref(), text.as_bytes())
        }
    }
}

fn put(context: &Context, file: Option<&PathBuf>, text: &[u8]) -> Result {
    match file {
        Some(path) => std::fs::write(path, text).map_err(|error| {
            CommandError::config(format!("failed to write `{}`: {error}", path.display()))
        }),
        None => context.out.text(text),
    }
}
