//! What Go's own engine printed, case by case. `oracle/cases.json` holds templates (`t`), the
//! output (`out`), or how Go refused them (`err`).

use infrakit_template::{Engine, Vars};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    t: String,
    out: Option<String>,
}

/// Templates that the recorded Go refused and that newer versions of Go accept, as we do.
const ACCEPTED_SINCE: [(&str, &str); 2] = [
    // Go 1.22 ranges over integers.
    ("{{range 3}}{{.}}{{end}}", "012"),
    // Go 1.23 knows `else with`.
    ("{{with .missing}}{{else with .map}}{{.a}}{{end}}", "1"),
];

/// Where we differ from Go, and why: the template, what Go prints, what we print.
const DIFFERENCES: [(&str, &str, &str); 1] = [
    // Numbers of JSON are float64 in Go. A whole one is printed as what it was meant to be.
    (r#"{{ printf "%d" .num }}"#, "%!d(float64=3)", "3"),
];

/// What Go prints beside the recorded cases.
const BESIDE: [(&str, Option<&str>); 7] = [
    (
        r#"{{ printf "%T %T %T" .num .list "a" }}"#,
        Some("float64 []interface {} string"),
    ),
    (r#"{{ printf "%" }}"#, Some("%!(NOVERB)")),
    (
        r#"{{ printf "100%% %v|%8v|%-4v|" .big .num .fl }}"#,
        Some("100% 1.2345678901e+10|       3|2.5 |"),
    ),
    ("{{ print .big .num }}", Some("1.2345678901e+10 3")),
    ("{{ println .big }}", Some("1.2345678901e+10\n")),
    ("{{ $x = 1 }}", None),
    ("{{ if .t }}{{ $x := 1 }}{{ end }}{{ $x }}", None),
];

#[test]
fn differences_are_still_there() {
    let data = serde_json::from_str(include_str!("oracle/data.json")).unwrap();
    for (template, go, ours) in DIFFERENCES {
        let got = Engine::new().render(template, "t", &data, &Vars::new());
        assert_eq!(
            got.unwrap(),
            ours,
            "{template} prints {go} in Go; drop it from the list if so"
        );
    }
    for (template, go) in BESIDE {
        let got = Engine::new().render(template, "t", &data, &Vars::new());
        assert_eq!(got.ok().as_deref(), go, "{template}");
    }
}

#[test]
fn renders_as_go_does() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("oracle/cases.json")).unwrap();
    let data = serde_json::from_str(include_str!("oracle/data.json")).unwrap();
    let mut misses = Vec::new();
    for case in &cases {
        if DIFFERENCES.iter().any(|(template, ..)| *template == case.t) {
            continue;
        }
        let got = Engine::new().render(&case.t, "t", &data, &Vars::new());
        let newer = ACCEPTED_SINCE
            .iter()
            .find(|(template, _)| *template == case.t);
        let want = newer
            .map(|(_, out)| (*out).to_owned())
            .or_else(|| case.out.clone());
        if got.as_ref().ok() != want.as_ref() {
            misses.push(format!("{}\n  want {want:?}\n  got  {got:?}", case.t));
        }
    }
    assert!(cases.len() > 55, "{} cases", cases.len());
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}
