//! What a template knows beside its context: variables, metadata, the clock, the environment.

use std::collections::BTreeMap;
use std::time::Duration;

use gotmpl::Value;
use infrakit_spi::GoDuration;

use super::args::Args;
use super::{Arity, Function, Outcome, made, passed};
use crate::UnsetVar;
use crate::access::Metadata;
use crate::frame::Frame;
use crate::value::{from_json, text, to_json, to_text};

pub(super) const FUNCTIONS: &[Function] = &[
    passed(
        "var",
        Arity::AtLeast(1),
        "func(string, ...interface {}) (interface {}, error)",
        "{{ var \"a\" 1 }}{{ var \"a\" }}",
        "Returns a variable, or sets it where a value is given, which prints nothing.\nVariables are known to everything that is rendered together. One that is not set is looked for in metadata, where that is granted.",
        var,
    )
    .unseen(),
    passed(
        "ref",
        Arity::Exactly(1),
        "func(string) (interface {}, error)",
        "{{ global \"a\" 1 }}{{ ref \"a\" }}",
        "Returns a variable as var does: its older name.",
        var,
    )
    .unseen(),
    passed(
        "global",
        Arity::Exactly(2),
        "func(string, interface {}) (interface {}, error)",
        "{{ global \"a\" 1 }}{{ ref \"a\" }}",
        "Sets a variable as var does: its older name.",
        var,
    )
    .unseen(),
    made(
        "metadata",
        Arity::Between(1, 4),
        "func(string, ...interface {}) (interface {}, error)",
        "{{ if false }}{{ metadata \"vars/size\" }}{{ end }}",
        "Returns metadata of a plugin, whose name is the first element of the path; nothing where there is none.\nWith a second argument it is set. With two durations it is waited for: how often to look, and how long at most; a fourth argument `true` makes it an error that it did not come.",
        metadata,
    ),
    made(
        "unixtime",
        Arity::Exactly(0),
        "func() interface {}",
        "{{ unixtime }}",
        "Returns the seconds since 1970 began.",
        |args| Ok(Value::Int(args.frame.run.now)),
    ),
    made(
        "env",
        Arity::Exactly(1),
        "func(string) string",
        "{{ env \"HOME\" }}",
        "Returns a variable of the environment, or an empty text. An error where the environment is not granted.",
        env,
    ),
    made(
        "expandenv",
        Arity::Exactly(1),
        "func(string) string",
        "{{ expandenv \"home is $HOME\" }}",
        "Replaces $NAME and ${NAME} by variables of the environment.",
        expandenv,
    ),
    made(
        "echo",
        Arity::AtLeast(0),
        "func(...interface {}) string",
        "{{ echo \"size is\" 3 }}",
        "Tells the person who renders, and prints nothing.",
        echo,
    ),
    made(
        "getHostByName",
        Arity::Exactly(1),
        "func(string) string",
        "{{ if false }}{{ getHostByName \"localhost\" }}{{ end }}",
        "Returns an address of a host. An error where the network is not granted.",
        get_host_by_name,
    ),
];

fn var(args: &Args<'_>) -> Outcome {
    let (name, frame) = (args.string(0)?, args.frame);
    if let [_, .., value] = args.values {
        frame.vars.set_value(name.to_owned(), value.clone());
        return Ok(text(""));
    }
    if let Some(value) = frame.vars.get_value(name) {
        return Ok(value);
    }
    if let Some(metadata) = frame.run.engine.access.metadata.as_ref()
        && frame.is_local()
        && let Some(value) = metadata.get(name)?
    {
        return Ok(from_json(&value));
    }
    Ok(match frame.run.engine.unset {
        UnsetVar::NoValue => Value::Nil,
        UnsetVar::Keep => {
            let (left, right) = frame.run.engine.delimiters();
            text(format!("{left} var `{name}` {right}"))
        }
    })
}

fn metadata(args: &Args<'_>) -> Outcome {
    let path = args.string(0)?;
    let frame = args.frame;
    if !frame.is_local() {
        return Err("a template from another machine does not see metadata".to_owned());
    }
    let source = frame.run.engine.access.metadata.as_ref();
    let source = source.ok_or("metadata is not granted to this template")?;
    args.pay(0)?;
    match args.values.len() {
        1 => Ok(source
            .get(path)?
            .map_or(Value::Nil, |json| from_json(&json))),
        2 => source.set(path, &to_json(args.value(1))).map(|()| text("")),
        _ => wait(args, source.as_ref(), path),
    }
}

/// Looks for the value at `path` until it is there, or time is up.
fn wait(args: &Args<'_>, source: &dyn Metadata, path: &str) -> Outcome {
    let every = duration(args, 1)?.max(Duration::from_millis(10));
    let most = duration(args, 2)?;
    let start = std::time::Instant::now();
    loop {
        if let Some(found) = source.get(path)? {
            return Ok(from_json(&found));
        }
        if start.elapsed() >= most {
            break;
        }
        args.pay(0)?;
        std::thread::sleep(every.min(most.saturating_sub(start.elapsed())));
    }
    if args.value(3).is_truthy() {
        return Err(format!("`{path}` did not come within {}", GoDuration(most)));
    }
    Ok(Value::Nil)
}

fn duration(args: &Args<'_>, index: usize) -> Result<Duration, String> {
    args.string(index)?
        .parse()
        .map(|GoDuration(duration)| duration)
        .map_err(|error| error.to_string())
}

fn env(args: &Args<'_>) -> Outcome {
    let name = args.string(0)?;
    let env = environment(args.frame)?;
    Ok(text(env.get(name).map_or("", String::as_str)))
}

fn environment(frame: &Frame) -> Result<&BTreeMap<String, String>, String> {
    if !frame.is_local() {
        return Err("a template from another machine does not see the environment".to_owned());
    }
    let env = frame.run.engine.access.env.as_ref();
    env.ok_or_else(|| "the environment is not granted to this template".to_owned())
}

fn expandenv(args: &Args<'_>) -> Outcome {
    let env = environment(args.frame)?;
    let mut out = super::Bounded::default();
    let mut rest = args.string(0)?;
    while let Some(at) = rest.find('$') {
        out.push(&rest[..at])?;
        let tail = &rest[at + 1..];
        let (name, after) = match tail.strip_prefix('{') {
            Some(braced) => braced.split_once('}').unwrap_or(("", braced)),
            None => {
                let end = tail
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(tail.len());
                tail.split_at(end)
            }
        };
        if name.is_empty() && !tail.starts_with('{') {
            out.push("$")?;
        }
        out.push(env.get(name).map_or("", String::as_str))?;
        rest = after;
    }
    out.push(rest)?;
    out.done()
}

fn echo(args: &Args<'_>) -> Outcome {
    let line: Vec<_> = args.values.iter().map(to_text).collect();
    if let Some(echo) = &args.frame.run.engine.echo {
        echo(&line.join(" "));
    }
    Ok(text(""))
}

fn get_host_by_name(args: &Args<'_>) -> Outcome {
    let fetch = args.frame.run.engine.access.fetch.as_ref();
    let fetch = fetch.ok_or("the network is not granted to this template")?;
    args.frame
        .run
        .count_fetch()
        .map_err(|cause| cause.to_string())?;
    fetch.resolve(args.string(0)?).map(text)
}
