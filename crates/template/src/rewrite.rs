//! The changes of a parsed template that let it know where it is, and let dicts change.
//!
//! In front of each action stands a call of [`STEP`] with the action's offset. What an action
//! prints goes through [`SHOW`], what a block asks for through [`NOW`], and a field is taken by
//! [`FIELD`], so that a dict is seen as it is now. No template can spell these names.

use std::collections::BTreeSet;

use gotmpl::parse::{
    ActionNode, BranchNode, CommandNode, Expr, ListNode, Node, Number, PipeNode, Pos, TextNode,
};

use crate::fault::Fault;

/// Name of the function that notes an action's offset.
pub(crate) const STEP: &str = "\u{1}step";
/// Name of the function that turns a value into what Go prints of it.
pub(crate) const SHOW: &str = "\u{1}show";
/// Name of the function that returns what a dict holds now.
pub(crate) const NOW: &str = "\u{1}now";
/// Name of the function that takes fields of a value.
pub(crate) const FIELD: &str = "\u{1}field";

/// Functions whose first argument is a template that they render.
const INCLUDERS: [&str; 2] = ["include", "source"];

/// What a text is a template of.
pub(crate) struct Language<'a> {
    /// Left and right delimiter of actions.
    pub(crate) delimiters: (&'a str, &'a str),
    /// Tells whether there is a function of this name.
    pub(crate) is_function: &'a dyn Fn(&str) -> bool,
    /// Returns the names of all functions, to suggest one.
    pub(crate) names: &'a dyn Fn() -> Vec<String>,
}

/// Rewrites the trees of one text, and notes what they need.
pub(crate) struct Rewrite<'a> {
    language: &'a Language<'a>,
    /// Variables that are declared where the rewriting is.
    variables: Vec<String>,
    used: BTreeSet<String>,
    included: Vec<(usize, String)>,
}

impl<'a> Rewrite<'a> {
    pub(crate) fn new(language: &'a Language<'a>) -> Self {
        let used = [STEP, SHOW, NOW, FIELD].map(str::to_owned).into();
        Self {
            language,
            variables: Vec::new(),
            used,
            included: Vec::new(),
        }
    }

    /// Returns the functions that are called, and the templates that are included.
    pub(crate) fn found(self) -> (BTreeSet<String>, Vec<(usize, String)>) {
        (self.used, self.included)
    }

    /// Rewrites the body of a template, in which only `$` is declared.
    pub(crate) fn template(&mut self, list: &mut ListNode) -> Result<(), Fault> {
        self.variables = vec!["$".to_owned()];
        self.list(list)
    }

    fn list(&mut self, list: &mut ListNode) -> Result<(), Fault> {
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
    fn node(&mut self, node: &mut Node) -> Result<Option<Pos>, Fault> {
        match node {
            Node::Define(_) | Node::Break(_) | Node::Continue(_) => Ok(None),
            Node::Text(text) => {
                unescape(text);
                Ok(None)
            }
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
                self.branch(branch).map(Some)
            }
            Node::Template(template) => {
                if let Some(pipe) = &mut template.pipe {
                    self.pipe(pipe)?;
                }
                Ok(Some(template.pos))
            }
        }
    }

    /// Rewrites a block; what is declared in it is forgotten at its end.
    fn branch(&mut self, branch: &mut BranchNode) -> Result<Pos, Fault> {
        let declared = self.variables.len();
        let pos = place(&branch.pipe, branch.pos);
        self.pipe(&mut branch.pipe)?;
        branch.pipe.commands.push(call(pos, NOW));
        let inside = self.variables.len();
        self.list(&mut branch.body)?;
        self.variables.truncate(inside);
        if let Some(list) = &mut branch.else_body {
            self.list(list)?;
        }
        self.variables.truncate(declared);
        Ok(pos)
    }

    fn pipe(&mut self, pipe: &mut PipeNode) -> Result<(), Fault> {
        for command in &mut pipe.commands {
            self.command(command)?;
        }
        if pipe.is_assign {
            for name in &pipe.decl {
                self.must_be_declared(name, pipe.pos)?;
            }
        } else {
            self.variables
                .extend(pipe.decl.iter().map(ToString::to_string));
        }
        Ok(())
    }

    fn command(&mut self, command: &mut CommandNode) -> Result<(), Fault> {
        let mut name = None;
        if let [Expr::Identifier(pos, function), rest @ ..] = command.args.as_slice() {
            if INCLUDERS.contains(&function.as_str())
                && let Some(Expr::String(_, url)) = rest.first()
            {
                self.included.push((pos.offset, url.to_string()));
            }
            name = Some(function.to_string());
        }
        // Both look at their arguments themselves, so these have to come as they are now.
        let looks = matches!(name.as_deref(), Some("and" | "or"));
        for (at, argument) in command.args.iter_mut().enumerate() {
            self.expression(argument)?;
            if looks && at > 0 {
                let pos = argument.pos();
                let plain = std::mem::replace(argument, Expr::Nil(pos));
                if matches!(plain, Expr::Nil(_)) {
                    continue;
                }
                *argument = apply(pos, vec![Expr::Identifier(pos, NOW.into()), plain]);
            }
        }
        Ok(())
    }

    fn expression(&mut self, expression: &mut Expr) -> Result<(), Fault> {
        match expression {
            Expr::Identifier(pos, name) => self.function(name.as_str(), *pos),
            Expr::Pipe(_, pipe) => self.pipe(pipe),
            Expr::Variable(pos, name, fields) => {
                self.must_be_declared(name.as_str(), *pos)?;
                if !fields.is_empty() {
                    let (pos, fields) = (*pos, std::mem::take(fields));
                    let whole = expression.clone();
                    *expression = field(pos, whole, &fields);
                }
                Ok(())
            }
            Expr::Field(pos, fields) => {
                let (pos, fields) = (*pos, std::mem::take(fields));
                *expression = field(pos, Expr::Dot(pos), &fields);
                Ok(())
            }
            Expr::Chain(pos, inner, fields) => {
                self.expression(inner)?;
                // A function with arguments may stand before the fields: left as it is.
                if !matches!(**inner, Expr::Identifier(..)) {
                    let (pos, fields) = (*pos, std::mem::take(fields));
                    let whole = (**inner).clone();
                    *expression = field(pos, whole, &fields);
                }
                Ok(())
            }
            Expr::Dot(_) | Expr::String(..) | Expr::Number(..) | Expr::Bool(..) | Expr::Nil(_) => {
                Ok(())
            }
        }
    }

    fn function(&mut self, name: &str, pos: Pos) -> Result<(), Fault> {
        if (self.language.is_function)(name) {
            self.used.insert(name.to_owned());
            return Ok(());
        }
        let names = (self.language.names)();
        let hint = infrakit_spi::suggest(name, names.iter().map(String::as_str))
            .map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
        Err(Fault {
            offset: pos.offset,
            message: format!("function \"{name}\" not defined{hint}"),
        })
    }

    fn must_be_declared(&self, name: &str, pos: Pos) -> Result<(), Fault> {
        if self.variables.iter().any(|declared| declared == name) {
            return Ok(());
        }
        Err(Fault {
            offset: pos.offset,
            message: format!("undefined variable \"{name}\", declare it with `{name} := …`"),
        })
    }
}

/// Returns where a pipeline begins.
fn place(pipe: &PipeNode, pos: Pos) -> Pos {
    pipe.commands
        .first()
        .and_then(|command| command.args.first())
        .map_or(pos, Expr::pos)
}

/// Takes back in a text what `escape` did for the rendering before this one.
fn unescape(text: &mut TextNode) {
    if text.text.contains(r"\{\{") || text.text.contains(r"\}\}") {
        let plain = text.text.replace(r"\{\{", "{{").replace(r"\}\}", "}}");
        text.text = plain.into();
    }
}

/// Returns the action that notes that `pos` is reached; it prints nothing.
fn step(pos: Pos) -> Node {
    let offset = i64::try_from(pos.offset).expect("a template is shorter than i64::MAX");
    let args = vec![
        Expr::Identifier(pos, STEP.into()),
        Expr::Number(pos, Number::Int(offset)),
    ];
    Node::Action(ActionNode {
        pos,
        pipe: pipe_of(pos, args),
    })
}

/// Returns the expression that takes `fields` of `whole`.
fn field<S: AsRef<str>>(pos: Pos, whole: Expr, fields: &[S]) -> Expr {
    let mut args = vec![Expr::Identifier(pos, FIELD.into()), whole];
    args.extend(
        fields
            .iter()
            .map(|name| Expr::String(pos, name.as_ref().into())),
    );
    apply(pos, args)
}

fn apply(pos: Pos, args: Vec<Expr>) -> Expr {
    Expr::Pipe(pos, pipe_of(pos, args))
}

fn pipe_of(pos: Pos, args: Vec<Expr>) -> PipeNode {
    PipeNode {
        pos,
        decl: Vec::new(),
        commands: vec![CommandNode { pos, args }],
        is_assign: false,
    }
}

fn call(pos: Pos, function: &str) -> CommandNode {
    CommandNode {
        pos,
        args: vec![Expr::Identifier(pos, function.into())],
    }
}
