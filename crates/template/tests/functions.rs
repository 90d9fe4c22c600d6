//! The functions, with the values that sprig and InfraKit document for them.

use infrakit_template::{Access, Engine, ErrorKind, UnsetVar, Vars};
use proptest::prelude::*;
use serde_json::{Value, json};

fn render(template: &str) -> String {
    try_render(template).unwrap_or_else(|error| panic!("{template}: {error}"))
}

fn try_render(template: &str) -> Result<String, infrakit_template::TemplateError> {
    let context = json!({"n": 3, "s": "text", "l": ["a", "b", null], "m": {"b": 1, "a": 2}});
    Engine::new()
        .with_clock(|| 1_600_000_000)
        .render(template, "t", &context, &Vars::new())
}

#[test]
fn arithmetic() {
    for (template, want) in [
        (
            "{{ add 1 2 3 }} {{ add }} {{ add .n 1 }} {{ add \"4\" true }}",
            "6 0 4 5",
        ),
        (
            "{{ sub 5 7 }} {{ mul 2 3 4 }} {{ div 7 2 }} {{ mod 7 2 }}",
            "-2 24 3 1",
        ),
        ("{{ add1 4 }} {{ max 1 3 2 }} {{ min 1 3 2 }}", "5 3 1"),
        (
            "{{ div -7 2 }} {{ mod -7 2 }} {{ add 9223372036854775807 1 }}",
            "-3 -1 -9223372036854775808",
        ),
        (
            "{{ seq 4 }}|{{ seq 2 5 }}|{{ seq 1 3 8 }}|{{ seq 3 1 }}|{{ seq 1 -1 5 }}",
            "1 2 3 4|2 3 4 5|1 4 7|3 2 1|",
        ),
    ] {
        assert_eq!(render(template), want, "{template}");
    }
    assert!(
        try_render("{{ div 1 0 }}")
            .unwrap_err()
            .to_string()
            .contains("division by zero")
    );
    assert!(try_render("{{ mod 1 0 }}").is_err());
}

#[test]
fn strings() {
    for (template, want) in [
        (
            "{{ upper .s }} {{ \"ABC\" | lower }} [{{ trim \" a \" }}]",
            "TEXT abc [a]",
        ),
        (
            "{{ trimSuffix \"t\" .s }} {{ trimPrefix \"t\" .s }} {{ trimPrefix \"x\" .s }}",
            "tex ext text",
        ),
        (
            "{{ replace \"a\" \"o\" \"banana\" }} {{ replace \"\" \"-\" \"ab\" }}",
            "bonono -a-b-",
        ),
        (
            "{{ contains \"ex\" .s }} {{ hasPrefix \"te\" .s }} {{ hasSuffix \"te\" .s }}",
            "true true false",
        ),
        (
            "{{ join \"-\" .l }} {{ join \"-\" \"single\" }}",
            "a-b single",
        ),
        (
            "{{ (split \":\" \"a:b\")._1 }} {{ splitList \"\" \"äb\" | join \",\" }}",
            "b ä,b",
        ),
        ("{{ range lines \"a\\nb\" }}[{{ . }}]{{ end }}", "[a][b]"),
        (
            r#"{{ quote "a\"b" 1 nil "é\n" }} {{ squote "a" 2 }}"#,
            r#""a\"b" "1" "é\n" 'a' '2'"#,
        ),
        (
            "{{ repeat 3 \"ab\" }}|{{ indent 2 \"a\\nb\" }}|{{ nindent 1 \"a\" }}",
            "ababab|  a\n  b|\n a",
        ),
        (
            "{{ cat \"a\" 1 nil true }} {{ nospace \" a b\\t\" }}",
            "a 1 true ab",
        ),
        (
            "{{ substr 1 3 .s }} {{ substr -1 2 .s }} {{ substr 2 -1 .s }} {{ substr 3 1 .s }}",
            "ex te xt ",
        ),
        (
            "{{ trunc 2 .s }} {{ trunc -2 .s }} {{ trunc 9 .s }} {{ trunc 1 \"é\" }}",
            "te xt text ",
        ),
        (
            "{{ \"\" | default \"none\" }} {{ .s | default \"none\" }} {{ empty 0 }} {{ empty .l }}",
            "none text true false",
        ),
    ] {
        assert_eq!(render(template), want, "{template}");
    }
}

#[test]
fn data_and_encodings() {
    for (template, want) in [
        (
            "{{ list 1 2 }} {{ list | len }} {{ first .l }}{{ index .l 1 }} {{ last (list 1 2) }}",
            "[1 2] 0 ab 2",
        ),
        (
            "{{ $d := dict \"a\" 1 \"b\" }}{{ $d.a }}[{{ $d.b }}]{{ get $d \"c\" }}",
            "1[]",
        ),
        (
            "{{ $d := dict }}{{ $e := set $d \"k\" 1 }}{{ len $d }}{{ $e.k }} {{ keys .m }}",
            "11 [a b]",
        ),
        (
            "{{ index_of \"b\" .l }} {{ indexOf \"3\" (list 1 3) }} {{ index_of \"3\" (list 3) true }}",
            "1 1 -1",
        ),
        ("{{ range loop 3 }}{{ . }}{{ end }}", "012"),
        (
            "{{ b64enc \"hello\" }} {{ b64dec \"aGVsbG8=\" }}",
            "aGVsbG8= hello",
        ),
        (
            "{{ sha256sum \"abc\" }}",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            "{{ jsonEncode .m }} {{ dict \"h\" \"<\" | jsonEncode }} {{ jsonEncode .n }}",
            "{\n  \"a\": 2,\n  \"b\": 1\n} {\n  \"h\": \"\\u003c\"\n} 3",
        ),
        (
            "{{ $j := jsonDecode `{\"a\":[1,2.5]}` }}{{ index $j.a 1 }} {{ index $j.a 0 }}",
            "2.5 1",
        ),
        (
            "{{ escape \"{{ .x }}\" }} {{ escape \"{{ .x }}\" | unescape }}",
            "\\{\\{ .x \\}\\} {{ .x }}",
        ),
        ("{{ unixtime }}", "1600000000"),
    ] {
        assert_eq!(render(template), want, "{template}");
    }
}

#[test]
fn variables_are_shared_between_renderings() {
    let (engine, vars) = (Engine::new(), Vars::new());
    vars.set("size", &json!(5));
    let set = "{{ var `name` `web` }}{{ var `size` }}";
    assert_eq!(engine.render(set, "a", &Value::Null, &vars).unwrap(), "5");
    assert_eq!(
        engine
            .render("{{ var `name` }}", "b", &Value::Null, &vars)
            .unwrap(),
        "web"
    );
    assert_eq!(vars.get("name"), Some(json!("web")));
    let unset = "{{ var `unset` }}";
    assert_eq!(
        engine.render(unset, "c", &Value::Null, &vars).unwrap(),
        "<no value>"
    );
    let later = engine
        .with_unset_var(UnsetVar::Keep)
        .render(unset, "c", &Value::Null, &vars);
    assert_eq!(later.unwrap(), unset);
}

#[test]
fn the_environment_is_seen_only_when_granted() {
    let template = "{{ env \"TOKEN\" }}";
    let refused = try_render(template).unwrap_err();
    assert!(refused.message().contains("not granted"), "{refused}");
    let env = [("TOKEN".to_owned(), "s3cret".to_owned())].into();
    let engine = Engine::new().with_access(&Access::none().with_env(env));
    let got = engine.render(template, "t", &Value::Null, &Vars::new());
    assert_eq!(got.unwrap(), "s3cret");
    assert!(!format!("{engine:?}").contains("s3cret"));
}

#[test]
fn wrong_arguments_say_what_is_right() {
    for (template, want) in [
        (
            "{{ upper }}",
            "error calling upper: it takes 1 argument, not 0, as in `{{ upper \"web\" }}`",
        ),
        (
            "{{ upper 1 }}",
            "error calling upper: argument 1 must be a string, not int",
        ),
        ("{{ join \",\" }}", "it takes 2 arguments, not 1"),
        (
            "{{ get .l \"a\" }}",
            "argument 1 must be a dict, not a list",
        ),
        ("{{ jsonDecode \"{\" }}", "not JSON: EOF"),
        ("{{ b64dec \"!\" }}", "not base 64"),
        ("{{ repeat -1 \"a\" }}", "-1 is not between 0 and 1000000"),
        ("{{ loop 100000000 }}", "100000000 is not between"),
    ] {
        let error = try_render(template).unwrap_err();
        assert!(error.message().contains(want), "{template}: {error}");
        assert_eq!(error.kind(), ErrorKind::Execute);
    }
}

proptest! {
    #[test]
    fn text_without_actions_is_kept(text in "[^{]*") {
        prop_assert_eq!(render(&text), text);
    }

    #[test]
    fn escapes_come_back(text in ".*") {
        prop_assume!(!text.contains('\\'));
        let context = json!({"t": text});
        let got = Engine::new().render("{{ .t | escape | unescape }}", "t", &context, &Vars::new());
        prop_assert_eq!(got.unwrap(), text);
    }

    #[test]
    fn encodings_come_back(text in ".*") {
        let context = json!({"t": text});
        let template = "{{ .t | b64enc | b64dec | jsonEncode | jsonDecode }}";
        let got = Engine::new().render(template, "t", &context, &Vars::new());
        prop_assert_eq!(got.unwrap(), text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(\\{\\{|\\}\\}|if|end|range|[$.a-z(| \")0-9-]){0,20}") {
        let _ = try_render(&text);
    }
}
