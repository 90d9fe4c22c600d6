//! Plugins that say where their instances are in their lives in words of their own.

use infrakit_spi::instance::Lifecycle;

use crate::bench::{Bench, GROUP, cattle, gives_up_after, spec};

/// A world whose plugins declare what these words mean.
fn world(states: &str) -> Bench {
    Bench::declaring(|behaviour| behaviour.states = serde_json::from_str(states).unwrap())
}

fn called(word: &str) -> Lifecycle {
    Lifecycle::from_word(word)
}

fn say_of_all(bench: &mut Bench, word: &str) {
    for one in bench.instances.values_mut() {
        one.state = called(word);
    }
}

/// Its flavor looks at nothing, and finds everybody healthy.
#[test]
fn members_that_come_up_in_a_word_of_their_own_replace_nobody() {
    let mut bench = world(r#"{"BUILD": "creating", "ACTIVE": "up"}"#);
    bench.first_state = called("ACTIVE");
    bench.arrive(cattle(3, "1"));
    bench.first_state = called("build");
    bench.commit(cattle(3, "2"));
    bench.wait(120);
    let all = bench.instances.values();
    let active = all.filter(|one| one.state == called("ACTIVE")).count();
    assert_eq!((active, bench.ids().len()), (2, 3));
    bench.first_state = called("ACTIVE");
    say_of_all(&mut bench, "ACTIVE");
    bench.wait(120);
    assert!(bench.converged(), "{}", bench.why());
}

/// No list has shown a state yet when the first of them is made: what the plugin declares tells that they
/// may be coming up.
#[test]
fn the_first_members_of_a_plugin_that_tells_states_replace_nobody_before_they_run() {
    let mut bench = world(r#"{"BUILD": "creating", "ACTIVE": "up"}"#);
    bench.first_state = called("ACTIVE");
    bench.arrive(cattle(3, "1"));
    bench.first_state = called("BUILD");
    bench.commit(spec(r#"{"Size":3}"#, ("new", "1"), ""));
    bench.wait(120);
    assert_eq!(
        (bench.on("file"), bench.on("new")),
        (2, 1),
        "{}",
        bench.why()
    );
    bench.first_state = called("ACTIVE");
    say_of_all(&mut bench, "ACTIVE");
    bench.wait(300);
    assert!(bench.converged(), "{}", bench.why());
}

#[test]
fn who_is_broken_or_stopped_by_its_plugins_word_is_replaced() {
    for word in ["ERROR", "SHUTOFF", "broken", "stopped"] {
        let mut bench = world(r#"{"ERROR": "broken", "SHUTOFF": "stopped"}"#);
        bench.arrive(cattle(3, "1"));
        let ill = bench.instances.values_mut().next().unwrap();
        ill.state = called(word);
        let ill = ill.id.clone();
        bench.wait(1200);
        assert!(
            !bench.ids().contains(&ill.as_str()),
            "{word}: {}",
            bench.why()
        );
        assert!(bench.converged(), "{word}: {}", bench.why());
        assert_eq!((bench.count("create"), bench.count("destroy")), (4, 1));
    }
}

#[test]
fn a_word_for_not_knowing_is_no_evidence() {
    for word in ["UNKNOWN", "never heard of"] {
        let mut bench = world(r#"{"UNKNOWN": "unknown"}"#);
        bench.arrive(cattle(3, "1"));
        say_of_all(&mut bench, word);
        bench.wait(1200);
        assert_eq!((bench.count("create"), bench.count("destroy")), (3, 0));
        assert!(bench.converged(), "{}", bench.why());
    }
}

#[test]
fn the_dead_are_replaced_at_once_whatever_they_are_called() {
    let mut bench = world(r#"{"deleted": "gone"}"#);
    bench.arrive(cattle(2, "1"));
    let dead = bench.instances.values_mut().next().unwrap();
    dead.state = called("DELETED");
    bench.wait(60);
    let made = (bench.count("create"), bench.count("destroy"));
    assert_eq!(made, (3, 0), "{}", bench.why());
    // As long as it is listed it is nobody's member, after a restart too.
    bench.restart();
    bench.wait(60);
    assert_eq!((bench.count("create"), bench.count("destroy")), (3, 0));
    assert!(bench.converged(), "{}", bench.why());
    let why = bench.core.why(&GROUP.into(), None, bench.now).unwrap();
    assert!(!why.lines.concat().contains("died"), "{:?}", why.lines);
}

/// A list that has not changed is read again once its words mean something else.
#[test]
fn what_is_declared_later_holds_for_the_last_list() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    say_of_all(&mut bench, "deleted");
    bench.wait(60);
    assert_eq!(bench.count("create"), 2);
    let mut behaviour = gives_up_after(15);
    behaviour.states = serde_json::from_str(r#"{"deleted": "gone"}"#).unwrap();
    bench.declare("file", behaviour);
    bench.wait(60);
    assert_eq!(bench.count("create"), 4);
}

/// Who does not run cannot be asked how it does.
#[test]
fn who_is_stopped_is_replaced_also_where_its_flavor_does_not_answer() {
    let mut bench = world(r#"{"SHUTOFF": "stopped"}"#);
    bench.arrive(cattle(3, "1"));
    let ill = bench.instances.values_mut().next().unwrap();
    ill.state = called("SHUTOFF");
    let ill = ill.id.clone();
    bench.silent.insert(ill.clone());
    bench.wait(1200);
    assert!(!bench.ids().contains(&ill.as_str()), "{}", bench.why());
    assert!(bench.converged(), "{}", bench.why());
}

/// Whoever waits for it wants to know for whom, be it that nobody here asked it to go.
#[test]
fn a_member_that_goes_by_its_plugins_word_alone_is_named() {
    let mut bench = world(r#"{"shutting-down": "leaving"}"#);
    bench.arrive(cattle(3, "1"));
    let key = ("file".into(), "i-001".into());
    let one = bench.instances.get_mut(&key).unwrap();
    one.state = Lifecycle::Terminating;
    bench.wait(20);
    let said = bench.why();
    let text = "`i-001` is on its way out by its plugin's word";
    assert!(said.contains(text), "{said}");
}
