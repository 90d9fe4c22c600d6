//! What lists change, and what they cannot deny.

use std::time::Duration;

use infrakit_spi::hash::ConfigHash;

use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp(seconds * 1_000_000_000)
}

fn description(id: &str) -> Description {
    let tags = [
        (tags::GROUP, "g"),
        (tags::CONFIG_HASH, "h"),
        (tags::TOKEN, "n-4"),
    ];
    Description {
        id: id.into(),
        tags: Some(
            tags.map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        ),
        ..Description::default()
    }
}

fn list(seen: &mut Observed, ids: &[&str], started: u64, lag: Lag) -> Seen {
    let circumstances = Listed {
        plugin: &"p".into(),
        started: at(started),
        now: at(started + 1),
        lag,
    };
    let ids = ids.iter().map(|id| description(id));
    seen.apply(&"g".into(), ids, circumstances, "n")
}

fn ids(seen: &Observed) -> Vec<&str> {
    seen.members().map(|member| member.id.as_str()).collect()
}

#[test]
fn reads_tags_and_ignores_strangers() {
    let mut seen = Observed::default();
    let stranger = Description {
        id: "s".into(),
        ..Description::default()
    };
    let circumstances = Listed {
        plugin: &"p".into(),
        started: at(1),
        now: at(1),
        lag: Lag::default(),
    };
    seen.apply(
        &"g".into(),
        [stranger, description("a")],
        circumstances,
        "n",
    );
    assert_eq!(ids(&seen), ["a"]);
    let member = seen.get(&"a".into()).unwrap();
    assert_eq!(
        (member.token, member.matches(&ConfigHash::from_tag("h"))),
        (Some(4), true)
    );
}

fn made_at(second: u64) -> Member {
    let origin = Origin::Provisioned(at(second));
    Member::new(description("a"), &"p".into(), origin, "n", at(second))
}

#[test]
fn a_list_from_before_a_creation_cannot_deny_it() {
    let mut seen = Observed::default();
    seen.provisioned(made_at(10));
    list(&mut seen, &[], 9, Lag::NONE);
    assert_eq!(ids(&seen), ["a"]);
    assert_eq!(list(&mut seen, &[], 11, Lag::NONE).vanished, 1);
    assert!(seen.is_empty());
}

/// It showed long after its answer: the next list may be from before that.
#[test]
fn a_list_that_goes_back_cannot_deny_who_has_just_shown_up() {
    let lag = Lag::default();
    let late = lag.visibility.as_secs() - 1;
    let mut seen = Observed::default();
    seen.provisioned(made_at(10));
    list(&mut seen, &["a"], 10 + late, lag);
    list(&mut seen, &[], 10 + late + 2, lag);
    assert_eq!(ids(&seen), ["a"]);
    let over = 10 + late + lag.relapse.as_secs() + 1;
    assert_eq!(list(&mut seen, &[], over, lag).vanished, 1);
}

#[test]
fn remote_lists_may_lag_behind_a_creation() {
    let mut seen = Observed::default();
    seen.provisioned(made_at(10));
    list(&mut seen, &[], 20, Lag::default());
    assert_eq!(ids(&seen), ["a"]);
    list(&mut seen, &[], 26, Lag::default());
    assert!(seen.is_empty());
}

#[test]
fn what_was_listed_and_is_missing_is_gone() {
    for (locality, old) in [(Lag::NONE, 0), (Lag::default(), 20)] {
        let mut seen = Observed::default();
        list(&mut seen, &["a", "b"], 1, locality);
        assert_eq!(list(&mut seen, &["b"], 2 + old, locality).vanished, 1);
        assert_eq!(ids(&seen), ["b"]);
        assert!(!list(&mut seen, &["b"], 3 + old, locality).anything());
    }
}

/// Lists of one plugin may come from copies that lag behind each other.
#[test]
fn an_older_copy_of_the_truth_neither_takes_a_member_nor_brings_one_back() {
    let mut seen = Observed::default();
    list(&mut seen, &["a"], 1, Lag::default());
    let older = list(&mut seen, &[], 3, Lag::default());
    // It became known at 2 s; a list that is started 10 s later cannot be that old.
    assert_eq!((older.vanished, older.look_again), (0, Some(at(12))));
    let mut same = seen.clone();
    assert_eq!(same.unchanged(&"p".into(), at(12), at(12)).vanished, 0);
    assert_eq!(same.unchanged(&"p".into(), at(13), at(13)).vanished, 1);
    assert_eq!(list(&mut seen, &[], 13, Lag::default()).vanished, 1);
    assert_eq!(list(&mut seen, &["a"], 14, Lag::default()).appeared, 0);
    assert!(seen.is_empty());
    assert_eq!(
        list(&mut seen, &["a"], 24, Lag::default()).appeared,
        1,
        "it is back indeed"
    );
}

#[test]
fn a_list_tells_what_it_changed() {
    let mut seen = Observed::default();
    let first = list(&mut seen, &["a", "b"], 1, Lag::NONE);
    assert_eq!((first.appeared, first.changed), (2, 0));
    for id in ["c", "d"] {
        let origin = Origin::Provisioned(at(3));
        let made = Member::new(description(id), &"p".into(), origin, "n", at(3));
        seen.provisioned(made);
    }
    let mut other = description("a");
    other.logical_id = Some("pet".into());
    let mut another = description("b");
    let token = (tags::TOKEN.to_owned(), "n-5".to_owned());
    another.tags.get_or_insert_default().extend([token]);
    let circumstances = Listed {
        plugin: &"p".into(),
        started: at(4),
        now: at(4),
        lag: Lag::NONE,
    };
    let shown = [other, another, description("c"), description("d")];
    let all = seen.apply(&"g".into(), shown, circumstances, "n");
    // `a` got an identity, `b` is another instance, `c` and `d` are confirmed.
    assert_eq!((all.appeared, all.vanished, all.changed), (0, 0, 4));
    assert!(all.anything());
}

#[test]
fn who_goes_before_it_has_proved_itself_is_stillborn() {
    let text = infrakit_spi::Any::parse(r#"{"Allocation":{"Size":3}}"#).unwrap();
    let mut spec = crate::Spec::parse(Some(&text)).unwrap();
    spec.hash = ConfigHash::from_tag("h");
    let spec = Arc::new(spec);
    let mut seen = Observed::default();
    seen.aim(&spec, false);
    list(&mut seen, &["a", "b", "c", "d"], 1, Lag::NONE);
    let healthy = infrakit_spi::flavor::Health::Healthy;
    seen.get_mut(&"c".into())
        .unwrap()
        .health
        .note(healthy, at(2));
    seen.get_mut(&"d".into()).unwrap().departure = Some(crate::Departure {
        reason: crate::Reason::Surplus,
        since: at(3),
        step: Step::Accepted(at(3)),
        taken: Some(at(3)),
    });
    let mut sure = infrakit_spi::behaviour::Behaviour::default();
    sure.list.complete = infrakit_spi::behaviour::Completeness::Yes;
    sure.list.durable = Some(true);
    let trust = crate::Trust::of(&sure, &crate::LossPolicy::default());
    seen.trust(&"p".into(), trust);
    let gone = list(&mut seen, &[], 10, Lag::NONE);
    assert_eq!((gone.vanished, gone.stillborn), (4, 2));
    assert_eq!(gone.departed, [Duration::from_secs(8)], "`d` was destroyed");
}

#[test]
fn a_member_that_is_shown_again_is_missed_no_longer() {
    let mut seen = Observed::default();
    list(&mut seen, &["a"], 1, Lag::default());
    list(&mut seen, &[], 3, Lag::default());
    assert!(seen.get(&"a".into()).unwrap().missed);
    list(&mut seen, &["a"], 4, Lag::default());
    assert!(!seen.get(&"a".into()).unwrap().missed);
    assert_eq!(seen.unchanged(&"p".into(), at(20), at(20)).vanished, 0);
}

/// Two members that were made a moment ago, of which `a` is asked to go.
fn two_with_one_that_goes(step: Step, lag: Lag) -> Observed {
    let mut seen = Observed::default();
    list(&mut seen, &["a", "b"], 1, lag);
    seen.get_mut(&"a".into()).unwrap().departure = Some(crate::Departure {
        reason: Reason::Surplus,
        since: at(3),
        step,
        taken: Some(at(3)),
    });
    seen
}

/// A list from before it was made says nothing of its end.
#[test]
fn an_older_copy_of_the_truth_does_not_prove_that_a_young_one_has_gone() {
    let declared = Lag {
        declared_relapse: Duration::from_secs(10),
        ..Lag::default()
    };
    let unheard = (Step::InFlight(at(3)), Lag::default());
    for (step, lag) in [(Step::Accepted(at(3)), declared), unheard] {
        let mut seen = two_with_one_that_goes(step, lag);
        let older = list(&mut seen, &["b"], 4, lag);
        assert_eq!((older.vanished, older.look_again), (0, Some(at(12))));
        assert_eq!(list(&mut seen, &["b"], 13, lag).vanished, 1);
    }
}

/// Where another one takes its place, a list that may be from before it came does not prove that it has gone,
/// unless it shows another one which came no earlier.
#[test]
fn one_that_is_replaced_is_gone_when_a_list_lacks_it_that_shows_another_as_young() {
    let lag = Lag::default();
    for reason in [Reason::Outdated, Reason::Surplus] {
        let mut seen = two_with_one_that_goes(Step::Accepted(at(3)), lag);
        let mut goes = seen.get_mut(&"a".into()).unwrap();
        goes.departure.as_mut().unwrap().reason = reason;
        drop(goes);
        let replaced = reason == Reason::Outdated;
        let nobody = list(&mut seen, &[], 4, lag);
        assert_eq!(nobody.vanished, usize::from(!replaced), "{reason}");
        let other = list(&mut seen, &["b"], 5, lag);
        assert_eq!(other.vanished, usize::from(replaced), "{reason}");
    }
    // Of the only one nobody knows before its youth is over.
    let mut seen = two_with_one_that_goes(Step::Accepted(at(3)), lag);
    seen.get_mut(&"a".into())
        .unwrap()
        .departure
        .as_mut()
        .unwrap()
        .reason = Reason::Outdated;
    seen.vanish(&key(&"p".into(), &"b".into()));
    assert_eq!(list(&mut seen, &[], 11, lag).vanished, 0);
    assert_eq!(list(&mut seen, &[], 13, lag).vanished, 1);
}

/// A rollout over members that were made a moment ago goes on as their plugin answers.
#[test]
fn a_plugin_that_says_nothing_of_its_lists_is_believed_that_it_destroyed_a_young_one() {
    let mut seen = two_with_one_that_goes(Step::Accepted(at(3)), Lag::default());
    assert_eq!(list(&mut seen, &["b"], 3, Lag::default()).vanished, 0);
    assert_eq!(list(&mut seen, &["b"], 4, Lag::default()).vanished, 1);
}

/// Its tokens say nothing to the record of the group that is in force, but that it is another one.
#[test]
fn an_id_that_a_former_record_knew_may_be_given_to_a_new_member() {
    let mut seen = Observed::default();
    let mut former = description("a");
    former
        .tags
        .get_or_insert_default()
        .insert(tags::TOKEN.to_owned(), "former-3".to_owned());
    let circumstances = Listed {
        plugin: &"p".into(),
        started: at(1),
        now: at(1),
        lag: Lag::NONE,
    };
    seen.apply(&"g".into(), [former], circumstances, "n");
    assert_eq!(seen.get(&"a".into()).unwrap().token, None);
    seen.provisioned(made_at(10));
    assert_eq!(seen.get(&"a".into()).unwrap().token, Some(4));
}

/// It may be there again, under its id, and lists look the same then.
#[test]
fn a_list_that_shows_one_which_its_plugin_has_destroyed_is_read_anew() {
    let mut seen = Observed::default();
    list(&mut seen, &["a", "b"], 1, Lag::default());
    seen.destroyed(&"p".into(), &"a".into(), at(20));
    let shown = list(&mut seen, &["a", "b"], 21, Lag::default());
    assert_eq!((shown.ghosts, ids(&seen)), (1, vec!["b"]));
    let later = list(&mut seen, &["a", "b"], 40, Lag::default());
    assert_eq!((later.ghosts, ids(&seen)), (0, vec!["a", "b"]));
}

/// Of two lives of an id the one that a later list shows has it: a list that goes back does not bring back the
/// one before.
#[test]
fn a_list_that_goes_back_does_not_bring_back_who_had_the_id_before() {
    let lag = Lag::default();
    let mut seen = Observed::default();
    list(&mut seen, &["a"], 10, lag);
    let mut heir = description("a");
    let own = heir.tags.as_mut().unwrap();
    own.insert(tags::TOKEN.to_owned(), "n-7".to_owned());
    let circumstances = Listed {
        plugin: &"p".into(),
        started: at(100),
        now: at(101),
        lag,
    };
    seen.apply(&"g".into(), [heir], circumstances, "n");
    list(&mut seen, &["a"], 102, lag);
    assert_eq!(seen.get(&"a".into()).unwrap().token, Some(7));
    let over = 101 + lag.relapse.as_secs() + 1;
    list(&mut seen, &["a"], over, lag);
    assert_eq!(
        seen.get(&"a".into()).unwrap().token,
        Some(4),
        "nothing else tells"
    );
}

/// Nobody knows what made it, so that no token tells the two apart: lists lack many by then, which is doubted,
/// and what a creation is answered with is not the one that they lack.
#[test]
fn a_creation_that_is_answered_with_the_id_of_a_missing_member_has_made_another_one() {
    let mut seen = Observed::default();
    let strangers = ["a", "b", "c", "d", "e", "f"].map(|id| {
        let mut one = description(id);
        let own = one.tags.as_mut().unwrap();
        own.remove(tags::TOKEN);
        one
    });
    let circumstances = Listed {
        plugin: &"p".into(),
        started: at(1),
        now: at(2),
        lag: Lag::default(),
    };
    seen.apply(&"g".into(), strangers, circumstances, "n");
    list(&mut seen, &[], 20, Lag::default());
    assert!(seen.get(&"a".into()).is_some_and(|a| a.missed));
    seen.provisioned(made_at(30));
    let heir = seen.get(&"a".into()).unwrap();
    assert_eq!((heir.token, heir.missed), (Some(4), false));
    list(&mut seen, &["a"], 31, Lag::default());
    assert_eq!(seen.get(&"a".into()).unwrap().token, Some(4));
}

/// The flavor has found it well since the list was asked for that shows it coming up: it may have come up, and
/// is no member that does nothing. It is asked anew; a list from after that tells.
#[test]
fn a_state_from_before_a_verdict_does_not_outweigh_it() {
    for (verdict, coming_up) in [(5, true), (12, false)] {
        let mut seen = Observed::default();
        let own = description("a");
        let member = Member::new(own, &"p".into(), Origin::Provisioned(at(3)), "n", at(3));
        seen.provisioned(member);
        let mut asked = seen.get_mut(&"a".into()).unwrap();
        asked
            .health
            .note(infrakit_spi::flavor::Health::Healthy, at(verdict));
        drop(asked);
        let plugin = "p".into();
        let circumstances = |started| Listed {
            plugin: &plugin,
            started: at(started),
            now: at(started + 5),
            lag: Lag::NONE,
        };
        let mut shown = description("a");
        shown.state = infrakit_spi::instance::Lifecycle::Pending;
        seen.apply(&"g".into(), [shown.clone()], circumstances(10), "n");
        let member = seen.get(&"a".into()).unwrap();
        assert_eq!(member.is_pending(), coming_up, "{verdict}");
        assert!(!member.serves());
        assert_eq!(member.is_silent(), !coming_up, "{verdict}");
        seen.apply(&"g".into(), [shown], circumstances(20), "n");
        assert!(seen.get(&"a".into()).unwrap().is_pending());
    }
}
