//! What is wrong with the text of a template, before anybody knows which one it is.

use crate::error::{ErrorKind, Position, TemplateError};

/// What was found to be wrong, and where.
pub(crate) struct Fault {
    pub(crate) offset: usize,
    pub(crate) message: String,
}

impl Fault {
    /// Says in which template it is.
    pub(crate) fn in_template(self, text: &str, name: &str) -> TemplateError {
        TemplateError::new(ErrorKind::Parse, name, self.message)
            .at(text, Position::of_offset(text, self.offset))
    }
}
