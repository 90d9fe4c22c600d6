//! How playbooks are kept, explained and completed, and what is said about wrong input.

use std::path::Path;

use infrakit_tests::Home;
use infrakit_tests::playbook::{add, copy};

/// Runs a line that must succeed, without anybody to ask; returns what it printed.
fn said(home: &Home, line: &str) -> String {
    home.cli(line).ok().stdout
}

#[test]
fn help_is_made_from_the_file() {
    let home = Home::new();
    home.write(
        "greet.sh",
        "#!/bin/sh\n{{/* =% sh %= */}}\n# Greets somebody.\n{{ flag \"name\" \"string\" \"Who to greet\" }}\
         {{ flag \"times\" \"int\" \"How often\" 2 }}{{ flag \"loud\" \"bool\" \"In capitals\" false }}\
         {{ flag \"pause\" \"duration\" \"Between two\" \"1s\" }}{{ listflag \"to\" \"string\" \"And these\" \"a,b\" }}",
    );
    said(&home, "playbook add greet greet.sh");
    let want = "\
Greets somebody

Usage: infrakit use greet [OPTIONS] [ARGUMENT]...

Arguments:
  [ARGUMENT]...  Handed on to what runs the command; those with a dash behind `--`

Options:
      --log <LEVEL>       How much to log: 0 nothing, 1 and 2 errors, 3 warnings, 4 changes, 5 every
                          step [default: 3]
      --name <STRING>     Who to greet
      --times <INT>       How often [default: 2]
      --loud[=<BOOL>]     In capitals [default: false]
      --pause <DURATION>  Between two [default: 1s]
      --to <LIST>         And these [default: a,b]
  -h, --help              Print help
      --accept-defaults   Take the defaults of questions without asking
      --print-only        Print what the command makes, and do nothing with it
      --test              Show what would be done, and do not do it

Backend: sh, runs the script with /bin/sh
";
    for line in ["use greet -h", "use greet --help", "help use greet"] {
        assert_eq!(said(&home, line), want, "{line}");
    }
}

#[test]
fn wrong_input_is_one_line_with_a_way_out() {
    let home = Home::new();
    let directory = copy(&home, "callable");
    home.write(
        "callable/index.yml",
        "lines: lines.sh\ngone: gone.sh\nbroken: broken.sh\n",
    );
    home.write("callable/broken.sh", "{{/* =% sh %= */}}{{ nosuchfunc }}");
    let added = home
        .cli(&format!("playbook add p {}", directory.display()))
        .ok();
    assert!(
        added
            .stderr
            .contains("command `p gone` has no file: `gone.sh` does not exist"),
        "{added:?}"
    );
    for (line, code, message, tip) in [
        (
            "use other",
            2,
            "there is no playbook `other`",
            "playbook ls",
        ),
        (
            "use p line",
            2,
            "playbook `p` has no command `line`",
            "did you mean `lines`?",
        ),
        (
            "use p zzz",
            2,
            "playbook `p` has no command `zzz`",
            "it has broken, gone, lines",
        ),
        (
            "use p lines --lines many",
            2,
            "`many` is not a whole number",
            "",
        ),
        (
            "use p lines --linez 1",
            2,
            "unexpected argument `--linez`",
            "`--lines`",
        ),
        (
            "use p gone",
            1,
            "command `p gone` has no file: `gone.sh`",
            "playbook update p",
        ),
        (
            "use p broken",
            1,
            "broken.sh:1:22: function \"nosuchfunc\" not defined",
            "",
        ),
        (
            "playbook add p x.yml",
            2,
            "there is a playbook `p` already",
            "playbook update p",
        ),
        (
            "playbook add r nosuch.yml",
            1,
            "nosuch.yml: it does not exist",
            "",
        ),
        (
            "playbook add ls callable",
            2,
            "a playbook cannot be named `ls`",
            "",
        ),
        (
            "playbook add r ftp://h/x",
            2,
            "scheme `ftp` is not known",
            "",
        ),
        ("playbook rm other", 2, "there is no playbook `other`", ""),
        (
            "playbook update other",
            2,
            "there is no playbook `other`",
            "",
        ),
        ("playbook show other", 2, "there is no playbook `other`", ""),
    ] {
        let run = home.cli(line).failed(code);
        assert!(run.stderr.contains(message), "{line}: {run:?}");
        assert!(run.stderr.contains(tip), "{line}: {run:?}");
        assert!(run.stdout.is_empty(), "{line}: {run:?}");
        assert_eq!(run.stderr.matches("error:").count(), 1, "{line}: {run:?}");
    }
    // The others are not disturbed.
    assert_eq!(said(&home, "use p lines --lines 1"), "line 0\n");
}

#[test]
fn the_shell_completes_playbooks_commands_and_flags() {
    let home = Home::new();
    add(&home, "callable");
    add(&home, "intro");
    let complete = |words: &[&str]| {
        let mut command = home.command("infrakit");
        let index = (words.len() - 1).to_string();
        command
            .env("COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", index)
            .env("_CLAP_IFS", "\n")
            .args(["--"])
            .args(words);
        home.run(command, std::time::Duration::from_secs(30))
            .ok()
            .stdout
    };
    let names = complete(&["infrakit", "use", ""]);
    for name in ["callable", "intro", "quickstart"] {
        assert!(names.lines().any(|line| line == name), "{name}: {names}");
    }
    let commands = complete(&["infrakit", "use", "callable", ""]);
    assert!(commands.lines().any(|line| line == "lines"), "{commands}");
    let commands = complete(&["infrakit", "playbook", "callable", "sub", ""]);
    assert!(
        commands.lines().any(|line| line == "provision_vpc"),
        "{commands}"
    );
    let flags = complete(&["infrakit", "use", "callable", "lines", "--"]);
    for flag in ["--lines", "--word", "--print-only"] {
        assert!(flags.lines().any(|line| line == flag), "{flag}: {flags}");
    }
    let names = complete(&["infrakit", "playbook", "update", ""]);
    assert!(names.lines().any(|line| line == "intro"), "{names}");
}

#[test]
fn what_changed_since_it_was_locked_is_not_run() {
    let home = Home::new();
    let directory = copy(&home, "callable");
    said(&home, "playbook add p callable");
    said(&home, "playbook add other callable/start.sh");
    home.write("callable/sub/vpc.yml", "{{/* =% sh %= */}}touch evil");
    for line in ["use p lines", "use p sub provision_vpc", "playbook p lines"] {
        let run = home.cli(line).failed(1);
        assert!(
            run.stderr
                .contains("(changed: `sub/vpc.yml`); nothing was run"),
            "{run:?}"
        );
        assert!(run.stderr.contains("infrakit playbook update p"), "{run:?}");
    }
    assert!(!Path::new(&directory).join("evil").exists());
    assert_eq!(said(&home, "use other"), "started\n");
    let shown = said(&home, "playbook show p");
    assert!(shown.contains("NOT as it was locked"), "{shown}");
    let dry = said(&home, "playbook update p --dry-run");
    assert_eq!(dry, "Updating p would take in:\n  changed  sub/vpc.yml\n");
    home.cli("use p lines").failed(1);
    assert_eq!(
        said(&home, "playbook update p"),
        "Updated p:\n  changed  sub/vpc.yml\n"
    );
    assert_eq!(said(&home, "playbook update p"), "p is up to date\n");
    said(&home, "use p lines");
    let shown: serde_json::Value =
        serde_json::from_str(&said(&home, "playbook show p -o json")).expect("it prints JSON");
    assert_eq!(shown["Matches"], true);
    let lines = shown["Commands"].as_array().expect("a list");
    let lines = lines
        .iter()
        .find(|command| command["Command"] == "lines")
        .expect("it has it");
    assert_eq!(
        (&lines["Backend"], &lines["Flags"][0]["Default"]),
        (&"sh".into(), &"5".into())
    );
}

#[test]
fn registries_of_the_original_are_read_and_written() {
    let home = Home::new();
    let directory = copy(&home, "callable");
    // The newest original, and v0.5 with its own file.
    home.write(
        "playbooks.yml",
        &format!(
            "demo:\n  Cache: \"\"\n  Source: file://{}/index.yml\n",
            directory.display()
        ),
    );
    let run = home.cli("use demo lines --lines 1").ok();
    assert_eq!(run.stdout, "line 0\n");
    assert!(run.stderr.contains("was not locked; it is now"), "{run:?}");
    assert!(
        !home
            .cli("use demo lines --lines 1")
            .ok()
            .stderr
            .contains("locked")
    );
    said(&home, "playbook add more callable/start.sh");
    let text = home.read("playbooks.yml");
    assert!(
        text.contains("demo:\n  Cache: \"\"\n  Source: file:///"),
        "{text}"
    );
    assert!(text.contains("more:\n"), "{text}");

    let home = Home::new();
    let directory = copy(&home, "callable");
    home.write(
        "playbooks",
        &format!("old: file://{}/index.yml\n", directory.display()),
    );
    assert!(said(&home, "playbook ls").contains("old"));
    assert_eq!(said(&home, "playbook old start"), "started\n");
}
