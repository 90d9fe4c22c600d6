//! How providers behave: as declared, as the operator knows better, and as was seen.

use std::time::Duration;

use infrakit_engine::core::{Event, Overrides};
use infrakit_spi::behaviour::{Behaviour, Seconds, defaults};
use infrakit_store::Store as _;

use crate::bench::{Bench, Fate, GROUP, cattle, spec};

fn gives_up_after(seconds: f64) -> Behaviour {
    let mut behaviour = Behaviour::default();
    behaviour.create.give_up = Some(Seconds(seconds));
    behaviour
}

fn declare(bench: &mut Bench, plugin: &str, behaviour: Behaviour) {
    let event = Event::Behaves {
        plugin: plugin.into(),
        behaviour: Ok(Box::new(behaviour)),
    };
    bench.core.handle(event, bench.now);
}

fn limit(bench: &Bench, plugin: &str) -> Duration {
    bench.core.behaviour(&plugin.into()).creation_limit()
}

fn why(bench: &Bench) -> String {
    let why = bench.core.why(&GROUP.into(), None, bench.now).unwrap();
    assert!(why.lines.len() <= 3, "{:?}", why.lines);
    why.lines.join("\n")
}

#[test]
fn what_a_plugin_declares_holds_until_it_declares_something_else() {
    let mut bench = Bench::undeclared();
    assert_eq!(limit(&bench, "file"), defaults::CREATION);
    declare(&mut bench, "file", gives_up_after(60.0));
    assert_eq!(limit(&bench, "file"), Duration::from_secs(60));
    assert_eq!(limit(&bench, "file/other"), defaults::CREATION);
    declare(&mut bench, "file", Behaviour::default());
    assert_eq!(limit(&bench, "file"), defaults::CREATION);
}

#[test]
fn a_plugin_that_declares_nonsense_is_told_of_and_treated_as_undeclared() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(3, "1"));
    declare(&mut bench, "file", gives_up_after(60.0));
    declare(&mut bench, "file", gives_up_after(31_536_000.0));
    assert_eq!(limit(&bench, "file"), defaults::CREATION);
    let said = why(&bench);
    let expected = "`file` is treated as if it declared nothing: it declares nonsense: \
                    `create.give_up_s` is 31536000, which cannot be meant: 0 to 86400 seconds";
    assert!(said.contains(expected), "{said}");
    bench.arrive(cattle(5, "1"));
    declare(&mut bench, "file", gives_up_after(60.0));
    assert!(!why(&bench).contains("declared nothing"), "{}", why(&bench));
}

#[test]
fn another_plugins_nonsense_is_nothing_to_a_group() {
    let mut bench = Bench::undeclared();
    declare(&mut bench, "other", gives_up_after(-1.0));
    let event = Event::Behaves {
        plugin: "odd".into(),
        behaviour: Err("it declares what cannot be read".to_owned()),
    };
    bench.core.handle(event, bench.now);
    bench.arrive(spec(r#"{"Size":3}"#, ("file", "1"), ""));
    assert!(!why(&bench).contains("declared nothing"), "{}", why(&bench));
}

#[test]
fn what_the_operator_says_wins_field_by_field() {
    let mut bench = Bench::undeclared();
    let overrides = Overrides::from([("file".into(), gives_up_after(5.0))]);
    bench.core = bench.another().overridden(overrides);
    assert_eq!(limit(&bench, "file"), Duration::from_secs(5), "at once");
    let mut declared = gives_up_after(60.0);
    declared.list.lag = Some(Seconds(7.0));
    declare(&mut bench, "file", declared.clone());
    assert_eq!(limit(&bench, "file"), Duration::from_secs(5));
    let lag = bench.core.behaviour(&"file".into()).list_lag();
    assert_eq!(lag, Duration::from_secs(7));
    bench.arrive(cattle(1, "1"));
    declared.create.running_p99 = Some(Seconds(30.0));
    declare(&mut bench, "file", declared);
    assert_eq!(limit(&bench, "file"), defaults::CREATION);
    let said = why(&bench);
    assert!(said.contains("what is set for it contradicts"), "{said}");
}

#[test]
fn what_a_plugin_was_seen_to_take_outlives_its_groups_and_the_controller() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(1, "1"));
    bench.wait(40);
    bench.release();
    bench.wait(20);
    let took = |bench: &Bench| {
        let (_, record) = bench.store.scan("plugins/").remove(0);
        let record: serde_json::Value = record.value.decode().unwrap();
        record["departure"]["longest"]["secs"].as_u64().unwrap()
    };
    assert!(took(&bench) >= 40);
    bench.crash();
    bench.wait(60);
    // Quicker ones do not make it forget.
    bench.arrive(cattle(0, "1"));
    assert!(took(&bench) >= 40);
    assert_eq!(bench.records("plugins/"), ["plugins/file"]);
}
