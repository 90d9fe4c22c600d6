//! Members, by their ids and plugins.
//!
//! A member is large, and most of it is about those that are ill or on their way out. In the nodes of the
//! tree it would be moved whenever another one comes, and leave a third of its room empty: of 100,000
//! members that is 13 MiB.

use std::collections::{BTreeMap, btree_map};
use std::ops::{Index, RangeFrom};

use super::key::Key;
use super::member::Member;

#[derive(Clone, Debug, Default)]
pub(super) struct Members(BTreeMap<Key, Box<Member>>);

impl Members {
    pub(super) fn get(&self, key: &Key) -> Option<&Member> {
        self.0.get(key).map(Box::as_ref)
    }

    pub(super) fn contains_key(&self, key: &Key) -> bool {
        self.0.contains_key(key)
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Member> {
        self.0.get_mut(key).map(Box::as_mut)
    }

    pub(super) fn get_key_value(&self, key: &Key) -> Option<(&Key, &Member)> {
        let entry = self.0.get_key_value(key);
        entry.map(|(key, member)| (key, member.as_ref()))
    }

    /// Returns the first key that is not before this one.
    pub(super) fn next(&self, range: RangeFrom<Key>) -> Option<&Key> {
        self.0.range(range).next().map(|(key, _)| key)
    }

    pub(super) fn insert(&mut self, key: Key, member: Member) {
        self.0.insert(key, Box::new(member));
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Member> {
        self.0.remove(key).map(|member| *member)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> Iter<'_> {
        let borrow: fn(Entry<'_>) -> (&Key, &Member) = |(key, member)| (key, member.as_ref());
        self.0.iter().map(borrow)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.keys()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Member> {
        self.0.values().map(Box::as_ref)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Member)> {
        let all = self.0.iter_mut();
        all.map(|(key, member)| (key, member.as_mut()))
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.0.values_mut().map(Box::as_mut)
    }
}

impl Index<&Key> for Members {
    type Output = Member;

    fn index(&self, key: &Key) -> &Member {
        &self.0[key]
    }
}

type Entry<'a> = (&'a Key, &'a Box<Member>);
type Iter<'a> =
    std::iter::Map<btree_map::Iter<'a, Key, Box<Member>>, fn(Entry<'a>) -> (&'a Key, &'a Member)>;

impl<'a> IntoIterator for &'a Members {
    type Item = (&'a Key, &'a Member);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
