//! A playbook as commands: from its first file, by words, to one command.

use std::collections::BTreeMap;
use std::sync::Arc;

use infrakit_template::{Access, Engine, FileAccess, Vars};
use serde_json::Value;

use crate::error::Error;
use crate::index::{DIRECTIVE, References, index, unfit_name};
use crate::lock::{Grant, Grants};
use crate::place::{Origin, Place};
use crate::source::{ReadError, Source};

/// Most words that a command can have.
const DEEPEST: usize = 16;

/// What the templates of a playbook may reach outside it.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// The environment, where it may be seen.
    pub env: Option<Arc<BTreeMap<String, String>>>,
    /// Whether files of this machine may be read and written.
    pub files: bool,
    /// Whether any server may be asked, or only the one that the playbook comes from.
    pub net: bool,
}

impl Reach {
    /// Returns what a playbook from `place` may reach: everything when it is on this machine,
    /// else what its user allowed.
    #[must_use]
    pub fn of(place: &Place, allow: &Grants, env: &Arc<BTreeMap<String, String>>) -> Self {
        let trusted = match place.origin() {
            Origin::Local | Origin::BuiltIn => true,
            Origin::Remote => false,
        };
        let granted = |grant| trusted || allow.contains(&grant);
        Self {
            env: granted(Grant::Env).then(|| Arc::clone(env)),
            files: granted(Grant::Files),
            net: granted(Grant::Net),
        }
    }

    /// Returns the same as grants of a template.
    pub(crate) fn access(&self) -> Access {
        let access = Access::none().with_files(if self.files {
            FileAccess::Anywhere
        } else {
            FileAccess::Denied
        });
        match &self.env {
            Some(env) => access.with_env(env.as_ref().clone()),
            None => access,
        }
    }
}

/// The commands below one file.
pub struct Tree<'a> {
    /// Name that the playbook is registered under.
    pub name: &'a str,
    /// Its first file.
    pub root: &'a Place,
    /// Where its files are read.
    pub source: &'a dyn Source,
    /// What its templates may reach.
    pub reach: &'a Reach,
}

/// What stands behind some words.
#[derive(Clone, Debug)]
pub enum Node {
    /// A list of commands.
    Index(Index),
    /// A command.
    Command(Command),
}

/// A list of commands.
#[derive(Clone, Debug)]
pub struct Index {
    /// The words up to here, the name of the playbook first.
    pub words: Vec<String>,
    /// Its file.
    pub place: Place,
    /// Its commands; one whose reference makes no sense has none.
    pub commands: BTreeMap<String, Option<Place>>,
}

/// A command: a template with directives.
#[derive(Clone, Debug)]
pub struct Command {
    /// The words up to here, the name of the playbook first.
    pub words: Vec<String>,
    /// Its file.
    pub place: Place,
    /// The template.
    pub text: Arc<str>,
}

impl Tree<'_> {
    /// Returns what the first file is.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn first(&self) -> Result<Node, Error> {
        self.node(vec![self.name.to_owned()], self.root)
    }

    /// Goes down along `words`; returns what is there, and how many of them led to it.
    ///
    /// # Errors
    /// When a word names no command, or a file cannot be read.
    pub fn find(&self, words: &[String]) -> Result<(Node, usize), Error> {
        let mut node = self.first()?;
        for (used, word) in words.iter().enumerate() {
            match &node {
                Node::Command(_) => return Ok((node, used)),
                Node::Index(index) => node = self.below(index, word)?,
            }
        }
        Ok((node, words.len()))
    }

    /// Returns the command `word` of an index.
    ///
    /// # Errors
    /// When it has none of that name, or its file cannot be read.
    pub fn below(&self, index: &Index, word: &str) -> Result<Node, Error> {
        let mut words = index.words.clone();
        let Some(place) = index.commands.get(word) else {
            return Err(Error::NoCommand {
                path: words.join(" "),
                word: word.chars().take(60).collect(),
                known: index.commands.keys().cloned().collect(),
            });
        };
        words.push(word.to_owned());
        match place {
            Some(place) => self.node(words, place),
            None => Err(Error::NoFile {
                path: words.join(" "),
                file: "its URL".to_owned(),
            }),
        }
    }

    fn node(&self, words: Vec<String>, place: &Place) -> Result<Node, Error> {
        if words.len() > DEEPEST {
            return Err(Error::Bound {
                place: place.shown(),
                why: format!("its indexes are nested more than {DEEPEST} deep"),
            });
        }
        let (place, content) = self.read(&words, place)?;
        let text = text_of(&place, content)?;
        if let Some(commands) = self.commands(&place, &text) {
            return Ok(Node::Index(Index {
                words,
                place,
                commands,
            }));
        }
        Ok(Node::Command(Command {
            words,
            place,
            text: text.into(),
        }))
    }

    /// Reads a file, or the index in it when it is a directory.
    fn read(&self, words: &[String], place: &Place) -> Result<(Place, Vec<u8>), Error> {
        if let Some(inside) = place.index_inside()
            && let Ok(content) = self.source.read(&inside)
        {
            return Ok((inside, content));
        }
        match self.source.read(place) {
            Ok(content) => Ok((place.clone(), content)),
            Err(ReadError::NotFound) if words.len() > 1 => Err(Error::NoFile {
                path: words.join(" "),
                file: self.root.key_of(place),
            }),
            Err(source) => Err(Error::Read {
                place: place.shown(),
                source,
            }),
        }
    }

    /// Returns the commands of a file, or `None` when it is itself one.
    fn commands(&self, place: &Place, text: &str) -> Option<BTreeMap<String, Option<Place>>> {
        if text.contains(DIRECTIVE) {
            return None;
        }
        let references = self.references(place, text)?;
        let commands = references
            .into_iter()
            .filter(|(name, _)| unfit_name(name).is_none())
            .map(|(name, reference)| (name, place.join(&reference).ok()));
        Some(commands.collect())
    }

    /// Renders and reads an index. What cannot be rendered is taken for a command, whose run
    /// tells what is wrong with it.
    fn references(&self, place: &Place, text: &str) -> Option<References> {
        if !text.contains("{{") {
            return index(text);
        }
        let engine = Engine::new().with_access(&self.reach.access());
        let rendered = engine
            .render(text, &place.shown(), &Value::Null, &Vars::new())
            .ok()?;
        index(&rendered)
    }

    /// Returns the README beside a list of commands.
    #[must_use]
    pub fn readme(&self, index: &Index) -> Option<String> {
        let place = index.place.join("README.md").ok()?;
        String::from_utf8(self.source.read(&place).ok()?).ok()
    }
}

/// Returns the content of a file as text.
pub(crate) fn text_of(place: &Place, content: Vec<u8>) -> Result<String, Error> {
    let mut text = String::from_utf8(content).map_err(|_| Error::NotText {
        place: place.shown(),
    })?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}
