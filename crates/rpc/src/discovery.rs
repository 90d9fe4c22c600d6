//! Finding plugins: one directory, a socket or a `.listen` file for each of them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::FileType;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use infrakit_spi::{Error, PluginName};

/// Extension of the files that stand for a plugin on TCP.
pub(crate) const LISTEN: &str = ".listen";

/// The largest `.listen` file that is read. A URL is shorter; anything else is no `.listen` file.
const LONGEST_URL: u64 = 4096;

/// Where a plugin answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A unix socket.
    Unix(PathBuf),
    /// `host:port`.
    Tcp(String),
    /// Behind an HTTP server that gives each plugin a path.
    Http {
        /// `host` or `host:port`.
        authority: String,
        /// Path with its leading slash.
        path: String,
    },
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid address {text}")]
pub struct InvalidAddress {
    text: String,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Tcp(authority) => write!(f, "tcp://{authority}"),
            Self::Http { authority, path } => write!(f, "http://{authority}{path}"),
        }
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    /// Reads a path without a scheme, or a URL of scheme `unix`, `file`, `tcp` or `http`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidAddress {
            text: text.chars().take(80).flat_map(char::escape_debug).collect(),
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            return if text.is_empty() {
                Err(invalid())
            } else {
                Ok(Self::Unix(text.into()))
            };
        };
        let clean =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic());
        match scheme {
            "unix" | "file" if !rest.is_empty() => Ok(Self::Unix(rest.into())),
            "tcp" => {
                let authority = rest.strip_suffix('/').unwrap_or(rest);
                let valid = clean(authority) && !authority.contains('/');
                if valid {
                    Ok(Self::Tcp(authority.to_owned()))
                } else {
                    Err(invalid())
                }
            }
            "http" => {
                let (authority, path) = match rest.find('/') {
                    Some(at) => rest.split_at(at),
                    None => (rest, "/"),
                };
                let (authority, path) = (authority.to_owned(), path.to_owned());
                let valid = clean(&authority) && clean(&path);
                if valid {
                    Ok(Self::Http { authority, path })
                } else {
                    Err(invalid())
                }
            }
            _ => Err(invalid()),
        }
    }
}

/// The directory in which plugins show that they are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Names a directory; it need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Returns the path of the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lists the plugins by name: sockets, and `.listen` files that hold an address. Where a name
    /// has both, the `.listen` file counts. A plugin is listed whether or not it answers.
    ///
    /// # Errors
    /// Returns why the directory cannot be read. One that does not exist is empty.
    pub fn list(&self) -> io::Result<BTreeMap<String, Address>> {
        let entries = match std::fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            entries => entries?,
        };
        let mut plugins = BTreeMap::new();
        for entry in entries {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            // The type comes with the entry and does not follow symbolic links.
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            match self.read(&name, kind) {
                Some((plugin, address @ Address::Unix(_))) => {
                    plugins.entry(plugin).or_insert(address);
                }
                Some((plugin, address)) => {
                    plugins.insert(plugin, address);
                }
                None => {}
            }
        }
        Ok(plugins)
    }

    /// Finds the plugin that a name leads to, whether or not it answers.
    ///
    /// # Errors
    /// `plugin not found:<name>`, or why the directory cannot be read; nothing was delivered.
    pub fn find(&self, name: &PluginName) -> infrakit_spi::Result<Address> {
        let missing = || Error::not_delivered(format!("plugin not found:{name}"));
        let lookup = name.lookup();
        // A name that cannot be a file would lead out of the directory.
        if lookup.is_empty() || lookup == "." || lookup == ".." || lookup.contains('\0') {
            return Err(missing());
        }
        for file in [format!("{lookup}{LISTEN}"), lookup.to_owned()] {
            match std::fs::symlink_metadata(self.path.join(&file)) {
                Ok(found) => {
                    if let Some((plugin, address)) = self.read(&file, found.file_type())
                        && plugin == lookup
                    {
                        return Ok(address);
                    }
                }
                Err(error) if is_absent(&error) => {}
                Err(error) => {
                    let path = self.path.display();
                    return Err(Error::not_delivered(format!(
                        "failed to read {path}: {error}"
                    )));
                }
            }
        }
        Err(missing())
    }

    fn read(&self, file: &str, kind: FileType) -> Option<(String, Address)> {
        let path = self.path.join(file);
        if kind.is_socket() {
            return Some((file.to_owned(), Address::Unix(path)));
        }
        if !kind.is_file() || !file.ends_with(LISTEN) {
            return None;
        }
        let plugin = file.split(LISTEN).next().filter(|name| !name.is_empty())?;
        if path.symlink_metadata().ok()?.len() > LONGEST_URL {
            return None;
        }
        // A path, or a URL with a newline behind it, is no address here: the original ignores
        // such a file, and so does everybody who shares the directory with it.
        let text = std::fs::read_to_string(&path).ok()?;
        let address = text.contains("://").then(|| text.parse().ok())??;
        Some((plugin.to_owned(), address))
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use infrakit_spi::Delivery;

    use super::*;

    #[test]
    fn lists_sockets_and_listen_files_only() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path();
        let _sockets = ["file", "both"].map(|name| UnixListener::bind(path.join(name)).unwrap());
        std::os::unix::fs::symlink(path.join("file"), path.join("link")).unwrap();
        std::fs::create_dir(path.join("dir")).unwrap();
        for (name, text) in [
            ("both.listen", "tcp://127.0.0.1:1"),
            ("http.listen", "http://host:2/p/"),
            ("newline.listen", "tcp://127.0.0.1:1\n"),
            ("bare.listen", "127.0.0.1:1"),
            ("file.pid", "1"),
            ("text", "tcp://127.0.0.1:1"),
        ] {
            std::fs::write(path.join(name), text).unwrap();
        }
        let list = Directory::new(path).list().unwrap();
        let shown: Vec<String> = list
            .iter()
            .map(|(name, at)| format!("{name} {at}"))
            .collect();
        let file = format!("file {}", path.join("file").display());
        assert_eq!(
            shown,
            ["both tcp://127.0.0.1:1", &file, "http http://host:2/p/"]
        );
    }

    #[test]
    fn finds_by_the_first_part_of_the_name() {
        let home = tempfile::tempdir().unwrap();
        let _socket = UnixListener::bind(home.path().join("foo")).unwrap();
        let directory = Directory::new(home.path());
        let found = directory.find(&"foo/bar/baz".into()).unwrap();
        assert_eq!(found, Address::Unix(home.path().join("foo")));
        for absent in ["bar/baz", "", "..", "foo.listen", "a\0b", &"x".repeat(300)] {
            let error = directory.find(&absent.into()).unwrap_err();
            assert_eq!(error.delivery(), Delivery::NotDelivered);
            assert_eq!(error.message(), format!("plugin not found:{absent}"));
        }
    }

    #[test]
    fn a_missing_directory_is_empty() {
        let home = tempfile::tempdir().unwrap();
        let directory = Directory::new(home.path().join("none"));
        assert!(directory.list().unwrap().is_empty());
        assert!(directory.find(&"foo".into()).is_err());
    }

    #[test]
    fn addresses_are_read_as_they_are_shown() {
        for text in ["/a/b", "tcp://h:1", "http://h:1/p/", "http://h/"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert_eq!("unix:///a".parse(), Ok(Address::Unix("/a".into())));
        for bad in [
            "",
            "https://h/",
            "tcp://",
            "tcp://h:1/x",
            "tcp://h:1\n",
            "ftp://h",
            "http:///",
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}
