//! How a simulator is set up.

use infrakit_spi::{GoDuration, PluginName, wire_struct};
use serde::{Deserialize, Serialize};

/// Where simulated things are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// In memory; gone with the process.
    #[default]
    #[serde(alias = "")]
    Mem,
    /// In files, one for each thing.
    File,
}

wire_struct! {
    /// Options of a simulator. What is empty has its default.
    #[derive(PartialEq)]
    pub struct SimulatorOptions {
        /// Name of the plugin, which instances carry in the tag `simulator`; `simulator` if empty.
        pub name: PluginName => "Name",
        /// Where simulated things are kept.
        pub store: Store => "Store",
        /// Directory of the file store.
        pub dir: String => "Dir",
        /// Types of instances; `compute`, `net` and `disk` if empty.
        pub instance_types: Vec<String> => "InstanceTypes",
        /// Names of load balancers; `lb1`, `lb2` and `lb3` if empty.
        pub l4_names: Vec<String> => "L4Names",
        /// How long nothing answers after the start.
        pub start_delay: GoDuration => "StartDelay",
        /// How long a list takes; can be switched later.
        pub describe_delay: GoDuration => "DescribeDelay",
        /// How long a creation takes; can be switched later.
        pub provision_delay: GoDuration => "ProvisionDelay",
        /// How many instances a page of a list has, for peers that ask for pages; 0 lists all at once.
        pub page_size: u64 => "PageSize",
    }
}

impl SimulatorOptions {
    pub(crate) fn plugin_name(&self) -> &str {
        match self.name.as_str() {
            "" => "simulator",
            name => name,
        }
    }

    pub(crate) fn types(&self) -> Vec<String> {
        or_default(&self.instance_types, &["compute", "net", "disk"])
    }

    pub(crate) fn balancers(&self) -> Vec<String> {
        or_default(&self.l4_names, &["lb1", "lb2", "lb3"])
    }
}

fn or_default(given: &[String], default: &[&str]) -> Vec<String> {
    if given.is_empty() {
        default.iter().map(|&name| name.to_owned()).collect()
    } else {
        given.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_originals_names_in_any_case() {
        let options: SimulatorOptions = serde_json::from_str(
            r#"{"store":"file","DIR":"/d","instancetypes":["vm"],"StartDelay":"5s","Other":1}"#,
        )
        .unwrap();
        assert_eq!(options.store, Store::File);
        assert_eq!(options.types(), ["vm"]);
        assert_eq!(options.start_delay.to_string(), "5s");
        assert_eq!(options.plugin_name(), "simulator");
        assert!(serde_json::from_str::<SimulatorOptions>(r#"{"Store":"disk"}"#).is_err());
    }
}
