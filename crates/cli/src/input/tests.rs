//! Documents good and bad.

use super::*;

fn document(text: &str) -> Document {
    Document {
        name: "a.json".to_owned(),
        yaml: !looks_like_json(text),
        text: text.to_owned(),
    }
}

fn message(error: &CommandError) -> String {
    error.render(false).unwrap()
}

#[test]
fn json_and_yaml_are_told_apart() {
    let json = document("\u{feff} {\"ID\": \"a\", \"Properties\": {\"n\": 1.50}}");
    let Committed::Group(group) = json.committed().unwrap().remove(0) else {
        panic!()
    };
    assert_eq!(group.id.as_str(), "a");
    assert_eq!(group.properties.unwrap().as_str(), "{\"n\": 1.50}");
    let yaml = document("# remark\nid: a\nproperties:\n  n: [1, x]\n");
    let Committed::Group(group) = yaml.committed().unwrap().remove(0) else {
        panic!()
    };
    assert_eq!(group.properties.unwrap().as_str(), r#"{"n":[1,"x"]}"#);
}

#[test]
fn errors_have_line_and_column() {
    let error = document("{\n  \"ID\": \"a\",\n  \"Properties\": {,}\n}")
        .committed()
        .unwrap_err();
    assert!(
        message(&error).contains("`a.json` is not JSON: "),
        "{error}"
    );
    assert!(message(&error).contains("line 3 column"), "{error}");
    let error = document("kind: group\nmetadata: {name: [\n")
        .committed()
        .unwrap_err();
    assert!(message(&error).contains("is not YAML at line "), "{error}");
    assert!(!message(&error).trim_end().contains('\n'), "{error}");
}

#[test]
fn unknown_fields_are_refused_with_place_and_suggestion() {
    let error = document("{\n  \"ID\": \"a\",\n  \"Propertis\": {}\n}")
        .committed()
        .unwrap_err();
    assert_eq!(
        message(&error),
        "error: `a.json` has an unknown field `Propertis` at line 3 column 3\n  \
         tip: did you mean `Properties`?\n"
    );
    let error = document("kind: group\nmetdata:\n  name: x\n")
        .committed()
        .unwrap_err();
    assert!(message(&error).contains("line 2 column 1"), "{error}");
    assert!(message(&error).contains("`metadata`"), "{error:?}");
}

#[test]
fn older_lists_and_several_documents_are_read() {
    let legacy = document(r#"[{"Plugin":"group","Properties":{"ID":"a","Properties":{}}}]"#);
    assert!(matches!(
        legacy.committed().unwrap()[..],
        [Committed::Entry(_)]
    ));
    let two =
        document("kind: group\nmetadata: {name: a}\n---\nkind: ingress\nmetadata: {name: b}\n");
    assert!(matches!(
        two.committed().unwrap()[..],
        [Committed::Spec(_), Committed::Spec(_)]
    ));
    assert!(two.one().unwrap_err().message().contains("2 documents"));
}

#[test]
fn a_group_document_is_a_group() {
    let Committed::Spec(spec) =
        document("kind: group\nmetadata: {name: us/workers}\nproperties: {a: 1}")
            .committed()
            .unwrap()
            .remove(0)
    else {
        panic!()
    };
    let group = group_of(&spec).unwrap();
    assert_eq!(group.id.as_str(), "workers");
    assert_eq!(group.properties.unwrap().as_str(), r#"{"a":1}"#);
}

#[test]
fn nothing_and_nonsense_are_refused() {
    for (text, want) in [
        ("", "is empty"),
        (" \n ", "is empty"),
        ("7", "holds a number"),
        ("[1]", "holds a number"),
        ("{}{}", "is not JSON"),
        ("{\"ID\": 7}", "wrong shape"),
        ("metadata: {name: x}", "no `kind`"),
    ] {
        let error = document(text).committed().unwrap_err();
        assert!(error.message().contains(want), "{text}: {error}");
    }
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    let deep = format!(
        "{{\"ID\":\"a\",\"Properties\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(document(&deep).committed().is_err());
    let deep = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(document(&deep).committed().is_err());
}

#[test]
fn variables_are_numbers_truths_or_text() {
    assert_eq!(render::variable("3"), Value::from(3));
    assert_eq!(render::variable("true"), Value::from(true));
    assert_eq!(render::variable("3x"), Value::from("3x"));
}

#[test]
fn a_template_is_rendered_with_variables_context_and_a_place() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(
        at("a"),
        "{{ .size }}{{ var `v` }}{{ include `b` }} {{ var `later` }}",
    )
    .unwrap();
    std::fs::write(at("b"), "[{{ .size }}]").unwrap();
    std::fs::write(at("ctx.yml"), "size: 3\n").unwrap();
    let (context, _) = crate::context::testing::context(&[]);
    for ctx in [at("ctx.yml"), "{\"size\": 3}".to_owned()] {
        let args = InputArgs {
            variables: vec!["v = x".to_owned()],
            ctx: Some(ctx),
            ..InputArgs::default()
        };
        let source = fetch(&context, &at("a"), &args).unwrap();
        let got = super::render(&context, &source, &args).unwrap();
        assert_eq!(got, "3x[3] {{ var `later` }}");
        check(&context, &source, &args).unwrap();
    }
    std::fs::write(at("b"), "\n {{ uper 1 }}").unwrap();
    let args = InputArgs::default();
    let source = fetch(&context, &at("a"), &args).unwrap();
    for error in [
        super::render(&context, &source, &args).unwrap_err(),
        check(&context, &source, &args).unwrap_err(),
    ] {
        let text = message(&error);
        assert!(
            text.contains(
                "/b:2:5: function \"uper\" not defined, did you mean `upper`?, included from "
            ),
            "{text}"
        );
        assert!(
            text.ends_with("\n  2 |  {{ uper 1 }}\n    |     ^\n"),
            "{text}"
        );
    }
}

#[test]
fn a_wrong_context_is_named() {
    let (context, _) = crate::context::testing::context(&[]);
    for (ctx, want) in [
        ("{\"a\": ", "`--ctx` is neither JSON nor YAML"),
        ("/nonexistent/c.yml", "failed to read `/nonexistent/c.yml`"),
    ] {
        let args = InputArgs {
            ctx: Some(ctx.to_owned()),
            ..InputArgs::default()
        };
        let source = fetch(&context, "str://{{ . }}", &args).unwrap();
        let error = super::render(&context, &source, &args).unwrap_err();
        assert!(message(&error).contains(want), "{}", message(&error));
    }
}
