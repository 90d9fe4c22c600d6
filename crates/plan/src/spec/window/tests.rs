//! Windows by the clock, across its changes, and compared with a list of every minute.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use jiff::tz::AmbiguousOffset;
use proptest::prelude::*;

use super::*;

fn window(cron: &str, duration: &str, zone: &str) -> Window {
    let text = format!(r#"{{"Cron":"{cron}","Duration":"{duration}","TimeZone":"{zone}"}}"#);
    Window::decode(
        &Any::parse(&text).unwrap(),
        "Updating.Windows[0]".to_owned(),
    )
    .unwrap()
}

fn at(text: &str) -> Timestamp {
    timestamp(text.parse().unwrap()).unwrap()
}

fn opens(window: &Window, now: &str) -> String {
    moment(window.next_opening(at(now)).unwrap())
        .unwrap()
        .to_string()
}

#[test]
fn opens_by_the_clock_of_its_zone_and_stays_open_for_its_duration() {
    let window = window("0 22 * * 1-5", "4h", "Europe/Berlin");
    // A Wednesday; Berlin is one hour ahead.
    assert!(!window.is_open(at("2026-11-25T20:59:59Z")));
    assert_eq!(
        window.closes(at("2026-11-25T21:00:00Z")),
        Some(at("2026-11-26T01:00:00Z"))
    );
    assert!(window.is_open(at("2026-11-26T00:59:59.999999999Z")));
    assert!(!window.is_open(at("2026-11-26T01:00:00Z")));
    assert_eq!(
        opens(&window, "2026-11-25T20:00:00Z"),
        "2026-11-25T21:00:00Z"
    );
    assert_eq!(
        opens(&window, "2026-11-25T21:00:00Z"),
        "2026-11-26T21:00:00Z"
    );
    // From Friday to Monday.
    assert_eq!(
        opens(&window, "2026-11-27T23:00:00Z"),
        "2026-11-30T21:00:00Z"
    );
}

#[test]
fn a_time_that_the_clock_leaves_out_counts_from_where_it_would_have_been() {
    // 2026-03-29 has no 02:30 in Berlin: it counts at 03:30, which is 01:30Z.
    let window = window("30 2 * * *", "30m", "Europe/Berlin");
    assert_eq!(
        opens(&window, "2026-03-28T12:00:00Z"),
        "2026-03-29T01:30:00Z"
    );
    assert_eq!(
        window.closes(at("2026-03-29T01:45:00Z")),
        Some(at("2026-03-29T02:00:00Z"))
    );
    assert_eq!(
        opens(&window, "2026-03-29T01:30:00Z"),
        "2026-03-30T00:30:00Z"
    );
}

#[test]
fn a_time_that_comes_twice_counts_once() {
    // 2026-10-25 has 02:30 twice in Berlin: 00:30Z and 01:30Z.
    let window = window("30 2 * * *", "15m", "Europe/Berlin");
    assert_eq!(
        opens(&window, "2026-10-24T12:00:00Z"),
        "2026-10-25T00:30:00Z"
    );
    assert!(window.is_open(at("2026-10-25T00:44:00Z")));
    assert!(!window.is_open(at("2026-10-25T01:31:00Z")));
    assert_eq!(
        opens(&window, "2026-10-25T00:30:00Z"),
        "2026-10-26T01:30:00Z"
    );
}

#[test]
fn every_hour_means_every_hour_on_days_of_change_too() {
    let window = window("0 * * * *", "10m", "Europe/Berlin");
    let mut now = at("2026-10-24T22:30:00Z");
    for hour in ["23", "00", "01", "02", "03"] {
        let next = window.next_opening(now).unwrap();
        assert!(
            moment(next)
                .unwrap()
                .to_string()
                .ends_with(&format!("T{hour}:00:00Z"))
        );
        now = next;
        assert!(window.is_open(now));
    }
    assert_eq!(
        opens(&window, "2026-03-29T00:30:00Z"),
        "2026-03-29T01:00:00Z"
    );
    assert_eq!(
        opens(&window, "2026-03-29T01:00:00Z"),
        "2026-03-29T02:00:00Z"
    );
}

#[test]
fn rare_days_are_found_however_far_they_lie() {
    let leap = window("0 0 29 2 *", "1h", "America/New_York");
    assert_eq!(opens(&leap, "2096-03-01T00:00:00Z"), "2104-02-29T05:00:00Z");
    assert!(leap.is_open(at("2104-02-29T05:30:00Z")));
    // A day of the month or a day of the week: either opens.
    let either = window("0 0 13 * 5", "1h", "UTC");
    assert_eq!(
        opens(&either, "2026-11-25T00:00:00Z"),
        "2026-11-27T00:00:00Z"
    );
    assert_eq!(
        opens(&either, "2026-12-12T00:00:00Z"),
        "2026-12-13T00:00:00Z"
    );
}

#[test]
fn windows_that_follow_each_other_close_together() {
    let early = window("0 22 * * *", "2h", "UTC");
    let late = window("0 23 * * *", "2h", "UTC");
    let windows = [early, late];
    assert_eq!(
        opening(&windows, at("2026-11-25T22:10:00Z")),
        Opening::Open {
            closes: at("2026-11-26T01:00:00Z")
        }
    );
    assert_eq!(
        opening(&windows, at("2026-11-26T01:00:00Z")),
        Opening::Closed {
            opens: at("2026-11-26T22:00:00Z")
        }
    );
    assert_eq!(opening(&[], at("2026-11-26T01:00:00Z")), Opening::Always);
}

#[test]
fn a_window_that_is_longer_than_its_period_is_always_open() {
    let windows = [window("0 0 * * *", "48h", "UTC")];
    let now = at("2026-11-25T22:10:00Z");
    let Opening::Open { closes } = opening(&windows, now) else {
        panic!("it is closed");
    };
    assert!(closes > now + Duration::from_secs(7 * 86_400));
    assert!(matches!(opening(&windows, closes), Opening::Open { .. }));
}

#[test]
fn fields_are_read_as_everywhere() {
    for (cron, from, want) in [
        (
            "5/20 0 * * *",
            "2026-11-25T00:06:00Z",
            "2026-11-25T00:25:00Z",
        ),
        (
            "*/20 0 * * *",
            "2026-11-25T00:06:00Z",
            "2026-11-25T00:20:00Z",
        ),
        (
            "10-30/10 0 * * *",
            "2026-11-25T00:21:00Z",
            "2026-11-25T00:30:00Z",
        ),
        ("0 0 * * 7", "2026-11-25T00:00:00Z", "2026-11-29T00:00:00Z"),
        ("0 0 * * 0", "2026-11-25T00:00:00Z", "2026-11-29T00:00:00Z"),
        (
            "0 0 * * Sat",
            "2026-11-25T00:00:00Z",
            "2026-11-28T00:00:00Z",
        ),
        (
            "0 0 * * 5-7",
            "2026-11-28T00:00:00Z",
            "2026-11-29T00:00:00Z",
        ),
        (
            "0 0 1 JAN,mar *",
            "2026-01-02T00:00:00Z",
            "2026-03-01T00:00:00Z",
        ),
        ("0 0 1 12 *", "2026-01-02T00:00:00Z", "2026-12-01T00:00:00Z"),
        (
            "59 23 31 * *",
            "2026-11-25T00:00:00Z",
            "2026-12-31T23:59:00Z",
        ),
        // One field of days with a star in it restricts together with the other.
        (
            "0 0 */2 * 1",
            "2026-11-25T00:00:00Z",
            "2026-12-07T00:00:00Z",
        ),
        (
            "  0  0 1,15 * * ",
            "2026-11-25T00:00:00Z",
            "2026-12-01T00:00:00Z",
        ),
    ] {
        assert_eq!(opens(&window(cron, "1h", "UTC"), from), want, "{cron}");
    }
    for cron in [
        "",
        "* * * * * *",
        "a * * * *",
        "-1 * * * *",
        "1- * * * *",
        "1,,2 * * * *",
        "1/x * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 0 *",
        "* * * 13 *",
        "* * * * 8",
        "+1 * * * *",
        "* * * * mon-sun",
        "*-5 * * * *",
        "1/256 * * * *",
    ] {
        assert!(Cron::parse(cron).is_err(), "{cron}");
    }
}

/// When a window opens within some days, minute by minute.
fn openings(
    window: &Window,
    fits: impl Fn(DateTime) -> bool,
    from: Date,
    days: i64,
) -> Vec<Timestamp> {
    let mut found = BTreeSet::new();
    let mut minute = from.at(0, 0, 0, 0);
    for _ in 0..days * 1440 {
        if fits(minute) {
            let ambiguous = window.zone.to_ambiguous_timestamp(minute);
            let every = window.cron.split(' ').nth(1).unwrap().starts_with('*');
            match (ambiguous.offset(), every) {
                (AmbiguousOffset::Gap { .. }, true) => {}
                (AmbiguousOffset::Fold { before, after }, true) => {
                    found.insert(timestamp(before.to_timestamp(minute).unwrap()).unwrap());
                    found.insert(timestamp(after.to_timestamp(minute).unwrap()).unwrap());
                }
                _ => {
                    found.insert(timestamp(ambiguous.compatible().unwrap()).unwrap());
                }
            }
        }
        minute = minute
            .checked_add(jiff::SignedDuration::from_mins(1))
            .unwrap();
    }
    found.into_iter().collect()
}

/// Days around changes of clocks: by an hour, by half an hour, and by a whole day.
const CHANGING: [(&str, Date); 7] = [
    ("Europe/Berlin", date(2026, 3, 27)),
    ("Europe/Berlin", date(2026, 10, 23)),
    ("America/New_York", date(2027, 3, 12)),
    ("America/New_York", date(2026, 10, 30)),
    ("Australia/Lord_Howe", date(2026, 10, 2)),
    ("Australia/Lord_Howe", date(2027, 4, 2)),
    ("Pacific/Apia", date(2011, 12, 28)),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_minute_is_as_the_calendar_says(
        minutes in prop::collection::btree_set(0_i8..60, 1..4),
        hours in prop::option::of(prop::collection::btree_set(0_i8..24, 1..5)),
        weekdays in prop::option::of(prop::collection::btree_set(0_i8..7, 1..5)),
        duration in 1_u64..200,
        which in 0..CHANGING.len(),
    ) {
        let list = |set: &BTreeSet<i8>| {
            let numbers: Vec<String> = set.iter().map(ToString::to_string).collect();
            numbers.join(",")
        };
        let field = |set: &Option<BTreeSet<i8>>| set.as_ref().map_or_else(|| "*".to_owned(), list);
        let cron = format!("{} {} * * {}", list(&minutes), field(&hours), field(&weekdays));
        let (zone, from) = CHANGING[which];
        let window = window(&cron, &format!("{duration}m"), zone);
        let fits = |minute: DateTime| {
            let weekday = minute.weekday().to_sunday_zero_offset();
            minutes.contains(&minute.minute())
                && hours.as_ref().is_none_or(|hours| hours.contains(&minute.hour()))
                && weekdays.as_ref().is_none_or(|days| days.contains(&weekday))
        };
        let expected = openings(&window, fits, from, 5);
        // The list begins and ends in the middle of things; what lies between is complete.
        for pair in expected.windows(2) {
            prop_assert_eq!(window.next_opening(pair[0]), Some(pair[1]), "{}", cron);
            let before = Timestamp(pair[1].0 - 1);
            prop_assert_eq!(window.next_opening(before), Some(pair[1]), "{}", cron);
            let closes = pair[0] + Duration::from_secs(duration * 60);
            prop_assert_eq!(window.closes(pair[0]), Some(closes), "{}", cron);
            let last = (before < closes).then_some(closes);
            prop_assert_eq!(window.closes(before), last, "{}", cron);
        }
    }
}

#[test]
fn windows_are_equal_as_they_are_written() {
    let one = || window("0 22 * * *", "2h", "UTC");
    assert_eq!(one(), one());
    for other in [
        window("0 23 * * *", "2h", "UTC"),
        window("0 22 * * *", "3h", "UTC"),
        window("0 22 * * *", "2h", "Europe/Berlin"),
    ] {
        assert_ne!(one(), other);
    }
}

#[test]
fn a_month_that_is_not_named_opens_nothing() {
    let january = window("0 0 1 1 *", "1h", "UTC");
    assert!(january.is_open(at("2026-01-01T00:30:00Z")));
    assert!(!january.is_open(at("2026-03-01T00:30:00Z")));
    assert_eq!(
        opens(&january, "2026-01-01T00:00:00Z"),
        "2027-01-01T00:00:00Z"
    );
    // What is named twice is named.
    let twice = window("0 0 1-15,5 * *", "1h", "UTC");
    assert!(twice.is_open(at("2026-03-05T00:30:00Z")));
}

#[test]
fn a_leap_day_that_is_a_sunday_is_found_a_generation_ahead() {
    let rare = window("0 0 29 2 */7", "1h", "UTC");
    assert_eq!(opens(&rare, "2032-03-01T00:00:00Z"), "2060-02-29T00:00:00Z");
    assert!(rare.is_open(at("2032-02-29T00:30:00Z")));
    assert!(!rare.is_open(at("2036-02-29T00:30:00Z")));
}
