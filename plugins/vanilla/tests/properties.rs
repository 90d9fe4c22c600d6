//! What is refused, and what is said about it.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use infrakit_plugin_vanilla::Vanilla;
use infrakit_spi::Any;
use infrakit_spi::flavor::{Allocation, Flavor as _, Index};
use infrakit_spi::instance::InstanceSpec;
use proptest::prelude::*;
use serde_json::{Value, json};

async fn validate(properties: &Value) -> Result<(), String> {
    let any = Any::from_value(properties).unwrap();
    let validated = Vanilla::default()
        .validate(Some(&any), &Allocation::default())
        .await;
    validated.map_err(|error| error.message().to_owned())
}

fn check(fields: Value) -> Value {
    let mut check = json!({"TCP": "10.0.0.1:80"});
    check
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    json!({"HealthCheck": check})
}

/// Checks that each of the properties is refused with a message of one line that contains the text.
async fn refuses(cases: &[(Value, &str)]) {
    for (properties, want) in cases {
        let error = validate(properties)
            .await
            .expect_err(&properties.to_string());
        assert!(error.contains(want), "{properties}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn faults_of_names_types_and_numbers_are_named() {
    refuses(&[
        (
            json!({"Int": []}),
            "unknown property `Int`, did you mean `Init`?",
        ),
        (
            json!({"Init": [1]}),
            "Init[0]: expected a string, found a number",
        ),
        (json!({"Init": [], "INIT": []}), "Init: given twice"),
        (
            json!({"Tags": {"a": 1}}),
            "Tags.a: expected a string, found a number",
        ),
        (
            json!({"Tags": []}),
            "Tags: expected an object of strings, found a list",
        ),
        (
            json!({"Attachments": {}}),
            "Attachments: expected a list of {\"ID\", \"Type\"}, found an object",
        ),
        (
            json!({"Attachments": [{"Idd": "a"}]}),
            "unknown property `Attachments[0].Idd`, did you mean `ID`?",
        ),
        (
            json!({"HealthCheck": {}}),
            "HealthCheck: exactly one of Command, HTTP and TCP is needed, as in",
        ),
        (
            check(json!({"Command": ["true"]})),
            "HealthCheck: exactly one of",
        ),
        (
            check(json!({"Intervall": "1s"})),
            "unknown property `HealthCheck.Intervall`, did you mean `Interval`?",
        ),
        (
            check(json!({"Interval": "10"})),
            "HealthCheck.Interval: invalid duration `10`: it needs a unit behind each number, as in",
        ),
        (
            check(json!({"Interval": 10})),
            "HealthCheck.Interval: expected a duration as a string, like \"10s\", found a number",
        ),
        (
            check(json!({"Interval": "99ms"})),
            "HealthCheck.Interval: must be at least 100ms, as in `10s`",
        ),
        (
            check(json!({"Timeout": "0s"})),
            "HealthCheck.Timeout: must be more than 0s, as in `5s`",
        ),
        (
            check(json!({"Threshold": 0})),
            "HealthCheck.Threshold: expected 1 to 1000000, found 0",
        ),
        (
            check(json!({"Threshold": 1.5})),
            "HealthCheck.Threshold: expected 1 to 1000000, found 1.5",
        ),
        (
            check(json!({"SuccessThreshold": -1})),
            "HealthCheck.SuccessThreshold: expected 1 to 1000000, found -1",
        ),
        (
            check(json!({"TCP": "host"})),
            "HealthCheck.TCP: expected host:port, as in `10.0.0.1:80`",
        ),
        (
            check(json!({"TCP": "host:99999"})),
            "HealthCheck.TCP: expected a port from 1 to 65535",
        ),
        (
            check(json!({"TCP": "::1:80"})),
            "HealthCheck.TCP: an IPv6 address needs brackets",
        ),
        (check(json!({"TCP": "{{ .ID"})), "HealthCheck.TCP:1:"),
    ])
    .await;
}

#[tokio::test]
async fn faults_of_commands_addresses_and_templates_are_named() {
    refuses(&[
        (
            json!({"HealthCheck": {"Command": []}}),
            "HealthCheck.Command: must name a program, as in `[\"sh\", \"-c\", \"true\"]`",
        ),
        (
            json!({"HealthCheck": {"Command": "true"}}),
            "HealthCheck.Command: expected a list of strings, found a string",
        ),
        (
            json!({"HealthCheck": {"Command": ["a", "{{ nope }}"]}}),
            "function \"nope\" not defined",
        ),
        (
            json!({"HealthCheck": {"HTTP": {}}}),
            "HealthCheck.HTTP: URL is needed, as in",
        ),
        (
            json!({"HealthCheck": {"HTTP": {"URL": "https://a/"}}}),
            "HealthCheck.HTTP.URL: `https` is not supported yet, use Command with curl",
        ),
        (
            json!({"HealthCheck": {"HTTP": {"URL": "https://{{ .ID }}/"}}}),
            "`https` is not supported yet",
        ),
        (
            json!({"HealthCheck": {"HTTP": {"URL": "a b"}}}),
            "HealthCheck.HTTP.URL: not a URL",
        ),
        (
            json!({"HealthCheck": {"HTTP": {"URL": "/health"}}}),
            "the URL must start with `http://`",
        ),
        (
            json!({"HealthCheck": {"HTTP": {"URL": "http://a/", "Status": 99}}}),
            "HealthCheck.HTTP.Status: expected 100 to 599, found 99",
        ),
        (json!({"Drain": {}}), "Drain: Command is needed, as in"),
        (
            json!({"Drain": {"Command": ["true"], "Timeout": "-1s"}}),
            "Drain.Timeout: invalid duration `-1s`: it must not be negative",
        ),
        (
            json!({"InitScriptTemplateURL": "/nonexistent/t"}),
            "InitScriptTemplateURL: failed to read template `/nonexistent/t`: it does not exist",
        ),
        (
            json!({"InitScriptTemplateURL": "http://host/t"}),
            "the network is not granted",
        ),
        (
            json!({"InitScriptTemplateURL": "str://{{ if }}"}),
            "InitScriptTemplateURL: template: str://{{ if }}:1:",
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_is_right_is_accepted() {
    for properties in [
        Value::Null,
        json!({}),
        json!({"Init": null, "Tags": null, "Attachments": null, "HealthCheck": null, "Drain": null}),
        json!({"init": ["a"], "TAGS": {"a": "b"}, "attachments": [{"id": "a", "TYPE": "b"}]}),
        json!({"Init": [], "InitScriptTemplateURL": "str://{{ unixtime }}"}),
        check(
            json!({"Interval": "100ms", "Timeout": "1ms", "Threshold": 1, "SuccessThreshold": 2}),
        ),
        check(json!({"TCP": "[::1]:80"})),
        check(json!({"TCP": "{{ index .Tags \"ip\" }}:80"})),
        json!({"HealthCheck": {"HTTP": {"URL": "http://{{ .ID }}:80/x", "Status": 204}}}),
        json!({"HealthCheck": {"HTTP": {"URL": "{{ index .Tags \"url\" }}"}}}),
        json!({"Drain": {"Command": ["sh", "-c", "true"], "Timeout": "1h"}}),
    ] {
        assert_eq!(validate(&properties).await, Ok(()), "{properties}");
    }
}

#[tokio::test]
async fn a_template_file_is_rendered_anew_for_each_instance() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("init.sh");
    let url = format!("file://{}", file.display());
    let any = Any::from_value(&json!({"InitScriptTemplateURL": url})).unwrap();
    let vanilla = Vanilla::default();
    for text in ["{{ add 1 2 }}", "{{ upper `x` }} {{ var `later` }}"] {
        std::fs::write(&file, text).unwrap();
        let (allocation, index) = (Allocation::default(), Index::default());
        let prepared = vanilla
            .prepare(Some(&any), InstanceSpec::default(), &allocation, &index)
            .await;
        let want = if text.starts_with("{{ add") {
            "3"
        } else {
            "X {{ var `later` }}"
        };
        assert_eq!(prepared.unwrap().init, want);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        "[A-Za-z]{0,4}",
        prop::sample::select(vec![
            "Init",
            "Tags",
            "HealthCheck",
            "TCP",
            "HTTP",
            "URL",
            "Command",
            "Drain",
            "Timeout"
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_properties_make_it_panic(properties in any_json()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        if let Err(error) = runtime.block_on(validate(&properties)) {
            prop_assert!(!error.is_empty() && !error.contains('\n'), "{}", error);
        }
    }
}
