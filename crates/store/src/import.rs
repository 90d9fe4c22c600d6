//! Reads the store of the original InfraKit, so that what it managed can be adopted.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use infrakit_spi::document::Spec;
use infrakit_spi::wire_struct;

/// A spec that the original's manager kept, and what it enforced it with.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedRecord {
    /// Kind, `group` for groups.
    pub kind: String,
    /// Name of the object; for a group its id.
    pub name: String,
    /// Name of the plugin that enforced it, such as `group-stateless`.
    pub handler: String,
    /// The spec as it was committed.
    pub spec: Spec,
}

/// Why the original's store could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is there and cannot be read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The file is not the list of records that it should be.
    #[error("`{}` is not a store of the original InfraKit", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// What the decoder says, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// A record does not say what it is about.
    #[error("record {number} of `{}` has no {missing}", path.display())]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// Position of the record, from one.
        number: usize,
        /// The field.
        missing: &'static str,
    },
}

wire_struct! {
    /// What a record is about.
    struct RecordKey {
        /// Kind of the object.
        kind: String => "Kind",
        /// Its name.
        name: String => "Name",
    }
}

wire_struct! {
    /// What is kept of it.
    struct RecordBody {
        /// Plugin that enforced it.
        handler: String => "Handler",
        /// The spec.
        spec: Spec => "Spec",
    }
}

wire_struct! {
    /// An element of the file.
    struct Record {
        /// What it is about.
        key: RecordKey => "Key",
        /// What is kept of it.
        record: RecordBody => "Record",
    }
}

/// Returns the records of `<home>/configs/global.config` in the order in which the original
/// replays them: by rank of their kind, then by name.
///
/// The file may be formatted in any way; a missing or empty one has no records. Of two records
/// about the same object the later one counts, as in the original.
///
/// # Errors
/// Returns an error that names the file when it cannot be read, is something else, or has a
/// record without kind or name.
pub fn global_config(path: &Path) -> Result<Vec<ImportedRecord>, ImportError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(ImportError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    if bytes.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let records: Option<Vec<Record>> =
        serde_json::from_slice(&bytes).map_err(|source| ImportError::Decode {
            path: path.to_owned(),
            source,
        })?;
    let mut ordered = BTreeMap::new();
    for (index, Record { key, record }) in records.unwrap_or_default().into_iter().enumerate() {
        for (field, missing) in [(&key.kind, "kind"), (&key.name, "name")] {
            if field.is_empty() {
                return Err(ImportError::Incomplete {
                    path: path.to_owned(),
                    number: index + 1,
                    missing,
                });
            }
        }
        let imported = ImportedRecord {
            kind: key.kind.clone(),
            name: key.name.clone(),
            handler: record.handler,
            spec: record.spec,
        };
        ordered.insert((rank(&key.kind), key.name, key.kind), imported);
    }
    Ok(ordered.into_values().collect())
}

/// Returns when the original replays records of `kind`: what others stand on comes first.
fn rank(kind: &str) -> u32 {
    match kind {
        "group" => 100,
        "ingress" => 200,
        "enrollment" => 300,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<ImportedRecord>, ImportError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("global.config");
        fs::write(&path, text).unwrap();
        global_config(&path)
    }

    /// Formatted as the original writes it: two spaces of prefix and of indent, no final newline.
    const WRITTEN_BY_GO: &str = r#"[
    {
      "Key": {
        "Kind": "ingress",
        "Name": "lb"
      },
      "Record": {
        "Handler": "ingress",
        "Spec": {
          "kind": "ingress",
          "version": "",
          "metadata": {
            "name": "lb",
            "tags": null
          },
          "properties": [],
          "options": {"SyncInterval": "5s"}
        }
      }
    },
    {
      "Key": {
        "Kind": "group",
        "Name": "workers"
      },
      "Record": {
        "Handler": "group-stateless",
        "Spec": {
          "kind": "group",
          "version": "",
          "metadata": {
            "name": "workers",
            "tags": null
          },
          "properties": {
            "Allocation": {"Size": 2.0}
          }
        }
      }
    }
  ]"#;

    #[test]
    fn reads_what_the_original_writes_in_its_order() {
        let records = read(WRITTEN_BY_GO).unwrap();
        let shown: Vec<_> = records
            .iter()
            .map(|it| (it.kind.as_str(), it.name.as_str(), it.handler.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("group", "workers", "group-stateless"),
                ("ingress", "lb", "ingress")
            ]
        );
        let properties = records[0].spec.properties.as_ref().unwrap();
        assert!(properties.as_str().contains("2.0"), "{properties}");
        assert!(records[1].spec.options.is_some());
    }

    #[test]
    fn accepts_any_formatting_and_case_and_takes_the_later_of_two() {
        let record = |handler: &str| {
            format!(
                r#"{{"key":{{"kind":"group","NAME":"a"}},"record":{{"handler":"{handler}","spec":{{"Kind":"group"}}}}}}"#
            )
        };
        let records = read(&format!("[{},{}]\n", record("old"), record("new"))).unwrap();
        let [only] = records.as_slice() else {
            panic!("{records:?}");
        };
        assert_eq!(only.handler, "new");
    }

    #[test]
    fn nothing_kept_is_no_error() {
        for text in ["", " \n", "[]", "null"] {
            assert!(read(text).unwrap().is_empty(), "{text:?}");
        }
        let dir = tempfile::tempdir().unwrap();
        assert!(global_config(&dir.path().join("none")).unwrap().is_empty());
    }

    #[test]
    fn other_files_are_refused_by_name() {
        for text in ["{", r#"{"a":1}"#, "[1]", "groups"] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("global.config"), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
        let error = read(r#"[{"Key":{"Kind":"group"}}]"#).unwrap_err();
        assert!(error.to_string().starts_with("record 1 of "), "{error}");
        assert!(error.to_string().ends_with(" has no name"), "{error}");
    }
}
