//! `infrakit version`.

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::out::{Format, OutputArgs};

/// Print the version of this program
///
/// Also says which interface versions it speaks with plugins.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit version -o json")]
pub(crate) struct VersionArgs {
    #[command(flatten)]
    output: OutputArgs,
}

/// Revision of the source, where the build knew it.
const REVISION: &str = match option_env!("INFRAKIT_REVISION") {
    Some(revision) => revision,
    None => "unspecified",
};

/// Prints the version as the daemons do.
pub(crate) fn print(context: &Context) -> Result {
    run(
        context,
        &VersionArgs {
            output: OutputArgs::default(),
        },
    )
}

/// Prints the version.
pub(crate) fn run(context: &Context, args: &VersionArgs) -> Result {
    let version = env!("CARGO_PKG_VERSION");
    let interfaces: Vec<String> = infrakit_spi::version::ALL
        .iter()
        .map(infrakit_spi::version::Interface::key)
        .collect();
    match args.output.format() {
        Format::Table => {
            for (label, value) in [
                ("Version", version),
                ("Revision", REVISION),
                ("Interfaces", &interfaces.join(", ")),
            ] {
                context.out.line(format!("{label:<24}:  {value}"))?;
            }
            Ok(())
        }
        format => context.out.document(
            &serde_json::json!({
                "Version": version, "Revision": REVISION, "Interfaces": interfaces,
            }),
            format,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing;

    #[test]
    fn prints_the_labels_of_the_original() {
        let (context, written) = testing::context(&[]);
        let args = VersionArgs {
            output: OutputArgs::default(),
        };
        run(&context, &args).unwrap();
        let text = written.text();
        assert!(text.starts_with("Version                 :  "), "{text}");
        assert!(text.contains("\nRevision                :  "), "{text}");
        assert!(text.contains("Instance/0.6.1"), "{text}");
    }
}
