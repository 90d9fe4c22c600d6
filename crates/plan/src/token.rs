//! Tokens: what ties an instance to the intent that made it.

use std::fmt;

/// Names one intended creation, for ever: `<nonce>-<number>`.
///
/// The nonce is drawn once in the life of a group record, the number grows with each intent and is
/// never used twice. The token travels as a tag of the instance, so that a list answers what became
/// of a creation whose answer was lost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    nonce: String,
    number: u64,
}

impl Token {
    /// Returns the token of intent `number` in the record named by `nonce`.
    #[must_use]
    pub fn new(nonce: &str, number: u64) -> Self {
        Self {
            nonce: nonce.to_owned(),
            number,
        }
    }

    /// Reads a token of the record named by `nonce` from a tag; tokens of other records are none.
    #[must_use]
    pub fn number_of(nonce: &str, tag: &str) -> Option<u64> {
        tag.strip_prefix(nonce)?.strip_prefix('-')?.parse().ok()
    }

    /// Returns the number of the intent.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.nonce, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_only_tokens_of_its_own_record() {
        let tag = Token::new("k3f9", 17).to_string();
        assert_eq!(tag, "k3f9-17");
        assert_eq!(Token::number_of("k3f9", &tag), Some(17));
        assert_eq!(Token::number_of("other", &tag), None);
        assert_eq!(Token::number_of("k3f9", "k3f9-x"), None);
    }
}
