//! Defaults, the canonical form, and the faults that decoding finds.

use std::time::Duration;

use infrakit_spi::Any;
use proptest::prelude::*;

use super::*;
use crate::Timestamp;

fn parse(text: &str) -> Result<Spec, InvalidSpec> {
    Spec::parse(Some(&Any::parse(text).unwrap()))
}

fn refused(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn the_originals_messages() {
    assert_eq!(
        Spec::parse(None).unwrap_err().to_string(),
        "Allocation must not be blank"
    );
    assert_eq!(
        refused(r#"{"Allocation":{}}"#),
        "Allocation must not be blank"
    );
    assert_eq!(
        refused(r#"{"Allocation":{"Size":2,"LogicalIDs":["a"]}}"#),
        "Only one Allocation method may be used"
    );
    assert_eq!(
        refused(r#"{"Allocation":{"Size":2},"Updating":{"Count":2,"Duration":"1s"}}"#),
        "Only one Updating method may be used"
    );
}

#[test]
fn faults_name_their_place_and_a_way_out() {
    for (text, want) in [
        (
            r#""hello""#,
            "Invalid properties: Properties: expected an object, found a string",
        ),
        (
            r#"{"Alocation":{"Size":1}}"#,
            "Invalid properties: Alocation: unknown field; did you mean `Allocation`?",
        ),
        (
            r#"{"Allocation":{"Size":-2}}"#,
            "Invalid properties: Allocation.Size: expected a whole number from 0 to 1000000, found `-2`",
        ),
        (
            r#"{"Allocation":{"Size":5000000000}}"#,
            "Invalid properties: Allocation.Size: expected a whole number from 0 to 1000000, found `5000000000`",
        ),
        (
            r#"{"Allocation":{"LogicalIDs":["a","b","a"]}}"#,
            "Invalid properties: Allocation.LogicalIDs[2]: `a` is listed twice",
        ),
        (
            r#"{"Allocation":{"Size":1},"Updating":{"Duration":"10"}}"#,
            "Invalid properties: Updating.Duration: invalid duration `10`: it needs a unit behind each number, as in `30s`, `1m30s` or `250ms`",
        ),
        (
            r#"{"Allocation":{"Size":1},"Updating":{"SkipBeforeInstanceDestroy":"drian"}}"#,
            "Invalid properties: Updating.SkipBeforeInstanceDestroy: expected \"drain\", found `drian`",
        ),
    ] {
        assert_eq!(refused(text), want);
    }
}

#[test]
fn names_match_without_case_and_zero_is_a_size() {
    let spec = parse(r#"{"allocation":{"size":0},"instance":{"plugin":"file"}}"#).unwrap();
    assert_eq!(
        (spec.size, spec.instance.plugin),
        (Size::Cattle(0), "file".into())
    );
}

#[test]
fn canonical_form_has_every_field_and_parses_back() {
    let spec = parse(
        r#"{"Allocation":{"LogicalIDs":["a"]},"Instance":{"Plugin":"file","Properties":{"b":1.50,"a":2}},"Flavor":{"Plugin":"vanilla"}}"#,
    )
    .unwrap();
    assert_eq!(
        spec.canonical().as_str(),
        r#"{"Instance":{"Plugin":"file","Properties":{"b":1.50,"a":2}},"Flavor":{"Plugin":"vanilla","Properties":null},"Allocation":{"Size":0,"LogicalIDs":["a"]},"Updating":{"Duration":"0s","Count":0,"SkipBeforeInstanceDestroy":null}}"#
    );
    assert_eq!(Spec::parse(Some(&spec.canonical())).unwrap(), spec);
}

#[test]
fn only_instance_and_flavor_enter_the_hash() {
    let base = parse(r#"{"Allocation":{"Size":1},"Instance":{"Plugin":"file"}}"#).unwrap();
    let other = parse(
        r#"{"Instance":{"Plugin":"file"},"Allocation":{"Size":9},"Updating":{"Count":2},"Health":{"Threshold":1}}"#,
    )
    .unwrap();
    assert_eq!(base.hash, other.hash);
}

#[test]
fn what_is_not_said_means_what_it_always_meant() {
    let spec = parse(r#"{"Allocation":{"Size":10}}"#).unwrap();
    assert_eq!(spec.updating, Updating::default());
    assert_eq!(spec.health, HealthPolicy::default());
    assert_eq!(spec.max_instances, None);
    assert_eq!(
        (spec.surge(10), spec.unavailable(10), spec.order(10)),
        (0, 1, Order::DestroyFirst)
    );
    assert_eq!(spec.updating.on_failure, OnFailure::Pause);
    assert_eq!(spec.updating.opening(Timestamp(5)), Opening::Always);
    let health = spec.health;
    assert_eq!(
        (health.threshold, health.window, health.grace_period),
        (3, 3, Duration::from_secs(300))
    );
    assert_eq!(
        (health.unhealthy_limit(10), health.unhealthy_limit(1)),
        (4, 1)
    );
    assert_eq!(
        (health.repair, health.repair_wait),
        (vec![], Duration::from_secs(300))
    );
}

#[test]
fn the_budget_follows_the_size() {
    for (size, updating, want) in [
        (10, r#"{"MaxSurge":"25%"}"#, (3, 0, Order::SurgeFirst)),
        (
            10,
            r#"{"MaxUnavailable":"25%"}"#,
            (0, 2, Order::DestroyFirst),
        ),
        (
            3,
            r#"{"MaxUnavailable":"10%"}"#,
            (0, 1, Order::DestroyFirst),
        ),
        (
            3,
            r#"{"MaxUnavailable":"10%","MaxSurge":1}"#,
            (1, 0, Order::SurgeFirst),
        ),
        (
            3,
            r#"{"MaxUnavailable":1,"MaxSurge":1}"#,
            (1, 1, Order::SurgeFirst),
        ),
        (
            3,
            r#"{"MaxUnavailable":1,"MaxSurge":1,"Order":"destroy-first"}"#,
            (1, 1, Order::DestroyFirst),
        ),
        (1, r#"{"MaxUnavailable":1}"#, (0, 1, Order::DestroyFirst)),
        // Contradictions that a change of the size makes: all of several never go at once.
        (2, r#"{"MaxUnavailable":5}"#, (0, 1, Order::DestroyFirst)),
        (
            2,
            r#"{"MaxUnavailable":5,"MaxSurge":1}"#,
            (1, 1, Order::SurgeFirst),
        ),
        (0, r#"{"MaxUnavailable":5}"#, (0, 1, Order::DestroyFirst)),
        (0, r#"{"MaxSurge":"50%"}"#, (0, 1, Order::DestroyFirst)),
    ] {
        let text = format!(r#"{{"Allocation":{{"Size":{size}}},"Updating":{updating}}}"#);
        let spec = Spec::decode(Some(&Any::parse(&text).unwrap())).unwrap();
        assert_eq!(
            (spec.surge(size), spec.unavailable(size), spec.order(size)),
            want,
            "{text}"
        );
    }
}

#[test]
fn a_ceiling_takes_from_the_surge_and_identities_leave_none() {
    for (allocation, want) in [
        (r#"{"Size":10,"MaxInstances":11}"#, (1, 0)),
        (r#"{"Size":10,"MaxInstances":10}"#, (0, 1)),
        (r#"{"Size":10,"MaxInstances":3}"#, (0, 1)),
        (r#"{"LogicalIDs":["a","b"]}"#, (0, 1)),
    ] {
        let text = format!(r#"{{"Allocation":{allocation},"Updating":{{"MaxSurge":5}}}}"#);
        assert!(parse(&text).is_err(), "{text}");
        let spec = Spec::decode(Some(&Any::parse(&text).unwrap())).unwrap();
        let size = spec.size.count();
        assert_eq!((spec.surge(size), spec.unavailable(size)), want, "{text}");
    }
}

#[test]
fn stages_round_up_and_batches_down() {
    let text = r#"{"Allocation":{"Size":9},"Updating":{"Batch":"20%","Stages":[{"Until":"5%"},{"Until":"50%"},{"Until":30}]}}"#;
    let spec = parse(text).unwrap();
    let reaches = |size| -> Vec<u64> {
        let stages = spec.updating.stages.iter();
        stages.map(|stage| stage.reaches(size)).collect()
    };
    assert_eq!((reaches(9), spec.batch()), (vec![1, 5, 9], Some(1)));
    assert_eq!(
        (reaches(0), spec.with_size(0).batch()),
        (vec![0, 0, 0], Some(1))
    );
}

#[test]
fn each_field_is_read() {
    let spec = parse(EVERYTHING).unwrap();
    let updating = &spec.updating;
    assert_eq!(spec.max_instances, Some(120));
    assert_eq!(updating.max_unavailable, Some(Share::Percent(10)));
    assert_eq!(updating.max_surge, Some(Share::Count(3)));
    assert_eq!(updating.order, Some(Order::DestroyFirst));
    assert_eq!(updating.batch, Some(Share::Count(20)));
    assert_eq!(
        updating.stages,
        [
            Stage {
                until: Share::Count(1),
                bake: Duration::ZERO,
                approve: false
            },
            Stage {
                until: Share::Percent(25),
                bake: Duration::from_secs(600),
                approve: true
            }
        ]
    );
    assert_eq!(updating.progress_deadline, Some(Duration::from_secs(900)));
    assert_eq!(updating.failure_threshold, Some(Share::Percent(5)));
    assert_eq!(updating.on_failure, OnFailure::Rollback);
    assert_eq!(updating.windows.len(), 2);
    assert_eq!(spec.health.window, 5);
    assert_eq!(spec.health.max_unhealthy, Some(Share::Percent(30)));
    assert_eq!(spec.health.repair, ["reboot", "reimage"]);
    assert_eq!(spec.health.repair_wait, Duration::from_secs(120));
}

/// Every field that there is, as the canonical form writes it.
const EVERYTHING: &str = concat!(
    r#"{"Instance":{"Plugin":"file","Properties":null},"Flavor":{"Plugin":"vanilla","Properties":null},"#,
    r#""Allocation":{"Size":100,"LogicalIDs":null,"MaxInstances":120},"#,
    r#""Updating":{"Duration":"10s","Count":0,"SkipBeforeInstanceDestroy":"drain","#,
    r#""MaxUnavailable":"10%","MaxSurge":3,"Order":"destroy-first","Batch":20,"#,
    r#""Stages":[{"Until":1},{"Until":"25%","Bake":"10m0s","Approve":true}],"#,
    r#""ProgressDeadline":"15m0s","FailureThreshold":"5%","OnFailure":"rollback","#,
    r#""Windows":[{"Cron":"0 22 * * 1-5","Duration":"4h0m0s","TimeZone":"Europe/Berlin"},"#,
    r#"{"Cron":"0 0 * * sat,sun","Duration":"24h0m0s"}]},"#,
    r#""Health":{"GracePeriod":"1m0s","Threshold":2,"Interval":"5s","Window":5,"#,
    r#""MaxUnhealthy":"30%","Repair":["reboot","reimage"],"RepairWait":"2m0s"}}"#,
);

#[test]
fn the_canonical_form_of_everything_is_stable() {
    assert_eq!(parse(EVERYTHING).unwrap().canonical().as_str(), EVERYTHING);
}

fn share(least: u64, most: u8) -> impl Strategy<Value = String> {
    prop_oneof![
        (least..2000).prop_map(|count| count.to_string()),
        (u8::try_from(least).unwrap()..=most).prop_map(|percent| format!("\"{percent}%\"")),
    ]
}

/// A field that is there or not.
fn maybe(
    name: &'static str,
    value: impl Strategy<Value = String> + 'static,
) -> impl Strategy<Value = Option<String>> {
    prop::option::of(value.prop_map(move |value| format!("\"{name}\":{value}")))
}

fn object(fields: Vec<Option<String>>, turn: usize) -> String {
    let mut fields: Vec<String> = fields.into_iter().flatten().collect();
    if !fields.is_empty() {
        let by = turn % fields.len();
        fields.rotate_left(by);
    }
    format!("{{{}}}", fields.join(","))
}

fn duration() -> impl Strategy<Value = String> {
    (1_u64..100_000).prop_map(|ms| format!("\"{ms}ms\""))
}

fn one_of(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(names).prop_map(|name| format!("\"{name}\""))
}

fn updating() -> impl Strategy<Value = Vec<Option<String>>> {
    let stage = (share(1, 100), maybe("Bake", duration()), any::<bool>()).prop_map(
        |(until, bake, approve)| {
            let until = Some(format!("\"Until\":{until}"));
            object(vec![until, bake, Some(format!("\"Approve\":{approve}"))], 0)
        },
    );
    let window = (duration(), one_of(&["0 22 * * 1-5", "*/5 1,2 3 jan *"]))
        .prop_map(|(duration, cron)| format!("{{\"Cron\":{cron},\"Duration\":{duration}}}"));
    let list = |of: Vec<String>| format!("[{}]", of.join(","));
    (
        maybe("MaxUnavailable", share(0, 100)),
        maybe("MaxSurge", share(0, 100)),
        maybe("Order", one_of(&["surge-first", "destroy-first"])),
        maybe("Batch", share(1, 100)),
        maybe("Stages", prop::collection::vec(stage, 0..4).prop_map(list)),
        maybe("ProgressDeadline", duration()),
        maybe("FailureThreshold", share(1, 100)),
        maybe("OnFailure", one_of(&["pause", "rollback", "continue"])),
        maybe(
            "Windows",
            prop::collection::vec(window, 0..3).prop_map(list),
        ),
        maybe("Duration", duration()),
    )
        .prop_map(|(a, b, c, d, e, f, g, h, i, j)| vec![a, b, c, d, e, f, g, h, i, j])
}

fn health() -> impl Strategy<Value = Vec<Option<String>>> {
    (
        maybe("GracePeriod", duration()),
        maybe("Threshold", (1_u32..9).prop_map(|count| count.to_string())),
        maybe("Window", (1_u32..9).prop_map(|count| count.to_string())),
        maybe("MaxUnhealthy", share(1, 99)),
        maybe("Repair", Just(r#"["reboot"]"#.to_owned())),
        maybe("RepairWait", duration()),
    )
        .prop_map(|(a, b, c, d, e, f)| vec![a, b, c, d, e, f])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_canonical_form_reads_back_and_nothing_but_instance_and_flavor_is_hashed(
        size in 0_u64..1000,
        ceiling in maybe("MaxInstances", (1_u64..2000).prop_map(|count| count.to_string())),
        updating in updating(),
        health in prop::option::of(health()),
        turn in 0_usize..100,
    ) {
        let instance = |turn| object(
            vec![Some(r#""Plugin":"file""#.into()), Some(r#""Properties":{"b":1,"a":[2]}"#.into())],
            turn,
        );
        let text = |turn| object(
            vec![
                Some(format!("\"Instance\":{}", instance(turn))),
                Some(r#""Flavor":{"Plugin":"vanilla"}"#.to_owned()),
                Some(format!(
                    "\"Allocation\":{}",
                    object(vec![Some(format!("\"Size\":{size}")), ceiling.clone()], turn)
                )),
                Some(format!("\"Updating\":{}", object(updating.clone(), turn))),
                health.clone().map(|health| format!("\"Health\":{}", object(health, turn))),
            ],
            turn,
        );
        let read = |text: &str| Spec::decode(Some(&Any::parse(text).unwrap())).unwrap();
        let spec = read(&text(0));
        prop_assert_eq!(&read(spec.canonical().as_str()), &spec);
        prop_assert_eq!(&read(&text(turn)), &spec);
        let plain = r#"{"Instance":{"Plugin":"file","Properties":{"a":[2],"b":1}},"Flavor":{"Plugin":"vanilla"},"Allocation":{"Size":0}}"#;
        prop_assert_eq!(&read(plain).hash, &spec.hash);
        // What a commit takes is what is carried out.
        if let Ok(parsed) = Spec::parse(Some(&Any::parse(&text(0)).unwrap())) {
            prop_assert_eq!(parsed, spec);
        }
    }

    #[test]
    fn no_budget_lets_all_of_several_go_or_nothing(
        size in 0_u64..1000,
        unavailable in share(0, 100),
        surge in share(0, 100),
        ceiling in 1_u64..1200,
    ) {
        let text = format!(
            r#"{{"Allocation":{{"Size":{size},"MaxInstances":{ceiling}}},"Updating":{{"MaxUnavailable":{unavailable},"MaxSurge":{surge}}}}}"#
        );
        let spec = Spec::decode(Some(&Any::parse(&text).unwrap())).unwrap();
        prop_assert!(spec.unavailable(size) + spec.surge(size) > 0);
        prop_assert!(size < 2 || spec.unavailable(size) < size);
        prop_assert!(spec.surge(size) == 0 || size + spec.surge(size) <= ceiling);
        prop_assert!(spec.order(size) != Order::DestroyFirst || spec.unavailable(size) > 0);
        prop_assert!(spec.order(size) != Order::SurgeFirst || spec.surge(size) > 0);
    }
}

#[test]
fn a_fault_says_what_stands_where_an_object_should() {
    for (found, said) in [
        ("true", "true or false"),
        ("false", "true or false"),
        ("7", "a number"),
        ("-7", "a number"),
        (r#""7""#, "a string"),
        ("[]", "a list"),
    ] {
        let text = format!(r#"{{"Allocation":{{"Size":1}},"Updating":{found}}}"#);
        let want = format!("Invalid properties: Updating: expected an object, found {said}");
        assert_eq!(refused(&text), want);
    }
    let nothing = refused(r#"{"Allocation":{"Size":1},"Updating":{"Stages":[null]}}"#);
    let want = "Invalid properties: Updating.Stages[0]: expected an object, found null";
    assert_eq!(nothing, want);
    // Something long is said by its kind, something short as it is.
    for (length, shown) in [
        (38, format!("`\"{}\"`", "x".repeat(38))),
        (39, "a string".to_owned()),
    ] {
        let long = "x".repeat(length);
        let text = format!(r#"{{"Allocation":{{"Size":"{long}"}}}}"#);
        assert!(
            refused(&text).ends_with(&format!("found {shown}")),
            "{length}"
        );
    }
}

/// Decoding lets pass what only commits refuse; whoever plans keeps to what is possible.
#[test]
fn an_order_without_room_for_it_is_the_other_one() {
    let decode = |updating: &str| {
        let text = format!(r#"{{"Allocation":{{"Size":3}},"Updating":{{{updating}}}}}"#);
        Spec::decode(Some(&Any::parse(&text).unwrap())).unwrap()
    };
    for (updating, order) in [
        (r#""Order":"surge-first""#, Order::DestroyFirst),
        (r#""MaxSurge":1"#, Order::SurgeFirst),
        (r#""MaxSurge":1,"Order":"destroy-first""#, Order::SurgeFirst),
        (
            r#""MaxSurge":1,"MaxUnavailable":1,"Order":"destroy-first""#,
            Order::DestroyFirst,
        ),
    ] {
        assert_eq!(decode(updating).order(3), order, "{updating}");
    }
    assert_eq!(
        decode(r#""Order":"surge-first""#).updating.order(3),
        Order::DestroyFirst
    );
    assert_eq!(decode("").with_size(5).size, Size::Cattle(5));
}

#[test]
fn losses_are_decoded_bounded_and_shown_as_they_were_given() {
    let text = r#"{"Allocation":{"Size":3},"Losses":{"AtOnce":"20%","ConfirmAfter":"30s"}}"#;
    let spec = Spec::parse(Some(&Any::parse(text).unwrap())).unwrap();
    assert_eq!(spec.losses.at_once, Some(Share::Percent(20)));
    assert_eq!(spec.losses.confirm_after, Some(Duration::from_secs(30)));
    assert_eq!(spec.losses.silent_after(), Duration::from_secs(60));
    let shown = spec.canonical();
    let expected = r#""Losses":{"AtOnce":"20%","ConfirmAfter":"30s"}"#;
    assert!(shown.as_str().contains(expected), "{shown:?}");
    for (field, said) in [
        (
            r#""SilentAfter":"25h""#,
            "Losses.SilentAfter: expected at most \"24h\"",
        ),
        (r#""AtOnce":"101%""#, "Losses.AtOnce: "),
        (r#""After":"1s""#, "Losses.After: unknown field"),
    ] {
        let text = format!(r#"{{"Allocation":{{"Size":3}},"Losses":{{{field}}}}}"#);
        let error = Spec::parse(Some(&Any::parse(&text).unwrap())).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}
