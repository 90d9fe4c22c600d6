//! Reads the text behind a URL under the grants of the caller.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::access::{Access, FileAccess, Origin, Request};
use crate::error::LoadError;
use crate::limits::Limits;
use crate::url::{display_name, scheme_of};

/// Longest name of a template in messages; of a longer one its end is shown.
const LONGEST_NAME: usize = 200;

/// The text of a template, and where it came from.
#[derive(Clone, Debug)]
pub struct Source {
    /// What to call it in messages.
    pub(crate) name: String,
    /// What relative URLs in it are relative to.
    pub(crate) base: String,
    pub(crate) origin: Origin,
    pub(crate) text: Arc<str>,
}

impl Source {
    /// Makes a source of a text that the caller has; `url` stands in errors, relative URLs are
    /// relative to it, and with `http` or `https` it makes the template a remote one.
    #[must_use]
    pub fn new(url: &str, text: &str) -> Self {
        Self {
            name: name_of(url),
            base: base_of(url).to_owned(),
            origin: origin_of(url),
            text: text.into(),
        }
    }

    /// Reads the text behind `url`: `str://text`, `file:///path` or a plain path, and, where
    /// fetching is granted, `http://…`, `https://…` and `unix:///socket/path`.
    ///
    /// # Errors
    /// Returns which scheme is not known, what is not granted, or why it cannot be read.
    pub fn load(url: &str, access: &Access) -> Result<Self, LoadError> {
        let limits = Limits::default();
        let reading = Reading {
            access,
            origin: Origin::Local,
            headers: &[],
            limit: limits.fetch_bytes,
            timeout: limits.time,
        };
        let text = reading.read(url)?;
        Ok(Self::new(url, &text))
    }

    /// Calls the template `name` in errors.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Returns what errors call the template.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns where the template came from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }
}

/// Returns the text behind `url`, see [`Source::load`].
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
    Source::load(url, access).map(|source| source.text.as_ref().to_owned())
}

/// Returns where a template behind `url` came from.
pub(crate) fn origin_of(url: &str) -> Origin {
    match scheme_of(url) {
        Some(("http" | "https", _)) => Origin::Remote,
        _ => Origin::Local,
    }
}

/// Returns what relative URLs in the template at `url` are relative to.
fn base_of(url: &str) -> &str {
    match scheme_of(url) {
        Some(("str", _)) => "",
        _ => url,
    }
}

/// Returns what to call the template at `url` in messages: a path as it is, its end where it is
/// very long.
pub(crate) fn name_of(url: &str) -> String {
    if url.starts_with("str://") {
        return display_name(url);
    }
    let shown: String = url
        .strip_prefix("file://")
        .unwrap_or(url)
        .escape_debug()
        .collect();
    let over = shown.chars().count().saturating_sub(LONGEST_NAME);
    if over == 0 {
        return shown;
    }
    let end: String = shown.chars().skip(over).collect();
    format!("…{end}")
}

/// How something is read: for whom, and with what bounds.
pub(crate) struct Reading<'a> {
    pub(crate) access: &'a Access,
    /// Where the template came from that asks.
    pub(crate) origin: Origin,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) limit: usize,
    pub(crate) timeout: Duration,
}

impl Reading<'_> {
    /// Returns the text behind `url`.
    pub(crate) fn read(&self, url: &str) -> Result<String, LoadError> {
        let Some((scheme, rest)) = scheme_of(url) else {
            return self.file(url);
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
                self.file(path)
            }
            "http" | "https" => self.fetch(url),
            "unix" => {
                self.must_be_local(url, "a template from another machine gets no unix socket")?;
                self.fetch(url)
            }
            _ => Err(LoadError::Scheme {
                url: display_name(url),
                scheme: scheme.to_owned(),
                why: "not known, use `file://`, `https://`, `unix://` or `str://`",
            }),
        }
    }

    fn must_be_local(&self, what: &str, why: &'static str) -> Result<(), LoadError> {
        if self.access.is_local(self.origin) {
            return Ok(());
        }
        Err(LoadError::Denied {
            path: name_of(what),
            why,
        })
    }

    fn fetch(&self, url: &str) -> Result<String, LoadError> {
        let failed = |reason: String| LoadError::Fetch {
            url: name_of(url),
            reason,
        };
        let fetch = self
            .access
            .fetch
            .as_ref()
            .ok_or_else(|| LoadError::Denied {
                path: name_of(url),
                why: "the network is not granted",
            })?;
        let request = Request {
            url,
            headers: self.headers,
            limit: self.limit,
            timeout: self.timeout,
        };
        let bytes = fetch.fetch(&request).map_err(failed)?;
        if bytes.len() > self.limit {
            return Err(failed(format!(
                "the answer is larger than {} bytes",
                self.limit
            )));
        }
        String::from_utf8(bytes).map_err(|_| failed("the answer is not UTF-8 text".to_owned()))
    }

    fn file(&self, path: &str) -> Result<String, LoadError> {
        self.must_be_local(path, "a template from another machine gets no files")?;
        read(Path::new(path), &self.access.files, self.limit)
    }
}

fn read(path: &Path, files: &FileAccess, limit: usize) -> Result<String, LoadError> {
    let shown = || name_of(&path.to_string_lossy());
    let failed = |source| LoadError::Read {
        path: shown(),
        source,
    };
    let unfit = |what| LoadError::Unfit {
        path: shown(),
        what,
    };
    let denied = || LoadError::Denied {
        path: shown(),
        why: "reading it is not granted",
    };
    let real = match files {
        FileAccess::Denied => return Err(denied()),
        FileAccess::Anywhere => path.to_owned(),
        FileAccess::Under(directory) => {
            // Both sides are resolved, so neither `..` nor a link leads out of the directory.
            let root = fs::canonicalize(directory).map_err(failed)?;
            let real = fs::canonicalize(path).map_err(failed)?;
            if !real.starts_with(root) {
                return Err(denied());
            }
            real
        }
    };
    // Asked before opening: to open a named pipe would wait for a writer that may never come.
    let metadata = fs::metadata(&real).map_err(failed)?;
    // `<(command)` of a shell is a pipe that is open already.
    let open_pipe = *files == FileAccess::Anywhere
        && metadata.file_type().is_fifo()
        && (real.starts_with("/dev/fd") || real.starts_with("/proc/self/fd"));
    if !metadata.is_file() && !open_pipe {
        return Err(unfit("not a regular file".to_owned()));
    }
    let mut text = String::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    let read = File::open(&real)
        .and_then(|file| file.take(most.saturating_add(1)).read_to_string(&mut text))
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => unfit("not UTF-8 text".to_owned()),
            _ => failed(error),
        })?;
    if read > limit {
        return Err(unfit(format!("larger than {}", bytes(limit))));
    }
    Ok(text)
}

/// Writes a number of bytes, in MiB where it is whole.
pub(crate) fn bytes(count: usize) -> String {
    const MIB: usize = 1024 * 1024;
    if count >= MIB && count.is_multiple_of(MIB) {
        format!("{} MiB", count / MIB)
    } else {
        format!("{count} bytes")
    }
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
        File::create(&large)
            .unwrap()
            .set_len(8 * 1024 * 1024 + 1)
            .unwrap();
        for (url, want) in [
            ("http://host/x", "the network is not granted"),
            ("unix:///sock/x", "the network is not granted"),
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
