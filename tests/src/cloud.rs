//! An instance plugin that counts: what is true of a group, whatever the program believes.
//!
//! It lives in the test process, so it outlives each daemon, as a cloud outlives its clients: a
//! creation that was begun is finished although nobody waits for its answer any more.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::random::Random;
use crate::{fleet, peer::Peer};

/// The cloud. Dropping it removes its socket.
pub struct Cloud {
    _peer: Peer,
    ground: Arc<Ground>,
}

/// How long a creation or destruction takes, at least and at most, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Latency(pub u64, pub u64);

impl Latency {
    /// Answers at once.
    pub const NONE: Self = Self(0, 0);
}

/// What there is, under one lock: what is counted is exact.
struct Ground {
    truth: Mutex<Truth>,
    latency: Latency,
}

#[derive(Default)]
struct Truth {
    instances: BTreeMap<String, Instance>,
    next: u64,
    /// Highest number of instances of a group that ever were there together.
    peaks: BTreeMap<String, usize>,
    calls: BTreeMap<String, u64>,
    random: Option<Random>,
}

#[derive(Clone, Debug)]
struct Instance {
    tags: BTreeMap<String, String>,
    properties: Value,
    logical_id: Value,
}

impl Cloud {
    /// Listens on `socket`; `seed` decides how long each creation and destruction takes.
    ///
    /// # Panics
    /// When the socket cannot be made.
    pub fn listen(socket: &Path, latency: Latency, seed: u64) -> Self {
        let ground = Arc::new(Ground {
            truth: Mutex::new(Truth {
                random: Some(Random::new(seed)),
                ..Truth::default()
            }),
            latency,
        });
        Self::on(socket, ground)
    }

    fn on(socket: &Path, ground: Arc<Ground>) -> Self {
        let mine = Arc::clone(&ground);
        let peer = Peer::listen(socket, move |method, params| {
            Some(mine.answer(method, params))
        });
        Self {
            _peer: peer,
            ground,
        }
    }

    /// Goes away with its socket and all connections, as a plugin does that is stopped; what it
    /// has created stays. [`Stopped::restart`] brings it back.
    pub fn stop(self) -> Stopped {
        Stopped(self.ground)
    }

    /// Instances of a group by id, with the properties of each.
    pub fn members(&self, group: &str) -> BTreeMap<String, Value> {
        let truth = self.ground.truth();
        let all = truth.instances.iter();
        let members = all.filter(|(_, one)| belongs(one, group));
        members
            .map(|(id, one)| (id.clone(), one.properties.clone()))
            .collect()
    }

    /// The highest number of instances of a group that were ever there together.
    pub fn peak(&self, group: &str) -> usize {
        let truth = self.ground.truth();
        truth.peaks.get(group).copied().unwrap_or_default()
    }

    /// How often a method was called, as in `Instance.Provision`.
    pub fn calls(&self, method: &str) -> u64 {
        let truth = self.ground.truth();
        truth.calls.get(method).copied().unwrap_or_default()
    }

    /// Loses an instance, as by a failure of its machine. Returns whether it was there.
    pub fn lose(&self, id: &str) -> bool {
        self.ground.truth().instances.remove(id).is_some()
    }
}

/// A cloud that is not listening.
pub struct Stopped(Arc<Ground>);

impl Stopped {
    /// Listens again, with every instance that was there.
    ///
    /// # Panics
    /// When the socket cannot be made.
    pub fn restart(self, socket: &Path) -> Cloud {
        Cloud::on(socket, self.0)
    }
}

fn belongs(one: &Instance, group: &str) -> bool {
    one.tags.get(fleet::GROUP).is_some_and(|own| own == group)
}

impl Ground {
    fn truth(&self) -> std::sync::MutexGuard<'_, Truth> {
        self.truth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes as long as an effect takes.
    fn linger(&self) {
        let Latency(low, high) = self.latency;
        if high == 0 {
            return;
        }
        let mut truth = self.truth();
        let time = truth
            .random
            .as_mut()
            .map_or(Duration::ZERO, |random| random.millis(low, high));
        drop(truth);
        sleep(time);
    }

    fn answer(&self, method: &str, params: &Value) -> Value {
        *self.truth().calls.entry(method.to_owned()).or_default() += 1;
        match method {
            "Instance.Provision" => {
                self.linger();
                json!({"Type": "", "ID": self.truth().provision(&params["Spec"])})
            }
            "Instance.Destroy" => {
                self.linger();
                let id = params["Instance"].as_str().unwrap_or_default();
                self.truth().instances.remove(id);
                json!({"Type": "", "OK": true})
            }
            "Instance.Label" => {
                let id = params["Instance"].as_str().unwrap_or_default();
                if let Some(one) = self.truth().instances.get_mut(id) {
                    one.tags.extend(tags(&params["Labels"]));
                }
                json!({"Type": "", "OK": true})
            }
            "Instance.DescribeInstances" => {
                let list = self.truth().describe(&tags(&params["Tags"]));
                json!({"Type": "", "Descriptions": list})
            }
            "Instance.Behaviour" => behaviour(),
            "Handshake.Hello" => hello(),
            _ => json!({"Type": "", "OK": true}),
        }
    }
}

/// What a plugin with one instance object says of itself.
pub fn hello() -> Value {
    json!({"Objects": {"Instance/0.6.1": [{"Name": ".", "ProxyFor": ""}]}})
}

/// What the cloud declares of itself: a creation that was not begun within a second never was, what
/// was made shows at once, and what a list lacks is gone.
fn behaviour() -> Value {
    json!({"Type": "", "Behaviour": {
        "create": {"answer_means": "exists", "give_up_s": 1},
        "visibility_window_s": {"get": 0, "list": 0, "tag": 0},
        "list": {"lag_s": 0, "relapse_s": 0, "complete": "yes", "durable": true},
        "id": {"reused": "never"},
    }})
}

impl Truth {
    fn provision(&mut self, spec: &Value) -> String {
        self.next += 1;
        let id = format!("vm-{}", self.next);
        let instance = Instance {
            tags: tags(&spec["Tags"]),
            properties: spec["Properties"].clone(),
            logical_id: spec["LogicalID"].clone(),
        };
        let group = instance.tags.get(fleet::GROUP).cloned();
        self.instances.insert(id.clone(), instance);
        if let Some(group) = group {
            let now = self
                .instances
                .values()
                .filter(|one| belongs(one, &group))
                .count();
            let peak = self.peaks.entry(group).or_default();
            *peak = now.max(*peak);
        }
        id
    }

    fn describe(&self, wanted: &BTreeMap<String, String>) -> Vec<Value> {
        let matches = |one: &Instance| wanted.iter().all(|(k, v)| one.tags.get(k) == Some(v));
        let found = self.instances.iter().filter(|(_, one)| matches(one));
        found
            .map(|(id, one)| {
                json!({
                    "ID": id,
                    "LogicalID": one.logical_id,
                    "Tags": one.tags,
                    "Properties": one.properties,
                })
            })
            .collect()
    }
}

fn tags(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc;

    #[test]
    fn the_cloud_counts_what_was_there_together() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let socket = folder.path().join("cloud");
        let cloud = Cloud::listen(&socket, Latency::NONE, 1);
        let spec = json!({"Spec": {"Tags": {"infrakit.group": "g"}}});
        for _ in 0..3 {
            rpc::call(&socket, "Instance.Provision", &spec).unwrap();
        }
        assert!(cloud.lose("vm-2") && !cloud.lose("vm-2"));
        assert_eq!((cloud.members("g").len(), cloud.peak("g")), (2, 3));
        let cloud = cloud.stop();
        assert!(!socket.exists());
        let cloud = cloud.restart(&socket);
        let wanted = json!({"Tags": {"infrakit.group": "h"}});
        let none = rpc::call(&socket, "Instance.DescribeInstances", &wanted).unwrap();
        assert_eq!(none["Descriptions"], json!([]));
        assert_eq!(
            (cloud.members("g").len(), cloud.calls("Instance.Provision")),
            (2, 3)
        );
    }
}
