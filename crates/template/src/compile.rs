//! From text to a template that knows where it is and how much it has done.
//!
//! `gotmpl` reports no place for failures of execution and bounds neither time nor the size of
//! values. So its tree is rewritten before it runs (`rewrite.rs`). Unknown functions and variables
//! are found here too, as Go finds them, even where a branch is never taken.

use std::collections::{BTreeMap, BTreeSet};

use gotmpl::TemplateError as Cause;
use gotmpl::parse::{DefineNode, ListNode};

use crate::balance::{self, Refused};
use crate::error::{ErrorKind, Position, TemplateError};
use crate::fault::Fault;
use crate::rewrite::{Language, Rewrite};

/// Functions that `gotmpl` brings and that are not replaced.
pub(crate) const BUILTINS: [&str; 9] = ["and", "call", "eq", "ge", "gt", "le", "lt", "ne", "or"];
/// Largest template, in bytes.
const LARGEST: usize = 8 * 1024 * 1024;

/// A template that can be executed, once its functions are bound.
#[derive(Clone)]
pub(crate) struct Compiled {
    /// Its body under its own name, and the templates that it defines.
    pub(crate) trees: BTreeMap<String, ListNode>,
    /// The functions that it calls.
    pub(crate) used: BTreeSet<String>,
    /// URLs of templates that it includes, where they are written out, with their place.
    pub(crate) included: Vec<(usize, String)>,
}

/// Compiles `text` under `name`.
pub(crate) fn compile(
    text: &str,
    name: &str,
    language: &Language<'_>,
) -> Result<Compiled, TemplateError> {
    if text.len() > LARGEST {
        let message = "the template is larger than 8 MiB";
        return Err(TemplateError::new(ErrorKind::Limit, name, message));
    }
    let (body, defines) =
        balance::parse(text, language.delimiters).map_err(|refused| match refused {
            Refused::Syntax(cause) => parse_error(text, name, cause),
            Refused::Blocks(fault) => fault.in_template(text, name),
        })?;
    let mut trees = collect(name, body, defines).map_err(|fault| fault.in_template(text, name))?;
    let mut rewrite = Rewrite::new(language);
    for tree in trees.values_mut() {
        rewrite
            .template(tree)
            .map_err(|fault| fault.in_template(text, name))?;
    }
    let (used, included) = rewrite.found();
    Ok(Compiled {
        trees,
        used,
        included,
    })
}

/// Puts the body and the definitions under their names. As in Go, one that is empty gives way to
/// another of the same name, and two that are not are an error.
fn collect(
    name: &str,
    body: ListNode,
    defines: Vec<DefineNode>,
) -> Result<BTreeMap<String, ListNode>, Fault> {
    let mut trees = BTreeMap::from([(name.to_owned(), body)]);
    for define in defines {
        let defined = define.name.to_string();
        match trees.get(&defined) {
            Some(_) if define.body.is_empty_tree() => {}
            Some(before) if !before.is_empty_tree() => {
                return Err(Fault {
                    offset: define.pos.offset,
                    message: format!("multiple definition of template {defined:?}"),
                });
            }
            _ => {
                trees.insert(defined, define.body);
            }
        }
    }
    Ok(trees)
}

fn parse_error(text: &str, name: &str, cause: Cause) -> TemplateError {
    match cause {
        Cause::Parse {
            line, col, message, ..
        }
        | Cause::Lex {
            line, col, message, ..
        } => {
            // Columns come in bytes; they are shown in characters.
            let start: usize = text
                .split_inclusive('\n')
                .take(line.saturating_sub(1))
                .map(str::len)
                .sum();
            let position = Position::of_offset(text, start + col.saturating_sub(1));
            TemplateError::new(ErrorKind::Parse, name, message).at(text, position)
        }
        other => TemplateError::new(ErrorKind::Parse, name, other.to_string()),
    }
}
