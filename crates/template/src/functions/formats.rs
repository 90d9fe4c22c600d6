//! YAML, INI and HCL, and queries over what they hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::Value;

use super::args::Args;
use super::{Arity, Function, Outcome, hcl, made};
use crate::value::{from_json, map, text, to_json};
use crate::yaml::write_yaml;

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "yamlEncode",
        Arity::Exactly(1),
        "func(interface {}) (string, error)",
        "{{ dict \"a\" (list 1 2) | yamlEncode }}",
        "Writes a value as YAML, with sorted keys.",
        yaml_encode,
    ),
    made(
        "yamlDecode",
        Arity::Exactly(1),
        "func(interface {}) (interface {}, error)",
        "{{ (yamlDecode \"a: 1\").a }}",
        "Reads a value from YAML.",
        yaml_decode,
    ),
    made(
        "iniDecode",
        Arity::Exactly(1),
        "func(string) (map[string]interface {}, error)",
        "{{ (iniDecode \"[web]\\nport = 80\").web.port }}",
        "Reads INI: a dict of sections, each a dict of texts. What stands before the first section is in the section \"\".",
        ini_decode,
    ),
    made(
        "hclDecode",
        Arity::Exactly(1),
        "func(interface {}) (interface {}, error)",
        "{{ (hclDecode \"port = 80\").port }}",
        "Reads HCL, or JSON. As in version 1 of the language, blocks and objects become lists of dicts.",
        |args| Ok(from_json(&hcl::decode(args.string(0)?)?)),
    ),
    made(
        "q",
        Arity::Exactly(2),
        "func(string, interface {}) (interface {}, error)",
        "{{ jsonDecode `{\"a\": [{\"b\": 1}]}` | q \"a[0].b\" }}",
        "Runs a JMESPath query (https://jmespath.org) on a value.",
        query,
    ),
];

fn yaml_encode(args: &Args<'_>) -> Outcome {
    let mut yaml = Vec::new();
    write_yaml(&mut yaml, &to_json(args.value(0))).map_err(|error| error.to_string())?;
    String::from_utf8(yaml)
        .map(text)
        .map_err(|error| error.to_string())
}

fn yaml_decode(args: &Args<'_>) -> Outcome {
    let yaml = args.string(0)?;
    let json: serde_json::Value = serde_saphyr::from_str(yaml).map_err(|error| {
        let message = error.without_snippet().to_string();
        format!("not YAML: {}", message.lines().next().unwrap_or_default())
    })?;
    Ok(from_json(&json))
}

fn ini_decode(args: &Args<'_>) -> Outcome {
    let mut sections: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    let mut section = String::new();
    for (number, line) in args.string(0)?.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            name.trim().clone_into(&mut section);
            sections.entry(section.clone()).or_default();
            continue;
        }
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| format!("not INI: line {} has no `=`", number + 1))?;
        sections
            .entry(section.clone())
            .or_default()
            .insert(key.trim().to_owned(), text(value.trim()));
    }
    Ok(map(sections
        .into_iter()
        .map(|(name, keys)| (name, map(keys)))))
}

fn query(args: &Args<'_>) -> Outcome {
    let expression = args.string(0)?;
    if expression.len() > LONGEST_QUERY {
        return Err(format!("the query is longer than {LONGEST_QUERY} bytes"));
    }
    let failed = |error: jmespath::JmespathError| {
        let message = error.to_string();
        format!("JMESPath: {}", message.lines().next().unwrap_or_default())
    };
    let query = jmespath::compile(expression).map_err(failed)?;
    let data = jmespath::Variable::try_from(to_json(args.value(1))).map_err(failed)?;
    let found = query.search(data).map_err(failed)?;
    let found: Arc<jmespath::Variable> = found;
    let json = serde_json::to_value(&*found).map_err(|error| error.to_string())?;
    Ok(from_json(&json))
}

/// Longest query. Its parser recurses over what it nests.
const LONGEST_QUERY: usize = 1024;
