//! Ten thousand instances: every one is listed, changes are seen, and the calls stay fast.
//!
//! Run with `--release --nocapture` for figures.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use infrakit_plugin_file::FilePlugin;
use infrakit_spi::instance::{Context, Detail, Instance as _, InstanceSpec, Listing};
use infrakit_spi::{Any, InstanceId, Tags};

const MANY: usize = 10_000;

fn spec(number: usize) -> InstanceSpec {
    InstanceSpec {
        properties: Some(Any::parse(r#"{"Note":"Instance properties version 1.0"}"#).unwrap()),
        tags: Some(Tags::from([
            ("infrakit.group".to_owned(), "cattle".to_owned()),
            (
                "infrakit.config_sha".to_owned(),
                "x4nrsdaibscmj7awpkxzx5vvpt6pilw2".to_owned(),
            ),
            ("infrakit.token".to_owned(), format!("{number:032x}")),
            ("project".to_owned(), "infrakit".to_owned()),
            ("tier".to_owned(), "web".to_owned()),
        ])),
        init: "docker pull nginx:alpine\ndocker run -d -p 80:80 nginx-alpine".to_owned(),
        ..InstanceSpec::default()
    }
}

/// Prints the memory that the process holds, which includes the specs of the test.
fn report_memory(what: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    for line in status.lines() {
        if line.starts_with("VmRSS") || line.starts_with("VmHWM") {
            println!("{what}: {line}");
        }
    }
}

/// A moment, and how long this thread had computed by then.
struct Began(Instant, Duration);

impl Began {
    fn now() -> Self {
        // Absent from kernels that are built without it: then every figure is nought.
        let nanos = std::fs::read_to_string("/proc/thread-self/schedstat")
            .ok()
            .and_then(|text| text.split(' ').next()?.parse().ok());
        Self(Instant::now(), Duration::from_nanos(nanos.unwrap_or(0)))
    }

    fn report(&self, what: &str) {
        let now = Self::now();
        println!("{what}: {:?}, CPU {:?}", now.0 - self.0, now.1 - self.1);
    }
}

#[tokio::test]
async fn lists_ten_thousand_and_sees_what_people_do_to_them() {
    let home = tempfile::tempdir().unwrap();
    let plugin = FilePlugin::new(home.path().to_owned()).unwrap();
    let specs: Vec<InstanceSpec> = (0..MANY).map(spec).collect();
    report_memory("with the specs");
    let began = Began::now();
    let ids = join_all(specs.iter().map(|spec| plugin.provision(spec))).await;
    began.report("provision");
    report_memory("with the instances");
    let mut ids: Vec<InstanceId> = ids.into_iter().map(Result::unwrap).collect();
    ids.sort();

    let group = Tags::from([("infrakit.group".to_owned(), "cattle".to_owned())]);
    let list = async |what: &str| {
        let began = Began::now();
        let list = plugin.describe(&group, Detail::Properties).await.unwrap();
        began.report(what);
        list.into_iter().map(|d| d.id).collect::<Vec<_>>()
    };
    assert_eq!(list("first list").await, ids);
    assert_eq!(list("second list").await, ids);

    report_memory("after two lists");
    let Listing::Changed(_, seen) = plugin
        .describe_since(&group, Detail::Tags, None)
        .await
        .unwrap()
    else {
        panic!("nothing was seen before")
    };
    let began = Began::now();
    let listing = plugin.describe_since(&group, Detail::Tags, seen).await;
    began.report("unchanged");
    assert!(matches!(listing, Ok(Listing::Unchanged)));

    let gone = ids.remove(4_711);
    std::fs::remove_file(home.path().join(gone.as_str())).unwrap();
    assert_eq!(list("after a removal by hand").await, ids);
    let text = std::fs::read(home.path().join(ids[0].as_str())).unwrap();
    std::fs::write(home.path().join("instance-0"), text).unwrap();
    ids.insert(0, InstanceId::from("instance-0"));
    assert_eq!(list("after a copy by hand").await, ids);

    let other = FilePlugin::new(home.path().to_owned()).unwrap();
    let began = Began::now();
    let list = other.describe(&group, Detail::Tags).await.unwrap();
    began.report("first list of a new process");
    assert_eq!(list.len(), MANY);

    let began = Began::now();
    let context = Context::terminate();
    for done in join_all(ids.iter().map(|id| plugin.destroy(id, &context))).await {
        done.unwrap();
    }
    began.report("destroy");
    for plugin in [&plugin, &other] {
        assert!(
            plugin
                .describe(&group, Detail::Tags)
                .await
                .unwrap()
                .is_empty()
        );
    }
}
