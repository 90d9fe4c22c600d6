//! What controllers have in force, and whether that is what people were told.

use infrakit_spi::group::GroupSpec;

use super::World;
use crate::judge::Promise;

impl World {
    /// Looks at what a life has in force. To read that takes a twentieth of all time, and few writes change
    /// it: the same specs are read again only where a person was `told` something.
    pub(super) fn refresh_promises(&mut self, number: u32, told: bool) {
        let mut lives = self.lives.iter_mut();
        let Some(life) = lives.find(|life| life.number == number) else {
            return;
        };
        let specs = life.controller.specs();
        if !told && specs == life.promised {
            self.ledger.measure(number, &self.park, self.now);
            return;
        }
        life.promised.clone_from(&specs);
        self.give_up(number, &specs);
        self.ledger.in_force(number, &specs, (&self.park, self.now));
        self.look_for_what_was_told(&specs);
    }

    /// Notes who is out of sight while the last is seen of a group that is to be destroyed: those, too,
    /// whose plugin was asked to destroy them, which may come to nothing.
    fn give_up(&mut self, number: u32, specs: &[GroupSpec]) {
        let Some(scene) = self.scene(number, 0) else {
            return;
        };
        let groups = scene.sight.promises.keys();
        let ended = groups
            .filter(|group| scene.ledger.destroying.contains(*group))
            .filter(|group| specs.iter().all(|spec| spec.id != **group));
        let hidden: Vec<_> = ended
            .flat_map(|group| self.park.of(group.as_str()).map(move |one| (group, one)))
            .filter(|(group, (plugin, _))| scene.ledger.is_home(group, plugin))
            .filter(|(group, one)| scene.may_be_missed(group, *one))
            .map(|(_, (plugin, one))| (plugin.clone(), one.id.clone()))
            .collect();
        self.ledger.given_up.extend(hidden);
    }

    /// Looks whether what was acknowledged is in force.
    fn look_for_what_was_told(&mut self, specs: &[GroupSpec]) {
        let lost = specs.iter().find_map(|spec| {
            let told = self.ledger.told.specs.get(&spec.id)?;
            let own = Promise::of(spec)?;
            (own != *told).then(|| (spec.id.clone(), format!("{own:?} instead of {told:?}")))
        });
        if let Some((group, what)) = lost {
            self.ledger.told.specs.remove(&group);
            let what =
                format!("of `{group}` something else is in force than was acknowledged: {what}");
            self.breach("acknowledged commits hold", what);
        }
    }
}
