//! Finding all files of a playbook: its indexes, their commands, what these are made of, and the
//! READMEs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::index::literals;
use crate::place::Place;
use crate::source::{ReadError, Source};
use crate::tree::{Index, Node, Reach, Tree};

/// Most files of a playbook.
const MOST_FILES: usize = 2000;
/// Largest sum of their sizes, in bytes.
const LARGEST_SUM: usize = 64 * 1024 * 1024;

/// All that a playbook consists of.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Its files by key.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Files that are named in it and not there.
    pub missing: BTreeSet<String>,
    /// How many commands it has.
    pub commands: usize,
    /// What is odd about it without being wrong, each in one line.
    pub warnings: Vec<String>,
}

/// Reads all files of the playbook that begins at `root`.
///
/// # Errors
/// When its first file is not there, when any other may be there and cannot be read, or when it
/// exceeds a bound.
pub fn gather(
    name: &str,
    root: &Place,
    source: &dyn Source,
    reach: &Reach,
) -> Result<Gathered, Error> {
    let recorder = Recorder {
        root,
        source,
        seen: RefCell::default(),
        failed: RefCell::default(),
    };
    let walk = Walk {
        tree: Tree {
            name,
            root,
            source: &recorder,
            reach,
        },
        recorder: &recorder,
        found: RefCell::default(),
    };
    let first = walk.tree.first()?;
    walk.node(first, &mut Vec::new())?;
    let mut found = walk.found.into_inner();
    let seen = recorder.seen.into_inner();
    found.files = seen
        .into_iter()
        .filter_map(|(key, content)| Some((key, content?)))
        .collect();
    Ok(found)
}

/// A source that remembers what was read.
struct Recorder<'a> {
    root: &'a Place,
    source: &'a dyn Source,
    seen: RefCell<BTreeMap<String, Option<Vec<u8>>>>,
    failed: RefCell<Option<(Place, ReadError)>>,
}

impl Source for Recorder<'_> {
    fn read(&self, place: &Place) -> Result<Vec<u8>, ReadError> {
        let key = self.root.key_of(place);
        if let Some(content) = self.seen.borrow().get(&key) {
            return content.clone().ok_or(ReadError::NotFound);
        }
        match self.source.read(place) {
            Ok(content) => {
                self.seen.borrow_mut().insert(key, Some(content.clone()));
                Ok(content)
            }
            Err(ReadError::NotFound) => {
                self.seen.borrow_mut().insert(key, None);
                Err(ReadError::NotFound)
            }
            Err(error) => {
                let again = match &error {
                    ReadError::Distrusted(why) => ReadError::Distrusted(why.clone()),
                    ReadError::Failed(why) => ReadError::Failed(why.clone()),
                    ReadError::NotFound => ReadError::NotFound,
                };
                *self.failed.borrow_mut() = Some((place.clone(), again));
                Err(error)
            }
        }
    }
}

struct Walk<'a> {
    tree: Tree<'a>,
    recorder: &'a Recorder<'a>,
    found: RefCell<Gathered>,
}

impl Walk<'_> {
    fn node(&self, node: Node, above: &mut Vec<Place>) -> Result<(), Error> {
        self.check()?;
        match node {
            Node::Command(command) => {
                self.found.borrow_mut().commands += 1;
                self.parts(&command.place, &command.text, 0)
            }
            Node::Index(index) => {
                if above.contains(&index.place) {
                    return Err(Error::Bound {
                        place: index.place.shown(),
                        why: "the index contains itself".to_owned(),
                    });
                }
                // Reading it is what records it.
                let _ = self.tree.readme(&index);
                self.check()?;
                above.push(index.place.clone());
                for word in index.commands.keys() {
                    self.below(&index, word, above)?;
                }
                above.pop();
                Ok(())
            }
        }
    }

    fn below(&self, index: &Index, word: &str, above: &mut Vec<Place>) -> Result<(), Error> {
        let path = || format!("{} {word}", index.words.join(" "));
        match self.tree.below(index, word) {
            Ok(node) => self.node(node, above),
            Err(Error::NoFile { file, .. }) => {
                let mut found = self.found.borrow_mut();
                found.warnings.push(format!(
                    "command `{}` has no file: `{file}` does not exist",
                    path()
                ));
                found.missing.insert(file);
                Ok(())
            }
            Err(error @ Error::NotText { .. }) => {
                self.found
                    .borrow_mut()
                    .warnings
                    .push(format!("command `{}`: {error}", path()));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Reads what a template is made of. A part that is not there may never be asked for.
    fn parts(&self, place: &Place, text: &str, depth: usize) -> Result<(), Error> {
        if depth > 16 {
            return Ok(());
        }
        for reference in literals(text) {
            let Ok(part) = place.join(reference) else {
                continue;
            };
            let key = self.tree.root.key_of(&part);
            let known = self.recorder.seen.borrow().contains_key(&key);
            let content = self.recorder.read(&part);
            self.check()?;
            match content {
                Ok(content) if !known => {
                    if let Ok(text) = String::from_utf8(content) {
                        self.parts(&part, &text, depth + 1)?;
                    }
                }
                Err(ReadError::NotFound) => {
                    self.found.borrow_mut().missing.insert(key);
                }
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Returns what went wrong on the way, or which bound was passed.
    fn check(&self) -> Result<(), Error> {
        if let Some((place, source)) = self.recorder.failed.take() {
            return Err(Error::Read {
                place: place.shown(),
                source,
            });
        }
        let seen = self.recorder.seen.borrow();
        let sum: usize = seen.values().flatten().map(Vec::len).sum();
        let why = if seen.len() > MOST_FILES {
            format!("it has more than {MOST_FILES} files")
        } else if sum > LARGEST_SUM {
            "it is larger than 64 MiB".to_owned()
        } else {
            return Ok(());
        };
        Err(Error::Bound {
            place: self.tree.root.shown(),
            why,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Files;

    fn gathered(files: &[(&str, &str)]) -> Result<Gathered, Error> {
        let files = Files::new(files);
        let root = files.place("index.yml");
        gather("p", &root, &files, &Reach::default())
    }

    #[test]
    fn indexes_commands_parts_and_readmes_are_all_found() {
        let found = gathered(&[
            (
                "index.yml",
                "start: start.sh\nsub: sub/i.ikb\nback: ../up.sh\nno: no.sh\n",
            ),
            ("README.md", "about"),
            ("start.sh", "{{/* =% sh %= */}}{{ source \"lib/a.sh\" }}"),
            ("lib/a.sh", "{{ include `b.sh` }}"),
            ("lib/b.sh", "x"),
            ("sub/i.ikb", "{{/* c */}}deep: deep.yml\n"),
            ("sub/README.md", "sub"),
            ("sub/deep.yml", "a: {b: c}"),
            ("../up.sh", "echo"),
            ("unrelated", ""),
        ])
        .unwrap();
        let keys: Vec<&str> = found.files.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "README.md",
                "http://h/up.sh",
                "index.yml",
                "lib/a.sh",
                "lib/b.sh",
                "start.sh",
                "sub/README.md",
                "sub/deep.yml",
                "sub/i.ikb"
            ]
        );
        assert_eq!(found.commands, 3);
        assert_eq!(found.missing.iter().collect::<Vec<_>>(), ["no.sh"]);
        assert_eq!(found.warnings.len(), 1, "{:?}", found.warnings);
    }

    #[test]
    fn a_first_file_that_is_a_command_is_a_playbook_of_one() {
        let found = gathered(&[("index.yml", "echo {{/* =% sh %= */}}")]).unwrap();
        assert_eq!((found.commands, found.files.len()), (1, 1));
    }

    #[test]
    fn what_may_be_there_and_cannot_be_read_ends_it() {
        let broken = gathered(&[("index.yml", "a: a.sh\nb: !broken"), ("a.sh", "x")]);
        assert!(broken.is_ok());
        let files = Files::new(&[("index.yml", "a: a.sh\nb: b.sh"), ("a.sh", "x")]).failing("b.sh");
        let root = files.place("index.yml");
        let error = gather("p", &root, &files, &Reach::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to read http://h/p/b.sh: it is down"
        );
    }

    #[test]
    fn an_index_that_contains_itself_is_refused() {
        let error = gathered(&[("index.yml", "a: index.yml")]).unwrap_err();
        assert!(error.to_string().contains("contains itself"), "{error}");
        let error = gathered(&[("index.yml", "a: b.yml"), ("b.yml", "c: index.yml")]).unwrap_err();
        assert!(error.to_string().contains("contains itself"), "{error}");
    }
}
