//! What is remembered of each instance file, in as little memory as a list allows.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use infrakit_spi::instance::{Description, Detail, Lifecycle};
use infrakit_spi::{Any, InstanceId, LogicalId, Tags};

/// A clock tick of the kernel is at most 10 ms; a file written less than this before it was read
/// may be written again without its time of modification showing it.
const TICK: Duration = Duration::from_millis(50);

/// Tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    size: u64,
    seconds: i64,
    nanos: i64,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size: metadata.size(),
            seconds: metadata.mtime(),
            nanos: metadata.mtime_nsec(),
        }
    }

    /// Returns how long before `now` the file was written; nothing for a time to come.
    pub(crate) fn age(&self, now: SystemTime) -> Option<Duration> {
        let seconds = u64::try_from(self.seconds).ok()?;
        let nanos = u64::try_from(self.nanos).ok()?;
        let written = UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_nanos(nanos);
        now.duration_since(written).ok()
    }
}

/// An instance file, decoded.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The stamp of the file as it was read, if it was old enough by then that a change would
    /// have given it another one. What we wrote ourselves is young, and its stamp not taken.
    pub(crate) settled: Option<Stamp>,
    /// How often we gave a file this name without having read the event of it yet.
    pub(crate) echoes: u32,
    pub(crate) logical_id: Option<LogicalId>,
    pub(crate) tags: Option<PackedTags>,
    /// The whole spec as a compact document. Kept as it is listed: cloning it is one copy.
    pub(crate) spec: Any,
}

impl Entry {
    pub(crate) fn new(
        stamp: Option<Stamp>,
        logical_id: Option<LogicalId>,
        tags: Option<&Tags>,
        spec: Any,
    ) -> Self {
        let settles = |stamp: &Stamp| stamp.age(SystemTime::now()).is_some_and(|age| age >= TICK);
        Self {
            settled: stamp.filter(settles),
            echoes: 0,
            logical_id,
            tags: tags.map(PackedTags::new),
            spec,
        }
    }

    /// Returns whether both describe the same instance, however their files came about.
    pub(crate) fn same_content(&self, other: &Self) -> bool {
        self.logical_id == other.logical_id && self.tags == other.tags && self.spec == other.spec
    }

    pub(crate) fn matches(&self, filter: &Tags) -> bool {
        filter.iter().all(|(key, value)| {
            self.tags
                .as_ref()
                .is_some_and(|tags| tags.contains(key, value))
        })
    }

    pub(crate) fn unpacked_tags(&self) -> Tags {
        self.tags
            .as_ref()
            .map_or_else(Tags::new, PackedTags::unpack)
    }

    pub(crate) fn describe(&self, name: &str, detail: Detail) -> Description {
        Description {
            id: InstanceId::new(name),
            logical_id: self.logical_id.clone(),
            tags: self.tags.as_ref().map(PackedTags::unpack),
            properties: match detail {
                Detail::Tags => None,
                Detail::Properties => Some(self.spec.clone()),
            },
            state: Lifecycle::Unsaid,
        }
    }
}

/// Tags in two allocations. As a map of strings, ten thousand sets would take four times the
/// memory, most of it for the nodes and the headers of short strings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PackedTags {
    /// Keys and values one behind the other.
    text: Box<str>,
    /// Where each of them ends.
    ends: Box<[u32]>,
}

impl PackedTags {
    pub(crate) fn new(tags: &Tags) -> Self {
        let size = tags
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        let mut text = String::with_capacity(size);
        let mut ends = Vec::with_capacity(tags.len() * 2);
        for part in tags.iter().flat_map(|(key, value)| [key, value]) {
            text.push_str(part);
            // Files are bounded far below 4 GiB when they are read; see `refresh`.
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Self {
            text: text.into_boxed_str(),
            ends: ends.into_boxed_slice(),
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        let mut part = move |end: u32| {
            let end = end as usize;
            let part = self.text.get(start..end).unwrap_or_default();
            start = end;
            part
        };
        self.ends.chunks_exact(2).map(move |ends| match *ends {
            [key, value] => (part(key), part(value)),
            _ => ("", ""),
        })
    }

    fn contains(&self, key: &str, value: &str) -> bool {
        self.pairs().any(|pair| pair == (key, value))
    }

    pub(crate) fn unpack(&self) -> Tags {
        self.pairs()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_tags_are_the_tags() {
        let tags = Tags::from([
            ("a".to_owned(), String::new()),
            ("ab".to_owned(), "x\0y".to_owned()),
            ("größe".to_owned(), "groß".to_owned()),
        ]);
        let packed = PackedTags::new(&tags);
        assert_eq!(packed.unpack(), tags);
        assert!(packed.contains("a", "") && packed.contains("größe", "groß"));
        assert!(!packed.contains("a", "b") && !packed.contains("", "a"));
        assert_eq!(PackedTags::new(&Tags::new()).unpack(), Tags::new());
    }
}
