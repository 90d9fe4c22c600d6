//! The group controller's own schema: `Properties` of a group spec, decoded once and checked.

use std::collections::BTreeSet;
use std::time::Duration;

use infrakit_spi::flavor::Allocation;
use infrakit_spi::hash::{ConfigHash, Hashed, config_hash};
use infrakit_spi::{Any, GoDuration, LogicalId, PluginName, wire_struct};

use crate::Member;
use crate::fields::Fields;

/// Largest size that is accepted. A slip of the finger must not order a billion machines.
pub const MAX_SIZE: u64 = 1_000_000;

/// A plugin and the properties that are handed to it unchanged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PluginPart {
    /// Name of the plugin.
    pub plugin: PluginName,
    /// Its properties.
    pub properties: Option<Any>,
}

/// How many members a group has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Size {
    /// That many like members.
    Cattle(u64),
    /// One member for each of these identities, in this order.
    Pets(Vec<LogicalId>),
}

impl Size {
    /// Returns the number of members.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Cattle(size) => *size,
            Self::Pets(ids) => ids.len() as u64,
        }
    }

    /// Returns whether the size is about this member: every one of like members, but only those
    /// with an identity where members are named.
    pub(crate) fn concerns(&self, member: &Member) -> bool {
        match self {
            Self::Cattle(_) => true,
            Self::Pets(_) => member.logical_id.is_some(),
        }
    }
}

/// What a rolling update may leave out before it destroys a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The flavor's drain.
    Drain,
}

/// How a rolling update proceeds. The rollout language grows here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updating {
    /// How long a new member must be healthy before the next one is replaced.
    pub duration: Duration,
    /// How many checks in a row a new member must pass before the next one is replaced.
    pub count: u32,
    /// What to leave out before a member is destroyed.
    pub skip_before_instance_destroy: Option<Skip>,
}

/// When a member counts as sick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    /// Time after creation during which an unhealthy member that was never healthy is let be.
    pub grace_period: Duration,
    /// Unhealthy verdicts in a row after which a member is replaced.
    pub threshold: u32,
    /// Time between two routine checks of a member; the poll interval when not given.
    pub interval: Option<Duration>,
    given: bool,
}

impl Default for HealthPolicy {
    /// Five minutes of grace, as EC2 Auto Scaling gives; three verdicts, as Kubernetes' probes need.
    fn default() -> Self {
        Self {
            grace_period: Duration::from_secs(300),
            threshold: 3,
            interval: None,
            given: false,
        }
    }
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
    /// Decodes and checks the properties of a group.
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
        let top = Fields::of(
            properties,
            "",
            &["Instance", "Flavor", "Allocation", "Updating", "Health"],
        )?;
        let instance = part(&top, "Instance")?;
        let flavor = part(&top, "Flavor")?;
        let size = allocation(top.raw("Allocation"))?;
        let updating = updating(top.raw("Updating"))?;
        let health = health(top.raw("Health"))?;
        let hash = config_hash(hashed(&instance), hashed(&flavor)).map_err(|error| {
            InvalidSpec::field("Properties", format!("cannot be hashed: {error}"))
        })?;
        Ok(Self {
            instance,
            flavor,
            size,
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

    /// Returns the properties in canonical form: every field, in the original's order.
    #[must_use]
    pub fn canonical(&self) -> Any {
        let part = |part: &PluginPart| wire::Part {
            plugin: part.plugin.clone(),
            properties: part.properties.clone(),
        };
        let canonical = wire::Properties {
            instance: part(&self.instance),
            flavor: part(&self.flavor),
            allocation: self.allocation(),
            updating: wire::Updating {
                duration: GoDuration(self.updating.duration),
                count: self.updating.count,
                skip: self
                    .updating
                    .skip_before_instance_destroy
                    .map(|Skip::Drain| "drain".to_owned()),
            },
            health: self.health.given.then(|| wire::Health {
                grace_period: GoDuration(self.health.grace_period),
                threshold: self.health.threshold,
                interval: self.health.interval.map(GoDuration),
            }),
        };
        Any::from_value(&canonical).expect("these structs have only string keys")
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

fn allocation(raw: Option<&Any>) -> Result<Size, InvalidSpec> {
    let fields = Fields::of(raw, "Allocation", &["Size", "LogicalIDs"])?;
    let size: Option<u64> = fields.get("Size", "a whole number from 0 to 1000000")?;
    let ids: Vec<LogicalId> = fields
        .get("LogicalIDs", "a list of strings")?
        .unwrap_or_default();
    match (size, ids.is_empty()) {
        (None, true) => Err(InvalidSpec::NoAllocation),
        // Canonical specs of pets say `Size: 0` beside their ids.
        (Some(1..), false) => Err(InvalidSpec::TwoAllocations),
        (Some(size), true) if size > MAX_SIZE => Err(InvalidSpec::field(
            "Allocation.Size",
            format!("expected a whole number from 0 to {MAX_SIZE}, found `{size}`"),
        )),
        (Some(size), true) => Ok(Size::Cattle(size)),
        (Some(0) | None, false) => pets(ids),
    }
}

fn pets(ids: Vec<LogicalId>) -> Result<Size, InvalidSpec> {
    let mut seen = BTreeSet::new();
    for (index, id) in ids.iter().enumerate() {
        let path = || format!("Allocation.LogicalIDs[{index}]");
        id.check()
            .map_err(|error| InvalidSpec::field(path(), error.to_string()))?;
        if !seen.insert(id) {
            return Err(InvalidSpec::field(
                path(),
                format!("`{id}` is listed twice"),
            ));
        }
    }
    Ok(Size::Pets(ids))
}

fn updating(raw: Option<&Any>) -> Result<Updating, InvalidSpec> {
    let fields = Fields::of(
        raw,
        "Updating",
        &["Duration", "Count", "SkipBeforeInstanceDestroy"],
    )?;
    let updating = Updating {
        duration: fields.duration("Duration")?.unwrap_or_default(),
        count: fields.get("Count", "a whole number")?.unwrap_or_default(),
        skip_before_instance_destroy: match fields
            .get::<String>("SkipBeforeInstanceDestroy", "the string \"drain\"")?
            .as_deref()
        {
            None | Some("") => None,
            Some("drain") => Some(Skip::Drain),
            Some(other) => {
                return Err(InvalidSpec::field(
                    "Updating.SkipBeforeInstanceDestroy",
                    format!("expected \"drain\", found `{other}`"),
                ));
            }
        },
    };
    if updating.count > 0 && !updating.duration.is_zero() {
        return Err(InvalidSpec::TwoUpdatings);
    }
    Ok(updating)
}

fn health(raw: Option<&Any>) -> Result<HealthPolicy, InvalidSpec> {
    let fields = Fields::of(raw, "Health", &["GracePeriod", "Threshold", "Interval"])?;
    let default = HealthPolicy::default();
    let threshold = fields
        .get("Threshold", "a whole number from 1")?
        .unwrap_or(default.threshold);
    if threshold == 0 {
        return Err(InvalidSpec::field(
            "Health.Threshold",
            "expected a whole number from 1, found `0`",
        ));
    }
    let interval = fields.duration("Interval")?;
    if interval.is_some_and(|interval| interval < Duration::from_millis(100)) {
        return Err(InvalidSpec::field(
            "Health.Interval",
            "expected at least \"100ms\"",
        ));
    }
    Ok(HealthPolicy {
        grace_period: fields
            .duration("GracePeriod")?
            .unwrap_or(default.grace_period),
        threshold,
        interval,
        given: raw.is_some(),
    })
}

/// The canonical form, field by field.
mod wire {
    use infrakit_spi::flavor::Allocation;

    use super::{Any, GoDuration, PluginName, wire_struct};

    wire_struct! {
        pub(super) struct Part {
            pub(super) plugin: PluginName => "Plugin",
            pub(super) properties: Option<Any> => "Properties",
        }
    }
    wire_struct! {
        pub(super) struct Updating {
            pub(super) duration: GoDuration => "Duration",
            pub(super) count: u32 => "Count",
            pub(super) skip: Option<String> => "SkipBeforeInstanceDestroy",
        }
    }
    wire_struct! {
        pub(super) struct Health {
            pub(super) grace_period: GoDuration => "GracePeriod",
            pub(super) threshold: u32 => "Threshold",
            pub(super) interval: Option<GoDuration> => "Interval" omit,
        }
    }
    wire_struct! {
        pub(super) struct Properties {
            pub(super) instance: Part => "Instance",
            pub(super) flavor: Part => "Flavor",
            pub(super) allocation: Allocation => "Allocation",
            pub(super) updating: Updating => "Updating",
            pub(super) health: Option<Health> => "Health" omit,
        }
    }
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
