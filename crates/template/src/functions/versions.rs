//! Semantic versions, and the ranges of them that sprig's library reads.

use gotmpl::Value;
use semver::Version;

use super::args::Args;
use super::{Arity, Function, Outcome, made};
use crate::value::{map, text};

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "semver",
        Arity::Exactly(1),
        "func(string) (*semver.Version, error)",
        "{{ (semver \"v1.2.3-rc.1+build5\").Minor }}",
        "Splits a version into a dict with Major, Minor, Patch, Prerelease, Metadata and Original.",
        parts,
    ),
    made(
        "semverCompare",
        Arity::Exactly(2),
        "func(string, string) (bool, error)",
        "{{ semverCompare \"^1.2.0\" \"1.4.5\" }}",
        "Tells whether a version is in a range: =, !=, >, <, >=, <=, ~, ^, 1.2.x, 1.2 - 1.4, with spaces or commas for and, || for or.",
        |args| {
            let version = version(args.string(1)?)?;
            matches(args.string(0)?, &version).map(Value::Bool)
        },
    ),
];

/// Reads a version, in which a `v` may stand before it, and parts may be missing.
fn version(written: &str) -> Result<Version, String> {
    let wrong = || format!("`{written}` is no semantic version, as in `1.2.3`");
    let plain = written.trim();
    let plain = plain.strip_prefix(['v', 'V']).unwrap_or(plain);
    let end = plain.find(['-', '+']).unwrap_or(plain.len());
    let (numbers, rest) = plain.split_at(end);
    let mut numbers: Vec<&str> = numbers.split('.').collect();
    if numbers.len() > 3 {
        return Err(wrong());
    }
    numbers.resize(3, "0");
    Version::parse(&format!("{}{rest}", numbers.join("."))).map_err(|_| wrong())
}

fn parts(args: &Args<'_>) -> Outcome {
    let original = args.string(0)?;
    let version = version(original)?;
    let number = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    Ok(map([
        ("Major", number(version.major)),
        ("Minor", number(version.minor)),
        ("Patch", number(version.patch)),
        ("Prerelease", text(version.pre.as_str())),
        ("Metadata", text(version.build.as_str())),
        ("Original", text(original)),
    ]))
}

fn matches(range: &str, version: &Version) -> Result<bool, String> {
    for alternative in range.split("||") {
        if all_match(alternative, version)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn all_match(range: &str, version: &Version) -> Result<bool, String> {
    if let Some((from, to)) = range.split_once(" - ") {
        return Ok(
            one_matches(">=", from.trim(), version)? && one_matches("<=", to.trim(), version)?
        );
    }
    let mut words = range.split([',', ' ']).filter(|word| !word.is_empty());
    let mut any = false;
    while let Some(word) = words.next() {
        let start = word
            .find(|c: char| !"=!<>~^".contains(c))
            .unwrap_or(word.len());
        let (operator, number) = word.split_at(start);
        // A space may stand between the two.
        let number = if number.is_empty() {
            words.next().unwrap_or_default()
        } else {
            number
        };
        any = true;
        if !one_matches(operator, number, version)? {
            return Ok(false);
        }
    }
    if any {
        Ok(true)
    } else {
        Err("the range is empty, as in `>=1.2.3`".to_owned())
    }
}

/// A version of which parts may be left open.
struct Pattern {
    /// How many of the three numbers are given.
    given: usize,
    low: Version,
}

fn pattern(written: &str) -> Result<Pattern, String> {
    let plain = written.strip_prefix(['v', 'V']).unwrap_or(written);
    let end = plain.find(['-', '+']).unwrap_or(plain.len());
    let numbers: Vec<&str> = plain[..end].split('.').collect();
    let open = |part: &&str| matches!(*part, "x" | "X" | "*" | "");
    let given = numbers.iter().take_while(|part| !open(part)).count();
    if given == 0 && numbers.first().is_some_and(|part| !part.is_empty()) {
        return Ok(Pattern {
            given,
            low: Version::new(0, 0, 0),
        });
    }
    let rest = if given == numbers.len() {
        &plain[end..]
    } else {
        ""
    };
    let low = version(&format!("{}{rest}", numbers[..given].join(".")))?;
    Ok(Pattern { given, low })
}

/// Returns the first version behind all that agree with `low` in its first `kept` numbers.
fn end(low: &Version, kept: usize) -> Version {
    match kept {
        0 => Version::new(u64::MAX, 0, 0),
        1 => Version::new(low.major.saturating_add(1), 0, 0),
        2 => Version::new(low.major, low.minor.saturating_add(1), 0),
        _ => Version::new(low.major, low.minor, low.patch.saturating_add(1)),
    }
}

fn one_matches(operator: &str, written: &str, version: &Version) -> Result<bool, String> {
    let Pattern { given, low } = pattern(written)?;
    // What is not released matches only a range that speaks of such versions.
    if !version.pre.is_empty() && low.pre.is_empty() && operator != "!=" {
        return Ok(false);
    }
    let inside = |from: &Version, to: &Version| version >= from && version < to;
    let whole = given == 3;
    Ok(match operator {
        "" | "=" if whole => version.cmp_precedence(&low).is_eq(),
        "" | "=" => inside(&low, &end(&low, given)),
        "!=" if whole => version.cmp_precedence(&low).is_ne(),
        "!=" => !inside(&low, &end(&low, given)),
        ">" if whole => version.cmp_precedence(&low).is_gt(),
        ">" => *version >= end(&low, given),
        ">=" | "=>" => version.cmp_precedence(&low).is_ge(),
        "<" => version.cmp_precedence(&low).is_lt(),
        "<=" | "=<" if whole => version.cmp_precedence(&low).is_le(),
        "<=" | "=<" => *version < end(&low, given),
        "~" | "~>" => inside(&low, &end(&low, given.min(2))),
        "^" => {
            let kept = match (low.major, low.minor) {
                (0, 0) if given == 3 => 3,
                (0, _) if given >= 2 => 2,
                _ => 1,
            };
            inside(&low, &end(&low, kept.min(given)))
        }
        other => return Err(format!("`{other}` compares no versions")),
    })
}
