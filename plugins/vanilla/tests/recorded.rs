//! The original's answers, replayed at the level of the trait. `recorded.jsonl` holds one call a
//! line: method, parameters, and result or error message.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use infrakit_plugin_vanilla::Vanilla;
use infrakit_spi::flavor::{Flavor as _, wire};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Recorded {
    case: String,
    method: String,
    params: Value,
    result: Option<Value>,
    error: Option<String>,
}

/// Where our answer differs, with the message that we give, and why.
const DEVIATIONS: [(&str, &str); 4] = [
    // Our decoder names the path and both types in plain words.
    (
        "Validate bad props: Init is a string",
        "Init: expected a list of strings, found a string",
    ),
    (
        "Validate bad props: not an object",
        "Properties: expected an object, found a list",
    ),
    // The original ignores what it does not know, so that a typing error goes unnoticed.
    (
        "Validate unknown property ignored",
        "unknown property `Zzz`, known are Init, InitScriptTemplateURL, Tags, Attachments, HealthCheck, Drain",
    ),
    // The original's text names a directory of its own; ours the URL, the place and the column.
    (
        "Prepare template error",
        "InitScriptTemplateURL: template: str://{{ nosuchfunc }}:1:4: function \"nosuchfunc\" not defined",
    ),
];

async fn answer(recorded: &Recorded) -> Result<Value, String> {
    let vanilla = Vanilla::default();
    let params = || recorded.params.clone();
    let done = json!({"Type": "", "OK": true});
    let answer = match recorded.method.as_str() {
        "Flavor.Validate" => {
            let request: wire::ValidateRequest = serde_json::from_value(params()).unwrap();
            let validated = vanilla.validate(request.properties.as_ref(), &request.allocation);
            validated.await.map(|()| done)
        }
        "Flavor.Prepare" => {
            let request: wire::PrepareRequest =
                serde_json::from_str(&params().to_string()).unwrap();
            vanilla
                .prepare(
                    request.properties.as_ref(),
                    request.spec,
                    &request.allocation,
                    &request.index,
                )
                .await
                .map(|spec| {
                    serde_json::to_value(wire::PrepareResponse {
                        kind: String::new(),
                        spec,
                    })
                    .unwrap()
                })
        }
        "Flavor.Healthy" => {
            let request: wire::InstanceRequest =
                serde_json::from_str(&params().to_string()).unwrap();
            vanilla
                .healthy(request.properties.as_ref(), &request.instance)
                .await
                .map(|health| {
                    serde_json::to_value(wire::HealthyResponse {
                        kind: String::new(),
                        health,
                    })
                    .unwrap()
                })
        }
        "Flavor.Drain" => {
            let request: wire::InstanceRequest =
                serde_json::from_str(&params().to_string()).unwrap();
            vanilla
                .drain(request.properties.as_ref(), &request.instance)
                .await
                .map(|()| done)
        }
        other => panic!("{other} is not a method of flavors"),
    };
    answer.map_err(|error| error.message().to_owned())
}

#[tokio::test]
async fn answers_as_the_original_did() {
    let mut deviations = 0;
    let mut cases = 0;
    for line in include_str!("recorded.jsonl").lines() {
        let recorded: Recorded = serde_json::from_str(line).unwrap();
        let got = answer(&recorded).await;
        cases += 1;
        if let Some((_, want)) = DEVIATIONS.iter().find(|(case, _)| *case == recorded.case) {
            assert_eq!(got.unwrap_err(), *want, "{}", recorded.case);
            deviations += 1;
            continue;
        }
        let want = recorded
            .result
            .clone()
            .ok_or_else(|| recorded.error.clone().unwrap());
        assert_eq!(got, want, "{}", recorded.case);
    }
    assert_eq!(deviations, DEVIATIONS.len());
    assert!(cases >= 12, "{cases} cases");
}
