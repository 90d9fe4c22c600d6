//! What will happen in the world of a preview.

use infrakit_spi::instance::Description;
use infrakit_spi::{PluginName, Tags};

use crate::observation::Key;

/// Something that will happen. All that happen at one moment are answered by one plan.
pub(super) enum Event {
    Created {
        number: u64,
        plugin: PluginName,
        description: Description,
        wave: Option<usize>,
    },
    Healthy(Key, Option<usize>),
    Proved(Key, Option<usize>),
    Verdict(Key),
    Gone(Key, Option<usize>),
    Labelled(Key, Tags),
}
