//! Licence expressions: `OR`, `AND`, `WITH` and parentheses, judged against a list of allowed ones.
//!
//! Knows nothing about packages. `/` between two licences is the old spelling of `OR`.

use std::collections::BTreeSet;

/// Whether the licence `expression` can be met with licences from `allowed` alone.
///
/// Fails when the text is not a licence expression, since a licence that nobody can read is not
/// a licence that somebody allowed.
pub(crate) fn permitted(expression: &str, allowed: &BTreeSet<String>) -> Result<bool, String> {
    let words = words(expression);
    let mut reader = Reader {
        words: &words,
        allowed,
    };
    let verdict = reader.any()?;
    match reader.words.first() {
        None => Ok(verdict),
        Some(rest) => Err(format!("unexpected `{rest}` in licence `{expression}`")),
    }
}

fn words(expression: &str) -> Vec<String> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    spaced.split_whitespace().map(str::to_owned).collect()
}

struct Reader<'a> {
    words: &'a [String],
    allowed: &'a BTreeSet<String>,
}

impl Reader<'_> {
    fn any(&mut self) -> Result<bool, String> {
        let mut verdict = self.all()?;
        while self.take("OR") {
            // Both sides are read even when the first decides, so that a broken tail is found.
            let next = self.all()?;
            verdict = verdict || next;
        }
        Ok(verdict)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut verdict = self.one()?;
        while self.take("AND") {
            let next = self.one()?;
            verdict = verdict && next;
        }
        Ok(verdict)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let verdict = self.any()?;
            return if self.take(")") {
                Ok(verdict)
            } else {
                Err("missing `)`".to_owned())
            };
        }
        let name = self.name()?;
        if self.take("WITH") {
            let exception = self.name()?;
            // An exception only adds permissions, so the bare licence is enough.
            let whole = format!("{name} WITH {exception}");
            return Ok(self.allowed.contains(&whole) || self.allowed.contains(&name));
        }
        Ok(self.allowed.contains(&name))
    }

    fn name(&mut self) -> Result<String, String> {
        let (first, rest) = self
            .words
            .split_first()
            .ok_or_else(|| "licence expression ends early".to_owned())?;
        if ["OR", "AND", "WITH", "(", ")"].contains(&first.as_str()) {
            return Err(format!("expected a licence, found `{first}`"));
        }
        self.words = rest;
        Ok(first.clone())
    }

    fn take(&mut self, word: &str) -> bool {
        match self.words.split_first() {
            Some((first, rest)) if first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(expression: &str) -> Result<bool, String> {
        let allowed = ["MIT", "Apache-2.0", "Unicode-3.0"].map(str::to_owned);
        permitted(expression, &allowed.into())
    }

    #[test]
    fn expressions_are_judged_as_spdx_reads_them() {
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("MIT OR GPL-3.0-only", true),
            ("MIT AND GPL-3.0-only", false),
            ("MIT/Apache-2.0", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("(GPL-2.0-only OR MPL-2.0) AND MIT", false),
            ("GPL-2.0-only OR MIT AND Apache-2.0", true),
            ("MIT AND GPL-2.0-only OR Apache-2.0", true),
            ("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only", true),
            ("GPL-2.0-only WITH Classpath-exception-2.0", false),
        ] {
            assert_eq!(judge(expression), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for expression in [
            "",
            "MIT OR",
            "OR MIT",
            "(MIT",
            "MIT)",
            "MIT Apache-2.0",
            "MIT WITH",
        ] {
            assert!(judge(expression).is_err(), "{expression}");
        }
    }
}
