//! Documents against what was recorded of the original.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use infrakit_spi::Any;
use infrakit_spi::hash::canonical;
use infrakit_spi::metadata::Change;
use infrakit_spi::metadata::document::{Path, accept, get, keys, propose};
use serde_json::Value;

const FIRST: &str = r#"{"a":{"b":1,"c":"str"},"list":[1,{"k":"v"}],"obj":{"n":null,"x":true}}"#;
const MERGE: &str = r#"{"b":true,"l":[1,2],"n":1,"o":{"k":1,"z":2},"s":"x"}"#;

/// Path, value and names below it.
type Looked = (
    &'static str,
    Option<&'static str>,
    Option<&'static [&'static str]>,
);

/// Document, changes, document proposed and hash.
type Proposed = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn changes(pairs: &[(&str, &str)]) -> Vec<Change> {
    let change = |(path, value): &(&str, &str)| Change {
        path: (*path).to_owned(),
        value: Some(Any::parse(value).unwrap()),
    };
    pairs.iter().map(change).collect()
}

#[test]
fn looks_up_as_recorded() {
    let root = value(FIRST);
    let list = r#"[1,{"k":"v"}]"#;
    let a = r#"{"b":1,"c":"str"}"#;
    let cases: [Looked; 24] = [
        (".", Some(FIRST), Some(&["a", "list", "obj"])),
        ("", Some(FIRST), Some(&["a", "list", "obj"])),
        ("/", Some(FIRST), Some(&["a", "list", "obj"])),
        ("a", Some(a), Some(&["b", "c"])),
        ("a/", Some(a), Some(&["b", "c"])),
        ("/a", Some(a), Some(&["b", "c"])),
        ("./a", Some(a), Some(&["b", "c"])),
        ("obj/../a", Some(FIRST), Some(&["a", "list", "obj"])),
        ("a/x/../b", Some("1"), Some(&[])),
        ("a//b", Some("1"), Some(&[])),
        (" 'a/b' ", Some("1"), Some(&[])),
        ("list", Some(list), Some(&["[0]", "[1]"])),
        ("list[0]", Some("1"), Some(&[])),
        ("list/[1]", Some(r#"{"k":"v"}"#), Some(&["k"])),
        ("list[1]/k", Some(r#""v""#), Some(&[])),
        ("list[-1]", Some(r#"{"k":"v"}"#), Some(&["k"])),
        ("list[9]", Some("1"), Some(&[])),
        ("list/[k=v]/k", Some(r#""v""#), Some(&[])),
        ("list/[k=w]", None, None),
        ("obj/x", Some("true"), Some(&[])),
        ("obj/n", None, None),
        ("zzz", None, None),
        ("a/b/c", None, None),
        ("../a", None, None),
    ];
    for (path, want, names) in cases {
        let path = Path::parse(path);
        let found = get(&root, &path).unwrap();
        assert_eq!(found.as_ref().map(Any::as_str), want, "{path:?}");
        let names = names.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(keys(&root, &path), names, "{path:?}");
    }
}

const PROPOSED: [Proposed; 15] = [
    (
        "{}",
        &[
            ("a/b", "1"),
            ("a/c", r#""str""#),
            ("list", r#"[1,{"k":"v"}]"#),
            ("obj", r#"{"x":true,"n":null}"#),
        ],
        FIRST,
        "aa36f8e00b3c0b72e474dd83d30f8b3e",
    ),
    (
        FIRST,
        &[("a/b", "null")],
        r#"{"a":{"b":null,"c":"str"},"list":[1,{"k":"v"}],"obj":{"n":null,"x":true}}"#,
        "e101a41da5a8f0afdb7177427317f3b3",
    ),
    (
        FIRST,
        &[(".", r#"{"only":1}"#)],
        r#"{"a":{"b":1,"c":"str"},"list":[1,{"k":"v"}],"obj":{"n":null,"x":true},"only":1}"#,
        "9cb1be100c18ea502feb51d20b6a40fc",
    ),
    (FIRST, &[], FIRST, "721f603afc2675f5ea6f4725dee588b1"),
    (
        FIRST,
        &[("a/b/c", "5")],
        r#"{"a":{"b":{"c":5},"c":"str"},"list":[1,{"k":"v"}],"obj":{"n":null,"x":true}}"#,
        "063904fd082d7bdd3bd0130b9434065a",
    ),
    (
        FIRST,
        &[("m/n", r#""a<b>&c""#)],
        r#"{"a":{"b":1,"c":"str"},"list":[1,{"k":"v"}],"m":{"n":"a\u003cb\u003e\u0026c"},"obj":{"n":null,"x":true}}"#,
        "df0edeaae957f026b70360076d13c727",
    ),
    (
        r#"{"a":{"b":1,"c":"str"},"list":[1,{"k":"v"}],"m":{"n":"a<b>&c"},"obj":{"n":null,"x":true}}"#,
        &[
            ("m/n", r#""x<y>&z""#),
            ("m/f", "1.50"),
            ("m/big", "12345678901234567890"),
        ],
        r#"{"a":{"b":1,"c":"str"},"list":[1,{"k":"v"}],"m":{"big":12345678901234567000,"f":1.5,"n":"x\u003cy\u003e\u0026z"},"obj":{"n":null,"x":true}}"#,
        "2376c280c94f72e4a6e68abe6d9b09a6",
    ),
    (
        "{}",
        &[(".", MERGE)],
        MERGE,
        "7fe2f5383623d3a6291c78a5822d200e",
    ),
    (
        MERGE,
        &[
            ("n", "0"),
            ("b", "false"),
            ("s", "\"\""),
            ("l", "[]"),
            ("o/k", "null"),
        ],
        r#"{"b":false,"l":[],"n":0,"o":{"k":null,"z":2},"s":""}"#,
        "aa7746d0258dad21549f1185ffaadfec",
    ),
    (
        MERGE,
        &[("o", "{}")],
        MERGE,
        "f49470aef810fe9917eec52da13f5b7d",
    ),
    (
        MERGE,
        &[("o", "null")],
        r#"{"b":true,"l":[1,2],"n":1,"o":null,"s":"x"}"#,
        "5d65979812028b390a661f4bdd813f0d",
    ),
    (
        MERGE,
        &[("o", "5")],
        r#"{"b":true,"l":[1,2],"n":1,"o":5,"s":"x"}"#,
        "a721d89a6ac76a9172d7d3d0c60c14ee",
    ),
    (
        MERGE,
        &[("l", "[9]")],
        r#"{"b":true,"l":[9],"n":1,"o":{"k":1,"z":2},"s":"x"}"#,
        "552610a16a614c2797fed12416d5d90b",
    ),
    (
        MERGE,
        &[("l[0]", "9")],
        r#"{"b":true,"l":{"[0]":9},"n":1,"o":{"k":1,"z":2},"s":"x"}"#,
        "e737dd26735c4fe50f65a6dae6681e26",
    ),
    (
        MERGE,
        &[("/lead/x", "1")],
        r#"{"b":true,"l":[1,2],"lead":{"x":1},"n":1,"o":{"k":1,"z":2},"s":"x"}"#,
        "ad7cb295e3085f0cbda310456f7927dd",
    ),
];

#[test]
fn proposes_with_the_recorded_hashes() {
    for (current, pairs, want, cas) in PROPOSED {
        let proposal = propose(&value(current), &changes(pairs)).unwrap();
        assert_eq!(
            proposal.original.unwrap().as_str(),
            canonical(&value(current))
        );
        assert_eq!(proposal.proposed.unwrap().as_str(), want, "{pairs:?}");
        assert_eq!(proposal.cas, cas, "{pairs:?}");
    }
}

#[test]
fn refuses_what_cannot_be_applied() {
    for (pairs, want) in [
        (&[(".", "5")][..], "can't apply change . 5"),
        (&[("trail/", "1")], "can't apply change trail/ 1"),
        (
            &[("q", "1"), ("q/r", "2")],
            "can't apply change q/r: it overlaps the change of q",
        ),
        (
            &[("q/r", "1"), ("q", "{}")],
            "can't apply change q: it overlaps the change of q/r",
        ),
    ] {
        let error = propose(&value(MERGE), &changes(pairs)).unwrap_err();
        assert_eq!(error.message(), want);
    }
}

#[test]
fn accepts_only_the_proposal_that_was_hashed() {
    let current = value(r#"{"a":"x<y"}"#);
    let proposal = propose(&current, &changes(&[("b", "1.50"), ("c", "[1,2]")])).unwrap();
    let proposed = proposal.proposed.unwrap();
    let accepted = accept(&current, Some(&proposed), &proposal.cas).unwrap();
    assert_eq!(canonical(&accepted), proposed.as_str());
    let spaced = Any::parse(&proposed.as_str().replace("\":", "\": ")).unwrap();
    accept(&current, Some(&spaced), &proposal.cas).unwrap();
    for (current, proposed, cas) in [
        (&accepted, Some(proposed.as_str()), proposal.cas.as_str()),
        (&current, Some(proposed.as_str()), "bad"),
        (
            &current,
            Some(r#"{"a":"x<y","b":1.5,"c":[1,2]}"#),
            &proposal.cas,
        ),
        (
            &current,
            Some(r#"{"a":"x\u003cy", "b":1.5, "c":[1, 2]}"#),
            &proposal.cas,
        ),
        (&current, None, &proposal.cas),
    ] {
        let proposed = proposed.map(|text| Any::parse(text).unwrap());
        let error = accept(current, proposed.as_ref(), cas).unwrap_err();
        assert_eq!(error.message(), "cas mismatch");
    }
}
