//! A repository that is made with keys of its own, and what is refused of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod signer;

use std::path::Path;
use std::sync::Arc;

use infrakit_trust::{FetchError, Repository, TrustError, Url};
use signer::Signer;

const PAST: &str = "2001-01-01T00:00:00Z";
const FUTURE: &str = "2999-01-01T00:00:00Z";

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn open(&self, root: &[u8], repository: &str) -> Result<Repository, TrustError> {
        let base = Url::from_directory_path(self.path(repository)).unwrap();
        Repository::open(root, &base, &self.path("kept"), Arc::new(read_file))
    }
}

fn read_file(url: &Url) -> Result<Vec<u8>, FetchError> {
    std::fs::read(url.to_file_path().unwrap()).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => FetchError::NotFound,
        _ => FetchError::Failed(error.to_string()),
    })
}

/// Changes one byte of the only file in `folder` whose name ends so.
fn tamper(folder: &Path, suffix: &str) {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    let file = paths
        .find(|path| path.to_string_lossy().ends_with(suffix))
        .unwrap();
    let mut content = std::fs::read(&file).unwrap();
    let last = content.iter().rposition(u8::is_ascii_digit).unwrap();
    content[last] = if content[last] == b'1' { b'2' } else { b'1' };
    std::fs::write(file, content).unwrap();
}

#[test]
fn what_was_signed_is_read() {
    let (place, signer) = (Place::new(), Signer::new(FUTURE));
    let files = [("index.yml", "web: web.yml\n"), ("sub/web.yml", "text 1")];
    signer.publish(&place.path("repository"), 1, FUTURE, &files);
    let repository = place.open(signer.root(), "repository").unwrap();
    assert_eq!(repository.names(), ["index.yml", "sub/web.yml"]);
    let read = repository.read("sub/web.yml").unwrap();
    assert_eq!(read.as_deref(), Some(b"text 1".as_slice()));
    assert_eq!(repository.read("other.yml").unwrap(), None);
    for name in ["../index.yml", "sub/../index.yml", ""] {
        assert!(
            matches!(repository.read(name), Err(TrustError::Name(_))),
            "{name}"
        );
    }
}

#[test]
fn a_later_state_is_taken_and_an_older_one_refused() {
    let (place, signer) = (Place::new(), Signer::new(FUTURE));
    signer.publish(&place.path("old"), 1, FUTURE, &[("a", "1")]);
    signer.publish(&place.path("new"), 2, FUTURE, &[("a", "2")]);
    place.open(signer.root(), "old").unwrap();
    let new = place.open(signer.root(), "new").unwrap();
    assert_eq!(new.read("a").unwrap().as_deref(), Some(b"2".as_slice()));
    let error = place.open(signer.root(), "old").unwrap_err();
    assert!(matches!(error, TrustError::RolledBack(_)), "{error:?}");
    assert!(error.to_string().contains("version 1"), "{error}");
}

#[test]
fn an_expired_repository_is_refused() {
    let (place, signer) = (Place::new(), Signer::new(FUTURE));
    signer.publish(&place.path("repository"), 1, PAST, &[("a", "1")]);
    let error = place.open(signer.root(), "repository").unwrap_err();
    assert!(matches!(error, TrustError::Expired { .. }), "{error:?}");
    let late = Signer::new(PAST);
    late.publish(&place.path("late"), 1, FUTURE, &[("a", "1")]);
    let error = place.open(late.root(), "late").unwrap_err();
    assert!(matches!(error, TrustError::Expired { .. }), "{error:?}");
}

#[test]
fn what_somebody_else_signed_is_refused() {
    let place = Place::new();
    let (owner, thief) = (Signer::new(FUTURE), Signer::new(FUTURE));
    thief.publish(&place.path("repository"), 1, FUTURE, &[("a", "1")]);
    let error = place.open(owner.root(), "repository").unwrap_err();
    assert!(matches!(error, TrustError::Tampered(_)), "{error:?}");
}

#[test]
fn what_was_changed_after_it_was_signed_is_refused() {
    let signer = Signer::new(FUTURE);
    for file in ["timestamp.json", "snapshot.json", "targets.json"] {
        let place = Place::new();
        signer.publish(&place.path("repository"), 1, FUTURE, &[("a", "1")]);
        tamper(&place.path("repository/metadata"), file);
        let error = place.open(signer.root(), "repository").unwrap_err();
        assert!(
            matches!(error, TrustError::Tampered(_)),
            "{file}: {error:?}"
        );
    }
    let place = Place::new();
    signer.publish(&place.path("repository"), 1, FUTURE, &[("a", "text 1")]);
    let repository = place.open(signer.root(), "repository").unwrap();
    tamper(&place.path("repository/targets"), "a");
    let error = repository.read("a").unwrap_err();
    assert!(matches!(error, TrustError::Tampered(_)), "{error:?}");
}

#[test]
fn what_is_no_root_and_what_is_not_there_are_told_apart() {
    let (place, signer) = (Place::new(), Signer::new(FUTURE));
    let error = place.open(b"{}", "nothing").unwrap_err();
    assert!(matches!(error, TrustError::Root(_)), "{error:?}");
    let error = place.open(signer.root(), "nothing").unwrap_err();
    let TrustError::Fetch { url, reason } = &error else {
        panic!("{error:?}");
    };
    assert!(url.ends_with("/nothing/metadata/timestamp.json"), "{url}");
    assert_eq!(reason, "it does not exist");
    signer.publish(&place.path("repository"), 1, FUTURE, &[("a", "1")]);
    let repository = place.open(signer.root(), "repository").unwrap();
    std::fs::remove_dir_all(place.path("repository/targets")).unwrap();
    let error = repository.read("a").unwrap_err();
    assert!(matches!(error, TrustError::Fetch { .. }), "{error:?}");
}

#[test]
fn new_keys_are_trusted_when_the_old_ones_signed_them() {
    let (place, signer) = (Place::new(), Signer::new(FUTURE));
    let next = signer.successor(FUTURE);
    next.publish(&place.path("repository"), 1, FUTURE, &[("a", "1")]);
    let repository = place.open(signer.root(), "repository").unwrap();
    assert_eq!(repository.names(), ["a"]);
}
