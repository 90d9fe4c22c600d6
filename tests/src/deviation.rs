//! The list of recorded cases that we answer differently, with the reason of each.
//!
//! A table of four columns: file, case, what differs, why. Where the third begins with a JSON
//! pointer in backticks, the answers agree everywhere else. Two openings of the third column mean
//! that a case is sent but not compared: `not built yet` and `timing`.

use std::collections::BTreeMap;

use crate::capture;

/// How a listed case is treated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deviation {
    /// It must differ; when it does not, the list is out of date.
    Differs,
    /// It must differ in the place to which this JSON pointer leads, and nowhere else.
    DiffersAt(String),
    /// It may differ: what it meets is not built yet, or depends on the moment.
    NotCompared,
}

/// The listed cases of one file of recordings; none when there is no list.
///
/// # Panics
/// When a case is listed twice or without a reason.
pub fn load(file: &str) -> BTreeMap<String, Deviation> {
    let text = std::fs::read_to_string(capture::folder().join("deviations.md"));
    parse(&text.unwrap_or_default(), file)
}

fn parse(text: &str, file: &str) -> BTreeMap<String, Deviation> {
    let mut listed = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let line = line.replace("\\|", "\u{1}");
        let cells: Vec<String> = line
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().replace('\u{1}', "|"))
            .collect();
        let [in_file, case, what, why] = cells.as_slice() else {
            continue;
        };
        let case = case.trim_matches('`');
        if in_file.trim_end_matches(".jsonl") != file {
            continue;
        }
        assert!(
            !what.is_empty() && !why.is_empty(),
            "`{file}`, `{case}`: listed without a reason"
        );
        let free = ["not built yet", "timing"]
            .iter()
            .any(|opening| what.starts_with(opening));
        let place = what
            .strip_prefix("`/")
            .and_then(|rest| rest.split_once('`'));
        let deviation = match place {
            _ if free => Deviation::NotCompared,
            Some((place, _)) => Deviation::DiffersAt(format!("/{place}")),
            None => Deviation::Differs,
        };
        let before = listed.insert(case.to_owned(), deviation);
        assert!(before.is_none(), "`{file}`, `{case}`: listed twice");
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
# Deviations
| file | case | what differs | why |
|---|---|---|---|
| group | commit \\| free | the message | clearer |
| group.jsonl | describe | timing | in between |
| group | size | `/result/Size`: one less | later |
| flavor | `combo Validate` | not built yet | later |
";

    #[test]
    fn rows_of_the_file_are_read() {
        let expected = [
            ("commit | free", Deviation::Differs),
            ("describe", Deviation::NotCompared),
            ("size", Deviation::DiffersAt("/result/Size".to_owned())),
        ];
        let expected = expected.map(|(name, kind)| (name.to_owned(), kind));
        assert_eq!(parse(LIST, "group"), expected.into());
        assert_eq!(parse(LIST, "flavor").len(), 1);
        assert!(parse(LIST, "info").is_empty());
    }

    #[test]
    #[should_panic(expected = "without a reason")]
    fn a_row_needs_its_reason() {
        parse("| group | a | it differs |  |", "group");
    }
}
