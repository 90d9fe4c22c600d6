//! The kernel's word on what changes in the directory.
//!
//! Events are queued by the kernel within the system call that causes them. Whoever reads the
//! queue before looking at the cache therefore misses nothing that was finished before.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

/// What happened in the directory.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// A name appeared: created, linked or renamed into place.
    Arrived(&'a str),
    /// A name is gone.
    Left(&'a str),
    /// A file was written in place.
    Edited(&'a str),
    /// The directory itself is gone from its path.
    DirectoryLost,
    /// The kernel dropped events: anything may have happened.
    Overflow,
}

/// A watch on one directory. The descriptor outlives the directory, so that those who wait on it
/// are woken when another directory takes its place.
#[derive(Debug)]
pub(crate) struct Watch {
    queue: OwnedFd,
    directory: Option<i32>,
}

impl Watch {
    /// Opens a queue that watches nothing yet.
    pub(crate) fn open() -> io::Result<Self> {
        let queue = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        Ok(Self {
            queue,
            directory: None,
        })
    }

    /// Returns another descriptor of the queue, for waiting until it can be read.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        self.queue.try_clone()
    }

    /// Watches the directory that is now at `path`, and no other any more.
    pub(crate) fn follow(&mut self, path: &Path) -> io::Result<()> {
        if let Some(old) = self.directory.take() {
            // Fails when the directory is gone, and the kernel has removed the watch itself.
            let _ = inotify::remove_watch(&self.queue, old);
        }
        let flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MODIFY
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        self.directory = Some(inotify::add_watch(&self.queue, path, flags)?);
        Ok(())
    }

    /// Hands all queued events to `handle`, in order.
    pub(crate) fn drain(&self, mut handle: impl FnMut(Event<'_>)) {
        let mut buffer = [MaybeUninit::uninit(); 16 * 1024];
        let mut reader = inotify::Reader::new(&self.queue, &mut buffer);
        loop {
            match reader.next() {
                Ok(event) => {
                    let flags = event.events();
                    if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                        handle(Event::Overflow);
                    } else if Some(event.wd()) == self.directory {
                        let name = event.file_name().and_then(|name| name.to_str().ok());
                        classify(flags, name).map(&mut handle);
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // Nothing is documented to end up here; what was missed is unknown.
                Err(_) => return handle(Event::Overflow),
            }
        }
    }
}

fn classify(flags: ReadFlags, name: Option<&str>) -> Option<Event<'_>> {
    let lost = ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED;
    if flags.intersects(lost | ReadFlags::UNMOUNT) {
        return Some(Event::DirectoryLost);
    }
    let name = name?;
    if flags.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) {
        Some(Event::Arrived(name))
    } else if flags.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM) {
        Some(Event::Left(name))
    } else {
        Some(Event::Edited(name))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn tells_arrivals_edits_and_departures_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let mut watch = Watch::open().unwrap();
        watch.follow(directory.path()).unwrap();
        let file = directory.path().join("a");
        fs::write(&file, "1").unwrap();
        fs::rename(&file, directory.path().join("b")).unwrap();
        let mut seen = Vec::new();
        watch.drain(|event| seen.push(format!("{event:?}")));
        let want = [
            r#"Arrived("a")"#,
            r#"Edited("a")"#,
            r#"Left("a")"#,
            r#"Arrived("b")"#,
        ];
        assert_eq!(seen, want);
        watch.drain(|event| panic!("read twice: {event:?}"));
    }

    #[test]
    fn tells_when_the_directory_goes_away() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("d");
        fs::create_dir(&directory).unwrap();
        let mut watch = Watch::open().unwrap();
        watch.follow(&directory).unwrap();
        fs::rename(&directory, parent.path().join("e")).unwrap();
        let mut lost = false;
        watch.drain(|event| lost |= event == Event::DirectoryLost);
        assert!(lost);
    }
}
