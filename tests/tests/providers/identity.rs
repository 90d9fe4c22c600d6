//! Ids that a plugin has no right to answer with, and ids that come again.

use std::thread::sleep;
use std::time::Duration;

use infrakit_tests::provider::Fault;
use infrakit_tests::site::{SOON, Site, pets};
use serde_json::json;

#[test]
fn a_creation_answered_with_the_id_of_a_sibling_touches_nobody() {
    let site = Site::new();
    // What such an answer was about nobody knows: it is in doubt for as long as a creation may take.
    site.provider.declares(json!({"Type": "", "Behaviour": {
        "create": {"give_up_s": 2}, "visibility_window_s": {"list": 1},
        "list": {"lag_s": 1, "relapse_s": 1},
    }}));
    let _daemon = site.start(&[]);
    site.commit(&pets("g", &["a", "b"], "v1"));
    site.provider.settles("g", 2, "v1", SOON);
    sleep(Duration::from_secs(1));
    let before = site.provider.ids("g");
    let first = before.first().expect("two").clone();
    site.provider
        .fails("Instance.Provision", Fault::OtherId(first));
    site.commit(&pets("g", &["a", "b", "c"], "v1"));
    sleep(Duration::from_secs(3));
    assert_eq!(site.provider.destroyed(), Vec::<String>::new());
    assert_eq!(site.provider.ids("g"), before);
    site.provider.recovers("Instance.Provision");
    site.provider.settles("g", 3, "v1", Duration::from_secs(60));
    assert_eq!(site.provider.bodies("g"), 1);
    assert!(before.is_subset(&site.provider.ids("g")));
}
