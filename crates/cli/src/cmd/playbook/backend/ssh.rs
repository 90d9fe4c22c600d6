//! `ssh`: the script is the input of /bin/sh on other machines, all at once, through the `ssh` of
//! this machine, with its configuration, its keys and its agent.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use infrakit_playbook::Setting;

use super::Job;
use super::shell::arguments;
use crate::context::Context;
use crate::error::{CommandError, Result, one_line};

/// How long a machine may take to be reached, in seconds.
const CONNECT: u32 = 10;

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    shown: String,
    name: String,
    port: Option<u16>,
}

/// Runs the script on every machine. Fails when it failed on any.
pub(super) fn run(context: &Context, job: &Job<'_>) -> Result {
    if job
        .flag("password")
        .is_some_and(|password| !password.is_empty())
    {
        return Err(
            CommandError::user("--password is not supported: ssh would not take it")
                .hint("use --keyfile, or an agent (SSH_AUTH_SOCK)"),
        );
    }
    let hosts = hosts(job)?;
    let options = options(job)?;
    let words = arguments(&[], job.arguments);
    // The other side splits its command line again.
    let remote: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let remote = format!("/bin/sh {}", remote.join(" "));
    if job.test {
        for host in &hosts {
            let line = line(host, &options, &remote).join(" ");
            context.note(&format!("would run ssh {line}"));
        }
        return context.out.line(job.script);
    }
    context.out.flush()?;
    let prefixed = hosts.len() > 1;
    let lock = Arc::new(Mutex::new(()));
    let failures: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = hosts
            .iter()
            .map(|host| {
                let line = line(host, &options, &remote);
                let lock = Arc::clone(&lock);
                let prefix = prefixed.then(|| format!("{}: ", host.shown));
                scope.spawn(move || on_one(&line, job.script, prefix.as_deref(), &lock))
            })
            .collect();
        hosts
            .iter()
            .zip(running)
            .filter_map(|(host, running)| {
                let ended = running
                    .join()
                    .unwrap_or_else(|_| Err("it was not run".to_owned()));
                ended.err().map(|why| format!("{}: {why}", host.shown))
            })
            .collect()
    });
    if failures.is_empty() {
        return Ok(());
    }
    for failure in &failures {
        context.warn(failure);
    }
    Err(CommandError::remote(format!(
        "the script of `{}` failed on {} of {}",
        job.path,
        failures.len(),
        super::super::add::counted(hosts.len(), "machine")
    )))
}

fn hosts(job: &Job<'_>) -> Result<Vec<Host>> {
    let given = match job.given.get("hostport") {
        Some(Setting::Many(hosts)) => hosts.clone(),
        Some(other) => vec![other.to_string()],
        None => vec!["localhost".to_owned()],
    };
    given
        .iter()
        .flat_map(|hosts| hosts.split(','))
        .map(str::trim)
        .filter(|host| !host.is_empty())
        .map(host)
        .collect()
}

fn host(text: &str) -> Result<Host> {
    let wrong = || {
        CommandError::user(format!("`{}` is no machine", text.escape_debug()))
            .hint("write `host`, `host:port` or `[address]:port`")
    };
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (name, rest) = rest.split_once(']').ok_or_else(wrong)?;
            (name, rest.strip_prefix(':').filter(|port| !port.is_empty()))
        }
        None => match text.rsplit_once(':') {
            // An address of IPv6 has more than one colon.
            Some((name, port)) if !name.contains(':') => (name, Some(port)),
            _ => (text, None),
        },
    };
    let port = port
        .map(|port| port.parse().map_err(|_| wrong()))
        .transpose()?;
    let odd = |c: char| c.is_whitespace() || c.is_control();
    if name.is_empty() || name.starts_with('-') || name.contains(odd) {
        return Err(wrong());
    }
    Ok(Host {
        shown: text.to_owned(),
        name: name.to_owned(),
        port,
    })
}

/// Returns the options of ssh that are the same for all machines.
fn options(job: &Job<'_>) -> Result<Vec<String>> {
    let mut options: Vec<String> = ["-o", "BatchMode=yes", "-o"].map(str::to_owned).to_vec();
    options.push(format!("ConnectTimeout={CONNECT}"));
    let mut user = job.flag("user").filter(|user| !user.is_empty());
    if let Some(keyfile) = job.flag("keyfile").filter(|keyfile| !keyfile.is_empty()) {
        let (path, named) = match keyfile.rsplit_once(':') {
            Some((path, named)) if !named.contains('/') => (path.to_owned(), Some(named)),
            _ => (keyfile.clone(), None),
        };
        user = user.or_else(|| named.map(str::to_owned));
        if !std::path::Path::new(&path).is_file() {
            return Err(CommandError::user(format!("there is no key file `{path}`")));
        }
        options.extend([
            "-o".to_owned(),
            "IdentitiesOnly=yes".to_owned(),
            "-i".to_owned(),
            path,
        ]);
    }
    if let Some(user) = user {
        options.extend(["-l".to_owned(), user]);
    }
    Ok(options)
}

fn line(host: &Host, options: &[String], remote: &str) -> Vec<String> {
    let mut line = options.to_vec();
    if let Some(port) = host.port {
        line.extend(["-p".to_owned(), port.to_string()]);
    }
    line.extend(["--".to_owned(), host.name.clone(), remote.to_owned()]);
    line
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Runs the script on one machine; what it prints is passed on, line by line where there is a
/// prefix.
fn on_one(
    line: &[String],
    script: &str,
    prefix: Option<&str>,
    lock: &Mutex<()>,
) -> std::result::Result<(), String> {
    let mut command = Command::new("ssh");
    command.args(line).stdin(Stdio::piped());
    if prefix.is_some() {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
    }
    let mut child: Child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no `ssh` in PATH; install OpenSSH".to_owned(),
        _ => format!("failed to run `ssh`: {error}"),
    })?;
    let input = child.stdin.take();
    let (out, errors) = (child.stdout.take(), child.stderr.take());
    let status = std::thread::scope(|scope| {
        if let Some(mut input) = input {
            scope.spawn(move || {
                // A script may end before it was read to its end; its exit code says the rest.
                let _ = input.write_all(script.as_bytes());
            });
        }
        let prefix = prefix.unwrap_or_default();
        if let Some(out) = out {
            scope.spawn(move || pass(out, prefix, lock, &mut std::io::stdout()));
        }
        if let Some(errors) = errors {
            scope.spawn(move || pass(errors, prefix, lock, &mut std::io::stderr()));
        }
        child.wait()
    });
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) if status.code() == Some(255) => {
            Err("ssh failed, or the script ended with 255".to_owned())
        }
        Ok(status) => Err(match status.code() {
            Some(code) => format!("the script ended with exit code {code}"),
            None => "ssh was ended by a signal".to_owned(),
        }),
        Err(error) => Err(format!("failed to wait for `ssh`: {error}")),
    }
}

/// Passes lines on, each whole.
fn pass(from: impl Read, prefix: &str, lock: &Mutex<()>, to: &mut dyn std::io::Write) {
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while reader
        .read_until(b'\n', &mut line)
        .is_ok_and(|length| length > 0)
    {
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        let text = one_line(&String::from_utf8_lossy(&line));
        let turn = lock.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody may be reading any more; the script goes on.
        let _ = writeln!(to, "{prefix}{text}");
        drop(turn);
        line.clear();
    }
    let _ = to.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_read_with_and_without_port() {
        for (text, name, port) in [
            ("a", "a", None),
            ("10.0.0.1:2222", "10.0.0.1", Some(2222)),
            ("::1", "::1", None),
            ("[::1]:22", "::1", Some(22)),
            ("[::1]", "::1", None),
        ] {
            let host = host(text).unwrap();
            assert_eq!((host.name.as_str(), host.port), (name, port), "{text}");
        }
        for text in [
            "-oProxyCommand=x",
            "a:port",
            "a:70000",
            ":22",
            "[::1",
            "a b",
        ] {
            assert!(host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn words_survive_the_second_shell() {
        assert_eq!(quoted("a.b-c"), "a.b-c");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
