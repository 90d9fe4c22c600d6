//! Hostile and broken templates: bounded time and memory, and an error that names the place.

use std::time::{Duration, Instant};

use infrakit_template::{Engine, ErrorKind, Limits, Position, Vars};
use serde_json::json;

fn error(template: &str) -> infrakit_template::TemplateError {
    // The clock must not be what ends them, however slow the machine.
    let limits = Limits {
        time: Duration::from_secs(600),
        ..Limits::default()
    };
    Engine::new()
        .with_limits(limits)
        .render(template, "t", &json!({"l": [1], "s": "x"}), &Vars::new())
        .expect_err(template)
}

#[test]
fn hostile_templates_end_soon() {
    for (template, want) in [
        (
            "{{ range loop 1000000 }}{{ range loop 1000000 }}{{ end }}{{ end }}",
            "million turns",
        ),
        ("{{ range 9000000000 }}{{ end }}", "million turns"),
        (
            "{{ range 4000 }}{{ range 1000 }}{{ $x := 1 }}{{ $x }}{{ end }}{{ end }}",
            "too much work",
        ),
        (
            "{{ define \"a\" }}{{ template \"a\" }}{{ end }}{{ template \"a\" }}",
            "200 deep",
        ),
        ("{{ repeat 1000000 \"0123456789\" }}", "larger than 8 MiB"),
        (
            "{{ $x := \"0123456789\" }}{{ range 40 }}{{ $x = cat $x $x }}{{ end }}",
            "larger than 8 MiB",
        ),
        (
            "{{ $x := \"0123456789\" }}{{ range 40 }}{{ $x = print $x $x }}{{ end }}",
            "larger than 8 MiB",
        ),
        (
            "{{ $x := list 1 }}{{ range 40 }}{{ $x = list $x $x }}{{ end }}{{ jsonEncode $x }}",
            "larger than 8 MiB",
        ),
        (
            "{{ $x := list 1 }}{{ range 1000 }}{{ $x = list $x }}{{ end }}{{ $x }}",
            "128 deep",
        ),
        (
            "{{ $x := repeat 100000 \"0123456789\" }}{{ range 40 }}{{ $x }}{{ end }}",
            "the output is larger",
        ),
        (
            "{{ $x := repeat 1000000 \"ab\" }}{{ replace \"\" $x $x }}",
            "larger than 8 MiB",
        ),
        (
            "{{ $f := repeat 1000 \"%[1]65535d\" }}{{ printf $f 1 }}",
            "4096 bytes",
        ),
        (
            "{{ indent 1000000 (repeat 100 \"\\n\") }}",
            "larger than 8 MiB",
        ),
        ("{{ seq 0 999999999 }}", "larger than 8 MiB"),
    ] {
        let start = Instant::now();
        let error = error(template);
        assert!(error.message().contains(want), "{template}: {error}");
        assert_eq!(error.kind(), ErrorKind::Limit, "{template}");
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "{template}: {:?}",
            start.elapsed()
        );
    }
}

#[test]
fn errors_name_the_place() {
    for (template, line, column, want) in [
        (
            "a\nb {{ nosuch 1 }}",
            2,
            6,
            "function \"nosuch\" not defined",
        ),
        (
            "{{ if false }}\n{{ uper 1 }}{{ end }}",
            2,
            4,
            "did you mean `upper`?",
        ),
        ("a\n\n{{ .s", 3, 6, "unclosed action"),
        ("é {{ .s.deeper }}", 1, 6, "can't evaluate field deeper"),
        (
            "{{ range .l }}\n  {{ index $.l 7 }}\n{{ end }}",
            2,
            6,
            "index out of range: 7",
        ),
        (
            "ok {{ template \"none\" }}",
            1,
            7,
            "undefined template: none",
        ),
        (
            "{{ define \"x\" }}\n{{ div . 0 }}{{ end }}{{ template \"x\" 1 }}",
            2,
            4,
            "division by zero",
        ),
    ] {
        let error = error(template);
        assert!(error.message().contains(want), "{template}: {error}");
        assert_eq!(
            error.position(),
            Some(Position { line, column }),
            "{template}: {error}"
        );
        let snippet = error.snippet().unwrap();
        let source = template.lines().nth(line - 1).unwrap();
        assert!(
            snippet.contains(source) && snippet.ends_with('^'),
            "{snippet}"
        );
        assert!(!error.to_string().contains('\n'));
    }
}

#[test]
fn odd_but_valid_templates() {
    for (template, want) in [
        ("", ""),
        (" \n ", " \n "),
        ("{{ define \"t\" }}own{{ end }}", "own"),
        ("{{ define \"a\" }}A{{ end }} ", " "),
        ("{{ block \"b\" .s }}[{{ . }}]{{ end }}", "[x]"),
        ("{{ if true }}{{ else }}{{ end }}", ""),
        (
            "{{ range 5 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}",
            "02",
        ),
        ("{{ $x := print 1 2 | printf \"<%s>\" }}{{ $x }}", "<1 2>"),
    ] {
        let got = Engine::new().render(template, "t", &json!({"s": "x"}), &Vars::new());
        assert_eq!(got.unwrap(), want, "{template}");
    }
}
