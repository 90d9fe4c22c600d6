//! The kind `simulator`.

use infrakit_plugin_simulator::{Simulator, SimulatorOptions, Store};
use infrakit_rpc::kind::ChangeEvents;
use infrakit_rpc::{Fixed, Plugin};
use infrakit_spi::{GoDuration, PluginName};

use super::kind::{Built, Request, merged};
use crate::error::{CommandError, Result, chain};

/// Makes the plugin.
pub(super) async fn build(request: &Request<'_>) -> Result<Built> {
    let settings = request.settings;
    let store = if settings.simulator_store()? == "file" {
        Store::File
    } else {
        Store::Mem
    };
    let [start_delay, describe_delay, provision_delay] =
        settings.simulator_delays()?.map(GoDuration);
    let defaults = SimulatorOptions {
        name: PluginName::new(request.name.lookup()),
        store,
        dir: settings.simulator_dir()?.to_string_lossy().into_owned(),
        instance_types: settings.simulator_types()?,
        l4_names: settings.simulator_l4_names()?,
        start_delay,
        describe_delay,
        provision_delay,
        page_size: 0,
    };
    let options = merged("simulator", &defaults, request.options)?;
    let simulator =
        Simulator::new(&options).map_err(|error| CommandError::config(chain(&error)))?;
    let instances: Vec<_> = simulator
        .types()
        .into_iter()
        .filter_map(|kind| Some((kind.clone(), simulator.instance(&kind)?)))
        .collect();
    for (kind, instance) in &instances {
        request
            .local
            .add_instance(request.name.lookup(), kind, std::sync::Arc::clone(instance));
    }
    let events: Vec<_> = instances
        .iter()
        .filter_map(|(kind, instance)| Some((kind.clone(), ChangeEvents::of(instance)?)))
        .collect();
    let balancers: Vec<_> = simulator
        .balancers()
        .into_iter()
        .filter_map(|name| Some((name.clone(), simulator.l4(&name)?)))
        .collect();
    let faults = (Simulator::FAULTS.to_owned(), simulator.metadata());
    let mut plugin = Plugin::new();
    if !events.is_empty() {
        plugin = plugin.changes(Fixed::new(events));
    }
    Ok(plugin
        .instance(Fixed::new(instances))
        .l4(Fixed::new(balancers))
        .updatable(Fixed::new([faults]))
        .into())
}
