//! Simulated instances of one type.
//!
//! A call first meets its faults and waits; then it does its work in one step. A caller that
//! gives up while it waits has therefore caused nothing.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use futures_core::Stream;
use futures_util::stream;
use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::instance::{
    Context, Description, Detail, Fingerprint, Instance, InstanceSpec, Lifecycle, Listing,
    Locality, Page, Repaired,
};
use infrakit_spi::{Any, Error, InstanceId, Result, Tags};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::behaviour::{Memory, declared};
use crate::faults::{Call, Faults, HEALTH_TAG, UNHEALTHY, Verdict};
use crate::store::{Record, Records};
use crate::wishes::Wishes;

/// Ids of all types: the time in nanoseconds, or the next free number where the clock stands.
#[derive(Debug, Default)]
pub(crate) struct Ids(AtomicU64);

impl Ids {
    fn next(&self) -> InstanceId {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(0));
        let after = |last: u64| Some(now.max(last + 1));
        let last = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, after)
            .unwrap_or_default();
        InstanceId::new(now.max(last + 1).to_string())
    }
}

/// What the types of one simulator share.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) plugin: String,
    pub(crate) ids: Ids,
    pub(crate) faults: Faults,
    pub(crate) started: Instant,
    pub(crate) start_delay: Duration,
    /// How many instances a page of a list has, where there are pages.
    pub(crate) page: Option<NonZeroUsize>,
}

/// Simulated instances of one type.
#[derive(Clone)]
pub(crate) struct Instances {
    inner: Arc<Inner>,
}

struct Inner {
    kind: String,
    common: Arc<Common>,
    records: Box<dyn Records>,
    /// Instances that exist and are not listed yet, or listed as pending.
    young: Mutex<BTreeMap<InstanceId, Youth>>,
    /// Counts the changes of what is listed.
    changed: watch::Sender<u64>,
    hasher: RandomState,
    /// The longest delay that an instance asked for in its properties.
    wished: Mutex<Duration>,
}

/// What an instance has not got behind it.
#[derive(Clone, Copy, Debug, Default)]
struct Youth {
    /// When it appears in lists.
    listed: Option<Instant>,
    /// When it is no longer pending.
    running: Option<Instant>,
}

impl Youth {
    fn of(now: Instant, hide: Duration, pending: Duration) -> Self {
        let after = |time: Duration| (time > Duration::ZERO).then(|| now + time);
        Self {
            listed: after(hide),
            running: after(pending),
        }
    }

    /// Forgets what is over, and returns whether something was.
    fn grow(&mut self, now: Instant) -> bool {
        let mut grown = false;
        for due in [&mut self.listed, &mut self.running] {
            if due.is_some_and(|due| due <= now) {
                *due = None;
                grown = true;
            }
        }
        grown
    }

    fn next(&self) -> Option<Instant> {
        self.listed.into_iter().chain(self.running).min()
    }
}

impl Instances {
    pub(crate) fn new(kind: &str, common: Arc<Common>, records: Box<dyn Records>) -> Self {
        Self {
            inner: Arc::new(Inner {
                kind: kind.to_owned(),
                common,
                records,
                young: Mutex::new(BTreeMap::new()),
                changed: watch::Sender::new(0),
                hasher: RandomState::new(),
                wished: Mutex::default(),
            }),
        }
    }

    /// Waits as the faults demand and tells what becomes of the call.
    async fn meet(&self, call: Call) -> Result<Verdict> {
        let inner = &self.inner;
        let ready = inner.common.started + inner.common.start_delay;
        if ready > Instant::now() {
            tokio::time::sleep_until(ready).await;
        }
        let encounter = inner.common.faults.meet(&inner.kind, call);
        inner.common.faults.pass(&inner.kind, call).await;
        if encounter.delay > Duration::ZERO {
            tokio::time::sleep(encounter.delay).await;
        }
        match encounter.verdict {
            Verdict::Fail(error) => Err(error),
            verdict @ (Verdict::Work | Verdict::Lose | Verdict::Late(_)) => Ok(verdict),
        }
    }

    /// Does the work of a call, on a thread that may wait where the store has to.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if !self.inner.records.blocks() {
            return self.inner.step(work);
        }
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || inner.step(work))
            .await
            .map_err(|error| Error::unknown(format!("the call was cut off: {error}")))?
    }
}

impl Inner {
    fn step<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.bury()?;
        work(self)
    }

    /// Removes the instances that were killed.
    fn bury(&self) -> Result<()> {
        for id in self.common.faults.take_killed(&self.kind) {
            // An id that does not exist cannot die.
            if self.records.remove(&id).is_ok() {
                self.young().remove(&id);
                self.tell();
            }
        }
        Ok(())
    }

    /// Lets time pass for the young, and returns when the next thing happens to one.
    fn reveal(&self) -> Option<Instant> {
        let mut young = self.young();
        let now = Instant::now();
        let mut changed = false;
        young.retain(|_, youth| {
            changed |= youth.grow(now);
            youth.next().is_some()
        });
        let next = young.values().filter_map(Youth::next).min();
        drop(young);
        if changed {
            self.tell();
        }
        next
    }

    fn create(&self, spec: &InstanceSpec, cap: Option<u64>, hide: Duration) -> Result<InstanceId> {
        let id = self.common.ids.next();
        let mut tags = spec.tags.clone().unwrap_or_default();
        tags.insert("simulator".to_owned(), self.common.plugin.clone());
        let record = Record {
            id: id.clone(),
            logical_id: spec.logical_id.clone(),
            tags,
            properties: spec.properties.clone(),
            init: spec.init.clone(),
            attachments: spec.attachments.clone(),
        };
        let youth = Youth::of(Instant::now(), hide, self.pending());
        if youth.next().is_some() {
            self.young().insert(id.clone(), youth);
        }
        if let Err(error) = self.records.insert(record, cap) {
            self.young().remove(&id);
            return Err(error);
        }
        self.tell();
        Ok(id)
    }

    /// Reboots an instance, which makes it healthy unless it is broken.
    fn reboot(&self, id: &InstanceId) -> Result<()> {
        // No labels are put on it; but an instance that is not there cannot be labelled either.
        self.records.label(id, &Tags::new())?;
        self.common.faults.cure(&self.kind, id);
        let youth = Youth::of(Instant::now(), Duration::ZERO, self.pending());
        if youth.next().is_some() {
            self.young().insert(id.clone(), youth);
        }
        self.tell();
        Ok(())
    }

    fn pending(&self) -> Duration {
        let faults = self.common.faults.get(&self.kind);
        faults.map_or(Duration::ZERO, |faults| faults.pending.0)
    }

    fn list(&self, filter: &Tags, seen: Option<Fingerprint>) -> Result<Listing> {
        self.reveal();
        // Taken before the list: what changes meanwhile is told the next time.
        let fingerprint = (!self.records.blocks()).then(|| self.fingerprint(filter));
        if seen.is_some() && seen == fingerprint {
            return Ok(Listing::Unchanged);
        }
        let faults = self.common.faults.get(&self.kind).unwrap_or_default();
        let running = if faults.pending.0 > Duration::ZERO {
            Lifecycle::Running
        } else {
            Lifecycle::Unsaid
        };
        let young = self.young().clone();
        let mut list = Vec::new();
        self.records.visit(filter, &mut |record| {
            let youth = young.get(&record.id).copied().unwrap_or_default();
            if youth.listed.is_some() {
                return;
            }
            let mut tags = record.tags.clone();
            if faults.is_unhealthy(&record.id) {
                tags.insert(HEALTH_TAG.to_owned(), UNHEALTHY.to_owned());
            }
            let state = match youth.running {
                Some(_) => Lifecycle::Pending,
                None => running.clone(),
            };
            list.push(Description {
                id: record.id.clone(),
                logical_id: record.logical_id.clone(),
                tags: Some(tags),
                // Shown whether asked for or not, as the original does.
                properties: record.properties.clone(),
                state,
            });
        })?;
        Ok(Listing::Changed(list, fingerprint))
    }

    fn fingerprint(&self, filter: &Tags) -> Fingerprint {
        let changes = *self.changed.borrow();
        let switches = self.common.faults.version();
        Fingerprint([
            self.hasher.hash_one(filter),
            self.hasher.hash_one((changes, switches)),
        ])
    }

    fn tell(&self) {
        self.changed
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    fn wish(&self, delay: Duration) {
        let mut wished = self.wished();
        *wished = delay.max(*wished);
    }

    fn wished(&self) -> MutexGuard<'_, Duration> {
        self.wished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn young(&self) -> MutexGuard<'_, BTreeMap<InstanceId, Youth>> {
        self.young.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The step of repair that simulated instances know.
const REBOOT: &str = "reboot";

fn lost(what: &str) -> Error {
    Error::unknown(format!("the answer to {what} was lost"))
}

fn answer<T>(verdict: &Verdict, what: &str, value: T) -> Result<T> {
    match verdict {
        Verdict::Lose | Verdict::Late(_) => Err(lost(what)),
        Verdict::Work | Verdict::Fail(_) => Ok(value),
    }
}

#[async_trait]
impl Instance for Instances {
    async fn validate(&self, _properties: Option<&Any>) -> Result<()> {
        Ok(())
    }

    async fn provision(&self, spec: &InstanceSpec) -> Result<InstanceId> {
        let verdict = self.meet(Call::Provision).await?;
        let wishes = Wishes::read(spec.properties.as_ref())?;
        if wishes.delay > Duration::ZERO {
            self.inner.wish(wishes.delay);
            tokio::time::sleep(wishes.delay).await;
        }
        let faults = &self.inner.common.faults;
        let boot = faults
            .get(&self.inner.kind)
            .map_or(Duration::ZERO, |faults| faults.boot.0);
        let hide = match verdict {
            Verdict::Late(lateness) => lateness.max(boot),
            Verdict::Work | Verdict::Lose | Verdict::Fail(_) => boot,
        };
        let spec = spec.clone();
        let id = self
            .work(move |inner| inner.create(&spec, wishes.cap, hide))
            .await?;
        answer(&verdict, "provision", id)
    }

    async fn label(&self, id: &InstanceId, labels: &Tags) -> Result<()> {
        let verdict = self.meet(Call::Label).await?;
        let (id, labels) = (id.clone(), labels.clone());
        self.work(move |inner| {
            inner.records.label(&id, &labels)?;
            inner.tell();
            Ok(())
        })
        .await?;
        answer(&verdict, "label", ())
    }

    async fn destroy(&self, id: &InstanceId, _context: &Context) -> Result<()> {
        let verdict = self.meet(Call::Destroy).await?;
        let id = id.clone();
        self.work(move |inner| {
            inner.records.remove(&id)?;
            inner.young().remove(&id);
            inner.tell();
            Ok(())
        })
        .await?;
        answer(&verdict, "destroy", ())
    }

    async fn repair(&self, id: &InstanceId, step: &str) -> Result<Repaired> {
        if step != REBOOT {
            return Ok(Repaired::NotOffered);
        }
        let verdict = self.meet(Call::Repair).await?;
        let id = id.clone();
        self.work(move |inner| inner.reboot(&id)).await?;
        answer(&verdict, "repair", Repaired::Done)
    }

    async fn describe(&self, tags: &Tags, detail: Detail) -> Result<Vec<Description>> {
        match self.describe_since(tags, detail, None).await? {
            Listing::Changed(list, _) | Listing::Part(list, ..) => Ok(list),
            Listing::Unchanged => Err(Error::refused("nothing was seen, so nothing is unchanged")),
        }
    }

    async fn describe_since(
        &self,
        tags: &Tags,
        _detail: Detail,
        seen: Option<Fingerprint>,
    ) -> Result<Listing> {
        let verdict = self.meet(Call::Describe).await?;
        let tags = tags.clone();
        let listing = self.work(move |inner| inner.list(&tags, seen)).await?;
        answer(&verdict, "describe", listing)
    }

    /// A page begins behind the id that it is called by. Ids grow, so that what comes or goes between
    /// two pages moves nobody from one to the other.
    async fn describe_page(&self, tags: &Tags, detail: Detail, page: &str) -> Result<Page> {
        let mut list = self.describe(tags, detail).await?;
        list.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        list.retain(|one| page.is_empty() || one.id.as_str() > page);
        let size = self.inner.common.page.map_or(list.len(), NonZeroUsize::get);
        let more = list.len() > size;
        list.truncate(size);
        let last = list.last().filter(|_| more);
        Ok(Page {
            next: last.map_or_else(String::new, |last| last.id.to_string()),
            descriptions: list,
            covers: None,
        })
    }

    async fn behaviour(&self) -> Result<Option<Behaviour>> {
        let faults = self.inner.common.faults.get(&self.inner.kind);
        let memory = if self.inner.records.blocks() {
            Memory::Durable
        } else {
            Memory::Lost
        };
        let wished = *self.inner.wished();
        let page = self.inner.common.page.map(|size| size.get() as u64);
        let faults = faults.unwrap_or_default();
        Ok(Some(declared(&faults, wished, memory, page)))
    }

    fn locality(&self) -> Locality {
        let faults = self.inner.common.faults.get(&self.inner.kind);
        if faults.is_some_and(|faults| faults.remote) {
            Locality::Remote
        } else {
            Locality::InProcess
        }
    }

    fn changes(&self) -> Option<Pin<Box<dyn Stream<Item = ()> + Send>>> {
        // With files, others may change the list, and nothing tells of it.
        if self.inner.records.blocks() {
            return None;
        }
        let changes = Changes {
            changed: self.inner.changed.subscribe(),
            switched: self.inner.common.faults.subscribe(),
            inner: Arc::clone(&self.inner),
        };
        Some(Box::pin(stream::unfold(
            changes,
            |mut changes| async move {
                changes.next().await?;
                Some(((), changes))
            },
        )))
    }
}

/// Somebody who waits for changes: of the list, of the faults, or of the time.
struct Changes {
    inner: Arc<Inner>,
    changed: watch::Receiver<u64>,
    switched: watch::Receiver<u64>,
}

impl Changes {
    async fn next(&mut self) -> Option<()> {
        let due = self.inner.reveal();
        let appears = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            told = self.changed.changed() => told.ok(),
            told = self.switched.changed() => told.ok(),
            () = appears => {
                self.inner.reveal();
                self.changed.mark_unchanged();
                Some(())
            }
        }
    }
}
