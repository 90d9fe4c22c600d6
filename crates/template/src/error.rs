//! Why a template could not be loaded or rendered, and where in it.

use std::fmt;

/// In which step rendering failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is not a template.
    Parse,
    /// An action of it failed.
    Execute,
    /// It grew or ran beyond what is allowed.
    Limit,
}

/// A place in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// Returns the place of byte `offset` in `text`; an offset behind its end means its end.
    pub(crate) fn of_offset(text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
        }
    }
}

/// A failure to render. Its message is one line, with the templates that the failing one was
/// included from; [`snippet`](Self::snippet) shows the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(Box<Failure>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Failure {
    kind: ErrorKind,
    name: String,
    position: Option<Position>,
    message: String,
    source_line: Option<String>,
    included_from: Vec<Include>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, message, .. } = self;
        let (place, chain) = (Place(&self.position), Chain(&self.included_from));
        write!(f, "template: {name}{place}: {message}{chain}")
    }
}

/// Where a template was included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// Name of the enclosing template.
    pub name: String,
    /// Place of the action in it.
    pub position: Position,
}

/// Most links of a chain that a message shows.
const MOST_LINKS: usize = 4;

/// Writes `, included from a:1:2, from b:3:4`, the innermost first.
struct Chain<'a>(&'a [Include]);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, link) in self.0.iter().take(MOST_LINKS).enumerate() {
            f.write_str(if at == 0 {
                ", included from "
            } else {
                ", from "
            })?;
            write!(f, "{}{}", link.name, Place(&Some(link.position)))?;
        }
        match self.0.len().saturating_sub(MOST_LINKS) {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}

/// Writes `:line:column`, or nothing where no place is known.
struct Place<'a>(&'a Option<Position>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Position { line, column }) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

impl TemplateError {
    pub(crate) fn new(kind: ErrorKind, name: &str, message: impl Into<String>) -> Self {
        Self(Box::new(Failure {
            kind,
            name: name.to_owned(),
            position: None,
            message: message.into(),
            source_line: None,
            included_from: Vec::new(),
        }))
    }

    /// Adds that the failing template was included at `position` of `name`.
    pub(crate) fn included_from(mut self, name: &str, position: Position) -> Self {
        self.0.included_from.push(Include {
            name: name.to_owned(),
            position,
        });
        self
    }

    /// Adds the place, and the line of `text` it lies in.
    pub(crate) fn at(mut self, text: &str, position: Position) -> Self {
        self.0.position = Some(position);
        self.0.source_line = text.split('\n').nth(position.line - 1).map(str::to_owned);
        self
    }

    /// Returns the step that failed.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the name of the template, as given to the engine.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns the place of the failure, where one is known.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.0.position
    }

    /// Returns the message without name and place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns where the failing template was included, the innermost place first.
    #[must_use]
    pub fn includes(&self) -> &[Include] {
        &self.0.included_from
    }

    /// Returns the offending line with a caret below the column, as two lines; long lines are
    /// cut around the column.
    #[must_use]
    pub fn snippet(&self) -> Option<String> {
        let (position, line) = (self.0.position?, self.0.source_line.as_ref()?);
        let start = position.column.saturating_sub(60);
        let shown: String = line
            .chars()
            .skip(start)
            .take(120)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let number = position.line.to_string();
        let indent = " ".repeat(position.column - 1 - start);
        let margin = " ".repeat(number.len());
        Some(format!("{number} | {shown}\n{margin} | {indent}^"))
    }
}

/// A failure to fetch the text behind a URL.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The URL's scheme is not one that can be fetched.
    #[error("failed to load template `{url}`: scheme `{scheme}` is {why}")]
    Scheme {
        /// The URL.
        url: String,
        /// Its scheme.
        scheme: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A `file://` URL names another host.
    #[error("failed to load template `{url}`: host `{host}` is not this one, as in `file:///path`")]
    Host {
        /// The URL.
        url: String,
        /// The host it names.
        host: String,
    },
    /// The caller did not grant it.
    #[error("failed to load template `{path}`: {why}")]
    Denied {
        /// The file or the URL.
        path: String,
        /// What is not granted.
        why: &'static str,
    },
    /// The other side did not hand it over.
    #[error("failed to fetch `{url}`: {reason}")]
    Fetch {
        /// The URL.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The file cannot be read.
    #[error("failed to read template `{path}`: {reason}", reason = brief(source))]
    Read {
        /// The file.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// What lies there is no text that can be a template.
    #[error("failed to load template `{path}`: it is {what}")]
    Unfit {
        /// The file.
        path: String,
        /// What it is instead.
        what: String,
    },
}

/// Says an I/O error in plain words where there are any; a plugin's answer carries one line only,
/// so the reason must stand in it.
fn brief(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let text = "ab\nhéllo {{x}}";
        let at = Position::of_offset(text, text.find("{{").unwrap());
        assert_eq!(at, Position { line: 2, column: 7 });
        assert_eq!(Position::of_offset("", 9), Position { line: 1, column: 1 });
    }

    #[test]
    fn a_snippet_points_at_the_column() {
        let text = "one\n\ttwo {{ bad }}";
        let error = TemplateError::new(ErrorKind::Parse, "t", "no")
            .at(text, Position::of_offset(text, text.find("bad").unwrap()));
        assert_eq!(
            error.snippet().unwrap(),
            "2 |  two {{ bad }}\n  |         ^"
        );
        assert_eq!(error.to_string(), "template: t:2:9: no");
    }

    #[test]
    fn a_snippet_of_a_long_line_is_cut() {
        let text = format!("{}{{{{bad}}}}{}", "x".repeat(5000), "y".repeat(5000));
        let error = TemplateError::new(ErrorKind::Parse, "t", "no")
            .at(&text, Position::of_offset(&text, 5002));
        let snippet = error.snippet().unwrap();
        let (line, caret) = snippet.split_once('\n').unwrap();
        assert!(line.len() < 140);
        assert_eq!(&line[caret.len() - 1..caret.len()], "b");
    }
}
