//! The arguments of `plugin start`: `kind[:name][=exec]`.

use std::fmt;
use std::str::FromStr;

use infrakit_spi::PluginName;

/// Which plugin to start, under which name, in which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartArg {
    /// Kind of the plugin, such as `manager` or `selector/spread`.
    pub kind: String,
    /// Name that it is reached by.
    pub name: PluginName,
    /// Way in which it is started.
    pub exec: Exec,
}

/// A way of starting a plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exec {
    /// In this process.
    #[default]
    InProcess,
    /// As a child process.
    Os,
}

impl Exec {
    /// The words for the ways.
    pub const NAMES: &'static [&'static str] = &["inproc", "os"];

    /// Returns the word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InProcess => "inproc",
            Self::Os => "os",
        }
    }
}

impl fmt::Display for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Exec {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "inproc" => Ok(Self::InProcess),
            "os" => Ok(Self::Os),
            _ => Err(()),
        }
    }
}

/// Why an argument of `plugin start` was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartArgError {
    /// A part is missing.
    #[error("`{arg}` has no {part}; write `kind[:name][=inproc|os]`, such as `group:mygroup=os`")]
    Empty {
        /// The argument, escaped.
        arg: String,
        /// The part.
        part: &'static str,
    },
    /// The way of starting is unknown.
    #[error("`{arg}` asks for `{exec}`, which is no way to start a plugin{}", hint(*suggestion))]
    UnknownExec {
        /// The argument, escaped.
        arg: String,
        /// What it asks for.
        exec: String,
        /// What it may mean.
        suggestion: Option<&'static str>,
    },
    /// The name cannot be that of a socket.
    #[error("`{arg}` is not usable")]
    Name {
        /// The argument, escaped.
        arg: String,
        /// The rule that it breaks.
        #[source]
        source: infrakit_spi::InvalidName,
    },
}

fn hint(suggestion: Option<&'static str>) -> String {
    match suggestion {
        Some(word) => format!("; did you mean `{word}`?"),
        None => "; use `inproc` or `os`".to_owned(),
    }
}

/// Reads `kind[:name][=exec]`.
///
/// Without `exec` the plugin runs in this process. Without `name` it is called after its kind,
/// except that the manager is called `group` and the group controller `group-stateless`: so the
/// manager gets what is addressed to groups. A kind may contain `/`; the socket of its name is
/// what stands before the first one.
///
/// # Errors
/// Returns which part is missing, unknown or unusable.
///
/// ```
/// use infrakit_host::start_arg::{Exec, parse};
///
/// let arg = parse("manager=os").expect("it is well formed");
/// assert_eq!((arg.kind.as_str(), arg.name.as_str(), arg.exec), ("manager", "group", Exec::Os));
/// ```
pub fn parse(arg: &str) -> Result<StartArg, StartArgError> {
    let shown = || arg.escape_debug().take(200).collect::<String>();
    let empty = |part| StartArgError::Empty { arg: shown(), part };
    let (left, exec) = match arg.split_once('=') {
        None => (arg, Exec::default()),
        Some((_, "")) => return Err(empty("way to start behind `=`")),
        Some((left, word)) => {
            let exec = word.parse().map_err(|()| StartArgError::UnknownExec {
                arg: shown(),
                exec: word.escape_debug().take(40).collect(),
                suggestion: infrakit_spi::suggest(word, Exec::NAMES.iter().copied()),
            })?;
            (left, exec)
        }
    };
    let (kind, name) = match left.split_once(':') {
        None => (left, default_name(left)),
        Some((_, "")) => return Err(empty("name behind `:`")),
        Some((kind, name)) => (kind, name),
    };
    if kind.is_empty() {
        return Err(empty("kind"));
    }
    let name = PluginName::new(name);
    name.check().map_err(|source| StartArgError::Name {
        arg: shown(),
        source,
    })?;
    Ok(StartArg {
        kind: kind.to_owned(),
        name,
        exec,
    })
}

fn default_name(kind: &str) -> &str {
    match kind {
        "manager" => "group",
        "group" => "group-stateless",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_form_and_fills_in_the_defaults() {
        for (arg, kind, name, exec) in [
            ("file", "file", "file", Exec::InProcess),
            ("manager", "manager", "group", Exec::InProcess),
            ("group", "group", "group-stateless", Exec::InProcess),
            ("group:mine", "group", "mine", Exec::InProcess),
            ("manager:m=os", "manager", "m", Exec::Os),
            ("vanilla=inproc", "vanilla", "vanilla", Exec::InProcess),
            (
                "selector/spread=os",
                "selector/spread",
                "selector/spread",
                Exec::Os,
            ),
            (
                "simulator:us-east/sim",
                "simulator",
                "us-east/sim",
                Exec::InProcess,
            ),
        ] {
            let want = StartArg {
                kind: kind.to_owned(),
                name: name.into(),
                exec,
            };
            assert_eq!(parse(arg), Ok(want), "{arg}");
        }
        assert_eq!(parse("selector/spread").unwrap().name.lookup(), "selector");
    }

    #[test]
    fn refuses_the_rest_in_one_line_that_names_it() {
        for (arg, want) in [
            ("", "has no kind"),
            (":x", "has no kind"),
            ("group:", "has no name behind `:`"),
            ("group=", "has no way to start"),
            ("group=oss", "did you mean `os`?"),
            ("group=docker", "use `inproc` or `os`"),
            ("group=os=os", "`os=os`"),
            ("group:..", "`group:..` is not usable"),
            ("group:a b", "is not usable"),
            ("group:a.pid", "is not usable"),
            ("a\nb", "a\\nb"),
        ] {
            let error = parse(arg).unwrap_err().to_string();
            assert!(error.contains(want) && !error.contains('\n'), "{error}");
        }
        assert!(parse(&"x".repeat(300)).unwrap_err().to_string().len() < 300);
    }
}
