//! Command blocks of a document: what they say to type, and what they say comes back.

use std::collections::VecDeque;

/// What a comment in front of a block asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marker {
    /// No comment: run it, and compare at once.
    Plain,
    /// `<!-- not run: reason -->`
    NotRun(String),
    /// `<!-- keeps running -->`: a daemon; its output is awaited and it goes on.
    KeepsRunning,
    /// `<!-- eventually -->`: repeated until the output is as shown.
    Eventually,
    /// `<!-- file: name -->`: the block is the content of a file.
    File(String),
}

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Line of the opening fence.
    pub line: usize,
    /// Language of the fence.
    pub language: String,
    /// The lines inside.
    pub text: String,
    /// What stands in front of it.
    pub marker: Marker,
}

/// One command with the output that is shown for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What to type.
    pub command: String,
    /// The lines that come back.
    pub expected: Vec<String>,
}

impl Block {
    /// The commands of a block: each `$ ` line of a console, or a script as a whole.
    pub fn steps(&self) -> Vec<Step> {
        match self.language.as_str() {
            "console" => console(&self.text),
            "sh" | "bash" => vec![Step {
                command: self.text.clone(),
                expected: vec!["…".into()],
            }],
            _ => Vec::new(),
        }
    }
}

/// The fenced blocks of a document, in order.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines: VecDeque<(usize, &str)> = text.lines().enumerate().collect();
    let mut before = "";
    while let Some((index, line)) = lines.pop_front() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            let mut inside = String::new();
            while let Some((_, line)) = lines.pop_front() {
                if line.trim_start().starts_with("```") {
                    break;
                }
                inside.push_str(line);
                inside.push('\n');
            }
            found.push(Block {
                line: index + 1,
                language: language.trim().to_owned(),
                text: inside,
                marker: marker(before),
            });
            before = "";
        } else if !line.trim().is_empty() {
            before = line.trim();
        }
    }
    found
}

fn marker(line: &str) -> Marker {
    let comment = line
        .strip_prefix("<!--")
        .and_then(|rest| rest.strip_suffix("-->"));
    let comment = comment.unwrap_or_default().trim();
    match comment
        .split_once(':')
        .map(|(word, rest)| (word, rest.trim().to_owned()))
    {
        Some(("not run", reason)) => Marker::NotRun(reason),
        Some(("file", name)) => Marker::File(name),
        _ if comment == "keeps running" => Marker::KeepsRunning,
        _ if comment == "eventually" => Marker::Eventually,
        _ => Marker::Plain,
    }
}

fn console(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                command: command.to_owned(),
                expected: Vec::new(),
            });
            continue;
        }
        let Some(step) = steps.last_mut() else {
            continue;
        };
        match line.strip_prefix("> ") {
            Some(more) if step.command.ends_with('\\') => {
                step.command.push('\n');
                step.command.push_str(more);
            }
            _ => step.expected.push(line.to_owned()),
        }
    }
    steps
}

/// Whether output is as shown. Runs of blanks count as one; `…` stands for any text in a line,
/// and alone on a line for any number of lines.
pub fn matches(expected: &[String], actual: &str) -> bool {
    let expected: Vec<String> = expected.iter().map(|line| squeeze(line)).collect();
    let actual: Vec<String> = actual.lines().map(squeeze).collect();
    lines_match(&expected, &actual)
}

fn lines_match(expected: &[String], actual: &[String]) -> bool {
    let Some((pattern, patterns)) = expected.split_first() else {
        return actual.is_empty();
    };
    if pattern == "…" {
        return (0..=actual.len()).any(|skipped| {
            actual
                .get(skipped..)
                .is_some_and(|rest| lines_match(patterns, rest))
        });
    }
    let Some((line, lines)) = actual.split_first() else {
        return false;
    };
    line_matches(pattern, line) && lines_match(patterns, lines)
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('…') else {
        return pattern == line;
    };
    let Some(tail) = line.strip_prefix(start) else {
        return false;
    };
    let places = tail
        .char_indices()
        .map(|(place, _)| place)
        .chain([tail.len()]);
    places.into_iter().any(|place| {
        tail.get(place..)
            .is_some_and(|tail| line_matches(rest, tail))
    })
}

fn squeeze(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "\
Text.

```console
$ echo one \\
>   two
one two
$ true
```

<!-- not run: takes an hour -->

```sh
sleep 3600
```
<!-- file: a.json -->
```json
{}
```
";

    #[test]
    fn blocks_carry_their_markers_and_steps() {
        let found = blocks(DOCUMENT);
        let markers: Vec<&Marker> = found.iter().map(|block| &block.marker).collect();
        let reason = Marker::NotRun("takes an hour".to_owned());
        assert_eq!(
            markers,
            [&Marker::Plain, &reason, &Marker::File("a.json".to_owned())]
        );
        let first = found[0].steps();
        assert_eq!(first[0].command, "echo one \\\n  two");
        assert_eq!(first[0].expected, ["one two"]);
        assert_eq!(
            first[1],
            Step {
                command: "true".to_owned(),
                expected: Vec::new()
            }
        );
        assert_eq!(found[1].steps()[0].command, "sleep 3600\n");
        assert_eq!((found[2].text.as_str(), found[2].line), ("{}\n", 16));
    }

    #[test]
    fn wildcards_stand_for_text_and_lines() {
        let shown = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        for (expected, actual, same) in [
            ("ID  TAGS\ni-…  a=b", "ID\tTAGS\ni-17 a=b\n", true),
            ("ID\n…", "ID\n1\n2\n", true),
            ("…\nlast", "last\n", true),
            ("…\nlast", "last\nmore\n", false),
            ("one", "one\ntwo\n", false),
            ("one\ntwo", "one\n", false),
            ("a…c…e", "abcde", true),
            ("a…c…e", "abde", false),
            ("", "", true),
        ] {
            assert_eq!(
                matches(&shown(expected), actual),
                same,
                "{expected:?} {actual:?}"
            );
        }
    }
}
