//! Instance plugins of other processes, other hosts and other releases, and groups that live on them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use infrakit_tests::peer::Peer;
use infrakit_tests::rpc::{self, Session};
use infrakit_tests::{Daemon, Home, eventually};
use serde_json::{Value, json};

const CONVERGED: Duration = Duration::from_secs(20);
const INFO: &[u8] = b"GET /info/api.json HTTP/1.1\r\nHost: h\r\n\r\n";

fn start(home: &Home) -> Daemon<'_> {
    let mut daemon = home.daemon(
        "infrakit",
        &["plugin", "start", "manager", "group", "vanilla"],
    );
    daemon.wait_for(&["group", "vanilla"]);
    daemon
}

/// Passes connections of a port of this machine on to a socket. Returns `host:port`.
fn relay(socket: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound").to_string();
    std::thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = UnixStream::connect(&socket) else {
                continue;
            };
            let (Ok(mut from), Ok(mut to)) = (near.try_clone(), far.try_clone()) else {
                continue;
            };
            std::thread::spawn(move || {
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
            std::thread::spawn(move || {
                let _ = io::copy(&mut &far, &mut &near);
                let _ = near.shutdown(Shutdown::Both);
            });
        }
    });
    address
}

/// Waits until `plugin ls` has a plugin: it leaves out one that does not greet within a second,
/// which happens on a busy machine.
fn listed(home: &Home, address: &str, name: &str) {
    eventually(CONVERGED, &format!("`{name}` is listed"), || {
        let listing = home.cli("plugin ls").ok();
        let shown = listing.rows().iter().any(|row| {
            matches!(row.as_slice(), [interface, at, plugin]
                if interface.starts_with("Instance/0.") && at.ends_with(address) && *plugin == name)
        });
        if shown {
            Ok(())
        } else {
            Err(format!("{listing:?}"))
        }
    });
}

fn spec(group: &str, plugin: &str, size: u32) -> Value {
    json!({"ID": group, "Properties": {
        "Allocation": {"Size": size},
        "Instance": {"Plugin": plugin, "Properties": {"Note": "n"}},
        "Flavor": {"Plugin": "vanilla", "Properties": {"Init": ["l1"], "Tags": {"tier": "web"}}},
    }})
}

fn commit(home: &Home, spec: &Value) -> String {
    let params = json!({"Name": "group/groups", "Spec": spec});
    let said = rpc::call(&home.socket("group"), "Group.CommitGroup", &params);
    let said = said.unwrap_or_else(|fault| panic!("not committed: {fault}: {spec}"));
    said["Details"].as_str().unwrap_or_default().to_owned()
}

/// Waits until a group has converged with `count` members, and returns their ids.
fn converged(home: &Home, group: &str, count: usize) -> BTreeSet<String> {
    let params = json!({"Name": "group/groups", "ID": group});
    eventually(CONVERGED, &format!("{count} members of {group}"), || {
        let said = rpc::call(&home.socket("group"), "Group.DescribeGroup", &params);
        let said = said.map_err(|fault| fault.to_string())?;
        let listed = said["Description"]["Instances"].as_array();
        let ids: BTreeSet<String> = listed
            .into_iter()
            .flatten()
            .filter_map(|one| Some(one["ID"].as_str()?.to_owned()))
            .collect();
        if said["Description"]["Converged"] == true && ids.len() == count {
            Ok(ids)
        } else {
            Err(said.to_string())
        }
    })
}

#[test]
fn a_plugin_behind_a_port_is_found_by_its_listen_file() {
    let home = Home::new();
    let _daemon = start(&home);
    // Elsewhere: the same program on another host, as far as this one can tell.
    let other = Home::new();
    let mut far = other.daemon("infrakit-instance-file", &["--dir", "files"]);
    far.wait_for(&["instance-file"]);
    let address = relay(other.socket("instance-file"));
    home.write("plugins/far.listen", &format!("tcp://{address}"));

    let mut session = Session::tcp(&address).expect("the relay listens");
    let answer = session.ask(INFO);
    assert_eq!(answer.expect("it answers").status, 200);

    listed(&home, &address, "far");

    commit(&home, &spec("g", "far", 3));
    let members = converged(&home, "g", 3);
    let files = std::fs::read_dir(other.path().join("files")).expect("it is there");
    let files: BTreeSet<String> = files
        .map(|entry| entry.expect("it can be read").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.starts_with("instance-"))
        .collect();
    assert_eq!(files, members);
    let described = home.cli("far describe").ok().stdout;
    assert!(
        members.iter().all(|id| described.contains(id)),
        "{described}"
    );
}

/// Which words a plugin of another process greets with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Words {
    /// `Handshake.Hello` and nothing else, as the last release.
    Hello,
    /// `Handshake.Implements` and `Handshake.Types`, as v0.5.
    Types,
    /// `Handshake.Implements` alone, as v0.3.
    Implements,
}

/// An instance plugin of another process, in no language in particular.
struct Foreign {
    words: Words,
    instances: Mutex<BTreeMap<String, Value>>,
    strange: Mutex<Vec<String>>,
}

impl Foreign {
    fn new(words: Words) -> Arc<Self> {
        Arc::new(Self {
            words,
            instances: Mutex::default(),
            strange: Mutex::default(),
        })
    }

    fn listen(self: &Arc<Self>, socket: &Path) -> Peer {
        let plugin = Arc::clone(self);
        Peer::listen(socket, move |method, params| {
            Some(plugin.answer(method, params))
        })
    }

    fn instances(&self) -> BTreeMap<String, Value> {
        let instances = self.instances.lock();
        instances.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn strange(&self) -> Vec<String> {
        let strange = self.strange.lock();
        strange.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn answer(&self, method: &str, params: &Value) -> Value {
        let version = match self.words {
            Words::Hello => "0.6.1",
            Words::Types => "0.5.0",
            Words::Implements => "0.3.0",
        };
        let key = format!("Instance/{version}");
        match (method, self.words) {
            ("Handshake.Hello", Words::Hello) => {
                json!({"Objects": {key: [{"Name": ".", "ProxyFor": ""}]}})
            }
            ("Handshake.Implements", Words::Types | Words::Implements) => {
                json!({"APIs": [{"Name": "Instance", "Version": version}]})
            }
            ("Handshake.Types", Words::Types) => json!({"Types": {key: ["."]}}),
            (_, words) if method.starts_with("Instance.") => self.serve(method, params, words),
            _ => {
                let message = format!("rpc: can't find method \"{method}\"");
                json!({"error": {"code": -32000, "message": message, "data": null}})
            }
        }
    }

    fn serve(&self, method: &str, params: &Value, words: Words) -> Value {
        let instances = self.instances.lock();
        let mut instances = instances.unwrap_or_else(PoisonError::into_inner);
        let id = params["Instance"].as_str().unwrap_or_default();
        match method {
            "Instance.Provision" => {
                let id = format!("vm-{}", instances.len());
                instances.insert(id.clone(), params["Spec"].clone());
                json!({"Type": "", "ID": id})
            }
            "Instance.Destroy" => {
                instances.remove(id);
                json!({"Type": "", "OK": true})
            }
            "Instance.DescribeInstances" => {
                let wanted = params["Tags"].as_object().cloned().unwrap_or_default();
                let listed = instances.iter().filter(|(_, spec)| {
                    wanted
                        .iter()
                        .all(|(key, value)| spec["Tags"][key] == *value)
                });
                let listed: Vec<Value> = listed
                    .map(|(id, spec)| {
                        json!({"ID": id, "LogicalID": spec["LogicalID"], "Tags": spec["Tags"]})
                    })
                    .collect();
                json!({"Type": "", "Descriptions": listed})
            }
            "Instance.Validate" => json!({"Type": "", "OK": true}),
            // Each plugin is asked how its provider behaves, and none of those releases knows that.
            "Instance.Behaviour" => {
                json!({"error": {"code": -32000, "message": format!("rpc: can't find method \"{method}\"")}})
            }
            _ => {
                let strange = self.strange.lock();
                let mut strange = strange.unwrap_or_else(PoisonError::into_inner);
                strange.push(format!("{words:?}: {method} {params}"));
                json!({"error": {"code": -32000, "message": format!("rpc: can't find method \"{method}\"")}})
            }
        }
    }
}

#[test]
fn groups_live_on_plugins_of_every_release() {
    let home = Home::new();
    let _daemon = start(&home);
    for words in [Words::Hello, Words::Types, Words::Implements] {
        let name = format!("{words:?}").to_lowercase();
        let plugin = Foreign::new(words);
        let peer = plugin.listen(&home.socket(&name));
        assert_eq!(
            commit(&home, &spec(&name, &name, 3)),
            "Managing 3 instances"
        );
        let members = converged(&home, &name, 3);
        let there: BTreeSet<String> = plugin.instances().into_keys().collect();
        assert_eq!(there, members, "{words:?}");
        for (id, spec) in plugin.instances() {
            assert_eq!(spec["Init"], "l1", "{id}");
            assert_eq!(spec["Properties"], json!({"Note": "n"}), "{id}");
            assert_eq!(spec["Tags"]["tier"], "web", "{id}");
            assert_eq!(spec["Tags"]["infrakit.group"], name, "{id}");
        }
        listed(&home, "", &name);
        let params = json!({"Name": "group/groups", "ID": name});
        let destroyed = rpc::call(&home.socket("group"), "Group.DestroyGroup", &params);
        destroyed.unwrap_or_else(|fault| panic!("{words:?}: {fault}"));
        assert_eq!(plugin.instances(), BTreeMap::new(), "{words:?}");
        assert_eq!(plugin.strange(), Vec::<String>::new());
        drop(peer);
    }
}
