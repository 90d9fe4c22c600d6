//! `infrakit template`: renders a template, checks it, lists the functions of templates, or
//! converts between JSON and YAML.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::context::Context;
use crate::error::{CommandError, Result, did_you_mean};
use crate::input::{self, InputArgs};
use crate::out::yaml;

/// Render a template: a path, a URL, or `-` for the standard input
///
/// The language is that of Go's text/template with sprig's functions and InfraKit's own, which
/// --functions lists. Variables come from --var, the value of `.` from --ctx. A URL is a path, or
/// begins with file://, str:// (the template itself), http://, https:// or unix://.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example:\n  infrakit template 'str://{{ add 1 2 }}'\n  infrakit template --var size=3 group.yml.tmpl -o group.yml\n  infrakit template --check group.yml.tmpl\n  infrakit template --functions indent"
)]
pub(crate) struct TemplateArgs {
    #[command(subcommand)]
    command: Option<TemplateCommand>,
    /// Path, URL, or `-`
    #[arg(value_name = "URL", required_unless_present_any = ["functions", "url"])]
    source: Option<String>,
    #[command(flatten)]
    input: InputArgs,
    /// Write to this file instead of the standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only check that it is a template, and calls functions that exist, with all that it includes
    #[arg(long)]
    check: bool,
    /// List the functions of templates, or describe one
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["source", "url", "check"])]
    functions: Option<String>,
    /// With --functions, write JSON
    #[arg(long, requires = "functions")]
    json: bool,
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
        None => match &args.functions {
            Some(name) => put(
                context,
                args.output.as_ref(),
                functions(name, args.json)?.as_bytes(),
            ),
            None => one(context, args),
        },
    }
}

/// Checks or renders the template that the arguments name.
fn one(context: &Context, args: &TemplateArgs) -> Result {
    let source = args.source.as_deref().or(args.url.as_deref());
    let source = input::fetch(context, source.unwrap_or("-"), &args.input)?;
    if args.check {
        return input::check(context, &source, &args.input);
    }
    let text = input::render(context, &source, &args.input)?;
    put(context, args.output.as_ref(), text.as_bytes())
}

/// Returns the help of one function, or a list of all.
fn functions(name: &str, json: bool) -> Result<String> {
    if json && name.is_empty() {
        return Ok(format!("{}\n", infrakit_template::functions_json()));
    }
    let all = infrakit_template::functions();
    if name.is_empty() {
        let width = all.iter().map(|help| help.name.len()).max().unwrap_or(0);
        return Ok(all
            .iter()
            .map(|help| {
                let about = help.about.lines().next().unwrap_or_default();
                format!(
                    "{:width$}  {about}\n{:width$}  {}\n",
                    help.name, "", help.usage
                )
            })
            .collect());
    }
    let Some(help) = all.iter().find(|help| help.name == name) else {
        let hint = did_you_mean(name, all.iter().map(|help| help.name))
            .unwrap_or_else(|| "`infrakit template --functions` lists them".to_owned());
        return Err(CommandError::user(format!("there is no function `{name}`")).hint(hint));
    };
    if json {
        let value = serde_json::json!({
            "Name": help.name,
            "Description": help.about.lines().collect::<Vec<_>>(),
            "Function": help.signature,
            "Usage": help.usage,
        });
        return Ok(format!("{value:#}\n"));
    }
    Ok(format!(
        "{}\n\n{}\n\n{}\n",
        help.about, help.usage, help.signature
    ))
}

fn put(context: &Context, file: Option<&PathBuf>, text: &[u8]) -> Result {
    match file {
        Some(path) => std::fs::write(path, text).map_err(|error| {
            CommandError::config(format!("failed to write `{}`: {error}", path.display()))
        }),
        None => context.out.text(text),
    }
}
