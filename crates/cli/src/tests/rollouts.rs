//! The verbs of rollouts, against a group plugin that answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use infrakit_rpc::{Fixed, Plugin};
use infrakit_spi::group::{Commit, Group, GroupDescription, GroupSpec};
use infrakit_spi::instance::Description;
use infrakit_spi::rollout::{
    Change, Comer, Command, Condition, ConditionKind, Deed, Freeze, Hold, Leaver, Orphan, Outcome,
    Preview, RevisionRecord, RolloutState, RolloutStatus, Rollouts, Wave, Why,
};
use infrakit_spi::{Any, Error, GroupId, InstanceId, Result};

use super::world::World;

/// What a group answers about its rollout, one after the other; the last one for ever.
#[derive(Default)]
struct Fake {
    states: Mutex<VecDeque<RolloutStatus>>,
    degraded: bool,
    /// Whether the members cannot be listed.
    blind: bool,
}

fn known(id: &GroupId) -> Result<()> {
    if id.as_str() == "cattle" {
        return Ok(());
    }
    Err(Error::refused(format!("Group '{id}' is not being watched")))
}

#[async_trait]
impl Group for Fake {
    async fn commit(&self, _spec: &GroupSpec, _mode: Commit) -> Result<String> {
        Ok("Performing a rolling update on 30 instances".to_owned())
    }

    async fn free(&self, _id: &GroupId) -> Result<()> {
        Ok(())
    }

    async fn describe(&self, id: &GroupId) -> Result<GroupDescription> {
        known(id)?;
        let member = Description {
            id: "i-1".into(),
            properties: Any::parse("{}").ok(),
            ..Description::default()
        };
        Ok(GroupDescription {
            instances: Some(vec![Arc::new(member)]),
            converged: false,
            ..GroupDescription::default()
        })
    }

    async fn describe_with_conditions(&self, id: &GroupId) -> Result<GroupDescription> {
        let mut description = self.describe(id).await?;
        description.conditions = Some(self.conditions(id).await?);
        if self.blind {
            description.unlisted = "credentials expired".to_owned();
            description.listed = "2026-11-25T12:59:00Z".to_owned();
        }
        Ok(description)
    }

    async fn destroy(&self, _id: &GroupId) -> Result<()> {
        Ok(())
    }

    async fn inspect(&self) -> Result<Vec<GroupSpec>> {
        Ok(vec![GroupSpec {
            id: "cattle".into(),
            properties: None,
        }])
    }

    async fn destroy_instances(&self, _id: &GroupId, _instances: &[InstanceId]) -> Result<()> {
        Ok(())
    }

    async fn size(&self, _id: &GroupId) -> Result<u64> {
        Ok(1)
    }

    async fn set_size(&self, _id: &GroupId, _size: i64) -> Result<()> {
        Ok(())
    }

    fn rollouts(&self) -> Option<&dyn Rollouts> {
        Some(self)
    }
}

#[async_trait]
impl Rollouts for Fake {
    async fn status(&self, id: &GroupId) -> Result<RolloutStatus> {
        known(id)?;
        let mut states = self.states.lock().unwrap();
        let status = match states.len() {
            0 | 1 => states.front().cloned(),
            _ => states.pop_front(),
        };
        Ok(status.unwrap_or_default())
    }

    async fn command(&self, id: &GroupId, command: &Command) -> Result<String> {
        known(id)?;
        Ok(format!("{command:?} {id}"))
    }

    async fn history(&self, id: &GroupId) -> Result<Vec<RevisionRecord>> {
        known(id)?;
        let record = |revision: u64, outcome, in_force: bool| RevisionRecord {
            revision,
            hash: format!("hash{revision}"),
            committed: "2026-11-25T13:00:00Z".to_owned(),
            outcome,
            good: !in_force,
            in_force,
            message: String::new(),
        };
        Ok(vec![
            record(1, Outcome::Completed, false),
            record(2, Outcome::Pending, true),
        ])
    }

    async fn hold(&self, id: &GroupId, instance: &InstanceId, hold: Hold) -> Result<String> {
        known(id)?;
        Ok(format!("{hold:?} {instance} of {id}"))
    }

    async fn why(&self, id: &GroupId, instance: Option<&InstanceId>) -> Result<Why> {
        known(id)?;
        let deed = Deed {
            at: "2026-11-25T13:00:00Z".to_owned(),
            instance: "i-1".into(),
            action: "destroyed".to_owned(),
            rule: "outdated".to_owned(),
            evidence: "its hash is hash1".to_owned(),
            ..Deed::default()
        };
        Ok(Why {
            lines: vec![format!("why {id} {instance:?}")],
            deeds: vec![deed],
        })
    }

    async fn preview(&self, _spec: &GroupSpec) -> Result<Preview> {
        let any = |text| Any::parse(text).ok();
        let change = |path: &str, before, after| Change {
            path: path.to_owned(),
            before,
            after,
        };
        let wave = |number: u64| Wave {
            go: vec![Leaver {
                id: format!("i-{number}").into(),
                logical_id: (number == 1).then(|| "pet".into()),
                reason: "outdated".to_owned(),
            }],
            come: vec![Comer {
                logical_id: None,
                hash: "hash2".to_owned(),
            }],
            starts: format!("{}s", (number - 1) * 10).parse().ok(),
            takes: "10s".parse().ok(),
            then: if number == 1 { "somebody approves" } else { "" }.to_owned(),
        };
        Ok(Preview {
            plan: "1f8c20a9".to_owned(),
            sentence: String::new(),
            changes: vec![
                change("Instance.Properties.Note", any("\"a\""), any("\"b\"")),
                change("Updating.MaxSurge", None, any("2")),
                change("Updating.Count", any("1"), None),
            ],
            waves: (1..=30).map(wave).collect(),
            duration: "5m0s".parse().ok(),
            basis: "20 creations that took 10s".to_owned(),
            notes: vec!["i-9 is held".to_owned()],
        })
    }

    async fn commit_shown(&self, spec: &GroupSpec, plan: &str) -> Result<String> {
        if plan != "1f8c20a9" {
            return Err(Error::refused("the plan is another by now"));
        }
        Ok(format!("as shown for {}", spec.id))
    }

    async fn conditions(&self, _id: &GroupId) -> Result<Vec<Condition>> {
        Ok(vec![Condition {
            kind: ConditionKind::Degraded,
            status: self.degraded,
            reason: "TooManySick".to_owned(),
            message: "3 of 3 are sick".to_owned(),
            since: "2026-11-25T13:00:00Z".to_owned(),
        }])
    }

    async fn freeze(&self, id: Option<&GroupId>, _freeze: Freeze) -> Result<String> {
        let Some(id) = id else {
            return Ok("All groups are frozen".to_owned());
        };
        if id.as_str() != "pets" {
            known(id)?;
        }
        Ok(format!("Group '{id}' is frozen"))
    }

    async fn orphans(&self) -> Result<Vec<Orphan>> {
        Ok(vec![Orphan {
            group: "cattle".into(),
            fate: "freed".to_owned(),
            plugin: "file".into(),
            instance: "i-7".into(),
            token: "k3f9-7".to_owned(),
            since: "2026-11-25T13:00:00Z".to_owned(),
            ..Orphan::default()
        }])
    }
}

fn status(state: RolloutState, updated: u64) -> RolloutStatus {
    RolloutStatus {
        group: "cattle".into(),
        revision: 2,
        from: 1,
        state,
        updated,
        ready: updated,
        total: 3,
        outdated: 3 - updated,
        message: "it says so".to_owned(),
        ..RolloutStatus::default()
    }
}

fn world(states: impl IntoIterator<Item = RolloutStatus>) -> World {
    let fake: Arc<dyn Group> = Arc::new(Fake {
        states: Mutex::new(states.into_iter().collect()),
        degraded: true,
        blind: false,
    });
    let world = World::serve(Plugin::new().group(Fixed::single(fake)));
    world.file("cattle.json", r#"{"ID": "cattle", "Properties": {}}"#);
    world
}

#[test]
fn a_rollout_is_steered_by_words() {
    let world = world([]);
    for (line, said) in [
        ("group rollout pause cattle", "Pause cattle\n"),
        ("group rollout resume cattle", "Resume cattle\n"),
        ("group/cattle rollout approve", "Approve cattle\n"),
        ("group/cattle rollout abort cattle", "Abort cattle\n"),
        (
            "group rollout rollback cattle",
            "Rollback { to: None } cattle\n",
        ),
        (
            "group rollout rollback cattle --to 7",
            "Rollback { to: Some(7) } cattle\n",
        ),
        ("group hold cattle i-1", "Set i-1 of cattle\n"),
        ("group/cattle release i-1", "Release i-1 of cattle\n"),
        ("group why cattle", "why cattle None\n"),
        (
            "local group why cattle i-1",
            "why cattle Some(InstanceId(\"i-1\"))\n",
        ),
    ] {
        assert_eq!(world.run(line), said, "{line}");
    }
    assert_eq!(
        world.run("group why cattle --deeds"),
        "AT                    INSTANCE  ACTION     RULE      EVIDENCE\n\
         2026-11-25T13:00:00Z  i-1       destroyed  outdated  its hash is hash1\n"
    );
    assert_eq!(
        world.run("group rollout history cattle"),
        "REVISION  IN FORCE  OUTCOME    GOOD  COMMITTED             HASH   MESSAGE\n\
         1         -         Completed  yes   2026-11-25T13:00:00Z  hash1\n\
         2         yes       Pending    -     2026-11-25T13:00:00Z  hash2\n"
    );
}

#[test]
fn mistakes_have_tips() {
    let world = world([]);
    for (line, message, tip) in [
        (
            "group rollout status catle",
            "Group 'catle' is not being watched",
            "did you mean `cattle`?",
        ),
        (
            "group rollout pause",
            "which group?",
            "`infrakit group groups`",
        ),
        (
            "group hold cattle",
            "which member?",
            "`infrakit group describe cattle`",
        ),
        (
            "group release cattle a b",
            "there is no use for `b`",
            "one group at a time",
        ),
        ("group rollout puase cattle", "unrecognized", "`pause`"),
        (
            "group rollout rollback cattle --to last",
            "invalid value `last`",
            "",
        ),
        (
            "group commit HOME/cattle.json --plan 0000",
            "the plan is another by now",
            "cattle.json --pretend` shows the plan as it is now",
        ),
        (
            "group commit HOME/cattle.json --pretend --plan 0000",
            "cannot be used with",
            "",
        ),
        ("group commit HOME/cattle.json -o json", "--pretend", ""),
    ] {
        let error = world.error(line);
        assert!(error.contains(message), "{line}: {error}");
        assert!(error.contains(tip), "{line}: {error}");
    }
}

#[test]
fn following_ends_with_the_rollout() {
    let rolling = || status(RolloutState::Rolling, 1);
    let good = world([rolling(), rolling(), status(RolloutState::Completed, 3)]);
    assert_eq!(
        good.run("group rollout status cattle --watch --interval 50ms"),
        "cattle: Rolling, from revision 1 to 2; 1 of 3 members updated, 1 of these ready, 2 outdated\n\
         cattle: Completed, revision 2 is in force; 3 of 3 members updated, 3 of these ready\n"
    );
    let bad = world([rolling(), status(RolloutState::Paused, 1)]);
    let (result, text) = bad.try_run("group rollout status cattle --watch --interval 50ms");
    assert!(
        text.contains("cattle: Paused, from revision 1 to 2"),
        "{text}"
    );
    assert_eq!(
        result.unwrap_err().render(false).unwrap(),
        "error: the rollout of group `cattle` is paused: it says so\n  \
         tip: `infrakit group rollout resume cattle` or `infrakit group rollout rollback cattle`\n"
    );
    let slow = world([rolling()]);
    let (result, _) = slow.try_run("group rollout status cattle --watch --timeout 100ms");
    assert!(result.unwrap_err().message().contains("is not over after"));
}

#[test]
fn a_plan_is_shown_below_the_sentence() {
    let world = world([]);
    let text = world.run("group commit HOME/cattle.json --pretend");
    let home = world.home.path().display();
    let want = format!(
        "Committing cattle would involve: Performing a rolling update on 30 instances\n\
         What changes in the specification:\n  \
         ~ Instance.Properties.Note: \"a\" -> \"b\"\n  \
         + Updating.MaxSurge: 2\n  \
         - Updating.Count: 1\n\
         Wave 1 (at 0s, takes 10s): 1 goes, 1 comes\n  \
         - i-1 (pet)  outdated\n  \
         + 1 new  hash2\n  \
         then: somebody approves\n\
         Waves 2 to 30 (begin at 10s to 4m50s): in each, 1 goes, 1 comes\n  \
         - i-2  outdated\n  - i-3  outdated\n  - i-4  outdated\n  - i-5  outdated\n  \
         - i-6  outdated\n  - i-7  outdated\n  - i-8  outdated\n  - i-9  outdated\n  \
         - i-10  outdated\n  - i-11  outdated\n    and 19 more; `-o json` lists them\n  \
         + 29 new  hash2\n\
         It is expected to take 5m0s, going by 20 creations that took 10s.\n\
         Note: i-9 is held\n\
         This is plan 1f8c20a9. To have this or nothing: \
         `infrakit group commit {home}/cattle.json --plan 1f8c20a9`\n"
    );
    assert_eq!(text, want);
    let json = world.run("group commit HOME/cattle.json --pretend -o json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["Plan"], "1f8c20a9");
    assert_eq!(
        json["Sentence"],
        "Performing a rolling update on 30 instances"
    );
    assert_eq!(json["Waves"].as_array().map(Vec::len), Some(30));
    let yaml = world.run("group commit HOME/cattle.json --pretend -o yaml");
    assert!(yaml.contains("Path: Updating.MaxSurge"), "{yaml}");
    assert_eq!(
        world.run("group commit HOME/cattle.json --plan 1f8c20a9"),
        "Committed cattle: as shown for cattle\n"
    );
}

#[test]
fn several_groups_are_frozen_at_once_and_all_of_them_only_by_saying_so() {
    let world = world([]);
    let both = "Group 'cattle' is frozen\nGroup 'pets' is frozen\n";
    for line in ["freeze cattle pets", "group freeze cattle pets cattle"] {
        assert_eq!(world.run(line), both, "{line}");
    }
    // A name that is wrong keeps no other from it.
    let (result, text) = world.try_run("freeze cattle nope pets");
    assert_eq!(text, both);
    assert!(result.unwrap_err().message().contains("nope"));
    assert_eq!(world.run("freeze --all"), "All groups are frozen\n");
    let error = world.error("group thaw a b --all");
    let tip = "`a b` only some\n  tip: `infrakit thaw a b`, or `infrakit thaw --all`";
    assert!(error.contains(tip), "{error}");
}

#[test]
fn orphans_are_a_table_or_a_document() {
    let world = world([]);
    let table = "GROUP   FATE   PLUGIN  INSTANCE  LOGICAL  TOKEN   SINCE                 UNTIL\n\
                 cattle  freed  file    i-7       -        k3f9-7  2026-11-25T13:00:00Z  -\n";
    assert_eq!(world.run("group orphans"), table);
    assert_eq!(world.run("orphans"), table);
    let json: serde_json::Value = serde_json::from_str(&world.run("orphans -o json")).unwrap();
    assert_eq!(
        (&json[0]["Instance"], &json[0]["Token"]),
        (&"i-7".into(), &"k3f9-7".into())
    );
}

#[test]
fn conditions_are_a_table_or_part_of_the_document() {
    let world = world([]);
    assert_eq!(
        world.run("group describe cattle"),
        "ID   LOGICAL  TAGS\ni-1  -\n"
    );
    assert_eq!(
        world.run("group describe cattle --conditions"),
        "TYPE      STATUS  REASON       SINCE                 MESSAGE\n\
         Degraded  yes     TooManySick  2026-11-25T13:00:00Z  3 of 3 are sick\n"
    );
    let json = world.run("group describe cattle --conditions -o json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["Conditions"][0]["Type"], "Degraded");
    assert_eq!(json["Converged"], false);
    assert_eq!(json["Instances"][0]["ID"], "i-1");
    let status = world.run("group rollout status cattle -o yaml");
    assert!(status.contains("State: None"), "{status}");
}

/// How a group is, is wanted most while its instances cannot be listed.
#[test]
fn conditions_come_with_the_last_list_where_none_comes() {
    let fake: Arc<dyn Group> = Arc::new(Fake {
        degraded: true,
        blind: true,
        ..Fake::default()
    });
    let world = World::serve(Plugin::new().group(Fixed::single(fake)));
    for format in ["json", "yaml"] {
        let told = world.run(&format!("group describe cattle --conditions -o {format}"));
        for part in ["i-1", "TooManySick", "credentials expired", "12:59:00Z"] {
            assert!(told.contains(part), "{told}");
        }
    }
    let json = world.run("group describe cattle --conditions -o json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["Unlisted"], "credentials expired");
    assert_eq!(json["Listed"], "2026-11-25T12:59:00Z");
    let table = world.run("group describe cattle --conditions");
    assert!(table.contains("TooManySick"), "{table}");
    // A list of members alone cannot say how old it is.
    for line in ["group describe cattle", "group describe cattle -o json"] {
        let error = world.error(line);
        let hint = "describe cattle --conditions -o json` shows the last list";
        assert!(error.contains("credentials expired"), "{error}");
        assert!(error.contains(hint), "{error}");
    }
}
