//! How providers behave: as declared, as the operator knows better, and as was seen.

use std::time::Duration;

use infrakit_engine::core::{Event, Override, Overrides};
use infrakit_plan::LossPolicy;
use infrakit_spi::behaviour::{Behaviour, Seconds, defaults};
use infrakit_spi::{Any, Error};
use infrakit_store::Store as _;

use crate::bench::{Bench, Fate, GROUP, cattle, spec};

fn gives_up_after(seconds: f64) -> Behaviour {
    let mut behaviour = Behaviour::default();
    behaviour.create.give_up = Some(Seconds(seconds));
    behaviour
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
    bench.declare("file", gives_up_after(60.0));
    assert_eq!(limit(&bench, "file"), Duration::from_secs(60));
    assert_eq!(limit(&bench, "file/other"), defaults::CREATION);
    bench.declare("file", Behaviour::default());
    assert_eq!(limit(&bench, "file"), defaults::CREATION);
}

#[test]
fn a_plugin_that_declares_nonsense_is_told_of_and_treated_as_undeclared() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(3, "1"));
    bench.declare("file", gives_up_after(60.0));
    bench.declare("file", gives_up_after(31_536_000.0));
    assert_eq!(limit(&bench, "file"), defaults::CREATION);
    let said = why(&bench);
    let expected = "`file` is treated as if it declared nothing: it declares nonsense: \
                    `create.give_up_s` is 31536000, which cannot be meant: 0 to 86400 seconds";
    assert!(said.contains(expected), "{said}");
    bench.arrive(cattle(5, "1"));
    bench.declare("file", gives_up_after(60.0));
    assert!(!why(&bench).contains("declared nothing"), "{}", why(&bench));
}

#[test]
fn another_plugins_nonsense_is_nothing_to_a_group() {
    let mut bench = Bench::undeclared();
    bench.declare("other", gives_up_after(-1.0));
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
    let overrides = [("file".into(), gives_up_after(5.0).into())];
    bench.core = bench.another().overridden(overrides.into_iter().collect());
    assert_eq!(limit(&bench, "file"), Duration::from_secs(5), "at once");
    let mut declared = gives_up_after(60.0);
    declared.list.lag = Some(Seconds(7.0));
    bench.declare("file", declared.clone());
    assert_eq!(limit(&bench, "file"), Duration::from_secs(5));
    let lag = bench.core.behaviour(&"file".into()).list_lag();
    assert_eq!(lag, Duration::from_secs(7));
    bench.arrive(cattle(1, "1"));
    declared.create.running_p99 = Some(Seconds(30.0));
    bench.declare("file", declared);
    assert_eq!(limit(&bench, "file"), defaults::CREATION);
    let said = why(&bench);
    assert!(said.contains("what is set for it contradicts"), "{said}");
}

/// Sets something for `file`, or says why that is wrong, or why nothing can be read.
fn set(bench: &mut Bench, set: Result<Result<Override, &str>, &str>) {
    let read = match set {
        Ok(set) => Overrides {
            by_plugin: [("file".into(), set.map_err(str::to_owned))].into(),
            fault: None,
        },
        Err(fault) => Overrides {
            fault: Some(fault.to_owned()),
            ..Overrides::default()
        },
    };
    bench.core.override_plugins(read, bench.now);
}

#[test]
fn what_is_set_holds_until_something_else_can_be_read() {
    let mut bench = Bench::undeclared();
    bench.declare("file", gives_up_after(60.0));
    bench.arrive(cattle(2, "1"));
    set(&mut bench, Ok(Ok(gives_up_after(3600.0).into())));
    assert_eq!(limit(&bench, "file"), Duration::from_secs(3600));
    let (entry, whole) = ("line 2: no such field", "line 7: not YAML");
    for (wrong, fault) in [(Ok(Err(entry)), entry), (Err(whole), whole)] {
        set(&mut bench, wrong);
        assert_eq!(limit(&bench, "file"), Duration::from_secs(3600));
        let said = why(&bench);
        let expected = "`file` is treated as was set for it before; what is set now is wrong: ";
        assert!(said.contains(&format!("{expected}{fault}")), "{said}");
    }
    set(&mut bench, Ok(Ok(gives_up_after(7200.0).into())));
    assert_eq!(limit(&bench, "file"), Duration::from_secs(7200));
    bench.core.override_plugins(Overrides::default(), bench.now);
    assert_eq!(limit(&bench, "file"), Duration::from_secs(60));
    assert!(!why(&bench).contains("wrong"), "{}", why(&bench));
}

/// A person who looks sees what holds, not what is wrong.
#[test]
fn what_holds_of_settings_is_told() {
    let mut bench = Bench::undeclared();
    set(&mut bench, Ok(Ok(gives_up_after(3600.0).into())));
    let told = |bench: &Bench| {
        let settings = bench.core.settings();
        let one = settings.iter().find(|one| one.plugin.as_str() == "file");
        let one = one.unwrap();
        let give_up = one.set.get("create.give_up_s").cloned();
        (give_up, one.fault.clone(), one.lost)
    };
    let hour = || Some("3600".to_owned());
    assert_eq!(told(&bench), (hour(), String::new(), false));
    for wrong in [Ok(Err("line 2")), Err("line 2")] {
        set(&mut bench, wrong);
        assert_eq!(told(&bench), (hour(), "line 2".to_owned(), false));
    }
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(1, "1"));
    assert_eq!(bench.core.settings(), []);
    for wrong in [Err("line 2"), Ok(Err("line 2"))] {
        bench.restart();
        bench.declare("file", gives_up_after(5.0));
        set(&mut bench, wrong);
        assert_eq!(told(&bench), (None, "line 2".to_owned(), true));
    }
}

/// Who sets something knows that the plugin is wrong: its own word is not taken instead.
#[test]
fn a_controller_that_starts_with_a_wrong_setting_takes_the_plugin_for_undeclared() {
    for (wrong, others) in [(Ok(Err("no such field")), 5), (Err("not YAML"), 600)] {
        let mut bench = Bench::undeclared();
        bench.arrive(cattle(2, "1"));
        set(&mut bench, wrong);
        for plugin in ["file", "other"] {
            bench.declare(plugin, gives_up_after(5.0));
        }
        assert_eq!(limit(&bench, "file"), defaults::CREATION);
        assert_eq!(limit(&bench, "other"), Duration::from_secs(others));
        let said = why(&bench);
        let expected = "`file` is treated as if it declared nothing: what is set for it is wrong: ";
        assert!(said.contains(expected), "{said}");
        bench.core.override_plugins(Overrides::default(), bench.now);
        assert_eq!(limit(&bench, "file"), Duration::from_secs(5));
    }
}

#[test]
fn what_is_set_of_losses_holds_for_groups_that_do_not_say_it() {
    let losses = |text: &str| LossPolicy::decode(Some(&Any::parse(text).unwrap())).unwrap();
    for (own, gone) in [("", 0), (r#","Losses":{"AtOnce":"100%"}"#, 5)] {
        let mut bench = Bench::undeclared();
        let plugin = Override {
            losses: losses(r#"{"AtOnce":"20%","ConfirmAfter":"1h"}"#),
            ..Override::default()
        };
        set(&mut bench, Ok(Ok(plugin)));
        bench.arrive(spec(r#"{"Size":10}"#, ("file", "1"), own));
        let five: Vec<_> = bench.instances.keys().take(5).cloned().collect();
        bench.instances.retain(|home, _| !five.contains(home));
        bench.wait(60);
        let made = bench.instances.len() - 5;
        assert_eq!(made, gone, "{own}");
        let doubted = why(&bench).contains("a second one has to say so");
        assert_eq!(doubted, gone == 0, "{}", why(&bench));
    }
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

/// This process was stopped meanwhile: no client waits for hours.
#[test]
fn an_answer_that_was_read_hours_later_does_not_make_all_doubts_last_for_a_day() {
    let mut bench = Bench::undeclared();
    bench.fate = Fate::Kept;
    bench.commit(cattle(1, "1"));
    let creation = bench.take_creation();
    bench.now = bench.now + Duration::from_secs(8 * 3_600);
    let made = bench.make(&creation, "i-900");
    bench.answer(creation, Ok(made));
    bench.wait(600);
    bench.commit(cattle(2, "1"));
    let creation = bench.take_creation();
    // The next one is lost on the way.
    bench.fate = Fate::Done;
    bench.answer(creation, Err(Error::unknown("connection reset")));
    bench.wait(2 * 3_600);
    assert_eq!(bench.ids().len(), 2, "{}", bench.why());
}

#[test]
fn what_a_plugin_was_seen_to_take_holds_after_a_restart() {
    let mut bench = Bench::undeclared();
    bench.fate = Fate::Kept;
    bench.commit(cattle(1, "1"));
    let creation = bench.take_creation();
    bench.wait(500);
    let made = bench.make(&creation, "i-900");
    bench.answer(creation, Ok(made));
    bench.wait(600);
    bench.commit(cattle(2, "1"));
    assert_eq!(bench.kept(), 1);
    bench.restart();
    // Three times 500 s.
    bench.wait(1_200);
    assert_eq!(
        bench.kept(),
        1,
        "it is made again while the first one may still come"
    );
}
