//! Lists that are old, empty, or short of many at once: nothing is made a second time.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use infrakit_tests::provider::View;
use infrakit_tests::site::{SOON, Site, at_once, cattle};

#[test]
fn many_that_are_really_gone_are_made_again_once_a_second_list_says_so() {
    let cases = [(6, 4), (10, 8), (30, 27)];
    at_once(&cases, |(size, lost)| {
        let site = Site::new();
        let _daemon = site.start(&[]);
        site.commit(&cattle("g", *size, "v1"));
        site.provider.settles("g", *size, "v1", SOON);
        sleep(Duration::from_secs(3));
        let gone: BTreeSet<String> = site.provider.ids("g").into_iter().take(*lost).collect();
        let start = Instant::now();
        for id in &gone {
            site.provider.lose(id);
        }
        site.provider.stays(
            "g",
            Duration::from_millis(1500),
            "it is doubted",
            |provider| provider.begun_since("g", Some(start)) == 0,
        );
        // Those lost early in their lives are made again in several goes.
        site.provider
            .settles("g", *size, "v1", Duration::from_secs(60));
    });
}

#[test]
fn a_list_that_lacks_most_for_a_moment_makes_nothing() {
    let site = Site::new();
    let _daemon = site.start(&[]);
    site.commit(&cattle("g", 9, "v1"));
    site.provider.settles("g", 9, "v1", SOON);
    sleep(Duration::from_secs(2));
    let absent: BTreeSet<String> = site.provider.ids("g").into_iter().skip(2).collect();
    site.provider.shows(View::Without(absent));
    sleep(Duration::from_millis(900));
    site.provider.shows(View::True);
    site.provider
        .stays("g", Duration::from_secs(5), "nothing is made", |provider| {
            provider.begun("g") == 9 && provider.destroyed().is_empty()
        });
}

/// A machine that starts anew starts its plugins with it, and one of them has forgotten everything.
#[test]
fn a_plugin_that_shows_nobody_after_a_restart_gets_no_second_set() {
    let site = Site::new();
    let mut daemon = site.start(&[]);
    site.commit(&cattle("g", 6, "v1"));
    site.provider.settles("g", 6, "v1", SOON);
    // How many there are is on record some seconds after they were found healthy.
    sleep(Duration::from_secs(12));
    assert_eq!(daemon.terminate(), 0);
    site.provider.shows(View::Without(site.provider.ids("g")));
    let _daemon = site.start(&[]);
    site.provider
        .stays("g", Duration::from_secs(5), "nothing is made", |provider| {
            provider.begun("g") == 6 && provider.destroyed().is_empty()
        });
    let why = site.says("group why g");
    assert!(why.contains("infrakit group confirm-loss g"), "{why}");
    site.provider.shows(View::True);
    site.provider
        .stays("g", Duration::from_secs(5), "nothing is made", |provider| {
            provider.begun("g") == 6 && provider.destroyed().is_empty()
        });
}
