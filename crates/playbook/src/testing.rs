//! Files of another machine, in memory.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::place::Place;
use crate::source::{ReadError, Source};

/// Files below `http://h/p/`.
#[derive(Default)]
pub(crate) struct Files {
    files: RefCell<BTreeMap<String, String>>,
    failing: RefCell<BTreeSet<String>>,
}

impl Files {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let made = Self::default();
        for (name, text) in files {
            made.put(name, text);
        }
        made
    }

    pub(crate) fn place(&self, name: &str) -> Place {
        Place::stored("http://h/p/x").unwrap().join(name).unwrap()
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        let key = self.place(name).as_str().to_owned();
        self.files.borrow_mut().insert(key, text.to_owned());
    }

    pub(crate) fn fail(&self, name: &str) {
        let key = self.place(name).as_str().to_owned();
        self.failing.borrow_mut().insert(key);
    }

    pub(crate) fn failing(self, name: &str) -> Self {
        self.fail(name);
        self
    }
}

impl Source for Files {
    fn read(&self, place: &Place) -> Result<Vec<u8>, ReadError> {
        if self.failing.borrow().contains(place.as_str()) {
            return Err(ReadError::Failed("it is down".to_owned()));
        }
        match self.files.borrow().get(place.as_str()) {
            Some(text) => Ok(text.clone().into_bytes()),
            None => Err(ReadError::NotFound),
        }
    }
}
