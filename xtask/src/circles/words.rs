//! Rust source as words and marks: no comments, no texts, nothing that only tests compile.

/// A word or a mark of a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or a keyword.
    Word(String),
    /// `::`.
    Colons,
    /// Any other mark.
    Mark(char),
}

impl Token {
    /// Whether it is this word.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }

    /// The word, if it is one.
    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Colons | Self::Mark(_) => None,
        }
    }
}

/// A source file in tokens, and the modules that only tests compile.
pub(super) struct Source {
    pub(super) tokens: Vec<Token>,
    pub(super) only_tests: Vec<String>,
}

/// Reads a source file.
pub(super) fn read(text: &str) -> Source {
    let (mut tokens, mut only_tests) = (Vec::new(), Vec::new());
    let all = tokenize(text);
    let mut rest = all.as_slice();
    while let Some((token, after)) = rest.split_first() {
        if let Some(item) = after_test_mark(rest) {
            let length = length_of_item(item);
            let named = item.iter().position(|token| token.is("mod"));
            let name = named.and_then(|at| item[..length].get(at + 1)?.word());
            only_tests.extend(name.map(str::to_owned));
            rest = &item[length..];
        } else {
            tokens.push(token.clone());
            rest = after;
        }
    }
    Source { tokens, only_tests }
}

/// Returns what follows `#[cfg(test)]`, where `tokens` begin with it.
fn after_test_mark(tokens: &[Token]) -> Option<&[Token]> {
    let mark = |sign| Token::Mark(sign);
    let word = |word: &str| Token::Word(word.to_owned());
    tokens.strip_prefix(&[
        mark('#'),
        mark('['),
        word("cfg"),
        mark('('),
        word("test"),
        mark(')'),
        mark(']'),
    ])
}

/// How many tokens the first item has: up to its `;`, or to the end of its body.
fn length_of_item(tokens: &[Token]) -> usize {
    let imports = tokens
        .iter()
        .find(|token| token.is("use") || token.is("mod"));
    let imports = imports.is_some_and(|token| token.is("use"));
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Mark('{' | '(' | '[') => depth += 1,
            Token::Mark(close @ ('}' | ')' | ']')) => {
                depth = depth.saturating_sub(1);
                if depth == 0 && *close == '}' && !imports {
                    return at + 1;
                }
            }
            Token::Mark(';') if depth == 0 => return at + 1,
            Token::Mark(_) | Token::Word(_) | Token::Colons => {}
        }
    }
    tokens.len()
}

fn tokenize(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(sign) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_text(rest) {
            length
        } else if sign == '"' {
            quoted(rest)
        } else if sign == '\'' {
            letter(rest)
        } else if sign.is_alphanumeric() || sign == '_' {
            let inside = |sign: char| sign.is_alphanumeric() || sign == '_';
            let length = rest.find(|sign| !inside(sign)).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..length].to_owned()));
            length
        } else if rest.starts_with("::") {
            tokens.push(Token::Colons);
            2
        } else {
            if !sign.is_whitespace() {
                tokens.push(Token::Mark(sign));
            }
            sign.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of `r#"…"#`, where the text begins with one.
fn raw_text(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let fences = after.len() - after.trim_start_matches('#').len();
    let inside = after[fences..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(fences));
    let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
    Some(text.len() - inside.len() + length)
}

/// The length of the text in quotes that `text` begins with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, sign) in text.char_indices().skip(1) {
        match sign {
            '"' if !escaped => return at + 1,
            sign => escaped = sign == '\\' && !escaped,
        }
    }
    text.len()
}

/// The length of a letter in quotes, or of the mark of a lifetime.
fn letter(text: &str) -> usize {
    let mut signs = text.char_indices().skip(1);
    match (signs.next(), signs.next()) {
        (Some((_, '\\')), Some((after, _))) => {
            let end = text[after + 1..].find('\'');
            end.map_or(text.len(), |end| after + 1 + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let tokens = read(text).tokens;
        tokens
            .iter()
            .filter_map(|token| token.word().map(str::to_owned))
            .collect()
    }

    #[test]
    fn comments_and_texts_are_no_words() {
        let text = r##"a /* b */ "c\"d" r#"e"f"# 'g' '\'' '\u{1F}' &'h i // j
            k"##;
        assert_eq!(words(text), ["a", "h", "i", "k"]);
    }

    #[test]
    fn what_only_tests_compile_is_left_out() {
        let text = "a; #[cfg(test)] mod tests { fn b() {} } c; #[cfg(test)] mod d; e; \
                    #[cfg(test)] use crate::{f}; g";
        assert_eq!(words(text), ["a", "c", "e", "g"]);
        assert_eq!(read(text).only_tests, ["tests", "d"]);
    }
}
