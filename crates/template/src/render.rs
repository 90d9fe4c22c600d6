//! Runs one template.

use std::fmt;
use std::sync::Arc;

use gotmpl::{Template, TemplateError as Cause};

use crate::compile::{Compiled, compile};
use crate::error::{ErrorKind, TemplateError};
use crate::frame::Frame;
use crate::functions;
use crate::load::bytes;
use crate::rewrite::Language;

/// Most turns of all `range` loops of one template together.
const MOST_TURNS: u64 = 5_000_000;

/// Renders the template of `frame`.
pub(crate) fn render(frame: &Arc<Frame>) -> Result<String, TemplateError> {
    let (source, engine) = (&frame.source, &frame.run.engine);
    let Compiled { trees, used, .. } = compiled(frame)?;
    let template = trees
        .into_iter()
        .fold(Template::new(&source.name), |template, (name, tree)| {
            template.add_parse_tree(&name, tree)
        })
        .funcs(functions::bind_all(&used, frame))
        .max_range_iters(MOST_TURNS);
    let mut output = Output {
        text: String::new(),
        most: engine.limits.output,
    };
    let done = template.execute_template_fmt(&mut output, &source.name, &frame.context);
    match done {
        Ok(()) => Ok(output.text),
        Err(cause) => Err(failure(frame, cause)),
    }
}

/// Compiles the template of `frame`. One that is included is kept: the next one may be the same.
fn compiled(frame: &Frame) -> Result<Compiled, TemplateError> {
    let (source, engine) = (&frame.source, &frame.run.engine);
    if let Some(kept) = frame.run.compiled(source) {
        return Ok(kept);
    }
    let language = Language {
        delimiters: engine.delimiters(),
        is_function: &|name| functions::is_known(engine, name),
        names: &|| functions::names(engine),
    };
    let compiled = compile(&source.text, &source.name, &language)?;
    if frame.is_included() {
        frame.run.keep_compiled(source, compiled.clone());
    }
    Ok(compiled)
}

fn failure(frame: &Frame, cause: Cause) -> TemplateError {
    let (kind, message) = match cause {
        Cause::Exec(message) => {
            if let Some(inner) = frame.run.take_nested(&message) {
                return inner.included_from(&frame.source.name, frame.position());
            }
            let kind = if frame.run.is_exhausted() {
                ErrorKind::Limit
            } else {
                ErrorKind::Execute
            };
            (kind, message)
        }
        Cause::Write => (
            ErrorKind::Limit,
            format!(
                "the output is larger than {}",
                bytes(frame.run.engine.limits.output)
            ),
        ),
        Cause::RangeIterLimit => (
            ErrorKind::Limit,
            "the loops take more than 5 million turns".to_owned(),
        ),
        Cause::RecursionLimit => (
            ErrorKind::Limit,
            "the templates are nested more than 200 deep".to_owned(),
        ),
        other => (ErrorKind::Execute, other.to_string()),
    };
    frame.fail(TemplateError::new(kind, &frame.source.name, message))
}

/// Takes output up to the limit.
struct Output {
    text: String,
    most: usize,
}

impl fmt::Write for Output {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.text.len() + part.len() > self.most {
            return Err(fmt::Error);
        }
        self.text.push_str(part);
        Ok(())
    }
}
