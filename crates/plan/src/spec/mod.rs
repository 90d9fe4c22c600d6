//! The group controller's own schema: `Properties` of a group spec, decoded once and checked.

mod allocation;
mod canonical;
mod cron;
mod health;
mod share;
mod updating;
mod window;

use infrakit_spi::flavor::Allocation;
use infrakit_spi::hash::{ConfigHash, Hashed, config_hash};
use infrakit_spi::{Any, PluginName};

use crate::fields::Fields;

pub use allocation::{MAX_SIZE, Size};
pub use health::HealthPolicy;
pub use share::Share;
pub use updating::{OnFailure, Opening, Order, Skip, Stage, Updating};
pub use window::Window;

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
    /// Hash over instance and flavor: what tells an outdated member.
    pub hash: ConfigHash,
}

/// Why properties were refused. The texts of the first three are those of the original.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpec {
    /// Neither a size nor logical ids.
    #[error("Allocation must not be blank")]
    NoAllocation,
    /// Both a size and logical ids.
    #[error("Only one Allocation method may be used")]
    TwoAllocations,
    /// Both a count and a duration.
    #[error("Only one Updating method may be used")]
    TwoUpdatings,
    /// Anything else: where, and what is wrong.
    #[error("Invalid properties: {path}: {problem}")]
    Field {
        /// Path of the field.
        path: String,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
}

impl InvalidSpec {
    pub(crate) fn field(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field {
            path: path.into(),
            problem: problem.into(),
        }
    }
}

impl Spec {
    /// Decodes and checks the properties of a group, for a commit.
    ///
    /// ```
    /// use infrakit_plan::{Size, Spec};
    /// use infrakit_spi::Any;
    ///
    /// let text = r#"{"Instance": {"Plugin": "file"}, "Allocation": {"Size": 3}}"#;
    /// let spec = Spec::parse(Some(&Any::parse(text)?))?;
    /// assert_eq!(spec.size, Size::Cattle(3));
    ///
    /// let slip = Any::parse(r#"{"Alocation": {"Size": 3}}"#)?;
    /// assert_eq!(
    ///     Spec::parse(Some(&slip)).unwrap_err().to_string(),
    ///     "Invalid properties: Alocation: unknown field; did you mean `Allocation`?"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns the first fault, with its path and what would be right.
    pub fn parse(properties: Option<&Any>) -> Result<Self, InvalidSpec> {
        Self::decode(properties)
    }

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
            &["Instance", "Flavor", "Allocation", "Updating", "Health"],
        )?;
        let instance = part(&top, "Instance")?;
        let flavor = part(&top, "Flavor")?;
        let (size, max_instances) = allocation::decode(top.raw("Allocation"))?;
        let updating = Updating::decode(top.raw("Updating"))?;
        let health = HealthPolicy::decode(top.raw("Health"))?;
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
            hash,
        })
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

    /// Returns the properties in canonical form: every field of the original, in its order, and of
    /// the others those that say something.
    #[must_use]
    pub fn canonical(&self) -> Any {
        canonical::of(self)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Spec, InvalidSpec> {
        Spec::parse(Some(&Any::parse(text).unwrap()))
    }

    fn refused(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_originals_messages() {
        assert_eq!(
            Spec::parse(None).unwrap_err().to_string(),
            "Allocation must not be blank"
        );
        assert_eq!(
            refused(r#"{"Allocation":{}}"#),
            "Allocation must not be blank"
        );
        assert_eq!(
            refused(r#"{"Allocation":{"Size":2,"LogicalIDs":["a"]}}"#),
            "Only one Allocation method may be used"
        );
        assert_eq!(
            refused(r#"{"Allocation":{"Size":2},"Updating":{"Count":2,"Duration":"1s"}}"#),
            "Only one Updating method may be used"
        );
    }

    #[test]
    fn faults_name_their_place_and_a_way_out() {
        for (text, want) in [
            (
                r#""hello""#,
                "Invalid properties: Properties: expected an object, found a string",
            ),
            (
                r#"{"Alocation":{"Size":1}}"#,
                "Invalid properties: Alocation: unknown field; did you mean `Allocation`?",
            ),
            (
                r#"{"Allocation":{"Size":-2}}"#,
                "Invalid properties: Allocation.Size: expected a whole number from 0 to 1000000, found `-2`",
            ),
            (
                r#"{"Allocation":{"Size":5000000000}}"#,
                "Invalid properties: Allocation.Size: expected a whole number from 0 to 1000000, found `5000000000`",
            ),
            (
                r#"{"Allocation":{"LogicalIDs":["a","b","a"]}}"#,
                "Invalid properties: Allocation.LogicalIDs[2]: `a` is listed twice",
            ),
            (
                r#"{"Allocation":{"Size":1},"Updating":{"Duration":"10"}}"#,
                "Invalid properties: Updating.Duration: invalid duration `10`: it needs a unit behind each number, as in `30s`, `1m30s` or `250ms`",
            ),
            (
                r#"{"Allocation":{"Size":1},"Updating":{"SkipBeforeInstanceDestroy":"drian"}}"#,
                "Invalid properties: Updating.SkipBeforeInstanceDestroy: expected \"drain\", found `drian`",
            ),
        ] {
            assert_eq!(refused(text), want);
        }
    }

    #[test]
    fn names_match_without_case_and_zero_is_a_size() {
        let spec = parse(r#"{"allocation":{"size":0},"instance":{"plugin":"file"}}"#).unwrap();
        assert_eq!(
            (spec.size, spec.instance.plugin),
            (Size::Cattle(0), "file".into())
        );
    }

    #[test]
    fn canonical_form_has_every_field_and_parses_back() {
        let spec = parse(
            r#"{"Allocation":{"LogicalIDs":["a"]},"Instance":{"Plugin":"file","Properties":{"b":1.50,"a":2}},"Flavor":{"Plugin":"vanilla"}}"#,
        )
        .unwrap();
        assert_eq!(
            spec.canonical().as_str(),
            r#"{"Instance":{"Plugin":"file","Properties":{"b":1.50,"a":2}},"Flavor":{"Plugin":"vanilla","Properties":null},"Allocation":{"Size":0,"LogicalIDs":["a"]},"Updating":{"Duration":"0s","Count":0,"SkipBeforeInstanceDestroy":null}}"#
        );
        assert_eq!(Spec::parse(Some(&spec.canonical())).unwrap(), spec);
    }

    #[test]
    fn only_instance_and_flavor_enter_the_hash() {
        let base = parse(r#"{"Allocation":{"Size":1},"Instance":{"Plugin":"file"}}"#).unwrap();
        let other = parse(
            r#"{"Instance":{"Plugin":"file"},"Allocation":{"Size":9},"Updating":{"Count":2},"Health":{"Threshold":1}}"#,
        )
        .unwrap();
        assert_eq!(base.hash, other.hash);
    }
}
