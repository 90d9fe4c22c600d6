//! `infrakit remote`: the file that names other machines.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use clap::{Args, Subcommand};
use serde::{Deserialize, Deserializer, Serialize};

use crate::context::Context;
use crate::error::{CommandError, Result, did_you_mean};
use crate::out::table::Headings;
use crate::out::{Format, OutputArgs, yaml};

/// Manage remotes: the names of other machines that commands can go to
///
/// A remote is a name for one or more managers. Set INFRAKIT_HOST to such a name to send commands
/// there. The list is kept in $INFRAKIT_HOSTS_FILE.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit remote add swarm1 10.0.0.1:24864,10.0.0.2:24864\n  infrakit remote ls"
)]
pub(crate) struct RemoteArgs {
    #[command(subcommand)]
    command: RemoteCommand,
}

#[derive(Subcommand, Debug)]
enum RemoteCommand {
    /// List the remotes
    #[command(alias = "list", after_help = "Example:\n  infrakit remote ls -o yaml")]
    Ls(ListArgs),
    /// Add a remote, or replace its addresses
    #[command(
        visible_alias = "add",
        after_help = "Example:\n  infrakit remote set test1 10.0.0.1:24864"
    )]
    Set(SetArgs),
    /// Remove remotes
    #[command(after_help = "Example:\n  infrakit remote rm test1")]
    Rm(RemoveArgs),
    /// Print the remote that commands go to; an empty line for this machine
    #[command(after_help = "Example:\n  INFRAKIT_HOST=test1 infrakit remote current")]
    Current,
}

#[derive(Args, Debug)]
struct ListArgs {
    #[command(flatten)]
    output: OutputArgs,
    /// Leave out the headings
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Args, Debug)]
struct SetArgs {
    /// Name of the remote
    name: String,
    /// Addresses of its managers, host:port, separated by commas
    #[arg(value_name = "URLS")]
    urls: String,
    /// Address of an SSH server to tunnel through
    #[arg(long)]
    ssh_addr: Option<String>,
    /// User of the SSH server
    #[arg(long)]
    ssh_user: Option<String>,
}

#[derive(Args, Debug)]
struct RemoveArgs {
    /// Names of the remotes
    #[arg(required = true)]
    names: Vec<String>,
}

/// One entry of the file. Older files hold only the addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Remote {
    pub(crate) endpoints: String,
    #[serde(rename = "SSH")]
    pub(crate) ssh: String,
    pub(crate) user: String,
}

impl<'de> Deserialize<'de> for Remote {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let field = |name: &str| -> String {
            let found = value
                .as_object()
                .and_then(|map| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)));
            found
                .and_then(|(_, value)| value.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        if let Some(endpoints) = value.as_str() {
            return Ok(Self {
                endpoints: endpoints.to_owned(),
                ..Self::default()
            });
        }
        if !value.is_object() {
            return Err(serde::de::Error::custom(
                "a remote is its addresses, or a map with Endpoints",
            ));
        }
        Ok(Self {
            endpoints: field("Endpoints"),
            ssh: field("SSH"),
            user: field("User"),
        })
    }
}

/// The remotes by name.
pub(crate) type Remotes = BTreeMap<String, Remote>;

/// Reads the file with the remotes; an absent one is empty.
pub(crate) fn read(path: &Path) -> Result<Remotes> {
    let shown = path.display();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Remotes::new()),
        Err(error) => {
            return Err(CommandError::config(format!(
                "failed to read `{shown}`: {error}"
            )));
        }
    };
    if text.trim().is_empty() {
        return Ok(Remotes::new());
    }
    serde_saphyr::from_str(&text).map_err(|error| {
        CommandError::config(format!("`{shown}` is not a list of remotes: {error}"))
            .hint("each line is `name: host:port,host:port`")
    })
}

/// Writes the file at once or not at all.
fn write(path: &Path, remotes: &Remotes) -> Result {
    let failed = |error: std::io::Error| {
        CommandError::config(format!("failed to write `{}`: {error}", path.display()))
    };
    let value = serde_json::to_value(remotes).map_err(|error| {
        CommandError::internal(format!("failed to encode the remotes: {error}"))
    })?;
    let mut text = Vec::new();
    if !remotes.is_empty() {
        yaml::write(&mut text, &value)?;
    }
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(failed)?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .map_err(failed)?;
    let written = file
        .write_all(&text)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&temporary, path));
    written.map_err(|error| {
        // The failure itself is what matters; a left-over file is tried once.
        let _ = std::fs::remove_file(&temporary);
        failed(error)
    })
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &RemoteArgs) -> Result {
    let path = context.settings.hosts_file()?;
    match &args.command {
        RemoteCommand::Ls(args) => list(context, args, &read(&path)?),
        RemoteCommand::Set(args) => set(&path, args),
        RemoteCommand::Rm(args) => remove(&path, args),
        RemoteCommand::Current => context
            .out
            .line(context.settings.host()?.unwrap_or_default()),
    }
}

fn list(context: &Context, args: &ListArgs, remotes: &Remotes) -> Result {
    let headings = Headings::unless(args.quiet);
    let tunnels = remotes.values().any(|remote| !remote.ssh.is_empty());
    match args.output.format() {
        Format::Table if tunnels => {
            let rows: Vec<[Cow<'_, str>; 3]> = remotes
                .iter()
                .map(|(name, remote)| {
                    let tunnel = match (remote.user.as_str(), remote.ssh.as_str()) {
                        ("", ssh) => Cow::Borrowed(ssh),
                        (user, ssh) => Cow::Owned(format!("{user}@{ssh}")),
                    };
                    [
                        name.into(),
                        tunnel,
                        Cow::Borrowed(remote.endpoints.as_str()),
                    ]
                })
                .collect();
            let columns = ["HOST", "SSH TUNNEL", "URL LIST"];
            context.out.table(columns, headings, &rows)
        }
        Format::Table => {
            let rows: Vec<[Cow<'_, str>; 2]> = remotes
                .iter()
                .map(|(name, remote)| [name.into(), Cow::Borrowed(remote.endpoints.as_str())])
                .collect();
            context.out.table(["HOST", "URL LIST"], headings, &rows)
        }
        format => context.out.document(remotes, format),
    }
}

fn set(path: &Path, args: &SetArgs) -> Result {
    infrakit_spi::PluginName::from(args.name.as_str()).check()?;
    if args.name.contains('/') {
        return Err(CommandError::user(format!(
            "remote name `{}` is not usable: it contains a `/`",
            args.name
        )));
    }
    if crate::words::is_static(&args.name) {
        return Err(CommandError::user(format!(
            "`{}` is a command; a remote needs another name",
            args.name
        )));
    }
    for url in args.urls.split(',') {
        let address = url.split_once("://").map_or(url, |(_, rest)| rest);
        let port = address
            .trim_end_matches('/')
            .rsplit_once(':')
            .map(|(_, port)| port.parse::<u16>());
        if !matches!(port, Some(Ok(_))) {
            return Err(CommandError::user(format!("`{url}` is not an address"))
                .hint("write `host:port`, several separated by commas"));
        }
    }
    let mut remotes = read(path)?;
    let remote = Remote {
        endpoints: args.urls.clone(),
        ssh: args.ssh_addr.clone().unwrap_or_default(),
        user: args.ssh_user.clone().unwrap_or_default(),
    };
    remotes.insert(args.name.clone(), remote);
    write(path, &remotes)
}

fn remove(path: &Path, args: &RemoveArgs) -> Result {
    let mut remotes = read(path)?;
    for name in &args.names {
        if remotes.remove(name).is_none() {
            return Err(
                CommandError::config(format!("there is no remote `{name}`")).maybe_hint(
                    did_you_mean(name, remotes.keys().map(String::as_str))
                        .or_else(|| Some("`infrakit remote ls` lists them".to_owned())),
                ),
            );
        }
    }
    write(path, &remotes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing;

    fn set_args(name: &str, urls: &str, ssh: Option<&str>) -> SetArgs {
        SetArgs {
            name: name.to_owned(),
            urls: urls.to_owned(),
            ssh_addr: ssh.map(str::to_owned),
            ssh_user: ssh.map(|_| "ops".to_owned()),
        }
    }

    #[test]
    fn remotes_are_kept_in_the_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("sub/hosts");
        set(&path, &set_args("b", "10.0.0.2:1,10.0.0.3:1", None)).unwrap();
        set(&path, &set_args("a", "http://10.0.0.1:24864", None)).unwrap();
        let (context, written) = testing::context(&[]);
        let args = ListArgs {
            output: OutputArgs::default(),
            quiet: false,
        };
        list(&context, &args, &read(&path).unwrap()).unwrap();
        assert_eq!(
            written.text(),
            "HOST  URL LIST\na     http://10.0.0.1:24864\nb     10.0.0.2:1,10.0.0.3:1\n"
        );
        set(&path, &set_args("a", "10.0.0.1:1", Some("bastion:22"))).unwrap();
        let (context, written) = testing::context(&[]);
        list(&context, &args, &read(&path).unwrap()).unwrap();
        assert!(
            written.text().contains("ops@bastion:22"),
            "{}",
            written.text()
        );
        remove(
            &path,
            &RemoveArgs {
                names: vec!["a".into(), "b".into()],
            },
        )
        .unwrap();
        assert!(read(&path).unwrap().is_empty());
    }

    #[test]
    fn reads_both_forms_of_the_original() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("hosts");
        std::fs::write(
            &path,
            "old: h1:1,h2:2\nnew:\n  Endpoints: h3:3\n  SSH: \"\"\n  User: \"\"\n",
        )
        .unwrap();
        let remotes = read(&path).unwrap();
        assert_eq!(remotes["old"].endpoints, "h1:1,h2:2");
        assert_eq!(remotes["new"].endpoints, "h3:3");
    }

    #[test]
    fn wrong_input_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("hosts");
        for (name, urls) in [
            ("a", "nohost"),
            ("a/b", "h:1"),
            ("plugin", "h:1"),
            ("", "h:1"),
        ] {
            assert!(
                set(&path, &set_args(name, urls, None)).is_err(),
                "{name} {urls}"
            );
        }
        assert!(
            remove(
                &path,
                &RemoveArgs {
                    names: vec!["a".into()]
                }
            )
            .is_err()
        );
        assert!(!path.exists());
    }
}
