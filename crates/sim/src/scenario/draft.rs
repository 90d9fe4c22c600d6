//! A world that is being drawn: its plugins, its groups, and what happens in it so far.

use infrakit_plan::Spec;
use infrakit_spi::{Any, GroupId, PluginName};

use super::Deed;
use crate::controller::Operation;
use crate::rng::Rng;
use crate::world::{Class, Nature, SECOND};

/// A group as the one who draws remembers it.
pub(super) struct Plot {
    pub(super) id: GroupId,
    pub(super) plugin: usize,
    pub(super) size: u64,
    /// The number of the first name, in a group of named members.
    pub(super) pets: Option<u64>,
    pub(super) note: u64,
    pub(super) updating: &'static str,
    pub(super) health: &'static str,
    /// Whether its flavor looks at nothing.
    pub(super) plain: bool,
    /// Whether it is under management.
    pub(super) lives: bool,
}

/// A world that is being drawn.
pub(super) struct Draft {
    pub(super) natures: Vec<Nature>,
    pub(super) plots: Vec<Plot>,
    pub(super) deeds: Vec<(u64, Deed)>,
    /// Whether people are there to help: to approve, to resume, to cure.
    pub(super) attended: bool,
    pub(super) span: u64,
}

/// Returns a number from 1 to `most` of which the order of magnitude is drawn evenly.
pub(super) fn log_uniform(rng: &mut Rng, most: u64) -> u64 {
    let power = rng.below(u64::from(most.ilog2()) + 1);
    let first = 1 << power;
    rng.between(first, (2 * first - 1).min(most))
}

impl Draft {
    /// A group on slow providers is small: nobody rolls hundreds of machines one after the other
    /// that take half an hour each.
    pub(super) fn bounded(&self, plugin: usize, size: u64) -> u64 {
        match self.natures[plugin].class {
            Class::BareMetal => size.min(4),
            Class::Hypervisor | Class::PublicCloud => size.min(120),
            Class::FastLocal | Class::ContainerEngine => size,
        }
    }

    pub(super) fn plugin(&self, plot: usize) -> PluginName {
        name(self.plots[plot].plugin).into()
    }

    pub(super) fn commit(&self, plot: usize, kind: &str) -> Deed {
        let properties = self.properties(plot, kind);
        Deed::Operate(
            self.plots[plot].id.clone(),
            Operation::Commit { properties },
        )
    }

    /// Properties of a group; how it rolls is left out where that does not go with its size.
    fn properties(&self, plot: usize, kind: &str) -> String {
        let whole = self.written(plot, kind, self.plots[plot].updating);
        let sound = Any::parse(&whole).is_ok_and(|any| Spec::parse(Some(&any)).is_ok());
        if sound {
            whole
        } else {
            self.written(plot, kind, "")
        }
    }

    fn written(&self, plot: usize, kind: &str, updating: &str) -> String {
        let Plot {
            plugin,
            size,
            pets,
            note,
            health,
            plain,
            ..
        } = &self.plots[plot];
        let kind = match kind {
            // Nobody would find that out.
            "-sick" if *plain => " plain-refused".to_owned(),
            _ if *plain => format!(" plain{kind}"),
            _ => kind.to_owned(),
        };
        let allocation = if let Some(first) = pets {
            let ids: Vec<String> = (*first..first + size.clamp(&1, &12))
                .map(|number| format!("pet-{number}"))
                .collect();
            format!(r#"{{"LogicalIDs":{ids:?}}}"#)
        } else {
            format!(r#"{{"Size":{size}}}"#)
        };
        // Large groups are not rolled one by one.
        let updating = if updating.is_empty() && *size > 20 {
            r#","Updating":{"MaxUnavailable":"20%"}"#
        } else {
            updating
        };
        let grace = self.natures[*plugin].longest_birth() / SECOND + 60;
        let plugin = name(*plugin);
        format!(
            r#"{{"Instance":{{"Plugin":"{plugin}","Properties":{{"Note":"v{note}{kind}"}}}},"Flavor":{{"Plugin":"f"}},"Allocation":{allocation}{updating},"Health":{{"GracePeriod":"{grace}s"{health}}}}}"#
        )
    }
}

pub(super) fn name(plugin: usize) -> &'static str {
    ["a", "b", "c", "d", "e", "f"][plugin % 6]
}
