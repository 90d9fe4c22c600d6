//! Verdicts that count, and those that do not.

use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp(1_000_000_000_000 + seconds * 1_000_000_000)
}

fn record(verdicts: &str) -> HealthRecord {
    let mut record = HealthRecord::default();
    for (second, verdict) in verdicts.chars().enumerate() {
        let verdict = match verdict {
            'h' => Health::Healthy,
            'u' => Health::Unhealthy,
            _ => Health::Unknown,
        };
        record.note(verdict, at(second as u64));
    }
    record
}

fn states(verdicts: &str, policy: &HealthPolicy) -> (bool, bool) {
    let record = record(verdicts);
    (
        record.suspect(policy, at(0), at(20)),
        record.sick(policy, at(0), at(20), Witnesses::Some),
    )
}

#[test]
fn a_suspect_is_sick_once_it_is_confirmed() {
    let policy = HealthPolicy::default();
    assert_eq!(states("huu", &policy), (false, false));
    assert_eq!(states("huuu", &policy), (true, false));
    assert_eq!(states("huuuuuuuuuuuu", &policy), (true, false));
    assert_eq!(states("huuuuuuuuuuuuu", &policy), (true, true));
    assert_eq!(states("huuuuuuuuuuuuuh", &policy), (false, false));
    assert_eq!(states("huuuuuuu?", &policy), (false, false));
}

#[test]
fn who_contradicts_itself_all_the_time_is_believed_once_it_is_steady() {
    let policy = HealthPolicy::default();
    let row = |bad: usize| format!("huuhuhh{}", "u".repeat(bad));
    assert_eq!(states(&row(20), &policy), (true, false));
    assert_eq!(states(&row(32), &policy), (true, true));
    // Ill, well, and ill again is no contradiction.
    let relapse = format!("huuuhhh{}", "u".repeat(13));
    assert_eq!(states(&relapse, &policy), (true, true));
}

#[test]
fn n_of_m_keeps_its_rate_when_it_is_confirmed() {
    let mut policy = HealthPolicy::default();
    policy.window = 5;
    assert_eq!(states("huuhu", &policy), (true, false));
    assert_eq!(states("hhhuhhu", &policy), (false, false));
    assert_eq!(states("huhuuhuuhuuhuuhu", &policy), (true, true));
}

#[test]
fn within_grace_nobody_is_sick_who_was_never_healthy() {
    let policy = HealthPolicy::default();
    let mut record = record("uuuuuuuuuuuuuuu");
    let sick =
        |record: &HealthRecord, second| record.sick(&policy, at(0), at(second), Witnesses::Some);
    assert!(!sick(&record, 299));
    assert!(!sick(&record, 300), "that is old news");
    record.note(Health::Unhealthy, at(300));
    assert!(sick(&record, 300));
}

#[test]
fn verdicts_before_the_first_good_one_are_no_sign_of_sickness() {
    let mut policy = HealthPolicy::default();
    policy.window = 5;
    assert_eq!(states("uuuuuuuuuuuuhuuu", &policy), (true, false));
    assert_eq!(states("hhhhhhuuuuuuuuu", &policy), (true, true));
}

#[test]
fn failures_in_a_row_are_counted_however_many_are_asked_for() {
    let mut policy = HealthPolicy::default();
    (policy.threshold, policy.window) = (100, 100);
    assert_eq!(
        states(&format!("h{}", "u".repeat(99)), &policy),
        (false, false)
    );
    assert_eq!(
        states(&format!("h{}", "u".repeat(109)), &policy),
        (true, false)
    );
    assert_eq!(
        states(&format!("h{}", "u".repeat(110)), &policy),
        (true, true)
    );
}

#[test]
fn without_witnesses_a_suspect_is_asked_for_longer_and_must_not_contradict_itself() {
    let alone = |verdicts: &str, policy: &HealthPolicy| {
        record(verdicts).sick(policy, at(0), at(20), Witnesses::None)
    };
    let mut policy = HealthPolicy::default();
    assert!(!alone(&format!("h{}", "u".repeat(32)), &policy));
    assert!(alone(&format!("h{}", "u".repeat(33)), &policy));
    policy.window = 5;
    assert!(!alone(&format!("h{}", "u".repeat(20)), &policy));
    assert!(alone(&format!("hhhhh{}", "u".repeat(21)), &policy));
    let wavering = format!("huuuuuhuuuuuhu{}", "u".repeat(21));
    assert!(!alone(&wavering, &policy));
}

#[test]
fn changes_make_a_flapping_member_and_unknown_is_no_change() {
    assert!(!record("hhhuuu").flaps());
    assert!(!record("hhuuhh").flaps());
    assert!(record("huhu").flaps());
    assert!(!record("h?h?h?h").flaps());
    assert!(!record("huhuhhhhhhhhhhhhhhhhh").flaps());
}

#[test]
fn what_was_known_once_outlasts_silence() {
    for (verdicts, known, ever) in [
        ("", None, false),
        ("?", None, false),
        ("u??", Some(Health::Unhealthy), false),
        ("h?u?", Some(Health::Unhealthy), true),
        ("uh?", Some(Health::Healthy), true),
    ] {
        let record = record(verdicts);
        assert_eq!(record.last_known(), known, "{verdicts}");
        assert_eq!(record.ever_healthy(), ever, "{verdicts}");
    }
}

#[test]
fn equal_verdicts_in_a_row_are_counted_from_the_first_of_them() {
    for (verdicts, streak, since) in [("h", 1, 0), ("hhh", 3, 0), ("hhu", 1, 2), ("h?hh", 2, 2)] {
        let record = record(verdicts);
        let known = (record.streak(), record.since());
        assert_eq!(known, (streak, at(since)), "{verdicts}");
    }
}

#[test]
fn failures_before_the_window_are_forgotten() {
    let mut policy = HealthPolicy::default();
    (policy.threshold, policy.window) = (3, 5);
    let long_ago = format!("h{}{}", "u".repeat(20), "h".repeat(20));
    assert_eq!(states(&format!("{long_ago}uu"), &policy), (false, false));
    assert_eq!(states(&format!("{long_ago}uuu"), &policy), (true, false));
    let (few, most) = ("uuuuuuuu", "uuuuuuuuu");
    assert_eq!(states(&format!("{long_ago}{few}"), &policy), (true, false));
    assert_eq!(states(&format!("{long_ago}{most}"), &policy), (true, true));
}

#[test]
fn without_witnesses_three_changes_are_too_many() {
    let mut policy = HealthPolicy::default();
    policy.window = 5;
    for (before, believed) in [("h", true), ("uh", true), ("huh", false), ("huhuh", false)] {
        let record = record(&format!("{before}{}", "u".repeat(25)));
        let sick = record.sick(&policy, at(0), at(400), Witnesses::None);
        assert_eq!(sick, believed, "{before}");
    }
}
