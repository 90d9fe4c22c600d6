//! The properties of a group's flavor, decoded and checked once.

use std::sync::Arc;
use std::time::Duration;

use infrakit_spi::instance::Attachment;
use infrakit_spi::{Any, GoDuration, Tags};
use serde_json::Value;

use crate::decode::{At, Decoded, ROOT};
use crate::target::{self, HttpTarget};

/// What a group wants of this flavor.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Properties {
    pub(crate) init: Init,
    pub(crate) tags: Tags,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) health_check: Option<Arc<HealthCheck>>,
    pub(crate) drain: Option<Drain>,
}

/// What is added to the init script.
#[derive(Debug, PartialEq)]
pub(crate) enum Init {
    /// Lines.
    Lines(Vec<String>),
    /// The output of the template behind this URL.
    Template(String),
}

impl Default for Init {
    fn default() -> Self {
        Self::Lines(Vec::new())
    }
}

/// How to tell whether an instance is healthy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HealthCheck {
    pub(crate) probe: Probe,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    /// Failures in a row that make an instance unhealthy.
    pub(crate) threshold: u64,
    /// Successes in a row that make it healthy.
    pub(crate) success_threshold: u64,
}

/// What one check does. Strings are templates over the instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Probe {
    /// Runs a program.
    Command(Vec<String>),
    /// Asks for a page.
    Http(HttpTarget),
    /// Opens a connection to `host:port`.
    Tcp(String),
}

/// What runs before an instance is destroyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Drain {
    pub(crate) command: Vec<String>,
    pub(crate) timeout: Duration,
}

const FIELDS: &[&str] = &[
    "Init",
    "InitScriptTemplateURL",
    "Tags",
    "Attachments",
    "HealthCheck",
    "Drain",
];
const CHECK_FIELDS: &[&str] = &[
    "Command",
    "HTTP",
    "TCP",
    "Interval",
    "Timeout",
    "Threshold",
    "SuccessThreshold",
];

/// Shortest time between checks: below it, checks cost more than what they watch.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
const DEFAULT_INTERVAL: Duration = Duration::from_secs(10);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_THRESHOLD: u64 = 3;
const DEFAULT_SUCCESS_THRESHOLD: u64 = 1;
const DEFAULT_DRAIN_TIMEOUT: Duration = Duration::from_secs(60);

impl Properties {
    /// Decodes `raw`; an absent document wants nothing.
    pub(crate) fn decode(raw: Option<&Any>) -> Decoded<Self> {
        let Some(raw) = raw else {
            return Ok(Self::default());
        };
        let value = raw.to_value().map_err(|error| format!("{ROOT}: {error}"))?;
        if value.is_null() {
            return Ok(Self::default());
        }
        let fields = At::new(ROOT, &value).fields(FIELDS)?;
        let lines = fields.read("Init", |at| at.strings())?.unwrap_or_default();
        let url = fields
            .read("InitScriptTemplateURL", |at| at.string().map(str::to_owned))?
            .filter(|url| !url.is_empty());
        let init = match url {
            Some(_) if !lines.is_empty() => {
                return Err(
                    "Either \"Init\" or \"InitScriptTemplateURL\" can be specified but not both"
                        .to_owned(),
                );
            }
            Some(url) => Init::Template(url),
            None => Init::Lines(lines),
        };
        Ok(Self {
            init,
            tags: fields.read("Tags", tags)?.unwrap_or_default(),
            attachments: fields.read("Attachments", attachments)?.unwrap_or_default(),
            health_check: fields.read("HealthCheck", health_check)?.map(Arc::new),
            drain: fields.read("Drain", drain)?,
        })
    }
}

fn tags(at: At<'_>) -> Decoded<Tags> {
    let object = at.object("an object of strings")?;
    let tag = |(key, value): (&String, &Value)| {
        let path = format!("{}.{}", at.path(), key.escape_debug());
        Ok((key.clone(), At::new(&path, value).string()?.to_owned()))
    };
    object.iter().map(tag).collect()
}

fn attachments(at: At<'_>) -> Decoded<Vec<Attachment>> {
    each(at, "a list of {\"ID\", \"Type\"}", |item| {
        let fields = item.fields(Attachment::FIELDS)?;
        let text = |name| fields.read(name, |at| at.string().map(str::to_owned));
        Ok(Attachment {
            id: text("ID")?.unwrap_or_default(),
            kind: text("Type")?.unwrap_or_default(),
        })
    })
}

fn each<T>(at: At<'_>, what: &str, read: impl Fn(At<'_>) -> Decoded<T>) -> Decoded<Vec<T>> {
    let Some(items) = at.array() else {
        return at.expected(what);
    };
    let item = |(index, value)| read(At::new(&format!("{}[{index}]", at.path()), value));
    items.iter().enumerate().map(item).collect()
}

fn health_check(at: At<'_>) -> Decoded<HealthCheck> {
    let fields = at.fields(CHECK_FIELDS)?;
    let probes: Vec<Probe> = [
        fields.read("Command", |at| command(at).map(Probe::Command))?,
        fields.read("HTTP", |at| target::http(at).map(Probe::Http))?,
        fields.read("TCP", |at| target::tcp(at).map(Probe::Tcp))?,
    ]
    .into_iter()
    .flatten()
    .collect();
    let Ok([probe]) = <[Probe; 1]>::try_from(probes) else {
        let example = r#"{"TCP": "{{ index .Tags \"ip\" }}:80"}"#;
        return at.wrong("exactly one of Command, HTTP and TCP is needed", example);
    };
    let interval = fields.read("Interval", |at| {
        let GoDuration(interval) = at.duration()?;
        if interval < SHORTEST_INTERVAL {
            return at.wrong("must be at least 100ms", "10s");
        }
        Ok(interval)
    })?;
    let count = |name| fields.read(name, |at| at.number(1, 1_000_000));
    Ok(HealthCheck {
        probe,
        interval: interval.unwrap_or(DEFAULT_INTERVAL),
        timeout: fields.read("Timeout", timeout)?.unwrap_or(DEFAULT_TIMEOUT),
        threshold: count("Threshold")?.unwrap_or(DEFAULT_THRESHOLD),
        success_threshold: count("SuccessThreshold")?.unwrap_or(DEFAULT_SUCCESS_THRESHOLD),
    })
}

fn drain(at: At<'_>) -> Decoded<Drain> {
    let fields = at.fields(&["Command", "Timeout"])?;
    let Some(command) = fields.read("Command", command)? else {
        return at.wrong("Command is needed", r#"{"Command": ["sh", "-c", "true"]}"#);
    };
    let timeout = fields
        .read("Timeout", timeout)?
        .unwrap_or(DEFAULT_DRAIN_TIMEOUT);
    Ok(Drain { command, timeout })
}

fn command(at: At<'_>) -> Decoded<Vec<String>> {
    let example = r#"["sh", "-c", "true"]"#;
    let words = at.strings()?;
    if words.first().is_none_or(String::is_empty) {
        return at.wrong("must name a program", example);
    }
    if words.iter().any(|word| word.contains('\0')) {
        return at.wrong("must not contain a zero byte", example);
    }
    for (index, word) in words.iter().enumerate() {
        target::template(&format!("{}[{index}]", at.path()), word)?;
    }
    Ok(words)
}

fn timeout(at: At<'_>) -> Decoded<Duration> {
    let GoDuration(timeout) = at.duration()?;
    if timeout.is_zero() {
        at.wrong("must be more than 0s", "5s")
    } else {
        Ok(timeout)
    }
}
