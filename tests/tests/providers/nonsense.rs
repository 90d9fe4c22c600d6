//! A plugin that declares or answers nonsense is told of, and harms nobody else.

use std::time::Duration;

use infrakit_tests::provider::{Fault, Pages, Provider};
use infrakit_tests::site::{SOON, Site, at_once, cattle};
use serde_json::{Value, json};

#[test]
fn a_plugin_that_declares_nonsense_is_named_and_the_others_go_on() {
    let cases: [Value; 5] = [
        json!({"create": {"give_up_s": -5}}),
        json!({"create": {"give_up_s": 31_536_000}}),
        json!({"list": {"lag_s": "soon"}}),
        json!({"limits": [{"op": "create", "bucket": -1, "refill_per_s": 0}]}),
        json!([1, 2, 3]),
    ];
    at_once(&cases, |declared| {
        let site = Site::new();
        let other = Provider::default();
        let _instances = other.instances(&site.home.socket("other"));
        site.provider.declares(declared.clone());
        let _daemon = site.start(&[]);
        let mut document = cattle("h", 2, "v1");
        document["Properties"]["Instance"]["Plugin"] = json!("other");
        site.commit(&cattle("g", 2, "v1"));
        site.commit(&document);
        other.settles("h", 2, "v1", SOON);
        infrakit_tests::eventually(SOON, "it is told of", || {
            let said = site.says("group why g");
            if said.contains("`cloud` is treated as if it declared nothing") {
                Ok(())
            } else {
                Err(format!("{declared}: {said}"))
            }
        });
    });
}

#[test]
fn a_plugin_that_does_not_say_how_it_behaves_is_served_all_the_same() {
    let unknown = |code: i64, message: &str| {
        Fault::Error(json!({"code": code, "message": message, "data": null}))
    };
    let cases = [
        Fault::CloseBefore,
        Fault::Late(Duration::from_secs(7)),
        Fault::Throttled(1),
        unknown(-32601, "Method not found"),
        unknown(-32000, "unknown method Instance.Behaviour"),
    ];
    at_once(&cases, |fault| {
        let site = Site::new();
        site.provider.fails("Instance.Behaviour", fault.clone());
        let _daemon = site.start(&[]);
        site.commit(&cattle("g", 3, "v1"));
        site.provider.settles("g", 3, "v1", SOON);
        infrakit_tests::fleet::converged(&site.home, "g", 3, SOON);
        site.commit(&cattle("g", 3, "v2"));
        site.provider.settles("g", 3, "v2", SOON);
        // After 1 s, 2 s, 4 s, 8 s; where the connection broke, twice each.
        let asked = site.provider.calls("Instance.Behaviour");
        assert!(asked <= 12, "it is asked ever more rarely: {asked}");
    });
}

#[test]
fn pages_that_never_end_or_fail_are_told_of_and_the_others_go_on() {
    let cases = [
        (
            Pages::Endless,
            "its pages do not end: page 2 names `1` as the next one",
        ),
        (Pages::Torn, "this page is torn"),
    ];
    at_once(&cases, |(pages, said)| {
        let site = Site::new();
        let other = Provider::default();
        let _instances = other.instances(&site.home.socket("other"));
        site.provider.declares(json!({"list": {"page": 1}}));
        site.provider.pages(Pages::Of(1));
        let _daemon = site.start(&[]);
        let mut document = cattle("h", 2, "v1");
        document["Properties"]["Instance"]["Plugin"] = json!("other");
        site.commit(&cattle("g", 3, "v1"));
        site.provider.settles("g", 3, "v1", SOON);
        infrakit_tests::fleet::converged(&site.home, "g", 3, SOON);
        site.provider.pages(*pages);
        site.commit(&document);
        other.settles("h", 2, "v1", SOON);
        infrakit_tests::eventually(SOON, "it is told of", || {
            let why = site.says("group why g");
            why.contains(*said).then_some(()).ok_or(why)
        });
        // A part of the pages is no list: nobody is missed.
        assert_eq!(
            (site.provider.begun("g"), site.provider.ids("g").len()),
            (3, 3)
        );
        site.provider.pages(Pages::Of(2));
        site.commit(&cattle("g", 4, "v1"));
        site.provider.settles("g", 4, "v1", SOON);
        assert_eq!(site.provider.begun("g"), 4);
    });
}
