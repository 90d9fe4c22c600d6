//! Too many sick at once, verdicts that contradict themselves, and repairs.

use std::time::Duration;

use infrakit_plan::{ConditionKind, Reason, WaitingOn};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Lifecycle;
use infrakit_spi::tags;

use crate::bench::*;

#[test]
fn two_of_three_are_too_many_and_one_is_not() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c"]);
    bench.sicken("a");
    bench.sicken("b");
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    let open = WaitingOn::Breaker {
        domain: None,
        unhealthy: 2,
        most: 1,
    };
    assert!(plan.waiting.contains(&open));
    let degraded = plan.memory.conditions.get(ConditionKind::Degraded).unwrap();
    assert_eq!(
        (degraded.holds, degraded.reason.as_str()),
        (true, "TooManySick")
    );
    // One gets well: the breaker closes by itself, after a moment, and the other is replaced.
    bench.verdict("a", Health::Healthy);
    assert!(destroyed(&bench.plan()).is_empty());
    bench.pass(Duration::from_secs(10));
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [("b", Reason::Unhealthy)]);
    assert!(plan.memory.breaker.is_none());
}

/// The first to be past its grace period would be judged alone, although those that were made with it
/// are no better.
#[test]
fn none_of_those_that_never_came_up_is_judged_before_the_others() {
    let mut bench = Bench::new(cattle(3));
    for (second, id) in ["a", "b", "c"].into_iter().enumerate() {
        bench.now = at(second as u64);
        bench.add(shown(id, "v1"));
    }
    bench.now = at(300);
    for id in ["a", "b", "c"] {
        bench.verdicts(id, 15, Health::Unhealthy);
    }
    let plan = bench.preview();
    assert!(destroyed(&plan).is_empty());
    let open = |on: &WaitingOn| matches!(on, WaitingOn::Breaker { unhealthy: 3, .. });
    assert!(plan.waiting.iter().any(open), "{:?}", plan.waiting);
    // One of three is its own trouble.
    for id in ["b", "c"] {
        bench.verdict(id, Health::Healthy);
    }
    assert_eq!(destroyed(&bench.preview()), [("a", Reason::Unhealthy)]);
}

/// Adds a member that comes up, by its plugin's word: nobody can be asked how it is.
fn add_pending(bench: &mut Bench, id: &str) {
    let mut pending = shown(id, "v1");
    pending.state = Lifecycle::Pending;
    bench.add(pending);
}

/// Nothing tells that member from an observer that errs about everybody, and the others can be asked soon.
#[test]
fn who_can_be_asked_alone_is_not_judged_before_others_were_asked() {
    let surge = r#","Updating":{"MaxSurge":2,"MaxUnavailable":1}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":3}"#, "v1", surge), &["a"]);
    add_pending(&mut bench, "b");
    add_pending(&mut bench, "c");
    bench.verdicts("a", 40, Health::Unhealthy);
    let plan = bench.preview();
    assert!(destroyed(&plan).is_empty());
    let waits = WaitingOn::Confirmation { id: "a".into() };
    assert!(plan.waiting.contains(&waits), "{:?}", plan.waiting);
    // Those that do not come up keep nobody from being healed for ever.
    let mut stuck = bench.clone();
    stuck.pass(bench.spec.health.grace_period);
    stuck.verdict("a", Health::Unhealthy);
    assert_eq!(destroyed(&stuck.preview()), [("a", Reason::Unhealthy)]);
    // They are up, and nobody has heard of them yet.
    for place in [1, 2] {
        bench.list[place].state = Lifecycle::Running;
    }
    bench.look();
    assert!(destroyed(&bench.preview()).is_empty());
    bench.verdict("b", Health::Unknown);
    assert!(destroyed(&bench.preview()).is_empty());
    // Those that are well show that the observer can tell.
    bench.verdict("b", Health::Healthy);
    bench.verdict("c", Health::Healthy);
    assert_eq!(destroyed(&bench.preview()), [("a", Reason::Unhealthy)]);
}

/// Where the others did not come up in time, its own verdicts have to agree for longer, as in a group of
/// one.
#[test]
fn who_can_be_asked_alone_has_no_witnesses() {
    let mut bench = Bench::healthy(cattle(2), &["a"]);
    add_pending(&mut bench, "b");
    bench.pass(bench.spec.health.grace_period);
    bench.verdicts("a", 13, Health::Unhealthy);
    assert!(destroyed(&bench.preview()).is_empty());
    bench.verdicts("a", 20, Health::Unhealthy);
    assert_eq!(destroyed(&bench.preview()), [("a", Reason::Unhealthy)]);
}

/// A share of those that are not there yet would have all be healed that are.
#[test]
fn the_breaker_is_of_those_that_can_be_asked() {
    let ids = ["a", "b", "c"];
    let most = r#","Updating":{"MaxUnavailable":9}"#;
    let mut growing = Bench::healthy(spec(r#"{"Size":10}"#, "v1", most), &ids);
    let mut coming_up = growing.clone();
    for number in 0..7 {
        add_pending(&mut coming_up, &format!("p{number}"));
        growing.intend(number, None);
    }
    for bench in [&mut growing, &mut coming_up] {
        for id in ids {
            bench.sicken(id);
        }
        let plan = bench.preview();
        assert!(destroyed(&plan).is_empty());
        let open = WaitingOn::Breaker {
            domain: None,
            unhealthy: 3,
            most: 1,
        };
        assert!(plan.waiting.contains(&open), "{:?}", plan.waiting);
    }
}

/// Nor do those say anything that the last list lacks, and that are kept all the same.
#[test]
fn nor_is_it_of_those_that_lists_lack() {
    let most = r#","Updating":{"MaxUnavailable":7}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":8}"#, "v1", most), &["a", "b", "c", "d"]);
    for (number, id) in ["w", "x", "y", "z"].into_iter().enumerate() {
        bench.add(and(shown(id, "v1"), tags::TOKEN, &format!("n-{number}")));
        bench.verdict(id, Health::Healthy);
    }
    for id in ["w", "x", "y", "z"] {
        bench.remove(id);
    }
    assert_eq!(bench.seen.len(), 8, "they are too young to be missed");
    for id in ["a", "b"] {
        bench.sicken(id);
    }
    let plan = bench.preview();
    let open = WaitingOn::Breaker {
        domain: None,
        unhealthy: 2,
        most: 1,
    };
    assert!(plan.waiting.contains(&open), "{:?}", plan.waiting);
    assert!(destroyed(&plan).is_empty());
}

#[test]
fn a_burst_of_single_bad_verdicts_opens_nothing() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c"]);
    for id in ["a", "b", "c"] {
        bench.verdict(id, Health::Unhealthy);
    }
    let plan = bench.plan();
    assert!(plan.memory.breaker.is_none() && plan.converged);
}

#[test]
fn the_breaker_is_the_operators_choice() {
    let health = r#","Health":{"MaxUnhealthy":2}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":3}"#, "v1", health), &["a", "b", "c"]);
    bench.sicken("a");
    bench.sicken("b");
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unhealthy)]);
}

#[test]
fn a_mass_illness_that_was_there_before_can_be_rolled_out() {
    for seconds in [0, 1] {
        let mut bench = Bench::healthy(cattle(3), &["a", "b", "c"]);
        for id in ["a", "b", "c"] {
            bench.sicken(id);
        }
        bench.plan();
        bench.pass(Duration::from_secs(seconds));
        bench.commit(spec(r#"{"Size":3}"#, "v2", ""));
        assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
    }
}

#[test]
fn a_mass_illness_in_mid_rollout_stops_it() {
    let ids: Vec<String> = (0..10).map(|number| format!("a{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut bench = Bench::healthy(cattle(10), &ids);
    bench.commit(spec(r#"{"Size":10}"#, "v2", ""));
    bench.pass(Duration::from_secs(1));
    for id in &ids[..5] {
        bench.sicken(id);
    }
    assert!(destroyed(&bench.plan()).is_empty());
}

#[test]
fn an_observer_that_contradicts_itself_is_doubted() {
    let mut bench = Bench::healthy(cattle(5), &["a", "b", "c", "d", "e"]);
    for id in ["b", "c"] {
        for verdict in [
            Health::Unhealthy,
            Health::Healthy,
            Health::Unhealthy,
            Health::Healthy,
        ] {
            bench.verdict(id, verdict);
        }
    }
    bench.sicken("a");
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    assert!(plan.waiting.contains(&WaitingOn::Doubt { flapping: 2 }));
    // Sixteen steady verdicts later it is believed again.
    for id in ["b", "c"] {
        bench.verdicts(id, 16, Health::Healthy);
    }
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unhealthy)]);
}

#[test]
fn a_suspect_is_asked_quickly_and_others_beside_it() {
    let mut bench = Bench::healthy(cattle(5), &["a", "b", "c", "d", "e"]);
    bench.verdicts("a", 3, Health::Unhealthy);
    let plan = bench.plan();
    assert!(checked(&plan).is_empty(), "only just asked");
    bench.pass(Duration::from_millis(500));
    assert_eq!(checked(&bench.plan()), ["a", "b", "c", "d", "e"]);
}

#[test]
fn repair_steps_come_before_replacement_in_their_order() {
    let health = r#","Health":{"Repair":["restart","reboot"],"RepairWait":"2m"}"#;
    let ids = ["a", "b", "c"];
    let mut bench = Bench::healthy(spec(r#"{"Size":3}"#, "v1", health), &ids);
    bench.sicken("a");
    let played = bench.play(&["a"]);
    assert_eq!(played.repaired, [("a".to_owned(), "restart".to_owned())]);
    assert!(matches!(
        played.last().waiting[..],
        [WaitingOn::Repair { .. }]
    ));
    bench.pass(Duration::from_secs(120));
    bench.verdict("a", Health::Unhealthy);
    let played = bench.play(&["a"]);
    assert_eq!(played.repaired, [("a".to_owned(), "reboot".to_owned())]);
    assert!(played.gone.is_empty());
    bench.pass(Duration::from_secs(120));
    bench.verdict("a", Health::Unhealthy);
    let played = bench.play(&["a"]);
    assert_eq!(played.gone, [("a".to_owned(), Reason::Unhealthy)]);
}

/// Verdicts from before the step has helped do not speak against it.
#[test]
fn after_a_repair_the_member_is_asked_before_it_is_replaced() {
    let health = r#","Health":{"Repair":["reboot"],"RepairWait":"2m"}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":3}"#, "v1", health), &["a", "b", "c"]);
    bench.sicken("a");
    bench.play(&["a"]);
    bench.pass(Duration::from_secs(120));
    let plan = bench.preview();
    assert!(checked(&plan).contains(&"a"));
    assert!(destroyed(&plan).is_empty());
    assert!(matches!(plan.waiting[..], [WaitingOn::Repair { .. }]));
}

#[test]
fn a_repair_that_helps_spares_the_member_and_is_remembered() {
    let health = r#","Health":{"Repair":["reboot"],"RepairWait":"2m"}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":3}"#, "v1", health), &["a", "b", "c"]);
    bench.sicken("a");
    bench.play(&["a"]);
    bench.verdict("a", Health::Healthy);
    assert!(bench.play(&[]).last().converged);
    // Sick again soon after: no second reboot, or it would go on for ever.
    bench.pass(Duration::from_secs(600));
    bench.sicken("a");
    let played = bench.play(&["a"]);
    assert!(played.repaired.is_empty());
    assert_eq!(played.gone, [("a".to_owned(), Reason::Unhealthy)]);
    // A day later the record is gone.
    bench.sicken("b");
    bench.play(&["b"]);
    bench.verdict("b", Health::Healthy);
    bench.pass(Duration::from_secs(86_400));
    bench.play(&[]);
    assert!(bench.memory.repairs.0.is_empty());
}

#[test]
fn states_that_plugins_report_are_believed() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b"]);
    let mut pending = shown("p", "v1");
    pending.state = Lifecycle::Pending;
    bench.add(pending);
    let plan = bench.plan();
    assert!(created(&plan).is_empty(), "it is capacity");
    assert!(!checked(&plan).contains(&"p"), "and has no health yet");
    bench.list.last_mut().unwrap().state = Lifecycle::Terminating;
    bench.look();
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty(), "it goes by itself");
    assert!(
        created(&plan).is_empty(),
        "its place is not free before it is gone"
    );
    assert!(plan.waiting.contains(&WaitingOn::Departures { count: 1 }));
    bench.remove("p");
    assert_eq!(created(&bench.plan()).len(), 1);
}

/// Nobody has asked its flavor yet, and nobody needs to.
#[test]
fn who_is_stopped_by_its_plugins_word_goes_before_those_that_serve() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    let mut stopped = shown("z", "v1");
    stopped.state = Lifecycle::Stopped;
    bench.add(stopped);
    assert_eq!(destroyed(&bench.plan()), [("z", Reason::Surplus)]);
}

/// It counts from when there were too many last, not from when it opened.
#[test]
fn the_breaker_closes_a_poll_after_the_last_excess() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c"]);
    bench.sicken("a");
    bench.sicken("b");
    bench.plan();
    bench.pass(Duration::from_secs(60));
    bench.verdicts("b", 1, Health::Unhealthy);
    bench.plan();
    bench.verdict("b", Health::Healthy);
    bench.pass(Duration::from_secs(9));
    let plan = bench.plan();
    assert!(plan.memory.breaker.is_some() && destroyed(&plan).is_empty());
    assert_eq!(
        plan.memory.breaker.unwrap().since,
        at(0),
        "it is the same one"
    );
    bench.pass(Duration::from_secs(1));
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unhealthy)]);
}

#[test]
fn ten_suspects_are_asked_quickly_and_the_others_in_their_turn() {
    let names: Vec<String> = (10..40).map(|number| format!("a{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let health = r#","Health":{"MaxUnhealthy":"90%","Interval":"10s"}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":30}"#, "v1", health), &names);
    // The revision is known to be good, so that nobody's proof is waited for.
    bench.memory = bench.preview().memory;
    for id in &names[..12] {
        bench.verdicts(id, 3, Health::Unhealthy);
    }
    bench.pass(Duration::from_millis(500));
    let plan = bench.preview();
    // Ten suspects, and nine that do well beside them.
    let want: Vec<&str> = names[..10].iter().chain(&names[12..21]).copied().collect();
    assert_eq!(checked(&plan), want);
    let first = WaitingOn::Confirmation { id: "a10".into() };
    assert!(plan.waiting.contains(&first));
    assert_eq!(plan.wake_at, Some(after(Duration::from_secs(10))));
}

#[test]
fn one_flapping_member_is_its_own_trouble_from_three_on() {
    for (size, flapping, doubted) in [
        (2, 1, true),
        (3, 1, false),
        (3, 2, true),
        (9, 2, true),
        (10, 2, false),
        (10, 3, true),
    ] {
        let names: Vec<String> = (0..size).map(|number| format!("a{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut bench = Bench::healthy(cattle(size), &names);
        for id in &names[..flapping] {
            for _ in 0..2 {
                bench.verdict(id, Health::Unhealthy);
                bench.verdict(id, Health::Healthy);
            }
        }
        let last = names.last().unwrap();
        assert!(
            !bench
                .preview()
                .waiting
                .contains(&WaitingOn::Doubt { flapping })
        );
        bench.sicken(last);
        let plan = bench.preview();
        let doubt = plan.waiting.contains(&WaitingOn::Doubt { flapping });
        assert_eq!(doubt, doubted, "{flapping} of {size}");
        assert_eq!(destroyed(&plan).is_empty(), doubted, "{flapping} of {size}");
    }
}

#[test]
fn a_repair_is_remembered_for_twelve_times_its_wait_or_until_the_member_is_well() {
    let health = r#","Health":{"Repair":["reboot"],"RepairWait":"2m"}"#;
    let group = spec(r#"{"Size":3}"#, "v1", health);
    let mut bench = Bench::healthy(group, &["a", "b", "c"]);
    let mut note = |id: &str, in_flight| {
        let repair = infrakit_plan::Repair {
            tried: 1,
            at: at(0),
            in_flight,
        };
        bench.memory.repairs.0.insert(id.into(), repair);
    };
    note("a", false);
    note("b", false);
    note("c", true);
    bench.verdict("b", Health::Unhealthy);
    bench.now = at(24 * 60 - 1);
    assert_eq!(bench.preview().memory.repairs.0.len(), 3);
    bench.now = at(24 * 60);
    let left: Vec<String> = bench
        .preview()
        .memory
        .repairs
        .0
        .into_keys()
        .map(|id| id.to_string())
        .collect();
    assert_eq!(left, ["b", "c"], "`b` is not well, `c` is being rebooted");
}

#[test]
fn a_repair_has_its_whole_wait_to_help() {
    let health = r#","Health":{"Repair":["restart","reboot"],"RepairWait":"2m"}"#;
    let group = spec(r#"{"Size":3}"#, "v1", health);
    let mut bench = Bench::healthy(group, &["a", "b", "c"]);
    bench.sicken("a");
    let steps = |bench: &Bench| -> Vec<String> {
        let plan = bench.preview();
        let steps = plan.actions.iter().filter_map(|action| match action {
            infrakit_plan::Action::Repair { step, .. } => Some(step.clone()),
            _ => None,
        });
        steps.collect()
    };
    assert_eq!(steps(&bench), ["restart"]);
    bench.plan();
    bench.now = at(500);
    assert!(steps(&bench).is_empty(), "it has not been answered");
    bench.memory.repairs.0.get_mut("a").unwrap().in_flight = false;
    bench.now = after(Duration::from_secs(120) - Duration::from_nanos(1));
    assert!(steps(&bench).is_empty());
    let waits = bench.preview();
    let until = at(120);
    let on = WaitingOn::Repair {
        id: "a".into(),
        step: "restart".to_owned(),
        until,
    };
    assert!(waits.waiting.contains(&on), "{:?}", waits.waiting);
    bench.now = until;
    bench.verdict("a", Health::Unhealthy);
    assert_eq!(steps(&bench), ["reboot"]);
    // A clock that was set back does not make it wait for ever.
    bench.memory.repairs.0.get_mut("a").unwrap().at = at(9_000);
    assert_eq!(steps(&bench), ["reboot"]);
}
