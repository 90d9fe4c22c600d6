//! A medium that is full, that fails to sync, that fails to truncate.

use super::*;
use crate::{Durability, Expected, StoreError};

async fn commit(store: &FileStore, key: &str, durability: Durability) -> Result<u64, StoreError> {
    let revision = store.commit(put(key, 1), durability).await?;
    Ok(revision.0)
}

fn assert_full(error: &StoreError) {
    let StoreError::Write { path, source } = error else {
        panic!("{error}");
    };
    assert!(path.ends_with(log::NAME));
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers_at_every_amount_of_room() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::new();
    let store = disk.open(dir.path());
    commit(&store, "before", Durability::Synced).await.unwrap();
    let (length, want) = (log_length(dir.path()), dump(&store));
    // The line takes 59 bytes.
    for room in 0..59 {
        disk.room.store(room, SeqCst);
        assert_full(&commit(&store, "k", Durability::Buffered).await.unwrap_err());
        assert_eq!(log_length(dir.path()), length, "{room} bytes of room");
        assert_eq!(dump(&store), want);
    }
    disk.room.store(i64::MAX, SeqCst);
    assert_eq!(commit(&store, "k", Durability::Buffered).await.unwrap(), 2);
    let want = dump(&store);
    drop(store);
    assert_eq!(dump(&FileStore::open(dir.path()).unwrap()), want);
}

#[tokio::test]
async fn remains_that_could_not_be_cut_off_are_cut_off_before_the_next_write() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::new();
    let store = disk.open(dir.path());
    commit(&store, "a", Durability::Buffered).await.unwrap();
    disk.room.store(20, SeqCst);
    disk.truncate_fails.store(true, SeqCst);
    commit(&store, "b", Durability::Buffered).await.unwrap_err();
    disk.room.store(i64::MAX, SeqCst);
    commit(&store, "b", Durability::Buffered).await.unwrap_err();
    disk.truncate_fails.store(false, SeqCst);
    assert_eq!(commit(&store, "c", Durability::Buffered).await.unwrap(), 2);
    let want = dump(&store);
    drop(store);
    assert_eq!(dump(&FileStore::open(dir.path()).unwrap()), want);
}

#[tokio::test]
async fn after_a_failed_sync_the_log_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::new();
    let store = disk.open(dir.path());
    commit(&store, "a", Durability::Buffered).await.unwrap();
    disk.sync_fails.store(true, SeqCst);
    for _ in 0..2 {
        let error = commit(&store, "b", Durability::Synced).await.unwrap_err();
        assert!(matches!(error, StoreError::Write { .. }), "{error}");
    }
    disk.sync_fails.store(false, SeqCst);
    assert_eq!(commit(&store, "c", Durability::Synced).await.unwrap(), 2);
    let want = dump(&store);
    assert!(want.contains_key("a") && !want.contains_key("b"));
    drop(store);
    let text = fs::read_to_string(dir.path().join(log::NAME)).unwrap();
    assert!(text.contains("snapshot"), "{text}");
    assert_eq!(dump(&FileStore::open(dir.path()).unwrap()), want);
}

#[tokio::test]
async fn refusals_of_input_do_not_hide_behind_a_full_disk() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::new();
    let store = disk.open(dir.path());
    disk.room.store(10, SeqCst);
    let bad = store.commit(vec![Change::put("k", "{")], Durability::Synced);
    let good = store.commit(put("k", 1), Durability::Synced);
    let late = Change::put("k", "2").expecting(Expected::Absent);
    let late = store.commit(vec![late], Durability::Synced);
    let (bad, good, late) = tokio::join!(bad, good, late);
    assert!(matches!(bad, Err(StoreError::NotJson { .. })), "{bad:?}");
    assert_full(&good.unwrap_err());
    // Nothing was put in its way after all.
    assert_full(&late.unwrap_err());
}

#[tokio::test]
async fn a_real_full_file_system_refuses_and_recovers() {
    let Some(mount) = Mount::new() else {
        eprintln!("skipped: mounting a file system is not allowed here");
        return;
    };
    let dir = mount.0.path().join("store");
    let store = FileStore::open(&dir).unwrap();
    commit(&store, "a", Durability::Synced).await.unwrap();
    let ballast = mount.0.path().join("ballast");
    let full = fs::write(&ballast, vec![0; 128 * 1024]).unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    let value = format!("\"{}\"", "x".repeat(8192));
    let error = store
        .commit(put("b", &value), Durability::Synced)
        .await
        .unwrap_err();
    assert_full(&error);
    fs::remove_file(&ballast).unwrap();
    store
        .commit(put("b", &value), Durability::Synced)
        .await
        .unwrap();
    let want = dump(&store);
    drop(store);
    let store = FileStore::open(&dir).unwrap();
    assert_eq!(dump(&store), want);
}
