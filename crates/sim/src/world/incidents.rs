//! What befalls providers, observers and controllers.

use infrakit_spi::{InstanceId, PluginName};

use super::{Happening, MILLIS, World};
use crate::scenario::{Deed, Incident, Observer};

impl World {
    /// Lets something befall.
    pub(super) fn befall(&mut self, incident: &Incident) {
        let now = self.now;
        self.note(format_args!("!! {incident:?}"));
        match incident {
            Incident::Amnesia(plugin, lasts) => {
                if let Some(provider) = self.park.get_mut(plugin) {
                    provider.hides(now);
                    provider.blank = now + lasts;
                }
            }
            Incident::Zone(plugin, zone, lasts) => {
                if let Some(provider) = self.park.get_mut(plugin) {
                    provider.hides(now);
                    provider.hidden_zone = Some((format!("z{zone}"), now + lasts));
                }
            }
            Incident::Outage(plugin, lasts) => {
                if let Some(provider) = self.park.get_mut(plugin) {
                    provider.outage = now + lasts;
                }
            }
            Incident::Haze(plugin, lasts) => {
                if let Some(provider) = self.park.get_mut(plugin) {
                    provider.hazy = now + lasts;
                }
            }
            Incident::Dark(how, lasts) => {
                if now >= self.dark.0 {
                    self.darkened = now;
                }
                self.dark = (now + lasts, *how == Observer::Silent);
            }
            Incident::Slander(pick, lasts) => {
                if let Some((plugin, id)) = self.pick_machine(*pick)
                    && let Some(machine) = self.park.machine_mut(&plugin, &id)
                {
                    machine.slandered = Some((now, now + lasts));
                    self.note(format_args!("`{id}` is said to be unhealthy"));
                }
            }
            Incident::Suspension(lasts) => {
                if let Some(life) = self.lives.iter_mut().find(|life| !life.deposed) {
                    life.suspended = now + lasts;
                    life.wake = life.wake.map(|at| at.max(now + lasts));
                }
            }
            Incident::Wipe(plugin, zone) => {
                let zone = format!("z{zone}");
                let machines = self.park.get(plugin);
                let machines = machines
                    .into_iter()
                    .flat_map(|provider| provider.machines());
                let lost: Vec<InstanceId> = machines
                    .filter(|one| one.zone().is_none_or(|own| own == zone))
                    .filter(|one| one.group().is_some())
                    .map(|one| one.id.clone())
                    .collect();
                for id in lost {
                    self.vanish(plugin, &id);
                }
            }
        }
    }

    /// Ends all incidents.
    pub(super) fn end_incidents(&mut self) {
        let now = self.now;
        self.dark.0 = self.dark.0.min(now);
        for life in &mut self.lives {
            life.suspended = life.suspended.min(now);
        }
        let plugins: Vec<PluginName> = self
            .park
            .providers()
            .map(|(name, _)| name.clone())
            .collect();
        for plugin in plugins {
            if let Some(provider) = self.park.get_mut(&plugin) {
                provider.blank = provider.blank.min(now);
                provider.outage = provider.outage.min(now);
                provider.hazy = provider.hazy.min(now);
                if let Some((_, until)) = &mut provider.hidden_zone {
                    *until = now.min(*until);
                }
                provider.end_slander(now);
                // From now on nothing fails by chance.
                if let Some(nature) = &mut provider.nature {
                    (nature.unanswered, nature.stillborn, nature.refused) = (0, 0, 0);
                }
            }
        }
    }

    /// Returns until when whoever would see to something is suspended.
    pub(super) fn suspended(&self, happening: &Happening) -> Option<u64> {
        let of = |number: u32| {
            let life = self.lives.iter().find(|life| life.number == number)?;
            (life.suspended > self.now).then_some(life.suspended)
        };
        match happening {
            Happening::Answer(life, ..) | Happening::Apply { life, .. } => of(*life),
            // Whoever asks something of it waits.
            Happening::Deed(index) => {
                let asks = matches!(
                    self.deeds[*index],
                    Deed::Operate(..)
                        | Deed::DestroyOne(..)
                        | Deed::HoldOne(..)
                        | Deed::ReleaseAll(_)
                );
                let leader = self.leader().filter(|_| asks)?;
                Some(of(leader.number)? + MILLIS)
            }
            Happening::Appear { .. }
            | Happening::Vanish(..)
            | Happening::Stays(..)
            | Happening::Start
            | Happening::Depose(_) => None,
        }
    }

    /// Ends an instance, if it is still the one that was born then.
    pub(super) fn end(&mut self, plugin: &PluginName, id: &InstanceId, born: Option<u64>) {
        let machine = self.park.machine(plugin, id);
        if born.is_none() || machine.is_some_and(|one| Some(one.born) == born) {
            self.vanish(plugin, id);
        }
    }
}
