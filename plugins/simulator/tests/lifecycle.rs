//! Lifecycle states and reboots.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use infrakit_plugin_simulator::{Faults, HEALTH_TAG, Simulator, SimulatorOptions};
use infrakit_spi::instance::{Detail, Instance, InstanceSpec, Lifecycle, Repaired};
use infrakit_spi::{Delivery, GoDuration, InstanceId, Tags};

const SECOND: Duration = Duration::from_secs(1);

fn setup() -> (Arc<dyn Instance>, Faults) {
    let simulator = Simulator::new(&SimulatorOptions::default()).unwrap();
    (simulator.instance("compute").unwrap(), simulator.faults())
}

async fn provision(plugin: &Arc<dyn Instance>) -> InstanceId {
    plugin.provision(&InstanceSpec::default()).await.unwrap()
}

/// Returns the state of the only instance, and whether it is listed as unhealthy.
async fn look(plugin: &Arc<dyn Instance>) -> (Lifecycle, bool) {
    let list = plugin.describe(&Tags::new(), Detail::Tags).await.unwrap();
    let [only] = list.as_slice() else {
        panic!("{list:?}")
    };
    let tags = only.tags.clone().unwrap();
    (only.state.clone(), tags.contains_key(HEALTH_TAG))
}

#[tokio::test(start_paused = true)]
async fn a_new_instance_is_pending_as_long_as_it_was_told() {
    let (compute, faults) = setup();
    let id = provision(&compute).await;
    assert_eq!(look(&compute).await, (Lifecycle::Unsaid, false));
    compute
        .destroy(&id, &infrakit_spi::instance::Context::terminate())
        .await
        .unwrap();
    faults
        .change("compute", |faults| faults.pending = GoDuration(5 * SECOND))
        .unwrap();
    provision(&compute).await;
    let mut changes = compute.changes().unwrap();
    assert_eq!(look(&compute).await, (Lifecycle::Pending, false));
    let began = tokio::time::Instant::now();
    changes.next().await.unwrap();
    assert_eq!(began.elapsed(), 5 * SECOND);
    assert_eq!(look(&compute).await, (Lifecycle::Running, false));
}

#[tokio::test(start_paused = true)]
async fn a_reboot_cures_the_unhealthy_but_not_the_broken() {
    let (compute, faults) = setup();
    let id = provision(&compute).await;
    faults
        .change("compute", |faults| {
            faults.unhealthy.insert(id.clone());
            faults.pending = GoDuration(SECOND);
        })
        .unwrap();
    assert_eq!(look(&compute).await, (Lifecycle::Running, true));
    assert_eq!(
        compute.repair(&id, "reinstall").await.unwrap(),
        Repaired::NotOffered
    );
    assert_eq!(compute.repair(&id, "reboot").await.unwrap(), Repaired::Done);
    assert_eq!(look(&compute).await, (Lifecycle::Pending, false));
    assert!(!faults.is_unhealthy("compute", &id));
    faults
        .change("compute", |faults| {
            faults.broken.insert(id.clone());
            faults.pending = GoDuration::default();
        })
        .unwrap();
    compute.repair(&id, "reboot").await.unwrap();
    assert!(look(&compute).await.1 && faults.is_unhealthy("compute", &id));
}

#[tokio::test]
async fn repairs_fail_as_told_and_need_an_instance() {
    let (compute, faults) = setup();
    let id = provision(&compute).await;
    let error = compute.repair(&"nobody".into(), "reboot").await;
    assert_eq!(error.unwrap_err().message(), "not found nobody");
    faults
        .change("compute", |faults| {
            faults.unhealthy.insert(id.clone());
            faults.repair.fail = 1;
            faults.repair.lose = 1;
        })
        .unwrap();
    compute.repair(&id, "reboot").await.unwrap_err();
    assert!(look(&compute).await.1, "nothing was done");
    let lost = compute.repair(&id, "reboot").await.unwrap_err();
    assert_eq!(lost.delivery(), Delivery::Unknown);
    assert!(!look(&compute).await.1, "only the answer was lost");
}
