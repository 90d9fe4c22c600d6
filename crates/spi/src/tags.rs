//! Tags on instances, and the keys that InfraKit itself writes and reads.

use std::collections::BTreeMap;

/// Tags of an instance, sorted by key.
pub type Tags = BTreeMap<String, String>;

/// Membership: the id of the group that owns the instance.
pub const GROUP: &str = "infrakit.group";
/// The config hash that the instance was made from, under the key of the newest original.
pub const CONFIG_HASH: &str = "infrakit.config.hash";
/// The config hash under the key of the original up to v0.5, and of its tutorial.
pub const CONFIG_SHA: &str = "infrakit.config_sha";
/// The value of the config hash that asks for adoption.
pub const BOOTSTRAP: &str = "bootstrap";
/// The logical id of a pet.
pub const LOGICAL_ID: &str = "infrakit.logical_id";
/// The token of the journaled intent that made the instance; see `ARCHITECTURE.md`, "Intents".
pub const TOKEN: &str = "infrakit.token";

/// Returns the config hash among `tags`, under either key; the newer key wins.
#[must_use]
pub fn config_hash(tags: &Tags) -> Option<&str> {
    tags.get(CONFIG_HASH)
        .or_else(|| tags.get(CONFIG_SHA))
        .map(String::as_str)
}

/// Returns whether `tags` has every pair of `filter`. An absent tag never matches.
#[must_use]
pub fn matches(tags: Option<&Tags>, filter: &Tags) -> bool {
    filter
        .iter()
        .all(|(key, value)| tags.and_then(|tags| tags.get(key)) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_tag_never_matches() {
        let filter = Tags::from([("a".to_owned(), "1".to_owned())]);
        assert!(!matches(None, &filter));
        assert!(!matches(Some(&Tags::new()), &filter));
        assert!(matches(Some(&filter), &filter));
        assert!(matches(None, &Tags::new()));
    }
}
