//! Limits on how often plugins are called: shared, fair, kept through restarts, and learned.

use std::collections::BTreeMap;
use std::time::Duration;

use infrakit_engine::core::{Effect, Event, Limits};
use infrakit_plan::Config;
use infrakit_spi::behaviour::{Behaviour, Limit, Operation};
use infrakit_spi::{Error, tags};

use crate::bench::{Bench, cattle, named, spec};

fn creations(per_minute: u32) -> Limits {
    Limits {
        creates_per_minute: Some(per_minute),
        destroys_per_minute: None,
    }
}

pub(crate) fn declaring(limits: Vec<Limit>) -> Event {
    let behaviour = Behaviour {
        limits,
        ..Behaviour::default()
    };
    Event::Behaves {
        plugin: "file".into(),
        behaviour: Ok(Box::new(behaviour)),
    }
}

pub(crate) fn limit(op: Operation, bucket: f64, refill_per_s: f64) -> Limit {
    Limit {
        op,
        bucket,
        refill_per_s,
        account: None,
    }
}

/// What never began took nothing from the provider.
#[test]
fn what_cannot_be_written_down_draws_from_no_limit() {
    let mut bench = Bench::with(Config::default(), creations(3));
    bench.arrive(cattle(6, "1"));
    bench.wait(600);
    bench.full = true;
    bench.lose("i-001");
    bench.lose("i-002");
    bench.lose("i-003");
    bench.wait(11);
    assert_eq!(bench.count("create"), 6);
    bench.full = false;
    bench.wait(11);
    assert_eq!(bench.count("create"), 9, "{}", bench.why());
}

#[test]
fn a_restart_hands_out_no_fresh_minute() {
    let mut bench = Bench::with(Config::default(), creations(12));
    bench.commit(cattle(100, "1"));
    for _ in 0..14 {
        bench.now = bench.now + Duration::from_millis(1_500);
        bench.settle();
        bench.crash();
        bench.settle();
    }
    let made = bench.count("create");
    assert!((12..=17).contains(&made), "{made} in 21 seconds");
    bench.wait(60);
    assert!(bench.count("create") >= made + 11);
}

#[test]
fn groups_share_a_limit_by_turns() {
    let mut bench = Bench::with(Config::default(), creations(60));
    for group in ["a", "m", "z"] {
        bench.commit(named(group, cattle(1_000, "1")));
    }
    bench.wait(120);
    let mut there: BTreeMap<&str, usize> = BTreeMap::new();
    for one in bench.instances.values() {
        let tags = one.tags.as_ref().unwrap();
        *there.entry(tags[tags::GROUP].as_str()).or_default() += 1;
    }
    // The first minute's worth went to the first one, before there were others.
    assert_eq!(there["m"] + there["z"] + there["a"], 180);
    assert!(there["m"].abs_diff(there["z"]) <= 2, "{there:?}");
    assert!(there["m"] >= 38, "{there:?}");
}

#[test]
fn turns_go_round_however_often_the_controller_is_started_anew() {
    let mut bench = Bench::with(Config::default(), creations(60));
    for group in ["a", "m", "z"] {
        bench.commit(named(group, cattle(1_000, "1")));
    }
    bench.wait(10);
    let before = bench.made.len();
    bench.instances.retain(|_, one| {
        one.tags
            .as_mut()
            .unwrap()
            .insert("old".to_owned(), String::new())
            .is_none()
    });
    for _ in 0..30 {
        bench.restart();
        bench.settle();
        // What a former life has drawn may have begun one and a half seconds later than its record says.
        bench.now = bench.now + Duration::from_millis(2_800);
        bench.settle();
    }
    assert!(
        bench.made.len() >= before + 30,
        "{:?}",
        bench.made.len() - before
    );
    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    for one in bench.instances.values() {
        let tags = one.tags.as_ref().unwrap();
        if !tags.contains_key("old") {
            *made.entry(tags[tags::GROUP].as_str()).or_default() += 1;
        }
    }
    assert!(
        made.len() == 3 && made.values().all(|made| *made >= 9),
        "{made:?}"
    );
}

#[test]
fn what_a_plugin_declares_holds_and_the_tightest_of_all() {
    let mut bench = Bench::with(Config::default(), creations(60));
    bench.commit(cattle(0, "1"));
    bench.core.handle(
        declaring(vec![
            limit(Operation::Create, 10.0, 1.0),
            limit(Operation::All, 1_000.0, 1.0),
        ]),
        bench.now,
    );
    bench.commit(cattle(1_000, "1"));
    assert_eq!(bench.count("create"), 10);
    bench.wait(100);
    assert!((106..=109).contains(&bench.count("create")));
}

/// Where calls follow each other quickly a provider may hear them closer together than they were sent.
#[test]
fn of_a_full_bucket_what_is_refilled_within_moments_is_not_counted_on() {
    for (bucket, per_second, at_once) in [(40.0, 40.0, 38), (12.0, 0.2, 12), (1.0, 50.0, 1)] {
        let mut bench = Bench::new();
        bench.core.handle(
            declaring(vec![limit(Operation::Create, bucket, per_second)]),
            bench.now,
        );
        bench.commit(cattle(100, "1"));
        assert_eq!(bench.count("create"), at_once, "{bucket} {per_second}");
    }
}

#[test]
fn a_plugin_that_throttles_is_called_less_often_and_its_word_is_kept_to() {
    let mut bench = Bench::new();
    let busy = Error::refused("busy").with_retry_after(Duration::from_secs(30));
    bench.refused.insert("1".to_owned(), busy);
    bench.commit(cattle(1_000, "1"));
    let first = bench.count("create");
    assert!(first <= 128, "{first}");
    bench.wait(29);
    assert_eq!(bench.count("create"), first);
    bench.refused.clear();
    // A restart forgets nothing of it.
    bench.crash();
    bench.wait(20);
    let seconds_later = bench.count("create") - first;
    assert!(seconds_later > 0);
    bench.wait(600);
    assert_eq!(bench.ids().len(), 1_000);
}

#[test]
fn lists_draw_from_the_limit_too() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    let limits = vec![limit(Operation::List, 1.0, 0.01)];
    bench.core.handle(declaring(limits), bench.now);
    bench.witness = None;
    let lists = std::rc::Rc::new(std::cell::Cell::new(0));
    let seen = std::rc::Rc::clone(&lists);
    bench.witness = Some(Box::new(move |effect| {
        let list = matches!(effect, Effect::List { .. });
        seen.set(seen.get() + usize::from(list));
    }));
    bench.wait(1_000);
    assert!((9..=12).contains(&lists.get()), "{} lists", lists.get());
}

#[test]
fn a_pause_that_a_plugin_asked_for_outlives_a_restart() {
    let mut bench = Bench::new();
    let busy = Error::refused("busy").with_retry_after(Duration::from_secs(600));
    bench.refused.insert("1".to_owned(), busy);
    bench.commit(cattle(3, "1"));
    let first = bench.count("create");
    let entries = bench.entries;
    bench.crash();
    bench.wait(60);
    assert_eq!(bench.count("create"), first, "it wants to be left alone");
    assert!(bench.entries < entries + 10, "{}", bench.entries);
}

#[test]
fn a_pause_that_was_noted_by_a_clock_which_was_ahead_lasts_no_longer_than_was_asked_for() {
    let mut bench = Bench::new();
    let (right, day) = (bench.now, Duration::from_secs(86_400));
    bench.now = right + day * 30;
    let busy = Error::refused("busy").with_retry_after(Duration::from_secs(60));
    bench.refused.insert("1".to_owned(), busy);
    bench.commit(cattle(3, "1"));
    bench.refused.clear();
    bench.now = right;
    bench.crash();
    bench.wait(30);
    assert_eq!(bench.on("file"), 0);
    bench.wait(600);
    assert_eq!(bench.on("file"), 3);
}

#[test]
fn a_limit_that_is_declared_a_little_otherwise_hands_out_no_fresh_bucket() {
    let mut bench = Bench::new();
    bench.commit(cattle(0, "1"));
    let now = bench.now;
    let declared = declaring(vec![limit(Operation::Create, 10.0, 1.0)]);
    bench.core.handle(declared, now);
    bench.commit(cattle(1_000, "1"));
    assert_eq!(bench.count("create"), 10);
    for step in 1..10_u32 {
        let refill = 1.0 + f64::from(step) / 100.0;
        let declared = declaring(vec![limit(Operation::Create, 10.0, refill)]);
        bench.core.handle(declared, bench.now);
        bench.settle();
    }
    let made = bench.count("create");
    assert!(made <= 11, "{made} in no time");
}

#[test]
fn plugins_with_one_account_share_its_bucket_though_they_declare_other_numbers() {
    let mut bench = Bench::new();
    let other = spec(r#"{"Size":0}"#, ("other", "1"), "");
    bench.commit(cattle(0, "1"));
    bench.commit(named("h", other));
    for (plugin, bucket, refill_per_s) in [("file", 10.0, 0.01), ("other", 500.0, 50.0)] {
        let limit = Limit {
            account: Some("shared".to_owned()),
            ..limit(Operation::Create, bucket, refill_per_s)
        };
        let behaviour = Behaviour {
            limits: vec![limit],
            ..Behaviour::default()
        };
        bench.declare(plugin, behaviour);
    }
    bench.commit(cattle(100, "1"));
    let other = spec(r#"{"Size":100}"#, ("other", "1"), "");
    bench.commit(named("h", other));
    bench.wait(10);
    assert_eq!(bench.count("create"), 10, "{:?}", bench.made);
}

#[test]
fn what_a_flavor_says_puts_no_brake_on_the_instance_plugin() {
    let mut bench = Bench::new();
    let busy = Error::refused("Rate exceeded").with_retry_after(Duration::from_secs(600));
    bench.refused.insert("\"1\"".to_owned(), busy.of_another());
    bench.commit(cattle(3, "1"));
    assert_eq!(bench.records("rates/"), Vec::<String>::new());
    bench.commit(named("h", cattle(3, "2")));
    assert_eq!(bench.on("file"), 3, "another flavor has no part in it");
    bench.refused.clear();
    bench.wait(120);
    assert_eq!(
        bench.on("file"),
        6,
        "it is tried again as after any failure"
    );
}

/// Calls that were written down ahead begin as soon as others end, be they refused.
#[test]
fn what_waits_for_a_slot_does_not_begin_once_the_plugin_wants_to_be_left_alone() {
    let mut bench = Bench::new();
    bench.commit(cattle(2_000, "1"));
    bench.now = bench.now + Duration::from_millis(500);
    bench.settle();
    assert_eq!(bench.ids().len(), 2_000);
    let busy = Error::refused("busy").with_retry_after(Duration::from_secs(30));
    bench.refused.insert("1".to_owned(), busy);
    bench.commit(cattle(5_000, "1"));
    bench.wait(29);
    assert_eq!(bench.count("create"), 2_000 + 128);
}

/// Whoever waits for a limit has to find out whose it is, and who else draws from it.
#[test]
fn why_says_whose_limit_it_is_and_who_shares_it() {
    let mut bench = Bench::with(Config::default(), creations(12));
    bench.commit(named("b", cattle(1, "1")));
    bench.commit(cattle(100, "1"));
    bench.wait(5);
    let why = bench.why();
    let said = "the operator lets creations of `file` come 12 a minute; shared with `b`";
    assert!(
        why.contains("the limit on creations of `file` is reached, until"),
        "{why}"
    );
    assert!(why.contains(said), "{why}");

    let mut bench = Bench::new();
    bench.commit(named("h", spec(r#"{"Size":0}"#, ("other", "1"), "")));
    bench.commit(cattle(0, "1"));
    for plugin in ["file", "other"] {
        let limit = Limit {
            account: Some("acme".to_owned()),
            ..limit(Operation::Create, 2.0, 0.05)
        };
        let behaviour = Behaviour {
            limits: vec![limit],
            ..Behaviour::default()
        };
        bench.declare(plugin, behaviour);
    }
    bench.commit(cattle(100, "1"));
    bench.wait(5);
    let why = bench.why();
    let said = "`file` declares that limit for the account `acme`: creations come 2.9 a minute; shared with `h`";
    assert!(why.contains(said), "{why}");

    let mut bench = Bench::new();
    let busy = Error::refused("busy").with_retry_after(Duration::from_secs(30));
    bench.refused.insert("1".to_owned(), busy);
    bench.commit(cattle(3, "1"));
    bench.wait(5);
    let why = bench.why();
    let said = "that limit was learned from what `file` refused as too much: creations come";
    assert!(why.contains(said), "{why}");
    assert!(
        why.contains("and none before 2001-09-09T01:47:10Z; no other group"),
        "{why}"
    );
}
