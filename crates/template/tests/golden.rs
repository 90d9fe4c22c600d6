//! A case for each function, in `golden/functions.txt`; a function without one is a failure.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use infrakit_template::{Access, Engine, Fetch, Metadata, Request, Vars, functions};
use regex::Regex;
use serde_json::{Value, json};

/// Answers with what it is asked for.
struct Mirror;

impl Fetch for Mirror {
    fn fetch(&self, request: &Request<'_>) -> Result<Vec<u8>, String> {
        let mut answer = request.url.to_owned();
        for (name, value) in request.headers {
            answer.push_str(&format!(" {name}={value}"));
        }
        Ok(answer.into_bytes())
    }

    fn resolve(&self, host: &str) -> Result<String, String> {
        assert_eq!(host, "web.local");
        Ok("10.0.0.7".to_owned())
    }
}

/// Knows a size, and after a while something late.
#[derive(Default)]
struct Plugins(AtomicUsize);

impl Metadata for Plugins {
    fn get(&self, path: &str) -> Result<Option<Value>, String> {
        Ok(match path {
            "vars/size" => Some(json!(5)),
            "vars/late" if self.0.fetch_add(1, Ordering::Relaxed) > 2 => Some(json!("there")),
            _ => None,
        })
    }
}

fn engine() -> Engine {
    let access = Access::none()
        .with_env([("HOME".to_owned(), "/h".to_owned())].into())
        .with_fetch(Arc::new(Mirror))
        .with_metadata(Arc::new(Plugins::default()));
    Engine::new()
        .with_access(&access)
        .with_clock(|| 1_600_000_000)
}

/// Writes line ends, tabs and backslashes as the file does.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\t', "\\t")
}

#[test]
fn every_function_does_what_its_case_says() {
    let mut missing: BTreeSet<&str> = functions().iter().map(|help| help.name).collect();
    let mut wrong = Vec::new();
    let lines = include_str!("golden/functions.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, template, want] = cells[..] else {
            panic!("not three cells: {line}");
        };
        assert!(template.contains(name), "{name} is not called: {line}");
        missing.remove(name);
        let got = engine().render(template, "t", &Value::Null, &Vars::new());
        let right = match (want.chars().next(), &got) {
            (Some('!'), Err(error)) => error.to_string().contains(&want[1..]),
            (Some('~'), Ok(text)) => Regex::new(&format!("(?s)^{}$", &want[1..]))
                .unwrap()
                .is_match(text),
            (_, Ok(text)) => escaped(text) == want,
            _ => false,
        };
        if !right {
            wrong.push(format!("{template}\n  want {want}\n  got  {got:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
fn every_function_is_in_the_document() {
    let document = include_str!("../../../docs/templates.md");
    for help in functions() {
        let row = format!(
            "\n| `{}` | {}",
            help.name,
            help.about.lines().next().unwrap_or_default()
        );
        assert!(document.contains(&row), "docs/templates.md lacks:{row}");
    }
}

#[test]
fn every_example_runs() {
    let dear = ["bcrypt", "htpasswd", "derivePassword"];
    for help in functions() {
        // Keys of RSA take their time where nothing is optimised; the cases above make some.
        if help.usage.contains("genCA \"")
            || help.usage.contains("genSelfSignedCert \"")
            || help.usage.contains("genSignedCert \"")
            || dear.contains(&help.name)
        {
            continue;
        }
        engine()
            .render(help.usage, help.name, &Value::Null, &Vars::new())
            .unwrap_or_else(|error| panic!("{}: {error}", help.usage));
    }
}
