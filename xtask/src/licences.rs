//! Licences of everything that is linked in, against the list in deny.toml.
//!
//! `cargo deny` does more, but a fresh machine does not have it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::spdx;
use crate::step::{Line, root};

/// Checks each package of the build; returns how many there are.
pub(crate) fn check() -> Result<usize, String> {
    let rules = std::fs::read_to_string(root().join("deny.toml"))
        .map_err(|error| format!("cannot read deny.toml: {error}"))?;
    let allowed = list(&rules, "licenses", "allow")?;
    let mut metadata = Line::new("cargo metadata --locked --format-version 1");
    for target in list(&rules, "graph", "targets")? {
        metadata = metadata.arg("--filter-platform").arg(target);
    }
    let metadata: Value = serde_json::from_str(&metadata.output()?)
        .map_err(|error| format!("cargo metadata is not JSON: {error}"))?;
    judge(&metadata, &allowed)
}

fn judge(metadata: &Value, allowed: &BTreeSet<String>) -> Result<usize, String> {
    // Packages of other platforms are listed as well; only what the resolved graph names counts.
    let linked: BTreeSet<&str> = array(metadata, "/resolve/nodes")?
        .iter()
        .filter_map(|node| node.pointer("/id").and_then(Value::as_str))
        .collect();
    let mut refused = Vec::new();
    for package in array(metadata, "/packages")? {
        let text = |field: &str| package.get(field).and_then(Value::as_str);
        if !text("id").is_some_and(|id| linked.contains(id)) {
            continue;
        }
        let name = format!(
            "{} {}",
            text("name").unwrap_or("?"),
            text("version").unwrap_or("?")
        );
        match text("license") {
            None => refused.push(format!("{name} states no licence")),
            Some(expression) => match spdx::permitted(expression, allowed) {
                Ok(true) => {}
                Ok(false) => refused.push(format!("{name} is under `{expression}`")),
                Err(why) => refused.push(format!("{name}: {why}")),
            },
        }
    }
    if refused.is_empty() {
        return Ok(linked.len());
    }
    Err(format!(
        "not allowed by deny.toml:\n      {}",
        refused.join("\n      ")
    ))
}

fn array<'a>(value: &'a Value, pointer: &str) -> Result<&'a Vec<Value>, String> {
    let found = value.pointer(pointer).and_then(Value::as_array);
    found.ok_or_else(|| format!("cargo metadata has no list at {pointer}"))
}

/// The strings of `key = [ … ]` in the table `[table]`: the little of TOML that deny.toml uses.
fn list(text: &str, table: &str, key: &str) -> Result<BTreeSet<String>, String> {
    let missing = || format!("deny.toml has no list `{key}` in [{table}]");
    let body: Vec<&str> = text
        .lines()
        .skip_while(|line| line.trim() != format!("[{table}]"))
        .skip(1)
        .take_while(|line| !(line.starts_with('[') && line.trim_end().ends_with(']')))
        .map(|line| line.split('#').next().unwrap_or_default())
        .collect();
    let body = body.join("\n");
    let (_, after) = body.split_once(&format!("{key} = [")).ok_or_else(missing)?;
    let (inside, _) = after.split_once(']').ok_or_else(missing)?;
    let items = inside
        .split(',')
        .map(|item| item.trim().trim_matches('"').to_owned());
    Ok(items.filter(|item| !item.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn build(licence: Value) -> Value {
        json!({
            "packages": [
                {"id": "a", "name": "a", "version": "1.0.0", "license": "MIT"},
                {"id": "b", "name": "b", "version": "2.0.0", "license": licence},
                {"id": "unused", "name": "unused", "version": "1.0.0", "license": null},
            ],
            "resolve": {"nodes": [{"id": "a"}, {"id": "b"}]},
        })
    }

    #[test]
    fn every_linked_package_is_judged_and_no_other() {
        let allowed = BTreeSet::from(["MIT".to_owned()]);
        assert_eq!(judge(&build(json!("MIT OR GPL-2.0")), &allowed), Ok(2));
        let why = judge(&build(json!("GPL-2.0")), &allowed).expect_err("not on the list");
        assert!(why.contains("b 2.0.0 is under `GPL-2.0`"), "{why}");
        assert!(judge(&build(Value::Null), &allowed).is_err());
    }

    #[test]
    fn lists_are_found_in_their_own_table() {
        let text = "[x]\nallow = [\"no\"]\n[licenses]\n# allow = [\n\
                    allow = [\n    \"MIT\", # why\n    \"ISC\",\n]\n[y]\nother = []\n";
        let expected = BTreeSet::from(["ISC".to_owned(), "MIT".to_owned()]);
        assert_eq!(list(text, "licenses", "allow"), Ok(expected));
        assert!(list(text, "y", "allow").is_err());
    }
}
