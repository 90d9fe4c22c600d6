//! Which folders of the core may import which: state ← steps, state ← views, never steps → views.

use std::path::Path;

/// Returns the lines of a folder's files that name another folder.
fn naming(folder: &str, other: &str) -> Vec<String> {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core");
    naming_below(&core.join(folder), other)
}

fn naming_below(folder: &Path, other: &str) -> Vec<String> {
    let files = std::fs::read_dir(folder).expect("the folder exists");
    let mut found = Vec::new();
    for file in files {
        let path = file.expect("it can be listed").path();
        if path.is_dir() {
            found.extend(naming_below(&path, other));
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("it is text");
        let lines = text.lines().enumerate();
        for (number, line) in lines.filter(|(_, line)| line.contains(other)) {
            found.push(format!("{}:{}: {line}", path.display(), number + 1));
        }
    }
    found
}

/// What is said of a group never decides what is done to it.
#[test]
fn steps_never_import_views() {
    assert_eq!(naming("steps", "views::"), Vec::<String>::new());
}

/// State is data: it knows neither who changes it nor who tells of it.
#[test]
fn state_imports_neither_steps_nor_views() {
    assert_eq!(naming("state", "steps::"), Vec::<String>::new());
    assert_eq!(naming("state", "views::"), Vec::<String>::new());
}

/// The tests above can fail: views do read the state.
#[test]
fn views_read_the_state() {
    assert!(!naming("views", "state::").is_empty());
}
