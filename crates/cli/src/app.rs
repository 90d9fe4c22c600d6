//! From the words of the command line to the command: static ones without touching a socket,
//! all others by asking the plugin that they name.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use crate::cmd;
use crate::context::Context;
use crate::dynamic;
use crate::error::Result;
use crate::fixed::{self, root};
use crate::names;
use crate::settings::Settings;
use crate::usage::usage;
use crate::words::{LOCAL, SHORT, is_static, word};

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    let context = Context::new(Settings::from_environment());
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let result = run(&context, arguments).and_then(|()| context.out.flush());
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    // What was printed before the failure belongs to the reader; a second failure changes nothing.
    let _ = context.out.flush();
    if let Some(text) = error.render(context.error_color) {
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
    error.exit_code()
}

pub(crate) fn run(context: &Context, mut arguments: Vec<OsString>) -> Result {
    if context.settings.completing() {
        clap_complete::CompleteEnv::with_factory(|| dynamic::whole(context))
            .bin("infrakit")
            .complete();
    }
    if let Some(daemon) = arguments.first().and_then(|program| names::daemon(program)) {
        return names::run(context, daemon, arguments);
    }
    let Some(first) = word(&arguments, 1) else {
        return bare(context, &arguments);
    };
    if let Some(rewritten) = oldest_style(&arguments, first) {
        return run(context, rewritten);
    }
    let name = arguments[first].to_string_lossy().into_owned();
    if cmd::playbook::is_invocation(&arguments, first) {
        return cmd::playbook::invoke(context, arguments, first);
    }
    if name == "help" {
        if let Some(topic) = word(&arguments, first + 1)
            && arguments[topic] != "env"
        {
            arguments.remove(first);
            arguments.push("--help".into());
            return run(context, arguments);
        }
        if word(&arguments, first + 1).is_none() && !asks_for_help(&arguments) {
            return dynamic::print_help(context);
        }
    }
    if SHORT.contains(&&*name) {
        arguments.insert(first, "group".into());
        return dynamic::object(context, arguments, None);
    }
    if name == LOCAL || context.settings.host()?.is_some_and(|host| host == name) {
        return dynamic::object(context, arguments, Some(first));
    }
    if is_static(&name) {
        return fixed::run(context, arguments);
    }
    dynamic::object(context, arguments, None)
}

/// Rewrites the oldest style, `instance --name X describe`, to `local X describe`.
fn oldest_style(arguments: &[OsString], first: usize) -> Option<Vec<OsString>> {
    let word = arguments.get(first)?.to_str()?;
    if !["flavor", "group", "info", "instance"].contains(&word) {
        return None;
    }
    let flag = arguments.get(first + 1)?.to_str()?;
    let (plugin, rest) = match flag.strip_prefix("--name")? {
        "" => (arguments.get(first + 2)?.clone(), first + 3),
        value => (value.strip_prefix('=')?.into(), first + 2),
    };
    let mut rewritten = arguments[..first].to_vec();
    rewritten.extend([LOCAL.into(), plugin]);
    if word == "info" {
        rewritten.push(word.into());
    }
    rewritten.extend_from_slice(arguments.get(rest..)?);
    Some(rewritten)
}

/// Runs without a command: asks for help, or for the version.
fn bare(context: &Context, arguments: &[OsString]) -> Result {
    if arguments
        .iter()
        .any(|argument| argument == "--version" || argument == "-V")
    {
        return context
            .out
            .line(format!("infrakit {}", env!("CARGO_PKG_VERSION")));
    }
    let known = [
        "-h",
        "--help",
        "--log-stdout",
        "--log-caller",
        "--log-stack",
    ];
    let odd = arguments.iter().skip(1).find(|argument| {
        let text = argument.to_string_lossy();
        text.starts_with('-') && !known.contains(&&*text) && !text.starts_with("--log")
    });
    if odd.is_some() {
        // The parser says it best.
        root().try_get_matches_from(arguments).map_err(usage)?;
    }
    dynamic::print_help(context)
}

fn asks_for_help(arguments: &[OsString]) -> bool {
    arguments
        .iter()
        .any(|argument| argument == "-h" || argument == "--help")
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;
    use crate::context::testing;
    use crate::words::STATIC;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn ran(line: &str) -> (Result, String) {
        let (context, written) = testing::context(&[("HOME", "/nonexistent")]);
        let result = run(&context, words(line));
        (result, written.text())
    }

    #[test]
    fn the_command_line_definition_is_sound() {
        root().debug_assert();
        let mut names: Vec<String> = root()
            .get_subcommands()
            .map(|command| command.get_name().to_owned())
            .collect();
        names.push(LOCAL.to_owned());
        names.sort();
        assert_eq!(names, STATIC);
    }

    #[test]
    fn words_are_found_behind_global_flags() {
        assert_eq!(
            word(&words("infrakit --log 5 --log-stdout group ls"), 1),
            Some(4)
        );
        assert_eq!(word(&words("infrakit --log=5 group"), 1), Some(2));
        assert_eq!(word(&words("infrakit -h"), 1), None);
    }

    #[test]
    fn the_oldest_style_is_rewritten() {
        for (line, want) in [
            (
                "infrakit instance --name x describe -q",
                Some("infrakit local x describe -q"),
            ),
            (
                "infrakit --log 5 group --name=g ls",
                Some("infrakit --log 5 local g ls"),
            ),
            (
                "infrakit info --name x api",
                Some("infrakit local x info api"),
            ),
            ("infrakit group ls --name", None),
            ("infrakit group --name", None),
        ] {
            let arguments = words(line);
            let first = word(&arguments, 1).unwrap();
            assert_eq!(oldest_style(&arguments, first), want.map(words), "{line}");
        }
    }

    #[test]
    fn every_static_command_explains_itself_with_an_example() {
        fn check(command: &mut Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} has no description");
            let help = command.render_long_help().to_string();
            let leaf = command.get_subcommands().next().is_none();
            assert!(
                !leaf || help.contains("Example:"),
                "{path} has no example:\n{help}"
            );
            for command in command.get_subcommands_mut() {
                check(command, &path);
            }
        }
        for command in root().get_subcommands_mut() {
            check(command, "infrakit");
        }
    }

    #[test]
    fn help_of_a_command_goes_to_the_output_in_three_ways() {
        for line in [
            "infrakit plugin start --help",
            "infrakit plugin start -h",
            "infrakit help plugin start",
        ] {
            let (result, text) = ran(line);
            result.unwrap();
            assert!(
                text.contains("Usage: infrakit plugin start"),
                "{line}: {text}"
            );
        }
    }

    #[test]
    fn a_wrong_flag_or_verb_is_one_line_with_a_tip() {
        for (line, message, tip) in [
            (
                "infrakit version --outputt json",
                "unexpected argument `--outputt` found",
                "`--output`",
            ),
            ("infrakit plugin lss", "unrecognized command `lss`", "`ls`"),
            (
                "infrakit remote rm",
                "required arguments were not provided: <NAMES>...",
                "usage: ",
            ),
            (
                "infrakit --nosuch",
                "unexpected argument `--nosuch` found",
                "",
            ),
        ] {
            let (result, text) = ran(line);
            let error = result.unwrap_err();
            assert_eq!(text, "", "{line}");
            assert!(error.message().contains(message), "{line}: {error}");
            assert!(
                error.render(false).unwrap().contains(tip),
                "{line}: {error:?}"
            );
            assert_eq!(
                format!("{:?}", error.exit_code()),
                format!("{:?}", ExitCode::from(2))
            );
        }
    }

    #[test]
    fn an_unknown_command_is_answered_with_the_closest() {
        let (result, _) = ran("infrakit verison");
        let error = result.unwrap_err().render(false).unwrap();
        assert!(
            error.contains("`verison`") && error.contains("did you mean `version`?"),
            "{error}"
        );
    }

    #[test]
    fn the_program_says_what_it_is_for() {
        let about = root().get_about().unwrap().to_string();
        assert_eq!(about, "Keeps groups of instances as they are specified");
    }

    #[test]
    fn version_and_help_need_no_home() {
        let (context, written) = testing::context(&[]);
        run(&context, words("infrakit version")).unwrap();
        run(&context, words("infrakit help env")).unwrap();
        run(&context, words("infrakit -V")).unwrap();
        assert!(written.text().contains("INFRAKIT_HOME"));
    }
}
