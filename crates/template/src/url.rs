//! URLs of templates: their schemes, and what a relative one means inside another.

/// Splits `scheme://rest`; a plain path has no scheme.
pub(crate) fn scheme_of(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    named.then_some((scheme, rest))
}

/// Returns `url` in a form fit for messages: one line, at most 60 characters.
#[must_use]
pub fn display_name(url: &str) -> String {
    let mut shown: String = url.escape_debug().take(60).collect();
    if url.escape_debug().count() > 60 {
        shown.push('…');
    }
    shown
}

/// Returns what `reference` means inside the template at `base`: itself where it has a scheme,
/// else a place beside `base`. A base that is a text has no place, and a path stays a path.
///
/// ```
/// use infrakit_template::resolve;
///
/// assert_eq!(resolve("https://host/a/b.tmpl?x=1", "../c.sh"), "https://host/c.sh");
/// assert_eq!(resolve("file:///etc/a.tmpl", "sub/b.tmpl"), "file:///etc/sub/b.tmpl");
/// assert_eq!(resolve("groups/a.tmpl", "b.tmpl"), "groups/b.tmpl");
/// assert_eq!(resolve("str://text", "b.tmpl"), "b.tmpl");
/// ```
#[must_use]
pub fn resolve(base: &str, reference: &str) -> String {
    if scheme_of(reference).is_some() {
        return reference.to_owned();
    }
    match scheme_of(base) {
        Some(("str", _)) => reference.to_owned(),
        Some((scheme @ ("http" | "https"), rest)) => {
            if let Some(other_host) = reference.strip_prefix("//") {
                return format!("{scheme}://{other_host}");
            }
            let rest = rest.split(['?', '#']).next().unwrap_or(rest);
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let end = reference.find(['?', '#']).unwrap_or(reference.len());
            let (reference, query) = reference.split_at(end);
            let path = if reference.is_empty() {
                path.to_owned()
            } else {
                join(path, reference)
            };
            let root = if path.starts_with('/') { "" } else { "/" };
            format!("{scheme}://{host}{root}{path}{query}")
        }
        Some((scheme, rest)) => format!("{scheme}://{}", join(rest, reference)),
        None => join(base, reference),
    }
}

/// Puts `reference` into the directory of `path`.
fn join(path: &str, reference: &str) -> String {
    if reference.starts_with('/') {
        return tidy(reference);
    }
    let directory = path.rfind('/').map_or("", |at| &path[..=at]);
    tidy(&format!("{directory}{reference}"))
}

/// Takes `.` and `..` out of a path; what leads above the root stays at the root.
fn tidy(path: &str) -> String {
    let parts = parts(path);
    let end = if path.ends_with('/') && !parts.is_empty() {
        "/"
    } else {
        ""
    };
    format!(
        "{}{}{end}",
        if path.starts_with('/') { "/" } else { "" },
        parts.join("/")
    )
}

/// Returns the names in a path, without `.`, and with `..` only in front where it is relative.
pub(crate) fn parts(path: &str) -> Vec<&str> {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_urls_are_resolved_against_the_enclosing_one() {
        for (base, reference, want) in [
            ("http://h/a/b", "c", "http://h/a/c"),
            ("http://h/a/b", "/c", "http://h/c"),
            ("http://h", "c", "http://h/c"),
            ("http://h/a/b?x=/y/z", "c?d=../e", "http://h/a/c?d=../e"),
            ("http://h/a/b", "../../../c", "http://h/c"),
            ("https://h/a", "//other/x", "https://other/x"),
            ("http://h/a/b", "?q", "http://h/a/b?q"),
            ("file:///a/b.t", "./c.t", "file:///a/c.t"),
            ("file:///a/b.t", "../c.t", "file:///c.t"),
            ("unix:///run/s.sock/a/b", "c", "unix:///run/s.sock/a/c"),
            ("/a/b.t", "c/d.t", "/a/c/d.t"),
            ("b.t", "c.t", "c.t"),
            ("a/b.t", "../../c.t", "../c.t"),
            ("a/b.t", "/c.t", "/c.t"),
            ("a/b.t", "str://{{ 1 }}", "str://{{ 1 }}"),
            ("standard input", "c.t", "c.t"),
            ("file:///a/b", "http://h/x", "http://h/x"),
        ] {
            assert_eq!(resolve(base, reference), want, "{base} + {reference}");
        }
    }
}
