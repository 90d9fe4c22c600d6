//! How results are shown: as a table for people, as JSON or YAML for programs.

pub(crate) mod json;
pub(crate) mod table;
pub(crate) mod yaml;

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, BufWriter, IsTerminal as _, Write};

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::error::{CommandError, Result};
use crate::out::table::Headings;

/// In which form a result is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people.
    Table,
    /// Indented JSON, fields in the order in which the plugin sent them.
    Json,
    /// YAML, keys sorted.
    Yaml,
}

/// Flags of every command that reads something.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct OutputArgs {
    /// Form of the output
    #[arg(short = 'o', long = "output", value_enum, value_name = "FORMAT")]
    output: Option<Format>,
    /// Short for `-o json`; with -y, for `-o yaml`
    #[arg(short = 'r', long)]
    raw: bool,
    /// Short for `-o yaml`
    #[arg(short = 'y', long = "yaml")]
    yaml: bool,
}

impl OutputArgs {
    /// Returns the form that was asked for.
    pub(crate) fn asked(&self) -> Option<Format> {
        match (self.output, self.yaml, self.raw) {
            (Some(format), _, _) => Some(format),
            (None, true, _) => Some(Format::Yaml),
            (None, false, true) => Some(Format::Json),
            (None, false, false) => None,
        }
    }

    #[cfg(test)]
    pub(crate) fn yaml_for_tests() -> Self {
        Self {
            yaml: true,
            ..Self::default()
        }
    }

    /// Returns the form that was asked for, or a table.
    pub(crate) fn format(&self) -> Format {
        self.asked().unwrap_or(Format::Table)
    }

    /// Returns the form that was asked for, or JSON, for results that have no table.
    pub(crate) fn document(&self) -> Format {
        match self.asked() {
            Some(Format::Yaml) => Format::Yaml,
            Some(Format::Json | Format::Table) | None => Format::Json,
        }
    }
}

/// Returns the width of the terminal that the standard output is; some say 0, and mean that they do not know.
fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// Where results go: one buffered writer for the whole command.
pub(crate) struct Output {
    writer: RefCell<Box<dyn Write>>,
    /// Whether a person watches.
    pub(crate) terminal: bool,
    /// Whether colour is welcome on the output.
    pub(crate) color: bool,
    /// How many columns the terminal has, where a person watches.
    width: Option<usize>,
}

impl Output {
    /// Writes to the standard output.
    pub(crate) fn stdout(no_color: bool) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Self {
            writer: RefCell::new(Box::new(BufWriter::with_capacity(1 << 16, stdout))),
            terminal,
            color: terminal && !no_color,
            width: terminal.then(width).flatten(),
        }
    }

    /// Writes to `writer`, which nobody watches.
    #[cfg(test)]
    pub(crate) fn into(writer: impl Write + 'static) -> Self {
        Self {
            writer: RefCell::new(Box::new(writer)),
            terminal: false,
            color: false,
            width: None,
        }
    }

    /// Writes a table, as wide as the terminal at most.
    pub(crate) fn table<const N: usize>(
        &self,
        headings: [&str; N],
        shown: Headings,
        rows: &[[Cow<'_, str>; N]],
    ) -> Result {
        self.with(|out| table::write_within(out, self.width, (headings, shown), rows))
    }

    /// Writes `text` as it is.
    pub(crate) fn text(&self, text: impl AsRef<[u8]>) -> Result {
        Ok(self.writer.borrow_mut().write_all(text.as_ref())?)
    }

    /// Writes `text` and ends the line.
    pub(crate) fn line(&self, text: impl AsRef<[u8]>) -> Result {
        let mut writer = self.writer.borrow_mut();
        writer.write_all(text.as_ref())?;
        Ok(writer.write_all(b"\n")?)
    }

    /// Hands the writer to `write`.
    pub(crate) fn with(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result {
        Ok(write(&mut **self.writer.borrow_mut())?)
    }

    /// Brings what was written so far to the reader.
    pub(crate) fn flush(&self) -> Result {
        Ok(self.writer.borrow_mut().flush()?)
    }

    /// Writes `value` as a document.
    pub(crate) fn document<T: Serialize + ?Sized>(&self, value: &T, format: Format) -> Result {
        let json = serde_json::to_string(value).map_err(|error| {
            CommandError::internal(format!("failed to encode the result: {error}"))
        })?;
        self.json(&json, format)
    }

    /// Writes JSON text as a document.
    pub(crate) fn json(&self, text: &str, format: Format) -> Result {
        match format {
            Format::Json | Format::Table => self.with(|writer| {
                json::indent(writer, text)?;
                writer.write_all(b"\n")
            }),
            Format::Yaml => {
                let value: serde_json::Value = serde_json::from_str(text).map_err(|error| {
                    CommandError::remote(format!("the answer is not JSON: {error}"))
                })?;
                self.with(|writer| yaml::write(writer, &value))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(raw: bool, yaml: bool, output: Option<Format>) -> OutputArgs {
        OutputArgs { output, raw, yaml }
    }

    #[test]
    fn short_flags_and_long_ones_agree() {
        assert_eq!(args(false, false, None).format(), Format::Table);
        assert_eq!(args(true, false, None).format(), Format::Json);
        assert_eq!(args(true, true, None).format(), Format::Yaml);
        assert_eq!(args(false, true, None).format(), Format::Yaml);
        assert_eq!(
            args(true, true, Some(Format::Table)).format(),
            Format::Table
        );
        assert_eq!(args(false, false, None).document(), Format::Json);
    }
}
