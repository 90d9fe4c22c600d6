//! Lists in pages: asked for where they were declared, whole or not at all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use infrakit_rpc::kind::InstanceClient;
use infrakit_rpc::{Fixed, Plugin};
use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::instance::{Context, Description, Detail, Instance, InstanceSpec, Listing, Page};
use infrakit_spi::{Any, Delivery, Error, InstanceId, Result, Tags};

use crate::hostile_servers::Scripted;
use crate::served::{Served, client};

/// What the page of this number names as the next one.
type Next = fn(usize) -> String;

/// Lists the instances 0, 1, … in pages of two.
#[derive(Default)]
struct Paged {
    declares: bool,
    instances: AtomicUsize,
    /// What pages name as the next one, instead of what it is.
    next: Option<Next>,
    /// The page that cannot be read.
    fails: Option<&'static str>,
    /// What pages cover: each the zone of its number.
    covers: bool,
    /// The pages that were asked for.
    asked: Mutex<Vec<String>>,
    /// How often everything was asked for at once.
    whole: AtomicUsize,
}

impl Paged {
    fn list(&self) -> Vec<Description> {
        let all = 0..self.instances.load(Ordering::Relaxed);
        let named = all.map(|number| Description {
            id: number.to_string().into(),
            ..Description::default()
        });
        named.collect()
    }
}

#[async_trait]
impl Instance for Paged {
    async fn validate(&self, _properties: Option<&Any>) -> Result<()> {
        Ok(())
    }
    async fn provision(&self, _spec: &InstanceSpec) -> Result<InstanceId> {
        Err(Error::refused("no"))
    }
    async fn label(&self, _id: &InstanceId, _labels: &Tags) -> Result<()> {
        Ok(())
    }
    async fn destroy(&self, _id: &InstanceId, _context: &Context) -> Result<()> {
        Ok(())
    }
    async fn describe(&self, _tags: &Tags, _detail: Detail) -> Result<Vec<Description>> {
        self.whole.fetch_add(1, Ordering::Relaxed);
        Ok(self.list())
    }
    async fn describe_page(&self, _tags: &Tags, _detail: Detail, page: &str) -> Result<Page> {
        let number = self.asked.lock().unwrap().len();
        self.asked.lock().unwrap().push(page.to_owned());
        if self.fails == Some(page) {
            return Err(Error::refused("this page is torn"));
        }
        let first = page.parse().unwrap_or(0);
        let mut descriptions = self.list();
        let rest = descriptions.split_off(first.min(descriptions.len()));
        let more = rest.len() > 2;
        let next = if more {
            (first + 2).to_string()
        } else {
            String::new()
        };
        Ok(Page {
            descriptions: rest.into_iter().take(2).collect(),
            next: self.next.map_or(next, |next| next(number)),
            covers: self.covers.then(|| [format!("zone-{number}")].into()),
        })
    }
    async fn behaviour(&self) -> Result<Option<Behaviour>> {
        let mut behaviour = Behaviour::default();
        behaviour.list.page = self.declares.then_some(2);
        Ok(Some(behaviour))
    }
}

async fn listed(paged: &Arc<Paged>) -> Result<Listing> {
    let served = Served::start(Plugin::new().instance(Fixed::single(Arc::clone(paged) as _)));
    let instance = InstanceClient::new(served.client(), "");
    instance.behaviour().await.unwrap();
    let tags = Tags::new();
    let listing = instance.describe_since(&tags, Detail::Tags, None).await;
    served.stop().await;
    listing
}

fn ids(list: &[Description]) -> Vec<&str> {
    list.iter().map(|one| one.id.as_str()).collect()
}

#[tokio::test]
async fn pages_are_gathered_into_one_list() {
    let paged = Arc::new(Paged {
        declares: true,
        instances: AtomicUsize::new(5),
        ..Paged::default()
    });
    let served = Served::start(Plugin::new().instance(Fixed::single(Arc::clone(&paged) as _)));
    let instance = InstanceClient::new(served.client(), "");
    instance.behaviour().await.unwrap();
    let tags = Tags::new();
    let list = |seen| instance.describe_since(&tags, Detail::Tags, seen);
    let Listing::Changed(first, seen) = list(None).await.unwrap() else {
        panic!("no list")
    };
    assert_eq!(ids(&first), ["0", "1", "2", "3", "4"]);
    assert_eq!(*paged.asked.lock().unwrap(), ["", "2", "4"]);
    assert!(seen.is_some() && matches!(list(seen).await.unwrap(), Listing::Unchanged));
    paged.instances.store(6, Ordering::Relaxed);
    let Listing::Changed(second, _) = list(seen).await.unwrap() else {
        panic!("no change")
    };
    assert_eq!(second.len(), 6);
    assert_eq!(
        instance.describe(&tags, Detail::Tags).await.unwrap().len(),
        6
    );
    assert_eq!(paged.whole.load(Ordering::Relaxed), 0);
    served.stop().await;
}

#[tokio::test]
async fn peers_that_did_not_declare_pages_are_not_asked_for_any() {
    let paged = Arc::new(Paged {
        instances: AtomicUsize::new(5),
        ..Paged::default()
    });
    let Listing::Changed(list, _) = listed(&paged).await.unwrap() else {
        panic!("no list")
    };
    assert_eq!((list.len(), paged.asked.lock().unwrap().len()), (5, 0));
}

#[tokio::test]
async fn a_page_that_fails_fails_the_list() {
    let paged = Arc::new(Paged {
        declares: true,
        instances: AtomicUsize::new(5),
        fails: Some("4"),
        ..Paged::default()
    });
    let error = listed(&paged).await.unwrap_err();
    assert_eq!(error.message(), "this page is torn");
}

#[tokio::test]
async fn what_pages_cover_is_put_together() {
    let paged = Arc::new(Paged {
        declares: true,
        instances: AtomicUsize::new(3),
        covers: true,
        ..Paged::default()
    });
    let Listing::Part(list, covers, _) = listed(&paged).await.unwrap() else {
        panic!("it is not everything")
    };
    assert_eq!(list.len(), 3);
    assert_eq!(covers, ["zone-0".to_owned(), "zone-1".to_owned()].into());
}

#[tokio::test]
async fn pages_that_never_end_are_no_list() {
    let cases: [(Next, &str); 2] = [
        (
            |number| ["x", "y"][number % 2].to_owned(),
            "its pages do not end: page 3 names `x` as the next one, which was there before",
        ),
        (
            |number| format!("page-{number}"),
            "its pages do not end: 12500 came",
        ),
    ];
    for (next, said) in cases {
        let paged = Arc::new(Paged {
            declares: true,
            next: Some(next),
            ..Paged::default()
        });
        let error = listed(&paged).await.unwrap_err();
        assert_eq!(error.delivery(), Delivery::Refused);
        assert!(error.message().ends_with(said), "{error}");
    }
}

#[tokio::test]
async fn a_next_page_that_nobody_declared_is_refused() {
    for (answer, said) in [
        (
            r#"{"result":{"Descriptions":[],"Next":"x"}}"#.to_owned(),
            "it names a next page, and does not declare `list.page`",
        ),
        (
            format!(
                r#"{{"result":{{"Descriptions":[],"Next":"{}"}}}}"#,
                "x".repeat(9_000)
            ),
            "`Next` has more than 8192 bytes",
        ),
        (
            r#"{"result":{"Descriptions":[],"Covers":"a"}}"#.to_owned(),
            "unexpected result",
        ),
    ] {
        let plugin = Scripted::start(vec![Scripted::answer(&answer)]);
        let instance = InstanceClient::new(client(plugin.socket()), "");
        let tags = Tags::new();
        let error = instance.describe(&tags, Detail::Tags).await.unwrap_err();
        assert!(error.message().contains(said), "{error}");
    }
}

/// A list need not come in pages to say what it covers.
#[tokio::test]
async fn a_list_at_once_may_cover_a_part() {
    let answer = r#"{"result":{"Descriptions":[{"ID":"a"}],"Covers":["west"]}}"#;
    let plugin = Scripted::start(vec![Scripted::answer(answer)]);
    let instance = InstanceClient::new(client(plugin.socket()), "");
    let tags = Tags::new();
    let listing = instance.describe_since(&tags, Detail::Tags, None);
    let Listing::Part(list, covers, _) = listing.await.unwrap() else {
        panic!("it is not everything")
    };
    assert_eq!((list.len(), covers), (1, ["west".to_owned()].into()));
}
