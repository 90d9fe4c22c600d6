//! Templates in templates: where relative URLs lead, who may read what, what an error says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use infrakit_template::{
    Access, Engine, ErrorKind, Fetch, FileAccess, Limits, Metadata, Request, Source, Trust,
    UnsetVar, Value, Vars,
};
use serde_json::json;

/// Serves pages by URL, and notes what it is asked for.
#[derive(Default)]
struct Web {
    pages: Vec<(&'static str, String)>,
    asked: Mutex<Vec<String>>,
}

impl Web {
    fn new(pages: &[(&'static str, &str)]) -> Arc<Self> {
        Arc::new(Self {
            pages: pages
                .iter()
                .map(|(url, text)| (*url, (*text).to_owned()))
                .collect(),
            asked: Mutex::default(),
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Fetch for Web {
    fn fetch(&self, request: &Request<'_>) -> Result<Vec<u8>, String> {
        let headers: String = request
            .headers
            .iter()
            .map(|(name, value)| format!(" {name}={value}"))
            .collect();
        let asked = format!("{}{headers}", request.url);
        self.asked.lock().unwrap().push(asked);
        let found = self.pages.iter().find(|(url, _)| *url == request.url);
        found
            .map(|(_, text)| text.clone().into_bytes())
            .ok_or_else(|| "the server answers 404 Not Found".to_owned())
    }
}

struct NoMetadata;

impl Metadata for NoMetadata {
    fn get(&self, _: &str) -> Result<Option<serde_json::Value>, String> {
        Ok(Some(json!("secret")))
    }
}

fn everything(web: &Arc<Web>) -> Access {
    Access::none()
        .with_files(FileAccess::Anywhere)
        .with_env([("TOKEN".to_owned(), "secret".to_owned())].into())
        .with_metadata(Arc::new(NoMetadata))
        .with_fetch(Arc::clone(web) as Arc<dyn Fetch>)
}

fn render(access: &Access, url: &str) -> Result<String, infrakit_template::TemplateError> {
    let source = Source::load(url, access).unwrap();
    Engine::new()
        .with_access(access)
        .render_source(&source, &json!({"n": 1}), &Vars::new())
}

#[test]
fn relative_urls_are_relative_to_the_enclosing_template() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(home.path().join("sub")).unwrap();
    fs::write(at("a"), "a{{ include `sub/b` }}{{ include `./c` }}").unwrap();
    fs::write(
        at("sub/b"),
        "b{{ include `../c` }}{{ source `str://{{ include \"d\" }}` }}",
    )
    .unwrap();
    fs::write(at("sub/d"), "d").unwrap();
    fs::write(at("c"), "c").unwrap();
    let web = Web::new(&[
        ("https://host/x/a", "{{ include `b` }}{{ fetch `/c?q` }}"),
        ("https://host/x/b", "b{{ include `../d` }}"),
        ("https://host/c?q", "{{ c }}"),
        ("https://host/d", "d"),
    ]);
    let access = everything(&web);
    assert_eq!(render(&access, &at("a")).unwrap(), "abcdc");
    assert_eq!(
        render(&access, &format!("file://{}", at("a"))).unwrap(),
        "abcdc"
    );
    assert_eq!(render(&access, "https://host/x/a").unwrap(), "bd{{ c }}");
}

#[test]
fn variables_and_contexts_are_forked_or_shared() {
    let engine = Engine::new();
    let vars = Vars::new();
    let context = json!({"d": {"k": 1}, "n": 7});
    for (template, want) in [
        (
            "{{ include `str://{{ .n }}` }}{{ source `str://{{ .n }}` }}",
            "77",
        ),
        (
            "{{ range list 1 }}{{ include `str://{{ .n }}` }}{{ end }}",
            "7",
        ),
        (
            "{{ include `str://{{ . }}` `ctx` }}{{ include `str://{{ .a }}` (dict `a` 3) }}",
            "ctx3",
        ),
        (
            "{{ var `v` 1 }}{{ include `str://{{ var \"v\" 2 }}` }}{{ var `v` }}{{ source `str://{{ var \"v\" 3 }}` }}{{ var `v` }}",
            "13",
        ),
        (
            "{{ include `str://{{ $_ := set .d \"k\" 2 }}{{ .d.k }}` }}{{ .d.k }}{{ source `str://{{ $_ := set .d \"k\" 3 }}` }}{{ .d.k }}",
            "213",
        ),
        (
            "{{ var `d` (dict `k` 1) }}{{ $_ := set (var `d`) `k` 9 }}{{ (var `d`).k }}",
            "9",
        ),
    ] {
        let got = engine.render(template, "t", &context, &vars);
        assert_eq!(got.unwrap(), want, "{template}");
    }
    assert_eq!(vars.get("d"), Some(json!({"k": 9})), "settled at the end");
}

#[test]
fn headers_belong_to_one_fetch() {
    let web = Web::new(&[("http://h/a", "{{ fetch `b` }}"), ("http://h/b", "b")]);
    let access = everything(&web);
    let template = "{{ fetch `http://h/b` `X-Key=1` }}{{ include `http://h/a` `X-Key=2` }}{{ raw `http://h/b` }}{{ raw `http://h/b` }}{{ fetch `http://h/b` }}{{ fetch `http://h/b` }}";
    let engine = Engine::new().with_access(&access);
    let got = engine.render(template, "t", &json!(null), &Vars::new());
    assert_eq!(got.unwrap(), "bbbbbb");
    assert_eq!(
        web.asked(),
        [
            "http://h/b X-Key=1",
            "http://h/a X-Key=2",
            "http://h/b",
            "http://h/b",
            "http://h/b",
            "http://h/b"
        ],
        "the last fetch is answered from before"
    );
    let several = "{{ fetch `http://h/b` \"X=1\\nY: 2\" }}";
    let error = engine.render(several, "t", &json!(null), &Vars::new());
    assert!(error.unwrap_err().message().contains("several lines"));
}

#[test]
fn a_remote_template_gets_nothing_of_this_machine() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("secret");
    fs::write(&file, "secret").unwrap();
    let file = file.to_str().unwrap();
    for (what, want) in [
        (format!("include `{file}`"), "https"),
        (format!("include `file://{file}`"), "gets no files"),
        (format!("fetch `file://{file}`"), "gets no files"),
        (
            "fetch `unix:///run/x.sock/info`".to_owned(),
            "gets no unix socket",
        ),
        ("env `TOKEN`".to_owned(), "does not see the environment"),
        (
            "expandenv `$TOKEN`".to_owned(),
            "does not see the environment",
        ),
        ("metadata `vars/x`".to_owned(), "does not see metadata"),
        (
            "include `str://{{ env \"TOKEN\" }}`".to_owned(),
            "does not see the environment",
        ),
    ] {
        let page = format!("{{{{ {what} }}}}");
        let web = Web::new(&[
            ("https://host/t", &page),
            ("unix:///run/x.sock/info", "secret"),
        ]);
        let access = everything(&web);
        let error = render(&access, "https://host/t").unwrap_err().to_string();
        assert!(
            error.contains(want) && !error.contains("secret\n"),
            "{what}: {error}"
        );
        // Nor when a template of this machine includes it, having read the same before.
        let first = if what.contains("host") || !what.contains('/') {
            "1".to_owned()
        } else {
            what.clone()
        };
        let outer = format!("{{{{ {first} }}}}{{{{ include `https://host/t` }}}}");
        let engine = Engine::new().with_access(&access);
        let error = engine
            .render(&outer, "/t", &json!(null), &Vars::new())
            .unwrap_err();
        assert!(error.to_string().contains(want), "{outer}: {error}");
        // Unless its caller trusts it.
        let trusting = access.with_remote(Trust::Everything);
        if !what.starts_with("include `/") {
            let got = render(&trusting, "https://host/t").unwrap();
            assert!(got.contains("secret"), "{what}: {got}");
        }
    }
    let web = Web::new(&[("https://host/t", "{{ var `vars/x` }}")]);
    assert_eq!(
        render(&everything(&web), "https://host/t").unwrap(),
        "<no value>"
    );
}

#[test]
fn nothing_is_reached_without_a_grant() {
    for (template, want) in [
        ("{{ include `/etc/hostname` }}", "reading it is not granted"),
        ("{{ fetch `https://host/` }}", "the network is not granted"),
        (
            "{{ fetch `unix:///run/x.sock/` }}",
            "the network is not granted",
        ),
        ("{{ getHostByName `host` }}", "the network is not granted"),
        ("{{ metadata `a/b` }}", "metadata is not granted"),
        ("{{ metadata `a/b` 1 }}", "metadata is not granted"),
        ("{{ fetch `gopher://x` }}", "scheme `gopher` is not known"),
    ] {
        let error = Engine::new().render(template, "t", &json!(null), &Vars::new());
        let error = error.unwrap_err();
        assert!(error.message().contains(want), "{template}: {error}");
    }
    let read_only = Access::none().with_metadata(Arc::new(NoMetadata));
    let engine = Engine::new().with_access(&read_only);
    let error = engine.render("{{ metadata `a/b` 1 }}", "t", &json!(null), &Vars::new());
    assert!(
        error
            .unwrap_err()
            .message()
            .contains("changing metadata `a/b` is not granted")
    );
}

#[test]
fn an_error_names_the_place_and_the_way_there() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("a"), "one\n {{ include `b` }}").unwrap();
    fs::write(at("b"), "{{ $x := source `c` }}{{ $x }}").unwrap();
    fs::write(at("c"), "\n\nsize: {{ div 1 .zero }}").unwrap();
    let access = Access::none().with_files(FileAccess::Anywhere);
    let error = render(&access, &at("a")).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "template: {}:3:10: error calling div: division by zero, included from {}:1:10, from {}:2:5",
            at("c"),
            at("b"),
            at("a")
        )
    );
    assert_eq!(
        error.snippet().unwrap(),
        "3 | size: {{ div 1 .zero }}\n  |          ^"
    );
    assert_eq!(error.kind(), ErrorKind::Execute);
    fs::write(at("c"), "{{ nosuch }}").unwrap();
    let error = render(&access, &at("a")).unwrap_err();
    assert_eq!(
        (error.kind(), error.includes().len()),
        (ErrorKind::Parse, 2)
    );
    fs::remove_file(at("c")).unwrap();
    let error = render(&access, &at("a")).unwrap_err();
    assert!(error.to_string().contains("it does not exist"), "{error}");
    assert_eq!(error.name(), at("b"));
}

fn limited(template: &str, limits: Limits, want: &str) {
    let web = Web::new(&[("http://h/x", "0123456789")]);
    let engine = Engine::new()
        .with_access(&everything(&web))
        .with_limits(limits);
    let start = Instant::now();
    let error = engine
        .render(template, "t", &json!(null), &Vars::new())
        .expect_err(template);
    assert!(error.to_string().contains(want), "{template}: {error}");
    assert!(start.elapsed() < Duration::from_secs(20), "{template}");
}

#[test]
fn limits_are_named_when_they_are_hit() {
    let limits = Limits::default();
    let home = tempfile::tempdir().unwrap();
    let own = home.path().join("own");
    let own = own.to_str().unwrap();
    fs::write(own, format!("{{{{ include `{own}` }}}}")).unwrap();
    limited(
        &format!("{{{{ include `{own}` }}}}"),
        limits,
        "include each other more than 32 deep",
    );
    // As many blocks as there can be in each of them: what they need of the stack is there.
    let deep = "{{ if true }}".repeat(95)
        + &format!("{{{{ include `{own}` }}}}")
        + &"{{ end }}".repeat(95);
    fs::write(own, deep).unwrap();
    limited(
        &format!("{{{{ include `{own}` }}}}"),
        limits,
        "include each other more than 32 deep",
    );
    limited(
        "{{ metadata `a/b` }}{{ range 100000000 }}{{ include `str://{{ range 1000 }}x{{ end }}` }}{{ end }}",
        Limits {
            time: Duration::from_millis(300),
            ..limits
        },
        "takes longer than 300ms",
    );
    limited(
        "{{ range 30 }}{{ raw `http://h/x` }}{{ end }}",
        Limits {
            fetches: 20,
            ..limits
        },
        "reads more than 20 URLs",
    );
    limited(
        "{{ raw `http://h/x` }}",
        Limits {
            fetch_bytes: 9,
            ..limits
        },
        "larger than 9 bytes",
    );
    limited(
        "{{ range 30 }}0123456789{{ end }}",
        Limits {
            output: 99,
            ..limits
        },
        "the output is larger than 99 bytes",
    );
    limited(
        "{{ include `str://{{ range 30 }}0123456789{{ end }}` }}",
        Limits {
            output: 99,
            ..limits
        },
        "the output is larger than 99 bytes",
    );
    limited(
        "{{ $d := dict }}{{ $_ := set $d `d` $d }}{{ $d }}",
        limits,
        "128 deep",
    );
    limited(
        "{{ $d := dict }}{{ $_ := set $d `d` $d }}{{ $d | toJson }}",
        limits,
        "128 deep",
    );
}

#[test]
fn both_delimiters_and_the_functions_of_the_caller() {
    let text = "{{/* =% shell `-s` %= */}}echo {{ greet `you` }}{{ include `str://{{ greet \"me\" }}` }} \\{\\{ later \\}\\}";
    let backends = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&backends);
    let first = Engine::new().with_function("greet", "Greets.", |args| match args {
        [Value::String(who)] => Ok(Value::String(format!("hello {who}").into())),
        _ => Err("it takes a name".to_owned()),
    });
    let got = first.render(text, "t", &json!(null), &Vars::new()).unwrap();
    assert_eq!(got, "echo hello youhello me {{ later }}");
    let second = Engine::new().with_delimiters("=%", "%=").with_function(
        "shell",
        "Runs a script.",
        move |args| {
            noted
                .lock()
                .unwrap()
                .extend(args.iter().map(ToString::to_string));
            Ok(Value::String("".into()))
        },
    );
    second
        .render(text, "t", &json!(null), &Vars::new())
        .unwrap();
    assert_eq!(*backends.lock().unwrap(), ["-s"]);
    let error = first.render("{{ `a` | greet `b` }}", "t", &json!(null), &Vars::new());
    assert_eq!(
        error.unwrap_err().message(),
        "error calling greet: it takes a name"
    );
    let error = second.render("a\n=% nosuch %=", "t", &json!(null), &Vars::new());
    assert!(
        error
            .unwrap_err()
            .to_string()
            .starts_with("template: t:2:4: function \"nosuch\"")
    );
    let kept = second.with_unset_var(UnsetVar::Keep);
    let got = kept.render("=% var `x` %=", "t", &json!(null), &Vars::new());
    assert_eq!(got.unwrap(), "=% var `x` %=");
}

#[test]
fn functions_can_be_put_in_the_place_of_others() {
    let quiet = |args: &[Value], caller: &infrakit_template::Caller<'_>| {
        assert_eq!(caller.url(), "/dir/t");
        Ok(caller
            .original(args)
            .unwrap_or_else(|_| Value::String("{}".into())))
    };
    let engine = Engine::new()
        .with_override("include", "Includes, or not.", quiet)
        .with_override("fetch", "Fetches nothing.", |_, _| {
            Ok(Value::String("".into()))
        });
    let text = "{{ include `none` }}{{ include `str://{{ 1 }}` }}{{ fetch `http://h` }}";
    let got = engine.render(text, "/dir/t", &json!(null), &Vars::new());
    assert_eq!(got.unwrap(), "{}1");
    let failing =
        Engine::new().with_override("source", "Fails.", |args, caller| caller.original(args));
    let error = failing
        .render(
            "{{ source `str://{{ fail \"no\" }}` }}",
            "/dir/t",
            &json!(null),
            &Vars::new(),
        )
        .unwrap_err();
    assert_eq!(error.includes().len(), 1, "{error}");
}

#[test]
fn a_check_follows_includes() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    fs::write(
        at("a"),
        "{{ include `b` }}{{ include .url }}{{ fetch `none` }}",
    )
    .unwrap();
    fs::write(at("b"), "{{ include `a` }}{{ source `c` 1 }}").unwrap();
    fs::write(at("c"), "{{ upper `x` }}").unwrap();
    let access = Access::none().with_files(FileAccess::Anywhere);
    let engine = Engine::new().with_access(&access);
    let source = Source::load(&at("a"), &access).unwrap();
    engine.check_source(&source).unwrap();
    fs::write(at("c"), "\n{{ uper `x` }}").unwrap();
    let error = engine.check_source(&source).unwrap_err();
    assert!(
        error.to_string().contains("did you mean `upper`?"),
        "{error}"
    );
    assert_eq!(
        (error.name(), error.includes().len()),
        (at("c").as_str(), 2)
    );
    fs::remove_file(at("c")).unwrap();
    assert!(engine.check_source(&source).is_err());
}
