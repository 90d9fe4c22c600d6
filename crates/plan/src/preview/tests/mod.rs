//! Previews of groups in every state.

mod begun;
mod plainer;

use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Description;
use infrakit_spi::{Any, InstanceId, LogicalId, tags};

use super::*;
use crate::{Config, Lag, Listed, Memory, Observed, Reason, Size, Spec, Timestamp, Took};

const NOW: Timestamp = Timestamp(1_764_072_000_000_000_000);

fn spec(allocation: &str, note: u8, more: &str) -> Spec {
    let text = format!(
        r#"{{"Instance":{{"Plugin":"p","Properties":{note}}},"Allocation":{allocation}{more}}}"#
    );
    Spec::parse(Some(&Any::parse(&text).unwrap())).unwrap()
}

fn cattle(size: u64, note: u8, updating: &str) -> Spec {
    let more = format!(r#","Updating":{{{updating}}}"#);
    spec(&format!(r#"{{"Size":{size}}}"#), note, &more)
}

fn took(seconds: u64) -> Took {
    let mut took = Took::default();
    took.note(Duration::from_secs(seconds));
    took
}

/// A group before a commit: creations take 10 s, proofs 2 s, departures 3 s.
struct Group {
    before: Spec,
    seen: Observed,
    memory: Memory,
    config: Config,
}

impl Group {
    /// As many healthy members as the spec says.
    fn of(before: Spec) -> Self {
        let mut memory = Memory {
            group: "g".into(),
            nonce: "n".to_owned(),
            next_token: 1000,
            revision: 2,
            ..Memory::default()
        };
        memory.measured.provision = took(10);
        memory.measured.proof = took(2);
        memory.measured.departure = took(3);
        let names: Vec<(String, Option<LogicalId>)> = match &before.size {
            Size::Cattle(size) => (0..*size).map(|at| (format!("m{at:05}"), None)).collect(),
            Size::Pets(ids) => ids
                .iter()
                .map(|id| (format!("i-{id}"), Some(id.clone())))
                .collect(),
        };
        let list = names.into_iter().enumerate().map(|(at, (id, logical_id))| {
            let pairs = [
                (tags::GROUP, "g".to_owned()),
                (tags::CONFIG_HASH, before.hash.to_string()),
                (tags::TOKEN, format!("n-{at}")),
            ];
            Description {
                id: id.into(),
                logical_id,
                tags: Some(pairs.map(|(key, tag)| (key.to_owned(), tag)).into()),
                ..Description::default()
            }
        });
        let mut seen = Observed::default();
        let config = Config::default();
        let circumstances = Listed {
            plugin: &before.instance.plugin,
            started: NOW,
            now: NOW,
            lag: Lag::NONE,
        };
        seen.apply(&"g".into(), list, circumstances, "n");
        let ids: Vec<InstanceId> = seen.members().map(|member| member.id.clone()).collect();
        for id in ids {
            seen.get_mut(&id).unwrap().health.note(Health::Healthy, NOW);
        }
        Self {
            before,
            seen,
            memory,
            config,
        }
    }

    fn show(&self, after: &Spec) -> Preview {
        self.show_at(after, NOW)
    }

    fn show_at(&self, after: &Spec, now: Timestamp) -> Preview {
        preview(PreviewInput {
            before: Some(&self.before),
            after,
            seen: &self.seen,
            memory: &self.memory,
            now,
            config: &self.config,
        })
    }
}

/// Tells each wave in a line: when it begins, how long it takes, who goes, how many come.
fn told(preview: &Preview) -> Vec<String> {
    let waves = preview.waves.iter();
    waves
        .map(|wave| {
            let gone: Vec<&str> = wave.go.iter().map(|one| one.id.as_str()).collect();
            let (at, takes) = (wave.at.as_secs(), wave.takes.as_secs());
            format!("{at}+{takes} -{} +{}", gone.join(","), wave.come.len())
        })
        .collect()
}

fn seconds(preview: &Preview) -> Option<u64> {
    preview.duration.map(|duration| duration.as_secs())
}

#[test]
fn nothing_is_shown_where_nothing_changes() {
    let group = Group::of(cattle(3, 1, ""));
    for after in [
        cattle(3, 1, ""),
        cattle(3, 1, r#""MaxSurge":1,"Stages":[{"Until":1}]"#),
    ] {
        let shown = group.show(&after);
        assert_eq!(told(&shown), Vec::<String>::new());
        assert_eq!(
            (seconds(&shown), shown.notes, shown.basis),
            (Some(0), vec![], String::new())
        );
    }
}

#[test]
fn one_after_the_other_by_default() {
    let shown = Group::of(cattle(3, 1, "")).show(&cattle(3, 2, ""));
    assert_eq!(
        told(&shown),
        ["0+15 -m00000 +1", "15+15 -m00001 +1", "30+15 -m00002 +1"]
    );
    assert_eq!(seconds(&shown), Some(45));
    assert_eq!(shown.notes, Vec::<String>::new());
    assert_eq!(
        shown.basis,
        "10s to create a member (measured 1 times), 2s until it is healthy, 3s until it is gone when it goes"
    );
    let wave = &shown.waves[0];
    assert_eq!(wave.go[0].reason, Reason::Outdated);
    assert_eq!(wave.come[0].hash, cattle(3, 2, "").hash);
}

#[test]
fn new_members_first_where_there_is_room() {
    let group = Group::of(cattle(4, 1, ""));
    let shown = group.show(&cattle(4, 2, r#""MaxSurge":2"#));
    assert_eq!(
        told(&shown),
        ["0+15 -m00000,m00001 +2", "15+15 -m00002,m00003 +2"]
    );
    assert_eq!(seconds(&shown), Some(30));
}

#[test]
fn proofs_of_count_and_duration_take_their_time() {
    let group = Group::of(cattle(1, 1, ""));
    let shown = group.show(&cattle(1, 2, r#""Duration":"1m""#));
    assert_eq!(
        (told(&shown), seconds(&shown)),
        (vec!["0+75 -m00000 +1".to_owned()], Some(75))
    );
    let shown = group.show(&cattle(1, 2, r#""Count":3"#));
    assert_eq!(seconds(&shown), Some(35));
}

#[test]
fn sizes_change_without_rolling() {
    let group = Group::of(cattle(4, 1, ""));
    assert_eq!(told(&group.show(&cattle(6, 1, ""))), ["0+12 - +2"]);
    let shown = group.show(&cattle(2, 1, ""));
    let gone: Vec<&Going> = shown.waves.iter().flat_map(|wave| &wave.go).collect();
    assert_eq!(gone.len(), 2);
    assert!(gone.iter().all(|one| one.reason == Reason::Surplus));
    assert!(shown.waves.iter().all(|wave| wave.come.is_empty()));
}

#[test]
fn a_first_commit_creates_everybody() {
    let empty = Group::of(cattle(0, 1, ""));
    let after = cattle(5, 1, "");
    let shown = preview(PreviewInput {
        before: None,
        after: &after,
        seen: &empty.seen,
        memory: &empty.memory,
        now: NOW,
        config: &empty.config,
    });
    assert_eq!(
        (told(&shown), seconds(&shown)),
        (vec!["0+12 - +5".to_owned()], Some(12))
    );
}

#[test]
fn members_that_nobody_has_listed_are_not_made_up() {
    let mut group = Group::of(cattle(3, 1, ""));
    group.seen = Observed::default();
    let shown = group.show(&cattle(3, 2, ""));
    assert_eq!((told(&shown), shown.duration), (vec![], None));
    assert_eq!(
        shown.notes,
        ["it is not known how it goes on: waiting for a complete list of the instances"]
    );
}

#[test]
fn pets_are_replaced_by_pets_of_their_name() {
    let pets = |note, ids: &str| spec(&format!(r#"{{"LogicalIDs":{ids}}}"#), note, "");
    let group = Group::of(pets(1, r#"["a","b"]"#));
    let shown = group.show(&pets(2, r#"["a","b"]"#));
    assert_eq!(told(&shown), ["0+15 -i-a +1", "15+15 -i-b +1"]);
    for wave in &shown.waves {
        assert_eq!(wave.go[0].logical_id, wave.come[0].logical_id);
    }
    let shown = group.show(&pets(1, r#"["b","c"]"#));
    let gone: Vec<&str> = shown
        .waves
        .iter()
        .flat_map(|wave| &wave.go)
        .map(|one| one.id.as_str())
        .collect();
    let come: Vec<_> = shown
        .waves
        .iter()
        .flat_map(|wave| &wave.come)
        .map(|one| one.logical_id.clone())
        .collect();
    assert_eq!((gone, come), (vec!["i-a"], vec![Some("c".into())]));
}

#[test]
fn members_that_are_given_names_stay() {
    let mut group = Group::of(cattle(3, 1, ""));
    group.memory.naming = true;
    let after = spec(r#"{"LogicalIDs":["a","b","c"]}"#, 1, "");
    let shown = group.show(&after);
    assert_eq!(told(&shown), Vec::<String>::new());
    assert_eq!(shown.duration, Some(Duration::ZERO));
}

#[test]
fn a_move_to_another_plugin_goes_within_the_budget() {
    let mut group = Group::of(cattle(2, 1, ""));
    group.memory.homes.insert("p".into());
    let text = r#"{"Instance":{"Plugin":"q","Properties":1},"Allocation":{"Size":2}}"#;
    let after = Spec::parse(Some(&Any::parse(text).unwrap())).unwrap();
    let shown = group.show(&after);
    assert_eq!(told(&shown), ["0+15 -m00000 +1", "15+15 -m00001 +1"]);
    assert!(
        shown
            .waves
            .iter()
            .all(|wave| wave.go[0].plugin == "p".into())
    );
    assert_eq!(
        shown.notes,
        ["`q` was not listed for this group yet; it is taken to have nothing of it"]
    );
}

#[test]
fn stages_say_what_they_wait_for() {
    let group = Group::of(cattle(4, 1, ""));
    let stages = r#""MaxUnavailable":3,"Stages":[{"Until":1,"Bake":"10m","Approve":true}]"#;
    let shown = group.show(&cattle(4, 2, stages));
    assert_eq!(
        told(&shown),
        ["0+15 -m00000 +1", "615+15 -m00001,m00002,m00003 +3"]
    );
    assert_eq!(
        shown.waves[0].then,
        "stage 1 bakes for 10m0s; stage 1 waits for `rollout approve`"
    );
    assert_eq!(shown.notes, ["approvals are taken to come at once"]);
    assert_eq!(seconds(&shown), Some(630));
}

#[test]
fn windows_are_waited_for() {
    let group = Group::of(cattle(2, 1, ""));
    // NOW is 12:00; the second one does not begin before the window opens again.
    let windows = r#""Windows":[{"Cron":"0 13 * * *","Duration":"10s"}]"#;
    let shown = group.show(&cattle(2, 2, windows));
    let day = 24 * 3600;
    assert_eq!(
        told(&shown),
        [
            "3600+15 -m00000 +1".to_owned(),
            format!("{}+15 -m00001 +1", 3600 + day)
        ]
    );
    assert_eq!(
        shown.notes,
        ["nothing is replaced before the next window opens, 1h0m0s from now"]
    );
    assert_eq!(
        shown.waves[0].then,
        "the next window opens, 25h0m0s from now"
    );
}

#[test]
fn a_halt_has_no_duration() {
    let group = Group::of(cattle(3, 1, ""));
    let shown = group.show(&cattle(3, 2, r#""ProgressDeadline":"5s""#));
    assert_eq!((shown.waves.len(), shown.duration), (1, None));
    assert!(
        shown.notes[0].starts_with("it comes to a halt: the rollout is paused"),
        "{:?}",
        shown.notes
    );
}

#[test]
fn what_was_never_measured_is_not_made_up() {
    let mut group = Group::of(cattle(2, 1, ""));
    group.memory.measured = crate::Measured::default();
    let shown = group.show(&cattle(2, 2, ""));
    assert_eq!((shown.waves.len(), shown.duration), (2, None));
    assert_eq!(shown.basis, "no creation was measured in this group yet");
    group.memory.measured.provision = took(10);
    let shown = group.show(&cattle(2, 2, ""));
    assert_eq!(seconds(&shown), Some(20));
    assert!(
        shown
            .basis
            .contains("no time until it is healthy, which was not measured yet")
    );
}

#[test]
fn it_travels_with_its_times_rounded_or_without() {
    let mut group = Group::of(cattle(2, 1, ""));
    group
        .memory
        .measured
        .provision
        .note(Duration::from_secs(11));
    let after = cattle(2, 2, "");
    let changes = crate::spec_diff(Some(&group.before.canonical()), &after.canonical());
    let shown = group.show(&after);
    let name = shown.fingerprint.clone();
    let told = shown.told("Noop".to_owned(), changes);
    assert_eq!((told.plan, told.sentence), (name, "Noop".to_owned()));
    assert_eq!(told.changes.len(), 1);
    assert_eq!(told.changes[0].path, "Instance.Properties");
    assert_eq!(told.duration.unwrap().to_string(), "30.3s");
    let second = &told.waves[1];
    assert_eq!(second.starts.unwrap().to_string(), "15.2s");
    assert_eq!(second.takes.unwrap().to_string(), "15.2s");
    assert_eq!(
        second.go[0].reason,
        "it was made from another configuration"
    );
    assert_eq!(second.come[0].hash, after.hash.as_str());
    group.memory.measured = crate::Measured::default();
    let told = group.show(&after).told(String::new(), vec![]);
    assert!(
        told.waves
            .iter()
            .all(|wave| wave.starts.is_none() && wave.takes.is_none())
    );
}

#[test]
fn held_members_stay_and_sick_ones_go() {
    let mut group = Group::of(cattle(3, 1, ""));
    group.memory.held.insert("m00001".into());
    let shown = group.show(&cattle(3, 2, ""));
    assert_eq!(told(&shown), ["0+15 -m00000 +1", "15+15 -m00002 +1"]);
    let mut sick = Group::of(cattle(3, 1, ""));
    for _ in 0..3 {
        let id = "m00002".into();
        sick.seen
            .get_mut(&id)
            .unwrap()
            .health
            .note(Health::Unhealthy, NOW);
    }
    let shown = sick.show(&cattle(3, 1, ""));
    assert_eq!(
        (shown.waves.len(), shown.waves[0].go[0].reason),
        (1, Reason::Unhealthy)
    );
}

#[test]
fn a_name_stands_for_what_goes_and_not_for_when() {
    let group = Group::of(cattle(3, 1, ""));
    let after = cattle(3, 2, "");
    let shown = group.show(&after);
    assert_eq!(shown.fingerprint.len(), 12);
    let later = group.show_at(&after, NOW + Duration::from_secs(3600));
    assert_eq!(shown.fingerprint, later.fingerprint);
    let mut slower = Group::of(cattle(3, 1, ""));
    slower.memory.measured.provision = took(99);
    assert_eq!(shown.fingerprint, slower.show(&after).fingerprint);
    let mut others = vec![shown.fingerprint];
    let mut revised = Group::of(cattle(3, 1, ""));
    revised.memory.revision += 1;
    let mut held = Group::of(cattle(3, 1, ""));
    held.memory.held.insert("m00001".into());
    others.push(revised.show(&after).fingerprint);
    others.push(held.show(&after).fingerprint);
    others.push(group.show(&cattle(3, 3, "")).fingerprint);
    others.push(group.show(&cattle(4, 2, "")).fingerprint);
    others.push(
        Group::of(cattle(4, 1, ""))
            .show(&cattle(3, 2, ""))
            .fingerprint,
    );
    let told = others.len();
    others.sort();
    others.dedup();
    assert_eq!(others.len(), told);
}

#[test]
fn a_long_roll_is_cut_short_and_says_so() {
    let group = Group::of(cattle(2500, 1, ""));
    let shown = group.show(&cattle(2500, 2, ""));
    assert!(
        (500..2500).contains(&shown.waves.len()),
        "{}",
        shown.waves.len()
    );
    assert!(
        shown.notes[0].contains("more follow in the same way"),
        "{:?}",
        shown.notes
    );
    let expected = 2500 * 15;
    assert!(seconds(&shown).unwrap().abs_diff(expected) < 60);
}

#[test]
fn many_at_once_cost_few_plans() {
    let group = Group::of(cattle(10_000, 1, ""));
    let shown = group.show(&cattle(10_000, 2, r#""MaxSurge":"10%""#));
    let gone: usize = shown.waves.iter().map(|wave| wave.go.len()).sum();
    assert_eq!(
        (shown.waves.len(), gone, seconds(&shown)),
        (10, 10_000, Some(150))
    );
}
