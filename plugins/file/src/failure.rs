//! Failures of the file system as one line: the operation, the path and the cause.
//!
//! The shape is the original's, `open <path>: no such file or directory`, because tools match it.

use std::io;
use std::path::Path;

use infrakit_spi::Error;

/// Returns a refusal that names what was tried on which path, and why it failed.
pub(crate) fn refused(operation: &str, path: &Path, error: &io::Error) -> Error {
    Error::refused(format!("{operation} {}: {}", path.display(), cause(error)))
}

/// Returns the cause as the system words it, in lower case and without its number.
pub(crate) fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_a_cause_like_the_original() {
        let missing = io::Error::from(rustix::io::Errno::NOENT);
        assert_eq!(
            refused("open", Path::new("/d/x"), &missing).message(),
            "open /d/x: no such file or directory"
        );
        assert_eq!(
            cause(&io::Error::from(rustix::io::Errno::NOSPC)),
            "no space left on device"
        );
        assert_eq!(cause(&io::Error::other("Odd")), "odd");
    }
}
