//! Settings of an engine.

use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::Config;

use crate::core::{Limits, Overrides, deadlines};
use crate::shell::{Clocks, SystemClocks};

/// Settings of an engine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Settings that the planner knows.
    pub config: Config,
    /// How many creations and destructions a minute each instance plugin gets.
    pub limits: Limits,
    /// What the operator says of plugins, until [`Engine::override_plugins`](crate::Engine::override_plugins) says something else.
    pub overrides: Overrides,
    /// Creations and destructions at once per plugin; 0 lets the engine find out what is good.
    pub max_parallel: usize,
    /// After this time a creation or destruction is given up.
    pub slow: Duration,
    /// How long a request that waits for plugins may take.
    pub patience: Duration,
    /// What tells the time.
    pub clocks: Arc<dyn Clocks>,
}

impl Default for Options {
    /// The patience is a little less than the 15 s after which the original's clients give up.
    fn default() -> Self {
        Self {
            config: Config::default(),
            limits: Limits::default(),
            overrides: Overrides::default(),
            max_parallel: 0,
            slow: deadlines::CALL,
            patience: Duration::from_secs(12),
            clocks: Arc::new(SystemClocks),
        }
    }
}
