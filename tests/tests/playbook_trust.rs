//! Playbooks from repositories that their owner signed, on this machine and behind a web server:
//! what is refused, and that the copy that is there can still be used.

#![expect(
    clippy::unwrap_used,
    reason = "the owner of the repository is shared with other tests"
)]

#[path = "../../crates/trust/tests/signer/mod.rs"]
mod signer;

use infrakit_tests::Home;
use infrakit_tests::web::Web;
use signer::Signer;

const FUTURE: &str = "2999-01-01T00:00:00Z";
const PAST: &str = "2001-01-01T00:00:00Z";

/// Where a repository is served from.
enum Served {
    File,
    Http(Web),
}

/// A home with a repository, and the URL of it.
struct Place {
    home: Home,
    served: Served,
}

impl Place {
    fn file() -> Self {
        Self {
            home: Home::new(),
            served: Served::File,
        }
    }

    fn http() -> Self {
        let home = Home::new();
        let served = Served::Http(Web::serve(home.path()));
        Self { home, served }
    }

    fn both() -> [Self; 2] {
        [Self::file(), Self::http()]
    }

    fn url(&self) -> String {
        match &self.served {
            Served::File => format!("file://{}/repository", self.home.path().display()),
            Served::Http(web) => web.url("repository"),
        }
    }

    /// Publishes one version, in the place of whatever was there.
    fn publish(&self, signer: &Signer, version: u64, expires: &str, word: &str) {
        let path = self.home.path().join("repository");
        // There may be none yet.
        drop(std::fs::remove_dir_all(&path));
        let script = format!("{{{{/* =% sh %= */}}}}{{{{ source `part.txt` }}}} {word}");
        let files = [
            ("index.yml", "say: sub/say.sh\n"),
            ("sub/say.sh", script.as_str()),
            ("sub/part.txt", "echo"),
        ];
        signer.publish(&path, version, expires, &files);
    }

    fn add(&self, signer: &Signer) {
        std::fs::write(self.home.path().join("root.json"), signer.root()).unwrap();
        let added = self
            .home
            .cli(&format!("playbook add ops {} --root root.json", self.url()));
        assert_eq!(added.ok().stdout, "Added ops: 1 command in 3 files\n");
    }

    /// What the command says that the playbook has.
    fn says(&self) -> String {
        self.home.cli("use ops say").ok().stdout.trim().to_owned()
    }

    /// Updates, which has to fail with this reason and change nothing.
    fn refuses(&self, why: &str) {
        let before = self.says();
        let files = ["playbooks.yml", "playbooks.lock"].map(|name| self.home.read(name));
        let run = self.home.cli("playbook update ops").failed(1);
        assert!(run.stderr.contains("`ops` is as it was: "), "{run:?}");
        assert!(run.stderr.contains(why), "{why}: {run:?}");
        assert_eq!(
            ["playbooks.yml", "playbooks.lock"].map(|name| self.home.read(name)),
            files
        );
        assert_eq!(self.says(), before);
    }
}

#[test]
fn what_its_owner_signed_is_taken_in_and_updated() {
    for place in Place::both() {
        let signer = Signer::new(FUTURE);
        place.publish(&signer, 1, FUTURE, "one");
        place.add(&signer);
        assert_eq!(place.says(), "one");
        place.publish(&signer, 2, FUTURE, "two");
        assert_eq!(place.says(), "one");
        let dry = place.home.cli("playbook update ops --dry-run").ok();
        assert_eq!(
            dry.stdout,
            "Updating ops would take in:\n  changed  sub/say.sh\n"
        );
        place.home.cli("playbook update ops").ok();
        assert_eq!(place.says(), "two");
        let shown = place.home.cli("playbook show ops").ok().stdout;
        assert!(
            shown.contains("Signed:  ") && shown.contains("from root "),
            "{shown}"
        );
        // The owner has new keys, which the old ones signed.
        let next = signer.successor(FUTURE);
        place.publish(&next, 3, FUTURE, "three");
        place.home.cli("playbook update ops").ok();
        assert_eq!(place.says(), "three");
        place.home.cli("playbook rm ops").ok();
        assert!(!place.home.path().join("playbook-trust/ops").exists());
    }
}

#[test]
fn each_kind_of_betrayal_has_its_message_and_the_copy_stays() {
    for place in Place::both() {
        let (signer, thief) = (Signer::new(FUTURE), Signer::new(FUTURE));
        place.publish(&signer, 5, FUTURE, "five");
        place.add(&signer);
        place.publish(&signer, 4, FUTURE, "four");
        place.refuses("the repository has gone back to an older state");
        place.publish(&signer, 6, PAST, "six");
        place.refuses("metadata has expired");
        place.publish(&thief, 7, FUTURE, "seven");
        place.refuses("is not what its owner signed");
        place.publish(&signer, 8, FUTURE, "eight");
        let target = place.home.path().join("repository/targets/sub/say.sh");
        let text = std::fs::read_to_string(&target).unwrap();
        std::fs::write(&target, text.replace("eight", "EIGHT")).unwrap();
        place.refuses("is not what its owner signed");
        std::fs::remove_dir_all(place.home.path().join("repository")).unwrap();
        place.refuses("failed to fetch");
        place.publish(&signer, 9, FUTURE, "nine");
        place.home.cli("playbook update ops").ok();
        assert_eq!(place.says(), "nine");
    }
}

#[test]
fn what_is_refused_at_first_leaves_nothing_behind() {
    let place = Place::file();
    let (signer, thief) = (Signer::new(FUTURE), Signer::new(FUTURE));
    place.publish(&thief, 1, FUTURE, "x");
    place
        .home
        .write("root.json", std::str::from_utf8(signer.root()).unwrap());
    place.home.write("none.json", "{}");
    for (root, why) in [
        ("root.json", "is not what its owner signed"),
        ("none.json", "the root metadata is not valid"),
        ("nosuch.json", "failed to read `nosuch.json`"),
    ] {
        let run = place
            .home
            .cli(&format!("playbook add ops {} --root {root}", place.url()))
            .failed(1);
        assert!(run.stderr.contains(why), "{run:?}");
    }
    place.home.cli("use ops say").failed(2);
    assert!(!place.home.path().join("playbook-trust/ops").exists());
    assert!(!place.home.path().join("playbooks.yml").exists());
}
