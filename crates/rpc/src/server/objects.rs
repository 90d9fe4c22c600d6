//! The objects of a plugin, and how a request names one of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use infrakit_spi::{Error, Result};

/// The name of the only object of a plugin without types.
pub(crate) const ONLY: &str = ".";

/// The object of a manager that stands for all groups.
const GROUPS: &str = "groups";

/// The objects of one interface. They may come and go: each request looks anew.
pub trait Objects<T: ?Sized>: Send + Sync {
    /// Returns the names of all objects, in the order in which a greeting lists them.
    fn names(&self) -> Vec<String>;

    /// Returns the object of that name.
    fn get(&self, name: &str) -> Option<Arc<T>>;

    /// Returns the object, when there is exactly one.
    fn single(&self) -> Option<Arc<T>> {
        match self.names().as_slice() {
            [name] => self.get(name),
            _ => None,
        }
    }
}

impl<T: ?Sized, O: Objects<T> + ?Sized> Objects<T> for Arc<O> {
    fn names(&self) -> Vec<String> {
        (**self).names()
    }

    fn get(&self, name: &str) -> Option<Arc<T>> {
        (**self).get(name)
    }

    fn single(&self) -> Option<Arc<T>> {
        (**self).single()
    }
}

/// Objects that stay the same.
#[derive(Debug)]
pub struct Fixed<T: ?Sized>(BTreeMap<String, Arc<T>>);

impl<T: ?Sized> Fixed<T> {
    /// One object named `.`: a plugin without types.
    #[must_use]
    pub fn single(object: Arc<T>) -> Self {
        Self(BTreeMap::from([(ONLY.to_owned(), object)]))
    }

    /// Objects by name.
    pub fn new(objects: impl IntoIterator<Item = (String, Arc<T>)>) -> Self {
        Self(objects.into_iter().collect())
    }
}

impl<T: ?Sized> From<Arc<T>> for Fixed<T> {
    fn from(object: Arc<T>) -> Self {
        Self::single(object)
    }
}

impl<T: ?Sized + Send + Sync> Objects<T> for Fixed<T> {
    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn get(&self, name: &str) -> Option<Arc<T>> {
        self.0.get(name).cloned()
    }

    fn single(&self) -> Option<Arc<T>> {
        match self.0.values().next() {
            Some(object) if self.0.len() == 1 => Some(Arc::clone(object)),
            _ => None,
        }
    }
}

/// Finds the object that a field `Type` names.
pub(crate) fn by_type<T: ?Sized>(objects: &dyn Objects<T>, kind: &str) -> Result<Arc<T>> {
    let name = if kind.is_empty() { ONLY } else { kind };
    objects
        .get(name)
        .ok_or_else(|| Error::refused(format!("no-plugin:{kind}")))
}

/// Finds the object that a field `Name` names.
///
/// The rules are the original's, with one exception: where a name without subtype leads nowhere
/// among several objects, it leads to `groups`. The original fails there as soon as the first
/// group is committed, and with it its own command line.
pub(crate) fn by_name<T: ?Sized>(objects: &dyn Objects<T>, name: &str) -> Result<Arc<T>> {
    let (lookup, sub) = name.split_once('/').unwrap_or((name, ""));
    if (sub.is_empty() || lookup == ONLY)
        && let Some(object) = objects.single()
    {
        return Ok(object);
    }
    let key = if sub.is_empty() { ONLY } else { lookup };
    let default = || {
        if key == ONLY && sub.is_empty() {
            objects.get(GROUPS)
        } else {
            None
        }
    };
    let last = || objects.get(sub.split_once('/').map_or(sub, |(_, rest)| rest));
    objects
        .get(key)
        .or_else(default)
        .or_else(last)
        .ok_or_else(|| Error::refused(format!("not found: {name} (key={sub})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: &[&str]) -> Fixed<str> {
        Fixed::new(
            names
                .iter()
                .map(|name| ((*name).to_owned(), Arc::from(*name))),
        )
    }

    fn find(names: &[&str], name: &str) -> String {
        match by_name(&table(names), name) {
            Ok(object) => object.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_single_object_answers_to_every_name_without_subtype() {
        for name in ["foo", "whatever", ".", "./x", ""] {
            assert_eq!(find(&["."], name), ".", "{name}");
        }
        assert_eq!(find(&["groups"], "group"), "groups");
        assert_eq!(find(&["."], "foo/bar"), "not found: foo/bar (key=bar)");
        assert_eq!(find(&["."], "a/b/c"), "not found: a/b/c (key=b/c)");
    }

    #[test]
    fn several_objects_are_told_apart_by_either_part() {
        let names = ["groups", "g1", "g2"];
        for (name, want) in [
            ("groups/foo", "groups"),
            ("g1/x", "g1"),
            ("x/g1", "g1"),
            ("a/b/g1", "g1"),
            ("group/nope", "not found: group/nope (key=nope)"),
        ] {
            assert_eq!(find(&names, name), want, "{name}");
        }
        assert_eq!(find(&["a", "b"], "x"), "not found: x (key=)");
        assert_eq!(
            find(&["lb1", "lb2"], "./nope"),
            "not found: ./nope (key=nope)"
        );
        assert_eq!(find(&["lb1", "lb2"], "./"), "not found: ./ (key=)");
    }

    #[test]
    fn groups_answers_where_the_original_lost_its_way() {
        for name in ["group", "groups", "g1", ".", ""] {
            assert_eq!(find(&["groups", "g1"], name), "groups", "{name}");
            assert_eq!(find(&["", "groups", "g1"], name), "groups", "{name}");
        }
        assert_eq!(find(&["", "res1"], "resource"), "");
    }

    #[test]
    fn types_match_exactly() {
        let find = |names: &[&str], kind: &str| {
            by_type(&table(names), kind).map_or_else(|e| e.to_string(), |o| o.to_string())
        };
        assert_eq!(find(&["."], ""), ".");
        assert_eq!(find(&["compute"], ""), "no-plugin:");
        assert_eq!(find(&["compute"], "compute"), "compute");
        assert_eq!(find(&["compute"], "nope"), "no-plugin:nope");
    }
}
