//! `$INFRAKIT_HOME/plugins.yml`: what the operator says of plugins, by plugin and type.
//!
//! What is wrong is told with its line, and is the fault of one plugin wherever that can be told:
//! what is set for the others holds.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use infrakit_engine::core::{Override, Overrides};
use infrakit_plan::{InvalidSpec, LossPolicy};
use infrakit_spi::behaviour::{
    Behaviour, Create, Destroy, Id, Idempotency, Limit, List, Operation, Parallel, Visibility,
};
use infrakit_spi::{Any, PluginName, suggest};
use serde_json::Value;

use crate::input::Document;

/// The part of an entry that is no field of a behaviour.
const LOSSES: &str = "Losses";

/// The file, and what it said last.
pub(crate) struct OverridesFile {
    path: PathBuf,
    text: Option<Result<String, String>>,
    /// How many looks in a row found nothing set in it, since something was.
    empty: u32,
}

/// So many looks in a row have to find nothing set before that is believed. Who saves a file may empty or
/// move it first, and fill it some time later; taken at its word, the empty one has creations given up that
/// need long, and made twice.
const BELIEVED: u32 = 5;

impl OverridesFile {
    /// The file at this path, not read yet; it need not exist.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            text: None,
            empty: 0,
        }
    }

    /// Reads the file; `None` when it says what it said last, or nothing for a moment.
    pub(crate) fn read(&mut self) -> Option<Overrides> {
        let text = match std::fs::read_to_string(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            read => read.map_err(|error| error.to_string()),
        };
        if self.text.as_ref() == Some(&text) {
            self.empty = 0;
            return None;
        }
        let nothing =
            |text: &Result<String, String>| text.as_ref().is_ok_and(|text| is_empty(text));
        if nothing(&text) && self.text.as_ref().is_some_and(|last| !nothing(last)) {
            self.empty += 1;
            if self.empty < BELIEVED {
                return None;
            }
        }
        self.empty = 0;
        let read = match &text {
            Ok(text) => parse(&self.path, text),
            Err(error) => Err(format!("`{}` cannot be read: {error}", self.path.display())),
        };
        self.text = Some(text);
        Some(match read {
            Ok(by_plugin) => Overrides {
                by_plugin,
                fault: None,
            },
            Err(fault) => Overrides {
                fault: Some(fault),
                ..Overrides::default()
            },
        })
    }
}

/// Returns whether nothing is set.
fn is_empty(text: &str) -> bool {
    let comment = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    text.lines().all(comment)
}

type ByPlugin = BTreeMap<PluginName, Result<Override, String>>;

/// Reads the text of the file; fails where it cannot be told which plugin is meant.
fn parse(path: &Path, text: &str) -> Result<ByPlugin, String> {
    if is_empty(text) {
        return Ok(ByPlugin::new());
    }
    let name = path.display().to_string();
    let document = Document::of_text(&name, text).one();
    let document = document.map_err(|error| error.message().to_owned())?;
    let value = document.to_value();
    let value = value.map_err(|error| format!("`{name}` cannot be read: {error}"))?;
    let Value::Object(plugins) = value else {
        let example = "file: {create: {give_up_s: 120}}";
        return Err(format!("`{name}` is not of the form `{example}`"));
    };
    let read = plugins.into_iter().map(|(plugin, set)| {
        let read = entry(&plugin, &set).map_err(|Wrong { field, reason }| {
            let line = line(text, &plugin, &field);
            let line = line.map_or_else(String::new, |line| format!(" line {line}"));
            format!("`{name}`{line}: {reason}")
        });
        (PluginName::from(plugin.as_str()), read)
    });
    Ok(read.collect())
}

/// What is wrong with an entry.
struct Wrong {
    /// The field, as in `create.give_up_s`; empty where it is the entry.
    field: String,
    reason: String,
}

fn entry(plugin: &str, set: &Value) -> Result<Override, Wrong> {
    let wrong = |field: &str, reason: String| Wrong {
        field: field.to_owned(),
        reason,
    };
    let name = PluginName::from(plugin).check();
    name.map_err(|error| wrong("", error.to_string()))?;
    let Value::Object(fields) = set else {
        let reason = format!("`{plugin}` has no fields, such as `create: {{give_up_s: 120}}`");
        return Err(wrong("", reason));
    };
    let is_losses = |key: &&String| key.eq_ignore_ascii_case(LOSSES);
    let losses = fields.iter().find(|(key, _)| is_losses(key));
    let losses = losses
        .map(|(_, losses)| Any::from_value(losses))
        .transpose();
    let losses = losses.map_err(|error| wrong(LOSSES, error.to_string()))?;
    let losses = LossPolicy::decode(losses.as_ref()).map_err(|error| match error {
        InvalidSpec::Field { path, problem } => wrong(&path, format!("`{path}`: {problem}")),
        other => wrong(LOSSES, other.to_string()),
    })?;
    let fields = fields.clone().into_iter();
    let given = Value::Object(fields.filter(|(key, _)| !is_losses(&key)).collect());
    let behaviour: Behaviour = serde_json::from_value(given.clone()).map_err(|error| {
        let at = given.as_object().into_iter().flatten();
        let alone = |(key, value): &(&String, &Value)| {
            let one = Value::Object([((*key).clone(), (*value).clone())].into_iter().collect());
            serde_json::from_value::<Behaviour>(one).is_err()
        };
        let field = at.into_iter().find(alone).map_or("", |(key, _)| key);
        wrong(field, format!("`{field}`: {error}"))
    })?;
    let understood = serde_json::to_value(&behaviour).unwrap_or_default();
    if let Some(field) = not_understood("", &given, &understood) {
        let last = field.rsplit('.').next().unwrap_or_default();
        let close = suggest(last, fields_known()).filter(|close| *close != last);
        let hint = close.map_or_else(
            || "docs/behaviour.md lists the fields and their words".to_owned(),
            |close| format!("did you mean `{close}`?"),
        );
        return Err(wrong(&field, format!("`{field}` is not known; {hint}")));
    }
    if behaviour.list.page.is_some() {
        let reason = "`list.page` only the plugin itself can declare".to_owned();
        return Err(wrong("list.page", reason));
    }
    let limits = &behaviour.limits;
    if limits.iter().any(|limit| limit.op == Operation::Undeclared) {
        let reason = "`limits.op` is missing; docs/behaviour.md lists what it may be".to_owned();
        return Err(wrong("limits", reason));
    }
    behaviour
        .check()
        .map_err(|nonsense| wrong(&nonsense.field, nonsense.to_string()))?;
    Ok(Override { behaviour, losses })
}

fn fields_known() -> impl Iterator<Item = &'static str> {
    [
        Behaviour::FIELDS,
        Idempotency::FIELDS,
        Create::FIELDS,
        Visibility::FIELDS,
        List::FIELDS,
        Id::FIELDS,
        Destroy::FIELDS,
        Limit::FIELDS,
        Parallel::FIELDS,
        &[LOSSES],
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Returns the line of a field of a plugin, or else that of the plugin, counted from 1.
fn line(text: &str, plugin: &str, field: &str) -> Option<usize> {
    let quotes = ['"', '\''];
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let names = |line: &str| {
        let line = line
            .trim_start_matches([' ', '{'])
            .trim_start_matches(quotes);
        let rest = line.strip_prefix(plugin);
        rest.is_some_and(|rest| {
            rest.trim_start_matches(quotes)
                .trim_start()
                .starts_with(':')
        })
    };
    // Plugins are at the top; fields may be called the same.
    let lines = || text.lines().zip(1..);
    let named = lines().filter(|(line, _)| names(line));
    let (first, entry) = named.min_by_key(|(line, _)| indentation(line))?;
    let last = field.rsplit('.').next().unwrap_or_default();
    let last = last.split('[').next().unwrap_or_default();
    let behind = lines().skip(entry);
    let mut inner = behind.take_while(|(line, _)| indentation(line) > indentation(first));
    let found = inner.find(|(line, _)| !last.is_empty() && line.contains(last));
    Some(found.map_or(entry, |(_, line)| line))
}

/// Returns the first field of `given` that did not make it into what was understood. A plugin of a
/// later release may declare what is not known here; what a person sets has to be.
fn not_understood(path: &str, given: &Value, understood: &Value) -> Option<String> {
    match (given, understood) {
        (Value::Object(given), Value::Object(understood)) => {
            given.iter().find_map(|(key, value)| {
                let path = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                let mut known = understood.iter();
                let known = known.find(|(name, _)| name.eq_ignore_ascii_case(key));
                match known {
                    Some((_, known)) => not_understood(&path, value, known),
                    None if says_nothing(value) => None,
                    None => Some(deepest(path, value)),
                }
            })
        }
        (Value::Array(given), Value::Array(understood)) => {
            let mut pairs = given.iter().zip(understood);
            pairs.find_map(|(given, understood)| not_understood(path, given, understood))
        }
        (Value::String(given), Value::String(understood)) => {
            (!given.eq_ignore_ascii_case(understood)).then(|| path.to_owned())
        }
        // Numbers and truths cannot be misunderstood: they decode, or they do not.
        _ => None,
    }
}

/// Names the field within a part of which nothing was understood.
fn deepest(path: String, value: &Value) -> String {
    let fields = value.as_object().filter(|fields| fields.len() == 1);
    match fields.and_then(|fields| fields.iter().next()) {
        Some((key, value)) => deepest(format!("{path}.{key}"), value),
        None => path,
    }
}

/// Returns whether a value is left out when it is written.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().all(says_nothing),
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn parsed(text: &str) -> Result<ByPlugin, String> {
        parse(Path::new("plugins.yml"), text)
    }

    #[test]
    fn plugins_and_types_are_set_field_by_field() {
        let text = "# ours\nsimulator/compute:\n  create: {give_up_s: 120}\n  list: {durable: false, complete: PER_DOMAIN}\nfile: {states: {odd: broken}, losses: {AtOnce: 20%}}\n";
        let read = parsed(text).unwrap();
        let compute = read[&PluginName::from("simulator/compute")].as_ref();
        let limit = compute.unwrap().behaviour.creation_limit();
        assert_eq!(limit, Duration::from_secs(120));
        let file = read[&PluginName::from("file")].as_ref().unwrap();
        let expected = LossPolicy {
            at_once: Some(infrakit_plan::Share::Percent(20)),
            ..LossPolicy::default()
        };
        assert_eq!(file.losses, expected);
        for nothing in ["", "# nothing\n", "\n\n"] {
            assert!(parsed(nothing).unwrap().is_empty());
        }
    }

    #[test]
    fn what_is_wrong_with_one_plugin_is_told_with_its_line_and_leaves_the_others_alone() {
        for (text, said) in [
            (
                "file:\n  list: {lag_s: 1}\n  create:\n    giveup_s: 120\n",
                "`plugins.yml` line 4: `create.giveup_s` is not known; did you mean `give_up_s`?",
            ),
            (
                "file/b: {}\nfile:\n  create: {give_up_s: -5}\n",
                "`plugins.yml` line 3: `create.give_up_s` is -5, which cannot be meant: 0 to 86400 seconds",
            ),
            (
                "file: {destroy: {stuck_s: 31536000}}\n",
                "line 1: `destroy.stuck_s` is 31536000, which cannot be meant",
            ),
            (
                "file:\n  list:\n    page: 10\n",
                "line 3: `list.page` only the plugin itself can declare",
            ),
            (
                "file: {absent_proof: perhaps}\n",
                "line 1: `absent_proof` is not known; docs/behaviour.md lists",
            ),
            (
                "file:\n  domain_of: zone\n  list: {lag_s: soon}\n",
                "line 3: `list`: ",
            ),
            (
                "file:\n  Losses:\n    SilentAfter: 48h\n",
                "line 3: `Losses.SilentAfter`: expected at most \"24h\"",
            ),
            ("file: often\n", "line 1: `file` has no fields, such as"),
            (
                "file:\n  limits:\n  - {op: creat, bucket: 1, refill_per_s: 1}\n",
                "`limits.op` is not known",
            ),
            (
                "file:\n  limits:\n  - {bucket: 1, refill_per_s: 1}\n",
                "line 2: `limits.op` is missing; docs/behaviour.md lists",
            ),
            (
                "file: {errors: {'': configuration}}\n",
                "line 1: `errors` is given for an empty word, which cannot be meant",
            ),
            (
                "file:\n  domain_of: ''\n",
                "line 2: `domain_of` is \"\", which cannot be meant: a name",
            ),
            (
                "file:\n  id: {incarnation_field: ''}\n",
                "`id.incarnation_field` is \"\", which cannot be meant: a name",
            ),
        ] {
            let read = parsed(&format!("{text}other: {{domain_of: zone}}\n")).unwrap();
            let error = read[&PluginName::from("file")].as_ref().unwrap_err();
            assert!(error.contains(said), "{error}");
            assert!(read[&PluginName::from("other")].is_ok());
        }
        let read = parsed("a b: {domain_of: zone}\n").unwrap();
        assert!(read.values().all(Result::is_err));
    }

    #[test]
    fn what_cannot_be_read_at_all_is_nobodys_fault() {
        for (text, said) in [
            ("- file\n", "is not of the form `file: {create"),
            ("file: {list: [\n", "`plugins.yml` is not YAML at line"),
            ("{\"file\": \n", "is not JSON"),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn only_another_text_is_news() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugins.yml");
        let mut file = OverridesFile::new(path.clone());
        assert_eq!(
            file.read(),
            Some(Overrides::default()),
            "there need be none"
        );
        assert_eq!(file.read(), None);
        std::fs::write(&path, "file: {domain_of: zone}\n").unwrap();
        assert_eq!(file.read().unwrap().by_plugin.len(), 1);
        assert_eq!(file.read(), None);
        for emptied in [true, false] {
            if emptied {
                std::fs::write(&path, "# ours\n").unwrap();
            } else {
                std::fs::remove_file(&path).unwrap();
            }
            for _ in 1..BELIEVED {
                assert_eq!(file.read(), None, "somebody may be saving it");
            }
            std::fs::write(&path, "file: {domain_of: zone}\n").unwrap();
            assert_eq!(file.read(), None);
        }
        std::fs::write(&path, "").unwrap();
        let read = std::iter::repeat_with(|| file.read()).take(BELIEVED as usize);
        assert_eq!(read.last().flatten(), Some(Overrides::default()));
        std::fs::write(&path, [0xff]).unwrap();
        let fault = file.read().unwrap().fault.unwrap();
        assert!(fault.contains("plugins.yml` cannot be read: "), "{fault}");
    }
}
