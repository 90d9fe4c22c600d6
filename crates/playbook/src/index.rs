//! The text of an index: names of commands and where they are. Also what a command says about
//! itself in its first comment.

use std::collections::BTreeMap;

use serde_json::Value;

/// Mark of a directive, which no index has.
pub(crate) const DIRECTIVE: &str = "=%";

/// Commands of an index by name, each with the reference that stands for it.
pub type References = BTreeMap<String, String>;

/// Returns the commands of a rendered index, or `None` when the text is none: an index is a map
/// in YAML from names to URLs and nothing else.
///
/// ```
/// let commands = infrakit_playbook::index("# all\nstart: start.sh\naws : aws/index.yml\n").unwrap();
/// assert_eq!(commands["aws"], "aws/index.yml");
/// assert!(infrakit_playbook::index("echo hello").is_none());
/// ```
#[must_use]
pub fn index(rendered: &str) -> Option<References> {
    // Most files are scripts; the parser need not look at those.
    if !rendered.contains(':') || rendered.starts_with("#!") {
        return None;
    }
    // Words such as `on` are names here.
    let options = serde_saphyr::options! { strict_booleans: true };
    let parsed = serde_saphyr::from_str_with_options::<Value>(rendered, options);
    let Ok(Value::Object(map)) = parsed else {
        return None;
    };
    if map.is_empty() {
        return None;
    }
    map.into_iter()
        .map(|(name, reference)| match reference {
            Value::String(reference) if !reference.trim().is_empty() => {
                Some((name, reference.trim().to_owned()))
            }
            _ => None,
        })
        .collect()
}

/// Says why a command cannot have this name, if it cannot.
#[must_use]
pub fn unfit_name(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.starts_with('-') {
        return Some("it looks like a flag");
    }
    if name == "help" {
        return Some("it is the word for help");
    }
    if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("it contains a blank or a control character");
    }
    (name.len() > 100).then_some("it is longer than 100 bytes")
}

/// Returns what the first comment of a template says about it.
#[must_use]
pub fn description(text: &str) -> Option<String> {
    for line in text.lines().map(str::trim).take(20) {
        if line.is_empty() || line.starts_with("#!") {
            continue;
        }
        let comment = line
            .strip_prefix("{{/*")
            .or_else(|| line.strip_prefix("{{- /*"))
            .map(|rest| rest.split("*/").next().unwrap_or_default())
            .or_else(|| {
                line.strip_prefix('#')
                    .map(|rest| rest.trim_start_matches('#'))
            });
        let comment = comment?;
        if comment.contains(DIRECTIVE) || comment.contains("{{") {
            continue;
        }
        let words = comment.trim().trim_end_matches('.');
        if words.chars().any(char::is_alphabetic) {
            return Some(
                words
                    .chars()
                    .filter(|c| !c.is_control())
                    .take(100)
                    .collect(),
            );
        }
    }
    None
}

/// Returns the references in a template that are written out: what `source`, `include`, `fetch`
/// and `raw` are called with where it is a text without actions.
pub(crate) fn literals(text: &str) -> Vec<&str> {
    const CALLS: [&str; 4] = ["source", "include", "fetch", "raw"];
    let mut found = Vec::new();
    for action in text.split("{{").skip(1) {
        let action = action.split("}}").next().unwrap_or_default();
        for call in CALLS {
            for (at, _) in action.match_indices(call) {
                let before = action[..at].chars().next_back();
                if before.is_some_and(|c| c.is_alphanumeric() || "_$.\"`".contains(c)) {
                    continue;
                }
                let rest = &action[at + call.len()..];
                let argument = rest.trim_start();
                if argument.len() == rest.len() {
                    continue;
                }
                let Some(quote) = argument.chars().next().filter(|c| "\"`".contains(*c)) else {
                    continue;
                };
                let Some((reference, _)) = argument[1..].split_once(quote) else {
                    continue;
                };
                if !reference.contains("://") && !reference.contains('\\') {
                    found.push(reference);
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_a_map_of_names_to_urls_and_nothing_else() {
        for text in [
            "",
            "echo a: b: c",
            "a: 1",
            "a: [x]",
            "a:",
            "- a: b",
            "#!/bin/sh\na: b",
            "Properties:\n  a: b",
            "a: b\na: c",
        ] {
            assert_eq!(index(text), None, "{text}");
        }
        assert_eq!(index("on: y").unwrap()["on"], "y");
        assert_eq!(index("a  :  b.sh\n# c: d").unwrap().len(), 1);
    }

    #[test]
    fn the_first_comment_describes_a_command() {
        for (text, want) in [
            ("# Starts all.\nx", Some("Starts all")),
            (
                "#!/bin/bash\n\n{{/* =% sh %= */}}\n{{/* Stops it */}}",
                Some("Stops it"),
            ),
            ("{{- /* Trims */ -}}", Some("Trims")),
            ("echo x\n# late", None),
            ("####\n# =% sh %=", None),
        ] {
            assert_eq!(description(text).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn references_that_are_written_out_are_found() {
        let text = "{{ source \"a.sh\" }} {{ $x := include `b/c` | k \"fetch\" }} source \"no\"\n\
                    {{ fetch \"http://h/x\" }} {{ resource \"no\" }} {{ source $x }} {{ (raw \"d\") }} {{ source \"open }}";
        assert_eq!(literals(text), ["a.sh", "b/c", "d"]);
    }

    #[test]
    fn names_that_would_confuse_are_unfit() {
        for name in ["", "-a", "help", "a b", "a\n"] {
            assert!(unfit_name(name).is_some(), "{name}");
        }
        assert_eq!(unfit_name("start-all_2"), None);
    }
}
