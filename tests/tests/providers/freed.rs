//! Groups that are freed, destroyed or adopted while creations are under way.

use std::thread::sleep;
use std::time::Duration;

use infrakit_tests::provider::Fault;
use infrakit_tests::site::{SOON, Site, at_once, cattle, pets};
use serde_json::Value;

/// What happens to the answers of creations.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Comes,
    Lost,
}

/// Whether the controller goes on, or is ended with `kill -9` after the command that matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    One,
    Two,
}

struct Case {
    document: Value,
    size: usize,
    time: Duration,
    answer: Answer,
    life: Life,
}

fn cases() -> Vec<Case> {
    let millis = Duration::from_millis;
    let case = |document, size, time, answer, life| Case {
        document,
        size,
        time,
        answer,
        life,
    };
    vec![
        case(
            cattle("g", 4, "v1"),
            4,
            millis(1500),
            Answer::Comes,
            Life::One,
        ),
        case(
            pets("g", &["a", "b", "c", "d"], "v1"),
            4,
            millis(1500),
            Answer::Comes,
            Life::One,
        ),
        case(
            cattle("g", 7, "v1"),
            7,
            millis(5000),
            Answer::Lost,
            Life::One,
        ),
        case(
            pets("g", &["a", "b"], "v1"),
            2,
            millis(4000),
            Answer::Lost,
            Life::Two,
        ),
        case(
            cattle("g", 3, "v1"),
            3,
            millis(3000),
            Answer::Comes,
            Life::Two,
        ),
    ]
}

fn begin(case: &Case) -> Site {
    let site = Site::new();
    site.provider.takes("Instance.Provision", case.time);
    if case.answer == Answer::Lost {
        site.provider.fails("Instance.Provision", Fault::CloseAfter);
    }
    site
}

#[test]
fn what_arrives_late_of_a_destroyed_group_goes_too() {
    at_once(&cases(), |case| {
        let site = begin(case);
        let mut daemon = site.start(&[]);
        site.commit(&case.document);
        sleep(Duration::from_millis(300));
        site.home.cli("group destroy g");
        if case.life == Life::Two {
            daemon.kill();
            daemon.restart().wait_for(&["group"]);
        }
        sleep(case.time);
        site.provider.settles("g", 0, "v1", SOON);
        sleep(Duration::from_secs(2));
        site.provider.settles("g", 0, "v1", SOON);
        let begun = site.provider.begun("g");
        assert!(begun <= case.size, "{begun}: {}", site.provider.story("g"));
    });
}

#[test]
fn a_group_that_is_watched_anew_does_not_look_empty() {
    // Freed and taken over again and again, with lists that are on their way meanwhile. Whether others
    // are on the plugin decides what is listed.
    at_once(
        &[(6, 0, 250), (5, 2, 900), (3, 1, 400)],
        |(size, others, time)| {
            let site = Site::new();
            let _daemon = site.start(&[]);
            site.commit(&cattle("g", *size, "v1"));
            site.provider.settles("g", *size, "v1", SOON);
            for number in 0..*others {
                site.commit(&cattle(&format!("other-{number}"), 1, "v1"));
            }
            sleep(Duration::from_secs(1));
            site.provider
                .takes("Instance.DescribeInstances", Duration::from_millis(*time));
            for pause in [0, 30, 120, 250, 600, 1100] {
                site.home.cli("group free g").ok();
                sleep(Duration::from_millis(pause));
                site.commit(&cattle("g", *size, "v1"));
                sleep(Duration::from_millis(pause));
            }
            sleep(Duration::from_secs(4));
            assert_eq!(
                site.provider.begun("g"),
                *size,
                "{}",
                site.provider.story("g")
            );
            assert_eq!(site.provider.ids("g").len(), *size);
        },
    );
}
