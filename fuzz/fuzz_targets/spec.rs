//! Any text as a document: read as JSON and as YAML, decoded as each kind of document, and as the
//! properties of a group. A spec that is accepted has a canonical form, which means the same.

#![no_main]

use infrakit_plan::Spec;
use infrakit_spi::Any;
use infrakit_spi::document::{self, GroupEntry, Object, PluginSpec};
use infrakit_spi::group::GroupSpec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(any) = Any::parse(text) {
        document(&any);
    }
    if let Ok(value) = serde_saphyr::from_str::<serde_json::Value>(text)
        && let Ok(any) = Any::from_value(&value)
    {
        document(&any);
    }
});

fn document(any: &Any) {
    let _ = any.decode::<GroupEntry>();
    let _ = any.decode::<PluginSpec>();
    if let Ok(object) = any.decode::<Object>() {
        let written = Any::from_value(&object).expect("what was read can be written");
        written.decode::<Object>().expect("and read again");
    }
    if let Ok(spec) = any.decode::<document::Spec>() {
        let _ = spec.address();
        properties(spec.properties.as_ref());
    }
    if let Ok(group) = any.decode::<GroupSpec>() {
        properties(group.properties.as_ref());
    }
    properties(Some(any));
}

/// Reads the properties of a group, as a commit does, and as one that is in force already.
fn properties(any: Option<&Any>) {
    let _ = Spec::decode(any);
    let Ok(spec) = Spec::parse(any) else {
        return;
    };
    let canonical = spec.canonical();
    let again = Spec::parse(Some(&canonical))
        .unwrap_or_else(|error| panic!("{}: {error}", canonical.as_str()));
    assert_eq!(again.canonical().as_str(), canonical.as_str());
    assert_eq!(again.size, spec.size);
}
