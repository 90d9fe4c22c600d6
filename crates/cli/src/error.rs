//! What a command can fail with, and the one place where a failure becomes text and an exit code.
//!
//! Nothing else prints an error: a command returns it, `main` shows it, once, on stderr.

use std::fmt;
use std::io;
use std::process::ExitCode;

/// Result of a command.
pub(crate) type Result<T = ()> = std::result::Result<T, CommandError>;

/// Who can do something about a failure. It decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command line is wrong: a word, a flag, a missing argument.
    User,
    /// A file, a document or an environment variable is wrong.
    Config,
    /// A plugin refused, does not answer, or is not there.
    Remote,
    /// This program or its machine failed.
    Internal,
    /// The reader of our output went away: no failure, and nothing to say.
    Closed,
}

/// A failed command: one sentence about what is wrong, and what to type next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandError {
    kind: Kind,
    message: String,
    excerpt: Option<String>,
    hint: Option<String>,
    code: Option<u8>,
}

impl CommandError {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            excerpt: None,
            hint: None,
            code: None,
        }
    }

    /// The command line is wrong.
    pub(crate) fn user(message: impl Into<String>) -> Self {
        Self::new(Kind::User, message)
    }

    /// A file, a document or an environment variable is wrong.
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(Kind::Config, message)
    }

    /// A plugin refused, does not answer, or is not there.
    pub(crate) fn remote(message: impl Into<String>) -> Self {
        Self::new(Kind::Remote, message)
    }

    /// This program or its machine failed.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
    }

    /// Ends the program with this exit code, for a program that ran on our behalf.
    #[must_use]
    pub(crate) fn with_code(mut self, code: u8) -> Self {
        self.code = Some(code);
        self
    }

    /// Adds lines of the text that is wrong, fit for a terminal, where there are any.
    #[must_use]
    pub(crate) fn maybe_excerpt(mut self, excerpt: Option<String>) -> Self {
        self.excerpt = excerpt.or(self.excerpt);
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what to do next, where there is something to say.
    #[must_use]
    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// Puts the place in front of the message.
    #[must_use]
    pub(crate) fn in_place(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// Adds what to do next, where nothing was said about it.
    #[must_use]
    pub(crate) fn or_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Returns the message without the hint.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Returns whether a hint is there already.
    pub(crate) fn has_hint(&self) -> bool {
        self.hint.is_some()
    }

    /// Returns the exit code: 2 for a wrong command line, 1 for a failure.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if let Some(code) = self.code {
            return ExitCode::from(code);
        }
        match self.kind {
            Kind::User => ExitCode::from(2),
            Kind::Config | Kind::Remote | Kind::Internal => ExitCode::from(1),
            Kind::Closed => ExitCode::SUCCESS,
        }
    }

    /// Returns the text for stderr, or `None` when there is nothing to say.
    pub(crate) fn render(&self, color: bool) -> Option<String> {
        if self.kind == Kind::Closed {
            return None;
        }
        let (red, green, reset) = if color {
            ("\x1b[1;31m", "\x1b[32m", "\x1b[0m")
        } else {
            ("", "", "")
        };
        let mut text = format!("{red}error:{reset} {}\n", one_line(&self.message));
        for line in self.excerpt.iter().flat_map(|excerpt| excerpt.lines()) {
            text.push_str(&format!("  {line}\n"));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("  {green}tip:{reset} {hint}\n"));
        }
        Some(text)
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CommandError {}

impl From<infrakit_spi::Error> for CommandError {
    fn from(error: infrakit_spi::Error) -> Self {
        Self::remote(error.message())
    }
}

impl From<infrakit_spi::InvalidName> for CommandError {
    fn from(error: infrakit_spi::InvalidName) -> Self {
        Self::user(error.to_string())
    }
}

impl From<io::Error> for CommandError {
    /// Only for writing results; whoever reads a file names it.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Kind::Closed, "");
        }
        Self::internal(format!("failed to write the output: {error}"))
    }
}

/// Returns `text` on one line: a peer's message must not break ours, nor drive the terminal.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(['\n', '\r']).map(str::trim) {
        if !line.is_empty() && !word.is_empty() {
            line.push_str(": ");
        }
        for c in word.chars() {
            if c.is_control() && c != '\t' {
                line.extend(c.escape_default());
            } else {
                line.push(c);
            }
        }
    }
    line
}

/// Returns the whole chain of causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = error.source();
    }
    text
}

/// Returns ``did you mean `x`?`` when a candidate is close to `word`.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    infrakit_spi::suggest(word, candidates).map(|found| format!("did you mean `{found}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_one_line_and_a_tip() {
        let error = CommandError::config("`a.json` is empty").hint("write a group into it");
        assert_eq!(
            error.render(false).unwrap(),
            "error: `a.json` is empty\n  tip: write a group into it\n"
        );
        assert!(error.render(true).unwrap().contains("\x1b["));
    }

    #[test]
    fn a_peers_text_cannot_break_the_line_or_drive_the_terminal() {
        let error = CommandError::remote("bad\n\n  news \x1b[2J here");
        assert_eq!(
            error.render(false).unwrap(),
            "error: bad: news \\u{1b}[2J here\n"
        );
    }

    #[test]
    fn exit_codes_tell_usage_from_failure() {
        let code = |error: CommandError| format!("{:?}", error.exit_code());
        assert_eq!(
            code(CommandError::user("x")),
            format!("{:?}", ExitCode::from(2))
        );
        for error in [
            CommandError::config("x"),
            CommandError::remote("x"),
            CommandError::internal("x"),
        ] {
            assert_eq!(code(error), format!("{:?}", ExitCode::from(1)));
        }
    }

    #[test]
    fn a_closed_pipe_is_silent_success() {
        let error = CommandError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(error.render(false), None);
        assert_eq!(
            format!("{:?}", error.exit_code()),
            format!("{:?}", ExitCode::SUCCESS)
        );
    }
}
