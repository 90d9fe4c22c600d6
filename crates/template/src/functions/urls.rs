//! URLs in parts.

use gotmpl::Value;

use super::args::Args;
use super::{Arity, Function, Outcome, made};
use crate::value::{map, text, to_text};

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "urlParse",
        Arity::Exactly(1),
        "func(string) map[string]interface {}",
        "{{ (urlParse \"https://me:pw@host:8080/a?b=c#d\").hostname }}",
        "Splits a URL into a dict with scheme, userinfo, host, hostname, path, query, fragment and opaque.",
        parse,
    ),
    made(
        "urlJoin",
        Arity::Exactly(1),
        "func(map[string]interface {}) string",
        "{{ urlJoin (dict \"scheme\" \"http\" \"host\" \"host:80\" \"path\" \"/a\" \"query\" \"b=c\") }}",
        "Makes a URL of what urlParse returns.",
        join,
    ),
];

fn parse(args: &Args<'_>) -> Outcome {
    let url = args.string(0)?;
    if url.chars().any(|c| c.is_ascii_control()) {
        return Err("a URL has no control characters".to_owned());
    }
    let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
        _ => (String::new(), rest),
    };
    let (opaque, userinfo, host, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let (userinfo, host) = authority.rsplit_once('@').unwrap_or(("", authority));
            ("", userinfo, host, path)
        }
        None if !scheme.is_empty() && !rest.starts_with('/') => (rest, "", "", ""),
        None => ("", "", "", rest),
    };
    Ok(map([
        ("scheme", text(scheme)),
        ("userinfo", text(userinfo)),
        ("host", text(host)),
        ("hostname", text(hostname(host))),
        ("path", text(decoded(path)?)),
        ("query", text(query)),
        ("fragment", text(decoded(fragment)?)),
        ("opaque", text(opaque)),
    ]))
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn hostname(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    host.split_once(':').map_or(host, |(name, _)| name)
}

/// Reads `%41` as `A`.
fn decoded(part: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next().unwrap_or(b'?'), rest.next().unwrap_or(b'?')];
        let digits = String::from_utf8_lossy(&digits).into_owned();
        let byte = u8::from_str_radix(&digits, 16)
            .map_err(|_| format!("`%{digits}` is no escape of a URL"))?;
        bytes.push(byte);
    }
    String::from_utf8(bytes).map_err(|_| format!("`{part}` is not UTF-8 text"))
}

/// Writes what a path may not hold as `%41`.
fn encoded(part: &str) -> String {
    part.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
            byte if b"-._~$&+,/:;=@!*'()[]".contains(&byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn join(args: &Args<'_>) -> Outcome {
    let dict = args.dict(0)?;
    let part = |name: &str| match dict.get(name) {
        None | Some(Value::Nil) => String::new(),
        Some(value) => to_text(value).into_owned(),
    };
    let mut url = String::new();
    let (scheme, opaque, host, userinfo) = (
        part("scheme"),
        part("opaque"),
        part("host"),
        part("userinfo"),
    );
    if !scheme.is_empty() {
        url.push_str(&format!("{scheme}:"));
    }
    if opaque.is_empty() {
        if !scheme.is_empty() || !host.is_empty() || !userinfo.is_empty() {
            let named = !host.is_empty() || !userinfo.is_empty() || !part("path").is_empty();
            url.push_str(if named { "//" } else { "" });
        }
        if !userinfo.is_empty() {
            url.push_str(&format!("{userinfo}@"));
        }
        url.push_str(&host);
        let path = encoded(&part("path"));
        if !path.is_empty() && !path.starts_with('/') && !host.is_empty() {
            url.push('/');
        }
        url.push_str(&path);
    } else {
        url.push_str(&opaque);
    }
    let (query, fragment) = (part("query"), part("fragment"));
    if !query.is_empty() {
        url.push_str(&format!("?{query}"));
    }
    if !fragment.is_empty() {
        url.push_str(&format!("#{}", encoded(&fragment)));
    }
    Ok(text(url))
}
