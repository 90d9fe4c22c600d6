//! A home with a provider beside it, and the documents of its groups.

use std::time::Duration;

use crate::peer::Peer;
use crate::provider::Provider;
use crate::{Daemon, Home, fleet};
use serde_json::{Value, json};

/// Longer than anything here takes once nothing hinders it, on a busy machine.
pub const SOON: Duration = Duration::from_secs(30);

/// The controller waits so long for an answer before it calls it lost: tests cannot wait for the
/// default, which is 15 s.
const CLIENT_TIMEOUT: &str = "1s";
/// How often the controller looks by itself.
const POLL: &str = "300ms";

/// A home whose sockets `cloud` and `tidy` are those of a provider.
pub struct Site {
    /// They go before the home does, since they are woken by way of their sockets.
    peers: Vec<Peer>,
    /// Where the controller lives.
    pub home: Home,
    /// What its groups are made of.
    pub provider: Provider,
}

impl Site {
    /// A new home, whose plugin is there and has no instances.
    ///
    /// # Panics
    /// When the home cannot be made.
    pub fn new() -> Self {
        let home = Home::new();
        std::fs::create_dir(home.path().join("plugins")).expect("the home is new");
        let mut site = Self {
            home,
            provider: Provider::default(),
            peers: Vec::new(),
        };
        site.open();
        site
    }

    /// The plugin comes back.
    pub fn open(&mut self) {
        let instances = self.provider.instances(&self.home.socket("cloud"));
        let flavor = self.provider.flavor(&self.home.socket("tidy"));
        self.peers = vec![instances, flavor];
    }

    /// The plugin goes away, with its connections; what it has begun it finishes.
    pub fn close(&mut self) {
        self.peers.clear();
    }

    /// Starts the controller and waits until it answers.
    pub fn start(&self, environment: &[(&str, &str)]) -> Daemon<'_> {
        let mut all = vec![
            ("INFRAKIT_CLIENT_TIMEOUT", CLIENT_TIMEOUT),
            ("INFRAKIT_GROUP_POLL_INTERVAL", POLL),
        ];
        all.extend(environment);
        let arguments = ["plugin", "start", "manager", "group"];
        let mut daemon = self.home.daemon_with("infrakit", &arguments, &all);
        daemon.wait_for(&["group"]);
        daemon
    }

    /// Commits a document; returns the sentence about it.
    ///
    /// # Panics
    /// When it is refused.
    pub fn commit(&self, document: &Value) -> String {
        fleet::commit(&self.home, document).unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// What the command line says to a line of words, both streams.
    pub fn says(&self, words: &str) -> String {
        let output = self.home.cli(words);
        output.stdout + &output.stderr
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

/// A document of so many members that are all alike.
pub fn cattle(id: &str, size: usize, note: &str) -> Value {
    document(id, &json!({"Size": size}), note)
}

/// A document of members with identities.
pub fn pets(id: &str, names: &[&str], note: &str) -> Value {
    document(id, &json!({"LogicalIDs": names}), note)
}

fn document(id: &str, allocation: &Value, note: &str) -> Value {
    json!({"ID": id, "Properties": {
        "Allocation": allocation,
        "Instance": {"Plugin": "cloud", "Properties": {"Note": note}},
        "Flavor": {"Plugin": "tidy", "Properties": {}},
    }})
}

/// Runs several cases at once, since each of them mostly waits. All are run to their end, and the
/// first that failed is told of.
///
/// # Panics
/// When a case does.
pub fn at_once<T: Sync>(cases: &[T], run: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        let all: Vec<_> = cases.iter().map(|case| scope.spawn(|| run(case))).collect();
        let ended: Vec<_> = all
            .into_iter()
            .map(std::thread::ScopedJoinHandle::join)
            .collect();
        for end in ended {
            if let Err(panic) = end {
                std::panic::resume_unwind(panic);
            }
        }
    });
}
