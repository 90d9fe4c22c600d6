//! Signs that a list may have changed, from one process to another.

use std::sync::Arc;

use futures_util::{FutureExt as _, StreamExt as _};
use infrakit_rpc::kind::{ChangeEvents, InstanceClient};
use infrakit_rpc::{Fixed, Plugin};
use infrakit_spi::event::Event;
use infrakit_spi::instance::Instance;

use crate::fakes::Fake;
use crate::served::{Served, bounded};

fn telling(fake: &Fake) -> Plugin {
    let instance: Arc<dyn Instance> = Arc::new(fake.clone());
    let events = ChangeEvents::of(&instance).unwrap();
    Plugin::new()
        .instance(Fixed::new([("compute".to_owned(), instance)]))
        .changes(Fixed::new([("compute".to_owned(), events)]))
}

#[tokio::test]
async fn a_plugin_that_tells_of_changes_is_heard() {
    let fake = Fake::default();
    let served = Served::start(telling(&fake));
    let hello = served.client().hello().await.unwrap();
    assert!(!hello.objects.keys().any(|key| key.starts_with("Event")));
    let instance = InstanceClient::new(served.client(), "compute");
    let instance = instance.listening().await;
    let mut changes = instance.changes().unwrap();
    // The first says that they are heard of from now on.
    assert_eq!(bounded(changes.next()).await, Some(()));
    assert_eq!(changes.next().now_or_never(), None);
    for _ in 0..3 {
        fake.events.send(Event::default()).unwrap();
    }
    assert_eq!(bounded(changes.next()).await, Some(()));
    served.stop().await;
    let rest = bounded(changes.count()).await;
    assert!(rest <= 3, "{rest} signs of three changes");
}

#[tokio::test]
async fn events_about_other_things_are_no_signs_of_change() {
    let fake = Fake::default();
    for plugin in [
        Plugin::new().instance(Fixed::single(Arc::new(fake.clone()) as Arc<dyn Instance>)),
        telling(&fake).events(Fixed::new([(
            "compute".to_owned(),
            Arc::new(fake.clone()) as _,
        )])),
    ] {
        let served = Served::start(plugin);
        let instance = InstanceClient::new(served.client(), "compute");
        assert!(instance.listening().await.changes().is_none());
        served.stop().await;
    }
}
