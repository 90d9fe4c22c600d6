//! A hostile plugin harms the group that is on it, and nobody else.
//!
//! One daemon, two groups: one on a plugin that turns hostile, one on files. While the first is in
//! trouble the second is kept as promptly as ever, and the daemon does not grow.

use std::thread::sleep;
use std::time::{Duration, Instant};

use infrakit_tests::census::files;
use infrakit_tests::hostile::{Greeting, Hostile, Malice};
use infrakit_tests::{Daemon, Home, eventually, fleet};
use serde_json::{Value, json};

/// How many members the group on files has. So many that the files deleted here are never a tenth of them a
/// minute: young ones that go one after the other are a crash loop, which is met with pauses.
const SIZE: usize = 250;
/// A deleted file is replaced within this time, hostile neighbours or not.
const PROMPT: Duration = Duration::from_secs(2);
/// Whoever asks for the group in trouble hears of it within this time.
const PATIENCE: Duration = Duration::from_secs(16);
/// No answer, however large, makes the daemon larger than this, in bytes.
const MEMORY: u64 = 120 << 20;

struct Siege<'home> {
    home: &'home Home,
    daemon: Daemon<'home>,
    hostile: Hostile,
    /// What the daemon may use, in bytes.
    memory: u64,
}

impl<'home> Siege<'home> {
    /// Starts with both groups in peace.
    fn new(home: &'home Home) -> Self {
        Self::with(home, &[("INFRAKIT_GROUP_POLL_INTERVAL", "500ms")])
    }

    /// The same with a daemon that gives calls up early, to save time.
    fn impatient(home: &'home Home) -> Self {
        let settings = [
            ("INFRAKIT_GROUP_POLL_INTERVAL", "500ms"),
            ("INFRAKIT_CLIENT_TIMEOUT", "2s"),
        ];
        Self::with(home, &settings)
    }

    fn with(home: &'home Home, settings: &[(&str, &str)]) -> Self {
        let daemon = fleet::start(home, settings);
        let hostile = Hostile::listen(&home.socket("hostile"));
        for (group, plugin, size) in [("good", "file", SIZE as u64), ("bad", "hostile", 3)] {
            let document = fleet::cattle(group, plugin, size, 1);
            fleet::commit(home, &document).unwrap_or_else(|fault| panic!("{fault}"));
        }
        fleet::converged(home, "good", SIZE, Duration::from_secs(20));
        Self {
            home,
            daemon,
            hostile,
            memory: MEMORY,
        }
    }

    /// Lets the plugin misbehave and checks everything that must hold meanwhile.
    fn endures(&self, malice: Malice) {
        self.endures_with(malice, Greeting::Polite);
    }

    fn endures_with(&self, malice: Malice, greeting: Greeting) {
        let what: String = format!("{malice:?}").chars().take(200).collect();
        let calls = self.hostile.calls();
        self.hostile.turn(malice, greeting);
        eventually(Duration::from_secs(30), &what, || {
            (self.hostile.calls() > calls)
                .then_some(())
                .ok_or_else(|| "it is not called".to_owned())
        });
        let described = std::thread::scope(|scope| {
            let asking = scope.spawn(|| {
                let asked = Instant::now();
                (fleet::describe(self.home, "bad"), asked.elapsed())
            });
            for _ in 0..2 {
                self.heals_promptly(&what);
            }
            asking.join().expect("it ends")
        });
        let (answer, took) = described;
        assert!(took < PATIENCE, "{what}: described after {took:?}");
        if let Err(fault) = &answer {
            let message = fault.to_string();
            assert!(
                message.contains("bad") || message.contains("hostile"),
                "{what}: {message}"
            );
        }
        let said = answer.map_or_else(|fault| fault.to_string(), |answer| answer.to_string());
        println!(
            "{what} in {took:?}: {}",
            said.chars().take(200).collect::<String>()
        );
        let listed = self.home.cli("group ls").ok();
        assert_eq!(listed.rows(), [["ID"], ["bad"], ["good"]]);
        let memory = fleet::peak_memory(self.daemon.id());
        println!("at most {} MiB so far", memory >> 20);
        assert!(memory < self.memory, "{what}: {memory} bytes");
    }

    fn heals_promptly(&self, what: &str) {
        let directory = self.home.path().join("instances");
        let before = files(&directory);
        assert_eq!(before.len(), SIZE);
        let lost = before.first().expect("there are many");
        std::fs::remove_file(lost).expect("it is there");
        eventually(PROMPT, &format!("{what}: the other group heals"), || {
            let now = files(&directory);
            (now.len() == SIZE)
                .then_some(())
                .ok_or_else(|| format!("{} files", now.len()))
        });
    }

    /// In peace again, the group is described as if nothing had been.
    fn recovers(&self) {
        self.hostile.turn(Malice::None, Greeting::Polite);
        eventually(
            Duration::from_secs(30),
            "the plugin is listed again",
            || fleet::describe(self.home, "bad").map_err(|fault| fault.to_string()),
        );
        assert_eq!(fleet::inspect(self.home).as_array().map(Vec::len), Some(2));
    }
}

#[test]
fn a_plugin_that_never_answers_harms_nobody_else() {
    let home = Home::new();
    let siege = Siege::new(&home);
    siege.endures(Malice::Silent);
    siege.recovers();
}

#[test]
fn a_plugin_that_answers_a_byte_a_second_harms_nobody_else() {
    let home = Home::new();
    let siege = Siege::new(&home);
    siege.endures(Malice::Dripping);
    siege.recovers();
}

#[test]
fn a_plugin_that_floods_or_nests_harms_nobody_else() {
    let home = Home::new();
    let siege = Siege::new(&home);
    siege.endures(Malice::Huge { counted: true });
    siege.endures(Malice::Huge { counted: false });
    siege.endures(Malice::Deep);
    siege.recovers();
}

#[test]
fn a_plugin_that_lists_millions_harms_nobody_else() {
    let home = Home::new();
    let siege = Siege {
        // What a quarter of a million instances take, which is as many as are listened to.
        memory: 320 << 20,
        ..Siege::new(&home)
    };
    siege.endures(Malice::Swarm("{}"));
    siege.endures(Malice::Swarm(
        "{\"ID\":\"a\",\"Tags\":{\"infrakit.group\":\"bad\"}}",
    ));
    siege.recovers();
}

#[test]
fn a_plugin_that_is_hostile_from_its_first_word_harms_nobody_else() {
    let home = Home::new();
    let siege = Siege::impatient(&home);
    siege.endures_with(Malice::Huge { counted: false }, Greeting::Hostile);
    siege.endures_with(Malice::Deep, Greeting::Hostile);
    siege.endures_with(Malice::Halfway, Greeting::Hostile);
    siege.endures_with(Malice::Garbage, Greeting::Hostile);
    siege.endures_with(Malice::Nonsense("null"), Greeting::Hostile);
    siege.endures_with(Malice::Silent, Greeting::Hostile);
    siege.recovers();
}

#[test]
fn a_plugin_that_breaks_off_or_babbles_harms_nobody_else() {
    let home = Home::new();
    let siege = Siege::new(&home);
    siege.endures(Malice::Halfway);
    siege.endures(Malice::Garbage);
    for nonsense in [
        "",
        "null",
        "[]",
        "{\"jsonrpc\": \"2.0\", \"id\": 999999, \"result\": {}}",
        "{\"jsonrpc\": \"2.0\", \"result\": {\"Descriptions\": 7}}",
        "{\"jsonrpc\": \"2.0\", \"error\": \"words\"}",
        "{\"result\": {\"Descriptions\": [{\"ID\": 7}, \"x\"]}}",
    ] {
        siege.endures(Malice::Nonsense(nonsense));
    }
    siege.recovers();
}

/// A member of `group` as a list shows it.
fn member(id: &str, group: &str) -> Value {
    json!({"ID": id, "LogicalID": null, "Tags": {"infrakit.group": group}})
}

#[test]
fn a_plugin_that_lies_harms_nobody_else() {
    let home = Home::new();
    let siege = Siege::new(&home);
    let theirs = files(&home.path().join("instances"));
    let theirs = theirs
        .first()
        .and_then(|path| path.file_name())
        .expect("there are many");
    let theirs = theirs.to_string_lossy().into_owned();
    for lies in [
        json!(null),
        json!([
            member("twin", "bad"),
            member("twin", "bad"),
            member("twin", "bad")
        ]),
        json!([member("two\nlines", "bad"), member("\u{1b}[2J", "bad")]),
        json!([member("", "bad")]),
        json!([member(&"x".repeat(100_000), "bad")]),
        // Members of the other group, by a name of its own and by the name of a real one.
        json!([
            member("foreign", "good"),
            member(&theirs, "good"),
            member("third", "nobody")
        ]),
        json!(
            (0..5000)
                .map(|n| member(&format!("m{n}"), "bad"))
                .collect::<Vec<_>>()
        ),
    ] {
        siege.endures(Malice::Liar(lies));
        // Whatever the ids are, they leave the terminal of whoever reads them alone.
        let shown = home.cli("group describe bad");
        assert!(!shown.stdout.contains('\u{1b}'), "{}", shown.stdout);
    }
    let good = fleet::describe(&home, "good").unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(
        good["Instances"].as_array().map(Vec::len),
        Some(SIZE),
        "{good}"
    );
    siege.recovers();
}

#[test]
fn a_commit_on_a_hostile_plugin_is_refused_in_time() {
    let home = Home::new();
    let siege = Siege::impatient(&home);
    for malice in [
        Malice::Silent,
        Malice::Huge { counted: false },
        Malice::Garbage,
    ] {
        siege.hostile.turn(malice.clone(), Greeting::Polite);
        let begun = Instant::now();
        let document = fleet::cattle("more", "hostile", 1, 1);
        let answer = std::thread::scope(|scope| {
            let committing = scope.spawn(|| fleet::commit(&home, &document));
            sleep(Duration::from_millis(50));
            siege.heals_promptly("during a commit");
            committing.join().expect("it ends")
        });
        assert!(
            begun.elapsed() < PATIENCE,
            "{malice:?}: {:?}",
            begun.elapsed()
        );
        let fault = answer.expect_err("nobody can check this spec").to_string();
        assert!(fault.contains("hostile"), "{malice:?}: {fault}");
    }
    siege.recovers();
}
