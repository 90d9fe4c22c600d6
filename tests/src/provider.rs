//! An outside plugin that knows the truth, and a provider that is as bad as real ones are.
//!
//! It serves instances and their flavor over sockets, takes as long as it is told, forgets, lies and
//! throttles. Every life of an instance is kept with its moments, so that a test can ask what there
//! was at any time; what the controller says of it is never asked here. It lives in the test process
//! and outlives each daemon: a creation that was begun is finished although nobody waits for it.

mod answers;
mod judge;
mod lives;
mod manners;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::peer::Peer;
pub use judge::{Moment, Shown};
use lives::World;
use manners::Manners;
pub use manners::{Fault, Pages, View};

/// The provider. Clones are the same one.
#[derive(Clone, Default)]
pub struct Provider(Arc<Shared>);

#[derive(Default)]
struct Shared {
    world: Mutex<World>,
    manners: Mutex<Manners>,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn manners(&self) -> MutexGuard<'_, Manners> {
        self.manners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider {
    /// Serves instances on a socket, until what is returned is dropped.
    pub fn instances(&self, socket: &Path) -> Peer {
        let shared = Arc::clone(&self.0);
        Peer::serve(socket, move |method, params| shared.answer(method, params))
    }

    /// Serves the flavor of these instances on a socket.
    pub fn flavor(&self, socket: &Path) -> Peer {
        let shared = Arc::clone(&self.0);
        Peer::serve(socket, move |method, params| {
            shared.answer_flavor(method, params)
        })
    }

    /// A method takes this long from now on, from its effect to its answer; creations take it before
    /// there is anything.
    pub fn takes(&self, method: &str, time: Duration) {
        self.0.manners().latency.insert(method.to_owned(), time);
    }

    /// Calls of a method have a fault from now on.
    pub fn fails(&self, method: &str, fault: Fault) {
        self.0.manners().faults.insert(method.to_owned(), fault);
    }

    /// Calls of a method have no fault from now on.
    pub fn recovers(&self, method: &str) {
        self.0.manners().faults.remove(method);
    }

    /// Only the next so many calls of a method have the fault that was set for it.
    pub fn fails_times(&self, method: &str, fault: Fault, times: u64) {
        let fault = Fault::Times(times, Box::new(fault));
        self.0.manners().faults.insert(method.to_owned(), fault);
    }

    /// What lists show from now on.
    pub fn shows(&self, view: View) {
        self.0.manners().view = view;
    }

    /// What the plugin declares of itself, or that it knows no such question.
    pub fn declares(&self, behaviour: Value) {
        self.0.manners().behaviour = Some(behaviour);
    }

    /// Creations are known by their tokens: one with a token that was there before is the same one, and
    /// with another content it is refused.
    pub fn knows_tokens(&self) {
        self.0.manners().tokens = true;
    }

    /// Lists come in pages from now on, to those who ask for them.
    pub fn pages(&self, pages: Pages) {
        self.0.manners().pages = Some(pages);
    }

    /// New instances are in these zones by turns, which the tag `zone` names.
    pub fn zones(&self, zones: &[&str]) {
        self.0.manners().zones = zones.iter().map(|zone| (*zone).to_owned()).collect();
    }

    /// Lists show, and say that they cover, these zones; `None` for everything.
    pub fn covers(&self, zones: Option<&[&str]>) {
        let named = |zones: &[&str]| zones.iter().map(|zone| (*zone).to_owned()).collect();
        self.0.manners().covers = zones.map(named);
    }

    /// New instances vanish by themselves so long after they were made; `None` ends that.
    pub fn vanish_after(&self, time: Option<Duration>) {
        self.0.manners().vanish = time;
    }

    /// New instances are sick whose properties hold this value at `Note`; `None` ends that.
    pub fn sick_note(&self, note: Option<&str>) {
        self.0.manners().sick_note = note.map(str::to_owned);
    }

    /// The ids of instances are used again: each new one gets the lowest that is free.
    pub fn reuses_ids(&self) {
        self.0.manners().reuse = true;
    }

    /// Instances are sick from now on, or well again.
    pub fn sicken(&self, ids: &[String], sick: bool) {
        let mut world = self.0.world();
        for id in ids {
            world.sicken(id, sick);
        }
    }

    /// Loses an instance, as by a failure of its machine. Returns whether it was there.
    pub fn lose(&self, id: &str) -> bool {
        self.0.world().end(id)
    }

    /// The plugin loses its memory: what is there stays, and is neither shown nor found, until
    /// [`Provider::remember`].
    pub fn forget(&self) {
        self.0.world().hide(true);
    }

    /// What was forgotten is known again.
    pub fn remember(&self) {
        self.0.world().hide(false);
    }

    /// Puts an instance there that nobody asked for, or that somebody asked for long ago.
    pub fn put(&self, id: &str, spec: &Value) {
        self.0.world().put(id, spec);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::json;

    use super::*;
    use crate::peer::Peer;
    use crate::rpc;

    fn provider() -> (tempfile::TempDir, std::path::PathBuf, Provider, Peer) {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let socket = folder.path().join("cloud");
        let provider = Provider::default();
        let peer = provider.instances(&socket);
        (folder, socket, provider, peer)
    }

    fn spec(logical: &str) -> Value {
        json!({"Spec": {"LogicalID": logical, "Tags": {"infrakit.group": "g"}, "Properties": {"Note": "v1"}}})
    }

    #[test]
    fn it_counts_bodies_with_those_on_their_way() {
        let (_folder, socket, provider, _peer) = provider();
        provider.takes("Instance.Provision", Duration::from_millis(300));
        std::thread::scope(|scope| {
            for name in ["a", "a", "b"] {
                let socket = socket.clone();
                scope.spawn(move || rpc::call(&socket, "Instance.Provision", &spec(name)).unwrap());
            }
        });
        assert_eq!(
            (
                provider.begun("g"),
                provider.peak("g"),
                provider.bodies("g")
            ),
            (3, 3, 2)
        );
        let start = Instant::now();
        let ids = provider.ids("g");
        for id in &ids {
            rpc::call(&socket, "Instance.Destroy", &json!({"Instance": id})).unwrap();
        }
        assert_eq!(
            (provider.ids("g").len(), provider.fewest("g", start)),
            (0, 0)
        );
        assert_eq!(provider.destroyed(), ids.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn it_fails_as_it_is_told_to() {
        let (_folder, socket, provider, _peer) = provider();
        let make = || rpc::call(&socket, "Instance.Provision", &spec("a"));
        provider.fails_times("Instance.Provision", Fault::CloseAfter, 1);
        assert!(make().is_err() && provider.ids("g").len() == 1);
        provider.fails("Instance.Provision", Fault::Throttled(7));
        let answer = rpc::post(&socket, r#"{"method": "Instance.Provision", "id": 1}"#).unwrap();
        assert_eq!(answer.status, 429);
        assert!(
            answer
                .headers
                .contains(&("retry-after".to_owned(), "7".to_owned()))
        );
        provider.fails("Instance.Provision", Fault::OtherId("vm-1".to_owned()));
        assert_eq!(make().unwrap()["ID"], "vm-1");
        provider.recovers("Instance.Provision");
        make().unwrap();
        assert_eq!((provider.ids("g").len(), provider.begun("g")), (2, 3));
        let list = || rpc::call(&socket, "Instance.DescribeInstances", &json!({})).unwrap();
        provider.shows(View::Nobody);
        assert_eq!(list()["Descriptions"], json!([]));
        provider.shows(View::Old(Duration::from_secs(60)));
        assert_eq!(list()["Descriptions"], json!([]));
        provider.shows(View::True);
        provider.forget();
        assert_eq!(list()["Descriptions"], json!([]));
        provider.remember();
        assert_eq!(list()["Descriptions"].as_array().unwrap().len(), 2);
    }
}
