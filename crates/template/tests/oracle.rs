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

/// Where `gotmpl` differs from Go: the template, what Go prints, what we print. The first two are
/// in the recorded cases, the others were found beside them.
const KNOWN_MISSES: [(&str, &str, &str); 6] = [
    (
        r#"{{printf "%T %v" .num .num}}"#,
        "float64 3",
        "%!T(float64=3) 3",
    ),
    (r#"{{ printf "%d" .num }}"#, "%!d(float64=3)", "3"),
    (r#"{{ printf "%" }}"#, "%!(NOVERB)", "%"),
    (
        r#"{{ printf "%v" .big }}"#,
        "1.2345678901e+10",
        "12345678901",
    ),
    ("{{ print .big }}", "1.2345678901e+10", "12345678901"),
    // Go refuses to assign to a variable that was not declared.
    ("{{ $x = 1 }}", "", ""),
];

#[test]
fn known_misses_are_still_missed() {
    let data = serde_json::from_str(include_str!("oracle/data.json")).unwrap();
    for (template, go, ours) in KNOWN_MISSES {
        let got = Engine::new().render(template, "t", &data, &Vars::new());
        assert_eq!(
            got.unwrap(),
            ours,
            "{template} prints {go} in Go; drop it from the list if so"
        );
    }
}

#[test]
fn renders_as_go_does() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("oracle/cases.json")).unwrap();
    let data = serde_json::from_str(include_str!("oracle/data.json")).unwrap();
    let mut misses = Vec::new();
    for case in &cases {
        if KNOWN_MISSES
            .iter()
            .any(|(template, ..)| *template == case.t)
        {
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
