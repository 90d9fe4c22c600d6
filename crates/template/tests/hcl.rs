//! `hclDecode` against `golden/hcl.txt`.

use infrakit_template::{Engine, Vars};
use serde_json::{Value, json};

#[test]
fn hcl_becomes_what_it_was_in_its_first_version() {
    let file = include_str!("golden/hcl.txt").replace("\r\n", "\n");
    let (_, cases) = file.split_once("\n\n").expect("an introduction");
    let mut count = 0;
    for case in cases.trim_end().split("\n\n") {
        let (text, want) = case.split_once("\n=>\n").expect("a case with two parts");
        let got = Engine::new().render(
            "{{ hclDecode . | toJson }}",
            "t",
            &json!(format!("{text}\n")),
            &Vars::new(),
        );
        let got = got.unwrap_or_else(|error| panic!("{text}\n{error}"));
        let parse = |json: &str| -> Value { serde_json::from_str(json).expect("it is JSON") };
        assert_eq!(parse(&got), parse(want), "{text}");
        count += 1;
    }
    assert_eq!(count, 7);
    for wrong in ["a = ", "a b c", &"[".repeat(200)] {
        let got = Engine::new().render("{{ hclDecode . }}", "t", &json!(wrong), &Vars::new());
        let error = got.expect_err(wrong).to_string();
        assert!(error.contains("not HCL"), "{error}");
    }
}
