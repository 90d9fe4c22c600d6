//! Dicts that change. Go's are references: `set` changes the dict that it is given, and whoever
//! holds it sees the change. Values here cannot change, so a dict that is to be changed gets a
//! cell, found by the address of the dict, with what it holds now.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gotmpl::Value;

/// A dict as a value holds it.
pub(crate) type Dict = Arc<BTreeMap<Arc<str>, Value>>;

/// Deepest nesting that is followed; a dict can be set into itself.
const DEEPEST: usize = 128;
/// Most parts that are looked at to replace changed dicts in a value.
const MOST_PARTS: usize = 1 << 20;

/// The changed dicts of one rendering.
#[derive(Default)]
pub(crate) struct Cells {
    used: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// From the address of a dict to its cell.
    index: HashMap<usize, usize>,
    cells: Vec<Cell>,
}

struct Cell {
    current: Dict,
    /// Kept, so that their addresses cannot become those of other dicts.
    former: Vec<Dict>,
}

impl Cells {
    /// Changes what `dict` holds, for all who hold it.
    pub(crate) fn change(&self, dict: &Dict, change: impl FnOnce(&mut BTreeMap<Arc<str>, Value>)) {
        self.used.store(true, Ordering::Relaxed);
        let mut inner = self.lock();
        let Inner { index, cells } = &mut *inner;
        let number = *index.entry(address(dict)).or_insert_with(|| {
            cells.push(Cell {
                current: Arc::clone(dict),
                former: Vec::new(),
            });
            cells.len() - 1
        });
        let cell = &mut cells[number];
        if let Some(entries) = Arc::get_mut(&mut cell.current) {
            change(entries);
            return;
        }
        let mut entries = (*cell.current).clone();
        change(&mut entries);
        let former = std::mem::replace(&mut cell.current, Arc::new(entries));
        cell.former.push(former);
        index.insert(address(&cell.current), number);
    }

    /// Returns whether no dict was changed yet.
    pub(crate) fn is_unused(&self) -> bool {
        !self.used.load(Ordering::Relaxed)
    }

    /// Returns what `value` holds now. Dicts inside it stay as they are.
    pub(crate) fn now(&self, value: &Value) -> Value {
        if self.is_unused() {
            return value.clone();
        }
        self.lock().now(value).unwrap_or_else(|| value.clone())
    }

    /// Returns what `value` holds now, down to its last part.
    pub(crate) fn all_now(&self, value: &Value) -> Result<Value, &'static str> {
        if self.is_unused() {
            return Ok(value.clone());
        }
        let mut left = MOST_PARTS;
        let changed = self.lock().all_now(value, 0, &mut left)?;
        Ok(changed.unwrap_or_else(|| value.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn now(&self, value: &Value) -> Option<Value> {
        let Value::Map(dict) = value else {
            return None;
        };
        let number = self.index.get(&address(dict))?;
        Some(Value::Map(Arc::clone(&self.cells.get(*number)?.current)))
    }

    /// Returns the value with changed dicts replaced, or nothing where none is in it.
    fn all_now(
        &self,
        value: &Value,
        depth: usize,
        left: &mut usize,
    ) -> Result<Option<Value>, &'static str> {
        if depth > DEEPEST {
            return Err("a value is nested more than 128 deep");
        }
        *left = left.checked_sub(1).ok_or("a value is larger than 8 MiB")?;
        let replaced = self.now(value);
        match replaced.as_ref().unwrap_or(value) {
            Value::Map(entries) => {
                let mut changed = None;
                for (key, item) in entries.iter() {
                    if let Some(item) = self.all_now(item, depth + 1, left)? {
                        changed
                            .get_or_insert_with(|| (**entries).clone())
                            .insert(Arc::clone(key), item);
                    }
                }
                Ok(changed
                    .map(|entries| Value::Map(Arc::new(entries)))
                    .or(replaced))
            }
            Value::List(items) => {
                let mut changed = None;
                for (at, item) in items.iter().enumerate() {
                    if let Some(item) = self.all_now(item, depth + 1, left)? {
                        changed.get_or_insert_with(|| items.to_vec())[at] = item;
                    }
                }
                Ok(changed.map(|items| Value::List(items.into())))
            }
            _ => Ok(None),
        }
    }
}

fn address(dict: &Dict) -> usize {
    Arc::as_ptr(dict) as usize
}
