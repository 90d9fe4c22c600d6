//! Every fault, switched while the simulator runs, by a test and by a person.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use infrakit_plugin_simulator::{Failure, Faults, Simulator, SimulatorOptions};
use infrakit_spi::instance::{
    Context, Detail, Fingerprint, Instance, InstanceSpec, Listing, Locality,
};
use infrakit_spi::metadata::{Change, Updatable};
use infrakit_spi::{Any, Delivery, GoDuration, InstanceId, Tags};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn setup() -> (Arc<dyn Instance>, Faults, Arc<dyn Updatable>) {
    let simulator = Simulator::new(&SimulatorOptions::default()).unwrap();
    let compute = simulator.instance("compute").unwrap();
    (compute, simulator.faults(), simulator.metadata())
}

async fn provision(plugin: &Arc<dyn Instance>) -> infrakit_spi::Result<InstanceId> {
    plugin.provision(&InstanceSpec::default()).await
}

async fn ids(plugin: &Arc<dyn Instance>) -> Vec<InstanceId> {
    let list = plugin.describe(&Tags::new(), Detail::Tags).await.unwrap();
    list.into_iter().map(|found| found.id).collect()
}

async fn look(plugin: &Arc<dyn Instance>, seen: Option<Fingerprint>) -> Option<Fingerprint> {
    match plugin
        .describe_since(&Tags::new(), Detail::Tags, seen)
        .await
    {
        Ok(Listing::Changed(_, now) | Listing::Part(.., now)) => Some(now.unwrap()),
        Ok(Listing::Unchanged) => None,
        Err(error) => panic!("{error}"),
    }
}

async fn change(tree: &Arc<dyn Updatable>, path: &str, value: &str) -> infrakit_spi::Result<()> {
    let change = Change {
        path: path.to_owned(),
        value: Some(Any::parse(value).unwrap()),
    };
    let proposal = tree.changes(&[change]).await?;
    tree.commit(proposal.proposed.as_ref(), &proposal.cas).await
}

#[tokio::test(start_paused = true)]
async fn delays_are_switched_by_test_and_by_person() {
    let (compute, faults, tree) = setup();
    faults
        .change("compute", |faults| {
            faults.destroy.delay = GoDuration(SECOND);
        })
        .unwrap();
    change(&tree, "compute/provision/delay", "\"5s\"")
        .await
        .unwrap();
    change(&tree, "compute/describe/delay", "\"2s\"")
        .await
        .unwrap();
    let mut began = Instant::now();
    let mut took = || std::mem::replace(&mut began, Instant::now()).elapsed();
    let id = provision(&compute).await.unwrap();
    assert_eq!(took(), 5 * SECOND);
    assert_eq!(ids(&compute).await, std::slice::from_ref(&id));
    assert_eq!(took(), 2 * SECOND);
    compute.destroy(&id, &Context::terminate()).await.unwrap();
    assert_eq!(took(), SECOND);
}

#[tokio::test]
async fn the_next_calls_fail_as_told_and_do_nothing() {
    let (compute, faults, _) = setup();
    for (failure, delivery) in [
        (Failure::Refused, Delivery::Refused),
        (Failure::Undelivered, Delivery::NotDelivered),
        (Failure::Unknown, Delivery::Unknown),
    ] {
        faults
            .change("compute", |faults| {
                faults.provision.fail = 2;
                faults.provision.message = "quota exceeded".to_owned();
                faults.provision.failure = failure;
            })
            .unwrap();
        for _ in 0..2 {
            let error = provision(&compute).await.unwrap_err();
            assert_eq!(error.message(), "quota exceeded");
            assert_eq!(error.delivery(), delivery);
        }
        let id = provision(&compute).await.unwrap();
        assert_eq!(ids(&compute).await, std::slice::from_ref(&id));
        compute.destroy(&id, &Context::terminate()).await.unwrap();
    }
    faults
        .change("compute", |faults| faults.describe.fail = 1)
        .unwrap();
    let error = compute
        .describe(&Tags::new(), Detail::Tags)
        .await
        .unwrap_err();
    assert_eq!(error.message(), "simulated failure");
}

#[tokio::test]
async fn a_rate_fails_its_share_the_same_way_for_the_same_seed() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let (compute, faults, _) = setup();
        faults
            .change("compute", |faults| {
                faults.provision.rate = 0.3;
                faults.seed = seed;
            })
            .unwrap();
        let mut run = Vec::new();
        for _ in 0..1_000 {
            run.push(provision(&compute).await.is_ok());
        }
        let failed = run.iter().filter(|ok| !**ok).count();
        assert!((250..350).contains(&failed), "{failed} of 1000 failed");
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_call_goes_on_when_the_hang_is_switched_off() {
    let (compute, faults, _) = setup();
    faults
        .change("compute", |faults| faults.provision.hang = true)
        .unwrap();
    let abandoned = tokio::time::timeout(100 * SECOND, provision(&compute)).await;
    assert!(abandoned.is_err());
    let waiting = tokio::spawn({
        let compute = Arc::clone(&compute);
        async move { provision(&compute).await }
    });
    tokio::time::sleep(SECOND).await;
    assert!(!waiting.is_finished());
    assert_eq!(ids(&compute).await, []);
    faults
        .change("compute", |faults| faults.provision.hang = false)
        .unwrap();
    let id = waiting.await.unwrap().unwrap();
    // The abandoned call caused nothing.
    assert_eq!(ids(&compute).await, [id]);
}

#[tokio::test]
async fn a_lost_answer_hides_an_effect() {
    let (compute, faults, _) = setup();
    faults
        .change("compute", |faults| {
            faults.provision.lose = 1;
            faults.destroy.lose = 1;
        })
        .unwrap();
    let error = provision(&compute).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    let made = ids(&compute).await;
    assert_eq!(made.len(), 1);
    let error = compute.destroy(&made[0], &Context::terminate()).await;
    assert_eq!(error.unwrap_err().delivery(), Delivery::Unknown);
    assert_eq!(ids(&compute).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_late_creation_appears_by_itself_and_tells() {
    let (compute, faults, _) = setup();
    faults
        .change("compute", |faults| {
            faults.late = 1;
            faults.lateness = GoDuration(10 * SECOND);
            faults.remote = true;
        })
        .unwrap();
    assert_eq!(compute.locality(), Locality::Remote);
    let error = provision(&compute).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    let mut changes = compute.changes().unwrap();
    let seen = look(&compute, None).await;
    tokio::time::sleep(9 * SECOND).await;
    assert_eq!(ids(&compute).await, []);
    assert_eq!(look(&compute, seen).await, None);
    let began = Instant::now();
    changes.next().await.unwrap();
    // Timers have the grain of a millisecond.
    assert!(began.elapsed().abs_diff(SECOND) <= Duration::from_millis(2));
    assert_eq!(ids(&compute).await.len(), 1);
    assert!(look(&compute, seen).await.is_some());
    provision(&compute).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_booting_instance_is_not_listed_yet() {
    let (compute, faults, _) = setup();
    faults
        .change("compute", |faults| faults.boot = GoDuration(30 * SECOND))
        .unwrap();
    let first = provision(&compute).await.unwrap();
    let second = provision(&compute).await.unwrap();
    assert_eq!(ids(&compute).await, []);
    compute
        .destroy(&first, &Context::terminate())
        .await
        .unwrap();
    tokio::time::sleep(31 * SECOND).await;
    assert_eq!(ids(&compute).await, [second]);
}

#[tokio::test]
async fn sickness_shows_as_a_tag_and_death_as_absence() {
    let (compute, faults, tree) = setup();
    let sick = provision(&compute).await.unwrap();
    let dead = provision(&compute).await.unwrap();
    let other = provision(&compute).await.unwrap();
    let mut changes = compute.changes().unwrap();
    let seen = look(&compute, None).await;
    change(&tree, "compute/unhealthy", &format!("[\"{sick}\"]"))
        .await
        .unwrap();
    changes.next().await.unwrap();
    assert!(look(&compute, seen).await.is_some());
    assert!(faults.is_unhealthy("compute", &sick) && !faults.is_unhealthy("compute", &other));
    let list = compute.describe(&Tags::new(), Detail::Tags).await.unwrap();
    let marked = list.iter().map(|found| {
        let tags = found.tags.as_ref().unwrap();
        tags.get("simulator.health").map(String::as_str)
    });
    assert_eq!(marked.collect::<Vec<_>>(), [Some("unhealthy"), None, None]);

    faults.kill("compute", &dead).unwrap();
    changes.next().await.unwrap();
    assert_eq!(ids(&compute).await, [sick, other.clone()]);
    let error = compute
        .destroy(&dead, &Context::terminate())
        .await
        .unwrap_err();
    assert_eq!(error.message(), format!("not found {dead}"));
    change(&tree, "compute/kill", &format!("[\"{other}\",\"nosuch\"]"))
        .await
        .unwrap();
    assert_eq!(ids(&compute).await.len(), 1);
    assert!(faults.get("compute").unwrap().kill.is_empty());
}

#[tokio::test]
async fn every_change_wakes_observers_and_unmakes_fingerprints() {
    let (compute, _, _) = setup();
    let mut changes = compute.changes().unwrap();
    let mut seen = look(&compute, None).await;
    assert_eq!(look(&compute, seen).await, None);
    let id = provision(&compute).await.unwrap();
    changes.next().await.unwrap();
    let labels = Tags::from([("a".to_owned(), "b".to_owned())]);
    for step in 0..3 {
        seen = look(&compute, seen).await;
        assert!(seen.is_some(), "step {step} was missed");
        assert_eq!(look(&compute, seen).await, None);
        let other = compute.describe_since(&labels, Detail::Tags, seen).await;
        assert!(matches!(other, Ok(Listing::Changed(..))));
        match step {
            0 => compute.label(&id, &labels).await.unwrap(),
            1 => compute.destroy(&id, &Context::terminate()).await.unwrap(),
            _ => break,
        }
        changes.next().await.unwrap();
    }
}

#[tokio::test]
async fn the_switchboard_refuses_nonsense_and_stays_as_it_was() {
    let (_, faults, tree) = setup();
    let before = tree.get(".").await.unwrap();
    for (path, value, want) in [
        ("compute/provision/dely", "\"5s\"", "dely"),
        ("compute/provision/delay", "5", "duration"),
        ("compute/provision/delay", "\"-5s\"", "negative"),
        ("compute/provision/fail", "-1", "these are no faults"),
        ("compute/provision/rate", "1.5", "not between 0 and 1"),
        ("computer/boot", "\"5s\"", "`compute`, `disk`, `net`"),
        ("compute", "5", "these are no faults"),
    ] {
        let error = change(&tree, path, value).await.unwrap_err();
        assert!(error.message().contains(want), "{path}: {error}");
        assert!(!error.message().contains('\n'));
    }
    assert!(faults.change("nope", |_| ()).is_err());
    assert!(
        faults
            .change("net", |faults| faults.label.rate = f64::NAN)
            .is_err()
    );
    assert_eq!(tree.get(".").await.unwrap(), before);
    let names = tree.keys("compute/provision").await.unwrap().unwrap();
    assert!(names.contains(&"delay".to_owned()) && names.is_sorted());
    assert_eq!(tree.keys("compute/nope").await.unwrap(), None);
}

#[tokio::test]
async fn of_two_people_the_second_has_to_look_again() {
    let (_, faults, tree) = setup();
    let proposals = [("compute/boot", "\"5s\""), ("net/boot", "\"6s\"")].map(|(path, value)| {
        vec![Change {
            path: path.to_owned(),
            value: Some(Any::parse(value).unwrap()),
        }]
    });
    let first = tree.changes(&proposals[0]).await.unwrap();
    let second = tree.changes(&proposals[1]).await.unwrap();
    tree.commit(first.proposed.as_ref(), &first.cas)
        .await
        .unwrap();
    let error = tree
        .commit(second.proposed.as_ref(), &second.cas)
        .await
        .unwrap_err();
    assert_eq!(error.message(), "cas mismatch");
    assert_eq!(faults.get("compute").unwrap().boot, GoDuration(5 * SECOND));
    assert_eq!(faults.get("net").unwrap().boot, GoDuration::default());
}
