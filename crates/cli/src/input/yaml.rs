//! What is wrong with a text that is no YAML, in plain words: it knows the parser's errors, and passes none
//! of their words on.

use serde_saphyr::Error;

/// Says what is wrong with the text, where, and what helps.
pub(crate) fn fault(error: &Error) -> String {
    let place = error.location().map_or(String::new(), |at| {
        format!(" at line {} column {}", at.line(), at.column())
    });
    format!("is not YAML{place}: {}", what(error.without_snippet()))
}

fn what(error: &Error) -> String {
    match error {
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_ref();
            let key = key.map_or_else(|| "a name".to_owned(), |key| format!("`{key}`"));
            format!("{key} is given twice; put both into one entry, or leave one of them out")
        }
        Error::NonFiniteFloat { value, .. } => {
            format!("`{value}` is no number that can be written down; give one with digits")
        }
        Error::NullIntoString { .. } => {
            "a name is missing before a colon; give one, or remove the line".to_owned()
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            "an anchor (`&`) holds itself; write out what is meant in place of its alias (`*`)"
                .to_owned()
        }
        Error::UnknownAnchor { .. } => {
            "an alias (`*`) names no anchor (`&`); put text that begins with `*` in quotes"
                .to_owned()
        }
        Error::Eof { .. } => "it ends too early; look for what is not finished".to_owned(),
        Error::AliasError { error, .. } => what(error),
        other => syntax(&other.to_string()).to_owned(),
    }
}

/// Tells the commonest mistakes by what the parser says of them.
fn syntax(said: &str) -> &'static str {
    let said = said.to_ascii_lowercase();
    let names = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if names(&["tab"]) {
        "a tab is where spaces are wanted; indent with spaces"
    } else if names(&["quote", "quoted"]) {
        "a quote is not closed; close it, or put the whole value in quotes"
    } else if names(&["flow", "']'", "'}'", "bracket"]) {
        "a bracket is not closed, or a comma is missing; close it, or write one entry a line"
    } else if names(&["unexpected character", "control character"]) {
        "a character cannot be in it; remove it, or put the value in quotes"
    } else if names(&["indent", "block mapping", "mapping values", "simple key"]) {
        "the indentation or a colon is wrong; give entries of one part the same number of spaces, and \
         a space behind each colon"
    } else {
        "it cannot be understood; look for a missing colon, bracket or quote, and for lines that are \
         not indented alike"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn said(text: &str) -> String {
        fault(&serde_saphyr::from_multiple::<Value>(text).expect_err("it is no YAML"))
    }

    #[test]
    fn what_is_wrong_is_said_in_plain_words_with_a_way_out() {
        for (text, expected) in [
            (
                "p: {a: 1}\np: {a: 2}\n",
                "is not YAML at line 2 column 1: `p` is given twice; ",
            ),
            (
                "p: {a: .inf}",
                "column 8: `.inf` is no number that can be written down; ",
            ),
            (
                "\t: x",
                "at line 1 column 2: a name is missing before a colon; ",
            ),
            (
                "&a [*a]",
                "at line 1 column 5: an anchor (`&`) holds itself; ",
            ),
            ("a: *b", "an alias (`*`) names no anchor (`&`); "),
            ("a: [\n", "a bracket is not closed"),
            ("a: \"b\n", "a quote is not closed; "),
            ("\u{0}\u{1}", "a character cannot be in it; "),
            ("a: b: c\n", "the indentation or a colon is wrong; "),
            (
                "a:\n  - b\n c: d\n",
                "the indentation or a colon is wrong; ",
            ),
        ] {
            let said = said(text);
            assert!(said.contains(expected), "{text:?}: {said}");
            for word in ["Option<", "Policy", "policy", "recursion", "deserialize"] {
                assert!(!said.contains(word), "{said}");
            }
        }
    }
}
