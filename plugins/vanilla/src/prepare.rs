//! What the flavor adds to the spec of a new instance. Pure.

use infrakit_spi::instance::InstanceSpec;

use crate::properties::{Init, Properties};

/// Returns `spec` with the init script, tags and attachments of `properties`; `script` is the
/// output of the init script's template, where there is one.
///
/// What is absent stays absent when there is nothing to add: the original tells `null` from empty.
pub(crate) fn prepare(
    properties: &Properties,
    script: Option<&str>,
    mut spec: InstanceSpec,
) -> InstanceSpec {
    let mut parts: Vec<&str> = Vec::new();
    parts.extend((!spec.init.is_empty()).then_some(spec.init.as_str()));
    match &properties.init {
        Init::Lines(lines) => parts.extend(lines.iter().map(String::as_str)),
        Init::Template(_) => parts.extend(script),
    }
    spec.init = parts.join("\n");
    if !properties.tags.is_empty() {
        let tags = spec.tags.get_or_insert_default();
        tags.extend(
            properties
                .tags
                .iter()
                .map(|(key, value)| (key.clone(), value.clone())),
        );
    }
    if !properties.attachments.is_empty() {
        spec.attachments
            .get_or_insert_default()
            .extend(properties.attachments.iter().cloned());
    }
    spec
}

#[cfg(test)]
mod tests {
    use infrakit_spi::Tags;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_of_the_spec_is_lost(
            init in "[a-z\n]{0,10}",
            lines in proptest::collection::vec("[a-z ]{0,6}", 0..5),
            before in proptest::collection::btree_map("[a-c]", "[x-z]", 0..4),
            added in proptest::collection::btree_map("[a-c]", "[x-z]", 0..4),
        ) {
            let properties = Properties {
                init: Init::Lines(lines.clone()),
                tags: added.clone(),
                ..Properties::default()
            };
            let spec = InstanceSpec { init: init.clone(), tags: Some(before.clone()), ..InstanceSpec::default() };
            let got = prepare(&properties, None, spec);
            prop_assert!(got.init.starts_with(&init));
            prop_assert!(got.init.ends_with(&lines.join("\n")));
            let tags: Tags = before.into_iter().chain(added).collect();
            prop_assert_eq!(got.tags, Some(tags));
        }

        #[test]
        fn nothing_to_add_changes_nothing(init in ".{0,10}") {
            let spec = InstanceSpec { init, ..InstanceSpec::default() };
            prop_assert_eq!(prepare(&Properties::default(), None, spec.clone()), spec);
        }
    }
}
