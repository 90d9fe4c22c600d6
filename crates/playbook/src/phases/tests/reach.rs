//! What templates read and write: their own files, those of the machine, those of servers.

use super::*;

#[test]
fn fetch_and_include_are_for_the_run_and_may_find_nothing() {
    let files = Files::new(&[
        ("index.yml", "x: x.sh"),
        (
            "x.sh",
            "{{ $d := include `data.json` | jsonDecode }}{{ $h := fetch `data.json` | sha256sum }}\
             {{ $no := include `nosuch.json` | jsonDecode }}{{ $d.a }} {{ $h | len }} {{ $no }} {{ flag `late` `string` `x` }}",
        ),
        ("data.json", "{\"a\": \"b\"}"),
    ]);
    let playbook = playbook(&files, &[]);
    let command = command(&playbook, &["x"]);
    let player = Player::new(&playbook, None, Arc::new(|_| {}));
    let definition = player.define(&command);
    assert_eq!(definition.flags.len(), 1, "{definition:?}");
    let options = Options {
        given: BTreeMap::new(),
        act: Act::Really,
        defaults: Defaults::Asked,
        ask: Arc::new(Nobody),
    };
    let script = player.run(&command, &definition, options).unwrap();
    assert_eq!(script.text.trim(), "b 64 map[]");
    assert_eq!(script.warnings.len(), 1, "{:?}", script.warnings);
    assert!(script.warnings[0].starts_with("`nosuch.json` is taken as empty"));
}

#[test]
fn files_are_written_in_a_real_run_only() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("hosts");
    std::fs::write(&path, "{\"old\":\"a:1\"}").unwrap();
    let one = One::new(&format!(
        "{{{{ $f := `{0}` }}}}{{{{ $h := include (cat `file://` $f | nospace) | jsonDecode }}}}\
         {{{{ $_ := set $h `new` `b:2` }}}}{{{{ file $f ($h | jsonEncode) }}}}ok",
        path.display()
    ));
    let definition = one.define();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"old\":\"a:1\"}");
    for (act, want) in [
        (Act::Pretend, "{\"old\":\"a:1\"}"),
        (Act::Really, "{\n  \"new\": \"b:2\",\n  \"old\": \"a:1\"\n}"),
    ] {
        let options = Options {
            given: BTreeMap::new(),
            act,
            defaults: Defaults::Asked,
            ask: Arc::new(Nobody),
        };
        let script = one
            .player()
            .run(&one.command(), &definition, options)
            .unwrap();
        assert_eq!(script.text, "ok");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), want, "{act:?}");
        assert_eq!(script.warnings.len(), usize::from(act == Act::Pretend));
    }
}

#[test]
fn a_playbook_from_elsewhere_reaches_nothing_here_unless_it_is_allowed() {
    let home = tempfile::tempdir().unwrap();
    let secret = home.path().join("secret");
    std::fs::write(&secret, "key").unwrap();
    let text = |inner: &str| {
        format!("{{{{ flag `a` `string` `x` }}}}{inner}{{{{ flag `b` `string` `x` }}}}")
    };
    let url = format!("file://{}", secret.display());
    let target = home.path().join("out");
    let reads = [
        (Grant::Env, "{{ env `USER` }}".to_owned(), "ada"),
        (Grant::Files, format!("{{{{ include `{url}` }}}}"), "key"),
        (Grant::Files, format!("{{{{ fetch `{url}` }}}}"), "key"),
        (
            Grant::Files,
            format!("{{{{ file `{}` `x` }}}}", target.display()),
            "",
        ),
    ];
    for (grant, inner, want) in reads {
        for allow in [&[][..], &[grant][..]] {
            let files = Files::new(&[("index.yml", "x: x.sh"), ("x.sh", &text(&inner))]);
            let playbook = playbook(&files, allow);
            let command = command(&playbook, &["x"]);
            let player = Player::new(&playbook, None, Arc::new(|_| {}));
            let definition = player.define(&command);
            assert_eq!(definition.flags.len(), 2, "{inner}: {definition:?}");
            let options = Options {
                given: BTreeMap::new(),
                act: Act::Really,
                defaults: Defaults::Asked,
                ask: Arc::new(Nobody),
            };
            let got = player
                .run(&command, &definition, options)
                .map(|script| script.text);
            if allow.is_empty() {
                assert!(!target.exists());
                if let Ok(text) = got {
                    assert!(text.is_empty() || text == "{}", "{inner}: {text}");
                }
            } else {
                assert_eq!(got.unwrap(), want, "{inner}");
            }
        }
    }
    assert!(target.exists());
}

/// A network that answers with the URL.
struct Parrot;

impl Fetch for Parrot {
    fn fetch(&self, request: &Request<'_>) -> Result<Vec<u8>, String> {
        Ok(request.url.as_bytes().to_vec())
    }
}

#[test]
fn a_playbook_from_elsewhere_asks_its_own_server_only() {
    for (url, allow, want) in [
        ("http://h/other", &[][..], "http://h/other"),
        ("http://169.254.169.254/key", &[][..], ""),
        ("http://g/x", &[Grant::Net][..], "http://g/x"),
        ("unix:///run/docker.sock/info", &[Grant::Net][..], ""),
    ] {
        let text = format!("{{{{ fetch `{url}` }}}}");
        let files = Files::new(&[("index.yml", "x: x.sh"), ("x.sh", &text)]);
        let playbook = playbook(&files, allow);
        let command = command(&playbook, &["x"]);
        let player = Player::new(&playbook, Some(Arc::new(Parrot)), Arc::new(|_| {}));
        let definition = player.define(&command);
        let options = Options {
            given: BTreeMap::new(),
            act: Act::Really,
            defaults: Defaults::Asked,
            ask: Arc::new(Nobody),
        };
        let script = player.run(&command, &definition, options).unwrap();
        assert_eq!(script.text, want, "{url}");
    }
}
