//! The tutorial of the original, command by command, over three daemons and the program.

use std::collections::BTreeSet;
use std::time::Duration;

use infrakit_tests::{Daemon, Home, Output, eventually};

/// Instances of the first version of the group carry this hash, in the original and here.
const FIRST: &str = "x4nrsdaibscmj7awpkxzx5vvpt6pilw2";
const SECOND: &str = "jpfedp4sefvncwye5b6yre5qoz2odtnd";
/// What the second version of the group does to the first one.
const UPDATE: &str = "Performing a rolling update on 5 instances, \
                      then adding 5 instances to increase the group size to 10";
/// The original needs more than a minute to update, for it waits for its poll at each step.
const CONVERGED: Duration = Duration::from_secs(30);

fn cattle(size: u32, version: &str) -> String {
    let template = r#"{
  "ID": "cattle",
  "Properties": {
    "Allocation": {
      "Size": SIZE
    },
    "Instance": {
      "Plugin": "instance-file",
      "Properties": {
        "Note": "Instance properties version VERSION"
      }
    },
    "Flavor": {
      "Plugin": "flavor-vanilla",
      "Properties": {
        "Init": [
          "docker pull nginx:alpine",
          "docker run -d -p 80:80 nginx-alpine"
        ],
        "Tags": {
          "tier": "web",
          "project": "infrakit"
        },
        "Attachments" : [{"ID":"attachid", "Type": "attachtype"}]
      }
    }
  }
}
"#;
    template
        .replace("SIZE", &size.to_string())
        .replace("VERSION", version)
}

fn start(home: &Home) -> [Daemon<'_>; 3] {
    home.write("cattle.json", &cattle(5, "1.0"));
    home.write("cattle2.json", &cattle(10, "2.0"));
    std::fs::create_dir(home.path().join("tutorial")).expect("the home is new");
    let mut daemons = [
        home.daemon("infrakit-group-default", &[]),
        home.daemon("infrakit-instance-file", &["--dir", "./tutorial"]),
        home.daemon("infrakit-flavor-vanilla", &[]),
    ];
    for (daemon, name) in daemons
        .iter_mut()
        .zip(["group", "instance-file", "flavor-vanilla"])
    {
        daemon.wait_for_line(&format!("Listening at: {}", home.socket(name).display()));
        daemon.wait_for(&[name]);
    }
    daemons
}

/// Checks the members that `output` lists: their number, and the hash and tags of each.
fn members(output: &Output, count: usize, hash: &str) -> Result<BTreeSet<String>, String> {
    let rows = output.rows();
    let (header, rows) = rows.split_first().ok_or("nothing was printed")?;
    if *header != ["ID", "LOGICAL", "TAGS"] {
        return Err(format!("header: {header:?}"));
    }
    let tags =
        format!("infrakit.config_sha={hash},infrakit.group=cattle,project=infrakit,tier=web");
    if !rows.is_sorted() {
        return Err(format!("not in the order of the ids: {rows:?}"));
    }
    let mut ids = BTreeSet::new();
    for row in rows {
        let [id, "-", found] = row.as_slice() else {
            return Err(format!("row: {row:?}"));
        };
        if *found != tags || !id.starts_with("instance-") {
            return Err(format!("row: {row:?}, expected tags {tags}"));
        }
        ids.insert((*id).to_owned());
    }
    if ids.len() == count && rows.len() == count {
        Ok(ids)
    } else {
        Err(format!("{} rows instead of {count}: {rows:?}", rows.len()))
    }
}

/// Waits until the group has `count` members of the version `hash` and nothing else.
fn converged(home: &Home, count: usize, hash: &str) -> BTreeSet<String> {
    eventually(CONVERGED, &format!("{count} members with {hash}"), || {
        members(&home.cli("group describe cattle").ok(), count, hash)
    })
}

#[test]
fn three_daemons_are_found_by_the_program() {
    let home = Home::new();
    let _daemons = start(&home);

    let remotes = home.cli("remote ls").ok();
    assert_eq!(remotes.rows(), [["HOST", "URL", "LIST"]]);
    let listing = home.cli("plugin ls").ok();
    let rows = listing.rows();
    assert_eq!(rows[0], ["INTERFACE", "LISTEN", "NAME"]);
    let found: Vec<(&str, &str, &str)> = rows[1..]
        .iter()
        .map(|row| {
            let [interface, listen, name] = row.as_slice() else {
                panic!("row: {row:?}")
            };
            (
                interface.split('/').next().unwrap_or_default(),
                *listen,
                *name,
            )
        })
        .collect();
    let sockets = ["flavor-vanilla", "group", "instance-file"]
        .map(|name| home.socket(name).display().to_string());
    let [vanilla, group, file] = &sockets;
    let expected = [
        ("Flavor", vanilla.as_str(), "flavor-vanilla"),
        ("Group", group, "group"),
        ("Metadata", group, "group"),
        ("Instance", file, "instance-file"),
    ];
    assert_eq!(found, expected, "{}", listing.stdout);

    let help = home.cli("-h").ok().stdout;
    for (name, interface) in [
        ("flavor-vanilla", "Flavor/"),
        ("group", "Group/"),
        ("instance-file", "Instance/"),
    ] {
        let said = format!("Access plugin {name} which implements {interface}");
        let line = help
            .lines()
            .find(|line| line.trim_start().starts_with(name));
        assert!(
            line.is_some_and(|line| line.contains(&said)),
            "no `{said}` in\n{help}"
        );
    }

    let help = home.cli("instance-file -h").ok().stdout;
    for verb in ["describe", "destroy", "info", "provision", "validate"] {
        let offered = help
            .lines()
            .any(|line| line.split_whitespace().next() == Some(verb));
        assert!(offered, "no `{verb}` in\n{help}");
    }

    let describe = home.cli("instance-file describe").ok();
    assert_eq!(describe.rows(), [["ID", "LOGICAL", "TAGS"]]);
}

#[test]
fn the_tutorial_runs_word_for_word() {
    let home = Home::new();
    let _daemons = start(&home);

    let committed = home.cli("group commit ./cattle.json").ok();
    assert_eq!(committed.stdout, "Committed cattle: Managing 5 instances\n");
    assert_eq!(home.cli("group ls").ok().rows(), [["ID"], ["cattle"]]);
    let first = converged(&home, 5, FIRST);
    let seen = members(&home.cli("instance-file describe").ok(), 5, FIRST);
    assert_eq!(seen, Ok(first.clone()));

    assert_eq!(home.cli("group free cattle").ok().stdout, "Freed cattle\n");
    assert_eq!(
        members(&home.cli("instance-file describe").ok(), 5, FIRST),
        Ok(first.clone())
    );
    let committed = home.cli("group commit cattle.json").ok();
    assert_eq!(committed.stdout, "Committed cattle: Managing 5 instances\n");

    let pretended = home.cli("group commit cattle2.json --pretend").ok();
    // The plan comes below what the original says.
    assert_eq!(
        pretended.stdout.lines().next(),
        Some(format!("Committing cattle would involve: {UPDATE}").as_str())
    );
    assert_eq!(
        converged(&home, 5, FIRST),
        first,
        "a pretended commit changes nothing"
    );

    let committed = home.cli("group commit cattle2.json").ok();
    assert_eq!(committed.stdout, format!("Committed cattle: {UPDATE}\n"));
    let before = converged(&home, 10, SECOND);
    assert!(before.is_disjoint(&first), "every old member is replaced");

    home.write("before", &home.cli("group describe cattle").ok().stdout);
    let lost = [before.first(), before.last()].map(|id| id.expect("there are ten").clone());
    for id in &lost {
        std::fs::remove_file(home.path().join("tutorial").join(id)).expect("it has a file");
    }
    let after = eventually(CONVERGED, "two lost members are replaced", || {
        let after = members(&home.cli("group describe cattle").ok(), 10, SECOND)?;
        if lost.iter().any(|id| after.contains(id)) {
            return Err("a lost member is still listed".to_owned());
        }
        Ok(after)
    });
    assert_eq!(before.difference(&after).count(), 2);
    assert_eq!(after.difference(&before).count(), 2);
    let mut diff = home.command("bash");
    diff.args([
        "-c",
        "infrakit group describe cattle > after; diff before after",
    ]);
    // `diff` ends with 1 to say that it found something.
    let diff = home.run(diff, CONVERGED).failed(1).stdout;
    let changed = |mark: &str| -> BTreeSet<&str> {
        let lines = diff.lines().filter_map(|line| line.strip_prefix(mark));
        lines
            .filter_map(|line| line.split_whitespace().next())
            .collect()
    };
    let gone = lost.each_ref().map(String::as_str);
    assert_eq!(changed("< "), gone.into(), "{diff}");
    assert_eq!(changed("> ").len(), 2, "{diff}");

    assert_eq!(
        home.cli("group destroy cattle").ok().stdout,
        "Destroy cattle initiated\n"
    );
    eventually(CONVERGED, "the group is gone", || {
        let listing = home.cli("group ls").ok();
        if listing.rows() == [["ID"]] {
            Ok(())
        } else {
            Err(listing.stdout)
        }
    });
    eventually(CONVERGED, "its instances are gone", || {
        members(&home.cli("instance-file describe").ok(), 0, SECOND)
    });
    let gone = home.cli("group describe cattle").failed(1);
    assert!(
        gone.stderr.contains("Group 'cattle' is not being watched"),
        "{}",
        gone.stderr
    );
}
