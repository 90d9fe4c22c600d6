//! Bounds of what a commit may ask for: the last value that passes, the first that does not.

use infrakit_spi::Any;

use crate::{InvalidSpec, Spec};

fn parse(text: &str) -> Result<Spec, InvalidSpec> {
    Spec::parse(Some(&Any::parse(text).unwrap()))
}

#[test]
fn bounds_are_where_they_are_said_to_be() {
    let with =
        |size: u64, part: &str| parse(&format!(r#"{{"Allocation":{{"Size":{size}}},{part}}}"#));
    for (size, part, passes) in [
        (1, r#""Updating":{"MaxSurge":1000000}"#, true),
        (1, r#""Updating":{"MaxSurge":1000001}"#, false),
        (3, r#""Updating":{"FailureThreshold":3}"#, true),
        (3, r#""Updating":{"FailureThreshold":4}"#, false),
        (0, r#""Updating":{"FailureThreshold":4}"#, true),
        (
            1,
            r#""Updating":{"Stages":[{"Until":1},{"Until":"50%"}]}"#,
            true,
        ),
        (
            2,
            r#""Updating":{"Stages":[{"Until":1},{"Until":"50%"}]}"#,
            false,
        ),
        (
            3,
            r#""Updating":{"Stages":[{"Until":1},{"Until":"50%"}]}"#,
            true,
        ),
        (
            2,
            r#""Updating":{"Stages":[{"Until":2},{"Until":3}]}"#,
            false,
        ),
        (
            1,
            r#""Updating":{"Stages":[{"Until":2},{"Until":3}]}"#,
            true,
        ),
        (2, r#""Updating":{"MaxUnavailable":1}"#, true),
        (2, r#""Updating":{"MaxUnavailable":2}"#, false),
        (1, r#""Updating":{"MaxUnavailable":2}"#, true),
        (2, r#""Health":{"MaxUnhealthy":1}"#, true),
        (2, r#""Health":{"MaxUnhealthy":2}"#, false),
        (1, r#""Health":{"MaxUnhealthy":2}"#, true),
        (1, r#""Health":{"Threshold":3,"Window":3}"#, true),
        (1, r#""Health":{"Threshold":3,"Window":2}"#, false),
        (1, r#""Health":{"Threshold":3,"Window":32}"#, true),
        (1, r#""Health":{"Threshold":3,"Window":33}"#, false),
        (1, r#""Health":{"Interval":"100ms"}"#, true),
        (1, r#""Health":{"Interval":"99ms"}"#, false),
        (
            1,
            r#""Updating":{"Duration":"10m","ProgressDeadline":"10m"}"#,
            false,
        ),
        (
            1,
            r#""Updating":{"Duration":"10m","ProgressDeadline":"11m"}"#,
            true,
        ),
    ] {
        assert_eq!(with(size, part).is_ok(), passes, "{size}: {part}");
    }
    for (ceiling, surge, passes) in [(3, 0, true), (2, 0, false), (4, 1, true), (3, 1, false)] {
        let text = format!(
            r#"{{"Allocation":{{"Size":3,"MaxInstances":{ceiling}}},"Updating":{{"MaxSurge":{surge}}}}}"#
        );
        assert_eq!(parse(&text).is_ok(), passes, "{text}");
    }
}

#[test]
fn properties_that_could_never_be_handed_to_a_plugin_are_refused() {
    let with = |part: &str, length: usize| {
        let text = "x".repeat(length - 2);
        parse(&format!(
            r#"{{"Allocation":{{"Size":1}},"{part}":{{"Plugin":"p","Properties":"{text}"}}}}"#
        ))
    };
    for part in ["Instance", "Flavor"] {
        with(part, 8 << 20).unwrap();
        let error = with(part, (8 << 20) + 1).unwrap_err().to_string();
        assert!(
            error.contains(&format!("{part}.Properties: expected at most 8 MiB")),
            "{error}"
        );
    }
}
