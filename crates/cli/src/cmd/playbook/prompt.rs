//! Asking the person at the terminal, or reading answers from a pipe.

use std::io::{BufRead as _, BufReader, IsTerminal as _, Stdin, Write as _};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use infrakit_playbook::{Ask, Question};

use crate::error::one_line;

/// How long a program may take to answer. A person takes as long as it takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The standard input, as somebody who answers. Answers come one a line.
pub(super) struct StandardInput {
    input: Mutex<Option<BufReader<Stdin>>>,
    person: bool,
    patience: Duration,
}

impl StandardInput {
    pub(super) fn new() -> Self {
        let input = std::io::stdin();
        Self {
            person: input.is_terminal(),
            input: Mutex::new(Some(BufReader::new(input))),
            patience: PATIENCE,
        }
    }

    /// Reads a line; from a program only for a while.
    fn line(&self) -> Result<Option<String>, String> {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |error: std::io::Error| format!("failed to read the standard input: {error}");
        let Some(mut reader) = input.take() else {
            return Err("the standard input does not answer".to_owned());
        };
        if self.person {
            let mut line = String::new();
            let read = reader.read_line(&mut line).map_err(failed);
            *input = Some(reader);
            return read.map(|length| (length > 0).then_some(line));
        }
        let (sender, lines) = mpsc::channel();
        // A read cannot be given up, so its thread is left behind when it takes too long.
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = reader.read_line(&mut line);
            // Nobody may be waiting any more.
            let _ = sender.send((reader, read.map(|length| (length > 0).then_some(line))));
        });
        match lines.recv_timeout(self.patience) {
            Ok((reader, read)) => {
                *input = Some(reader);
                read.map_err(failed)
            }
            Err(_) => Err(format!(
                "the standard input is no terminal and gave no line within {:?}",
                self.patience
            )),
        }
    }
}

impl Ask for StandardInput {
    fn ask(&self, question: &Question<'_>) -> Result<Option<String>, String> {
        let default = match question.default {
            None | Some("") => String::new(),
            Some(default) => format!(" [{}]", one_line(default)),
        };
        let mut errors = std::io::stderr();
        // A closed stderr is no reason not to read the answer.
        let _ = write!(errors, "{}{default}: ", one_line(question.text));
        let _ = errors.flush();
        let answer = self.line();
        if !self.person {
            let _ = writeln!(errors);
        }
        answer
    }

    fn is_person(&self) -> bool {
        self.person
    }

    fn complain(&self, why: &str) {
        // The question is asked again anyway.
        let _ = writeln!(std::io::stderr(), "{}", one_line(why));
    }
}
