//! What an operator says of a plugin wins over what the plugin says, and is read while all runs.

use infrakit_tests::eventually;
use infrakit_tests::provider::{Fault, Provider};
use infrakit_tests::site::{SOON, Site, at_once, cattle};
use serde_json::json;

/// A provider that has made what it was asked for within a second, or never will.
const QUICK: &str = "cloud:
  create: {give_up_s: 1}
  visibility_window_s: {list: 0}
  list: {lag_s: 0, relapse_s: 0}
";

fn says(site: &Site, words: &str, expected: &str) {
    eventually(SOON, expected, || {
        let said = site.says(words);
        let said_so = said.contains(expected);
        said_so.then_some(()).ok_or(said)
    });
}

#[test]
fn what_is_set_wins_and_is_read_again_when_it_changes() {
    let site = Site::new();
    site.provider
        .declares(json!({"create": {"give_up_s": 3600}, "tombstone_s": 7}));
    site.provider
        .fails_times("Instance.Provision", Fault::CloseBefore, 1);
    let _daemon = site.start(&[]);
    site.commit(&cattle("g", 1, "v1"));
    says(&site, "group why g", "may take until");
    assert!(
        site.says("plugin ls -o wide")
            .contains("create.give_up_s=3600 tombstone_s=7")
    );
    site.home.write("plugins.yml", QUICK);
    site.provider.settles("g", 1, "v1", SOON);
    let wide = site.says("plugin ls -o wide");
    assert!(
        wide.contains("create.give_up_s=1 (set; declared 3600)"),
        "{wide}"
    );
    assert!(wide.contains("list.lag_s=0 (set)"), "{wide}");
    // A slip while it is edited changes nothing but what is said.
    site.home
        .write("plugins.yml", &QUICK.replace("give_up_s", "giveup_s"));
    let slip = "plugins.yml` line 2: `create.giveup_s` is not known; did you mean `give_up_s`?";
    says(&site, "group why g", slip);
    let wide = site.says("plugin ls -o wide");
    assert!(wide.contains(slip), "{wide}");
    let former = "create.give_up_s=1 (set before; declared 3600)";
    assert!(wide.contains(former), "{wide}");
    site.provider
        .fails_times("Instance.Provision", Fault::CloseBefore, 1);
    site.commit(&cattle("g", 2, "v1"));
    site.provider.settles("g", 2, "v1", SOON);
}

#[test]
fn a_wrong_setting_is_named_with_its_line_and_the_others_go_on() {
    let cases = [
        ("give_up_s: -5", "line 2: `create.give_up_s` is -5"),
        (
            "give_up_s: 31536000",
            "line 2: `create.give_up_s` is 31536000",
        ),
        ("gives_up: 1", "line 2: `create.gives_up` is not known"),
        ("give_up_s: soon", "line 2: `create`: "),
        ("give_up_s: [", "plugins.yml` is not YAML at line "),
    ];
    at_once(&cases, |(setting, said)| {
        let site = Site::new();
        let other = Provider::default();
        let _instances = other.instances(&site.home.socket("other"));
        site.home.write(
            "plugins.yml",
            &format!("cloud:\n  create: {{{setting}}}\nother:\n  domain_of: zone\n"),
        );
        let _daemon = site.start(&[]);
        let mut document = cattle("h", 2, "v1");
        document["Properties"]["Instance"]["Plugin"] = json!("other");
        site.commit(&cattle("g", 2, "v1"));
        site.commit(&document);
        site.provider.settles("g", 2, "v1", SOON);
        other.settles("h", 2, "v1", SOON);
        let ignored = "`cloud` is treated as if it declared nothing: what is set for it is wrong: ";
        says(&site, "group why g", ignored);
        says(&site, "group why g", said);
        let whole = said.contains("not YAML");
        assert_eq!(site.says("group why h").contains("is wrong"), whole);
    });
}
