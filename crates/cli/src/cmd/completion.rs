//! `infrakit completion`: the script that lets a shell complete commands, plugins and groups.

use clap::{Args, ValueEnum};
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use crate::context::Context;
use crate::error::Result;

/// Print the script that makes a shell complete commands
///
/// The script asks `infrakit` itself at each completion, so that it always knows the plugins that
/// are running, what they can do, and which groups there are.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  source <(infrakit completion bash)\n  infrakit completion fish > ~/.config/fish/completions/infrakit.fish"
)]
pub(crate) struct CompletionArgs {
    /// Shell to complete for
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script.
pub(crate) fn run(context: &Context, args: &CompletionArgs) -> Result {
    let completer: &dyn EnvCompleter = match args.shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
    };
    context.out.with(|out| {
        completer.write_registration("COMPLETE", "infrakit", "infrakit", "infrakit", out)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing;

    #[test]
    fn scripts_call_back_for_each_completion() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let (context, written) = testing::context(&[]);
            run(&context, &CompletionArgs { shell }).unwrap();
            let text = written.text();
            assert!(
                text.contains("COMPLETE") && text.contains("infrakit"),
                "{text}"
            );
        }
    }
}
