//! The launch configuration: by which ways a kind of plugin can be started.
//!
//! ```json
//! [{"Key": "file", "Launch": {
//!     "inproc": {"Kind": "file", "Options": {"Dir": "/tmp/instances"}},
//!     "os": {"Cmd": "infrakit-instance-file --dir /tmp/instances", "SamePgID": false}
//! }}]
//! ```
//!
//! `Plugin` is the older word for `Key`. Field names are matched without regard to case.

use std::collections::BTreeMap;

use infrakit_spi::{Any, suggest};

use crate::Group;

/// How each kind of plugin can be started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    launches: BTreeMap<String, Launch>,
}

/// The ways in which a kind can be started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// In this process.
    pub in_process: Option<InProcess>,
    /// As a child process.
    pub os: Option<Os>,
}

/// How a plugin starts in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InProcess {
    /// Kind of the built-in plugin.
    pub kind: String,
    /// Its options, an object; what it lacks has the plugin's defaults.
    pub options: Option<Any>,
}

/// How a plugin starts as a child process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Os {
    /// Command line for `/bin/sh -c`.
    pub cmd: String,
    /// Process group that it runs in.
    pub group: Group,
}

/// Why a launch configuration was refused, or has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A part has another shape.
    #[error("{place} of the launch configuration is not {wanted}")]
    Shape {
        /// The part.
        place: String,
        /// What it should be.
        wanted: &'static str,
        /// What the decoder says.
        #[source]
        source: serde_json::Error,
    },
    /// A field is unknown.
    #[error("{place} of the launch configuration has an unknown field `{field}`{}", hint(*suggestion, known))]
    Unknown {
        /// The object that has it.
        place: String,
        /// The field.
        field: String,
        /// What it may mean.
        suggestion: Option<&'static str>,
        /// The fields there are.
        known: &'static [&'static str],
    },
    /// A field is there twice, in different case or under its older name.
    #[error("{place} of the launch configuration has the field `{field}` twice")]
    Twice {
        /// The object that has it.
        place: String,
        /// The field.
        field: &'static str,
    },
    /// A field that must be there is missing or empty.
    #[error("{place} of the launch configuration has no `{field}`")]
    Missing {
        /// The object that lacks it.
        place: String,
        /// The field.
        field: &'static str,
    },
    /// Two rules are about the same kind.
    #[error("{place} of the launch configuration is about `{kind}`, as an earlier one is")]
    Repeated {
        /// The later rule.
        place: String,
        /// The kind.
        kind: String,
    },
    /// There is no command for the kind.
    #[error(
        "no command is known to start `{kind}` as a process{}; \
         add a rule with `Launch.os.Cmd` to the launch configuration",
        suggestion.as_ref().map(|it| format!(" (did you mean `{it}`?)")).unwrap_or_default()
    )]
    NoCommand {
        /// The kind.
        kind: String,
        /// A kind that has one.
        suggestion: Option<String>,
    },
}

fn hint(suggestion: Option<&str>, known: &[&str]) -> String {
    match suggestion {
        Some(field) => format!("; did you mean `{field}`?"),
        None => format!("; it may have {}", known.join(", ")),
    }
}

impl Rules {
    /// Reads a launch configuration.
    ///
    /// # Errors
    /// Returns which rule has which fault; a field that is not known is one.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let place = "the whole";
        let elements: Vec<Any> = serde_json::from_str(text).map_err(|source| {
            let (place, wanted) = (place.to_owned(), "a JSON list of rules");
            ConfigError::Shape {
                place,
                wanted,
                source,
            }
        })?;
        let mut rules = Self::default();
        for (index, element) in elements.iter().enumerate() {
            let place = format!("rule {}", index + 1);
            let (kind, launch) = rule(&place, element)?;
            if rules.launches.insert(kind.clone(), launch).is_some() {
                return Err(ConfigError::Repeated { place, kind });
            }
        }
        Ok(rules)
    }

    /// Adds or replaces the rule for `kind`.
    #[must_use]
    pub fn with(mut self, kind: impl Into<String>, launch: Launch) -> Self {
        self.launches.insert(kind.into(), launch);
        self
    }

    /// Returns these rules with `over` laid over them: kind by kind, way by way, and of the
    /// options of a plugin in this process field by field.
    #[must_use]
    pub fn merge(mut self, over: Self) -> Self {
        for (kind, launch) in over.launches {
            let below = self.launches.entry(kind).or_default();
            if launch.os.is_some() {
                below.os = launch.os;
            }
            if let Some(mut above) = launch.in_process {
                let options = below.in_process.take().and_then(|it| it.options);
                above.options = merge_options(options, above.options);
                below.in_process = Some(above);
            }
        }
        self
    }

    /// Returns the rule for `kind`.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&Launch> {
        self.launches.get(kind)
    }

    /// Returns the kinds that there are rules for, sorted.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.launches.keys().map(String::as_str)
    }

    /// Returns how to start `kind` as a child process.
    ///
    /// # Errors
    /// Returns [`ConfigError::NoCommand`] when there is no such rule.
    pub fn os(&self, kind: &str) -> Result<&Os, ConfigError> {
        let found = self.launches.get(kind).and_then(|it| it.os.as_ref());
        found.ok_or_else(|| {
            let startable = self.launches.iter().filter(|(_, it)| it.os.is_some());
            let suggestion = suggest(kind, startable.map(|(kind, _)| kind.as_str()));
            ConfigError::NoCommand {
                kind: kind.escape_debug().take(100).collect(),
                suggestion: suggestion.map(str::to_owned),
            }
        })
    }
}

fn rule(place: &str, element: &Any) -> Result<(String, Launch), ConfigError> {
    const FIELDS: &[&str] = &["Key", "Launch", "Plugin"];
    let mut fields = Fields::of(place, element, FIELDS)?;
    let kind = match (fields.take("Key"), fields.take("Plugin")) {
        (Some(_), Some(_)) => {
            return Err(ConfigError::Twice {
                place: place.to_owned(),
                field: "Key",
            });
        }
        (Some(kind), None) | (None, Some(kind)) => {
            decode::<Option<String>>(place, &kind, "a rule with a text as its `Key`")?
        }
        (None, None) => None,
    };
    let kind = kind
        .filter(|kind| !kind.is_empty())
        .ok_or_else(|| missing(place, "Key"))?;
    let ways = fields
        .take("Launch")
        .ok_or_else(|| missing(place, "Launch"))?;
    let launch = launch(&format!("`Launch` of {place}"), &ways, &kind)?;
    Ok((kind, launch))
}

fn launch(place: &str, ways: &Any, kind: &str) -> Result<Launch, ConfigError> {
    const WAYS: &[&str] = &["inproc", "os"];
    let mut fields = Fields::of(place, ways, WAYS)?;
    let in_process = fields
        .take("inproc")
        .map(|it| in_process(&format!("`inproc` in {place}"), &it, kind))
        .transpose()?;
    let os = fields
        .take("os")
        .map(|it| os(&format!("`os` in {place}"), &it))
        .transpose()?;
    Ok(Launch { in_process, os })
}

fn in_process(place: &str, value: &Any, kind: &str) -> Result<InProcess, ConfigError> {
    const FIELDS: &[&str] = &["Kind", "Options"];
    let mut fields = Fields::of(place, value, FIELDS)?;
    let named = fields
        .take("Kind")
        .map(|it| decode::<String>(place, &it, "an object with a text as its `Kind`"))
        .transpose()?;
    let options = fields.take("Options");
    if let Some(options) = &options {
        let place = format!("`Options` of {place}");
        decode::<BTreeMap<String, Any>>(&place, options, "an object")?;
    }
    Ok(InProcess {
        kind: named
            .filter(|it| !it.is_empty())
            .unwrap_or_else(|| kind.to_owned()),
        options,
    })
}

fn os(place: &str, value: &Any) -> Result<Os, ConfigError> {
    const FIELDS: &[&str] = &["Cmd", "SamePgID"];
    let mut fields = Fields::of(place, value, FIELDS)?;
    let cmd = fields
        .take("Cmd")
        .map(|it| decode::<String>(place, &it, "an object with a text as its `Cmd`"))
        .transpose()?
        .filter(|cmd| !cmd.trim().is_empty())
        .ok_or_else(|| missing(place, "Cmd"))?;
    let same = fields
        .take("SamePgID")
        .map(|it| decode::<bool>(place, &it, "an object with true or false as its `SamePgID`"))
        .transpose()?;
    let group = if same == Some(true) {
        Group::OfTheHost
    } else {
        Group::Own
    };
    Ok(Os { cmd, group })
}

/// The fields of an object, by the name that they should be written with.
struct Fields(BTreeMap<&'static str, Any>);

impl Fields {
    fn of(place: &str, value: &Any, known: &'static [&'static str]) -> Result<Self, ConfigError> {
        let mut fields = BTreeMap::new();
        let written: BTreeMap<String, Option<Any>> = decode(place, value, "an object")?;
        for (field, value) in written {
            let Some(name) = known.iter().find(|it| it.eq_ignore_ascii_case(&field)) else {
                return Err(ConfigError::Unknown {
                    place: place.to_owned(),
                    suggestion: suggest(&field, known.iter().copied()),
                    field: field.escape_debug().take(60).collect(),
                    known,
                });
            };
            // `null` is as good as no field, as everywhere on the wire.
            if let Some(value) = value
                && fields.insert(*name, value).is_some()
            {
                return Err(ConfigError::Twice {
                    place: place.to_owned(),
                    field: name,
                });
            }
        }
        Ok(Self(fields))
    }

    fn take(&mut self, name: &str) -> Option<Any> {
        self.0.remove(name)
    }
}

fn missing(place: &str, field: &'static str) -> ConfigError {
    ConfigError::Missing {
        place: place.to_owned(),
        field,
    }
}

fn decode<T: serde::de::DeserializeOwned>(
    place: &str,
    value: &Any,
    wanted: &'static str,
) -> Result<T, ConfigError> {
    value.decode().map_err(|source| ConfigError::Shape {
        place: place.to_owned(),
        wanted,
        source,
    })
}

/// Lays the fields of `above` over those of `below`.
fn merge_options(below: Option<Any>, above: Option<Any>) -> Option<Any> {
    let (Some(below), Some(above)) = (&below, &above) else {
        return above.or(below);
    };
    let (Ok(mut merged), Ok(fields)) = (
        below.decode::<BTreeMap<String, Any>>(),
        above.decode::<BTreeMap<String, Any>>(),
    ) else {
        // Options made by a caller instead of `parse` may be no objects: the upper ones count.
        return Some(above.clone());
    };
    for (field, value) in fields {
        merged.retain(|it, _| !it.eq_ignore_ascii_case(&field));
        merged.insert(field, value);
    }
    Some(Any::from_value(&merged).expect("an object of JSON documents is JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_generations_without_regard_to_case() {
        let rules = Rules::parse(
            r#"[
            {"Key": "file", "Launch": {
                "inproc": {"Kind": "file", "Options": {"Dir": "x", "N": 1.50}},
                "os": {"Cmd": "infrakit-instance-file", "SamePgID": true}}},
            {"plugin": "vanilla", "launch": {"OS": {"cmd": "run it"}, "inproc": null}},
            {"Key": "combo", "Launch": {"inproc": {}}}
        ]"#,
        )
        .unwrap();
        assert_eq!(
            rules.kinds().collect::<Vec<_>>(),
            ["combo", "file", "vanilla"]
        );
        let file = rules.get("file").unwrap();
        let options = file.in_process.as_ref().unwrap().options.as_ref().unwrap();
        assert_eq!(options.as_str(), r#"{"Dir": "x", "N": 1.50}"#);
        assert_eq!(file.os.as_ref().unwrap().group, Group::OfTheHost);
        let vanilla = rules.os("vanilla").unwrap();
        assert_eq!(
            (vanilla.cmd.as_str(), vanilla.group),
            ("run it", Group::Own)
        );
        assert_eq!(rules.get("vanilla").unwrap().in_process, None);
        assert_eq!(
            rules
                .get("combo")
                .unwrap()
                .in_process
                .as_ref()
                .unwrap()
                .kind,
            "combo"
        );
    }

    #[test]
    fn faults_are_named_with_their_place_in_one_line() {
        for (text, want) in [
            (
                "{}",
                "the whole of the launch configuration is not a JSON list of rules",
            ),
            ("[", "the whole of"),
            ("[1]", "rule 1 of the launch configuration is not an object"),
            (
                r#"[{"Launch":{}}]"#,
                "rule 1 of the launch configuration has no `Key`",
            ),
            (r#"[{"Key":"a"}]"#, "has no `Launch`"),
            (
                r#"[{"Key":"a","Lanch":{}}]"#,
                "unknown field `Lanch`; did you mean `Launch`?",
            ),
            (r#"[{"Key":"a","Plugin":"a","Launch":{}}]"#, "`Key` twice"),
            (r#"[{"Key":"a","key":"a","Launch":{}}]"#, "`Key` twice"),
            (
                r#"[{"Key":"a","Launch":{"docker":{}}}]"#,
                "it may have inproc, os",
            ),
            (
                r#"[{"Key":"a","Launch":{"os":{"Cmd":" "}}}]"#,
                "`os` in `Launch` of rule 1 of",
            ),
            (
                r#"[{"Key":"a","Launch":{"os":{"Cmd":"x","SamePgId2":1}}}]"#,
                "mean `SamePgID`?",
            ),
            (
                r#"[{"Key":"a","Launch":{"os":{"Cmd":7}}}]"#,
                "a text as its `Cmd`",
            ),
            (
                r#"[{"Key":"a","Launch":{"inproc":{"Options":[]}}}]"#,
                "`Options` of `inproc`",
            ),
            (
                r#"[{"Key":"a","Launch":{}},{"Key":"a","Launch":{}}]"#,
                "rule 2 of the launch configuration is about `a`",
            ),
        ] {
            let error = Rules::parse(text).unwrap_err().to_string();
            assert!(
                error.contains(want) && !error.contains('\n'),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn rules_are_laid_over_kind_by_kind_and_field_by_field() {
        let built_in = Rules::parse(
            r#"[{"Key":"a","Launch":{"inproc":{"Options":{"Dir":"x","Poll":"1s"}}}},
                {"Key":"b","Launch":{"os":{"Cmd":"old"}}}]"#,
        )
        .unwrap();
        let over = Rules::parse(
            r#"[{"Key":"a","Launch":{"inproc":{"Options":{"poll":"5s"}},"os":{"Cmd":"a"}}},
                {"Key":"b","Launch":{"os":{"Cmd":"new"}}},
                {"Key":"c","Launch":{"os":{"Cmd":"c"}}}]"#,
        )
        .unwrap();
        let merged = built_in.merge(over);
        let a = merged.get("a").unwrap().in_process.as_ref().unwrap();
        let options = a.options.as_ref().unwrap();
        assert_eq!(options.as_str(), r#"{"Dir":"x","poll":"5s"}"#);
        let cmd = |kind| merged.os(kind).unwrap().cmd.as_str();
        assert_eq!([cmd("a"), cmd("b"), cmd("c")], ["a", "new", "c"]);
    }

    #[test]
    fn a_kind_without_a_command_is_an_error_with_a_way_out() {
        let rules = Rules::parse(r#"[{"Key":"vanilla","Launch":{"os":{"Cmd":"v"}}}]"#).unwrap();
        let error = rules.os("vanila").unwrap_err().to_string();
        assert!(error.contains("did you mean `vanilla`?"), "{error}");
        assert!(error.contains("Launch.os.Cmd"), "{error}");
    }
}
