//! The stage of the show: a temporary home, the plugins in it, and what can be done to them.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use infrakit_spi::group::GroupSpec;
use infrakit_spi::instance::{InstanceSpec, wire};
use infrakit_spi::{Any, GroupId, Tags};
use serde_json::json;

use crate::compose::{self, Running, Start};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::target::{self, Target};
use crate::verbs::group::{commit_spec, members, set_size};

/// The group of the show.
pub(super) const GROUP: &str = "cattle";

/// A member as the show sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    /// Its id, which is the name of its file.
    pub(super) id: String,
    /// Its config hash.
    pub(super) hash: String,
}

/// The group at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sight {
    /// The members, sorted by id.
    pub(super) members: Vec<Member>,
    /// Whether the group says that nothing is left to do.
    pub(super) converged: bool,
}

/// The home of the show; removed when it is dropped.
struct Home(PathBuf);

impl Home {
    /// Makes a home with a short path, so that sockets fit below it.
    fn make(parent: &Path) -> Result<Self> {
        let failed = |path: &Path, error: std::io::Error| {
            CommandError::config(format!(
                "failed to make a home in `{}`: {error}",
                path.display()
            ))
            .hint("set TMPDIR to a directory that you can write to")
        };
        for attempt in 0..100u32 {
            let path = parent.join(format!("infrakit-play-{}-{attempt}", std::process::id()));
            match std::fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(parent, error)),
            }
        }
        Err(CommandError::config(format!(
            "`{}` is full of homes of earlier shows",
            parent.display()
        )))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // Nothing can be done about what does not go away, and it is in the temporary directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Everything that runs during the show.
pub(super) struct Stage {
    running: Running,
    group: Target,
    instances: Target,
    home: Home,
}

impl Stage {
    /// Makes the home and starts the plugins.
    pub(super) async fn set(context: &Context) -> Result<Self> {
        let home = Home::make(&context.settings.temporary_dir())?;
        let settings = context.settings.at_home(&home.0);
        let directory = settings.plugins_dir()?;
        let starts: Vec<Start> = [
            ("vanilla", "vanilla"),
            ("file", "file"),
            ("group", "group-stateless"),
            ("manager", "group"),
        ]
        .into_iter()
        .map(|(kind, name)| Start {
            kind: kind.to_owned(),
            name: name.into(),
            options: None,
        })
        .collect();
        let running = compose::start(&settings, &directory, &starts).await?;
        let inside = Context::new(settings);
        let group = target::find(&inside, "group").await?;
        let instances = target::find(&inside, "file").await?;
        Ok(Self {
            running,
            group,
            instances,
            home,
        })
    }

    /// Ends the plugins and removes the home.
    pub(super) async fn strike(self) {
        self.running.end().await;
        drop(self.home);
    }

    /// Returns the home.
    pub(super) fn home(&self) -> &Path {
        &self.home.0
    }

    /// Returns the directory with one file for each instance.
    pub(super) fn instances(&self) -> PathBuf {
        self.home.0.join("instances")
    }

    /// Commits the group in some version and size, or only asks what would happen.
    pub(super) async fn commit(&self, version: u32, size: usize, pretend: bool) -> Result<String> {
        let properties = json!({
            "Allocation": {"Size": size},
            "Instance": {"Plugin": "file", "Properties": {"Note": format!("version {version}")}},
            "Flavor": {"Plugin": "vanilla", "Properties": {"Init": ["echo hello"], "Tags": {"tier": "web"}}},
        });
        let properties = Any::from_value(&properties).map_err(|error| {
            CommandError::internal(format!("failed to encode the group: {error}"))
        })?;
        let spec = GroupSpec {
            id: GROUP.into(),
            properties: Some(properties),
        };
        commit_spec(&self.group, &spec, pretend).await
    }

    /// Looks at the group.
    pub(super) async fn look(&self) -> Result<Sight> {
        let answer = members(&self.group, &GroupId::from(GROUP)).await?;
        let described = answer.read(&self.group)?;
        let mut members: Vec<Member> = described
            .rows
            .iter()
            .map(|row| Member {
                id: row.id.0.clone().into_owned(),
                hash: row.config_hash().unwrap_or("-").to_owned(),
            })
            .collect();
        members.sort();
        Ok(Sight {
            members,
            converged: described.converged,
        })
    }

    /// Changes the size of the group.
    pub(super) async fn scale(&self, size: i64) -> Result {
        set_size(&self.group, &GroupId::from(GROUP), size).await
    }

    /// Destroys the group.
    pub(super) async fn destroy(&self) -> Result {
        crate::verbs::group::destroy_group(&self.group, &GroupId::from(GROUP)).await
    }

    /// Takes an instance away behind the back of everybody, by removing its file.
    pub(super) fn kill(&self, id: &str) -> Result {
        infrakit_spi::InstanceId::from(id).check()?;
        let file = self.instances().join(id);
        std::fs::remove_file(&file).map_err(|error| {
            CommandError::user(format!("failed to remove `{}`: {error}", file.display()))
        })
    }

    /// Creates an instance that belongs to no group.
    pub(super) async fn stranger(&self) -> Result<String> {
        let spec = InstanceSpec {
            tags: Some(Tags::from([(
                "owner".to_owned(),
                "somebody else".to_owned(),
            )])),
            ..InstanceSpec::default()
        };
        let request = wire::ProvisionRequest {
            kind: String::new(),
            spec,
        };
        let answer: wire::ProvisionResponse =
            self.instances.call("Instance.Provision", &request).await?;
        answer.id.map(|id| id.as_str().to_owned()).ok_or_else(|| {
            CommandError::remote("the file plugin did not say which instance it created")
        })
    }

    /// Returns whether an instance is there, in a group or not.
    pub(super) fn exists(&self, id: &str) -> bool {
        self.instances().join(id).exists()
    }
}
