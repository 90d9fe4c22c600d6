//! Functions that the caller adds, or puts in the place of those that are there.

use std::fmt;
use std::sync::Arc;

use gotmpl::Value;

use crate::Vars;
use crate::frame::Frame;
use crate::functions;

/// A function of the caller.
#[derive(Clone)]
pub(crate) struct Own {
    /// One line of help.
    pub(crate) about: String,
    pub(crate) call: OwnCall,
}

/// How a function of the caller is called. What is piped into it is its last argument.
pub(crate) type OwnCall = Arc<dyn Fn(&[Value], &Caller<'_>) -> Result<Value, String> + Send + Sync>;

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").field("about", &self.about).finish()
    }
}

/// The template that calls a function of the caller.
pub struct Caller<'a> {
    pub(crate) frame: &'a Arc<Frame>,
    pub(crate) name: &'a str,
}

impl Caller<'_> {
    /// Calls the function that this one has taken the place of.
    ///
    /// # Errors
    /// Returns what that function says, or that there is none of this name.
    pub fn original(&self, args: &[Value]) -> Result<Value, String> {
        functions::call_original(self.name, self.frame, args)
    }

    /// Returns the URL or name of the calling template, to which relative URLs are relative.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.frame.source.base
    }

    /// Returns the variables of the calling template.
    #[must_use]
    pub fn vars(&self) -> &Vars {
        &self.frame.vars
    }
}

impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}
