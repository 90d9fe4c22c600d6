//! The simulator as recorded of the original, apart from the original's faults.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use infrakit_plugin_simulator::{Simulator, SimulatorOptions, Store};
use infrakit_spi::instance::{Context, Detail, Instance, InstanceSpec, Locality};
use infrakit_spi::l4::{HealthCheck, Protocol, Route};
use infrakit_spi::{Any, GoDuration, InstanceId, Tags};
use tokio::time::Instant;

fn spec(json: &str) -> InstanceSpec {
    serde_json::from_str(json).unwrap()
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

async fn ids(plugin: &Arc<dyn Instance>, filter: &Tags) -> Vec<InstanceId> {
    let list = plugin.describe(filter, Detail::Tags).await.unwrap();
    list.into_iter().map(|found| found.id).collect()
}

fn in_files(directory: &std::path::Path) -> SimulatorOptions {
    SimulatorOptions {
        store: Store::File,
        dir: directory.to_str().unwrap().to_owned(),
        ..SimulatorOptions::default()
    }
}

async fn replays_the_recording(simulator: &Simulator) {
    let compute = simulator.instance("compute").unwrap();
    assert!(simulator.instance("nope").is_none() && simulator.instance("").is_none());
    for json in [r#"{"a":1}"#, "\"str\"", "[1]"] {
        let properties = Any::parse(json).unwrap();
        compute.validate(Some(&properties)).await.unwrap();
    }
    compute.validate(None).await.unwrap();
    assert_eq!(ids(&compute, &tags(&[("never", "x")])).await, []);

    let full = r#"{"Properties":{"Note":"x & <y>","n":1.50,"nested":{"b":[1,2]}},"Tags":{"infrakit.group":"g1","k":"v"},"Init":"echo hi","LogicalID":"192.168.0.1","Attachments":[{"ID":"a1","Type":"ebs"}]}"#;
    let first = compute.provision(&spec(full)).await.unwrap();
    let second = compute.provision(&spec("{}")).await.unwrap();
    assert!(first < second && first.as_str().parse::<u64>().is_ok());
    assert_eq!(first.as_str().len(), 19);

    let list = compute.describe(&Tags::new(), Detail::Tags).await.unwrap();
    let want = format!(
        r#"[{{"ID":"{first}","LogicalID":"192.168.0.1","Tags":{{"infrakit.group":"g1","k":"v","simulator":"simulator"}},"Properties":{{"Note":"x & <y>","n":1.50,"nested":{{"b":[1,2]}}}}}},{{"ID":"{second}","LogicalID":null,"Tags":{{"simulator":"simulator"}}}}]"#
    );
    assert_eq!(serde_json::to_string(&list).unwrap(), want);
    // Where the original lists instances without the tag as well, this one does not.
    assert_eq!(
        ids(&compute, &tags(&[("infrakit.group", "g1")])).await,
        std::slice::from_ref(&first)
    );
    for filter in [("infrakit.group", "zzz"), ("nokey", "zzz")] {
        assert_eq!(ids(&compute, &tags(&[filter])).await, []);
    }

    let labels = tags(&[("k", "v2"), ("new", "n")]);
    compute.label(&first, &labels).await.unwrap();
    compute.label(&first, &Tags::new()).await.unwrap();
    assert_eq!(ids(&compute, &labels).await, std::slice::from_ref(&first));
    let missing = InstanceId::from("nosuch");
    let error = compute.label(&missing, &labels).await.unwrap_err();
    assert_eq!(error.message(), "not found nosuch");

    let full = compute
        .provision(&spec(r#"{"Properties":{"simulator_cap":2}}"#))
        .await
        .unwrap_err();
    assert_eq!(full.message(), "at capacity 2");
    let context = Context::default();
    compute.destroy(&first, &context).await.unwrap();
    let error = compute.destroy(&first, &context).await.unwrap_err();
    assert_eq!(error.message(), format!("not found {first}"));
    assert_eq!(ids(&compute, &Tags::new()).await, [second]);
    let disk = simulator.instance("disk").unwrap();
    assert_eq!(ids(&disk, &Tags::new()).await, []);
}

#[tokio::test]
async fn answers_as_recorded_from_memory() {
    let simulator = Simulator::new(&SimulatorOptions::default()).unwrap();
    replays_the_recording(&simulator).await;
    let compute = simulator.instance("compute").unwrap();
    assert_eq!(compute.locality(), Locality::InProcess);
}

#[tokio::test]
async fn answers_as_recorded_from_files_and_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let options = in_files(home.path());
    let simulator = Simulator::new(&options).unwrap();
    replays_the_recording(&simulator).await;
    let compute = simulator.instance("compute").unwrap();
    let before = compute
        .describe(&Tags::new(), Detail::Properties)
        .await
        .unwrap();
    let lb = simulator.l4("lb1").unwrap();
    lb.register(&[InstanceId::from("i-1")]).await.unwrap();
    drop(simulator);

    let simulator = Simulator::new(&options).unwrap();
    let compute = simulator.instance("compute").unwrap();
    let after = compute.describe(&Tags::new(), Detail::Properties).await;
    assert_eq!(after.unwrap(), before);
    let lb = simulator.l4("lb1").unwrap();
    assert_eq!(lb.backends().await.unwrap(), [InstanceId::from("i-1")]);
    let file = home.path().join(format!("compute-{}", before[0].id));
    std::fs::remove_file(file).unwrap();
    assert_eq!(ids(&compute, &Tags::new()).await, []);
    let outside = InstanceId::from("1/../../x");
    let error = compute.destroy(&outside, &Context::default()).await;
    assert_eq!(error.unwrap_err().message(), "not found 1/../../x");
}

#[tokio::test]
async fn ids_are_unique_across_types_and_in_order() {
    let simulator = Simulator::new(&SimulatorOptions::default()).unwrap();
    let plugins = ["compute", "net", "disk"].map(|kind| simulator.instance(kind).unwrap());
    let mut made = Vec::new();
    for number in 0..3_000 {
        made.push(plugins[number % 3].provision(&spec("{}")).await.unwrap());
    }
    assert!(made.is_sorted() && made.windows(2).all(|pair| pair[0] != pair[1]));
}

#[tokio::test(start_paused = true)]
async fn honours_the_delays_of_its_options_and_of_properties() {
    let seconds = |seconds| GoDuration(Duration::from_secs(seconds));
    let simulator = Simulator::new(&SimulatorOptions {
        start_delay: seconds(60),
        describe_delay: seconds(2),
        provision_delay: seconds(3),
        instance_types: vec!["vm".to_owned()],
        name: "us-east".into(),
        ..SimulatorOptions::default()
    })
    .unwrap();
    let vm = simulator.instance("vm").unwrap();
    let began = Instant::now();
    assert_eq!(ids(&vm, &Tags::new()).await, []);
    assert_eq!(began.elapsed(), Duration::from_secs(62));
    let slow = spec(r#"{"Properties":{"simulator_delay":"1s"}}"#);
    let began = Instant::now();
    let id = vm.provision(&slow).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(4));
    assert_eq!(ids(&vm, &tags(&[("simulator", "us-east")])).await, [id]);
    for bad in [
        r#"{"simulator_delay":"soon"}"#,
        r#"{"simulator_delay":5}"#,
        r#"{"simulator_cap":"x"}"#,
        r#"{"simulator_cap":-1}"#,
    ] {
        let bad = spec(&format!(r#"{{"Properties":{bad}}}"#));
        let error = vm.provision(&bad).await.unwrap_err();
        assert!(error.message().starts_with("simulator_"), "{error}");
    }
}

#[tokio::test]
async fn balancers_answer_as_recorded() {
    let simulator = Simulator::new(&SimulatorOptions::default()).unwrap();
    assert_eq!(simulator.balancers(), ["lb1", "lb2", "lb3"]);
    assert!(simulator.l4("nope").is_none());
    let lb = simulator.l4("lb1").unwrap();
    assert_eq!(lb.name(), "lb1");
    let route = |port| Route {
        port: 8080,
        balancer_port: port,
        balancer_protocol: Protocol::Http,
        ..Route::default()
    };
    assert_eq!(lb.routes().await.unwrap(), []);
    assert_eq!(lb.publish(&route(443)).await.unwrap(), "publish");
    assert_eq!(lb.publish(&route(80)).await.unwrap(), "publish");
    let error = lb.publish(&route(80)).await.unwrap_err();
    assert_eq!(error.message(), "duplicate port 80");
    let check = HealthCheck {
        backend_port: 8080,
        ..HealthCheck::default()
    };
    assert_eq!(
        lb.configure_health_check(&check).await.unwrap(),
        "healthcheck"
    );
    assert_eq!(lb.routes().await.unwrap(), [route(80), route(443)]);
    assert_eq!(lb.unpublish(80).await.unwrap(), "unpublish");
    let error = lb.unpublish(9999).await.unwrap_err();
    assert_eq!(error.message(), "unknown port 9999");
    let ids = ["i-1", "i-2", "zzz"].map(InstanceId::from);
    assert_eq!(lb.register(&ids[..2]).await.unwrap(), "ok");
    assert_eq!(
        lb.deregister(&[ids[0].clone(), ids[2].clone()])
            .await
            .unwrap(),
        "ok"
    );
    assert_eq!(lb.backends().await.unwrap(), [ids[1].clone()]);
    assert_eq!(simulator.l4("lb3").unwrap().backends().await.unwrap(), []);
}

#[test]
fn refuses_options_that_cannot_work() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let types = |types: &[&str]| SimulatorOptions {
        instance_types: types.iter().map(|&kind| kind.to_owned()).collect(),
        ..SimulatorOptions::default()
    };
    let bad = [
        (in_files(&file.join("below")), "cannot create"),
        (in_files(std::path::Path::new("")), "needs a directory"),
        (types(&["a", "a"]), "twice"),
        (types(&["a/b"]), "a/b"),
        (types(&[""]), "1 to 128"),
    ];
    for (options, want) in bad {
        let Err(error) = Simulator::new(&options) else {
            panic!("accepted {options:?}")
        };
        let error = error.to_string();
        assert!(error.contains(want) && !error.contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn lists_in_pages_where_it_is_set_to() {
    let simulator = Simulator::new(&SimulatorOptions {
        page_size: 2,
        ..SimulatorOptions::default()
    });
    let compute = simulator.unwrap().instance("compute").unwrap();
    let declared = compute.behaviour().await.unwrap().unwrap();
    assert_eq!(declared.list.page, Some(2));
    for _ in 0..5 {
        compute.provision(&spec("{}")).await.unwrap();
    }
    let all = ids(&compute, &Tags::new()).await;
    let (mut listed, mut page, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let everybody = Tags::new();
        let found = compute.describe_page(&everybody, Detail::Tags, &page);
        let found = found.await.unwrap();
        listed.extend(found.descriptions.into_iter().map(|one| one.id));
        // Whoever comes or goes meanwhile moves nobody to another page.
        if pages == 0 {
            compute.destroy(&all[0], &Context::default()).await.unwrap();
        }
        (page, pages) = (found.next, pages + 1);
        if page.is_empty() {
            break;
        }
    }
    assert_eq!((listed, pages), (all, 3));
}
