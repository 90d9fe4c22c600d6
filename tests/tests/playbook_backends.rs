//! What is done with what a command makes: each backend, in earnest and as a trial.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use infrakit_tests::playbook::{add, bash};
use infrakit_tests::web::Web;
use infrakit_tests::{Home, fleet};

/// Runs a line that must succeed.
fn said(home: &Home, line: &str) -> String {
    home.cli(line).ok().stdout
}

/// How many instances the simulator has.
fn instances(home: &Home) -> usize {
    said(home, "local simulator/compute describe -q")
        .lines()
        .count()
}

/// Puts a program into the home that writes down how it was called.
fn pretend(home: &Home, name: &str, script: &str) {
    let path = home.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}"));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
}

#[test]
fn an_instance_is_created_in_earnest_only() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    add(&home, "examples");
    add(&home, "intro");
    let test = home.cli("use examples instance --test").ok();
    assert!(
        test.stderr
            .contains("would create an instance with plugin `simulator/compute`"),
        "{test:?}"
    );
    home.cli("use examples instance --print-only").ok();
    assert_eq!(instances(&home), 0);
    let id = said(&home, "use examples instance");
    assert_eq!(id.trim().lines().count(), 1);
    assert!(said(&home, "local simulator/compute describe -q").contains(id.trim()));
    said(
        &home,
        "use intro aws provision-instance --user ada --private-ip 10.0.0.1",
    );
    let shown = said(&home, "local simulator/compute describe -o json");
    assert!(
        shown.contains("\"made.by\": \"ada\"") && shown.contains("made.on"),
        "{shown}"
    );
    said(&home, "use examples instance --plugin simulator/disk");
    assert_eq!(instances(&home), 2);
    let unnamed = home.cli("use examples unnamed").failed(2);
    assert!(unnamed.stderr.contains("--plugin: "), "{unnamed:?}");
    assert!(unnamed.stderr.contains("simulator/compute"), "{unnamed:?}");
    let wrong = home
        .cli("use examples instance --plugin simulater")
        .failed(1);
    assert!(
        wrong.stderr.contains("did you mean `simulator`?"),
        "{wrong:?}"
    );
}

#[test]
fn groups_are_committed_in_all_three_ways() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    for name in ["examples", "intro", "controllers"] {
        add(&home, name);
    }
    let test = said(&home, "use examples commit --test");
    assert!(test.contains("Managing 2 instances"), "{test}");
    let test = said(&home, "use intro aws scale-group --accept-defaults --test");
    assert!(
        test.contains("Group mygroup with plugin group plan: "),
        "{test}"
    );
    let test = said(&home, "use examples enforce --test");
    assert!(test.contains("ADD     group stacked"), "{test}");
    assert_eq!(said(&home, "group groups").lines().count(), 1);
    let object = said(&home, "use examples commit");
    assert!(object.contains("name: pbgroup"), "{object}");
    let line = said(
        &home,
        "use intro aws scale-group --accept-defaults --size 3",
    );
    assert_eq!(
        line,
        "Group mygroup with plugin group plan: Managing 3 instances\n"
    );
    assert_eq!(
        said(&home, "use examples enforce --stack group"),
        "Enforced\n"
    );
    for (group, size) in [("pbgroup", 2), ("mygroup", 3), ("stacked", 2)] {
        fleet::converged(&home, group, size, Duration::from_secs(30));
    }
    // What a playbook prints is a document for other commands.
    for line in [
        "infrakit use controllers group | infrakit group commit - --wait --timeout 30s",
        "infrakit group commit <(infrakit use controllers group --size 3) --wait --timeout 30s",
    ] {
        bash(&home, line).ok();
    }
    fleet::converged(&home, "piped", 3, Duration::from_secs(30));
    let wrong = home.cli("use examples enforce --stack vanilla").failed(1);
    assert!(wrong.stderr.contains("is no manager"), "{wrong:?}");
}

#[test]
fn a_request_is_sent_with_method_headers_and_body() {
    let home = Home::new();
    let web = Web::serve(home.path());
    add(&home, "examples");
    let url = web.url("answer");
    let test = home
        .infrakit(&["use", "examples", "http", "--url", &url, "--test"])
        .ok();
    assert!(test.stderr.contains("would send this by POST"), "{test:?}");
    assert!(web.asked().is_empty());
    let run = home
        .infrakit(&["use", "examples", "http", "--url", &url])
        .ok();
    assert_eq!(run.stdout, "POST /answer x-test: yes \n{\"a\": \"b\"}");
    let put = home
        .infrakit(&["use", "examples", "http", "--url", &url, "--method", "PUT"])
        .ok();
    assert!(put.stdout.starts_with("PUT /answer"), "{put:?}");
    let refused = home
        .infrakit(&["use", "examples", "http", "--url", &web.url("refuse")])
        .failed(1);
    assert!(refused.stderr.contains("418"), "{refused:?}");
    let nobody = format!("http://127.0.0.1:{}/x", web.port());
    drop(web);
    home.infrakit(&["use", "examples", "http", "--url", &nobody])
        .failed(1);
    home.infrakit(&["use", "examples", "http", "--url", "nowhere"])
        .failed(1);
}

#[test]
fn a_script_runs_on_every_machine_and_says_where_it_failed() {
    let home = Home::new();
    add(&home, "examples");
    home.write("key", "secret");
    pretend(
        &home,
        "ssh",
        "echo \"$@\" >> calls\nwhile [ \"$1\" != -- ]; do shift; done; shift\n\
         case $1 in bad) exit 255;; odd) exit 4;; esac\nexec sh -c \"$2\"\n",
    );
    let run = home
        .infrakit(&[
            "use",
            "examples",
            "remote",
            "--message",
            "it's me",
            "--",
            "a b",
        ])
        .ok();
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("it's me a b\n", "err\n")
    );
    let run = home
        .cli("use examples remote --hostport one:2222 --hostport two --user u --keyfile key")
        .ok();
    for host in ["one:2222", "two"] {
        assert!(run.stdout.contains(&format!("{host}: hi")), "{run:?}");
        assert!(run.stderr.contains(&format!("{host}: err")), "{run:?}");
    }
    let calls = home.read("calls");
    assert!(calls.contains("-i key -l u -p 2222 -- one"), "{calls}");
    assert!(calls.contains("-i key -l u -- two"), "{calls}");
    let run = home
        .cli("use examples remote --hostport good --hostport bad --hostport odd")
        .failed(1);
    assert!(run.stdout.contains("good: hi"), "{run:?}");
    assert!(
        run.stderr
            .contains("odd: the script ended with exit code 4"),
        "{run:?}"
    );
    assert!(run.stderr.contains("bad: ssh failed"), "{run:?}");
    assert!(run.stderr.contains("failed on 2 of 3 machines"), "{run:?}");
    home.write("calls", "");
    let test = home.cli("use examples remote --hostport one --test").ok();
    assert!(
        test.stderr.contains("would run ssh") && home.read("calls").is_empty(),
        "{test:?}"
    );
    for (flags, why) in [
        ("--password x", "--password is not supported"),
        ("--keyfile nosuch", "there is no key file `nosuch`"),
        ("--hostport=-oProxyCommand=x", "is no machine"),
    ] {
        let run = home.cli(&format!("use examples remote {flags}")).failed(2);
        assert!(run.stderr.contains(why), "{flags}: {run:?}");
    }
    assert!(home.read("calls").is_empty());
}

/// A newcomer starts the program by its path.
#[test]
fn a_script_finds_the_program_that_runs_it() {
    let home = Home::new();
    home.write("own.sh", "{{/* =% sh %= */}}infrakit version\n");
    home.cli("playbook add own own.sh").ok();
    let mut command = home.command("infrakit");
    command.args(["use", "own"]).env("PATH", "/usr/bin:/bin");
    let run = home.run(command, Duration::from_secs(30)).ok();
    assert!(run.stdout.contains("Interfaces"), "{run:?}");
}

#[test]
fn a_script_runs_in_a_container_where_there_is_docker() {
    let home = Home::new();
    add(&home, "examples");
    // Whatever this machine has, this home has no docker.
    let mut command = home.command("infrakit");
    command
        .args(["use", "examples", "box"])
        .env("PATH", home.path().join("bin"));
    let run = home.run(command, Duration::from_secs(30)).failed(1);
    assert!(
        run.stderr.contains("there is no `docker` in PATH"),
        "{run:?}"
    );
    pretend(
        &home,
        "docker",
        "[ \"$1\" = --version ] && exit 0\necho \"$@\" >> calls\nwhile [ \"$1\" != /bin/sh ]; do shift; done\n\"$@\"\nexit 7\n",
    );
    let test = home.cli("use examples box --test").ok();
    assert!(
        test.stderr
            .contains("would run docker run --rm -i --network none alpine:3 /bin/sh -s"),
        "{test:?}"
    );
    let run = home
        .cli("use examples box --image other:1 -- x y")
        .failed(7);
    assert_eq!(run.stdout, "in a box x y\n");
    assert_eq!(
        home.read("calls"),
        "run --rm -i --network none other:1 /bin/sh -s -- x y\n"
    );
}

#[test]
fn a_plan_for_vmware_is_shown_and_nothing_else() {
    let home = Home::new();
    add(&home, "examples");
    assert_eq!(
        said(&home, "use examples plan --test"),
        "\n{\"label\": \"plan\"}\n"
    );
    let run = home.cli("use examples plan").failed(1);
    assert!(
        run.stderr.contains("does not carry such plans out"),
        "{run:?}"
    );
    assert!(run.stderr.contains("--test"), "{run:?}");
    assert_eq!(
        said(&home, "use examples resources vpc").trim(),
        "# \n# vpc".trim()
    );
}

#[test]
fn metadata_is_read_and_is_written_in_earnest_only() {
    let home = Home::new();
    let _daemon = fleet::start(&home, &[]);
    home.write(
        "meta.sh",
        "{{/* =% print %= */}}{{ metadata `group/vars/size` 7 }}{{ metadata `group/vars/size` }}",
    );
    said(&home, "playbook add meta meta.sh");
    for flag in ["--test", "--print-only"] {
        home.cli(&format!("use meta {flag}")).ok();
        home.cli("local group/vars cat size").failed(1);
    }
    assert_eq!(said(&home, "use meta"), "7\n");
    assert_eq!(said(&home, "local group/vars cat size"), "7\n");
}
