//! What every command is given: the environment, where results go, how calls are made.

use std::future::Future;
use std::io::{IsTerminal as _, Write as _};

use clap::Args;

use crate::error::{CommandError, Result, one_line};
use crate::out::Output;
use crate::settings::Settings;

// Flags that every command takes; all but the first are there for the sake of old scripts. (A doc
// comment here would become the description of the program.)
#[derive(Args, Clone, Debug)]
pub(crate) struct GlobalArgs {
    /// How much to log: 0 nothing, 1 and 2 errors, 3 warnings, 4 changes, 5 every step
    #[arg(long, global = true, value_name = "LEVEL", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=5))]
    pub(crate) log: u8,
    /// Log to the standard output
    #[arg(long, global = true, hide = true)]
    pub(crate) log_stdout: bool,
    /// Accepted, without effect
    #[arg(long, global = true, hide = true, num_args = 0..=1, default_missing_value = "true")]
    log_caller: Option<String>,
    /// Accepted, without effect
    #[arg(long, global = true, hide = true, num_args = 0..=1, default_missing_value = "true")]
    log_stack: Option<String>,
    /// Form of log lines: term, logfmt or json
    #[arg(long, global = true, hide = true, value_parser = ["term", "logfmt", "json"])]
    log_format: Option<String>,
}

impl GlobalArgs {
    /// Flags among these that take a value behind a space, for whoever skips them unparsed.
    pub(crate) const WITH_VALUE: [&'static str; 2] = ["--log", "--log-format"];
}

/// What every command is given.
pub(crate) struct Context {
    /// The environment.
    pub(crate) settings: Settings,
    /// Where results go.
    pub(crate) out: Output,
    /// Whether colour is welcome on stderr.
    pub(crate) error_color: bool,
}

impl Context {
    /// Makes the context of this process.
    pub(crate) fn new(settings: Settings) -> Self {
        let no_color = settings.no_color();
        Self {
            out: Output::stdout(no_color),
            error_color: std::io::stderr().is_terminal() && !no_color,
            settings,
        }
    }

    /// Tells the person, not the program that reads our output; after what was written so far.
    pub(crate) fn note(&self, text: &str) {
        // Whether that is read is found out at the end.
        let _ = self.out.flush();
        // A closed stderr is no reason to stop.
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// Warns on one line; the command goes on.
    pub(crate) fn warn(&self, text: &str) {
        let (yellow, reset) = if self.error_color {
            ("\x1b[33m", "\x1b[0m")
        } else {
            ("", "")
        };
        self.note(&format!("{yellow}warning:{reset} {}", one_line(text)));
    }

    /// Runs `work` to its end on this thread.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        runtime()?.block_on(work)
    }
}

/// Makes the runtime of a command: one thread, started only by commands that call plugins.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::internal(format!("failed to start the runtime: {error}")))
}

/// Sends log lines to stderr, or where the flags say.
pub(crate) fn start_logging(flags: &GlobalArgs, color: bool) {
    use tracing_subscriber::filter::LevelFilter;
    let level = match flags.log {
        0 => return,
        1 | 2 => LevelFilter::ERROR,
        3 => LevelFilter::WARN,
        4 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(color);
    // A second subscriber in one process is refused; the first one stays, which is as good.
    let _ = if flags.log_stdout {
        builder.with_writer(std::io::stdout).try_init()
    } else {
        builder.with_writer(std::io::stderr).try_init()
    };
}

#[cfg(test)]
pub(crate) mod testing {
    //! A context that keeps what is written.

    use std::cell::RefCell;
    use std::ffi::OsString;
    use std::io::{self, Write};
    use std::rc::Rc;

    use super::*;

    /// What was written so far.
    #[derive(Clone, Default)]
    pub(crate) struct Written(Rc<RefCell<Vec<u8>>>);

    impl Written {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Returns a context with these environment variables only.
    pub(crate) fn context(variables: &[(&str, &str)]) -> (Context, Written) {
        let variables: Vec<(String, OsString)> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), OsString::from(value)))
            .collect();
        let written = Written::default();
        let context = Context {
            settings: Settings::new(move |name| {
                variables
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.clone())
            }),
            out: Output::into(written.clone()),
            error_color: false,
        };
        (context, written)
    }
}
