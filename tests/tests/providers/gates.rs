//! Gates, pauses and failures of a rollout outlive any change of size.

use std::thread::sleep;
use std::time::Duration;

use infrakit_tests::rollout;
use infrakit_tests::site::{SOON, Site, at_once, cattle};
use serde_json::{Value, json};

fn staged(size: usize, note: &str) -> Value {
    let stages = json!({"Stages": [{"Until": 1, "Approve": true}]});
    rollout::with(cattle("g", size, note), "Updating", stages)
}

fn new(site: &Site) -> usize {
    let members = site.provider.members("g");
    members.values().filter(|one| one.note == "v2").count()
}

/// Commits the second version and waits until its canary stands at the gate.
fn at_the_gate(site: &Site, size: usize) {
    site.commit(&staged(size, "v1"));
    site.provider.settles("g", size, "v1", SOON);
    rollout::reaches(&site.home, "g", "Completed");
    site.commit(&staged(size, "v2"));
    rollout::reaches(&site.home, "g", "AwaitingApproval");
}

#[test]
fn a_pause_outlives_every_size() {
    let cases: [&[usize]; 2] = [&[1, 4], &[0, 3]];
    at_once(&cases, |sizes| {
        let site = Site::new();
        let _daemon = site.start(&[]);
        at_the_gate(&site, 4);
        site.home.cli("group rollout pause g").ok();
        for size in *sizes {
            site.home.cli(&format!("group scale g {size}")).ok();
            sleep(Duration::from_secs(2));
        }
        let status = site.says("group rollout status g");
        assert!(new(&site) <= 1 && status.contains("g: Paused"), "{status}");
    });
}
