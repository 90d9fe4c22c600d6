//! Circles of files: files of a crate that need each other, directly or through others. Whoever reads
//! one of them has to read all.

mod imports;
mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

use self::imports::{Family, Place, edges};
use crate::step::root;

/// Folders that hold crates.
const CRATES: [&str; 2] = ["crates", "plugins"];
/// Crates that lie at the top.
const ALONE: [&str; 2] = ["tests", "xtask"];

/// Crates in which a module and its folder may need each other: a world and its parts, and the
/// interpreter of templates with its functions.
const FAMILIES: [&str; 2] = ["crates/sim", "crates/template"];
/// The one knot that stays, and how many files it has: an interpreter calls itself. Functions of
/// templates render templates, and whatever is rendered calls functions.
const INTERPRETER: (&str, &str) = ("crates/template", "(of 6 files)");

/// Checks every crate of the workspace; returns how many files were looked at.
pub(crate) fn check() -> Result<usize, String> {
    let root = root();
    let mut crates: Vec<String> = ALONE.map(str::to_owned).into();
    for folder in CRATES {
        let entries = fs::read_dir(root.join(folder)).map_err(|error| error.to_string())?;
        for entry in entries {
            let name = entry.map_err(|error| error.to_string())?.file_name();
            crates.push(format!("{folder}/{}", name.to_string_lossy()));
        }
    }
    crates.sort();
    let (mut count, mut faults) = (0, Vec::new());
    for one in crates {
        let mut sources = BTreeMap::new();
        read(&root.join(&one).join("src"), &Place::new(), &mut sources);
        count += sources.len();
        let (home, knot) = INTERPRETER;
        let family = if FAMILIES.contains(&one.as_str()) {
            Family::One
        } else {
            Family::Many
        };
        let circles = circles(&edges(&sources, family)).into_iter();
        let circles = circles.filter(|circle| one != home || !circle.ends_with(knot));
        faults.extend(circles.map(|circle| format!("{one}: {circle}")));
    }
    if faults.is_empty() {
        Ok(count)
    } else {
        Err(format!("\n      {}", faults.join("\n      ")))
    }
}

/// Reads the files of a folder of sources. `lib.rs`, `main.rs` and `mod.rs` are the folder itself.
fn read(folder: &Path, place: &Place, sources: &mut BTreeMap<Place, String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut inner = place.clone();
        if path.is_dir() {
            inner.push(name.into_owned());
            read(&path, &inner, sources);
            continue;
        }
        // A program beside a library is a crate of its own, of one file.
        let beside = name == "main" && folder.join("lib.rs").exists();
        if path.extension().is_none_or(|end| end != "rs") || beside {
            continue;
        }
        if !["lib", "main", "mod"].contains(&name.as_ref()) {
            inner.push(name.into_owned());
        }
        if let Ok(text) = fs::read_to_string(&path) {
            sources.insert(inner, text);
        }
    }
}

/// Returns a shortest circle for each set of files that need each other, in words.
fn circles(edges: &BTreeMap<Place, BTreeSet<Place>>) -> Vec<String> {
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for place in edges.keys() {
        if known.contains(place) {
            continue;
        }
        let reached = reach(place, edges);
        let Some(mut last) = reached.get(place) else {
            continue;
        };
        // All that need it and are needed by it are one knot, which is told of once.
        let others = reached.keys();
        let knot: BTreeSet<_> = others
            .filter(|other| reach(other, edges).contains_key(place))
            .cloned()
            .collect();
        let mut way = vec![name(place)];
        while last != place {
            way.push(name(last));
            last = &reached[last];
        }
        way.push(name(place));
        way.reverse();
        found.push(format!("{} (of {} files)", way.join(" → "), knot.len()));
        known.extend(knot);
    }
    found
}

/// Returns what a file needs in the end, and which file before it needs that on the shortest way.
fn reach(from: &Place, edges: &BTreeMap<Place, BTreeSet<Place>>) -> BTreeMap<Place, Place> {
    let mut before = BTreeMap::new();
    let mut next = VecDeque::from([from.clone()]);
    while let Some(place) = next.pop_front() {
        for other in edges.get(&place).into_iter().flatten() {
            if !before.contains_key(other) {
                before.insert(other.clone(), place.clone());
                next.push_back(other.clone());
            }
        }
    }
    before
}

fn name(place: &Place) -> String {
    if place.is_empty() {
        "the top file".to_owned()
    } else {
        place.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        found_in(files, Family::One)
    }

    fn found_in(files: &[(&str, &str)], family: Family) -> Vec<String> {
        let place = |path: &str| path.split('/').map(str::to_owned).collect::<Place>();
        let place = |path: &str| match path {
            "" => Place::new(),
            path => place(path),
        };
        let sources = files
            .iter()
            .map(|(path, text)| (place(path), (*text).to_owned()));
        circles(&edges(&sources.collect(), family))
    }

    #[test]
    fn files_that_import_each_other_are_found() {
        let two = [
            ("", ""),
            ("a", "use crate::b::B;"),
            ("b", "use super::a::{A, C};"),
        ];
        assert_eq!(found(&two), ["a → b → a (of 2 files)"]);
        let way = [
            ("", ""),
            ("a", "use crate::b::B;"),
            ("b", "use crate::c as other;"),
            ("c", "fn f() -> super::a::A { }"),
        ];
        assert_eq!(found(&way), ["a → b → c → a (of 3 files)"]);
    }

    #[test]
    fn one_way_is_no_circle() {
        let files = [
            ("", ""),
            ("a", "use crate::b::{B, self};"),
            ("b", "struct B;"),
        ];
        assert_eq!(found(&files), Vec::<String>::new());
    }

    /// `lib.rs` and `mod.rs` hand names on; who asks them for one needs the file that holds it.
    #[test]
    fn names_that_are_handed_on_lead_to_the_file_that_holds_them() {
        let top = "mod a; mod b; pub use a::A; pub use b::*;";
        let free = [
            ("", top),
            ("a", "struct A;"),
            ("b", "use crate::A; struct B;"),
        ];
        assert_eq!(found(&free), Vec::<String>::new());
        let knot = [
            ("", top),
            ("a", "use crate::B;"),
            ("b", "use crate::A; struct B;"),
        ];
        assert_eq!(found(&knot), ["a → b → a (of 2 files)"]);
    }

    #[test]
    fn a_module_and_its_folder_are_one_thing() {
        let files = [
            ("", ""),
            ("a", "mod b; use b::B; fn f() -> B {}"),
            ("a/b", "use super::f; struct B;"),
        ];
        assert_eq!(found(&files), Vec::<String>::new());
        assert_eq!(found_in(&files, Family::Many), ["a → a/b → a (of 2 files)"]);
        let through_another = [
            ("", ""),
            ("a", "mod b; use b::B;"),
            ("a/b", "use crate::c::C; struct B;"),
            ("c", "use crate::a::b::B;"),
        ];
        assert_eq!(found(&through_another), ["a/b → c → a/b (of 2 files)"]);
    }

    #[test]
    fn tests_and_visibility_are_no_imports() {
        let files = [
            ("", ""),
            (
                "a",
                "use b::B; #[cfg(test)] mod tests; pub(in crate::a::b) struct A; mod b;",
            ),
            (
                "a/b",
                "pub(in crate::a) struct B; #[cfg(test)] mod tests { use super::super::A; }",
            ),
            ("a/tests", "use super::*;"),
        ];
        assert_eq!(found(&files), Vec::<String>::new());
    }

    #[test]
    fn what_a_module_inside_a_file_imports_has_no_name_outside() {
        let files = [
            ("", ""),
            (
                "a",
                "mod b; pub use b::B; use crate::c::C; mod wire { use super::B; }",
            ),
            ("a/b", "struct B;"),
            ("c", "use crate::a::B; struct C;"),
        ];
        assert_eq!(found(&files), Vec::<String>::new());
    }

    /// The crates themselves are free of circles: the gate asks that too.
    #[test]
    fn the_workspace_is_free_of_circles() {
        assert!(check().is_ok_and(|count| count > 300), "{:?}", check());
    }
}
