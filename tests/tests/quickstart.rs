//! The playbooks that come with the program, as a newcomer uses them.

use std::collections::BTreeSet;
use std::time::Duration;

use infrakit_tests::{Home, eventually, fleet};

const SOON: Duration = Duration::from_secs(30);

/// Runs a line that must succeed.
fn said(home: &Home, line: &str) -> String {
    home.cli(line).ok().stdout
}

/// The members of a group: id and logical id.
fn members(home: &Home, group: &str) -> BTreeSet<(String, String)> {
    let listed = home.cli(&format!("group describe -q {group}"));
    let rows = listed.rows();
    let cell = |row: &[&str], at: usize| {
        row.get(at)
            .map_or_else(String::new, |cell| (*cell).to_owned())
    };
    rows.iter()
        .map(|row| (cell(row, 0), cell(row, 1)))
        .collect()
}

/// Waits until the group has so many members, none of them the lost one.
fn healed(home: &Home, group: &str, size: usize, before: &BTreeSet<(String, String)>) {
    eventually(SOON, &format!("`{group}` heals"), || {
        let now = members(home, group);
        let kept = before.intersection(&now).count();
        if now.len() == size && kept == size - 1 {
            Ok(())
        } else {
            Err(format!("{before:?} became {now:?}"))
        }
    });
}

#[test]
fn a_web_group_heals_and_gets_a_canary() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    let listed = said(&home, "use quickstart");
    for command in [
        "web",
        "canary",
        "quorum",
        "infrakit plugin start manager group vanilla file",
    ] {
        assert!(listed.contains(command), "{listed}");
    }
    let plan = said(&home, "use quickstart web start --size 4 --test");
    assert!(
        plan.starts_with("Group web with plugin group plan: Managing 4 instances\n"),
        "{plan}"
    );
    assert_eq!(said(&home, "group groups").trim(), "ID");
    said(&home, "use quickstart web start --size 4");
    let first = fleet::converged(&home, "web", 4, SOON);

    let before = members(&home, "web");
    said(&home, "use quickstart web lose");
    healed(&home, "web", 4, &before);

    said(&home, "use quickstart canary start --size 4 --version 2");
    eventually(SOON, "the canary waits for its approval", || {
        let shown = said(&home, "use quickstart canary show");
        if shown.contains("AwaitingApproval") {
            Ok(())
        } else {
            Err(shown)
        }
    });
    let hashes = fleet::hashes(&fleet::describe(&home, "web").expect("it is there"));
    assert_eq!(
        hashes.iter().filter(|hash| **hash != first).count(),
        1,
        "{hashes:?}"
    );
    let done = said(&home, "use quickstart canary approve");
    assert!(done.contains("4 of 4 members updated"), "{done}");
    let second = fleet::converged(&home, "web", 4, SOON);
    assert_ne!(first, second);

    said(&home, "use quickstart canary start --size 4 --version 3");
    eventually(SOON, "the next canary waits", || {
        let shown = said(&home, "use quickstart canary show");
        if shown.contains("AwaitingApproval") {
            Ok(())
        } else {
            Err(shown)
        }
    });
    said(&home, "use quickstart canary abort");
    assert_eq!(fleet::converged(&home, "web", 4, SOON), second);

    assert_eq!(
        said(&home, "use quickstart web stop --accept-defaults").trim(),
        "web stays"
    );
    said(&home, "use quickstart web stop --yes");
    eventually(SOON, "the group is gone", || {
        let groups = said(&home, "group groups");
        if groups.contains("web") {
            Err(groups)
        } else {
            Ok(())
        }
    });
}

#[test]
fn a_quorum_heals_under_the_same_name() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    // The same files, added by hand.
    let path = infrakit_tests::program::repository().join("playbooks/index.yml");
    said(&home, &format!("playbook add mine {}", path.display()));
    said(&home, "use mine quorum start --accept-defaults");
    fleet::converged(&home, "quorum", 3, SOON);
    let before = members(&home, "quorum");
    let names: BTreeSet<&str> = before.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["db-1", "db-2", "db-3"]));
    said(&home, "use mine quorum lose --member db-2");
    healed(&home, "quorum", 3, &before);
    let shown = said(&home, "use mine quorum show");
    assert!(shown.contains("db-2"), "{shown}");
    said(&home, "use mine quorum stop --yes");
}

#[test]
fn simulated_machines_do_as_well() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    let plugin = "--plugin simulator/compute";
    said(
        &home,
        &format!("use quickstart web start --size 2 --name sims {plugin}"),
    );
    fleet::converged(&home, "sims", 2, SOON);
    let before = members(&home, "sims");
    said(
        &home,
        &format!("use quickstart web lose --name sims {plugin}"),
    );
    healed(&home, "sims", 2, &before);
}
