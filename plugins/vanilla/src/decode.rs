//! Strict reading of JSON: every error names the path, what was expected and what was found.

use infrakit_spi::{GoDuration, suggest};
use serde_json::{Map, Value};

/// Result of reading a part of the properties; the error is one sentence.
pub(crate) type Decoded<T> = Result<T, String>;

/// A value and the path that leads to it.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    path: &'a str,
    value: &'a Value,
}

impl<'a> At<'a> {
    pub(crate) fn new(path: &'a str, value: &'a Value) -> Self {
        Self { path, value }
    }

    pub(crate) fn path(&self) -> &'a str {
        self.path
    }

    /// Returns the error that something else was expected here.
    pub(crate) fn expected<T>(&self, what: &str) -> Decoded<T> {
        Err(format!(
            "{}: expected {what}, found {}",
            self.path,
            kind(self.value)
        ))
    }

    /// Returns the error that the value here is wrong, with `example` of a right one.
    pub(crate) fn wrong<T>(&self, why: &str, example: &str) -> Decoded<T> {
        Err(format!("{}: {why}, as in `{example}`", self.path))
    }

    pub(crate) fn string(&self) -> Decoded<&'a str> {
        self.value
            .as_str()
            .map_or_else(|| self.expected("a string"), Ok)
    }

    pub(crate) fn strings(&self) -> Decoded<Vec<String>> {
        let Value::Array(items) = self.value else {
            return self.expected("a list of strings");
        };
        let item = |(index, value)| {
            At::new(&format!("{}[{index}]", self.path), value)
                .string()
                .map(str::to_owned)
        };
        items.iter().enumerate().map(item).collect()
    }

    pub(crate) fn number(&self, least: u64, most: u64) -> Decoded<u64> {
        match self.value.as_u64() {
            Some(number) if (least..=most).contains(&number) => Ok(number),
            _ if self.value.is_number() => Err(format!(
                "{}: expected {least} to {most}, found {}",
                self.path, self.value
            )),
            _ => self.expected("a number"),
        }
    }

    pub(crate) fn duration(&self) -> Decoded<GoDuration> {
        let Value::String(text) = self.value else {
            return self.expected("a duration as a string, like \"10s\"");
        };
        text.parse()
            .map_err(|error| format!("{}: {error}", self.path))
    }

    pub(crate) fn array(&self) -> Option<&'a [Value]> {
        self.value.as_array().map(Vec::as_slice)
    }

    pub(crate) fn object(&self, what: &str) -> Decoded<&'a Map<String, Value>> {
        self.value
            .as_object()
            .map_or_else(|| self.expected(what), Ok)
    }

    /// Opens an object that has these fields and no others.
    pub(crate) fn fields(&self, known: &'static [&'static str]) -> Decoded<Fields<'a>> {
        let object = self.object("an object")?;
        let mut values: Vec<Option<&Value>> = vec![None; known.len()];
        for (key, value) in object {
            let Some(index) = known.iter().position(|name| name.eq_ignore_ascii_case(key)) else {
                return Err(self.unknown(key, known));
            };
            if values[index].replace(value).is_some() {
                return Err(format!("{}: given twice", joined(self.path, known[index])));
            }
        }
        Ok(Fields {
            path: self.path.to_owned(),
            known,
            values,
        })
    }

    fn unknown(&self, key: &str, known: &'static [&'static str]) -> String {
        let shown: String = joined(self.path, key).escape_debug().take(80).collect();
        let hint = suggest(key, known.iter().copied()).map_or_else(
            || format!(", known are {}", known.join(", ")),
            |near| format!(", did you mean `{near}`?"),
        );
        format!("unknown property `{shown}`{hint}")
    }
}

/// The fields of an object, by name.
pub(crate) struct Fields<'a> {
    path: String,
    known: &'static [&'static str],
    values: Vec<Option<&'a Value>>,
}

impl Fields<'_> {
    /// Reads a field with `read`; an absent one and `null` are `None`.
    pub(crate) fn read<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(At<'_>) -> Decoded<T>,
    ) -> Decoded<Option<T>> {
        let index = self.known.iter().position(|known| *known == name);
        let value = index.and_then(|index| self.values.get(index).copied().flatten());
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(At::new(&joined(&self.path, name), value)).map(Some),
        }
    }
}

/// Returns the path of `name` below `path`; the path of the whole is `Properties`, which is left
/// out in front of a name.
fn joined(path: &str, name: &str) -> String {
    if path == ROOT {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Path of the whole.
pub(crate) const ROOT: &str = "Properties";

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
