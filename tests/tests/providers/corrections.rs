//! What has not begun at the provider is not made when the operator thinks better of it.

use std::thread::sleep;
use std::time::Duration;

use infrakit_tests::rollout;
use infrakit_tests::site::{SOON, Site, at_once, cattle};
use serde_json::json;

/// A window of calls begins at 128; some more may be on their way when the correction comes.
const WINDOW: usize = 160;

/// How the operator puts the mistake right.
#[derive(Clone, Copy)]
enum Correction {
    Commit,
    Scale,
    Destroy,
    Free,
}

#[test]
fn a_size_by_mistake_makes_no_more_than_was_under_way() {
    let cases = [
        (1000, 5, Correction::Commit),
        (3000, 2, Correction::Scale),
        (700, 0, Correction::Destroy),
        (600, 0, Correction::Free),
    ];
    at_once(&cases, |(mistake, size, how)| {
        let site = Site::new();
        site.provider
            .takes("Instance.Provision", Duration::from_secs(1));
        let _daemon = site.start(&[]);
        site.commit(&cattle("g", *mistake, "v1"));
        sleep(Duration::from_millis(500));
        match how {
            Correction::Commit => drop(site.commit(&cattle("g", *size, "v1"))),
            Correction::Scale => drop(site.home.cli(&format!("group scale g {size}")).ok()),
            Correction::Destroy => drop(site.home.cli("group destroy g").ok()),
            Correction::Free => drop(site.home.cli("group free g").ok()),
        }
        if !matches!(how, Correction::Free) {
            site.provider.settles("g", *size, "v1", SOON);
        }
        // A second batch would be there by now.
        sleep(Duration::from_secs(4));
        let begun = site.provider.begun("g");
        assert!(
            begun <= WINDOW,
            "{begun} creations of {mistake}, corrected to {size}"
        );
    });
}

#[test]
fn a_new_configuration_by_mistake_is_taken_back_before_it_is_made() {
    let site = Site::new();
    let _daemon = site.start(&[]);
    site.commit(&cattle("g", 300, "v1"));
    site.provider.settles("g", 300, "v1", SOON);
    site.provider
        .takes("Instance.Provision", Duration::from_secs(1));
    // Far more of the second version than a window holds, and a third one half a second later.
    let grow = |size: usize, note: &str| {
        let budget = json!({"MaxSurge": 200});
        rollout::with(cattle("g", size, note), "Updating", budget)
    };
    site.commit(&grow(600, "v2"));
    sleep(Duration::from_millis(500));
    site.commit(&grow(300, "v1"));
    site.provider.settles("g", 300, "v1", SOON);
    let begun = site.provider.begun("g") - 300;
    assert!(
        begun <= WINDOW + 100,
        "{begun} creations for what was taken back"
    );
}
