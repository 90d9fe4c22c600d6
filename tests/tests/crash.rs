//! `kill -9` of the daemon at random moments of growth, update and repair.
//!
//! Two worlds: instances of a plugin inside the daemon, which dies with it, and of one outside,
//! which goes on. What is true is asked of the instances themselves, never of the daemon.
//! `INFRAKIT_TEST_SEED` repeats a run as far as the scheduling of the machine allows.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use infrakit_tests::census::{self, Census};
use infrakit_tests::cloud::{Cloud, Latency};
use infrakit_tests::random::{Random, seed};
use infrakit_tests::{Daemon, Home, eventually, fleet};
use serde_json::{Value, json};

/// In each of the two worlds: rounds, each with a home of its own, and kills in each round.
const ROUNDS: u64 = 20;
const KILLS: u64 = 5;
/// Rounds at the same time.
const LANES: usize = 4;
/// Creations in doubt are waited for so long after a restart; the outside plugin is ten times as
/// quick, so that a creation that the daemon does not wait for any more was never begun.
const SETTLE: &str = "1s";
const LATENCY: Latency = Latency(20, 100);
/// A group of a dozen is as specified much sooner, even on a busy machine.
const CONVERGED: Duration = Duration::from_secs(30);
const GROUP: &str = "herd";

/// Where instances live.
enum World<'home> {
    Files(&'home Home, Census),
    Cloud(Cloud),
}

impl World<'_> {
    fn plugin(&self) -> &'static str {
        match self {
            Self::Files(..) => "file",
            Self::Cloud(_) => "cloud",
        }
    }

    /// The instances that there are, with the version of each.
    fn members(&self) -> BTreeMap<String, String> {
        let note = |properties: &Value| properties["Note"].as_str().unwrap_or("none").to_owned();
        match self {
            Self::Cloud(cloud) => {
                let members = cloud.members(GROUP).into_iter();
                members
                    .map(|(id, properties)| (id, note(&properties)))
                    .collect()
            }
            Self::Files(home, _) => {
                let files = census::files(&home.path().join("instances")).into_iter();
                files
                    .filter_map(|path| {
                        let text = std::fs::read_to_string(&path).ok()?;
                        let file: Value = serde_json::from_str(&text).expect("files are whole");
                        let id = path.file_name()?.to_string_lossy().into_owned();
                        Some((id, note(&file["Spec"]["Properties"])))
                    })
                    .collect()
            }
        }
    }

    fn lose(&self, id: &str) {
        match self {
            Self::Cloud(cloud) => drop(cloud.lose(id)),
            // It may be gone by now, by an update that is under way.
            Self::Files(home, _) => {
                drop(std::fs::remove_file(home.path().join("instances").join(id)));
            }
        }
    }

    fn peak(&self) -> usize {
        match self {
            Self::Cloud(cloud) => cloud.peak(GROUP),
            Self::Files(_, census) => census.peak(),
        }
    }

    /// Shortest and longest time from a change to the kill, drawn at random, in milliseconds.
    fn windows(&self) -> [u64; 3] {
        match self {
            Self::Files(..) => [4, 25, 120],
            Self::Cloud(_) => [15, 150, 700],
        }
    }
}

/// One group through one round.
struct Round<'home> {
    home: &'home Home,
    daemon: Daemon<'home>,
    world: World<'home>,
    random: Random,
    size: u64,
    version: u64,
    /// Kills that found the group not as specified.
    interrupted: usize,
}

impl<'home> Round<'home> {
    fn new(home: &'home Home, world: World<'home>, seed: u64) -> Self {
        let settings = [
            ("INFRAKIT_CLIENT_TIMEOUT", SETTLE),
            ("INFRAKIT_GROUP_POLL_INTERVAL", "300ms"),
        ];
        Self {
            home,
            daemon: fleet::start(home, &settings),
            world,
            random: Random::new(seed),
            size: 4,
            version: 1,
            interrupted: 0,
        }
    }

    fn spec(&self) -> Value {
        fleet::cattle(GROUP, self.world.plugin(), self.size, self.version)
    }

    fn as_specified(&self) -> Result<(), String> {
        let members = self.world.members();
        let version = format!("version {}", self.version);
        let right = members.values().all(|note| *note == version);
        if right && members.len() as u64 == self.size {
            Ok(())
        } else {
            Err(format!("{} of {version}: {members:?}", self.size))
        }
    }

    /// Grows, updates, or loses members, and is killed soon after, or while it is being told.
    fn disturb(&mut self) {
        let [short, middle, long] = self.world.windows();
        let window = [short, middle, middle, long][self.random.below(4) as usize];
        let pause = self.random.millis(0, window);
        match self.random.below(4) {
            0 => self.size += 1 + self.random.below(3),
            1 => self.version += 1,
            2 => {
                self.size += 1;
                self.version += 1;
            }
            _ => {
                let members = self.world.members().into_keys();
                let lost = 1 + self.random.below(2) as usize;
                members.take(lost).for_each(|id| self.world.lose(&id));
                sleep(pause);
                return self.daemon.kill();
            }
        }
        if self.random.below(4) == 0 {
            self.kill_while_committing();
        } else {
            fleet::commit(self.home, &self.spec()).unwrap_or_else(|fault| panic!("{fault}"));
            sleep(pause);
            self.daemon.kill();
        }
    }

    /// What was answered holds; what was not holds wholly, or not at all.
    fn kill_while_committing(&mut self) {
        let before = fleet::inspect(self.home);
        let (spec, pause) = (self.spec(), self.random.millis(0, 8));
        let home = self.home;
        let answered = std::thread::scope(|scope| {
            let committing = scope.spawn(|| fleet::commit(home, &spec).is_ok());
            sleep(pause);
            self.daemon.kill();
            committing.join().expect("a commit ends")
        });
        self.restart();
        let after = fleet::inspect(home);
        let wanted = &spec["Properties"];
        let now = &after[0]["Properties"];
        let taken = now["Allocation"]["Size"] == wanted["Allocation"]["Size"]
            && now["Instance"] == wanted["Instance"];
        assert!(taken || !answered, "a committed spec was lost: {after}");
        assert!(taken || before == after, "half a commit: {before} {after}");
        fleet::commit(home, &spec).unwrap_or_else(|fault| panic!("{fault}"));
        self.daemon.kill();
    }

    fn restart(&mut self) {
        self.daemon
            .restart()
            .wait_for(&["group", "vanilla", "file"]);
    }

    fn kill_once(&mut self) {
        self.disturb();
        self.interrupted += usize::from(self.as_specified().is_err());
        self.restart();
        // It is known at once, before anything was listed or decided.
        let listed = self.home.cli("group ls").ok();
        assert_eq!(listed.rows(), [["ID"], [GROUP]]);
        self.check_peak();
    }

    /// Sizes only ever grow in a round, so that the present one is the most there ever may be.
    fn check_peak(&self) {
        let peak = self.world.peak();
        assert!(
            peak as u64 <= self.size,
            "{peak} at once, size {}",
            self.size
        );
    }

    fn converge(&mut self) {
        let hash = fleet::converged(self.home, GROUP, self.size as usize, CONVERGED);
        assert!(!hash.is_empty());
        eventually(CONVERGED, "the instances are as specified", || {
            self.as_specified()
        });
        self.check_peak();
    }

    fn run(mut self) -> usize {
        fleet::commit(self.home, &self.spec()).unwrap_or_else(|fault| panic!("{fault}"));
        for kill in 0..KILLS {
            self.kill_once();
            if kill % 2 == 1 {
                self.converge();
            }
        }
        self.converge();
        let spec = fleet::inspect(self.home);
        assert_eq!(
            spec[0]["Properties"]["Allocation"]["Size"],
            json!(self.size)
        );
        assert_eq!(self.daemon.terminate(), 0, "{}", self.daemon.output());
        assert_eq!(self.as_specified(), Ok(()), "stopping changes nothing");
        self.interrupted
    }
}

/// Runs all rounds of one world, some at a time.
fn rounds<F>(seed: u64, round: F)
where
    F: Fn(u64) -> usize + Sync,
{
    println!("INFRAKIT_TEST_SEED={seed}");
    let seeds = Mutex::new((0..ROUNDS).map(|number| seed * 1000 + number));
    let interrupted = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                loop {
                    let next = seeds.lock().expect("no round holds it").next();
                    let Some(seed) = next else { return };
                    interrupted.fetch_add(round(seed), Ordering::Relaxed);
                }
            });
        }
    });
    let (interrupted, kills) = (interrupted.into_inner(), (ROUNDS * KILLS) as usize);
    println!("{interrupted} of {kills} kills came before the group was as specified");
    assert!(
        interrupted * 4 >= kills,
        "the kills come too late to prove anything"
    );
}

#[test]
fn groups_on_the_plugin_inside_survive_a_hundred_kills() {
    rounds(seed(), |seed| {
        let home = Home::new();
        let census = Census::of(&home.path().join("instances"));
        Round::new(&home, World::Files(&home, census), seed).run()
    });
}

#[test]
fn groups_on_a_plugin_outside_survive_a_hundred_kills() {
    rounds(seed(), |seed| {
        let home = Home::new();
        std::fs::create_dir(home.path().join("plugins")).expect("the home is new");
        let cloud = Cloud::listen(&home.socket("cloud"), LATENCY, seed);
        Round::new(&home, World::Cloud(cloud), seed).run()
    });
}
