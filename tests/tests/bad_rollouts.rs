//! Rollouts that cannot be meant: refused at commit, with the field, the reason and an example of
//! what would be right. Nothing changes.

use infrakit_tests::Home;
use infrakit_tests::refusal::{Kept, with};
use serde_json::{Value, json};

/// A document of ten members, with `Updating` or `Health` as given.
fn ten(part: &str, value: Value) -> Value {
    let mut document = with(&["Allocation"], json!({"Size": 10}));
    document["Properties"][part] = value;
    document
}

#[test]
fn budgets_of_everything_or_nothing_are_refused() {
    let home = Home::new();
    let kept = Kept::new(&home);
    for (updating, path) in [
        (json!({"MaxUnavailable": 0}), "Updating.MaxUnavailable"),
        (json!({"MaxUnavailable": "0%"}), "Updating.MaxUnavailable"),
        (json!({"MaxUnavailable": 10}), "Updating.MaxUnavailable"),
        (json!({"MaxUnavailable": "100%"}), "Updating.MaxUnavailable"),
        (json!({"MaxUnavailable": "-5%"}), "Updating.MaxUnavailable"),
        (json!({"MaxUnavailable": -1}), "Updating.MaxUnavailable"),
        (json!({"MaxUnavailable": "101%"}), "Updating.MaxUnavailable"),
        (json!({"MaxUnavailable": "1.5%"}), "Updating.MaxUnavailable"),
        (json!({"MaxUnavailable": "some"}), "Updating.MaxUnavailable"),
        (json!({"MaxUnavailable": true}), "Updating.MaxUnavailable"),
        (json!({"MaxSurge": "0%"}), "Updating.MaxSurge"),
        (json!({"MaxSurge": "200%"}), "Updating.MaxSurge"),
        (json!({"MaxSurge": [1]}), "Updating.MaxSurge"),
        (json!({"Order": "surge-first"}), "Updating.Order"),
        (json!({"Order": "sideways"}), "Updating.Order"),
        (json!({"Batch": 0}), "Updating.Batch"),
    ] {
        kept.refused_value(&ten("Updating", updating), path);
    }
    let mut ceiling = ten("Updating", json!({"MaxSurge": 2}));
    ceiling["Properties"]["Allocation"]["MaxInstances"] = json!(11);
    kept.refused_value(&ceiling, "Allocation.MaxInstances");
    kept.untouched_after_a_restart();
}

#[test]
fn stages_that_do_not_grow_and_windows_that_never_open_are_refused() {
    let home = Home::new();
    let kept = Kept::new(&home);
    let stages = |stages: Value| ten("Updating", json!({"Stages": stages}));
    let window = |window: Value| ten("Updating", json!({"Windows": [window]}));
    for (document, path) in [
        (stages(json!([{"Until": 0}])), "Updating.Stages[0].Until"),
        (
            stages(json!([{"Until": 3}, {"Until": 3}])),
            "Updating.Stages[1].Until",
        ),
        (
            stages(json!([{"Until": "50%"}, {"Until": "20%"}])),
            "Updating.Stages[1].Until",
        ),
        (stages(json!([{"Bake": "10m"}])), "Updating.Stages[0].Until"),
        (
            stages(json!([{"Until": 1, "Bake": "-1m"}])),
            "Updating.Stages[0].Bake",
        ),
        (stages(json!([{"Until": 1, "Aprove": true}])), "Aprove"),
        (stages(json!("5%")), "Updating.Stages"),
        (
            window(json!({"Cron": "0 0 30 2 *", "Duration": "1h"})),
            "Updating.Windows[0].Cron",
        ),
        (
            window(json!({"Cron": "61 0 * * *", "Duration": "1h"})),
            "Updating.Windows[0].Cron",
        ),
        (
            window(json!({"Cron": "at night", "Duration": "1h"})),
            "Updating.Windows[0].Cron",
        ),
        (
            window(json!({"Cron": "0 0 * * *", "Duration": "0s"})),
            "Updating.Windows[0].Duration",
        ),
        (
            window(json!({"Cron": "0 0 * * *"})),
            "Updating.Windows[0].Duration",
        ),
        (
            window(json!({"Cron": "0 0 * * *", "Duration": "1h", "TimeZone": "Moon/Base"})),
            "Updating.Windows[0].TimeZone",
        ),
    ] {
        kept.refused_value(&document, path);
    }
    kept.untouched_after_a_restart();
}

#[test]
fn thresholds_that_contradict_each_other_are_refused() {
    let home = Home::new();
    let kept = Kept::new(&home);
    for (part, value, path) in [
        (
            "Updating",
            json!({"FailureThreshold": 0}),
            "Updating.FailureThreshold",
        ),
        (
            "Updating",
            json!({"FailureThreshold": 11}),
            "Updating.FailureThreshold",
        ),
        (
            "Updating",
            json!({"Duration": "10m", "ProgressDeadline": "5m"}),
            "Updating.ProgressDeadline",
        ),
        (
            "Updating",
            json!({"ProgressDeadline": "0s"}),
            "Updating.ProgressDeadline",
        ),
        (
            "Updating",
            json!({"OnFailure": "explode"}),
            "Updating.OnFailure",
        ),
        (
            "Health",
            json!({"Threshold": 3, "Window": 2}),
            "Health.Window",
        ),
        ("Health", json!({"Threshold": 0}), "Health.Threshold"),
        ("Health", json!({"MaxUnhealthy": 0}), "Health.MaxUnhealthy"),
        (
            "Health",
            json!({"MaxUnhealthy": "100%"}),
            "Health.MaxUnhealthy",
        ),
        (
            "Health",
            json!({"MaxUnhealthy": "-10%"}),
            "Health.MaxUnhealthy",
        ),
        (
            "Health",
            json!({"Repair": ["reboot", "reboot"]}),
            "Health.Repair",
        ),
        ("Health", json!({"Repair": "reboot"}), "Health.Repair"),
        ("Health", json!({"RepairWait": "0s"}), "Health.RepairWait"),
    ] {
        kept.refused_value(&ten(part, value), path);
    }
    kept.untouched_after_a_restart();
}
