//! The group controller's own schema: `Properties` of a group spec, decoded once and checked.

mod allocation;
mod canonical;
mod check;
mod health;
mod invalid;
mod losses;
mod share;
#[cfg(test)]
mod tests;
mod updating;
mod window;

use infrakit_spi::flavor::Allocation;
use infrakit_spi::hash::{ConfigHash, Hashed, config_hash};
use infrakit_spi::{Any, PluginName};

use crate::fields::Fields;

pub use allocation::{MAX_SIZE, Size};
pub use health::HealthPolicy;
pub use invalid::InvalidSpec;
pub use losses::LossPolicy;
pub use share::Share;
pub use updating::{OnFailure, Order, Skip, Stage, Updating};
pub use window::{Opening, Window};

/// A plugin and the properties that are handed to it unchanged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PluginPart {
    /// Name of the plugin.
    pub plugin: PluginName,
    /// Its properties.
    pub properties: Option<Any>,
}

/// A group, decoded and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// What members are made by, and of.
    pub instance: PluginPart,
    /// What runs on them.
    pub flavor: PluginPart,
    /// How many there are.
    pub size: Size,
    /// How many there may ever be, whatever size and surge ask for.
    pub max_instances: Option<u64>,
    /// How changes are rolled through.
    pub updating: Updating,
    /// When a member counts as sick.
    pub health: HealthPolicy,
    /// When it is believed that members are gone.
    pub losses: LossPolicy,
    /// Hash over instance and flavor: what tells an outdated member.
    pub hash: ConfigHash,
}

impl Spec {
    /// Decodes the properties of a group without asking whether its fields suit each other.
    ///
    /// For specs that are in force already: a change of the size or a restart must not fail because
    /// a budget no longer suits the size. Whoever plans keeps to what is possible.
    ///
    /// # Errors
    /// Returns the first field that cannot be read, with its path and what would be right.
    pub fn decode(properties: Option<&Any>) -> Result<Self, InvalidSpec> {
        let top = Fields::of(
            properties,
            "",
            &[
                "Instance",
                "Flavor",
                "Allocation",
                "Updating",
                "Health",
                "Losses",
            ],
        )?;
        let instance = part(&top, "Instance")?;
        let flavor = part(&top, "Flavor")?;
        let (size, max_instances) = allocation::decode(top.raw("Allocation"))?;
        let updating = Updating::decode(top.raw("Updating"))?;
        let health = HealthPolicy::decode(top.raw("Health"))?;
        let losses = LossPolicy::decode(top.raw("Losses"))?;
        let hash = config_hash(hashed(&instance), hashed(&flavor)).map_err(|error| {
            InvalidSpec::field("Properties", format!("cannot be hashed: {error}"))
        })?;
        Ok(Self {
            instance,
            flavor,
            size,
            max_instances,
            updating,
            health,
            losses,
            hash,
        })
    }

    /// Returns how many members may exist beyond a size: what the ceiling leaves of the surge, and
    /// none beside identities, which cannot exist twice.
    #[must_use]
    pub fn surge(&self, size: u64) -> u64 {
        let room = self
            .max_instances
            .map_or(u64::MAX, |ceiling| ceiling.saturating_sub(size));
        match self.size {
            Size::Cattle(_) => self.updating.surge(size).min(room),
            Size::Pets(_) => 0,
        }
    }

    /// Returns how many members may be out of service at once, by whatever we do, in a group of
    /// this size.
    ///
    /// At least one when there is no surge, or no member could ever be replaced; never all of
    /// several, which a budget can come to mean when the group is scaled down.
    #[must_use]
    pub fn unavailable(&self, size: u64) -> u64 {
        let least = u64::from(self.surge(size) == 0);
        let most = size.saturating_sub(1).max(1);
        self.updating.unavailable(size).clamp(least, most)
    }

    /// Returns which comes first when a member is replaced: what the spec says, as far as the
    /// budget has room for it.
    #[must_use]
    pub fn order(&self, size: u64) -> Order {
        if self.surge(size) == 0 {
            Order::DestroyFirst
        } else if self.unavailable(size) == 0 {
            Order::SurgeFirst
        } else {
            self.updating.order(size)
        }
    }

    /// Returns how many replacements may be begun until all of them have proved themselves; `None`
    /// leaves that to the budget.
    #[must_use]
    pub fn batch(&self) -> Option<u64> {
        let size = self.size.count();
        self.updating.batch.map(|share| share.floor(size).max(1))
    }

    /// Returns the allocation as flavors are told it.
    #[must_use]
    pub fn allocation(&self) -> Allocation {
        match &self.size {
            Size::Cattle(size) => Allocation {
                size: *size,
                logical_ids: None,
            },
            Size::Pets(ids) => Allocation {
                size: 0,
                logical_ids: Some(ids.clone()),
            },
        }
    }

    /// Returns the same group with another size.
    #[must_use]
    pub fn with_size(&self, size: u64) -> Self {
        Self {
            size: Size::Cattle(size),
            ..self.clone()
        }
    }
}

fn hashed(part: &PluginPart) -> Hashed<'_> {
    Hashed {
        plugin: &part.plugin,
        properties: part.properties.as_ref(),
    }
}

fn part(top: &Fields, name: &'static str) -> Result<PluginPart, InvalidSpec> {
    let fields = Fields::of(top.raw(name), name, &["Plugin", "Properties", "Options"])?;
    Ok(PluginPart {
        plugin: fields
            .get("Plugin", "the name of a plugin")?
            .unwrap_or_default(),
        properties: fields.raw("Properties").cloned(),
    })
}
