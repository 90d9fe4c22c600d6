use std::collections::BTreeSet;

use super::*;

#[test]
fn every_function_is_described_once_and_its_usage_parses() {
    let mut names = BTreeSet::new();
    for help in functions() {
        assert!(names.insert(help.name), "{} twice", help.name);
        assert!(!help.about.is_empty() && help.signature.starts_with("func("));
        Engine::new().check(help.usage, help.name).unwrap();
        assert!(help.usage.contains(help.name), "{}", help.name);
    }
    assert!(BUILTINS.iter().all(|name| names.contains(name)));
}
