//! Playbooks from other machines: copies, updates, what they may reach, and who signed them.

use infrakit_tests::Home;
use infrakit_tests::playbook::copy;
use infrakit_tests::web::Web;

/// Runs a line that must succeed.
fn said(home: &Home, line: &str) -> String {
    home.cli(line).ok().stdout
}

/// A home with a playbook behind a web server.
fn served(name: &str) -> (Home, Web, String) {
    let home = Home::new();
    copy(&home, name);
    let web = Web::serve(&home.path().join(name));
    let url = web.url("index.yml");
    (home, web, url)
}

#[test]
fn a_copy_works_without_a_network_until_it_is_updated() {
    let (home, web, url) = served("callable");
    let added = said(&home, &format!("playbook add web {url}"));
    assert_eq!(added, "Added web: 7 commands in 9 files\n");
    let registry = home.read("playbooks.yml");
    assert!(registry.contains(&format!("Source: {url}")), "{registry}");
    assert!(
        registry.contains("/playbook-cache/web/") && registry.contains("/index.yml"),
        "{registry}"
    );
    let port = web.port();
    home.write("callable/lines.sh", "{{/* =% sh %= */}}echo new");
    drop(web);
    assert_eq!(said(&home, "use web lines --lines 1"), "line 0\n");
    // The server is away: everything stays, and that is an error.
    let before = (home.read("playbooks.yml"), home.read("playbooks.lock"));
    let failed = home.cli("playbook update web").failed(1);
    assert!(
        failed
            .stderr
            .contains("`web` is as it was: failed to read http://127.0.0.1"),
        "{failed:?}"
    );
    assert_eq!(
        (home.read("playbooks.yml"), home.read("playbooks.lock")),
        before
    );
    assert_eq!(said(&home, "use web lines --lines 1"), "line 0\n");
    let web = Web::serve_on(&home.path().join("callable"), port);
    assert_eq!(
        said(&home, "playbook update web --dry-run"),
        "Updating web would take in:\n  changed  lines.sh\n"
    );
    assert_eq!(said(&home, "use web lines --lines 1"), "line 0\n");
    assert_eq!(
        said(&home, "playbook update web"),
        "Updated web:\n  changed  lines.sh\n"
    );
    drop(web);
    assert_eq!(said(&home, "use web lines"), "new\n");
    said(&home, "playbook rm web");
    assert!(!home.path().join("playbook-cache/web").exists());
}

#[test]
fn the_cache_may_be_elsewhere_and_is_watched() {
    let (home, _web, url) = served("callable");
    let cached = |arguments: &[&str]| {
        let mut command = home.command("infrakit");
        command
            .env("INFRAKIT_PLAYBOOKS_CACHE", home.path().join("elsewhere"))
            .args(arguments);
        home.run(command, std::time::Duration::from_secs(30))
    };
    cached(&["playbook", "add", "web", &url]).ok();
    let copies: Vec<_> = std::fs::read_dir(home.path().join("elsewhere/web"))
        .expect("the copy is there")
        .flatten()
        .collect();
    let file = copies[0].path().join("start.sh");
    std::fs::write(&file, "{{/* =% sh %= */}}echo evil").expect("it is ours");
    let run = cached(&["use", "web", "start"]).failed(1);
    assert!(run.stderr.contains("changed: `start.sh`"), "{run:?}");
    cached(&["playbook", "update", "web"]).ok();
    assert_eq!(cached(&["use", "web", "start"]).ok().stdout, "started\n");
}

#[test]
fn a_url_may_point_at_one_command() {
    let (home, web, _) = served("callable");
    said(&home, &format!("playbook add one {}", web.url("lines.sh")));
    assert_eq!(said(&home, "use one --lines 1 x"), "line 0 x\n");
    let none = home
        .cli(&format!("playbook add no {}", web.url("nosuch.yml")))
        .failed(1);
    assert!(none.stderr.contains("it does not exist"), "{none:?}");
}

#[test]
fn a_playbook_from_elsewhere_reaches_only_what_is_allowed() {
    let (home, web, url) = served("callable");
    home.write("secret", "key");
    let path = home.path().display();
    for (name, text) in [
        (
            "env.sh",
            "{{/* =% sh %= */}}echo {{ env `HOME` }}".to_owned(),
        ),
        (
            "files.sh",
            format!("{{{{/* =% print %= */}}}}[{{{{ include `file://{path}/secret` }}}}]"),
        ),
        (
            "write.sh",
            format!("{{{{/* =% print %= */}}}}{{{{ file `{path}/written` `x` }}}}"),
        ),
    ] {
        home.write(&format!("callable/{name}"), &text);
    }
    home.write(
        "callable/index.yml",
        "env: env.sh\nfiles: files.sh\nwrite: write.sh\n",
    );
    said(&home, &format!("playbook add web {url}"));
    let run = home.cli("use web env").failed(1);
    assert!(
        run.stderr.contains("may not see the environment"),
        "{run:?}"
    );
    let run = home.cli("use web files").ok();
    assert_eq!(run.stdout, "[{}]\n");
    home.cli("use web write").failed(1);
    assert!(!home.path().join("written").exists());
    assert!(said(&home, "playbook show web").contains("Allowed: nothing but its own server"));
    said(&home, "playbook update web --allow env,files");
    assert!(said(&home, "playbook show web").contains("Allowed: env, files"));
    assert_eq!(said(&home, "use web env"), format!("{path}\n"));
    assert_eq!(said(&home, "use web files"), "[key]\n");
    said(&home, "use web write");
    assert_eq!(home.read("written"), "x");
    said(&home, "playbook update web --allow none");
    home.cli("use web env").failed(1);
    drop(web);
}
