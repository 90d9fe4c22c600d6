//! The simulator: its types of instances, its load balancers, and the switchboard of both.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use infrakit_spi::instance::Instance;
use infrakit_spi::l4::L4;
use infrakit_spi::metadata::Updatable;
use infrakit_spi::{Error, GroupId};
use tokio::time::Instant;

use crate::balancer::Balancer;
use crate::fault_tree::FaultTree;
use crate::faults::{CallFaults, Faults, TypeFaults};
use crate::instances::{Common, Ids, Instances};
use crate::options::{SimulatorOptions, Store};
use crate::store::{Files, Memory, Records};

/// Nobody may declare a larger page; one of that size is as good as a whole list.
const LARGEST_PAGE: u64 = 100_000;

/// Why a simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file store has no directory.
    #[error("the file store of the simulator needs a directory (option `Dir`)")]
    NoDirectory,
    /// The directory cannot be made.
    #[error("cannot create the simulator's directory `{path}`")]
    Create {
        /// The directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A type or a balancer has a name that cannot be used.
    #[error("the simulator cannot serve an object named {name:?}: {why}")]
    Name {
        /// The name.
        name: String,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// A balancer's settings cannot be read.
    #[error("cannot open the load balancer `{name}`")]
    Balancer {
        /// Name of the balancer.
        name: String,
        /// Why not.
        #[source]
        source: Error,
    },
}

/// A simulator.
#[derive(Clone)]
pub struct Simulator {
    types: BTreeMap<String, Instances>,
    balancers: BTreeMap<String, Arc<Balancer>>,
    faults: Faults,
}

impl Simulator {
    /// Name of the metadata object with the faults.
    pub const FAULTS: &'static str = "faults";

    /// Makes a simulator.
    ///
    /// ```
    /// use infrakit_plugin_simulator::{Simulator, SimulatorOptions};
    /// let simulator = Simulator::new(&SimulatorOptions::default()).unwrap();
    /// assert_eq!(simulator.types(), ["compute", "disk", "net"]);
    /// assert!(simulator.instance("compute").is_some());
    /// ```
    ///
    /// # Errors
    /// Refuses unusable names, and a file store without a usable directory.
    pub fn new(options: &SimulatorOptions) -> Result<Self, OpenError> {
        let kinds = options.types();
        let names = options.balancers();
        check_names(&kinds)?;
        check_names(&names)?;
        let directory = directory(options)?;
        let call = |delay| CallFaults {
            delay,
            ..CallFaults::default()
        };
        let initial = TypeFaults {
            provision: call(options.provision_delay),
            describe: call(options.describe_delay),
            ..TypeFaults::default()
        };
        let faults = Faults::new(kinds.iter().cloned(), &initial);
        let common = Arc::new(Common {
            plugin: options.plugin_name().to_owned(),
            ids: Ids::default(),
            faults: faults.clone(),
            started: Instant::now(),
            start_delay: options.start_delay.0,
            page: usize::try_from(options.page_size.min(LARGEST_PAGE))
                .ok()
                .and_then(NonZeroUsize::new),
        });
        let types = kinds.into_iter().map(|kind| {
            let records: Box<dyn Records> = match &directory {
                Some(directory) => Box::new(Files::new(directory.clone(), &kind)),
                None => Box::new(Memory::default()),
            };
            let instances = Instances::new(&kind, Arc::clone(&common), records);
            (kind, instances)
        });
        let types = types.collect();
        let mut balancers = BTreeMap::new();
        for name in names {
            let file = directory.as_ref().map(|directory| directory.join(&name));
            let balancer = Balancer::open(&name, file).map_err(|source| OpenError::Balancer {
                name: name.clone(),
                source,
            })?;
            balancers.insert(name, Arc::new(balancer));
        }
        Ok(Self {
            types,
            balancers,
            faults,
        })
    }

    /// Returns the types of instances, sorted.
    #[must_use]
    pub fn types(&self) -> Vec<String> {
        self.types.keys().cloned().collect()
    }

    /// Returns the plugin for a type of instance.
    #[must_use]
    pub fn instance(&self, kind: &str) -> Option<Arc<dyn Instance>> {
        let instances = self.types.get(kind)?.clone();
        Some(Arc::new(instances))
    }

    /// Returns the names of the load balancers, sorted.
    #[must_use]
    pub fn balancers(&self) -> Vec<String> {
        self.balancers.keys().cloned().collect()
    }

    /// Returns a load balancer.
    #[must_use]
    pub fn l4(&self, name: &str) -> Option<Arc<dyn L4>> {
        let balancer: Arc<dyn L4> = Arc::<Balancer>::clone(self.balancers.get(name)?);
        Some(balancer)
    }

    /// Returns the switchboard of what goes wrong.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// Returns the switchboard as the metadata object named [`Self::FAULTS`].
    #[must_use]
    pub fn metadata(&self) -> Arc<dyn Updatable> {
        Arc::new(FaultTree(self.faults.clone()))
    }
}

/// Checks that names can be part of a plugin name and of a file name, and are used once.
fn check_names(names: &[String]) -> Result<(), OpenError> {
    for (index, name) in names.iter().enumerate() {
        let why = if names.iter().take(index).any(|other| other == name) {
            "it is there twice"
        } else if GroupId::from(name.as_str()).check().is_err() || name.starts_with('.') {
            "a name has 1 to 128 bytes, no `/`, no white space, and does not start with `.`"
        } else {
            continue;
        };
        return Err(OpenError::Name {
            name: name.clone(),
            why,
        });
    }
    Ok(())
}

fn directory(options: &SimulatorOptions) -> Result<Option<PathBuf>, OpenError> {
    if options.store == Store::Mem {
        return Ok(None);
    }
    if options.dir.is_empty() {
        return Err(OpenError::NoDirectory);
    }
    let path = PathBuf::from(&options.dir);
    std::fs::create_dir_all(&path).map_err(|source| OpenError::Create {
        path: path.clone(),
        source,
    })?;
    Ok(Some(path))
}
