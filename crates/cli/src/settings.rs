//! Everything that the environment decides. No other file reads an environment variable.

mod variables;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use infrakit_spi::{GoDuration, Tags};

use crate::error::{CommandError, Result};

pub(crate) use variables::VARIABLES;

/// Looks up an environment variable.
type Lookup = Box<dyn Fn(&str) -> Option<OsString>>;

/// The environment, read when it is asked for, so that a wrong value harms only who needs it.
pub(crate) struct Settings {
    lookup: Lookup,
    everything: fn() -> BTreeMap<String, String>,
}

impl Settings {
    /// Reads the environment of this process.
    pub(crate) fn from_environment() -> Self {
        Self {
            lookup: Box::new(|name| std::env::var_os(name)),
            everything: || {
                let text = |value: OsString| value.into_string().ok();
                std::env::vars_os()
                    .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
                    .collect()
            },
        }
    }

    /// Reads from `lookup` instead of the environment.
    #[cfg(test)]
    pub(crate) fn new(lookup: impl Fn(&str) -> Option<OsString> + 'static) -> Self {
        Self {
            lookup: Box::new(lookup),
            everything: BTreeMap::new,
        }
    }

    /// Returns these settings with everything of InfraKit's own below `home` and at its default.
    pub(crate) fn at_home(&self, home: &Path) -> Self {
        let variables: BTreeMap<&'static str, Option<OsString>> =
            ["HOME", "TMPDIR", "NO_COLOR", "TERM"]
                .into_iter()
                .map(|name| (name, self.raw(name)))
                .collect();
        let home = home.to_owned();
        Self {
            lookup: Box::new(move |name| match name {
                "INFRAKIT_HOME" => Some(home.clone().into()),
                "INFRAKIT_INSTANCE_FILE_DIR" => Some(home.join("instances").into()),
                _ => variables.get(name).cloned().flatten(),
            }),
            everything: BTreeMap::new,
        }
    }

    /// Returns the whole environment, for the templates of the person at the keyboard.
    pub(crate) fn everything(&self) -> BTreeMap<String, String> {
        (self.everything)()
    }

    /// Returns the value of a variable; an empty one counts as absent.
    fn raw(&self, name: &str) -> Option<OsString> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Result<Option<String>> {
        self.raw(name)
            .map(|value| {
                value
                    .into_string()
                    .map_err(|_| CommandError::config(format!("`{name}` is not valid UTF-8")))
            })
            .transpose()
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.raw(name).map(PathBuf::from)
    }

    fn duration(&self, name: &str, default: Duration) -> Result<Duration> {
        let Some(text) = self.text(name)? else {
            return Ok(default);
        };
        let parsed: GoDuration = text
            .parse()
            .map_err(|error| CommandError::config(format!("`{name}` is wrong: {error}")))?;
        Ok(parsed.0)
    }

    fn number(&self, name: &str, default: u64) -> Result<u64> {
        let Some(text) = self.text(name)? else {
            return Ok(default);
        };
        text.trim().parse().map_err(|_| {
            CommandError::config(format!("`{name}` is wrong: `{text}` is not a whole number"))
                .hint(format!("unset it for the default, {default}"))
        })
    }

    fn list(&self, name: &str) -> Result<Option<Vec<String>>> {
        Ok(self.text(name)?.map(|text| {
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        }))
    }

    fn truth(&self, name: &str, default: bool) -> bool {
        match self.raw(name).and_then(|value| value.into_string().ok()) {
            Some(text) => !matches!(
                text.to_ascii_lowercase().as_str(),
                "0" | "f" | "false" | "no" | "off"
            ),
            None => default,
        }
    }

    /// Returns the base of everything: `$INFRAKIT_HOME`, else `~/.infrakit`.
    ///
    /// # Errors
    /// When neither it nor the home directory is known.
    pub(crate) fn home(&self) -> Result<PathBuf> {
        if let Some(home) = self.path("INFRAKIT_HOME") {
            return Ok(home);
        }
        let user = self.path("HOME").ok_or_else(|| {
            CommandError::config("there is no place for sockets and files: `HOME` is not set")
                .hint("set INFRAKIT_HOME to a directory of your own")
        })?;
        Ok(user.join(".infrakit"))
    }

    fn below_home(&self, name: &str, file: &str) -> Result<PathBuf> {
        match self.path(name) {
            Some(path) => Ok(path),
            None => Ok(self.home()?.join(file)),
        }
    }

    /// Returns the directory of the sockets.
    pub(crate) fn plugins_dir(&self) -> Result<PathBuf> {
        self.below_home("INFRAKIT_PLUGINS_DIR", "plugins")
    }

    /// Returns the name of the remote that commands go to, if it is not this machine.
    pub(crate) fn host(&self) -> Result<Option<String>> {
        Ok(self.text("INFRAKIT_HOST")?.filter(|host| host != "local"))
    }

    /// Returns the file with what the operator says of plugins.
    pub(crate) fn overrides_file(&self) -> Result<PathBuf> {
        Ok(self.home()?.join("plugins.yml"))
    }

    /// Returns the file with the remotes.
    pub(crate) fn hosts_file(&self) -> Result<PathBuf> {
        self.below_home("INFRAKIT_HOSTS_FILE", "hosts")
    }

    /// Returns the file with the playbooks.
    pub(crate) fn playbooks_file(&self) -> Result<PathBuf> {
        self.below_home("INFRAKIT_PLAYBOOKS_FILE", "playbooks.yml")
    }

    /// Returns the file that v0.5 kept the playbooks in, unless another one was chosen.
    pub(crate) fn older_playbooks_file(&self) -> Result<Option<PathBuf>> {
        match self.path("INFRAKIT_PLAYBOOKS_FILE") {
            Some(_) => Ok(None),
            None => Ok(Some(self.home()?.join("playbooks"))),
        }
    }

    /// Returns where copies of playbooks are kept.
    pub(crate) fn playbooks_cache(&self) -> Result<PathBuf> {
        self.below_home("INFRAKIT_PLAYBOOKS_CACHE", "playbook-cache")
    }

    /// Returns where what was seen of signed repositories is remembered.
    pub(crate) fn playbooks_trust(&self) -> Result<PathBuf> {
        Ok(self.home()?.join("playbook-trust"))
    }

    /// Returns whether to say what went wrong while the flags of a playbook were looked for.
    pub(crate) fn callable_warnings(&self) -> bool {
        self.truth("INFRAKIT_CALLABLE_WARNINGS", false)
    }

    /// Returns how long a call may take.
    pub(crate) fn client_timeout(&self) -> Result<Duration> {
        let timeout = self.duration("INFRAKIT_CLIENT_TIMEOUT", Duration::from_secs(15))?;
        if timeout.is_zero() {
            return Err(CommandError::config(
                "`INFRAKIT_CLIENT_TIMEOUT` is wrong: a call needs some time",
            ));
        }
        Ok(timeout)
    }

    /// Returns whether plugins become commands.
    pub(crate) fn dynamic(&self) -> bool {
        self.truth("INFRAKIT_DYNAMIC_CLI", true)
    }

    /// Returns whether colour is unwanted: `NO_COLOR` set to anything, or a dumb terminal.
    pub(crate) fn no_color(&self) -> bool {
        self.raw("NO_COLOR").is_some() || self.raw("TERM").is_some_and(|term| term == "dumb")
    }

    /// Returns whether the shell asks for completions.
    pub(crate) fn completing(&self) -> bool {
        self.raw("COMPLETE").is_some()
    }

    /// Returns how often a group looks at its instances.
    pub(crate) fn group_poll_interval(&self) -> Result<Duration> {
        self.duration("INFRAKIT_GROUP_POLL_INTERVAL", Duration::from_secs(10))
    }

    /// Returns how many instances a group changes at a time; 0 is no limit.
    pub(crate) fn group_max_parallel(&self) -> Result<u64> {
        self.number("INFRAKIT_GROUP_MAX_PARALLEL_NUM", 0)
    }

    /// Returns how many creations a minute one instance plugin gets; 0 is no limit.
    pub(crate) fn group_creates(&self) -> Result<u64> {
        self.number("INFRAKIT_GROUP_CREATES_PER_MINUTE", 0)
    }

    /// Returns how many destructions a minute one instance plugin gets; 0 is no limit.
    pub(crate) fn group_destroys(&self) -> Result<u64> {
        self.number("INFRAKIT_GROUP_DESTROYS_PER_MINUTE", 0)
    }

    /// Returns how many instances any one group may have; 0 is no limit.
    pub(crate) fn group_max_instances(&self) -> Result<u64> {
        self.number("INFRAKIT_GROUP_MAX_INSTANCES", 0)
    }

    /// Returns the logical id of the machine that runs the group, which is destroyed last.
    pub(crate) fn group_self(&self) -> Result<Option<String>> {
        self.text("INFRAKIT_GROUP_SELF_LOGICAL_ID")
    }

    /// Returns where specs are stored.
    pub(crate) fn store_dir(&self) -> Result<PathBuf> {
        self.below_home("INFRAKIT_STORE_DIR", "configs")
    }

    /// Returns the kind of store and leadership of the manager.
    pub(crate) fn manager_backend(&self) -> Result<String> {
        Ok(self
            .text("INFRAKIT_MANAGER_BACKEND")?
            .unwrap_or_else(|| "file".to_owned()))
    }

    /// Returns where the file plugin keeps its instances.
    pub(crate) fn instance_file_dir(&self) -> PathBuf {
        self.path("INFRAKIT_INSTANCE_FILE_DIR")
            .unwrap_or_else(|| self.temporary_dir())
    }

    /// Returns the directory for temporary files.
    pub(crate) fn temporary_dir(&self) -> PathBuf {
        self.path("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"))
    }

    /// Returns whether the simulator keeps its instances in files. The original read a variable
    /// named `mem`; a sane name is read as well, and wins.
    pub(crate) fn simulator_store(&self) -> Result<String> {
        let store = match self.text("INFRAKIT_SIMULATOR_STORE")? {
            Some(store) => store,
            None => self.text("mem")?.unwrap_or_else(|| "mem".to_owned()),
        };
        if store != "mem" && store != "file" {
            return Err(CommandError::config(format!(
                "`INFRAKIT_SIMULATOR_STORE` is wrong: `{store}` is neither `mem` nor `file`"
            )));
        }
        Ok(store)
    }

    /// Returns where the simulator keeps its instances, when it does.
    pub(crate) fn simulator_dir(&self) -> Result<PathBuf> {
        self.below_home("INFRAKIT_SIMULATOR_DIR", "simulator")
    }

    /// Returns the types of instances that the simulator offers.
    pub(crate) fn simulator_types(&self) -> Result<Vec<String>> {
        Ok(self
            .list("INFRAKIT_SIMULATOR_INSTANCE_TYPES")?
            .unwrap_or_else(|| ["compute", "net", "disk"].map(str::to_owned).to_vec()))
    }

    /// Returns the load balancers that the simulator offers.
    pub(crate) fn simulator_l4_names(&self) -> Result<Vec<String>> {
        Ok(self
            .list("INFRAKIT_SIMULATOR_L4_NAMES")?
            .unwrap_or_else(|| ["lb1", "lb2", "lb3"].map(str::to_owned).to_vec()))
    }

    /// Returns the delays of the simulator: before the start, of a list, of a creation.
    pub(crate) fn simulator_delays(&self) -> Result<[Duration; 3]> {
        Ok([
            self.duration("INFRAKIT_SIMULATOR_START_DELAY", Duration::ZERO)?,
            self.duration("INFRAKIT_SIMULATOR_DESCRIBE_DELAY", Duration::ZERO)?,
            self.duration("INFRAKIT_SIMULATOR_PROVISION_DELAY", Duration::ZERO)?,
        ])
    }

    /// Returns the value of a variable for `help env`: what is in force now.
    pub(crate) fn shown(&self, name: &str) -> Option<String> {
        self.raw(name)
            .map(|value| value.to_string_lossy().into_owned())
    }
}

/// Reads a list of `key=value` pairs, as flags give them. A bare `key` has an empty value.
pub(crate) fn pairs(parts: &[String]) -> Result<Tags> {
    let mut tags = Tags::new();
    for part in parts.iter().flat_map(|part| part.split(',')) {
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        if key.is_empty() {
            return Err(CommandError::user(format!("`{part}` has no key"))
                .hint("write tags as `key=value`"));
        }
        tags.insert(key.trim().to_owned(), value.trim().to_owned());
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &'static [(&'static str, &'static str)]) -> Settings {
        Settings::new(move |name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_more_special_variable_wins() {
        let all = settings(&[
            ("HOME", "/h"),
            ("INFRAKIT_HOME", "/k"),
            ("INFRAKIT_PLUGINS_DIR", "/p"),
        ]);
        assert_eq!(all.plugins_dir().unwrap(), PathBuf::from("/p"));
        assert_eq!(all.hosts_file().unwrap(), PathBuf::from("/k/hosts"));
        let home = settings(&[("HOME", "/h")]);
        assert_eq!(
            home.plugins_dir().unwrap(),
            PathBuf::from("/h/.infrakit/plugins")
        );
        assert_eq!(
            home.hosts_file().unwrap(),
            PathBuf::from("/h/.infrakit/hosts")
        );
        assert!(settings(&[]).home().is_err());
    }

    #[test]
    fn a_wrong_value_is_named_and_harms_only_who_needs_it() {
        let wrong = settings(&[
            ("HOME", "/h"),
            ("INFRAKIT_CLIENT_TIMEOUT", "soon"),
            ("INFRAKIT_GROUP_MAX_PARALLEL_NUM", "-1"),
            ("INFRAKIT_GROUP_CREATES_PER_MINUTE", "many"),
        ]);
        let error = wrong.client_timeout().unwrap_err().to_string();
        assert!(
            error.contains("INFRAKIT_CLIENT_TIMEOUT") && error.contains("`soon`"),
            "{error}"
        );
        assert!(wrong.group_max_parallel().is_err() && wrong.group_creates().is_err());
        assert_eq!(wrong.group_destroys().unwrap(), 0);
        assert!(wrong.group_poll_interval().is_ok());
    }

    #[test]
    fn an_empty_variable_is_absent() {
        let empty = settings(&[("INFRAKIT_HOST", ""), ("NO_COLOR", ""), ("HOME", "/h")]);
        assert_eq!(empty.host().unwrap(), None);
        assert!(!empty.no_color());
        assert!(settings(&[("NO_COLOR", "1")]).no_color());
        assert!(settings(&[("TERM", "dumb")]).no_color());
    }

    #[test]
    fn pairs_are_read_from_flags_and_comma_lists() {
        let given = ["a=1,b=2".to_owned(), "c".to_owned()];
        let tags = pairs(&given).unwrap();
        assert_eq!(tags.len(), 3);
        assert_eq!(tags["c"], "");
        assert!(pairs(&["=x".to_owned()]).is_err());
    }

    #[test]
    fn every_listed_variable_is_unique() {
        let mut names: Vec<_> = VARIABLES.iter().map(|variable| variable.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), VARIABLES.len());
    }
}
