//! Whether each block of a template is closed, and nothing else is.
//!
//! `gotmpl` takes the end of the text for the end of all open blocks, and drops what follows a
//! stray `end` or `else`: a script would be cut short without a word. So the text is parsed
//! with a mark behind it. The mark must come out as the last node of the main body.

use gotmpl::TemplateError as Cause;
use gotmpl::parse::{DefineNode, Expr, ListNode, Node, Parser, Pos};

use crate::fault::Fault;

/// The mark: an action that no template contains by chance.
const MARK: &str = "\u{1}mark";

/// Why a text was not parsed.
pub(crate) enum Refused {
    /// It is no template.
    Syntax(Cause),
    /// Its blocks do not fit each other.
    Blocks(Fault),
}

/// Parses `text`, and checks its blocks. Returns its body, and the templates that it defines.
pub(crate) fn parse(
    text: &str,
    (left, right): (&str, &str),
) -> Result<(ListNode, Vec<DefineNode>), Refused> {
    let read = |text: &str| Parser::new(text, left, right).and_then(Parser::parse);
    if !text.contains(left) {
        return read(text).map_err(Refused::Syntax);
    }
    let marked = format!("{text}{left}`{MARK}`{right}");
    let (mut body, defines) = read(&marked).map_err(|error| match read(text) {
        // It comes from the mark alone.
        Ok(_) => Refused::Blocks(Fault {
            offset: text.len(),
            message: error.to_string(),
        }),
        Err(cause) => Refused::Syntax(cause),
    })?;
    if is_mark(body.nodes.last()) {
        body.nodes.pop();
        return Ok((body, defines));
    }
    // The text alone may be wrong in a way that is worth more than what became of the mark.
    read(text).map_err(Refused::Syntax)?;
    let open = open_block(&body).or_else(|| {
        let holds = |define: &&DefineNode| holds_mark(&define.body);
        defines.iter().find(holds).map(|define| define.pos)
    });
    Err(Refused::Blocks(match open {
        Some(pos) => Fault {
            offset: pos.offset,
            message: "the block is not closed".to_owned(),
        },
        None => Fault {
            offset: stray(text, left),
            message: "`end` or `else` without an open block".to_owned(),
        },
    }))
}

fn is_mark(node: Option<&Node>) -> bool {
    let Some(Node::Action(action)) = node else {
        return false;
    };
    let argument = action
        .pipe
        .commands
        .first()
        .and_then(|command| command.args.first());
    matches!(argument, Some(Expr::String(_, text)) if text.as_ref() == MARK)
}

/// Returns where the block opens that swallowed the mark.
fn open_block(list: &ListNode) -> Option<Pos> {
    match list.nodes.last()? {
        Node::If(block) | Node::Range(block) | Node::With(block) => {
            let inner = block.else_body.as_ref().unwrap_or(&block.body);
            holds_mark(inner).then(|| open_block(inner).unwrap_or(block.pos))
        }
        Node::List(_)
        | Node::Text(_)
        | Node::Action(_)
        | Node::Template(_)
        | Node::Define(_)
        | Node::Break(_)
        | Node::Continue(_) => None,
    }
}

fn holds_mark(list: &ListNode) -> bool {
    is_mark(list.nodes.last()) || open_block(list).is_some()
}

/// Returns the offset of the keyword that closes nothing: the first at which as much is closed
/// as was opened. Keywords in quoted texts and comments can mislead it, not [`parse`].
fn stray(text: &str, left: &str) -> usize {
    let mut open = 0_usize;
    for (at, _) in text.match_indices(left) {
        let inside = text[at + left.len()..].trim_start_matches('-').trim_start();
        let word: &str = inside
            .split(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or("");
        match word {
            "if" | "range" | "with" | "block" | "define" => open += 1,
            "end" | "else" if open == 0 => return text.len() - inside.len(),
            "end" => open -= 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, delimiters: (&str, &str)) -> Result<(), Fault> {
        match parse(text, delimiters) {
            Ok(_) => Ok(()),
            Err(Refused::Blocks(fault)) => Err(fault),
            Err(Refused::Syntax(cause)) => panic!("{text}: {cause}"),
        }
    }

    #[test]
    fn open_and_stray_blocks_are_found() {
        for (text, offset, want) in [
            ("a{{if .x}}b", 3, "not closed"),
            ("{{if .x}}{{range .y}}{{end}}", 2, "not closed"),
            ("{{if .x}}b{{end}}{{with .x}}{{else}}c", 19, "not closed"),
            ("{{range .x}}{{if .y}}", 14, "not closed"),
            ("{{define \"a\"}}x{{if .x}}", 2, "not closed"),
            ("{{block \"a\" .}}x", 2, "not closed"),
            ("a{{end}}b", 3, "without an open block"),
            ("{{if .x}}{{end}}{{- else }}b", 20, "without an open block"),
        ] {
            let fault = check(text, ("{{", "}}"))
                .map_err(|fault| (fault.offset, fault.message))
                .unwrap_err();
            assert!(fault.1.contains(want), "{text}: {fault:?}");
            assert_eq!(fault.0, offset, "{text}: {fault:?}");
        }
    }

    #[test]
    fn closed_blocks_pass() {
        for text in [
            "",
            "a{{- /* {{end}} */ -}}",
            "{{\"{{end}}\"}}",
            "{{if .x}}a{{else if .y}}b{{else}}c{{end}}",
            "{{define \"a\"}}{{end}}",
            "{{block \"a\" .}}{{end}} ",
            "{{range .x}}{{end -}}",
        ] {
            assert!(check(text, ("{{", "}}")).is_ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_counting(parts in prop::collection::vec(0..3_usize, 0..12)) {
            let words = ["{{if .x}}", "{{end}}", "t"];
            let text: String = parts.iter().map(|part| words[*part]).collect();
            let mut open = 0;
            let mut balanced = true;
            for part in parts {
                open += [1, -1, 0][part];
                balanced &= open >= 0;
            }
            prop_assert_eq!(check(&text, ("{{", "}}")).is_ok(), balanced && open == 0, "{}", text);
        }
    }
}
