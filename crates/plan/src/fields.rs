//! The fields of one object of a spec: taken apart, each fault with its place and a way out.

use std::collections::BTreeMap;
use std::time::Duration;

use infrakit_spi::{Any, GoDuration, suggest};
use serde::de::DeserializeOwned;

use crate::InvalidSpec;

/// The fields of one object, by their canonical names.
pub(crate) struct Fields {
    path: String,
    entries: BTreeMap<&'static str, Any>,
}

impl Fields {
    /// Splits an object into its fields; names match without regard to case, unknown ones are
    /// refused with a suggestion, `null` counts as absent.
    pub(crate) fn of(
        raw: Option<&Any>,
        path: impl Into<String>,
        known: &[&'static str],
    ) -> Result<Self, InvalidSpec> {
        let path = path.into();
        let mut entries = BTreeMap::new();
        let Some(raw) = raw else {
            return Ok(Self { path, entries });
        };
        let object: BTreeMap<String, Option<Any>> = raw.decode().map_err(|_| {
            InvalidSpec::field(
                place(&path, ""),
                format!("expected an object, found {}", kind(raw)),
            )
        })?;
        for (key, value) in object {
            let Some(name) = known.iter().find(|name| name.eq_ignore_ascii_case(&key)) else {
                let hint = suggest(&key, known.iter().copied()).map_or_else(
                    || format!("known are {}", known.join(", ")),
                    |name| format!("did you mean `{name}`?"),
                );
                return Err(InvalidSpec::field(
                    place(&path, &key),
                    format!("unknown field; {hint}"),
                ));
            };
            if let Some(value) = value {
                entries.insert(*name, value);
            }
        }
        Ok(Self { path, entries })
    }

    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<T>, InvalidSpec> {
        let Some(raw) = self.entries.get(name) else {
            return Ok(None);
        };
        raw.decode().map(Some).map_err(|_| {
            InvalidSpec::field(
                place(&self.path, name),
                format!("expected {expected}, found {}", shown(raw)),
            )
        })
    }

    pub(crate) fn duration(&self, name: &'static str) -> Result<Option<Duration>, InvalidSpec> {
        let Some(raw) = self.entries.get(name) else {
            return Ok(None);
        };
        let path = place(&self.path, name);
        let text: String = raw.decode().map_err(|_| {
            let problem = format!("expected a duration like \"30s\", found {}", shown(raw));
            InvalidSpec::field(&path, problem)
        })?;
        let duration: GoDuration = text
            .parse()
            .map_err(|error| InvalidSpec::field(&path, format!("{error}")))?;
        Ok(Some(duration.0))
    }

    pub(crate) fn raw(&self, name: &'static str) -> Option<&Any> {
        self.entries.get(name)
    }

    /// Returns the value that one of these names stands for; an empty string counts as absent.
    pub(crate) fn choice<T: Copy>(
        &self,
        name: &'static str,
        known: &[(&'static str, T)],
    ) -> Result<Option<T>, InvalidSpec> {
        let expected = known
            .iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect::<Vec<_>>()
            .join(" or ");
        let Some(text) = self
            .get::<String>(name, &expected)?
            .filter(|text| !text.is_empty())
        else {
            return Ok(None);
        };
        known
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, value)| Some(*value))
            .ok_or_else(|| {
                let problem = format!("expected {expected}, found `{text}`");
                InvalidSpec::field(place(&self.path, name), problem)
            })
    }

    /// Returns the elements of a list, each with its path; none when the list is absent.
    pub(crate) fn list(&self, name: &'static str) -> Result<Vec<(String, Any)>, InvalidSpec> {
        let elements: Vec<Any> = self.get(name, "a list")?.unwrap_or_default();
        let path = place(&self.path, name);
        Ok(elements
            .into_iter()
            .enumerate()
            .map(|(index, raw)| (format!("{path}[{index}]"), raw))
            .collect())
    }

    /// Returns the path of one of the fields.
    pub(crate) fn place(&self, name: &str) -> String {
        place(&self.path, name)
    }
}

fn place(path: &str, name: &str) -> String {
    match (path.is_empty(), name.is_empty()) {
        (true, true) => "Properties".to_owned(),
        (true, false) => name.to_owned(),
        (false, true) => path.to_owned(),
        (false, false) => format!("{path}.{name}"),
    }
}

fn kind(raw: &Any) -> &'static str {
    match raw.as_str().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// Shows a scalar itself and anything longer by its kind.
pub(crate) fn shown(raw: &Any) -> String {
    let text = raw.as_str();
    if text.len() <= 40 && !text.starts_with(['{', '[']) {
        format!("`{text}`")
    } else {
        kind(raw).to_owned()
    }
}
