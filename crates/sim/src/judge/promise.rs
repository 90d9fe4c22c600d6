//! What a spec promises, read by the judge itself and not by the planner's parser.

use std::collections::BTreeSet;

use infrakit_spi::group::GroupSpec;
use infrakit_spi::hash::{Hashed, config_hash};
use infrakit_spi::{Any, PluginName};
use serde_json::Value;

/// What a spec promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// How many members there are to be.
    pub size: u64,
    /// Their identities, in a group of pets.
    pub ids: Option<BTreeSet<String>>,
    /// The plugin that they are to live on.
    pub plugin: PluginName,
    /// The hash that they are to carry.
    pub hash: String,
    /// How many may be out of service.
    pub unavailable: u64,
    /// How many there may be beyond the size.
    pub surge: u64,
    /// How many there may be in any case.
    pub ceiling: Option<u64>,
}

impl Promise {
    /// Reads the promise of a spec; `None` for one that no controller should have taken.
    #[must_use]
    pub fn of(spec: &GroupSpec) -> Option<Self> {
        let properties = spec.properties.as_ref()?.to_value().ok()?;
        let at = |path: &[&str]| {
            path.iter()
                .try_fold(&properties, |value, key| value.get(key))
        };
        let names = at(&["Allocation", "LogicalIDs"]).and_then(Value::as_array);
        let ids = names.filter(|names| !names.is_empty()).map(|names| {
            let names = names.iter().filter_map(Value::as_str).map(str::to_owned);
            names.collect::<BTreeSet<String>>()
        });
        let size = match &ids {
            Some(ids) => ids.len() as u64,
            None => at(&["Allocation", "Size"])?.as_u64()?,
        };
        let given = |name: &str| at(&["Updating", name]).filter(|value| !value.is_null());
        let surge = given("MaxSurge").map_or(0, |value| part(value, size, Rounding::Up));
        let unavailable = match given("MaxUnavailable") {
            Some(value) => part(value, size, Rounding::Down).max(u64::from(surge == 0)),
            None => u64::from(surge == 0),
        };
        Some(Self {
            size,
            ids,
            plugin: at(&["Instance", "Plugin"])?.as_str()?.into(),
            hash: hash(at(&["Instance"])?, at(&["Flavor"]))?,
            unavailable,
            surge,
            ceiling: at(&["Allocation", "MaxInstances"]).and_then(Value::as_u64),
        })
    }

    /// Returns how many members there may be at most.
    #[must_use]
    pub fn most(&self) -> u64 {
        let most = self.size + self.surge;
        self.ceiling.map_or(most, |ceiling| most.min(ceiling))
    }

    /// Returns whether an instance with this hash is as promised.
    #[must_use]
    pub fn matches(&self, hash: Option<&str>) -> bool {
        hash.is_some_and(|hash| hash == self.hash || hash == infrakit_spi::tags::BOOTSTRAP)
    }
}

#[derive(Clone, Copy)]
enum Rounding {
    Up,
    Down,
}

/// A count, or a percentage of `whole`.
fn part(value: &Value, whole: u64, rounding: Rounding) -> u64 {
    let text = value.as_str().unwrap_or_default();
    if let Some(percent) = text.strip_suffix('%') {
        let parts = percent.trim().parse::<u64>().unwrap_or_default() * whole;
        return match rounding {
            Rounding::Up => parts.div_ceil(100),
            Rounding::Down => parts / 100,
        };
    }
    value
        .as_u64()
        .or_else(|| text.parse().ok())
        .unwrap_or_default()
}

fn hash(instance: &Value, flavor: Option<&Value>) -> Option<String> {
    let plugin = |part: Option<&Value>| -> PluginName {
        let name = part.and_then(|part| part.get("Plugin")?.as_str());
        name.unwrap_or_default().into()
    };
    let properties = |part: Option<&Value>| {
        let value = part.and_then(|part| part.get("Properties"));
        value
            .filter(|value| !value.is_null())
            .and_then(|value| Any::from_value(value).ok())
    };
    let (instance_plugin, flavor_plugin) = (plugin(Some(instance)), plugin(flavor));
    let (instance, flavor) = (properties(Some(instance)), properties(flavor));
    let hashed = |plugin, properties: &Option<Any>| (plugin, properties.clone());
    let (instance, flavor) = (
        hashed(&instance_plugin, &instance),
        hashed(&flavor_plugin, &flavor),
    );
    let hash = config_hash(
        Hashed {
            plugin: instance.0,
            properties: instance.1.as_ref(),
        },
        Hashed {
            plugin: flavor.0,
            properties: flavor.1.as_ref(),
        },
    );
    Some(hash.ok()?.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(updating: &str) -> Promise {
        let text = format!(
            r#"{{"Instance":{{"Plugin":"a","Properties":{{"Note":"v1"}}}},"Allocation":{{"Size":10}},"Updating":{updating}}}"#
        );
        let properties = Some(Any::parse(&text).unwrap());
        let id = "g".into();
        Promise::of(&GroupSpec { id, properties }).unwrap()
    }

    #[test]
    fn budgets_are_read_as_documented() {
        let budget = |updating: &str| {
            let promise = promise(updating);
            (promise.unavailable, promise.surge)
        };
        assert_eq!(budget("{}"), (1, 0));
        assert_eq!(budget(r#"{"MaxSurge":2}"#), (0, 2));
        assert_eq!(budget(r#"{"MaxSurge":"11%"}"#), (0, 2));
        assert_eq!(budget(r#"{"MaxUnavailable":"35%"}"#), (3, 0));
        assert_eq!(budget(r#"{"MaxUnavailable":"1%"}"#), (1, 0));
        assert_eq!(budget(r#"{"MaxUnavailable":"1%","MaxSurge":1}"#), (0, 1));
    }

    #[test]
    fn the_hash_is_the_planners() {
        let text = r#"{"Instance":{"Plugin":"a","Properties":{"Note":"v1"}},"Flavor":{"Plugin":"f","Properties":null},"Allocation":{"Size":1}}"#;
        let properties = Any::parse(text).unwrap();
        let theirs = infrakit_plan::Spec::parse(Some(&properties)).unwrap().hash;
        let spec = GroupSpec {
            id: "g".into(),
            properties: Some(properties),
        };
        assert_eq!(Promise::of(&spec).unwrap().hash, theirs.as_str());
    }
}
