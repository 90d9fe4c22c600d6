//! Groups that change what they are: another instance plugin, identities given and taken, other
//! sets of identities. Nobody goes who can stay, and nothing is left behind.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_tests::rollout::{SOON, commit, ids, settled, with};
use infrakit_tests::{Home, eventually, fleet};
use serde_json::{Value, json};

fn cattle(size: u64, plugin: &str) -> Value {
    fleet::cattle("cattle", plugin, size, 1)
}

fn pets(names: &[&str]) -> Value {
    with(
        cattle(0, "file"),
        "Allocation",
        json!({"LogicalIDs": names}),
    )
}

/// Identities of the members by id.
fn identities(home: &Home) -> BTreeMap<String, String> {
    let description = fleet::describe(home, "cattle").unwrap_or_else(|fault| panic!("{fault}"));
    let members = description["Instances"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    members
        .map(|one| {
            let field = text(&one["LogicalID"]);
            let tag = text(&one["Tags"]["infrakit.logical_id"]);
            (text(&one["ID"]), if field.is_empty() { tag } else { field })
        })
        .collect()
}

/// Waits until the members have exactly these identities, and the group is as specified.
fn named(home: &Home, names: &[&str]) -> BTreeMap<String, String> {
    let want: BTreeSet<&str> = names.iter().copied().collect();
    eventually(SOON, &format!("members named {names:?}"), || {
        let found = identities(home);
        let have: BTreeSet<&str> = found.values().map(String::as_str).collect();
        let description = fleet::describe(home, "cattle").map_err(|fault| fault.to_string())?;
        if have == want && found.len() == names.len() && description["Converged"] == json!(true) {
            Ok(found)
        } else {
            Err(format!("{found:?}"))
        }
    })
}

fn files(home: &Home) -> usize {
    let files = std::fs::read_dir(home.path().join("instances")).expect("it is there");
    files
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().starts_with("instance-"))
        .count()
}

#[test]
fn a_group_moves_to_another_plugin_and_leaves_nothing_behind() {
    let home = Home::new();
    let mut daemon = fleet::start(&home, &[]);
    settled(&home, &cattle(4, "file"), 4);
    let before = ids(&home, "cattle");
    assert_eq!(files(&home), 4);
    commit(&home, &cattle(4, "simulator/disk"));
    // The budget holds across both: never less than three members of four.
    let mut least = usize::MAX;
    eventually(SOON, "nothing is left on the former plugin", || {
        least = least.min(ids(&home, "cattle").len());
        match files(&home) {
            0 => Ok(()),
            count => Err(format!("{count} files")),
        }
    });
    assert!(least >= 3, "only {least} members were there");
    fleet::converged(&home, "cattle", 4, SOON);
    let after = ids(&home, "cattle");
    assert!(after.is_disjoint(&before));
    let there = home.cli("simulator/disk describe -q").ok();
    assert_eq!(there.stdout.lines().count(), 4, "{there:?}");
    // And back again, with a controller that is killed on the way.
    commit(&home, &cattle(4, "file"));
    eventually(SOON, "it has begun", || match files(&home) {
        0 => Err("no file".to_owned()),
        _ => Ok(()),
    });
    daemon.restart().wait_for(&["group", "vanilla", "file"]);
    fleet::converged(&home, "cattle", 4, SOON);
    eventually(SOON, "four files", || match files(&home) {
        4 => Ok(()),
        count => Err(format!("{count} files")),
    });
}

#[test]
fn cattle_become_pets_and_pets_cattle_as_they_are() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    settled(&home, &cattle(3, "file"), 3);
    let before = ids(&home, "cattle");
    commit(&home, &pets(&["a", "b", "c"]));
    named(&home, &["a", "b", "c"]);
    assert_eq!(ids(&home, "cattle"), before);
    settled(&home, &cattle(3, "file"), 3);
    assert_eq!(ids(&home, "cattle"), before);
    // Who had a name keeps it, and only names that nobody has are given away.
    let names = identities(&home);
    commit(&home, &pets(&["a", "d"]));
    let after = named(&home, &["a", "d"]);
    let kept = |found: &BTreeMap<String, String>| {
        let mut found = found.iter();
        found
            .find(|(_, name)| *name == "a")
            .map(|(id, _)| id.clone())
    };
    assert_eq!(kept(&after), kept(&names));
    settled(&home, &cattle(4, "file"), 4);
}

#[test]
fn another_set_of_identities_touches_only_the_difference() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    commit(&home, &pets(&["a", "b", "c"]));
    let before = named(&home, &["a", "b", "c"]);
    commit(&home, &pets(&["c", "d", "a"]));
    let after = named(&home, &["a", "c", "d"]);
    for (id, name) in &before {
        let kept = after.get(id);
        match name.as_str() {
            "b" => assert_eq!(kept, None),
            _ => assert_eq!(kept, Some(name)),
        }
    }
}

#[test]
fn the_member_that_the_controller_runs_on_is_drained_and_never_destroyed() {
    let home = Home::new();
    let own = [("INFRAKIT_GROUP_SELF_LOGICAL_ID", "b")];
    let _daemon = fleet::start(&home, &own);
    let drained = home.path().join("drained").display().to_string();
    let version = |version: u64| {
        let mut document = pets(&["a", "b", "c"]);
        document["Properties"]["Instance"]["Properties"]["Note"] = json!(version);
        document["Properties"]["Flavor"]["Properties"] = json!({
            "Drain": {"Command": ["sh", "-c", format!("echo $INFRAKIT_LOGICAL_ID >> {drained}")]},
        });
        document
    };
    commit(&home, &version(1));
    let before = named(&home, &["a", "b", "c"]);
    commit(&home, &version(2));
    eventually(SOON, "all are drained", || {
        let text = std::fs::read_to_string(&drained).unwrap_or_default();
        if text.lines().count() == 3 {
            Ok(())
        } else {
            Err(text)
        }
    });
    let text = std::fs::read_to_string(&drained).expect("just read");
    assert_eq!(text.lines().last(), Some("b"), "it is not the last: {text}");
    let after = eventually(SOON, "the others are new", || {
        let found = identities(&home);
        let kept = found.keys().filter(|id| before.contains_key(*id)).count();
        if found.len() == 3 && kept == 1 {
            Ok(found)
        } else {
            Err(format!("{found:?}"))
        }
    });
    for (id, name) in &before {
        assert_eq!(after.contains_key(id), name == "b", "{name}");
    }
    let why = home.cli("group why cattle").ok().stdout;
    assert!(why.contains("the controller runs on it"), "{why}");
    println!(
        "{why}{}",
        home.cli("group rollout status cattle").ok().stdout
    );
}
