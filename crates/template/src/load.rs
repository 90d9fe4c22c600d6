//! Fetches the text behind a template's URL. Knows local schemes only; the network is not here.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use crate::{Access, FileAccess, LoadError};

/// Largest template that is read, in bytes.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Returns the text behind `url`: `str://text`, `file:///path`, or a plain path.
///
/// ```
/// use infrakit_template::{Access, load};
///
/// assert_eq!(load("str://echo {{ add 1 2 }}", &Access::none())?, "echo {{ add 1 2 }}");
/// assert!(load("/etc/hostname", &Access::none()).is_err()); // files were not granted
/// # Ok::<(), infrakit_template::LoadError>(())
/// ```
///
/// # Errors
/// Returns which scheme is not supported, or why the file cannot be read: not granted, absent,
/// not a regular file, larger than 8 MiB, not UTF-8.
pub fn load(url: &str, access: &Access) -> Result<String, LoadError> {
    let Some((scheme, rest)) = scheme_of(url) else {
        return read(Path::new(url), access);
    };
    match scheme {
        "str" => Ok(rest.to_owned()),
        "file" => {
            let at = rest.find('/').unwrap_or(rest.len());
            let (host, path) = rest.split_at(at);
            if !host.is_empty() && host != "localhost" {
                return Err(LoadError::Host {
                    url: display_name(url),
                    host: host.to_owned(),
                });
            }
            read(Path::new(path), access)
        }
        _ => Err(LoadError::Scheme {
            url: display_name(url),
            scheme: scheme.to_owned(),
            why: match scheme {
                "http" | "https" | "unix" => "not supported yet, use `file://` or `str://`",
                _ => "not known, use `file://` or `str://`",
            },
        }),
    }
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

/// Splits `scheme://rest`; a plain path has no scheme.
fn scheme_of(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    named.then_some((scheme, rest))
}

fn read(path: &Path, access: &Access) -> Result<String, LoadError> {
    let shown = || display_name(&path.to_string_lossy());
    let failed = |source| LoadError::Read {
        path: shown(),
        source,
    };
    let unfit = |what| LoadError::Unfit {
        path: shown(),
        what,
    };
    let real = match &access.files {
        FileAccess::Denied => return Err(LoadError::Denied { path: shown() }),
        FileAccess::Anywhere => path.to_owned(),
        FileAccess::Under(directory) => {
            // Both sides are resolved, so neither `..` nor a link leads out of the directory.
            let root = fs::canonicalize(directory).map_err(failed)?;
            let real = fs::canonicalize(path).map_err(failed)?;
            if !real.starts_with(root) {
                return Err(LoadError::Denied { path: shown() });
            }
            real
        }
    };
    // Asked before opening: to open a named pipe would wait for a writer that may never come.
    let metadata = fs::metadata(&real).map_err(failed)?;
    if !metadata.is_file() {
        return Err(unfit("not a regular file"));
    }
    let mut text = String::new();
    let read = File::open(&real)
        .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text))
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => unfit("not UTF-8 text"),
            _ => failed(error),
        })?;
    if read as u64 > LARGEST {
        return Err(unfit("larger than 8 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted() -> Access {
        Access::none().with_files(FileAccess::Anywhere)
    }

    #[test]
    fn loads_text_and_files() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.tmpl");
        fs::write(&path, "{{ 1 }}").unwrap();
        let path = path.to_str().unwrap();
        for url in [
            path.to_owned(),
            format!("file://{path}"),
            format!("file://localhost{path}"),
        ] {
            assert_eq!(load(&url, &granted()).unwrap(), "{{ 1 }}");
            assert!(matches!(
                load(&url, &Access::none()),
                Err(LoadError::Denied { .. })
            ));
        }
        assert_eq!(load("str://a://b", &Access::none()).unwrap(), "a://b");
    }

    #[test]
    fn a_directory_grant_does_not_reach_outside() {
        let home = tempfile::tempdir().unwrap();
        let inside = home.path().join("in");
        fs::create_dir(&inside).unwrap();
        fs::write(inside.join("a"), "in").unwrap();
        fs::write(home.path().join("b"), "out").unwrap();
        std::os::unix::fs::symlink(home.path().join("b"), inside.join("link")).unwrap();
        let access = Access::none().with_files(FileAccess::Under(inside.clone()));
        let load = |name: &str| super::load(inside.join(name).to_str().unwrap(), &access);
        assert_eq!(load("a").unwrap(), "in");
        assert!(matches!(load("../b"), Err(LoadError::Denied { .. })));
        assert!(matches!(load("link"), Err(LoadError::Denied { .. })));
    }

    #[test]
    fn refusals_say_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        let binary = home.path().join("binary");
        fs::write(&binary, [0xFF, 0xFE]).unwrap();
        let large = home.path().join("large");
        File::create(&large).unwrap().set_len(LARGEST + 1).unwrap();
        for (url, want) in [
            (
                "http://host/x",
                "scheme `http` is not supported yet, use `file://` or `str://`",
            ),
            ("unix:///sock/x", "not supported yet"),
            ("gopher://x", "scheme `gopher` is not known"),
            ("file://other/x", "host `other` is not this one"),
            ("/nonexistent/x", "it does not exist"),
            (home.path().to_str().unwrap(), "not a regular file"),
            (binary.to_str().unwrap(), "not UTF-8"),
            (large.to_str().unwrap(), "larger than 8 MiB"),
            ("/dev/zero", "not a regular file"),
        ] {
            let error = load(url, &granted()).unwrap_err().to_string();
            assert!(
                error.contains(want) && !error.contains('\n'),
                "{url}: {error}"
            );
        }
    }
}
