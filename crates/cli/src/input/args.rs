//! How a command is told which document it is given.

use clap::Args;

/// Flags of every command that takes a document.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct InputArgs {
    /// Set a variable of the template, `name=value`; may be repeated
    #[arg(short = 'v', long = "var", value_name = "NAME=VALUE")]
    pub(super) variables: Vec<String>,
    /// Read the document as YAML; without it JSON and YAML are told apart
    #[arg(short = 'y', long = "yaml")]
    pub(super) yaml: bool,
    /// Print the rendered document and stop
    #[arg(short = 'x', long)]
    pub(crate) dump: bool,
    /// Render for the last time: a variable that nobody set becomes `<no value>`
    #[arg(short = 'f', long = "final")]
    pub(super) final_pass: bool,
    /// What `.` is in the template: a file, or JSON
    #[arg(long, value_name = "FILE|JSON")]
    pub(super) ctx: Option<String>,
    /// Let a template from another machine see files, sockets, environment and metadata of this one
    #[arg(long)]
    pub(super) trust: bool,
}

/// Largest document that is read from the standard input, in bytes.
pub(super) const LARGEST: u64 = 8 * 1024 * 1024;
