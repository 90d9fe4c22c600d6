//! Lists in pages, and lists of a part of the world.

use std::time::Duration;

use infrakit_tests::fleet;
use infrakit_tests::provider::Pages;
use infrakit_tests::site::{SOON, Site, cattle};
use serde_json::json;

/// The controller looks some ten times meanwhile.
const A_WHILE: Duration = Duration::from_secs(3);

#[test]
fn a_group_on_a_plugin_that_lists_in_pages_is_kept() {
    let site = Site::new();
    site.provider
        .declares(json!({"list": {"page": 3, "relapse_s": 0}}));
    site.provider.pages(Pages::Of(3));
    let daemon = site.start(&[]);
    site.commit(&cattle("g", 10, "v1"));
    site.provider.settles("g", 10, "v1", SOON);
    fleet::converged(&site.home, "g", 10, SOON);
    let last = site.provider.ids("g").pop_last().expect("there are ten");
    assert!(site.provider.lose(&last));
    site.provider.settles("g", 10, "v1", SOON);
    drop(daemon);
    let _daemon = site.start(&[]);
    fleet::converged(&site.home, "g", 10, SOON);
    site.provider
        .stays("g", A_WHILE, "eleven were asked for", |provider| {
            provider.begun("g") == 11
        });
}

#[test]
fn a_zone_that_is_out_of_sight_is_neither_lost_nor_made_again() {
    let site = Site::new();
    site.provider.declares(json!({
        "domain_of": "zone", "visibility_window_s": {"list": 0}, "list": {"lag_s": 0, "relapse_s": 0}
    }));
    site.provider.zones(&["east", "west"]);
    let daemon = site.start(&[]);
    site.commit(&cattle("g", 6, "v1"));
    site.provider.settles("g", 6, "v1", SOON);
    fleet::converged(&site.home, "g", 6, SOON);
    site.provider.covers(Some(&["east"]));
    let in_east = |zone: &str| {
        let members = site.provider.members("g").into_iter();
        let mut there = members.filter(|(_, one)| one.tags["zone"] == zone);
        there.next().expect("three are there").0
    };
    infrakit_tests::eventually(SOON, "it is told of", || {
        let why = site.says("group why g");
        let told = why.contains("`cloud` shows only `east`");
        told.then_some(()).ok_or(why)
    });
    // Of two that are lost, one is in sight.
    assert!(site.provider.lose(&in_east("west")));
    assert!(site.provider.lose(&in_east("east")));
    infrakit_tests::eventually(SOON, "one is made again", || {
        let begun = site.provider.begun("g");
        (begun == 7).then_some(()).ok_or_else(|| begun.to_string())
    });
    drop(daemon);
    // Who starts anew knows nothing of those that are out of sight.
    let _daemon = site.start(&[]);
    site.provider
        .stays("g", A_WHILE, "nothing is made", |provider| {
            provider.begun("g") == 7
        });
    site.provider.covers(None);
    site.provider.settles("g", 6, "v1", SOON);
    assert_eq!(site.provider.begun("g"), 8);
}
