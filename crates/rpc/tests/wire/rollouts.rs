//! What this controller has beside the original: rollouts, conditions, repair, classes of failure.

use std::sync::Arc;

use async_trait::async_trait;
use infrakit_rpc::kind::{GroupClient, InstanceClient};
use infrakit_rpc::{Fixed, Plugin};
use infrakit_spi::group::{Group, GroupSpec};
use infrakit_spi::instance::{Description, Detail, Instance as _, Lifecycle, Repaired};
use infrakit_spi::rollout::{
    Change, Comer, Command, Condition, ConditionKind, Deed, Freeze, Hold, Leaver, Orphan, Outcome,
    Preview, RevisionRecord, RolloutState, RolloutStatus, Rollouts, Setting, Wave, Why,
};
use infrakit_spi::{Any, Delivery, Error, FailureClass, GoDuration, GroupId, InstanceId, Result};
use infrakit_spi::{Tags, metadata::Metadata};
use serde_json::{Value, json};

use crate::fakes::Fake;
use crate::hostile_servers::Scripted;
use crate::served::{Served, body, client, converse, post};

pub(crate) fn conditions() -> Vec<Condition> {
    vec![Condition {
        kind: ConditionKind::Degraded,
        status: true,
        reason: "TooManySick".to_owned(),
        message: "3 of 3 are sick".to_owned(),
        since: "2026-11-25T13:00:00Z".to_owned(),
    }]
}

fn status(id: &GroupId) -> RolloutStatus {
    RolloutStatus {
        group: id.clone(),
        revision: 4,
        from: 3,
        state: RolloutState::AwaitingApproval,
        stage: 1,
        stages: 2,
        updated: 5,
        ready: 4,
        total: 100,
        outdated: 95,
        failed: 1,
        since: "2026-11-25T13:00:00Z".to_owned(),
        paused_by: "failure".to_owned(),
        message: "stage 1 is done".to_owned(),
        waiting: vec!["somebody approves".to_owned()],
        held: vec!["i-9".into()],
        converged: false,
    }
}

fn revision() -> RevisionRecord {
    RevisionRecord {
        revision: 4,
        hash: "ab12".to_owned(),
        committed: "2026-11-25T13:00:00Z".to_owned(),
        outcome: Outcome::RolledBack,
        good: true,
        in_force: true,
        message: "went back to 2".to_owned(),
    }
}

fn why() -> Why {
    Why {
        lines: vec!["waits for i-3".to_owned()],
        deeds: vec![Deed {
            at: "2026-11-25T13:00:00Z".to_owned(),
            instance: "i-2".into(),
            plugin: "file".into(),
            action: "destroyed".to_owned(),
            rule: "outdated".to_owned(),
            evidence: "its hash is ab12".to_owned(),
        }],
    }
}

fn preview() -> Preview {
    Preview {
        plan: "p-1".to_owned(),
        sentence: "Managing 3 instances".to_owned(),
        changes: vec![Change {
            path: "Instance.Properties.Note".to_owned(),
            before: None,
            after: Any::parse("1.50").ok(),
        }],
        waves: vec![Wave {
            go: vec![Leaver {
                id: "i-1".into(),
                logical_id: Some("10.0.0.1".into()),
                reason: "outdated".to_owned(),
            }],
            come: vec![Comer {
                logical_id: None,
                hash: "ab12".to_owned(),
            }],
            starts: Some(GoDuration::default()),
            takes: None,
            then: "somebody approves".to_owned(),
        }],
        duration: Some("1m30s".parse().unwrap()),
        basis: "20 creations".to_owned(),
        notes: vec!["i-9 is held".to_owned()],
    }
}

#[async_trait]
impl Rollouts for Fake {
    async fn status(&self, id: &GroupId) -> Result<RolloutStatus> {
        Ok(status(id))
    }

    async fn command(&self, id: &GroupId, command: &Command) -> Result<String> {
        Ok(format!("{command:?} {id}"))
    }

    async fn history(&self, _id: &GroupId) -> Result<Vec<RevisionRecord>> {
        Ok(vec![revision()])
    }

    async fn hold(&self, id: &GroupId, instance: &InstanceId, hold: Hold) -> Result<String> {
        Ok(format!("{hold:?} {id} {instance}"))
    }

    async fn why(&self, _id: &GroupId, instance: Option<&InstanceId>) -> Result<Why> {
        match instance.map(InstanceId::as_str) {
            Some("none") => {
                let full = Error::refused("no room for it");
                Err(full.with_class(FailureClass::Quota))
            }
            Some(_) => Ok(why()),
            None => Ok(Why::default()),
        }
    }

    async fn preview(&self, _spec: &GroupSpec) -> Result<Preview> {
        Ok(preview())
    }

    async fn commit_shown(&self, spec: &GroupSpec, plan: &str) -> Result<String> {
        Ok(format!("commit {} {plan}", spec.id))
    }

    async fn conditions(&self, _id: &GroupId) -> Result<Vec<Condition>> {
        Ok(conditions())
    }

    async fn freeze(&self, id: Option<&GroupId>, freeze: Freeze) -> Result<String> {
        Ok(match id {
            Some(id) => format!("{freeze:?} {id}"),
            None => format!("{freeze:?} all"),
        })
    }

    async fn settings(&self) -> Result<Vec<Setting>> {
        Ok(settings())
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

fn settings() -> Vec<Setting> {
    vec![Setting {
        plugin: "file".into(),
        set: [("create.give_up_s".to_owned(), "5".to_owned())].into(),
        fault: "line 3".to_owned(),
        lost: false,
    }]
}

/// Sends a call as bytes and returns the whole answer.
async fn ask(served: &Served, method: &str, params: Value) -> Value {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let answer = converse(served.socket(), &post(&call.to_string())).await;
    serde_json::from_str(&body(&answer)).unwrap()
}

fn groups() -> Served {
    let object: Arc<dyn Group> = Arc::new(Fake::default());
    let names = ["groups".to_owned(), "g".to_owned()];
    let objects = names.map(|name| (name, Arc::clone(&object)));
    Served::start(Plugin::new().group(Fixed::new(objects)))
}

#[tokio::test]
async fn every_method_there_and_back() {
    let served = groups();
    let id = GroupId::from("g");
    let spec = GroupSpec {
        id: id.clone(),
        properties: None,
    };
    for name in ["group", "group/g", "group/groups"] {
        let group = GroupClient::new(served.client(), name);
        let rollouts = group.rollouts().unwrap();
        assert_eq!(rollouts.status(&id).await.unwrap(), status(&id));
        assert_eq!(rollouts.history(&id).await.unwrap(), [revision()]);
        assert_eq!(rollouts.why(&id, None).await.unwrap(), Why::default());
        let member = "i-2".into();
        assert_eq!(rollouts.why(&id, Some(&member)).await.unwrap(), why());
        assert_eq!(rollouts.preview(&spec).await.unwrap(), preview());
        assert_eq!(rollouts.conditions(&id).await.unwrap(), conditions());
        assert_eq!(rollouts.settings().await.unwrap(), settings());
        let commands = [
            (Command::Pause, "Pause g"),
            (Command::Resume, "Resume g"),
            (Command::Approve, "Approve g"),
            (Command::Abort, "Abort g"),
            (Command::Rollback { to: None }, "Rollback { to: None } g"),
            (
                Command::Rollback { to: Some(3) },
                "Rollback { to: Some(3) } g",
            ),
        ];
        for (command, said) in commands {
            assert_eq!(rollouts.command(&id, &command).await.unwrap(), said);
        }
        for (hold, said) in [(Hold::Set, "Set g i-2"), (Hold::Release, "Release g i-2")] {
            assert_eq!(rollouts.hold(&id, &member, hold).await.unwrap(), said);
        }
        assert_eq!(
            rollouts.commit_shown(&spec, "p-1").await.unwrap(),
            "commit g p-1"
        );
    }
    served.stop().await;
}

#[tokio::test]
async fn requests_that_name_too_little_are_refused() {
    let served = groups();
    for (method, params, text) in [
        (
            "Rollout.Hold",
            json!({"ID": "g"}),
            "the request names no instance",
        ),
        (
            "Rollout.Release",
            json!({"ID": "g", "Instance": ""}),
            "the request names no instance",
        ),
        (
            "Rollout.Commit",
            json!({"Spec": {"ID": "g"}}),
            "the commit names no plan",
        ),
        (
            "Rollout.Restart",
            json!({}),
            "rpc: can't find method \"Rollout.Restart\"",
        ),
        (
            "Rollout.Status",
            json!({"Name": "group/nope"}),
            "not found: group/nope (key=nope)",
        ),
    ] {
        let answer = ask(&served, method, params).await;
        assert_eq!(answer["error"]["message"], text, "{method}");
    }
    served.stop().await;
}

#[tokio::test]
async fn conditions_come_only_where_they_are_asked_for() {
    let served = groups();
    let group = GroupClient::new(served.client(), "group/g");
    let id = GroupId::from("g");
    assert_eq!(group.describe(&id).await.unwrap().conditions, None);
    let description = group.describe_with_conditions(&id).await.unwrap();
    assert_eq!(description.conditions, Some(conditions()));
    let params = json!({"Name": "group/g", "ID": "g"});
    let plain = ask(&served, "Group.DescribeGroup", params).await;
    assert_eq!(
        plain["result"],
        json!({"Name": "group/g", "ID": "g", "Description": {"Instances": null, "Converged": true}})
    );
    served.stop().await;
}

#[tokio::test]
async fn a_group_is_frozen_by_its_name_and_all_by_saying_so() {
    let served = groups();
    let group = GroupClient::new(served.client(), "group");
    let rollouts = group.rollouts().unwrap();
    let cattle = GroupId::from("cattle");
    for (freeze, word) in [(Freeze::Set, "Set"), (Freeze::Thaw, "Thaw")] {
        let said = rollouts.freeze(Some(&cattle), freeze).await.unwrap();
        assert_eq!(said, format!("{word} cattle"));
        let said = rollouts.freeze(None, freeze).await.unwrap();
        assert_eq!(said, format!("{word} all"));
    }
    let all = json!({"Name": "group", "All": true});
    let answer = ask(&served, "Rollout.Thaw", all).await;
    assert_eq!(answer["result"]["Details"], "Thaw all", "{answer}");
    served.stop().await;
}

/// As of `infrakit thaw "$GROUP"` where the variable is not set.
#[tokio::test]
async fn a_group_without_a_name_is_not_all_groups() {
    let served = groups();
    let group = GroupClient::new(served.client(), "group");
    let rollouts = group.rollouts().unwrap();
    let nobody = GroupId::default();
    for freeze in [Freeze::Set, Freeze::Thaw] {
        let error = rollouts.freeze(Some(&nobody), freeze).await.unwrap_err();
        assert!(error.message().contains("has to name a group"), "{error}");
    }
    for params in [
        json!({"Name": "group"}),
        json!({"Name": "group", "ID": ""}),
        json!({"Name": "group", "ID": "cattle", "All": true}),
    ] {
        for method in ["Rollout.Freeze", "Rollout.Thaw"] {
            let answer = ask(&served, method, params.clone()).await;
            let said = answer["error"].to_string();
            assert!(said.contains("has to name a group"), "{answer}");
        }
    }
    served.stop().await;
}

#[tokio::test]
async fn nothing_announces_rollouts() {
    let served = groups();
    let hello = ask(&served, "Handshake.Hello", json!({})).await.to_string();
    let implements = ask(&served, "Handshake.Implements", json!({})).await;
    let types = ask(&served, "Handshake.Types", json!({})).await;
    let request = b"GET /info/api.json HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let info = body(&converse(served.socket(), request).await);
    assert!(info.contains("Group.DescribeGroup"), "{info}");
    for shown in [hello, implements.to_string(), types.to_string(), info] {
        for word in ["Rollout", "Conditions", "Repair", "\"State\""] {
            assert!(!shown.contains(word), "{word} in {shown}");
        }
    }
    served.stop().await;
}

#[tokio::test]
async fn a_controller_without_rollouts_is_said_to_be_another() {
    let metadata: Arc<dyn Metadata> = Arc::new(Fake::default());
    let served = Served::start(Plugin::new().metadata(Fixed::single(metadata)));
    let error = GroupClient::new(served.client(), "group/groups")
        .rollouts()
        .unwrap()
        .status(&"g".into())
        .await
        .unwrap_err();
    assert!(error.is_absent());
    assert_eq!(
        error.message(),
        "plugin `group/groups` does not know rollouts; it is another group controller than ours"
    );
    served.stop().await;
}

#[tokio::test]
async fn a_class_travels_only_where_it_was_given() {
    let served = groups();
    let params = json!({"Name": "group", "ID": "g", "Instance": "none"});
    let answer = ask(&served, "Rollout.Why", params).await;
    assert_eq!(
        answer["error"],
        json!({"code": -32000, "message": "no room for it", "data": {"class": "quota"}})
    );
    let group = GroupClient::new(served.client(), "group");
    let why = group.why(&"g".into(), Some(&"none".into())).await;
    assert_eq!(why.unwrap_err().given_class(), Some(FailureClass::Quota));
    let answer = ask(&served, "Rollout.Hold", json!({"ID": "g"})).await;
    assert_eq!(answer["error"]["data"], Value::Null);
    served.stop().await;
}

async fn repair_at(answer: &str) -> Result<Repaired> {
    let plugin = Scripted::start(vec![Scripted::answer(answer)]);
    let instance = InstanceClient::new(client(plugin.socket()), "");
    instance.repair(&"i-1".into(), "reboot").await
}

#[tokio::test]
async fn whoever_does_not_repair_offers_nothing() {
    for absent in [
        r#"{"error":{"code":-32000,"message":"rpc: can't find method \"Instance.Repair\""}}"#,
        r#"{"error":{"code":-32601,"message":"Method not found"}}"#,
    ] {
        assert_eq!(repair_at(absent).await.unwrap(), Repaired::NotOffered);
    }
    let refusal = r#"{"error":{"code":-32000,"message":"no","data":{"class":"Unavailable"}}}"#;
    let error = repair_at(refusal).await.unwrap_err();
    assert_eq!(
        (error.delivery(), error.given_class()),
        (Delivery::Refused, Some(FailureClass::Unavailable))
    );
    for odd in [
        r#"{"class":7}"#,
        r#""quota""#,
        r#"{"class":"soon"}"#,
        "null",
    ] {
        let refusal = format!(r#"{{"error":{{"message":"no","data":{odd}}}}}"#);
        assert_eq!(repair_at(&refusal).await.unwrap_err().given_class(), None);
    }
}

#[tokio::test]
async fn steps_of_repair_reach_the_plugin() {
    let fake = Fake::default();
    let served = Served::start(Plugin::new().instance(Fixed::single(Arc::new(fake.clone()) as _)));
    let instance = InstanceClient::new(served.client(), "");
    let id = InstanceId::from("i-1");
    assert_eq!(
        instance.repair(&id, "reboot").await.unwrap(),
        Repaired::Done
    );
    assert_eq!(
        instance.repair(&id, "dance").await.unwrap(),
        Repaired::NotOffered
    );
    assert_eq!(fake.calls(), ["repair i-1 reboot", "repair i-1 dance"]);
    let answer = ask(
        &served,
        "Instance.Repair",
        json!({"Instance": "i-1", "Step": "reboot"}),
    )
    .await;
    assert_eq!(answer["result"], json!({"Type": "", "OK": true}));
    served.stop().await;
}

#[tokio::test]
async fn states_are_listed_where_the_plugin_tells_them() {
    let fake = Fake::default();
    let made = |id: &str, state| Description {
        id: id.into(),
        state,
        ..Description::default()
    };
    *fake.instances.lock().unwrap() = vec![
        made("a", Lifecycle::Pending),
        made("b", Lifecycle::Terminating),
        made("c", Lifecycle::Unsaid),
    ];
    let served = Served::start(Plugin::new().instance(Fixed::single(Arc::new(fake.clone()) as _)));
    let instance = InstanceClient::new(served.client(), "");
    let list = instance.describe(&Tags::new(), Detail::Tags).await.unwrap();
    assert_eq!(list, *fake.instances.lock().unwrap());
    let answer = ask(&served, "Instance.DescribeInstances", json!({})).await;
    let list = &answer["result"]["Descriptions"];
    assert_eq!(list[0]["State"], "pending");
    assert_eq!(list[2], json!({"ID": "c", "LogicalID": null, "Tags": null}));
    served.stop().await;
}

#[tokio::test]
async fn a_word_of_the_plugins_own_for_a_state_is_kept() {
    let list =
        r#"{"result":{"Descriptions":[{"ID":"a","State":"Hibernating"},{"ID":"b","State":null}]}}"#;
    let plugin = Scripted::start(vec![Scripted::answer(list)]);
    let client = client(plugin.socket());
    let list = InstanceClient::new(client, "")
        .describe(&Tags::new(), Detail::Tags)
        .await
        .unwrap();
    let states: Vec<_> = list.iter().map(|one| one.state.as_str()).collect();
    assert_eq!(states, ["Hibernating", ""]);
}
