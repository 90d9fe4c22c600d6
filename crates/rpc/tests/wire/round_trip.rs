//! Every method of every kind: client, wire, server, plugin, and back.

use std::sync::Arc;

use infrakit_rpc::kind::{
    ControllerClient, EventsClient, FlavorClient, GroupClient, InstanceClient, L4Client,
    MetadataClient, ReadOnly, ResourceClient, StackClient, UpdatableClient,
};
use infrakit_rpc::{Fixed, Plugin};
use infrakit_spi::controller::{Controller as _, Operation};
use infrakit_spi::document::Spec;
use infrakit_spi::event::Events as _;
use infrakit_spi::flavor::{Allocation, Flavor, Health, Index};
use infrakit_spi::group::{Commit, Group as _, GroupSpec};
use infrakit_spi::instance::{
    Context, Description, Detail, Instance, InstanceSpec, Listing, Locality,
};
use infrakit_spi::l4::{HealthCheck, L4, Protocol, Route};
use infrakit_spi::metadata::{Change, Metadata, Updatable};
use infrakit_spi::resource::{Resource as _, ResourceSpec};
use infrakit_spi::stack::Stack as _;
use infrakit_spi::{Any, Delivery, GroupId, Tags};

use crate::fakes::Fake;
use crate::served::Served;

fn any(text: &str) -> Any {
    Any::parse(text).unwrap()
}

#[tokio::test]
async fn instance() {
    let fake = Fake::default();
    let compute: Arc<dyn Instance> = Arc::new(fake.clone());
    let served = Served::start(Plugin::new().instance(Fixed::new([("compute".into(), compute)])));
    let instance = InstanceClient::new(served.client(), "compute");
    instance
        .validate(Some(&any("{\"a\": \"<\"}")))
        .await
        .unwrap();
    let refusal = instance.validate(Some(&any("\"bad\""))).await.unwrap_err();
    assert_eq!(
        (refusal.delivery(), refusal.message()),
        (Delivery::Refused, "bad <properties>")
    );
    let spec = InstanceSpec {
        init: "x\ny".to_owned(),
        ..InstanceSpec::default()
    };
    assert_eq!(instance.provision(&spec).await.unwrap().as_str(), "i-1");
    let tags = Tags::from([("k".to_owned(), "v".to_owned())]);
    instance.label(&"i-1".into(), &tags).await.unwrap();
    instance
        .destroy(&"i-1".into(), &Context::terminate())
        .await
        .unwrap();
    assert!(
        instance
            .describe(&tags, Detail::Properties)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(instance.locality(), Locality::Remote);
    assert_eq!(
        fake.calls(),
        [
            r#"validate Some({"a":"\u003c"})"#,
            r#"provision {"Properties":null,"Tags":null,"Init":"x\ny","LogicalID":null,"Attachments":null}"#,
            r#"label i-1 {"k": "v"}"#,
            "destroy i-1 terminate",
            r#"describe {"k": "v"} Properties"#,
        ]
    );
    let none = InstanceClient::new(served.client(), "disk");
    let error = none.provision(&spec).await.unwrap_err();
    assert_eq!(
        (error.delivery(), error.message()),
        (Delivery::Refused, "no-plugin:disk")
    );
    served.stop().await;
}

#[tokio::test]
async fn an_unchanged_list_is_not_read_again() {
    let fake = Fake::default();
    let object: Arc<dyn Instance> = Arc::new(fake.clone());
    let served = Served::start(Plugin::new().instance(Fixed::single(object)));
    let instance = InstanceClient::new(served.client(), "");
    let tags = Tags::new();
    let list = |seen| instance.describe_since(&tags, Detail::Tags, seen);
    let Listing::Changed(first, seen) = list(None).await.unwrap() else {
        panic!("no list")
    };
    assert!(first.is_empty() && seen.is_some());
    assert!(matches!(list(seen).await.unwrap(), Listing::Unchanged));
    fake.instances.lock().unwrap().push(Description {
        id: "i".into(),
        ..Description::default()
    });
    let Listing::Changed(second, now) = list(seen).await.unwrap() else {
        panic!("no change")
    };
    assert_eq!(second.len(), 1);
    assert!(now != seen && matches!(list(now).await.unwrap(), Listing::Unchanged));
    served.stop().await;
}

#[tokio::test]
async fn flavor() {
    let fake = Fake::default();
    let object: Arc<dyn Flavor> = Arc::new(fake.clone());
    let served = Served::start(Plugin::new().flavor(Fixed::single(object)));
    let flavor = FlavorClient::new(served.client(), "");
    let allocation = Allocation {
        size: 3,
        logical_ids: None,
    };
    flavor.validate(None, &allocation).await.unwrap();
    let index = Index {
        group: "g".into(),
        sequence: 2,
    };
    let spec = InstanceSpec::default();
    let prepared = flavor
        .prepare(None, spec, &allocation, &index)
        .await
        .unwrap();
    assert_eq!(prepared.init, "g 2");
    // What is prepared comes back whole, however large it is.
    let text = format!("\"{}\"", "x".repeat(3 << 20));
    let spec = InstanceSpec {
        properties: Some(infrakit_spi::Any::parse(&text).unwrap()),
        ..InstanceSpec::default()
    };
    let prepared = flavor.prepare(None, spec.clone(), &allocation, &index);
    assert_eq!(prepared.await.unwrap().properties, spec.properties);
    let instance = |id: &str| Description {
        id: id.into(),
        ..Description::default()
    };
    assert_eq!(
        flavor.healthy(None, &instance("i")).await.unwrap(),
        Health::Healthy
    );
    assert_eq!(
        flavor.healthy(None, &instance("sick")).await.unwrap(),
        Health::Unhealthy
    );
    flavor.drain(None, &instance("i")).await.unwrap();
    assert_eq!(fake.calls(), ["validate None 3", "drain i"]);
    served.stop().await;
}

#[tokio::test]
async fn group() {
    let fake = Fake::default();
    let objects = ["groups", "g"].map(|name| (name.to_owned(), Arc::new(fake.clone()) as _));
    let served = Served::start(Plugin::new().group(Fixed::new(objects)));
    // The last is the name that the original loses once a group exists.
    for name in ["group/groups", "group/g", "group"] {
        let group = GroupClient::new(served.client(), name);
        let id = GroupId::from("g");
        let spec = GroupSpec {
            id: id.clone(),
            properties: None,
        };
        assert_eq!(
            group.commit(&spec, Commit::Pretend).await.unwrap(),
            "commit g Pretend"
        );
        group.free(&id).await.unwrap();
        assert!(group.describe(&id).await.unwrap().converged);
        group.destroy(&id).await.unwrap();
        let specs = group.inspect().await.unwrap();
        assert_eq!(
            specs[0].properties.as_ref().unwrap().as_str(),
            "{\"a\":1.50}"
        );
        let instances = ["i".into()];
        group.destroy_instances(&id, &instances).await.unwrap();
        group.destroy_instances_now(&id, &instances).await.unwrap();
        assert_eq!(group.size(&id).await.unwrap(), 7);
        group.set_size(&id, -1).await.unwrap();
        let calls = [
            "free g",
            "destroy g",
            "destroy g [InstanceId(\"i\")]",
            "destroy now g [InstanceId(\"i\")]",
            "size g -1",
        ];
        assert_eq!(fake.calls(), calls);
    }
    let stranger = GroupClient::new(served.client(), "group/nope");
    let error = stranger.size(&"g".into()).await.unwrap_err();
    assert_eq!(error.message(), "not found: group/nope (key=nope)");
    served.stop().await;
}

#[tokio::test]
async fn metadata_and_updatable() {
    let fake = Fake::default();
    let readable: Arc<dyn Metadata> = Arc::new(fake.clone());
    let writable: Arc<dyn Updatable> = Arc::new(fake.clone());
    let status: Arc<dyn Updatable> = Arc::new(ReadOnly(Arc::clone(&readable)));
    let tables = Fixed::new([("vars".to_owned(), writable), ("status".to_owned(), status)]);
    let plugin = Plugin::new()
        .metadata(Fixed::single(readable))
        .updatable(tables);
    let served = Served::start(plugin);
    let metadata = MetadataClient::new(served.client(), "m");
    assert_eq!(
        metadata.keys("a/b").await.unwrap(),
        Some(vec!["a/b".to_owned()])
    );
    assert_eq!(metadata.get("none").await.unwrap(), None);
    let vars = UpdatableClient::new(served.client(), "x/vars");
    assert_eq!(vars.keys("none").await.unwrap(), None);
    assert_eq!(vars.get("a").await.unwrap(), Some(any("\"a\"")));
    let change = Change {
        path: "a".to_owned(),
        value: Some(any("1.50")),
    };
    let proposal = vars.changes(&[change]).await.unwrap();
    vars.commit(proposal.proposed.as_ref(), &proposal.cas)
        .await
        .unwrap();
    assert_eq!(fake.calls(), ["commit Some(1.50) cas"]);
    let status = UpdatableClient::new(served.client(), "x/status");
    assert_eq!(status.changes(&[]).await.unwrap_err().message(), "readonly");
    assert_eq!(
        status.commit(None, "").await.unwrap_err().message(),
        "readonly"
    );
    served.stop().await;
}

#[tokio::test]
async fn controller_and_stack() {
    let fake = Fake::default();
    let plugin = Plugin::new()
        .controller(Fixed::single(Arc::new(fake.clone()) as _))
        .stack(Fixed::single(Arc::new(fake.clone()) as _));
    let served = Served::start(plugin);
    let controller = ControllerClient::new(served.client(), "c");
    let spec = Spec {
        kind: "gc".to_owned(),
        ..Spec::default()
    };
    let (object, steps) = controller.plan(Operation::Destroy, &spec).await.unwrap();
    assert_eq!(
        (object.state, steps),
        (Some(any("\"Destroy\"")), vec!["step".to_owned()])
    );
    let object = controller.commit(Operation::Other(9), &spec).await.unwrap();
    assert_eq!(object.kind, "gc");
    assert!(controller.describe(None).await.unwrap().is_empty());
    assert_eq!(
        controller.free(Some(&spec.metadata)).await.unwrap().len(),
        1
    );
    assert_eq!(
        fake.calls(),
        ["commit Other(9)", "describe None", "free Some(\"\")"]
    );
    let stack = StackClient::new(served.client());
    assert!(stack.is_leader().await.unwrap());
    let location = stack.leader_location().await.unwrap();
    assert_eq!(location.as_deref(), Some("http://127.0.0.1:1/x"));
    assert_eq!(stack.specs().await.unwrap()[0].kind, "group");
    stack.enforce(&[spec]).await.unwrap();
    stack.terminate(&[]).await.unwrap();
    assert_eq!(
        stack.inspect().await.unwrap_err().message(),
        "not implemented -- coming soon"
    );
    assert_eq!(fake.calls(), ["enforce 1", "terminate 0"]);
    served.stop().await;
}

#[tokio::test]
async fn l4_and_resource() {
    let fake = Fake::default();
    let balancers = ["lb1", "lb2"].map(|name| (name.to_owned(), Arc::new(fake.clone()) as _));
    let plugin = Plugin::new()
        .l4(Fixed::new(balancers))
        .resource(Fixed::single(Arc::new(fake.clone()) as _));
    let served = Served::start(plugin);
    let balancer = L4Client::new(served.client(), "lb1");
    assert_eq!(L4::name(&balancer), "lb1");
    assert_eq!(balancer.routes().await.unwrap()[0].port, 80);
    let route = Route {
        balancer_protocol: Protocol::Https,
        ..Route::default()
    };
    assert_eq!(balancer.publish(&route).await.unwrap(), "publish HTTPS");
    assert_eq!(balancer.unpublish(443).await.unwrap(), "unpublish 443");
    let check = HealthCheck {
        interval: 5,
        ..HealthCheck::default()
    };
    assert_eq!(
        balancer.configure_health_check(&check).await.unwrap(),
        "check 5"
    );
    assert_eq!(
        balancer.register(&["i".into()]).await.unwrap(),
        "register 1"
    );
    assert_eq!(balancer.deregister(&[]).await.unwrap(), "deregister 0");
    assert_eq!(balancer.backends().await.unwrap(), ["i-1".into()]);
    let stranger = L4Client::new(served.client(), "nope");
    let error = stranger.routes().await.unwrap_err();
    assert_eq!(error.message(), "not found: ./nope (key=nope)");

    let resource = ResourceClient::new(served.client());
    let spec = ResourceSpec {
        id: "r".to_owned(),
        properties: None,
    };
    assert_eq!(
        resource.commit(&spec, Commit::Enforce).await.unwrap(),
        "commit r Enforce"
    );
    assert_eq!(
        resource.destroy(&spec, Commit::Pretend).await.unwrap(),
        "destroy r Pretend"
    );
    assert_eq!(resource.describe(&spec).await.unwrap(), "describe r");
    served.stop().await;
}

#[tokio::test]
async fn event_topics() {
    let fake = Fake::default();
    let typed = [("streams".to_owned(), Arc::new(fake.clone()) as _)];
    let served = Served::start(Plugin::new().events(Fixed::new(typed)));
    let events = EventsClient::new(served.client());
    for (topic, want) in [
        (".", Some(vec!["streams"])),
        ("", Some(vec!["streams"])),
        ("/streams", Some(vec!["streams"])),
        ("streams", Some(vec!["hr", "msec"])),
        ("streams/", Some(vec!["hr", "msec"])),
        ("streams/msec", Some(vec![])),
        ("streams/none", None),
        ("none", None),
    ] {
        let want = want.map(|want| want.into_iter().map(str::to_owned).collect());
        assert_eq!(events.list(topic).await.unwrap(), want, "{topic}");
    }
    served.stop().await;
}

#[test]
fn both_kinds_of_runtime_will_do() {
    let call = async {
        let object: Arc<dyn Instance> = Arc::new(Fake::default());
        let served = Served::start(Plugin::new().instance(Fixed::single(object)));
        let instance = InstanceClient::new(served.client(), "");
        for _ in 0..3 {
            instance.validate(None).await.unwrap();
        }
        served.stop().await;
    };
    let multi = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    multi.block_on(call);
}
