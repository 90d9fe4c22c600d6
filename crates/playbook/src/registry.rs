//! The file that names the playbooks, in the form of the original: `name: {Source, Cache}`. The
//! older form, `name: URL`, is read as well.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Deserializer};

use crate::error::Error;
use crate::files;

/// One entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// URL of the playbook.
    pub source: String,
    /// URL of its copy on this machine; empty when there is none.
    pub cache: String,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if let Some(source) = value.as_str() {
            return Ok(Self {
                source: source.to_owned(),
                cache: String::new(),
            });
        }
        let Some(map) = value.as_object() else {
            return Err(serde::de::Error::custom(
                "an entry is a URL, or a map with Source and Cache",
            ));
        };
        let field = |name: &str| {
            map.iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .and_then(|(_, value)| value.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        Ok(Self {
            source: field("Source"),
            cache: field("Cache"),
        })
    }
}

/// The playbooks by name.
pub type Entries = BTreeMap<String, Entry>;

/// Reads the file; an absent or empty one names nothing.
///
/// # Errors
/// Says why it cannot be read, or why it is no such list.
pub(crate) fn read(path: &Path) -> Result<Entries, Error> {
    let text = files::read(path)?.unwrap_or_default();
    parse(&text).map_err(|why| Error::Registry {
        path: path.to_owned(),
        why,
    })
}

/// Reads the text of the file.
///
/// # Errors
/// Says in one line why it is no such list.
pub fn parse(text: &str) -> Result<Entries, String> {
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    {
        return Ok(Entries::new());
    }
    let entries: Option<Entries> =
        serde_saphyr::from_str(text).map_err(|error| crate::one_line(&error.to_string()))?;
    Ok(entries.unwrap_or_default())
}

/// Returns the text of the file.
pub(crate) fn text(entries: &Entries) -> String {
    // What JSON quotes, YAML reads; a name that needs no quotes is kept readable.
    let quoted = |text: &str| {
        let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-._/:".contains(c))
            && !text.ends_with(':')
            && !text.contains(": ")
            && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
                .contains(&text.to_ascii_lowercase().as_str());
        if plain {
            text.to_owned()
        } else {
            serde_json::Value::from(text).to_string()
        }
    };
    let mut out = String::new();
    for (name, entry) in entries {
        out.push_str(&format!(
            "{}:\n  Cache: {}\n  Source: {}\n",
            quoted(name),
            quoted(&entry.cache),
            quoted(&entry.source)
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms_of_the_original() {
        let entries = parse(
            "demo:\n  Cache: \"\"\n  Source: file:///pb/index.yml\nold: http://h/index.yml\n",
        )
        .unwrap();
        assert_eq!(entries["demo"].source, "file:///pb/index.yml");
        assert_eq!(entries["old"].source, "http://h/index.yml");
        assert_eq!(entries["old"].cache, "");
        assert!(parse("# nothing yet\n\n").unwrap().is_empty());
        assert!(parse("- a\n").is_err() && parse("a: [1]").is_err() && parse("a: {").is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let entry = |source: &str, cache: &str| Entry {
            source: source.to_owned(),
            cache: cache.to_owned(),
        };
        let entries: Entries = [
            ("demo", entry("http://h:1/a?b=c&d", "file:///srv/x y/c.yml")),
            ("yes", entry("file:///a", "")),
            ("1", entry("https://h/'\"\u{e9}", "")),
        ]
        .map(|(name, entry)| (name.to_owned(), entry))
        .into();
        assert_eq!(parse(&text(&entries)).unwrap(), entries);
        assert_eq!(
            text(&[("web".to_owned(), entry("file:///a/i.yml", ""))].into()),
            "web:\n  Cache: \"\"\n  Source: file:///a/i.yml\n"
        );
    }
}
