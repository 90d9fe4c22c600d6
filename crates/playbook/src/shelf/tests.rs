//! What a home keeps of its playbooks, and what it refuses to run.

use super::*;
use crate::testing::Files;
use crate::tree::Node;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn shelf(&self) -> Shelf {
        let home = self.0.path();
        let paths = Paths {
            registry: home.join("playbooks.yml"),
            older_registry: Some(home.join("playbooks")),
            cache: home.join("playbook-cache"),
        };
        Shelf::new(paths, BTreeMap::new())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn copies(&self, name: &str) -> usize {
        std::fs::read_dir(self.file("playbook-cache").join(name)).map_or(0, Iterator::count)
    }
}

fn web() -> Files {
    Files::new(&[
        ("index.yml", "a: a.sh\nb: sub/b.sh"),
        ("a.sh", "one"),
        ("sub/b.sh", "b"),
    ])
}

fn text_of(shelf: &Shelf, source: &dyn Source, word: &str) -> String {
    let (playbook, _) = shelf.open("web", source).unwrap();
    match playbook.tree().find(&[word.to_owned()]).unwrap() {
        (Node::Command(command), 1) => command.text.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_copy_works_without_a_network_until_it_is_updated() {
    let (home, files) = (Home::new(), web());
    let (shelf, root) = (home.shelf(), files.place("index.yml"));
    let taken = shelf.add("web", &root, Terms::default(), &files).unwrap();
    assert_eq!((taken.commands, taken.files), (2, 3));
    files.put("a.sh", "two");
    let offline = Files::new(&[]);
    assert_eq!(text_of(&shelf, &offline, "a"), "one");

    let dry = shelf.update("web", Update::DryRun, None, &files).unwrap();
    assert_eq!(dry.changes.to_string(), "changed: `a.sh`");
    assert_eq!(text_of(&shelf, &offline, "a"), "one");
    shelf.update("web", Update::Apply, None, &files).unwrap();
    assert_eq!(text_of(&shelf, &offline, "a"), "two");
    for turn in 0..3 {
        files.put("a.sh", &format!("turn {turn}"));
        shelf.update("web", Update::Apply, None, &files).unwrap();
    }
    assert_eq!(home.copies("web"), 2);
    shelf.remove("web").unwrap();
    assert_eq!(home.copies("web"), 0);
    assert!(matches!(shelf.remove("web"), Err(Error::Unknown { .. })));
}

#[test]
fn an_update_that_fails_changes_nothing() {
    let (home, files) = (Home::new(), web());
    let (shelf, root) = (home.shelf(), files.place("index.yml"));
    shelf.add("web", &root, Terms::default(), &files).unwrap();
    let before = [home.file("playbooks.yml"), home.file("playbooks.lock")]
        .map(|path| std::fs::read_to_string(path).unwrap());
    files.put("a.sh", "two");
    files.fail("sub/b.sh");
    let error = shelf
        .update("web", Update::Apply, None, &files)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed to read http://h/p/sub/b.sh: it is down"
    );
    let after = [home.file("playbooks.yml"), home.file("playbooks.lock")]
        .map(|path| std::fs::read_to_string(path).unwrap());
    assert_eq!(before, after);
    assert_eq!(text_of(&shelf, &files, "a"), "one");
}

#[test]
fn a_copy_that_somebody_changed_is_not_run_and_update_repairs_it() {
    let (home, files) = (Home::new(), web());
    let (shelf, root) = (home.shelf(), files.place("index.yml"));
    shelf.add("web", &root, Terms::default(), &files).unwrap();
    let cache = registry::read(&home.file("playbooks.yml")).unwrap()["web"]
        .cache
        .clone();
    let index = Place::stored(&cache).unwrap().path().unwrap();
    std::fs::write(index.with_file_name("a.sh"), "evil").unwrap();
    std::fs::remove_file(index.with_file_name("sub/b.sh")).unwrap();
    let error = shelf.open("web", &files).unwrap_err();
    assert_eq!(
        error.to_string(),
        "playbook `web` is not what it was when it was added or updated \
         (changed: `a.sh`; gone: `sub/b.sh`); nothing was run"
    );
    assert!(
        error
            .hint()
            .unwrap()
            .contains("infrakit playbook update web")
    );
    shelf.update("web", Update::Apply, None, &files).unwrap();
    assert_eq!(text_of(&shelf, &files, "a"), "one");
}

#[test]
fn local_files_are_locked_as_well_and_others_are_not_disturbed() {
    let home = Home::new();
    let shelf = home.shelf();
    for name in ["web", "other"] {
        let directory = home.file(name);
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join("index.yml"), "a: a.sh").unwrap();
        std::fs::write(directory.join("a.sh"), "one").unwrap();
        let root = Place::of_path(&directory.join("index.yml")).unwrap();
        shelf
            .add(name, &root, Terms::default(), &LocalFiles)
            .unwrap();
    }
    std::fs::write(home.file("other/a.sh"), "two").unwrap();
    std::fs::write(home.file("web/unrelated"), "x").unwrap();
    assert_eq!(text_of(&shelf, &LocalFiles, "a"), "one");
    let error = shelf.open("other", &LocalFiles).unwrap_err();
    assert!(error.to_string().contains("(changed: `a.sh`)"), "{error}");
    std::fs::remove_dir_all(home.file("other")).unwrap();
    let error = shelf.open("other", &LocalFiles).unwrap_err();
    assert!(
        error.to_string().contains("gone: `a.sh`, `index.yml`"),
        "{error}"
    );
    assert_eq!(home.copies("web"), 0);
}

#[test]
fn entries_of_the_original_are_locked_when_they_are_first_used() {
    let (home, files) = (Home::new(), web());
    std::fs::write(home.file("playbooks"), "web: http://h/p/index.yml\n").unwrap();
    let shelf = home.shelf();
    assert!(shelf.kept("web").unwrap().locked.is_none());
    let (_, adopted) = shelf.open("web", &files).unwrap();
    assert!(adopted);
    files.put("a.sh", "two");
    assert_eq!(text_of(&shelf, &files, "a"), "one");
    let (_, adopted) = shelf.open("web", &files).unwrap();
    assert!(!adopted);

    // The copy that the original made is used when there is one.
    let home = Home::new();
    let copy = home.file("playbook-cache/web");
    std::fs::create_dir_all(copy.join("sub")).unwrap();
    for (name, text) in [
        ("index.yml", "a: a.sh\nb: sub/b.sh"),
        ("a.sh", "copied"),
        ("sub/b.sh", "b"),
    ] {
        std::fs::write(copy.join(name), text).unwrap();
    }
    let registry = format!(
        "web:\n  Cache: file://{}/index.yml\n  Source: http://h/p/index.yml\n",
        copy.display()
    );
    std::fs::write(home.file("playbooks.yml"), registry).unwrap();
    assert_eq!(text_of(&home.shelf(), &Files::new(&[]), "a"), "copied");
}

#[test]
fn a_source_that_was_edited_by_hand_is_noticed() {
    let (home, files) = (Home::new(), web());
    let (shelf, root) = (home.shelf(), files.place("index.yml"));
    shelf.add("web", &root, Terms::default(), &files).unwrap();
    let text = std::fs::read_to_string(home.file("playbooks.yml")).unwrap();
    std::fs::write(
        home.file("playbooks.yml"),
        text.replace("http://h/", "http://evil/"),
    )
    .unwrap();
    let error = shelf.open("web", &files).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("Source: http://evil/p/index.yml"),
        "{error}"
    );
}

#[test]
fn names_are_checked_and_unique() {
    let (home, files) = (Home::new(), web());
    let (shelf, root) = (home.shelf(), files.place("index.yml"));
    for name in ["", "..", ".a", "a/b", "-x", "ls", "a b", "help", "a:b"] {
        let error = shelf
            .add(name, &root, Terms::default(), &files)
            .unwrap_err();
        assert!(matches!(error, Error::Name { .. }), "{name}: {error}");
    }
    shelf.add("web", &root, Terms::default(), &files).unwrap();
    let error = shelf
        .add("web", &root, Terms::default(), &files)
        .unwrap_err();
    assert!(matches!(error, Error::Exists { .. }));
    let error = shelf.open("wep", &files).unwrap_err();
    assert_eq!(error.hint().unwrap(), "did you mean `web`?");
}

#[test]
fn two_programs_at_once_lose_nothing() {
    let home = Home::new();
    let shelf = home.shelf();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let shelf = shelf.clone();
            scope.spawn(move || {
                let files = web();
                let root = files.place("index.yml");
                let name = format!("p{number}");
                shelf.add(&name, &root, Terms::default(), &files).unwrap();
            });
        }
    });
    let all = shelf.list().unwrap();
    assert_eq!(all.len(), 8);
    assert!(all.values().all(|kept| kept.locked.is_some()));
}
