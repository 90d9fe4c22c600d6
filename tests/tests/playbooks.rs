//! Playbooks with the structures that those of the original have, and how their commands behave.

use infrakit_tests::Home;
use infrakit_tests::playbook::{add, answering, bash};

/// Runs a line that must succeed, without anybody to ask; returns what it printed.
fn said(home: &Home, line: &str) -> String {
    home.cli(line).ok().stdout
}

/// The lines that are not empty.
fn lines(text: &str) -> Vec<&str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn a_tree_of_indexes_is_a_tree_of_commands() {
    let home = Home::new();
    add(&home, "intro");
    add(&home, "callable");
    let top = said(&home, "use intro");
    for (command, about) in [
        ("aws", "2 commands below it"),
        ("events", "2 commands below it"),
        ("start-infrakit", "Starts all of it"),
    ] {
        let line = top.lines().find(|line| line.trim().starts_with(command));
        assert!(
            line.is_some_and(|line| line.contains(about)),
            "{command}: {top}"
        );
    }
    assert!(top.contains("How to start, and what there is."), "{top}");
    for line in ["use intro events ls", "playbook intro events ls"] {
        assert_eq!(said(&home, line), "topics\n");
    }
    // The text beside an index is shown with the index, and not again with each command.
    let command = said(&home, "use intro events ls -h");
    assert!(!command.contains("what there is"), "{command}");
    // A directory stands for the index in it, however deep.
    assert_eq!(
        said(&home, "use callable sub sub2 provision_subnet"),
        "> \n> subnet\n> \n"
    );
    assert_eq!(
        lines(&said(
            &home,
            "use callable sub provision_vpc --cidr 1.0.0.0/8"
        )),
        ["vpc 1.0.0.0/8"]
    );
}

#[test]
fn sourced_scripts_bring_their_flags_questions_and_variables() {
    let home = Home::new();
    add(&home, "intro");
    let help = said(&home, "use intro start-infrakit -h");
    for flag in [
        "--infrakit-image",
        "--infrakit-port",
        "--project",
        "--start-aws",
        "--access-key",
        "--zones",
    ] {
        assert!(help.contains(flag), "{flag}: {help}");
    }
    let run = said(&home, "use intro start-infrakit --accept-defaults");
    assert_eq!(
        lines(&run),
        ["base infrakit/devbundle:dev at localhost:24864"]
    );
    std::fs::create_dir(home.path().join(".aws")).expect("the home is new");
    home.write(".aws/credentials", "[default]\naws_access_key_id = KEY\n");
    let run = said(
        &home,
        "use intro start-infrakit --accept-defaults --start-aws true --project mine --infrakit-port 1",
    );
    assert_eq!(
        lines(&run),
        [
            "base infrakit/devbundle:dev at localhost:1",
            "aws of mine with KEY",
            "zone a",
            "zone b",
            "aws is up"
        ]
    );
}

#[test]
fn answers_come_from_a_pipe_line_by_line() {
    let home = Home::new();
    add(&home, "intro");
    let line = ["use", "intro", "start-infrakit"];
    let run = answering(&home, &line, "img\n\nproj\nyes\n\nz\n").ok();
    assert_eq!(
        lines(&run.stdout),
        [
            "base img at localhost:24864",
            "aws of proj with",
            "zone z",
            "aws is up"
        ]
    );
    for question in [
        "Which image? [infrakit/devbundle:dev]: ",
        "Which port? [24864]: ",
        "Start AWS? [no]: ",
    ] {
        assert!(run.stderr.contains(question), "{}", run.stderr);
    }
    for (input, want) in [
        ("y\n", "stopping"),
        ("nope\n", "going on"),
        ("", "going on"),
    ] {
        let run = answering(&home, &["use", "intro", "stop-infrakit"], input).ok();
        assert_eq!(lines(&run.stdout), [want]);
    }
    let wrong = answering(&home, &["use", "intro", "stop-infrakit"], "perhaps\n").failed(1);
    assert!(
        wrong.stderr.contains("`perhaps` is neither true nor false"),
        "{wrong:?}"
    );
}

#[test]
fn a_person_at_a_terminal_is_asked_again() {
    let home = Home::new();
    add(&home, "callable");
    home.write("ask.sh", "{{/* =% sh %= */}}{{ $n := flag `n` `int` `x` | prompt `How many?` `int` }}echo got {{ $n }}");
    said(&home, "playbook add ask ask.sh");
    // `script` gives the command a terminal of its own.
    let run = bash(
        &home,
        "printf 'many\\n4\\n' | script -qec 'infrakit use ask' /dev/null",
    )
    .ok();
    assert!(
        run.stdout.contains("`many` is not a whole number"),
        "{run:?}"
    );
    assert!(run.stdout.contains("got 4"), "{run:?}");
}

#[test]
fn without_anybody_to_ask_a_missing_answer_is_an_error_that_names_the_flag() {
    let home = Home::new();
    home.write("ask.sh", "{{/* =% sh %= */}}{{ $n := flag `ami` `string` `x` | prompt `AMI?` `string` }}echo {{ $n }}");
    said(&home, "playbook add ask ask.sh");
    for line in [
        "use ask",
        "use ask --accept-defaults",
        "use ask --print-only",
    ] {
        let run = home.cli(line).failed(1);
        assert!(
            run.stderr
                .contains("`AMI?` has no answer: it has no default"),
            "{line}: {run:?}"
        );
        assert!(
            run.stderr.contains("answer it with `--ami`"),
            "{line}: {run:?}"
        );
    }
    assert_eq!(said(&home, "use ask --ami x"), "x\n");
}

#[test]
fn functions_of_documented_playbooks_work() {
    let home = Home::new();
    add(&home, "linuxkit");
    let run = said(&home, "use linuxkit install");
    let got = lines(&run);
    assert_eq!(got.len(), 2, "{run}");
    assert_eq!(
        got[0],
        "50f81feaabfb4e0fdb8195bd608c3ab90f419ceb7012991e53bce768368267a2"
    );
    assert_eq!(got[1], format!("{}/bin", home.path().display()));
    assert_eq!(said(&home, "use linuxkit demo-sshd inspect"), "3 none\n");
    assert_eq!(
        said(&home, "use linuxkit demo-sshd hyperkit list-instances"),
        "instances\n"
    );
    let run = said(
        &home,
        "use linuxkit start --accept-defaults --start-gcp true",
    );
    assert_eq!(
        lines(&run),
        [
            "gcp of testproject in us-central1-f",
            "{ \"project\": \"testproject\" }"
        ]
    );
    let run = said(&home, "use linuxkit start --accept-defaults --project p");
    assert_eq!(lines(&run), ["{ \"project\": \"p\" }"]);
}

#[test]
fn a_playbook_rewrites_a_file_in_a_real_run_only() {
    let home = Home::new();
    add(&home, "linuxkit");
    home.write("hosts", "old: h:1\n");
    for flag in ["--test", "--print-only"] {
        let run = home.cli(&format!("use linuxkit hosts {flag}")).ok();
        assert_eq!(home.read("hosts"), "old: h:1\n", "{flag}");
        assert!(run.stderr.contains("would be written"), "{run:?}");
    }
    said(&home, "use linuxkit hosts --address h:2");
    let text = home.read("hosts");
    assert!(
        text.contains("gcp: h:2") && text.contains("old: h:1"),
        "{text}"
    );
}

#[test]
fn words_and_exit_codes_go_through_the_shell() {
    let home = Home::new();
    add(&home, "callable");
    assert_eq!(
        said(&home, "use callable lines --lines 2 --word w -- a -b"),
        "w 0 a -b\nw 1 a -b\n"
    );
    assert_eq!(said(&home, "use callable lines --lines 1 x"), "line 0 x\n");
    home.write(
        "exit.sh",
        "{{/* =% sh %= */}}\necho \"$1\"; exit {{ flag `code` `int` `x` 3 }}",
    );
    said(&home, "playbook add exit exit.sh");
    let run = home.infrakit(&["use", "exit", "a b"]).failed(3);
    assert_eq!(run.stdout, "a b\n");
    assert!(
        run.stderr
            .contains("the script of `exit` ended with exit code 3"),
        "{run:?}"
    );
    assert_eq!(home.cli("use exit --code 0").ok().stdout, "\n");
    home.write("kill.sh", "{{/* =% sh %= */}}\nkill -TERM $$");
    said(&home, "playbook add kill kill.sh");
    home.cli("use kill").failed(143);
    let test = home.cli("use exit --test").ok();
    assert!(
        test.stdout.contains("exit 3") && test.stderr.contains("would run /bin/sh -s"),
        "{test:?}"
    );
}

#[test]
fn print_only_prints_and_does_nothing() {
    let home = Home::new();
    add(&home, "intro");
    add(&home, "examples");
    for line in [
        "use intro start-infrakit",
        "use examples instance",
        "use examples commit",
        "use examples http",
    ] {
        let run = home
            .cli(&format!("{line} --print-only --accept-defaults"))
            .ok();
        assert!(
            !run.stdout.is_empty() && !run.stderr.contains("panic"),
            "{line}: {run:?}"
        );
    }
}

#[test]
fn a_text_says_what_it_is_or_what_is_missing() {
    let home = Home::new();
    add(&home, "controllers");
    let run = said(&home, "use controllers pool --accept-defaults");
    assert_eq!(
        lines(&run),
        [
            "kind: pool",
            "metadata:",
            "name: hosts",
            "options:",
            "Parallelism: 2",
            "WaitForAll: true",
            "Depends: @depend('net/subnet/ID')@"
        ]
    );
    let run = answering(
        &home,
        &["use", "controllers", "pool", "--parallelism", "4"],
        "no\n",
    )
    .ok();
    assert!(run.stdout.contains("Parallelism: 4") && run.stdout.contains("WaitForAll: false"));
    home.write("none.txt", "just text");
    said(&home, "playbook add none none.txt");
    let run = home.cli("use none").failed(1);
    assert!(
        run.stderr
            .contains("does not say what is to be done with it"),
        "{run:?}"
    );
    assert!(run.stderr.contains("=% sh %="), "{run:?}");
    assert_eq!(said(&home, "use none --print-only"), "just text\n");
}
