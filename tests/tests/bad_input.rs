//! Bad input of every kind: one clear line on stderr, an exit code that is not 0, a daemon that
//! goes on, and specs that nobody touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use infrakit_tests::peer::Peer;
use infrakit_tests::refusal::{Kept, one_line, with};
use infrakit_tests::{Home, cloud, eventually, fleet, rpc};
use serde_json::{Value, json};

/// Names that are no names, and a word of what is said about each.
fn bad_names() -> [(String, &'static str); 8] {
    [
        ("a/b".to_owned(), "`/`"),
        ("../../etc".to_owned(), "`/`"),
        ("..".to_owned(), "reserved"),
        (".".to_owned(), "reserved"),
        ("two words".to_owned(), "white space"),
        ("two\nlines".to_owned(), "white space"),
        ("bell\u{7}".to_owned(), "control characters"),
        ("x".repeat(300), "longer than 128 bytes"),
    ]
}

#[test]
fn documents_that_cannot_be_read_are_refused_with_their_place() {
    let home = Home::new();
    let kept = Kept::new(&home);
    kept.refused_document(
        "{\n  \"ID\": \"new\",\n  \"Properties\": {]\n}",
        "line 3 column 18",
    );
    kept.refused_document("{\"ID\": \"new\"", "line 1");
    kept.refused_document("ID: new\nProperties:\n  Allocation: {Size: 1\n", "YAML");
    kept.refused_document("ID: new\n\tProperties: {}\n", "YAML");
    kept.refused_document("", "empty");
    kept.refused_document("just words", "object");
    kept.refused_document("[1, 2]", "wanted");
    kept.refused_document(&"[".repeat(100_000), "");
    kept.refused_document(&"- ".repeat(100_000), "");
    kept.refused(&["group", "commit", "not-there.json"], "not-there.json");
    kept.refused(&["group", "commit", "."], ".");
    kept.untouched_after_a_restart();
}

#[test]
fn a_document_of_nothing_is_refused() {
    let home = Home::new();
    let kept = Kept::new(&home);
    for nothing in ["null", "~", "---\n---\n", "# only a remark\n"] {
        kept.refused_document(nothing, "");
    }
    kept.untouched_after_a_restart();
}

#[test]
fn unknown_and_missing_fields_are_refused_by_name() {
    let home = Home::new();
    let kept = Kept::new(&home);
    let mut top = fleet::cattle("new", "file", 2, 1);
    top["Propertiez"] = json!({});
    kept.refused_value(&top, "Propertiez");
    kept.refused_value(&with(&["Alocation"], json!({"Size": 1})), "Alocation");
    kept.refused_value(&with(&["Allocation", "Sise"], json!(1)), "Sise");
    kept.refused_value(&with(&["Instance", "Plugins"], json!("file")), "Plugins");
    kept.refused_value(
        &with(&["Flavor", "Properties", "Inti"], json!(["a"])),
        "Inti",
    );
    kept.refused_value(&with(&["Updating"], json!({"Every": 3})), "Every");
    kept.refused_value(&with(&["Allocation"], json!("three")), "Allocation");
    kept.refused_value(&json!({"ID": "new"}), "");
    kept.refused_value(&json!({"Properties": top["Properties"]}), "ID");
    kept.untouched_after_a_restart();
}

#[test]
fn plugins_that_are_not_there_are_refused_by_name() {
    let home = Home::new();
    let kept = Kept::new(&home);
    kept.refused_value(&with(&["Instance", "Plugin"], json!("nowhere")), "nowhere");
    kept.refused_value(&with(&["Flavor", "Plugin"], json!("nobody")), "nobody");
    kept.refused_value(
        &with(&["Instance", "Plugin"], json!("simulator/none")),
        "none",
    );
    kept.refused_value(&with(&["Instance", "Plugin"], json!("vanilla")), "Instance");
    kept.refused_value(&with(&["Flavor", "Plugin"], json!("file")), "Flavor");
    kept.refused_value(&with(&["Instance", "Plugin"], json!("")), "lugin");
    kept.refused(&["nowhere", "describe"], "nowhere");
    kept.refused(&["plugin", "start", "nowhere"], "nowhere");
    Peer::stale(&home.socket("stale"));
    kept.refused_value(&with(&["Instance", "Plugin"], json!("stale")), "stale");
    kept.untouched_after_a_restart();
}

#[test]
fn sizes_and_identities_that_contradict_are_refused() {
    let home = Home::new();
    let kept = Kept::new(&home);
    let allocation = |value: Value| with(&["Allocation"], value);
    kept.refused_value(
        &allocation(json!({"Size": 2, "LogicalIDs": ["a", "b"]})),
        "Only one",
    );
    kept.refused_value(&allocation(json!({"LogicalIDs": ["a", "b", "a"]})), "`a`");
    kept.refused_value(&allocation(json!({"LogicalIDs": [""]})), "empty");
    kept.refused_value(&allocation(json!({"Size": -1})), "ize");
    kept.refused_value(&allocation(json!({"Size": 1.5})), "ize");
    kept.refused_value(&allocation(json!({"Size": "3"})), "ize");
    kept.refused_value(&allocation(json!({"Size": 1_000_000_000_u64})), "ize");
    kept.refused_value(&allocation(json!({"Size": u64::MAX})), "ize");
    let huge = r#"{"ID": "new", "Properties": {"Allocation": {"Size": 1e400}}}"#;
    kept.refused_document(huge, "");
    kept.refused(&["group", "scale", "good", "-1"], "negative");
    kept.refused(&["group", "scale", "good", "1000000000"], "ize");
    kept.refused(
        &["group", "scale", "good", "99999999999999999999999"],
        "size",
    );
    kept.refused(&["group", "scale", "good", "many"], "many");
    kept.untouched_after_a_restart();
}

#[test]
fn names_that_are_no_names_are_refused() {
    let home = Home::new();
    let kept = Kept::new(&home);
    for (name, clue) in bad_names() {
        let mut document = fleet::cattle("new", "file", 2, 1);
        document["ID"] = json!(name);
        kept.refused_value(&document, clue);
        if !name.contains('/') {
            kept.refused_value(&with(&["Instance", "Plugin"], json!(name)), "");
            kept.refused(&["plugin", "start", &format!("file:{name}")], clue);
        }
        kept.refused_value(&with(&["Flavor", "Plugin"], json!(name)), "");
        kept.refused_value(
            &with(&["Instance", "Plugin"], json!(format!("{name}/x"))),
            "",
        );
        for verb in ["describe", "inspect", "free", "destroy"] {
            kept.refused(&["group", verb, &name], "");
        }
        kept.refused(&["group", "destroy-instances", "good", &name], "");
        kept.refused(&[&name, "describe"], "");
        kept.refused(&["plugin", "stop", &name], "");
    }
    let fine = fs::read_dir(home.path()).expect("it is there");
    let names: Vec<_> = fine.flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names.len(), 6, "something was left behind: {names:?}");
    kept.untouched_after_a_restart();
}

#[test]
fn identities_that_are_no_names_are_refused() {
    let home = Home::new();
    let kept = Kept::new(&home);
    for (name, clue) in bad_names() {
        let pets = with(&["Allocation"], json!({"LogicalIDs": ["fine", name]}));
        kept.refused_value(&pets, clue);
    }
    kept.untouched_after_a_restart();
}

#[test]
fn requests_that_make_no_sense_get_an_error_on_the_wire() {
    let home = Home::new();
    let kept = Kept::new(&home);
    let call = |method: &str, params: Value| rpc::call(&home.socket("group"), method, &params);
    let mut refused = 0;
    let mut refuse = |method: &str, params: Value| {
        let answer = call(method, params.clone());
        assert!(
            matches!(&answer, Err(rpc::Fault::Remote { message, .. }) if !message.is_empty()),
            "{method} {params}: {answer:?}"
        );
        refused += 1;
    };
    for (name, _) in bad_names() {
        let mut document = fleet::cattle("new", "file", 2, 1);
        document["ID"] = json!(name);
        refuse("Group.CommitGroup", json!({"Name": "", "Spec": document}));
        for method in ["DescribeGroup", "FreeGroup", "DestroyGroup", "Size"] {
            refuse(&format!("Group.{method}"), json!({"Name": "", "ID": name}));
        }
        let strangers = json!({"Name": "", "ID": "good", "Instances": [name]});
        refuse("Group.DestroyInstances", strangers);
    }
    refuse("Group.CommitGroup", json!({"Name": "", "Spec": "words"}));
    refuse(
        "Group.SetSize",
        json!({"Name": "", "ID": "good", "Size": -3}),
    );
    refuse(
        "Group.SetSize",
        json!({"Name": "", "ID": "good", "Size": 1_000_000_000}),
    );
    refuse(
        "Group.SetSize",
        json!({"Name": "", "ID": "good", "Size": "3"}),
    );
    refuse("Group.Nothing", json!({}));
    assert_eq!(refused, 8 * 6 + 5);
    // As the original: nothing is answered to what is no request, and nothing comes of it.
    for body in ["", "{", "[]", "nonsense", "{\"jsonrpc\": \"2.0\"}", "\u{0}"] {
        let answer = rpc::post(&home.socket("group"), body);
        let answer = answer.unwrap_or_else(|error| panic!("{body}: {error}"));
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!text.contains("\"result\":{"), "{body}: {text}");
    }
    kept.untouched_after_a_restart();
}

#[test]
fn a_plugin_that_dies_in_the_middle_of_a_call_costs_that_call_only() {
    let home = Home::new();
    let kept = Kept::new(&home);
    let dying = |fatal: &'static str| {
        move |method: &str, _: &Value| match method {
            "Handshake.Hello" => Some(cloud::hello()),
            method if method == fatal => None,
            "Instance.DescribeInstances" => Some(json!({"Type": "", "Descriptions": []})),
            _ => Some(json!({"Type": "", "OK": true})),
        }
    };
    let on_dying = with(&["Instance", "Plugin"], json!("dying"));
    let peer = Peer::listen(&home.socket("dying"), dying("Instance.Validate"));
    kept.refused_value(&on_dying, "dying");
    kept.refused(&["dying", "validate", "good.json"], "good.json");
    drop(peer);
    let _peer = Peer::listen(&home.socket("dying"), dying("Instance.Provision"));
    home.write("spec.json", "{\"Properties\": {}}");
    kept.refused(&["dying", "provision", "spec.json"], "dying");
    let _peer = Peer::listen(&home.socket("deaf"), |_, _| None);
    kept.refused_value(&with(&["Instance", "Plugin"], json!("deaf")), "deaf");
    kept.untouched_after_a_restart();
}

/// What the daemon needs to hear about another home than the harness gives it.
fn elsewhere(home: &Path) -> [(&'static str, PathBuf); 3] {
    [
        ("INFRAKIT_HOME", home.to_path_buf()),
        ("INFRAKIT_PLUGINS_DIR", home.join("plugins")),
        ("INFRAKIT_INSTANCE_FILE_DIR", home.join("instances")),
    ]
}

/// Runs the daemon to its end, in another home.
fn start_fails(home: &Home, program: &str, arguments: &[&str], folder: &Path, clue: &str) {
    let mut command = home.command(program);
    command.args(arguments).envs(elsewhere(folder));
    one_line(&home.run(command, Duration::from_secs(20)), clue);
}

#[test]
fn a_home_that_is_not_there_is_made_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = Home::new();
    let folder = home.path().join("not/yet");
    let settings = elsewhere(&folder);
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, path)| (*name, path.to_str().expect("it is plain")))
        .collect();
    let mut daemon = home.daemon_with("infrakit", &fleet::EVERYTHING, &settings);
    daemon.wait_for_line("Ready");
    let hello = rpc::call(&folder.join("plugins/group"), "Handshake.Hello", &json!({}));
    assert!(hello.is_ok(), "{hello:?}");
    for private in ["plugins", "configs"] {
        let mode = fs::metadata(folder.join(private))
            .expect("it was made")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{private}");
    }
    assert_eq!(daemon.terminate(), 0);
}

#[test]
fn a_home_that_is_a_file_or_cannot_be_written_is_refused() {
    let home = Home::new();
    let file = home.write("file", "");
    start_fails(&home, "infrakit", &fleet::EVERYTHING, &file, "file");
    let below = file.join("below");
    start_fails(&home, "infrakit", &fleet::EVERYTHING, &below, "file");

    let folder = home.path().join("fixed");
    fs::create_dir(&folder).expect("the home is new");
    if rustix::process::geteuid().is_root() {
        let script =
            "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec infrakit \"$@\"";
        if !can_unshare(&home) {
            return;
        }
        let place = folder.to_string_lossy().into_owned();
        let mut arguments = vec!["-m", "sh", "-c", script, &place];
        arguments.extend(fleet::EVERYTHING);
        start_fails(&home, "unshare", &arguments, &folder, "ead-only");
    } else {
        use std::os::unix::fs::PermissionsExt as _;
        let fix = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode));
        fix(0o500).expect("it is ours");
        start_fails(
            &home,
            "infrakit",
            &fleet::EVERYTHING,
            &folder,
            "ermission denied",
        );
        fix(0o700).expect("it is ours");
    }
    assert_eq!(fs::read_dir(&folder).expect("it is there").count(), 0);
}

/// Whether file systems can be mounted for one process; says why a test is skipped if not.
fn can_unshare(home: &Home) -> bool {
    let mut command = home.command("unshare");
    command.args(["-m", "true"]);
    let possible = rustix::process::geteuid().is_root()
        && home.run(command, Duration::from_secs(20)).code == 0;
    if !possible {
        println!("skipped: only root can mount a file system for one process, by `unshare -m`");
    }
    possible
}

#[test]
fn a_second_daemon_on_one_home_ends_and_harms_nothing() {
    let home = Home::new();
    let kept = Kept::new(&home);
    kept.refused(&fleet::EVERYTHING, "already running");
    kept.refused(&["plugin", "start", "file"], "already running");
    // Other names, but the same store.
    let other = ["plugin", "start", "manager:other", "group:another"];
    kept.refused(&other, "configs");
    assert!(!home.socket("other").exists() && !home.socket("another").exists());
    assert!(
        home.cli("group describe good")
            .ok()
            .stdout
            .contains("instance-")
    );
    kept.untouched_after_a_restart();
}

#[test]
fn a_full_disk_costs_the_commits_that_do_not_fit_and_nothing_else() {
    let home = Home::new();
    if !can_unshare(&home) {
        return;
    }
    let store = home.path().join("configs");
    fs::create_dir(&store).expect("the home is new");
    let script =
        "mount -t tmpfs -o size=128k tmpfs \"$INFRAKIT_STORE_DIR\" && exec infrakit \"$@\"";
    let mut arguments = vec!["-m", "sh", "-c", script, "sh"];
    arguments.extend(fleet::EVERYTHING);
    let instances = home.path().join("instances");
    let mut daemon = home.daemon_with(
        "unshare",
        &arguments,
        &[
            ("INFRAKIT_STORE_DIR", store.to_str().expect("it is plain")),
            (
                "INFRAKIT_INSTANCE_FILE_DIR",
                instances.to_str().expect("it is plain"),
            ),
        ],
    );
    daemon.wait_for(&["group", "vanilla", "file"]);
    let commit = |size| fleet::commit(&home, &fleet::cattle("good", "file", size, 1));
    commit(1).unwrap_or_else(|fault| panic!("{fault}"));
    fleet::converged(&home, "good", 1, Duration::from_secs(20));
    let pid = daemon.id();
    let kept = Kept::of(&home, daemon);

    // The disk as the daemon sees it, filled up from outside.
    let seen = PathBuf::from(format!("/proc/{pid}/root"));
    let inside = |path: &Path| seen.join(path.strip_prefix("/").expect("it is absolute"));
    let filler = inside(&store).join("filler");
    let full = fs::write(&filler, vec![0; 1 << 20]);
    assert!(full.is_err(), "the disk has room for a megabyte");
    let long = json!("long ".repeat(3000));
    let mut new = with(&["Instance", "Properties", "Note"], long);
    kept.refused_value_only(&new, "o space left");
    new["ID"] = json!("good");
    kept.refused_value_only(&new, "o space left");
    assert!(
        home.cli("group describe good")
            .ok()
            .stdout
            .contains("instance-")
    );

    // Room again: it goes on by itself.
    fs::remove_file(&filler).expect("it is ours");
    eventually(Duration::from_secs(20), "there is room again", || {
        commit(3).map_err(|fault| fault.to_string())
    });
    fleet::converged(&home, "good", 3, Duration::from_secs(20));
}
