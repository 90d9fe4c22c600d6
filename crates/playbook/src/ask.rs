//! Asking for what nobody gave.

/// Who is asked.
pub trait Ask: Send + Sync {
    /// Asks one question; returns the line that was answered, or `None` when nobody answers.
    ///
    /// # Errors
    /// Says why nobody can be asked.
    fn ask(&self, question: &Question<'_>) -> Result<Option<String>, String>;

    /// Returns whether somebody sits there who can be told that an answer was wrong.
    fn is_person(&self) -> bool;

    /// Says what was wrong with an answer.
    fn complain(&self, why: &str);
}

/// A question.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What is asked.
    pub text: &'a str,
    /// What holds when the answer is empty.
    pub default: Option<&'a str>,
}

/// Nobody is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Ask for Nobody {
    fn ask(&self, _question: &Question<'_>) -> Result<Option<String>, String> {
        Ok(None)
    }

    fn is_person(&self) -> bool {
        false
    }

    fn complain(&self, _why: &str) {}
}
