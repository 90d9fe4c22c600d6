//! Previews of groups in which something is under way already.

use super::*;
use crate::{Again, Departure, Intent, Step};

fn intent(group: &Group, id: Option<&str>) -> Intent {
    Intent {
        logical_id: id.map(LogicalId::from),
        plugin: group.before.instance.plugin.clone(),
        hash: group.before.hash.clone(),
        begun: NOW,
        content: None,
        again: Again::default(),
        doubt: None,
    }
}

#[test]
fn a_pet_that_is_being_made_is_not_made_twice() {
    let two = |note| spec(r#"{"LogicalIDs":["a","b"]}"#, note, "");
    let one = spec(r#"{"LogicalIDs":["a"]}"#, 1, "");
    let mut group = Group::of(one);
    group.before = two(1);
    group.memory.intents.insert(999, intent(&group, Some("b")));
    let shown = group.show(&two(1));
    assert_eq!(told(&shown), Vec::<String>::new());
    assert_eq!(seconds(&shown), Some(12), "it comes, and proves itself");
    // What was made from the former configuration is replaced in its turn.
    let shown = group.show(&two(2));
    assert_eq!(told(&shown), ["10+15 -new-999 +1", "25+15 -i-a +1"]);
}

#[test]
fn a_member_on_its_way_out_is_waited_for_as_long_as_is_left() {
    let mut group = Group::of(cattle(3, 1, ""));
    let since = Timestamp(NOW.0 - 1_000_000_000);
    let id = "m00002".into();
    group.seen.get_mut(&id).unwrap().departure = Some(Departure {
        reason: Reason::Surplus,
        since,
        step: Step::Accepted(since),
        taken: Some(since),
    });
    let shown = group.show(&cattle(2, 1, ""));
    assert_eq!((told(&shown), seconds(&shown)), (Vec::new(), Some(2)));
    let shown = group.show(&cattle(3, 1, ""));
    assert_eq!(told(&shown), ["2+12 - +1"]);
}

#[test]
fn a_proof_that_is_awaited_comes_in_its_time() {
    let mut group = Group::of(cattle(2, 1, ""));
    let id = "m00001".into();
    group.seen.get_mut(&id).unwrap().health = crate::HealthRecord::default();
    let shown = group.show(&cattle(2, 1, ""));
    assert_eq!((told(&shown), seconds(&shown)), (Vec::new(), Some(2)));
}

/// A label that is being put on a member may take for ever, as far as a preview knows.
#[test]
fn what_may_never_end_is_given_up_and_said() {
    let mut group = Group::of(cattle(1, 1, ""));
    group.memory.naming = true;
    let id = "m00000".into();
    group.seen.get_mut(&id).unwrap().labelling = crate::Labelling::UnderWay(None);
    let shown = group.show(&spec(r#"{"LogicalIDs":["a"]}"#, 1, ""));
    let want = "it is not known how it goes on: waiting for a complete list of the instances";
    assert_eq!(shown.notes, [want]);
    assert_eq!((told(&shown), shown.duration), (Vec::new(), None));
}

#[test]
fn times_are_told_as_exactly_as_a_person_reads_them() {
    for (millis, told) in [
        (0, 0),
        (437, 437),
        (999, 999),
        (1_000, 1_000),
        (1_401, 1_500),
    ] {
        let rounded = pace::rounded(Duration::from_millis(millis));
        assert_eq!(rounded, Duration::from_millis(told));
    }
}
