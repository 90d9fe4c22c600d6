//! Specs of the one group of these tests.

use infrakit_spi::Any;
use infrakit_spi::group::GroupSpec;

/// The one group of these tests.
pub(crate) const GROUP: &str = "g";

/// A spec of the group.
pub(crate) fn spec(allocation: &str, (plugin, note): (&str, &str), more: &str) -> GroupSpec {
    let text = format!(
        r#"{{"Allocation":{allocation},"Instance":{{"Plugin":"{plugin}","Properties":{{"Note":"{note}"}}}},"Flavor":{{"Plugin":"fine"}}{more}}}"#
    );
    GroupSpec {
        id: GROUP.into(),
        properties: Some(Any::parse(&text).unwrap()),
    }
}

/// The same for another group.
pub(crate) fn named(id: &str, raw: GroupSpec) -> GroupSpec {
    GroupSpec {
        id: id.into(),
        ..raw
    }
}

/// `size` like members of configuration `note`.
pub(crate) fn cattle(size: u64, note: &str) -> GroupSpec {
    spec(&format!(r#"{{"Size":{size}}}"#), ("file", note), "")
}
