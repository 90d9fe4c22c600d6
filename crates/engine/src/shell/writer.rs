//! The one writer: journal entries go to the store in the order in which the core made them.
//!
//! An entry is handed over before the next one is looked at, and is not waited for: the store puts
//! what it was handed meanwhile into one write. What became of them is told in the same order.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::{Either, ready};
use futures_util::stream::FuturesOrdered;
use infrakit_store::{Change, Durability, Store};
use tokio::sync::mpsc;

use crate::core::{Event, NotWritten};

/// A journal entry on its way to the store.
pub(crate) struct Entry {
    /// Its number.
    pub(crate) batch: u64,
    /// What to write.
    pub(crate) changes: Vec<Change>,
    /// How firmly.
    pub(crate) durability: Durability,
}

/// Writes entries until nobody can make any more, and tells what became of each.
pub(crate) async fn write(
    store: Arc<dyn Store>,
    mut entries: mpsc::UnboundedReceiver<Entry>,
    tell: impl Fn(Event),
) {
    let mut written = FuturesOrdered::new();
    let mut last = None;
    loop {
        tokio::select! {
            biased;
            entry = entries.recv() => {
                let Some(entry) = entry else { break };
                let batch = entry.batch;
                if last.is_some_and(|last| last >= batch) {
                    tracing::error!(batch, ?last, "a journal entry came out of order");
                    let why = "journal entries came out of order".to_owned();
                    written.push_back(Either::Left(ready(journaled(batch, Err(NotWritten::Failed(why))))));
                    continue;
                }
                last = Some(batch);
                // The first poll hands it over, or takes a place in the queue for that; the
                // scheduler's wish for a pause must not come between.
                let mut work = Box::pin(tokio::task::unconstrained(put(Arc::clone(&store), entry)));
                written.push_back(match futures_util::poll!(&mut work) {
                    std::task::Poll::Ready(event) => Either::Left(ready(event)),
                    std::task::Poll::Pending => Either::Right(work),
                });
            }
            Some(event) = written.next(), if !written.is_empty() => tell(event),
        }
    }
    while let Some(event) = written.next().await {
        tell(event);
    }
}

async fn put(store: Arc<dyn Store>, entry: Entry) -> Event {
    let outcome = store.commit(entry.changes, entry.durability).await;
    let outcome = outcome.map(|_| ()).map_err(|error| NotWritten::of(&error));
    journaled(entry.batch, outcome)
}

fn journaled(batch: u64, outcome: Result<(), NotWritten>) -> Event {
    Event::Journaled { batch, outcome }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use infrakit_store::{Key, Revision, StoreError, Versioned};

    use super::*;

    /// A store that takes the longer for an entry the earlier it comes.
    #[derive(Default)]
    struct Slow(Mutex<Vec<String>>);

    #[async_trait::async_trait]
    impl Store for Slow {
        fn get(&self, _: &Key) -> Option<Versioned> {
            None
        }

        fn scan(&self, _: &str) -> Vec<(Key, Versioned)> {
            Vec::new()
        }

        async fn commit(
            &self,
            changes: Vec<Change>,
            _: Durability,
        ) -> Result<Revision, StoreError> {
            let place = {
                let mut taken = self.0.lock().unwrap();
                for change in changes {
                    let Change::Delete { key, .. } = change else {
                        continue;
                    };
                    taken.push(key.as_str().to_owned());
                }
                taken.len() as u64
            };
            tokio::time::sleep(Duration::from_secs(1000 - place)).await;
            Ok(Revision::default())
        }
    }

    fn entry(batch: u64) -> Entry {
        let key = Key::new(format!("{batch:03}"));
        let changes = vec![Change::Delete {
            key,
            expected: None,
        }];
        let durability = Durability::Buffered;
        Entry {
            batch,
            changes,
            durability,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn entries_are_handed_over_and_told_of_in_order_and_not_waited_for() {
        let (sender, entries) = mpsc::unbounded_channel();
        let store = Arc::new(Slow::default());
        let told = Mutex::new(Vec::new());
        for batch in (0..500).chain([7, 500]) {
            sender.send(entry(batch)).unwrap();
        }
        drop(sender);
        let began = tokio::time::Instant::now();
        let tell = |event| {
            let Event::Journaled { batch, outcome } = event else {
                return;
            };
            told.lock().unwrap().push((batch, outcome.is_ok()));
        };
        write(Arc::clone(&store) as Arc<dyn Store>, entries, tell).await;
        assert!(began.elapsed() <= Duration::from_secs(1000), "all at once");
        let taken = store.0.lock().unwrap().clone();
        let want: Vec<String> = (0..=500).map(|batch| format!("{batch:03}")).collect();
        assert_eq!(taken, want);
        let told = told.into_inner().unwrap();
        let want: Vec<(u64, bool)> = (0..500)
            .map(|batch| (batch, true))
            .chain([(7, false), (500, true)])
            .collect();
        assert_eq!(told, want, "the one out of order is refused");
    }
}
