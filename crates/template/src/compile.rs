//! From text to a template that knows where it is and how much it has done.
//!
//! `gotmpl` reports no place for failures of execution and bounds neither time nor the size of
//! values. So its tree is rewritten before it runs: in front of each action stands a call of
//! [`STEP`] with the action's offset, and behind each built-in that makes text a call of
//! [`GUARD`], and what an action prints goes through [`SHOW`]. Unknown functions are found here too, as Go finds them, even where a branch is
//! never taken.

use std::collections::BTreeSet;

use gotmpl::parse::{ActionNode, CommandNode, Expr, ListNode, Node, Number, PipeNode, Pos};
use gotmpl::{FuncMap, Template, TemplateError as Cause};

use crate::balance;
use crate::error::{ErrorKind, Position, TemplateError};

/// Name of the function that notes an action's offset. No template can spell it.
pub(crate) const STEP: &str = "\u{1}step";
/// Name of the function that refuses values that are too large.
pub(crate) const GUARD: &str = "\u{1}guard";
/// Name of the function that refuses formats that are too long.
pub(crate) const FORMAT: &str = "\u{1}format";

/// Name of the function that turns a value into what Go prints of it.
pub(crate) const SHOW: &str = "\u{1}show";

/// Functions that `gotmpl` brings.
pub(crate) const BUILTINS: [&str; 19] = [
    "and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or",
    "print", "printf", "println", "slice", "urlquery",
];
/// Those among them that make text.
const MAKERS: [&str; 6] = ["html", "js", "print", "printf", "println", "urlquery"];
/// Most arguments of such a call: each may be as large as a value can be.
const MOST_ARGUMENTS: usize = 64;
/// Largest template, in bytes.
const LARGEST: usize = 8 * 1024 * 1024;
/// Most turns of all `range` loops together.
const MOST_TURNS: u64 = 5_000_000;

/// A template that can be executed.
pub(crate) struct Compiled {
    pub(crate) template: Template,
    /// Whether the rewritten main body hangs in the template under its name. The body of a text
    /// without actions does not: nothing in it needs rewriting.
    pub(crate) rewritten: bool,
}

/// Compiles `text` under `name` for the functions in `functions`.
pub(crate) fn compile(
    text: &str,
    name: &str,
    functions: FuncMap,
) -> Result<Compiled, TemplateError> {
    if text.len() > LARGEST {
        let message = "the template is larger than 8 MiB";
        return Err(TemplateError::new(ErrorKind::Limit, name, message));
    }
    let known: BTreeSet<&str> = BUILTINS
        .into_iter()
        .chain(functions.keys().map(String::as_str))
        .collect();
    let parsed = Template::new(name)
        .parse(text)
        .map_err(|cause| parse_error(text, name, cause))?;
    balance::check(text).map_err(|fault| fault.in_template(text, name))?;
    let mut trees = Vec::new();
    for tree_name in parsed.templates() {
        let mut tree = parsed
            .lookup(tree_name)
            .expect("the name comes from the same template")
            .clone();
        Rewrite { known: &known }
            .list(&mut tree)
            .map_err(|fault| fault.in_template(text, name))?;
        trees.push((tree_name.to_owned(), tree));
    }
    let rewritten = parsed.lookup(name).is_some();
    drop(known);
    let template = trees
        .into_iter()
        .fold(parsed, |template, (tree_name, tree)| {
            template.add_parse_tree(&tree_name, tree)
        })
        .funcs(functions)
        .max_range_iters(MOST_TURNS);
    Ok(Compiled {
        template,
        rewritten,
    })
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
                .take(line - 1)
                .map(str::len)
                .sum();
            let position = Position::of_offset(text, start + col.saturating_sub(1));
            TemplateError::new(ErrorKind::Parse, name, message).at(text, position)
        }
        other => TemplateError::new(ErrorKind::Parse, name, other.to_string()),
    }
}

/// What was found to be wrong, and where.
pub(crate) struct Fault {
    pub(crate) offset: usize,
    pub(crate) message: String,
}

impl Fault {
    fn in_template(self, text: &str, name: &str) -> TemplateError {
        TemplateError::new(ErrorKind::Parse, name, self.message)
            .at(text, Position::of_offset(text, self.offset))
    }
}

struct Rewrite<'a> {
    known: &'a BTreeSet<&'a str>,
}

impl Rewrite<'_> {
    fn list(&self, list: &mut ListNode) -> Result<(), Fault> {
        let mut nodes = Vec::with_capacity(list.nodes.len() * 2);
        for mut node in std::mem::take(&mut list.nodes) {
            if let Some(pos) = self.node(&mut node)? {
                nodes.push(step(pos));
            }
            nodes.push(node);
        }
        list.nodes = nodes;
        Ok(())
    }

    /// Rewrites what lies in `node`; returns its place if it does anything.
    fn node(&self, node: &mut Node) -> Result<Option<Pos>, Fault> {
        let place = |pipe: &PipeNode, pos: Pos| {
            pipe.commands
                .first()
                .and_then(|command| command.args.first())
                .map_or(pos, Expr::pos)
        };
        match node {
            Node::Text(_) | Node::Define(_) | Node::Break(_) | Node::Continue(_) => Ok(None),
            Node::List(list) => self.list(list).map(|()| None),
            Node::Action(action) => {
                let pos = place(&action.pipe, action.pos);
                self.pipe(&mut action.pipe)?;
                if action.pipe.decl.is_empty() {
                    action.pipe.commands.push(call(pos, SHOW));
                }
                Ok(Some(pos))
            }
            Node::If(branch) | Node::Range(branch) | Node::With(branch) => {
                let pos = place(&branch.pipe, branch.pos);
                self.pipe(&mut branch.pipe)?;
                self.list(&mut branch.body)?;
                branch
                    .else_body
                    .as_mut()
                    .map_or(Ok(()), |list| self.list(list))?;
                Ok(Some(pos))
            }
            Node::Template(template) => {
                template
                    .pipe
                    .as_mut()
                    .map_or(Ok(()), |pipe| self.pipe(pipe))?;
                Ok(Some(template.pos))
            }
        }
    }

    fn pipe(&self, pipe: &mut PipeNode) -> Result<(), Fault> {
        let mut commands = Vec::with_capacity(pipe.commands.len());
        for mut command in std::mem::take(&mut pipe.commands) {
            for arg in &mut command.args {
                self.expression(arg)?;
            }
            let pos = command.pos;
            let makes_text = self.bound(&mut command)?;
            commands.push(command);
            if makes_text {
                commands.push(call(pos, GUARD));
            }
        }
        pipe.commands = commands;
        Ok(())
    }

    /// Bounds a call of a built-in that makes text; returns whether `command` is one.
    fn bound(&self, command: &mut CommandNode) -> Result<bool, Fault> {
        let Some(Expr::Identifier(pos, name)) = command.args.first() else {
            return Ok(false);
        };
        let (pos, name) = (*pos, name.clone());
        if !MAKERS.contains(&name.as_str()) {
            return Ok(false);
        }
        if command.args.len() > MOST_ARGUMENTS + 1 {
            let message = format!("`{name}` takes at most {MOST_ARGUMENTS} arguments");
            return Err(Fault {
                offset: pos.offset,
                message,
            });
        }
        if let ("printf", Some(format)) = (name.as_str(), command.args.get_mut(1)) {
            let plain = std::mem::replace(format, Expr::Nil(pos));
            let commands = vec![
                CommandNode {
                    pos,
                    args: vec![plain],
                },
                call(pos, FORMAT),
            ];
            *format = Expr::Pipe(
                pos,
                PipeNode {
                    pos,
                    decl: Vec::new(),
                    commands,
                    is_assign: false,
                },
            );
        }
        Ok(true)
    }

    fn expression(&self, expression: &mut Expr) -> Result<(), Fault> {
        match expression {
            Expr::Identifier(pos, name) if !self.known.contains(name.as_str()) => {
                let hint = infrakit_spi::suggest(name, self.known.iter().copied())
                    .map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
                let message = format!("function \"{name}\" not defined{hint}");
                Err(Fault {
                    offset: pos.offset,
                    message,
                })
            }
            Expr::Pipe(_, pipe) => self.pipe(pipe),
            Expr::Chain(_, inner, _) => self.expression(inner),
            Expr::Identifier(..)
            | Expr::Dot(_)
            | Expr::Field(..)
            | Expr::Variable(..)
            | Expr::String(..)
            | Expr::Number(..)
            | Expr::Bool(..)
            | Expr::Nil(_) => Ok(()),
        }
    }
}

/// Returns the action that notes that `pos` is reached; it prints nothing.
fn step(pos: Pos) -> Node {
    let offset = i64::try_from(pos.offset).expect("a template is shorter than i64::MAX");
    let args = vec![
        Expr::Identifier(pos, STEP.into()),
        Expr::Number(pos, Number::Int(offset)),
    ];
    let commands = vec![CommandNode { pos, args }];
    Node::Action(ActionNode {
        pos,
        pipe: PipeNode {
            pos,
            decl: Vec::new(),
            commands,
            is_assign: false,
        },
    })
}

fn call(pos: Pos, function: &str) -> CommandNode {
    CommandNode {
        pos,
        args: vec![Expr::Identifier(pos, function.into())],
    }
}
