//! What is said about the functions: a list for people, and the document for other programs.

use serde::Serialize;

use super::all;

/// What there is to know about one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionHelp {
    /// Its name.
    pub name: &'static str,
    /// Its type, in Go's notation.
    pub signature: &'static str,
    /// An action that calls it.
    pub usage: &'static str,
    /// What it does, in one or more lines.
    pub about: &'static str,
}

/// Returns all functions, sorted by name; those that only compare (`eq`, `and`, …) and that Go's
/// language brings are among them.
#[must_use]
pub fn functions() -> Vec<FunctionHelp> {
    let mut list: Vec<FunctionHelp> = all()
        .map(|function| FunctionHelp {
            name: function.name,
            signature: function.signature,
            usage: function.usage,
            about: function.about,
        })
        .chain(COMPARISONS)
        .collect();
    list.sort_by_key(|help| help.name);
    list
}

/// The functions that `gotmpl` brings.
const COMPARISONS: [FunctionHelp; 9] = [
    comparison(
        "and",
        "{{ and true 1 }}",
        "Returns the first empty argument, or the last one.",
    ),
    comparison(
        "or",
        "{{ or false 1 }}",
        "Returns the first argument that is not empty, or the last one.",
    ),
    comparison(
        "eq",
        "{{ eq 1 2 1 }}",
        "Tells whether the first argument equals any of the others.",
    ),
    comparison("ne", "{{ ne 1 2 }}", "Tells whether two values differ."),
    comparison(
        "lt",
        "{{ lt 1 2 }}",
        "Tells whether the first value is less than the second.",
    ),
    comparison(
        "le",
        "{{ le 1 2 }}",
        "Tells whether the first value is at most the second.",
    ),
    comparison(
        "gt",
        "{{ gt 2 1 }}",
        "Tells whether the first value is greater than the second.",
    ),
    comparison(
        "ge",
        "{{ ge 2 1 }}",
        "Tells whether the first value is at least the second.",
    ),
    comparison(
        "call",
        "{{ if false }}{{ call .f }}{{ end }}",
        "Calls a function that is a value; no value here is one.",
    ),
];

const fn comparison(name: &'static str, usage: &'static str, about: &'static str) -> FunctionHelp {
    FunctionHelp {
        name,
        signature: "func(...interface {}) interface {}",
        usage,
        about,
    }
}

/// A function as `/info/functions.json` describes it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    name: &'static str,
    description: Vec<&'static str>,
    function: &'static str,
    usage: &'static str,
}

/// Returns the description of all functions in the form of `/info/functions.json`:
/// `{"builtin": [{"Name", "Description", "Function", "Usage"}]}`, indented by two spaces.
///
/// ```
/// let described: serde_json::Value =
///     serde_json::from_str(&infrakit_template::functions_json())?;
/// assert!(described["builtin"].as_array().unwrap().iter().any(|f| f["Name"] == "upper"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use]
pub fn functions_json() -> String {
    #[derive(Serialize)]
    struct Document {
        builtin: Vec<Described>,
    }
    let mut builtin: Vec<Described> = all()
        .map(|function| Described {
            name: function.name,
            description: function.about.lines().collect(),
            function: function.signature,
            usage: function.usage,
        })
        .collect();
    builtin.sort_by_key(|described| described.name);
    serde_json::to_string_pretty(&Document { builtin }).expect("plain text always serialises")
}
