//! Where simulated instances are kept: in memory, or one file for each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use infrakit_spi::instance::Attachment;
use infrakit_spi::{Any, Error, InstanceId, LogicalId, Result, Tags, tags, wire_struct};
use serde::Serialize;
use serde::de::DeserializeOwned;

wire_struct! {
    /// A simulated instance.
    #[derive(PartialEq)]
    pub(crate) struct Record {
        /// Its id.
        pub(crate) id: InstanceId => "ID",
        /// Identity of a pet.
        pub(crate) logical_id: Option<LogicalId> => "LogicalID",
        /// Its tags.
        pub(crate) tags: Tags => "Tags",
        /// Properties it was made from.
        pub(crate) properties: Option<Any> => "Properties" omit,
        /// Script it was made with.
        pub(crate) init: String => "Init" omit,
        /// Things attached to it.
        pub(crate) attachments: Option<Vec<Attachment>> => "Attachments" omit,
    }
}

/// Keeps the instances of one type. All calls may take as long as the disk does.
pub(crate) trait Records: Send + Sync {
    /// Returns whether calls wait for a disk.
    fn blocks(&self) -> bool;

    /// Shows the records that carry all of these tags, in the order of their ids.
    fn visit(&self, filter: &Tags, show: &mut dyn FnMut(&Record)) -> Result<()>;

    /// Adds a record, unless there are `cap` of them already.
    fn insert(&self, record: Record, cap: Option<u64>) -> Result<()>;

    /// Changes the tags of a record.
    fn label(&self, id: &InstanceId, labels: &Tags) -> Result<()>;

    /// Removes a record.
    fn remove(&self, id: &InstanceId) -> Result<()>;
}

fn not_found(id: &InstanceId) -> Error {
    Error::refused(format!("not found {id}"))
}

fn check_cap(count: usize, cap: Option<u64>) -> Result<()> {
    match cap {
        Some(cap) if count as u64 >= cap => Err(Error::refused(format!("at capacity {cap}"))),
        _ => Ok(()),
    }
}

/// Records in memory.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    records: BTreeMap<InstanceId, Record>,
    /// Ids by the group that the instance is tagged with: most lists ask for one group.
    by_group: BTreeMap<String, BTreeSet<InstanceId>>,
}

impl Table {
    fn file(&mut self, record: &Record) {
        if let Some(group) = record.tags.get(tags::GROUP) {
            let ids = self.by_group.entry(group.clone()).or_default();
            ids.insert(record.id.clone());
        }
    }

    fn unfile(&mut self, record: &Record) {
        let Some(group) = record.tags.get(tags::GROUP) else {
            return;
        };
        if let Some(ids) = self.by_group.get_mut(group) {
            ids.remove(&record.id);
            if ids.is_empty() {
                self.by_group.remove(group);
            }
        }
    }
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records for Memory {
    fn blocks(&self) -> bool {
        false
    }

    fn visit(&self, filter: &Tags, show: &mut dyn FnMut(&Record)) -> Result<()> {
        let table = self.lock();
        let matches = |record: &&Record| tags::matches(Some(&record.tags), filter);
        match filter.get(tags::GROUP) {
            Some(group) => {
                let ids = table.by_group.get(group).into_iter().flatten();
                let records = ids.filter_map(|id| table.records.get(id));
                records.filter(matches).for_each(show);
            }
            None => table.records.values().filter(matches).for_each(show),
        }
        Ok(())
    }

    fn insert(&self, record: Record, cap: Option<u64>) -> Result<()> {
        let mut table = self.lock();
        check_cap(table.records.len(), cap)?;
        table.file(&record);
        table.records.insert(record.id.clone(), record);
        Ok(())
    }

    fn label(&self, id: &InstanceId, labels: &Tags) -> Result<()> {
        let mut table = self.lock();
        let mut record = table.records.remove(id).ok_or_else(|| not_found(id))?;
        table.unfile(&record);
        record.tags.extend(labels.clone());
        table.file(&record);
        table.records.insert(id.clone(), record);
        Ok(())
    }

    fn remove(&self, id: &InstanceId) -> Result<()> {
        let mut table = self.lock();
        let record = table.records.remove(id).ok_or_else(|| not_found(id))?;
        table.unfile(&record);
        Ok(())
    }
}

/// Records in files named `<type>-<id>`. The directory is the truth: nothing is remembered, so
/// what a person does to the files is seen by the next call.
#[derive(Debug)]
pub(crate) struct Files {
    directory: PathBuf,
    kind: String,
    /// Makes a change of several steps one step.
    changing: Mutex<()>,
}

impl Files {
    pub(crate) fn new(directory: PathBuf, kind: &str) -> Self {
        Self {
            directory,
            kind: kind.to_owned(),
            changing: Mutex::new(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, id: &InstanceId) -> Result<PathBuf> {
        // Ids are numbers; anything else is no instance, and no way out of the directory.
        if !is_number(id.as_str()) {
            return Err(not_found(id));
        }
        Ok(self.directory.join(format!("{}-{id}", self.kind)))
    }

    fn ids(&self) -> Result<Vec<InstanceId>> {
        let fail = |error: io::Error| failed("open", &self.directory, &error);
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name();
            let id = name
                .to_str()
                .and_then(|name| name.strip_prefix(self.kind.as_str()))
                .and_then(|rest| rest.strip_prefix('-'));
            // Of the types `a` and `a-1`, this tells the one's files from the other's.
            ids.extend(id.filter(|id| is_number(id)).map(InstanceId::from));
        }
        ids.sort();
        Ok(ids)
    }
}

impl Records for Files {
    fn blocks(&self) -> bool {
        true
    }

    fn visit(&self, filter: &Tags, show: &mut dyn FnMut(&Record)) -> Result<()> {
        for id in self.ids()? {
            if let Some(mut record) = read::<Record>(&self.path(&id)?)? {
                record.id = id;
                if tags::matches(Some(&record.tags), filter) {
                    show(&record);
                }
            }
        }
        Ok(())
    }

    fn insert(&self, record: Record, cap: Option<u64>) -> Result<()> {
        let _changing = self.lock();
        if cap.is_some() {
            check_cap(self.ids()?.len(), cap)?;
        }
        write(&self.path(&record.id)?, &record)
    }

    fn label(&self, id: &InstanceId, labels: &Tags) -> Result<()> {
        let _changing = self.lock();
        let path = self.path(id)?;
        let mut record: Record = read(&path)?.ok_or_else(|| not_found(id))?;
        record.tags.extend(labels.clone());
        write(&path, &record)
    }

    fn remove(&self, id: &InstanceId) -> Result<()> {
        let _changing = self.lock();
        let path = self.path(id)?;
        fs::remove_file(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => not_found(id),
            _ => failed("remove", &path, &error),
        })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn failed(operation: &str, path: &Path, error: &io::Error) -> Error {
    Error::refused(format!("{operation} {}: {error}", path.display()))
}

/// Reads a document; `None` when there is no file.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        done => done.map_err(|error| failed("open", path, &error))?,
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| Error::refused(format!("decode {}: {error}", path.display())))
}

/// Writes a document whole or not at all. JSON is YAML too, which the original writes here.
pub(crate) fn write<T: Serialize>(path: &Path, document: &T) -> Result<()> {
    let fail = |error: io::Error| failed("write", path, &error);
    let text = serde_json::to_vec(document).map_err(|error| fail(error.into()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".tmp-{name}"));
    fs::write(&temporary, text)
        .and_then(|()| fs::rename(&temporary, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })
        .map_err(fail)
}
