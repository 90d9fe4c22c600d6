//! What is said of a group in words for scripts: each condition, its reason and its moment.

use std::time::Duration;

use infrakit_plan::{
    Allowance, ConditionKind, Direction, Outcome, Pause, PausedBy, Plan, Quota, Reason, Repair,
    Roll, RollResult, Room, Spec, Step, Told, WaitingOn,
};
use infrakit_spi::FailureClass;
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Lifecycle;

use crate::bench::*;

/// Returns whether something holds, why, and the sentence.
fn said(plan: &Plan, kind: ConditionKind) -> (bool, &str, &str) {
    let condition = plan.memory.conditions.get(kind).expect("it is said");
    (condition.holds, &condition.reason, &condition.message)
}

fn three() -> Bench {
    Bench::healthy(cattle(3), &["a", "b", "c"])
}

fn v2(size: u64, more: &str) -> Spec {
    spec(
        &format!(r#"{{"Size":{size}}}"#),
        "v2",
        &format!(r#","Updating":{{{more}}}"#),
    )
}

/// Three healthy members of `v1`, and a rollout of `v2` under way.
fn rolled(more: &str) -> Bench {
    let mut bench = three();
    bench.commit(v2(3, more));
    bench
}

#[test]
fn all_is_well_in_a_group_as_specified() {
    let plan = three().preview();
    use ConditionKind::*;
    for (kind, want) in [
        (Available, (true, "EnoughServe", "2 members or more serve")),
        (
            UpToDate,
            (
                true,
                "AllCurrent",
                "all members have the configuration in force",
            ),
        ),
        (RollingOut, (false, "NoRollout", "no rollout is under way")),
        (Scaling, (false, "SizeReached", "3 members are wanted")),
        (
            Healing,
            (false, "NobodySick", "no sick member is being treated"),
        ),
        (Paused, (false, "NotPaused", "nothing is paused")),
        (Frozen, (false, "NotFrozen", "nothing is frozen")),
        (
            Degraded,
            (
                false,
                "AllWell",
                "nothing keeps the group from being as specified",
            ),
        ),
    ] {
        assert_eq!(said(&plan, kind), want);
    }
    assert_eq!(plan.memory.conditions.iter().count(), 8);
}

#[test]
fn a_group_is_available_while_as_many_serve_as_the_budget_demands() {
    let mut bench = three();
    bench.verdict("a", Health::Unhealthy);
    let plan = bench.preview();
    assert!(said(&plan, ConditionKind::Available).0);
    bench.verdict("b", Health::Unhealthy);
    let want = (false, "TooFewServe", "1 members serve, 2 are needed");
    assert_eq!(said(&bench.preview(), ConditionKind::Available), want);
}

/// A controller that has just started has asked nobody yet, which is no news about the group.
#[test]
fn members_of_a_good_revision_are_presumed_to_serve_until_they_are_asked() {
    let outcome = |result| Outcome {
        result,
        at: at(0),
        note: String::new(),
    };
    let restarted = |result| {
        let mut bench = three();
        bench.memory.outcomes.insert(0, outcome(result));
        bench.seen = infrakit_plan::Observed::default();
        bench.look();
        bench
    };
    let available = |bench: &Bench| said(&bench.preview(), ConditionKind::Available).0;
    let mut good = restarted(RollResult::Completed);
    assert!(available(&good));
    good.verdicts("a", 1, Health::Unknown);
    assert!(available(&good), "two of three are still presumed to");
    good.verdicts("b", 1, Health::Unknown);
    assert!(!available(&good), "they were asked");
    good.verdict("a", Health::Healthy);
    assert!(available(&good), "one serves, and one is presumed to");

    assert!(!available(&restarted(RollResult::RolledBack)));
    let mut unknown = restarted(RollResult::Completed);
    unknown.memory.revision = 1;
    assert!(!available(&unknown), "another revision was good");
    let mut rolling = restarted(RollResult::Completed);
    rolling.add(shown("old", "v0"));
    rolling.memory.roll = Some(Roll::begin(&rolling.seen, at(0)));
    assert!(!available(&rolling), "a rollout is no time to presume");
    let mut pending = restarted(RollResult::Completed);
    for one in &mut pending.list[..2] {
        one.state = Lifecycle::Pending;
    }
    pending.look();
    assert!(!available(&pending), "two are still coming up");
}

#[test]
fn a_rollout_says_what_is_left_and_what_it_waits_for() {
    let mut bench = rolled("");
    let plan = bench.preview();
    let left = "3 members are still to be replaced";
    let rolling = (true, "Rolling", left);
    assert_eq!(said(&plan, ConditionKind::RollingOut), rolling);
    let outdated = (
        false,
        "SomeOutdated",
        "3 members have another configuration",
    );
    assert_eq!(said(&plan, ConditionKind::UpToDate), outdated);
    bench.memory.roll.as_mut().unwrap().direction = Direction::Back;
    let back = (true, "RollingBack", left);
    assert_eq!(said(&bench.preview(), ConditionKind::RollingOut), back);

    let left = "2 members are still to be replaced";
    for (stage, reason, on) in [
        (
            r#""Stages":[{"Until":1,"Bake":"10m"}]"#,
            "Baking",
            "stage 1 of the rollout has to stand a while",
        ),
        (
            r#""Stages":[{"Until":1,"Approve":true}]"#,
            "AwaitingApproval",
            "stage 1 of the rollout waits for `rollout approve`",
        ),
    ] {
        let mut bench = rolled(stage);
        let played = bench.play(&[]);
        let want = (true, reason, &*format!("{on}; {left}"));
        assert_eq!(said(played.last(), ConditionKind::RollingOut), want);
    }
    let closed = rolled(r#""Windows":[{"Cron":"0 0 1 1 *","Duration":"1h"}]"#);
    let plan = closed.preview();
    let window = said(&plan, ConditionKind::RollingOut);
    assert_eq!((window.0, window.1), (true, "AwaitingWindow"));
}

#[test]
fn a_paused_rollout_is_said_to_be_paused_and_not_to_go_on() {
    for (by, degraded) in [
        (PausedBy::Operator, (false, "AllWell")),
        (PausedBy::Deadline, (true, "RolloutFailed")),
    ] {
        let mut bench = rolled("");
        let on = WaitingOn::Paused { by: by.clone() }.to_string();
        bench.memory.roll.as_mut().unwrap().paused = Some(Pause { by, since: at(0) });
        let plan = bench.preview();
        let rolling = (false, "Paused", &*on);
        assert_eq!(said(&plan, ConditionKind::RollingOut), rolling);
        let paused = (true, "RolloutPaused", &*on);
        assert_eq!(said(&plan, ConditionKind::Paused), paused);
        let (holds, reason, _) = said(&plan, ConditionKind::Degraded);
        assert_eq!((holds, reason), degraded);
    }
}

#[test]
fn missing_and_surplus_members_are_said_with_their_numbers() {
    let mut bench = Bench::healthy(cattle(3), &["a"]);
    let plan = bench.plan();
    let text = "1 of 3 members are there, 2 are coming";
    let missing = (true, "MembersMissing", text);
    assert_eq!(said(&plan, ConditionKind::Scaling), missing);
    // The governor lets none go for now, or there would be none too many any more.
    let mut bench = Bench::healthy(cattle(1), &["a", "b", "c"]);
    bench.config.allowance = none_goes(at(60));
    let many = (true, "MembersTooMany", "3 members are there, 1 are wanted");
    assert_eq!(said(&bench.preview(), ConditionKind::Scaling), many);
    // What a rollout makes beyond the size is meant to be there.
    let mut bench = rolled(r#""MaxSurge":1"#);
    let plan = bench.plan();
    bench.create(&plan, &["x"]);
    let reached = (false, "SizeReached", "3 members are wanted");
    assert_eq!(said(&bench.preview(), ConditionKind::Scaling), reached);
}

/// Nothing is scaled in a group that somebody froze, however many are missing.
#[test]
fn a_frozen_group_is_frozen_and_does_not_scale() {
    for members in [&["a"][..], &["a", "b", "c", "d"]] {
        let mut bench = Bench::healthy(cattle(3), members);
        bench.memory.frozen = Some(at(0));
        let plan = bench.plan();
        let (holds, reason, text) = said(&plan, ConditionKind::Scaling);
        assert_eq!((holds, reason), (false, "Frozen"));
        let there = format!(
            "{} of 3 members are there, and the group is frozen",
            members.len()
        );
        assert!(text.starts_with(&there), "{text}");
    }
}

/// Labels that were acknowledged and that no list shows are none.
#[test]
fn a_group_is_not_up_to_date_while_labels_are_missing() {
    let missing = (
        false,
        "SomeUnlabelled",
        "1 members do not have the labels of the group yet",
    );
    let mut bench = Bench::healthy(cattle(2), &["a"]);
    let asks = (
        infrakit_spi::tags::CONFIG_HASH,
        infrakit_spi::tags::BOOTSTRAP,
    );
    bench.add(tagged("x", &[asks]));
    for _ in 0..3 {
        let plan = bench.plan();
        assert_eq!(said(&plan, ConditionKind::UpToDate), missing);
        assert!(!plan.converged);
        bench.pass(Duration::from_secs(60));
        bench.look();
    }
    let mut bench = Bench::healthy(pets(&["a", "b"]), &["x", "y"]);
    bench.memory.naming = true;
    let plan = bench.plan();
    assert_eq!(adopted(&plan).len(), 2);
    let plan = bench.plan();
    let (holds, reason, _) = said(&plan, ConditionKind::UpToDate);
    assert_eq!(
        (holds, reason, plan.converged),
        (false, "SomeUnlabelled", false)
    );
}

#[test]
fn sick_members_are_healed_from_the_first_doubt_to_the_last_departure() {
    let mut bench = three();
    bench.verdicts("a", 3, Health::Unhealthy);
    let confirming = (true, "Confirming", "asking again whether `a` is sick");
    assert_eq!(said(&bench.preview(), ConditionKind::Healing), confirming);
    bench.confirm("a");
    let text = "1 sick members are being replaced or repaired";
    let replacing = (true, "Replacing", text);
    assert_eq!(said(&bench.plan(), ConditionKind::Healing), replacing);
    assert_eq!(said(&bench.plan(), ConditionKind::Healing), replacing);
    bench.remove("a");
    assert!(!said(&bench.plan(), ConditionKind::Healing).0);
    // What goes for another reason is not healed.
    let mut bench = three();
    bench.depart("a", Reason::Requested, Step::Accepted(at(0)));
    assert!(!said(&bench.preview(), ConditionKind::Healing).0);
    let bench = Bench::healthy(cattle(2), &["a", "b", "c"]);
    assert!(!said(&bench.preview(), ConditionKind::Healing).0);
}

#[test]
fn a_repair_is_healing_while_it_is_done_and_while_it_has_time_to_help() {
    let health = r#","Health":{"Repair":["reboot"],"RepairWait":"2m"}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":3}"#, "v1", health), &["a", "b", "c"]);
    bench.sicken("a");
    let plan = bench.plan();
    let begun = said(&plan, ConditionKind::Healing);
    assert_eq!((begun.0, begun.1), (true, "Replacing"));
    let text = "waiting whether `reboot` has repaired `a`";
    let repairing = (true, "Repairing", text);
    assert_eq!(said(&bench.plan(), ConditionKind::Healing), repairing);
    let repair = Repair {
        tried: 1,
        at: bench.now,
        in_flight: false,
    };
    bench.memory.repairs.0.insert("a".into(), repair);
    assert_eq!(said(&bench.plan(), ConditionKind::Healing), repairing);
}

#[test]
fn an_aborted_rollout_counts_as_paused() {
    let mut bench = rolled("");
    bench.memory.aborted = Some(bench.spec.hash.clone());
    let plan = bench.preview();
    let on = WaitingOn::Aborted { outdated: 3 }.to_string();
    let aborted = (true, "Aborted", &*on);
    assert_eq!(said(&plan, ConditionKind::Paused), aborted);
}

#[test]
fn whatever_will_not_pass_by_itself_degrades_the_group() {
    let degraded = |bench: &Bench| {
        let plan = bench.preview();
        let (holds, reason, message) = said(&plan, ConditionKind::Degraded);
        (holds, reason.to_owned(), message.to_owned())
    };
    let well = |bench: &Bench| !degraded(bench).0;
    let is = |reason: &str, message: &str| (true, reason.to_owned(), message.to_owned());

    let mut doubted = Bench::healthy(cattle(5), &["a", "b", "c", "d", "e"]);
    for id in ["b", "c"] {
        for _ in 0..2 {
            doubted.verdict(id, Health::Unhealthy);
            doubted.verdict(id, Health::Healthy);
        }
    }
    assert!(well(&doubted));
    doubted.sicken("a");
    let on = WaitingOn::Doubt { flapping: 2 }.to_string();
    assert_eq!(degraded(&doubted), is("HealthDoubted", &on));

    let mut wrong = Bench::new(cattle(1));
    let class = FailureClass::Configuration;
    wrong.fail_as(class, Told::Declared, "no such image");
    let text = "creations stopped after a configuration error: no such image";
    assert_eq!(degraded(&wrong), is("ConfigurationError", text));

    let mut full = Bench::healthy(cattle(3), &["a", "b"]);
    full.config.max_instances = Some(2);
    let on = WaitingOn::Ceiling { most: 2 }.to_string();
    assert_eq!(degraded(&full), is("CeilingReached", &on));

    let mut failing = Bench::new(cattle(1));
    for times in 1..=3 {
        assert!(well(&failing), "{times} failures may be a hiccup");
        failing.fail();
        failing.pass(Duration::from_secs(400));
    }
    let text = "3 creations in a row failed, the last with: no";
    assert_eq!(degraded(&failing), is("CreationsFail", text));

    let mut stuck = Bench::healthy(cattle(2), &["a", "b", "c"]);
    stuck.depart("c", Reason::Surplus, Step::Failed(2, at(5)));
    assert!(well(&stuck));
    stuck.depart("c", Reason::Surplus, Step::Failed(3, at(5)));
    let text = "`c` cannot be destroyed";
    assert_eq!(degraded(&stuck), is("DestructionsFail", text));
    stuck.member("c").destruction_error = Some("volume busy".into());
    let text = "`c` cannot be destroyed: volume busy";
    assert_eq!(degraded(&stuck), is("DestructionsFail", text));
    stuck.depart("c", Reason::Surplus, Step::Accepted(at(0)));
    assert!(well(&stuck));
}

#[test]
fn before_the_first_list_it_is_said_that_nothing_is_known() {
    let mut bench = three();
    let known = bench.preview();
    bench.seen = infrakit_plan::Observed::default();
    let text = "no complete list of the instances was seen yet";
    let blind = (true, "NotObserved", text);
    let plan = bench.preview();
    assert_eq!(said(&plan, ConditionKind::Degraded), blind);
    assert_eq!(plan.memory.conditions.iter().count(), 1);
    // What was said before a restart stands until then.
    bench.memory = known.memory.clone();
    assert_eq!(bench.preview().memory.conditions, known.memory.conditions);
}

#[test]
fn the_moment_changes_only_when_something_begins_or_ceases_to_hold() {
    let mut bench = Bench::healthy(cattle(3), &["a"]);
    let since = |plan: &Plan| {
        let scaling = plan.memory.conditions.get(ConditionKind::Scaling);
        scaling.expect("it is said").since
    };
    bench.config.undeclared = std::sync::Arc::default();
    bench.intend(1, None).doubt = DOUBT;
    bench.intend(2, None).doubt = DOUBT;
    assert_eq!(since(&bench.plan()), at(0));
    bench.now = at(10);
    assert_eq!(since(&bench.plan()), at(0), "nothing has changed");
    bench.now = at(20);
    bench.add(and(shown("b", "v1"), infrakit_spi::tags::TOKEN, "n-1"));
    let plan = bench.plan();
    let text = "2 of 3 members are there, 1 are coming";
    let missing = (true, "MembersMissing", text);
    assert_eq!(said(&plan, ConditionKind::Scaling), missing);
    assert_eq!(since(&plan), at(0), "members are missing as before");
    bench.now = at(30);
    bench.add(and(shown("c", "v1"), infrakit_spi::tags::TOKEN, "n-2"));
    assert_eq!(since(&bench.plan()), at(30), "none is missing any more");
    bench.now = at(40);
    bench.spec = cattle(2);
    bench.config.allowance = none_goes(at(60));
    assert_eq!(since(&bench.plan()), at(40), "one is too many");
}

#[test]
fn an_outdated_member_is_taken_to_serve_unless_it_was_found_not_to() {
    let mut bench = three();
    bench.spec = v2(3, "");
    bench.memory.held = ["a".into(), "b".into(), "c".into()].into();
    let available = |bench: &Bench| said(&bench.preview(), ConditionKind::Available).0;
    let mut blind = bench.clone();
    blind.seen = infrakit_plan::Observed::default();
    blind.look();
    assert!(available(&blind), "nothing is known against them");
    for id in ["a", "b"] {
        bench.verdict(id, Health::Unknown);
    }
    assert!(available(&bench), "they did well");
    for id in ["a", "b"] {
        bench.verdict(id, Health::Unhealthy);
        bench.verdict(id, Health::Unknown);
    }
    assert!(
        !available(&bench),
        "they did not, and silence is no service"
    );
}

/// The governor lets none go before `next`.
fn none_goes(next: infrakit_plan::Timestamp) -> Allowance {
    let destroys = Quota {
        left: Some(0),
        next,
        ..Quota::default()
    };
    let room = Room {
        destroys,
        ..Room::default()
    };
    Allowance::from([("file".into(), room)])
}

/// A member without an identity is nobody's where members are named, and nobody labels it.
#[test]
fn a_group_is_up_to_date_beside_a_member_without_an_identity_that_is_left_alone() {
    let mut bench = Bench::named(pets(&["a", "b"]), &["a", "b"]);
    bench.add(shown("x", "v1"));
    for _ in 0..3 {
        let plan = bench.plan();
        let (holds, reason, text) = said(&plan, ConditionKind::UpToDate);
        assert_eq!((holds, reason), (true, "AllCurrent"), "{text}");
        bench.pass(Duration::from_secs(60));
        bench.look();
    }
}
