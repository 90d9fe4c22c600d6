//! Creations whose answers are lost, at a provider that knows them by their tokens.

use std::time::Duration;

use infrakit_tests::provider::{Fault, Provider, View};
use infrakit_tests::site::{SOON, Site, pets};
use infrakit_tests::{eventually, fleet};
use serde_json::{Value, json};

/// Longer than a test may wait: who is not asked again is waited for that long.
fn token() -> Value {
    json!({"idempotency": {"kind": "token", "scope": "zone", "ttl_s": 86400}, "create": {"give_up_s": 3600}})
}

#[test]
fn a_creation_that_never_arrived_is_asked_for_again() {
    let site = Site::new();
    site.provider.declares(token());
    site.provider.knows_tokens();
    site.provider
        .fails_times("Instance.Provision", Fault::Nothing, 3);
    let _daemon = site.start(&[]);
    site.commit(&pets("g", &["a"], "v1"));
    site.provider.settles("g", 1, "v1", SOON);
    fleet::converged(&site.home, "g", 1, SOON);
    assert_eq!(
        (site.provider.begun("g"), site.provider.bodies("g")),
        (1, 1)
    );
}

/// The answers of all calls come too late, and the controller is ended in the middle of them.
#[test]
fn creations_of_40_s_outlive_a_restart_and_come_once() {
    let site = Site::new();
    site.provider.declares(token());
    site.provider.knows_tokens();
    site.provider
        .takes("Instance.Provision", Duration::from_secs(40));
    let mut daemon = site.start(&[]);
    site.commit(&pets("g", &["a", "b", "c"], "v1"));
    eventually(SOON, "all are asked for", || {
        let begun = site.provider.begun("g");
        (begun == 3).then_some(()).ok_or_else(|| begun.to_string())
    });
    std::thread::sleep(Duration::from_secs(4));
    daemon.kill();
    drop(daemon);
    let _daemon = site.start(&[]);
    eventually(SOON, "they are asked for again", || {
        let calls = site.provider.calls("Instance.Provision");
        (calls > 3).then_some(()).ok_or_else(|| calls.to_string())
    });
    let limit = Duration::from_secs(60);
    site.provider.settles("g", 3, "v1", limit);
    fleet::converged(&site.home, "g", 3, SOON);
    assert_eq!(
        (site.provider.begun("g"), site.provider.bodies("g")),
        (3, 1)
    );
}

/// It declares what is not so: it refuses the token that it was given before.
#[test]
fn a_plugin_that_refuses_a_token_for_its_content_is_named_and_the_others_go_on() {
    let site = Site::new();
    site.provider.declares(token());
    let mismatch = "IdempotentParameterMismatch";
    site.provider
        .fails_times("Instance.Provision", Fault::CloseAfter, 1);
    // What was made is not shown, so that it has to be asked for.
    site.provider.shows(View::Nobody);
    let other = Provider::default();
    let _instances = other.instances(&site.home.socket("other"));
    let _daemon = site.start(&[]);
    site.commit(&pets("g", &["a"], "v1"));
    eventually(SOON, "it is asked for", || {
        let begun = site.provider.begun("g");
        (begun == 1).then_some(()).ok_or_else(|| begun.to_string())
    });
    site.provider
        .fails("Instance.Provision", Fault::Refused(mismatch.to_owned()));
    let mut document = pets("h", &["a"], "v1");
    document["Properties"]["Instance"]["Plugin"] = json!("other");
    site.commit(&document);
    other.settles("h", 1, "v1", SOON);
    eventually(SOON, "it is told of", || {
        let why = site.says("group why g");
        let told =
            why.contains("refuses one that it was asked for before") && why.contains(mismatch);
        told.then_some(()).ok_or(why)
    });
    site.provider.shows(View::True);
    site.provider.settles("g", 1, "v1", SOON);
    assert_eq!(site.provider.ids("g").len(), 1);
}

/// It declares what is not so: it makes another one for a token that it was given before.
#[test]
fn a_plugin_that_makes_two_with_one_token_is_named_and_one_goes() {
    let site = Site::new();
    site.provider.declares(token());
    site.provider
        .fails_times("Instance.Provision", Fault::CloseAfter, 1);
    site.provider.shows(View::Nobody);
    let _daemon = site.start(&[]);
    site.commit(&pets("g", &["a"], "v1"));
    eventually(SOON, "two are made", || {
        let bodies = site.provider.bodies("g");
        (bodies == 2)
            .then_some(())
            .ok_or_else(|| bodies.to_string())
    });
    site.provider.shows(View::True);
    site.provider.settles("g", 1, "v1", SOON);
    eventually(SOON, "it is told of", || {
        let why = site.says("group why g");
        let told = why.contains("and made two with one, ");
        told.then_some(()).ok_or(why)
    });
}
