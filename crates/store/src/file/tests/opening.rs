//! Who may open a store, and what opening leaves behind.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use super::*;
use crate::{Durability, StoreError};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_missing_directory_is_created_for_the_owner_alone() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("deep/er");
    let store = FileStore::open(&dir).unwrap();
    store.commit(put("k", 1), Durability::Synced).await.unwrap();
    assert_eq!(
        (mode(&home.path().join("deep")), mode(&dir)),
        (0o700, 0o700)
    );
    for name in ["lock", log::NAME] {
        assert_eq!(mode(&dir.join(name)), 0o600, "{name}");
    }
}

#[test]
fn a_second_opener_is_told_who_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::open(dir.path()).unwrap();
    let error = FileStore::open(dir.path()).unwrap_err();
    let want = format!("already in use by pid {}", std::process::id());
    assert!(error.to_string().ends_with(&want), "{error}");
    drop(store);
    FileStore::open(dir.path()).unwrap();
}

/// Set for the run of this test binary that holds a store for another one.
const HOLD: &str = "INFRAKIT_STORE_TEST_HOLD";

/// Holds the store in the named directory until standard input ends. Runs only as a child.
#[test]
fn holder() {
    let Some(dir) = std::env::var_os(HOLD) else {
        return;
    };
    let _store = FileStore::open(Path::new(&dir)).unwrap();
    println!("holding");
    std::io::stdout().flush().unwrap();
    std::io::stdin()
        .lock()
        .read_line(&mut String::new())
        .unwrap();
}

#[test]
fn another_process_is_kept_out_until_the_holder_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "file::tests::opening::holder", "--nocapture"])
        .env(HOLD, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("holding")));
    let error = FileStore::open(dir.path()).unwrap_err();
    let StoreError::InUse { pid, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*pid, Some(child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
    FileStore::open(dir.path()).unwrap();
}

#[test]
fn what_cannot_be_opened_is_named_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let log_is_dir = home.path().join("log-is-dir");
    fs::create_dir_all(log_is_dir.join(log::NAME)).unwrap();
    for (dir, name) in [
        (file.clone(), "file"),
        (file.join("below"), "below"),
        (log_is_dir, log::NAME),
    ] {
        let error = FileStore::open(&dir).unwrap_err();
        assert!(matches!(error, StoreError::Open { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(name) && !text.contains('\n'), "{text}");
    }
}

#[test]
fn a_read_only_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let probe = fs::write(dir.path().join("probe"), "");
    let Err(denied) = probe else {
        eprintln!("skipped: this user may write to read-only directories");
        return;
    };
    let error = FileStore::open(dir.path()).unwrap_err();
    let StoreError::Open { source, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(source.kind(), denied.kind());
}

#[tokio::test]
async fn a_read_only_file_system_is_refused_even_for_root() {
    let Some(mount) = Mount::new() else {
        eprintln!("skipped: mounting a file system is not allowed here");
        return;
    };
    let dir = mount.0.path().join("store");
    let store = FileStore::open(&dir).unwrap();
    store.commit(put("k", 1), Durability::Synced).await.unwrap();
    drop(store);
    mount.make_read_only();
    let error = FileStore::open(&dir).unwrap_err();
    let StoreError::Open { source, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(source.kind(), io::ErrorKind::ReadOnlyFilesystem);
}
