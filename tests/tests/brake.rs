//! The brake, as operators put it on and let it go.

use infrakit_tests::refusal::one_line;
use infrakit_tests::rollout::{SOON, commit, ids};
use infrakit_tests::{Home, fleet};

/// Checks that the brake is on, and that nothing came of a larger size.
fn stands(home: &Home, group: &str) {
    let why = home.infrakit(&["group", "why", group]).ok();
    assert!(why.stdout.contains("frozen"), "{why:#?}");
    assert_eq!(ids(home, group).len(), 1);
}

#[test]
fn a_group_is_thawed_by_its_name_and_all_groups_by_saying_so() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    commit(&home, &fleet::cattle("a", "file", 1, 1));
    fleet::converged(&home, "a", 1, SOON);
    home.cli("freeze a").ok();
    home.cli("group scale a 3").ok();
    // As of `"$GROUP"` where the variable is not set.
    for words in [
        ["thaw", ""].as_slice(),
        &["freeze", ""],
        &["group", "thaw", ""],
        &["group", "destroy", ""],
    ] {
        one_line(&home.infrakit(words), "its id is empty");
    }
    one_line(&home.infrakit(&["thaw"]), "which group?");
    one_line(&home.infrakit(&["thaw", "--all"]), "a");
    stands(&home, "a");
    home.cli("thaw a").ok();
    fleet::converged(&home, "a", 3, SOON);

    home.cli("group scale a 1").ok();
    fleet::converged(&home, "a", 1, SOON);
    home.cli("group freeze --all").ok();
    home.cli("group scale a 2").ok();
    one_line(&home.infrakit(&["thaw", "a"]), "thaw --all");
    stands(&home, "a");
    home.cli("thaw --all").ok();
    fleet::converged(&home, "a", 2, SOON);
}
