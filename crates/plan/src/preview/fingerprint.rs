//! The name of what was shown: short, and the same whoever computes it.

use std::collections::BTreeSet;

use infrakit_spi::Any;
use infrakit_spi::hash::{Hashed, config_hash};

use super::PreviewInput;
use super::model::End;

/// Letters of a name: 60 bits, plenty to tell what was shown from whatever is there later.
const LETTERS: usize = 12;

pub(super) fn of(input: &PreviewInput<'_>, end: &End) -> String {
    let PreviewInput {
        before,
        after,
        memory,
        ..
    } = input;
    let mut going: BTreeSet<(String, String)> = end
        .waves
        .iter()
        .flat_map(|wave| &wave.go)
        .map(|one| (one.plugin.to_string(), one.id.to_string()))
        .collect();
    going.extend(end.rest.iter().cloned());
    let content = (
        memory.revision,
        before.map(|spec| spec.hash.as_str()),
        after.canonical(),
        going,
    );
    let content = Any::from_value(&content).ok();
    let name = "preview".into();
    let part = Hashed {
        plugin: &name,
        properties: content.as_ref(),
    };
    // It is no configuration; what makes their hashes short and stable serves as well here.
    let hash = config_hash(part, part).unwrap_or_default();
    hash.as_str().chars().take(LETTERS).collect()
}
