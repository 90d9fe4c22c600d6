//! Compaction: it shortens, changes nothing, and may crash at any point.

use std::fs;

use super::*;
use crate::file::compact::TEMPORARY;
use crate::{Durability, Expected, Key};

/// Commits until the log is far beyond the limit, and returns what is in the store then.
async fn churn(store: &FileStore, rounds: u64) -> Dump {
    for number in 0..rounds {
        let changes = put(&format!("k/{}", number % 7), number);
        store.commit(changes, Durability::Buffered).await.unwrap();
    }
    dump(store)
}

fn open_small(dir: &Path) -> FileStore {
    FileStore::open_on(dir, Arc::new(RealDisk), SMALL).unwrap()
}

#[tokio::test]
async fn a_log_stays_within_its_bound_and_keeps_revisions() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_small(dir.path());
    store
        .commit(put("old", 1), Durability::Synced)
        .await
        .unwrap();
    let want = churn(&store, 3000).await;
    drop(store);
    // Four times the limit of 2,048 bytes, and a line.
    assert!(log_length(dir.path()) < 8192 + 100);
    let first = fs::read_to_string(dir.path().join(log::NAME)).unwrap();
    assert!(first.contains(r#""snapshot":"last""#), "{first}");

    let store = open_small(dir.path());
    assert_eq!(dump(&store), want);
    let old = store.get(&Key::from("old")).unwrap();
    assert_eq!(old.revision.0, 1);
    let change = Change::put("old", "2").expecting(Expected::Revision(old.revision));
    let revision = store
        .commit(vec![change], Durability::Synced)
        .await
        .unwrap();
    assert_eq!(revision.0, 3002);
}

#[tokio::test]
async fn a_snapshot_of_many_records_takes_several_lines() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_small(dir.path());
    let changes = |round: u64| {
        (0..1000)
            .map(|number| Change::put(format!("k/{number}"), round.to_string()))
            .collect()
    };
    for round in 0..20 {
        store
            .commit(changes(round), Durability::Buffered)
            .await
            .unwrap();
    }
    let want = dump(&store);
    drop(store);
    let text = fs::read_to_string(dir.path().join(log::NAME)).unwrap();
    assert!(text.matches(r#""snapshot":"more""#).count() >= 3);
    assert_eq!(dump(&open_small(dir.path())), want);
}

#[tokio::test]
async fn a_crash_before_the_rename_leaves_the_old_log() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::open(dir.path()).unwrap();
    let want = churn(&store, 50).await;
    drop(store);
    fs::write(dir.path().join(TEMPORARY), "half a snap").unwrap();
    let store = FileStore::open(dir.path()).unwrap();
    assert_eq!(dump(&store), want);
    assert!(!dir.path().join(TEMPORARY).exists());
}

#[tokio::test]
async fn a_snapshot_cut_anywhere_is_never_taken_for_less_than_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let faulty = FaultyDisk::new();
    let store = faulty.open(dir.path());
    let want = churn(&store, 400).await;
    drop(store);
    let whole = fs::read(dir.path().join(log::NAME)).unwrap();
    let line = whole.iter().position(|byte| *byte == b'\n').unwrap();
    assert!(String::from_utf8_lossy(&whole[..line]).contains("snapshot"));
    let store = FileStore::open(dir.path()).unwrap();
    assert_eq!(dump(&store), want);
}

#[tokio::test]
async fn failures_at_each_step_of_a_compaction_lose_nothing() {
    for step in ["replace", "names", "room"] {
        let dir = tempfile::tempdir().unwrap();
        let disk = FaultyDisk::new();
        let store = disk.open(dir.path());
        let fault = match step {
            "replace" => Some(&disk.replace_fails),
            "names" => Some(&disk.names_fail),
            _ => None,
        };
        if let Some(fault) = fault {
            fault.store(true, SeqCst);
        }
        let mut acknowledged = 0;
        for number in 0..2000_u64 {
            if fault.is_none() {
                // Room for the line, seldom for a snapshot.
                disk.room
                    .store(if number % 50 == 0 { 4000 } else { 100 }, SeqCst);
            }
            let changes = put(&format!("k/{}", number % 7), number);
            if store.commit(changes, Durability::Buffered).await.is_ok() {
                acknowledged += 1;
            }
        }
        assert!(acknowledged > 0, "{step}");
        let want = dump(&store);
        drop(store);
        let reopened = FileStore::open(dir.path()).unwrap();
        assert_eq!(dump(&reopened), want, "{step}");
        drop(reopened);

        // The fault is gone: all is as ever.
        let disk = FaultyDisk::new();
        let store = disk.open(dir.path());
        let want = churn(&store, 1000).await;
        drop(store);
        assert_eq!(dump(&FileStore::open(dir.path()).unwrap()), want, "{step}");
        assert!(!dir.path().join(TEMPORARY).exists(), "{step}");
    }
}
