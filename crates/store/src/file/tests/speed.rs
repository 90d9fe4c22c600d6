//! How fast it is. Bounds are far below what any machine reaches, so that only a mistake in the
//! order of growth or a lost group commit breaks them; the figures are printed.

use std::time::{Duration, Instant};

use super::*;
use crate::Durability;

async fn measure(durability: Durability, committers: u64, each: u64) -> Duration {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FileStore::open(dir.path()).unwrap());
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for committer in 0..committers {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for number in 0..each {
                let changes = put(&format!("intents/workers/{committer}"), number);
                store.commit(changes, durability).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let took = begin.elapsed();
    let rate = (committers * each) as f64 / took.as_secs_f64();
    println!("{durability:?}, {committers} committers: {rate:.0} transactions a second");
    took
}

#[tokio::test]
async fn transactions_of_many_committers_share_their_writes_and_syncs() {
    let buffered = measure(Durability::Buffered, 100, 200).await;
    let synced = measure(Durability::Synced, 500, 40).await;
    assert!(buffered < Duration::from_secs(10), "{buffered:?}");
    assert!(synced < Duration::from_secs(20), "{synced:?}");
}

#[tokio::test]
async fn a_batch_of_ten_thousand_is_one_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::open(dir.path()).unwrap();
    let changes: Vec<_> = (0..10_000)
        .map(|number| {
            Change::put(
                format!("intents/workers/{number:05}"),
                r#"{"state":"open"}"#,
            )
        })
        .collect();
    let begin = Instant::now();
    let revision = store.commit(changes, Durability::Synced).await.unwrap();
    let took = begin.elapsed();
    println!("10,000 changes at once: {took:?}");
    assert_eq!((revision.0, store.scan("intents/").len()), (1, 10_000));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn commits_that_wait_for_a_sync_share_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::new();
    let open = FileStore::open_on(dir.path(), disk.clone() as Arc<dyn Disk>, Policy::default());
    let store = open.unwrap();
    let closed = disk.gate.lock().await;
    // All are queued before the first of them can finish.
    let commits = (0..50).map(|number| {
        let changes = put(&format!("k/{number}"), 1);
        store.commit(changes, Durability::Synced)
    });
    let (results, ()) = tokio::join!(all(commits), async { drop(closed) });
    for result in results {
        result.unwrap();
    }
    // One for those that the writer saw first, one for all behind them.
    let syncs = disk.syncs.load(SeqCst);
    assert!((1..=2).contains(&syncs), "{syncs}");
}

#[tokio::test]
async fn buffered_commits_wait_for_no_sync_and_a_synced_one_covers_them() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::new();
    let store = disk.open(dir.path());
    for number in 0..10 {
        let buffered = store.commit(put("k", number), Durability::Buffered);
        buffered.await.unwrap();
        // Another process, or this one after its death, finds it in the file.
        let text = fs::read_to_string(dir.path().join(log::NAME)).unwrap();
        assert_eq!(text.lines().count(), number + 1);
    }
    assert_eq!(disk.syncs.load(SeqCst), 0);
    let barrier = store.commit(Vec::new(), Durability::Synced).await.unwrap();
    assert_eq!((barrier.0, disk.syncs.load(SeqCst)), (10, 1));
    store.commit(Vec::new(), Durability::Synced).await.unwrap();
    assert_eq!(disk.syncs.load(SeqCst), 1, "there is nothing new to sync");
}
