//! Text seen as words: cases, initials, line breaks, what is cut short.

use super::args::Args;
use super::{Arity, Bounded, Function, Outcome, made};
use crate::value::{text, to_text};

const TEXT: &str = "func(string) string";

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "title",
        Arity::Exactly(1),
        TEXT,
        "{{ title \"hello world\" }}",
        "Starts each word with a capital.",
        |args| first_letters(args, char::to_uppercase),
    ),
    made(
        "untitle",
        Arity::Exactly(1),
        TEXT,
        "{{ untitle \"Hello World\" }}",
        "Starts each word with a small letter.",
        |args| first_letters(args, char::to_lowercase),
    ),
    made(
        "initials",
        Arity::Exactly(1),
        TEXT,
        "{{ initials \"First Try\" }}",
        "Returns the first letter of each word.",
        |args| {
            let words = args.string(0)?.split_whitespace();
            Ok(text(
                words
                    .filter_map(|word| word.chars().next())
                    .collect::<String>(),
            ))
        },
    ),
    made(
        "swapcase",
        Arity::Exactly(1),
        TEXT,
        "{{ swapcase \"This Is A.Test\" }}",
        "Makes capitals small, and small letters capitals.",
        swapcase,
    ),
    made(
        "snakecase",
        Arity::Exactly(1),
        TEXT,
        "{{ snakecase \"FirstName\" }}",
        "Joins the words of a text, in small letters, with underscores.",
        |args| Ok(text(words(args.string(0)?).join("_"))),
    ),
    made(
        "kebabcase",
        Arity::Exactly(1),
        TEXT,
        "{{ kebabcase \"FirstName\" }}",
        "Joins the words of a text, in small letters, with hyphens.",
        |args| Ok(text(words(args.string(0)?).join("-"))),
    ),
    made(
        "camelcase",
        Arity::Exactly(1),
        TEXT,
        "{{ camelcase \"http_server\" }}",
        "Joins the words of a text, each with a capital.",
        camelcase,
    ),
    made(
        "plural",
        Arity::Exactly(3),
        "func(string, string, int) string",
        "{{ 2 | plural \"one egg\" \"many eggs\" }}",
        "Returns the first argument for one, else the second.",
        |args| Ok(text(args.string(usize::from(args.int(2) != 1))?)),
    ),
    made(
        "abbrev",
        Arity::Exactly(2),
        "func(int, string) string",
        "{{ abbrev 5 \"hello world\" }}",
        "Cuts a text to a length, with an ellipsis at its end.",
        |args| {
            let (width, plain) = (args.int(0), args.string(1)?);
            Ok(text(abbreviate(&chars(plain), 0, width)))
        },
    ),
    made(
        "abbrevboth",
        Arity::Exactly(3),
        "func(int, int, string) string",
        "{{ abbrevboth 5 10 \"1234 5678 9123\" }}",
        "Cuts a text at both sides, with an ellipsis there: from a position on, to a length.",
        |args| {
            let (from, width, plain) = (args.int(0), args.int(1), args.string(2)?);
            if from > 0 && width < 7 {
                return Ok(text(plain));
            }
            Ok(text(abbreviate(&chars(plain), from, width)))
        },
    ),
    made(
        "wrap",
        Arity::Exactly(2),
        "func(int, string) string",
        "{{ wrap 5 \"aaa bbb ccc\" }}",
        "Breaks a text into lines of at most a length, between words.",
        |args| {
            let (width, plain) = (args.count(0)?, args.string(1)?);
            wrap(plain, width, "\n", LongWords::Keep)
        },
    ),
    made(
        "wrapWith",
        Arity::Exactly(3),
        "func(int, string, string) string",
        "{{ wrapWith 5 \"|\" \"aaa bbbbbbbb\" }}",
        "Breaks a text as wrap does, also within long words, with another mark between the lines.",
        |args| {
            let (width, mark, plain) = (args.count(0)?, args.string(1)?, args.string(2)?);
            wrap(plain, width, mark, LongWords::Break)
        },
    ),
    made(
        "trimAll",
        Arity::Exactly(2),
        "func(string, string) string",
        "{{ trimAll \"$\" \"$5.00$\" }}",
        "Removes all of the characters in the first argument from both ends of the second.",
        trim_all,
    ),
    made(
        "trimall",
        Arity::Exactly(2),
        "func(string, string) string",
        "{{ trimall \"$\" \"$5.00$\" }}",
        "The same as trimAll.",
        trim_all,
    ),
    made(
        "toString",
        Arity::Exactly(1),
        "func(interface {}) string",
        "{{ toString 1.5 }}",
        "Returns a value as print writes it.",
        |args| Ok(text(to_text(args.value(0)))),
    ),
    made(
        "toStrings",
        Arity::Exactly(1),
        "func(interface {}) []string",
        "{{ toStrings (list 1 true) }}",
        "Returns the items of a list as texts, leaving out those without value.",
        |args| {
            Ok(gotmpl::Value::List(
                super::strings::items(args.value(0))
                    .iter()
                    .map(|item| text(to_text(item)))
                    .collect(),
            ))
        },
    ),
    made(
        "sortAlpha",
        Arity::Exactly(1),
        "func(interface {}) []string",
        "{{ sortAlpha (list \"b\" \"a\") }}",
        "Sorts a list by its items as texts.",
        |args| {
            let items = super::strings::items(args.value(0));
            let mut texts: Vec<String> = items
                .iter()
                .map(|item| to_text(item).into_owned())
                .collect();
            texts.sort();
            Ok(gotmpl::Value::List(texts.into_iter().map(text).collect()))
        },
    ),
];

fn first_letters<I: Iterator<Item = char>>(args: &Args<'_>, change: fn(char) -> I) -> Outcome {
    let plain = args.string(0)?;
    let mut out = Bounded::default();
    let mut inside = false;
    let mut buffer = [0; 4];
    for c in plain.chars() {
        if inside {
            out.push(c.encode_utf8(&mut buffer))?;
        } else {
            for changed in change(c) {
                out.push(changed.encode_utf8(&mut buffer))?;
            }
        }
        inside = c.is_alphanumeric() || c == '_' || c == '\'';
    }
    out.done()
}

fn swapcase(args: &Args<'_>) -> Outcome {
    let swapped: String = args
        .string(0)?
        .chars()
        .flat_map(|c| -> Box<dyn Iterator<Item = char>> {
            if c.is_uppercase() {
                Box::new(c.to_lowercase())
            } else {
                Box::new(c.to_uppercase())
            }
        })
        .collect();
    Ok(text(swapped))
}

/// Splits a text into words, in small letters: at what is no letter or digit, where small letters
/// end, at the last of several capitals, and before a number that small letters follow.
fn words(plain: &str) -> Vec<String> {
    let chars: Vec<char> = plain.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (at, c) in chars.iter().copied().enumerate() {
        if matches!(c, '_' | '-' | ' ' | '\t' | '\n') {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied();
        if !word.is_empty() && before.is_some_and(|before| begins(&chars, at, before, &word)) {
            words.push(std::mem::take(&mut word));
        }
        word.extend(c.to_lowercase());
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn begins(chars: &[char], at: usize, before: char, word: &str) -> bool {
    let c = chars[at];
    let next = chars.get(at + 1);
    if c.is_uppercase() {
        return !before.is_uppercase() || next.is_some_and(|next| next.is_lowercase());
    }
    if c.is_ascii_digit() && !before.is_ascii_digit() {
        let number = word.starts_with(|first: char| first.is_ascii_digit());
        let after = chars[at..].iter().find(|c| !c.is_ascii_digit());
        return !number && after.is_some_and(|after| after.is_lowercase());
    }
    false
}

fn camelcase(args: &Args<'_>) -> Outcome {
    let mut out = String::new();
    for word in args.string(0)?.split(['_', '-', ' ']) {
        let shouted = !word.chars().any(char::is_lowercase);
        for (at, c) in word.chars().enumerate() {
            if at == 0 {
                out.extend(c.to_uppercase());
            } else if shouted {
                out.extend(c.to_lowercase());
            } else {
                out.push(c);
            }
        }
    }
    Ok(text(out))
}

fn trim_all(args: &Args<'_>) -> Outcome {
    let unwanted: Vec<char> = args.string(0)?.chars().collect();
    Ok(text(args.string(1)?.trim_matches(unwanted.as_slice())))
}

fn chars(plain: &str) -> Vec<char> {
    plain.chars().collect()
}

/// Cuts `plain` to `width` characters from about `from` on, as sprig does: an ellipsis counts.
fn abbreviate(plain: &[char], from: i64, width: i64) -> String {
    let all = || plain.iter().collect();
    let (Ok(width), Ok(from)) = (usize::try_from(width), usize::try_from(from.max(0))) else {
        return all();
    };
    if width < 4 || plain.len() <= width {
        return all();
    }
    let kept = width - 3;
    let mut from = from.min(plain.len());
    if plain.len() - from < kept {
        from = plain.len() - kept;
    }
    let part = |range: std::ops::Range<usize>| plain[range].iter().collect::<String>();
    if from <= 4 {
        return format!("{}...", part(0..kept));
    }
    if from + kept < plain.len() {
        return format!("...{}", abbreviate(&plain[from..], 0, kept as i64));
    }
    format!("...{}", part(plain.len() - kept..plain.len()))
}

/// What happens to words that are longer than a line.
#[derive(Clone, Copy, PartialEq)]
enum LongWords {
    Keep,
    Break,
}

fn wrap(plain: &str, width: usize, mark: &str, long: LongWords) -> Outcome {
    let chars = chars(plain);
    let width = width.max(1);
    let mut out = Bounded::default();
    let line = |from: usize, to: usize| chars[from..to].iter().collect::<String>();
    let mut at = 0;
    while chars.len() - at > width {
        if chars[at] == ' ' {
            at += 1;
            continue;
        }
        let space = (at..=at + width)
            .rev()
            .find(|at| chars.get(*at) == Some(&' '));
        let end = match (space, long) {
            (Some(space), _) => Some((space, space + 1)),
            (None, LongWords::Break) => Some((at + width, at + width)),
            (None, LongWords::Keep) => {
                let space = (at + width..chars.len()).find(|at| chars[*at] == ' ');
                space.map(|space| (space, space + 1))
            }
        };
        let Some((end, next)) = end else {
            break;
        };
        out.push(&line(at, end))?;
        out.push(mark)?;
        at = next;
    }
    out.push(&line(at, chars.len()))?;
    out.done()
}
