//! Commands against real plugins, on sockets in a temporary home.

mod rollouts;
mod world;

use std::ffi::OsString;

use crate::app;
use crate::context::testing;
use world::World;

fn cattle(version: &str, size: usize) -> String {
    format!(
        r#"{{"ID": "cattle", "Properties": {{"Allocation": {{"Size": {size}}},
        "Instance": {{"Plugin": "instance-file", "Properties": {{"Note": "Instance properties version {version}"}}}},
        "Flavor": {{"Plugin": "flavor-vanilla", "Properties": {{
            "Init": ["docker pull nginx:alpine", "docker run -d -p 80:80 nginx-alpine"],
            "Tags": {{"tier": "web", "project": "infrakit"}},
            "Attachments": [{{"ID": "attachid", "Type": "attachtype"}}]}}}}}}}}"#
    )
}

fn tutorial() -> World {
    let world = World::start(&[
        ("group", "group"),
        ("file", "instance-file"),
        ("vanilla", "flavor-vanilla"),
    ]);
    world.file("cattle.json", &cattle("1.0", 5));
    world.file("cattle2.json", &cattle("2.0", 10));
    world
}

#[test]
fn the_tutorial_runs_word_for_word() {
    let world = tutorial();
    let listed = world.run("plugin ls");
    let names: Vec<&str> = listed
        .lines()
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "INTERFACE",
            "Flavor/0.1.1",
            "Group/0.1.1",
            "Metadata/0.1.1",
            "Instance/0.6.1"
        ]
    );
    assert_eq!(world.run("instance-file describe"), "ID  LOGICAL  TAGS\n");
    assert_eq!(
        world.run("group commit HOME/cattle.json"),
        "Committed cattle: Managing 5 instances\n"
    );
    assert_eq!(world.run("group ls"), "ID\ncattle\n");
    let members = world.until_lines("group describe cattle", 6);
    assert!(members.contains(
        "=x4nrsdaibscmj7awpkxzx5vvpt6pilw2,infrakit.group=cattle,project=infrakit,tier=web\n"
    ));
    assert_eq!(members, world.run("instance-file describe"));
    assert_eq!(world.run("group free cattle"), "Freed cattle\n");
    assert_eq!(world.run("group ls"), "ID\n");
    assert_eq!(
        world.run("group commit HOME/cattle.json"),
        "Committed cattle: Managing 5 instances\n"
    );
    let plan = "Performing a rolling update on 5 instances, then adding 5 instances to increase the group size to 10\n";
    let pretended = world.run("group commit HOME/cattle2.json --pretend");
    assert!(
        pretended.starts_with(&format!("Committing cattle would involve: {plan}")),
        "{pretended}"
    );
    let waited = world.run("group commit HOME/cattle2.json --wait --timeout 20s");
    assert!(
        waited.starts_with(&format!("Committed cattle: {plan}")),
        "{waited}"
    );
    assert!(
        waited.contains("Group cattle at 10 instances, converged after "),
        "{waited}"
    );
    let members = world.run("group describe cattle");
    assert_eq!(
        members
            .matches("=jpfedp4sefvncwye5b6yre5qoz2odtnd,")
            .count(),
        10,
        "{members}"
    );
    assert_eq!(
        world.run("group destroy cattle"),
        "Destroy cattle initiated\n"
    );
    world.until_lines("instance-file describe", 1);
    let error = world.error("group describe cattle");
    assert!(
        error.starts_with("error: Group 'cattle' is not being watched\n  tip: there are no groups"),
        "{error}"
    );
}

#[test]
fn both_styles_reach_the_same_object() {
    let world = tutorial();
    world.run("local group commit-group HOME/cattle.json");
    world.until_lines("local group ls cattle", 6);
    assert_eq!(world.run("local group groups -q"), "cattle\n");
    assert_eq!(
        world.run("group/cattle ls"),
        world.run("group describe cattle")
    );
    assert_eq!(
        world.run("group/cattle scale"),
        "Group cattle at 5 instances\n"
    );
    assert_eq!(
        world.run("group scale cattle 3"),
        "Group cattle at 5 instances, scale to 3\n"
    );
    world.until_lines("group describe cattle", 4);
    assert_eq!(
        world.run("group metadata cat specs/cattle/Properties/Allocation/Size"),
        "3\n"
    );
    assert_eq!(world.run("metadata cat group/specs/cattle/ID"), "cattle\n");
    assert_eq!(world.run("metadata ls group"), "groups\nspecs\n");
    assert!(
        world
            .run("group inspect cattle -y")
            .starts_with("ID: cattle\nProperties:\n")
    );
    let described = world.run("group describe cattle -o json");
    let json: serde_json::Value = serde_json::from_str(&described).unwrap();
    assert_eq!(json.as_array().map(Vec::len), Some(3));
    assert_eq!(world.run("local group free-group cattle"), "Freed cattle\n");
}

#[test]
fn instances_are_made_and_destroyed_by_hand() {
    let world = tutorial();
    world.file(
        "one.yml",
        "Tags: {a: '1'}\nProperties: {Note: {{ var \"note\" }}}\n",
    );
    let id = world.run("instance-file provision --var note=mine HOME/one.yml");
    let id = id.trim();
    let rows = world.run("instance-file describe --tags a=1 -pq");
    assert!(rows.contains("\"Note\":\"mine\""), "{rows}");
    assert_eq!(
        world.run("instance-file describe --tags nosuch"),
        "ID  LOGICAL  TAGS\n"
    );
    assert_eq!(
        world.run("instance-file validate --var note=x HOME/one.yml"),
        "validate:ok\n"
    );
    assert_eq!(
        world.run(&format!("instance-file destroy {id}")),
        format!("destroyed {id}\n")
    );
    assert!(
        world
            .error("instance-file destroy nosuch")
            .starts_with("error: ")
    );
    let prepared =
        world.run("flavor-vanilla prepare str://{\"Init\":[\"a\",\"b\"]} --view {{.Init}}");
    assert_eq!(prepared, "a\nb\n");
}

#[test]
fn mistakes_are_answered_in_one_line_with_a_tip() {
    let world = tutorial();
    world.run("group commit HOME/cattle.json");
    world.file("bad.json", "{\"ID\": \"x\",\n \"Propertees\": {}}");
    world.file("unset.yml", "Properties: {Note: {{ var \"note\" }}}\n");
    world.file("broken.yml", "kind: group\nmetadata: {name: [\n");
    for (line, message, tip) in [
        (
            "group describe catle",
            "Group 'catle' is not being watched",
            "did you mean `cattle`?",
        ),
        (
            "grup ls",
            "there is no command or plugin `grup`",
            "did you mean `group`?",
        ),
        (
            "local grup ls",
            "there is no plugin `grup`",
            "did you mean `group`?",
        ),
        ("group comit x", "unrecognized command `comit`", "`commit`"),
        (
            "group commit --pretned x",
            "unexpected argument `--pretned`",
            "`--pretend`",
        ),
        (
            "group commit HOME/catle.json",
            "catle.json`: it does not exist",
            "cattle.json`?",
        ),
        (
            "group commit HOME/bad.json",
            "unknown field `Propertees` at line 2 column 2",
            "did you mean `Properties`?",
        ),
        ("group commit HOME/broken.yml", "is not YAML at line ", ""),
        (
            "instance-file provision HOME/unset.yml",
            "is not YAML at line 1",
            "--var name=value",
        ),
        ("group describe", "which group?", "`infrakit group groups`"),
        ("group scale cattle -1", "size cannot be negative", ""),
        (
            "manager leader",
            "no manager is running",
            "plugin start manager",
        ),
        (
            "plugin stop grup",
            "there is no plugin `grup`",
            "did you mean `group`?",
        ),
        (
            "metadata cat group/nosuch",
            "`group` has no value at `nosuch`",
            "infrakit group keys",
        ),
    ] {
        let error = world.error(line);
        let mut lines = error.lines();
        let first = lines.next().unwrap();
        assert!(
            first.starts_with("error: ") && first.contains(message),
            "{line}: {error}"
        );
        assert!(
            lines.next().unwrap_or_default().contains(tip),
            "{line}: {error}"
        );
        assert_eq!(lines.next(), None, "{line}: {error}");
    }
    assert_eq!(world.run("group ls"), "ID\ncattle\n");
}

#[test]
fn help_lists_plugins_as_commands_with_what_they_implement() {
    let world = tutorial();
    let help = world.run("-h");
    for line in [
        "  flavor-vanilla  Access plugin flavor-vanilla which implements Flavor/0.1.1",
        "  group           Access plugin group which implements Group/0.1.1,Metadata/0.1.1",
        "  instance-file   Access plugin instance-file which implements Instance/0.6.1",
        "  local           Access the plugins of this machine, whatever their names",
        "  orphans         List what came too late for its group, or may still come",
    ] {
        assert!(help.contains(line), "{line}\n{help}");
    }
    assert!(help.find("  completion").unwrap() < help.find("  flavor-vanilla").unwrap());
    let verbs = world.run("instance-file --help");
    assert!(
        verbs.starts_with("Access plugin instance-file which implements Instance/0.6.1\n"),
        "{verbs}"
    );
    for verb in ["describe", "destroy", "info", "provision", "validate"] {
        assert!(verbs.contains(&format!("\n  {verb} ")), "{verb}\n{verbs}");
    }
    assert!(
        world
            .run("local")
            .contains("Access plugin group which implements")
    );
    assert!(
        world
            .run("group commit --help")
            .contains("Example:\n  infrakit group commit")
    );
}

#[test]
fn every_verb_explains_itself_with_an_example() {
    let world = World::start(&[
        ("group", "group-stateless"),
        ("manager", "group"),
        ("simulator", "simulator"),
        ("vanilla", "vanilla"),
    ]);
    let (context, _) = testing::context(&[("INFRAKIT_HOME", world.home.path().to_str().unwrap())]);
    let whole = crate::dynamic::whole(&context);
    whole.clone().debug_assert();
    let mut seen = 0;
    for object in whole
        .get_subcommands()
        .filter(|object| !crate::words::is_static(object.get_name()))
    {
        let rollout = object.find_subcommand("rollout").into_iter();
        let below = rollout.flat_map(clap::Command::get_subcommands);
        for verb in object.get_subcommands().chain(below) {
            let help = verb.clone().render_long_help().to_string();
            assert!(
                verb.get_about().is_some(),
                "{} {}",
                object.get_name(),
                verb.get_name()
            );
            assert!(
                help.contains("Example:"),
                "{} {}",
                object.get_name(),
                verb.get_name()
            );
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn a_manager_serves_groups_under_its_own_name() {
    let world = World::start(&[
        ("manager", "group"),
        ("group", "group-stateless"),
        ("file", "instance-file"),
        ("vanilla", "flavor-vanilla"),
    ]);
    world.file(
        "groups.json",
        &format!(
            r#"[{{"Plugin": "group", "Properties": {}}}]"#,
            cattle("1.0", 2)
        ),
    );
    let pretended = world.run("manager commit HOME/groups.json --pretend");
    assert!(
        pretended.starts_with("Group cattle with plugin group plan: Managing 2 instances\n"),
        "{pretended}"
    );
    assert!(pretended.contains("2 come"), "{pretended}");
    assert!(!pretended.contains("--plan"), "{pretended}");
    assert_eq!(world.run("group ls"), "ID\n");
    world.run("manager commit HOME/groups.json");
    world.until_lines("group describe cattle", 3);
    world.until_lines("group/cattle describe", 3);
    assert_eq!(
        world.run("group describe"),
        "KIND   NAME          ID\ngroup  group/cattle  cattle\n"
    );
    assert!(
        world
            .run("manager inspect -y")
            .starts_with("- Plugin: group\n  Properties:\n    ID: cattle\n")
    );
    assert!(
        world
            .run("manager leader")
            .starts_with("IsLeader       : true\n")
    );
    assert!(world.run("group specs -y").contains("name: cattle"));
    let error = world.error("group/catle describe");
    assert!(error.contains("did you mean `group/cattle`?"), "{error}");
    world.run("group/vars change a=1 -c");
    assert_eq!(world.run("metadata cat group/vars/a"), "1\n");
    assert_eq!(
        world.run("group destroy cattle"),
        "Destroy cattle initiated\n"
    );
}

#[test]
fn a_dead_plugin_is_left_out_with_a_warning() {
    let world = World::start(&[("vanilla", "vanilla")]);
    let socket = world.home.path().join("plugins/dead");
    drop(std::os::unix::net::UnixListener::bind(socket).unwrap());
    let listed = world.run("plugin ls -q");
    assert_eq!(listed.lines().count(), 1, "{listed}");
    let error = world.error("dead describe");
    assert!(error.contains("plugin `dead` does not answer"), "{error}");
}

#[test]
fn a_remote_in_the_environment_is_not_silently_this_machine() {
    let world = World::start(&[("vanilla", "vanilla")]);
    let home = world.home.path().to_str().unwrap();
    world.run("remote add swarm1 10.0.0.1:24864");
    let run = |host: &str, line: &str| {
        let (context, written) =
            testing::context(&[("INFRAKIT_HOME", home), ("INFRAKIT_HOST", host)]);
        let result = app::run(
            &context,
            line.split_whitespace().map(OsString::from).collect(),
        );
        (result, written.text())
    };
    for line in [
        "infrakit plugin ls",
        "infrakit vanilla -h",
        "infrakit swarm1 vanilla -h",
    ] {
        let (result, _) = run("swarm1", line);
        assert!(
            result.unwrap_err().message().contains("not supported yet"),
            "{line}"
        );
    }
    let (result, _) = run("swarm", "infrakit plugin ls");
    assert!(
        result
            .unwrap_err()
            .render(false)
            .unwrap()
            .contains("did you mean `swarm1`?")
    );
    let (result, text) = run("swarm1", "infrakit local vanilla -h");
    result.unwrap();
    assert!(text.contains("prepare"), "{text}");
    assert_eq!(run("swarm1", "infrakit remote current").1, "swarm1\n");
}
