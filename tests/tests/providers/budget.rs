//! One budget for everything that takes a member away: requests, sickness, versions, names.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use infrakit_tests::rollout;
use infrakit_tests::site::{SOON, Site, at_once, cattle};
use serde_json::{Value, json};

/// A creation takes so long here: members that go beside each other would be missed together.
const CREATION: Duration = Duration::from_millis(700);

fn settled(document: &Value, size: usize) -> Site {
    let site = Site::new();
    {
        let _daemon = site.start(&[]);
        site.commit(document);
        site.provider.settles("g", size, "v1", SOON);
        // The lists have shown them, and they have proved themselves.
        infrakit_tests::fleet::converged(&site.home, "g", size, SOON);
        sleep(Duration::from_millis(500));
    }
    site.provider.takes("Instance.Provision", CREATION);
    site
}

#[test]
fn members_that_an_operator_wants_to_go_do_so_within_the_budget() {
    let cases = [
        (cattle("g", 4, "v1"), 4, 3, 1),
        (
            rollout::with(
                cattle("g", 6, "v1"),
                "Updating",
                json!({"MaxUnavailable": 2}),
            ),
            6,
            5,
            2,
        ),
    ];
    at_once(&cases, |(document, size, count, unavailable)| {
        let site = settled(document, *size);
        let _daemon = site.start(&[]);
        let ids: Vec<String> = site.provider.ids("g").into_iter().take(*count).collect();
        let start = Instant::now();
        let words = format!("group destroy-instance g {}", ids.join(" "));
        site.home.cli(&words).ok();
        infrakit_tests::eventually(SOON, "they are gone or replaced", || {
            let now = site.provider.ids("g");
            if ids.iter().any(|id| now.contains(id)) {
                Err(site.provider.story("g"))
            } else {
                Ok(())
            }
        });
        sleep(Duration::from_secs(1));
        let (fewest, story) = (site.provider.fewest("g", start), site.provider.story("g"));
        // The size may become less with them; it never does so by more than the budget at once.
        let smaller = size - site.provider.ids("g").len();
        assert!(
            fewest + unavailable + smaller >= *size,
            "{fewest} of {size}: {story}"
        );
    });
}

#[test]
fn sick_members_are_replaced_within_the_budget_while_a_version_rolls() {
    let health = json!({"GracePeriod": "1s", "Threshold": 2, "Interval": "100ms"});
    let document = |note: &str| rollout::with(cattle("g", 6, note), "Health", health.clone());
    let site = settled(&document("v1"), 6);
    let _daemon = site.start(&[]);
    sleep(Duration::from_secs(2));
    let sick: BTreeSet<String> = site.provider.ids("g").into_iter().take(2).collect();
    site.provider
        .sicken(&sick.iter().cloned().collect::<Vec<_>>(), true);
    let start = Instant::now();
    site.commit(&document("v2"));
    site.provider.settles("g", 6, "v2", Duration::from_secs(60));
    // Two serve badly and one more may be away.
    let fewest = site.provider.fewest("g", start);
    assert!(fewest >= 4, "{fewest} of 6: {}", site.provider.story("g"));
}
