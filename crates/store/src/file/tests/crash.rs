//! The log cut or changed at every byte.

use std::fs;

use super::*;
use crate::{Durability, StoreError};

/// Commits of every form; each with the durability asked for.
async fn history(dir: &Path) -> Vec<(u64, Dump, Durability)> {
    let store = FileStore::open(dir).unwrap();
    let mut states = vec![(0, Dump::new(), Durability::Synced)];
    for number in 0..12_u64 {
        let mut changes = put(&format!("k/{}", number % 5), number);
        changes.push(Change::put(
            format!("n/{number}"),
            "{\"a\":\n [\"}\\n\", 1.50]}",
        ));
        if number > 3 {
            changes.push(Change::delete(format!("n/{}", number - 3)));
        }
        let durability = if number % 4 == 1 {
            Durability::Synced
        } else {
            Durability::Buffered
        };
        store.commit(changes, durability).await.unwrap();
        states.push((log_length(dir), dump(&store), durability));
    }
    states
}

#[tokio::test]
async fn a_log_cut_at_any_byte_reopens_as_a_prefix_and_goes_on() {
    let origin = tempfile::tempdir().unwrap();
    let states = history(origin.path()).await;
    let whole = fs::read(origin.path().join(log::NAME)).unwrap();
    assert_eq!(states.last().unwrap().0, whole.len() as u64);
    // Every byte of the last four transactions, and samples of those before.
    let last = usize::try_from(states[states.len() - 5].0).unwrap();
    for cut in (0..last).step_by(13).chain(last..=whole.len()) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(log::NAME), &whole[..cut]).unwrap();
        let (length, want, _) = states
            .iter()
            .rev()
            .find(|(length, ..)| *length <= cut as u64)
            .unwrap();
        let store = FileStore::open(dir.path()).unwrap();
        assert_eq!(&dump(&store), want, "cut at {cut}");
        assert_eq!(log_length(dir.path()), *length, "cut at {cut}");
        // Each transaction that was whole on the disk is there, synced or not.
        let kept = states.iter().filter(|it| it.0 <= cut as u64).count() as u64 - 1;
        if cut % 7 == 0 {
            let next = store.commit(put("next", 1), Durability::Buffered).await;
            assert_eq!(next.unwrap().0, kept + 1);
            let want = dump(&store);
            drop(store);
            assert_eq!(dump(&FileStore::open(dir.path()).unwrap()), want);
        }
    }
}

#[tokio::test]
async fn damage_before_the_end_is_refused_with_file_line_and_way_out() {
    let origin = tempfile::tempdir().unwrap();
    let states = history(origin.path()).await;
    let whole = fs::read(origin.path().join(log::NAME)).unwrap();
    let last_line = states[states.len() - 2].0;
    for at in (0..last_line).step_by(11) {
        let dir = tempfile::tempdir().unwrap();
        let mut changed = whole.clone();
        changed[usize::try_from(at).unwrap()] ^= 0x04;
        fs::write(dir.path().join(log::NAME), &changed).unwrap();
        let error = FileStore::open(dir.path()).unwrap_err();
        let line = states.iter().filter(|it| it.0 <= at).count() as u64;
        let StoreError::Damaged { line: named, .. } = &error else {
            panic!("byte {at}: {error}");
        };
        // A changed line feed joins two lines or makes two of one; the first of them is named.
        assert_eq!(*named, line, "byte {at}");
        let text = error.to_string();
        assert!(
            text.contains("state.log") && text.contains("remove the line"),
            "{text}"
        );
        assert!(!text.contains('\n'), "{text}");
        assert_eq!(
            fs::read(dir.path().join(log::NAME)).unwrap(),
            changed,
            "left as it was"
        );
    }
}

#[tokio::test]
async fn the_way_out_of_damage_works() {
    let origin = tempfile::tempdir().unwrap();
    history(origin.path()).await;
    let path = origin.path().join(log::NAME);
    let text = fs::read_to_string(&path).unwrap();
    let without: String = text
        .split_inclusive('\n')
        .enumerate()
        .filter(|(index, _)| *index != 5)
        .map(|(_, line)| line)
        .collect();
    fs::write(&path, without).unwrap();
    let store = FileStore::open(origin.path()).unwrap();
    let next = store.commit(put("next", 1), Durability::Synced).await;
    assert_eq!(next.unwrap().0, 13);
}

#[tokio::test]
async fn what_is_cut_off_is_kept_aside() {
    let dir = tempfile::tempdir().unwrap();
    history(dir.path()).await;
    let path = dir.path().join(log::NAME);
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(b"0badc0de {\"v\":1,");
    fs::write(&path, bytes).unwrap();
    FileStore::open(dir.path()).unwrap();
    let kept = fs::read(dir.path().join("state.log.cut")).unwrap();
    assert_eq!(kept, b"0badc0de {\"v\":1,");
}

#[tokio::test]
async fn zeros_behind_the_log_are_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let states = history(dir.path()).await;
    let path = dir.path().join(log::NAME);
    let mut bytes = fs::read(&path).unwrap();
    bytes.resize(bytes.len() + 5000, 0);
    fs::write(&path, bytes).unwrap();
    let store = FileStore::open(dir.path()).unwrap();
    assert_eq!(dump(&store), states.last().unwrap().1);
}

#[test]
fn repeated_revisions_and_later_formats_are_refused() {
    let sum = |json: &str| format!("{:08x} {json}\n", crate::crc::crc32(json.as_bytes()));
    let once = sum(r#"{"v":1,"rev":1,"changes":[]}"#);
    for (log_text, want) in [
        (format!("{once}{once}"), "revision 1 follows revision 1"),
        (sum(r#"{"v":9,"records":{}}"#), "has format 9 in line 1"),
        (
            format!(
                "{once}{}",
                sum(r#"{"v":1,"rev":2,"snapshot":"last","changes":[]}"#)
            ),
            "a snapshot stands behind other lines",
        ),
        (
            sum(r#"{"v":1,"rev":2,"snapshot":"more","changes":[]}"#),
            "the snapshot ends too early",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(log::NAME), log_text).unwrap();
        let error = FileStore::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    }
}
