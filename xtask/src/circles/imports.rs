//! Which files of a crate need which: imports and paths, followed to the file that holds what they
//! name. A file that only hands a name on needs nothing for that.

use std::collections::{BTreeMap, BTreeSet};

use super::words::{Source, Token, read};

/// The place of a module in its crate, from the top.
pub(super) type Place = Vec<String>;

/// Names beyond this many are not handed on: they go round in a circle.
const HANDED_ON: usize = 16;

/// One file of a crate.
#[derive(Default)]
struct File {
    /// Names that it imports or hands on, and the paths that they stand for.
    names: BTreeMap<String, Place>,
    /// Modules all of whose names it imports or hands on.
    globs: Vec<Place>,
    /// Names of what it holds.
    holds: BTreeSet<String>,
    /// Paths that it uses.
    used: BTreeSet<Place>,
}

/// Whether a module and what lies in its folder are one thing in several files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// They are: what they need of each other is left out.
    One,
    /// Each file is by itself.
    Many,
}

/// Returns which modules each module needs, of those that do not only serve tests.
pub(super) fn edges(
    sources: &BTreeMap<Place, String>,
    family: Family,
) -> BTreeMap<Place, BTreeSet<Place>> {
    let read: BTreeMap<&Place, Source> = sources
        .iter()
        .map(|(place, text)| (place, read(text)))
        .collect();
    let is_test = |place: &Place| {
        (1..=place.len()).any(|length| {
            let (parent, name) = (place[..length - 1].to_vec(), &place[length - 1]);
            let parent = read.get(&parent);
            parent.is_some_and(|parent| parent.only_tests.contains(name))
        })
    };
    let modules: BTreeSet<&Place> = sources.keys().filter(|place| !is_test(place)).collect();
    let files: BTreeMap<&Place, File> = modules
        .iter()
        .map(|place| (*place, Reader::new(place, &modules).file(&read[*place])))
        .collect();
    let needed = |place: &Place, file: &File| -> BTreeSet<Place> {
        let paths = file.used.iter();
        paths
            .map(|path| holder(path, &files, HANDED_ON))
            .filter(|other| match family {
                Family::One => !place.starts_with(other) && !other.starts_with(place),
                Family::Many => other != place,
            })
            .collect()
    };
    files
        .iter()
        .map(|(place, file)| ((*place).clone(), needed(place, file)))
        .collect()
}

/// Returns the module that holds what a path names.
fn holder(path: &[String], files: &BTreeMap<&Place, File>, fuel: usize) -> Place {
    let mut place = Place::new();
    for (at, name) in path.iter().enumerate() {
        let inner = [place.as_slice(), std::slice::from_ref(name)].concat();
        if files.contains_key(&inner) {
            place = inner;
            continue;
        }
        let Some(file) = files.get(&place).filter(|_| fuel > 0) else {
            break;
        };
        let handed_on = match file.names.get(name) {
            Some(path) => Some(path.clone()),
            None if file.holds.contains(name) => None,
            None => file.globs.iter().find_map(|glob| {
                let module = holder(glob, files, fuel - 1);
                let other = files.get(&module)?;
                let known = other.holds.contains(name) || other.names.contains_key(name);
                known.then(|| [glob.as_slice(), std::slice::from_ref(name)].concat())
            }),
        };
        if let Some(path_on) = handed_on {
            let path_on = [path_on.as_slice(), &path[at + 1..]].concat();
            return holder(&path_on, files, fuel - 1);
        }
        break;
    }
    place
}

/// One `use`.
struct Import {
    /// The module that it stands in.
    inside: Place,
    /// Whether it hands names on.
    public: bool,
    tree: Vec<Token>,
}

/// Reads one file.
struct Reader<'a> {
    place: &'a Place,
    modules: &'a BTreeSet<&'a Place>,
    /// The module that the reader is in: that of the file, or one inside it.
    inside: Place,
    /// At which depth of braces the modules inside the file began.
    began: Vec<usize>,
    /// Names that the file hands on, which it needs only where it uses them itself.
    handed_on: BTreeMap<String, Place>,
    file: File,
}

impl<'a> Reader<'a> {
    fn new(place: &'a Place, modules: &'a BTreeSet<&'a Place>) -> Self {
        Self {
            place,
            modules,
            inside: place.clone(),
            began: Vec::new(),
            handed_on: BTreeMap::new(),
            file: File::default(),
        }
    }

    fn file(mut self, source: &Source) -> File {
        // Imports first: they say what the names in paths stand for.
        let (imports, paths) = self.split(&source.tokens);
        for import in imports {
            self.inside = import.inside;
            let mut found = Vec::new();
            tree_of(&mut import.tree.as_slice(), &mut Place::new(), &mut found);
            for (path, name) in found {
                self.import(&path, name, import.public);
            }
        }
        for (inside, path) in paths {
            self.inside = inside;
            if let Some(own) = path.first().and_then(|name| self.handed_on.get(name)) {
                self.file.used.insert(own.clone());
            }
            if path.len() > 1
                && let Some(absolute) = self.absolute(&path)
            {
                self.file.used.insert(absolute);
            }
        }
        self.file
    }

    fn import(&mut self, path: &[String], name: String, public: bool) {
        let Some(absolute) = self.absolute(path) else {
            return;
        };
        if !public {
            self.file.used.insert(absolute.clone());
        }
        // What a module inside the file imports has no name outside it.
        if self.inside != *self.place {
            return;
        }
        if name == "*" {
            self.file.globs.push(absolute);
            return;
        }
        if public {
            self.handed_on.insert(name.clone(), absolute.clone());
        }
        self.file.names.insert(name, absolute);
    }

    /// Splits a file into imports and all other paths, each with the module that it stands in.
    fn split(&mut self, tokens: &[Token]) -> (Vec<Import>, Vec<(Place, Place)>) {
        let (mut imports, mut paths) = (Vec::new(), Vec::new());
        let (mut at, mut depth, mut public) = (0, 0_usize, false);
        while let Some(token) = tokens.get(at) {
            let word = token.word();
            match token {
                Token::Mark('{') => depth += 1,
                Token::Mark('}') => {
                    depth = depth.saturating_sub(1);
                    if self.began.last() == Some(&depth) {
                        self.began.pop();
                        self.inside.pop();
                    }
                }
                Token::Word(_) | Token::Mark(_) | Token::Colons => {}
            }
            if word == Some("pub") {
                public = true;
                at += 1;
                if tokens.get(at) == Some(&Token::Mark('(')) {
                    let end = tokens[at..].iter().position(|one| *one == Token::Mark(')'));
                    at += end.map_or(1, |end| end + 1);
                }
                continue;
            }
            if word == Some("use") {
                let end = tokens[at..].iter().position(|one| *one == Token::Mark(';'));
                let end = end.map_or(tokens.len(), |end| at + end);
                imports.push(Import {
                    inside: self.inside.clone(),
                    public,
                    tree: tokens[at + 1..end].to_vec(),
                });
                public = false;
                at = end;
                continue;
            }
            public = false;
            if let (Some("mod"), Some(name)) = (word, tokens.get(at + 1).and_then(Token::word))
                && tokens.get(at + 2) == Some(&Token::Mark('{'))
            {
                self.began.push(depth);
                self.inside.push(name.to_owned());
            }
            if let Some(kind) = word
                && ITEMS.contains(&kind)
                && let Some(name) = tokens.get(at + 1).and_then(Token::word)
            {
                self.file.holds.insert(name.to_owned());
            }
            let after_another =
                at > 0 && (tokens[at - 1] == Token::Colons || tokens[at - 1] == Token::Mark('.'));
            if word.is_some() && !after_another {
                paths.push((self.inside.clone(), path_at(&tokens[at..])));
            }
            at += 1;
        }
        (imports, paths)
    }

    /// Returns a path from the top of the crate; `None` where it leads elsewhere.
    fn absolute(&self, path: &[String]) -> Option<Place> {
        let (first, rest) = path.split_first()?;
        let from = |place: &[String], rest: &[String]| Some([place, rest].concat());
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => from(&self.inside, rest),
            "super" => {
                let (mut place, mut rest) = (self.inside.clone(), path);
                while let Some(("super", left)) =
                    rest.split_first().map(|(name, left)| (name.as_str(), left))
                {
                    place.pop()?;
                    rest = left;
                }
                from(&place, rest)
            }
            name => {
                let inner = [self.place.as_slice(), std::slice::from_ref(first)].concat();
                if self.modules.contains(&inner) {
                    return from(&inner, rest);
                }
                let imported = self.file.names.get(name)?;
                from(imported, rest)
            }
        }
    }
}

/// Words that a name follows which the file then holds.
const ITEMS: [&str; 9] = [
    "struct", "enum", "trait", "fn", "type", "const", "static", "union", "mod",
];

/// Returns the path that `tokens` begin with.
fn path_at(tokens: &[Token]) -> Place {
    let mut path = Place::new();
    let mut rest = tokens;
    while let Some((Token::Word(name), after)) = rest.split_first() {
        path.push(name.clone());
        match after.split_first() {
            Some((Token::Colons, left)) => rest = left,
            _ => break,
        }
    }
    path
}

/// Reads one tree of imports into paths, each with the name that it is imported by.
fn tree_of(tokens: &mut &[Token], before: &mut Place, found: &mut Vec<(Place, String)>) {
    let depth = before.len();
    while let Some((token, rest)) = tokens.split_first() {
        *tokens = rest;
        match token {
            Token::Word(word) if word == "as" => {
                let Some((Token::Word(name), rest)) = tokens.split_first() else {
                    break;
                };
                *tokens = rest;
                found.push((before.clone(), name.clone()));
                before.truncate(depth);
            }
            Token::Word(word) => {
                before.push(word.clone());
                let named = matches!(tokens.first(), Some(Token::Colons));
                let renamed = tokens.first().is_some_and(|token| token.is("as"));
                if !named && !renamed {
                    leaf(before, depth, found);
                }
            }
            Token::Mark('*') => {
                found.push((before.clone(), "*".to_owned()));
                before.truncate(depth);
            }
            Token::Mark('{') => {
                tree_of(tokens, before, found);
                before.truncate(depth);
            }
            Token::Mark('}') => break,
            Token::Mark(_) | Token::Colons => {}
        }
    }
    before.truncate(depth);
}

/// Ends a path. `self` stands for the module that it is named in.
fn leaf(before: &mut Place, depth: usize, found: &mut Vec<(Place, String)>) {
    if before.len() > 1 && before.last().is_some_and(|name| name == "self") {
        before.pop();
    }
    if let Some(name) = before.last() {
        found.push((before.clone(), name.clone()));
    }
    before.truncate(depth);
}
