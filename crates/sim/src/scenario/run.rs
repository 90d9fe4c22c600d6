//! Plays a scenario.

use std::collections::BTreeSet;

use infrakit_spi::{GroupId, InstanceId};

use super::{Deed, Scenario};
use crate::controller::{Foreseen, Maker, Operation};
use crate::faults::{Kind, Strike};
use crate::judge::Breach;
use crate::ours::Ours;
use crate::trace::{Line, Tells};
use crate::world::{Counts, MINUTE, SECOND, World};

/// Polls after that in which nothing may be created or destroyed.
const SILENCE: u64 = 12;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Promises that were broken; the run ends at the first.
    pub breaches: Vec<Breach>,
    /// Hash over the whole course.
    pub hash: u64,
    /// What it consisted of.
    pub counts: Counts,
    /// The faults that struck.
    pub struck: Vec<Strike>,
    /// How many opportunities each kind of fault had before faults ended.
    pub met: Vec<(Kind, u32)>,
    /// The same, at the first death of a controller.
    pub met_at_death: Vec<(Kind, u32)>,
    /// The course, where it was to be told.
    pub story: Vec<Line>,
    /// How long it lasted, in nanoseconds of the simulated world.
    pub lasted: u64,
}

impl Scenario {
    /// Plays the scenario with a policy.
    #[must_use]
    pub fn run(&self, maker: Box<Maker>, tells: Tells) -> Outcome {
        let world = World::new(self.seed, self.traits.clone(), self.park.clone(), maker);
        let mut world = match tells {
            Tells::Story => world.telling(),
            Tells::Hash => world,
        };
        let dawn = world.now();
        world.dice().spare(self.spared.iter().copied());
        for (strike, amount) in &self.forced {
            match amount {
                Some(amount) => world.dice().force_by(*strike, *amount),
                None => world.dice().force(*strike),
            }
        }
        world.skip_idle_time(true);
        world.start();
        for (after, deed) in &self.deeds {
            world.schedule(dawn + after, deed.clone());
        }
        world.run_until(dawn + self.span);
        let met = world.dice().all_met();
        self.come_to_rest(&mut world);
        Outcome {
            breaches: world.breaches().to_vec(),
            hash: world.trace().hash(),
            counts: world.counts(),
            struck: world.dice().struck().to_vec(),
            met,
            met_at_death: world.met_at_death().to_vec(),
            story: world.trace().story().to_vec(),
            lasted: world.now() - dawn,
        }
    }

    fn come_to_rest(&self, world: &mut World) {
        if !world.breaches().is_empty() {
            return;
        }
        world.calm();
        world.cure();
        // Whoever was killed is back by then, and whoever was deposed knows it.
        world.run_for(6 * MINUTE);
        if self.rest.alone {
            world.arrive_alone(self.rest.bound, "arrives alone");
        }
        for (group, _) in &self.finals {
            world.perform(&Deed::ReleaseAll(group.clone()));
        }
        let (mut groups, mut destroying) = (BTreeSet::new(), BTreeSet::new());
        for (group, deed) in &self.finals {
            let Deed::Operate(_, operation) = deed else {
                continue;
            };
            if *operation == Operation::Destroy {
                // Where it is refused, nobody knows the group any more.
                if let Some(Ok(_)) = world.operate(group, Operation::Destroy) {
                    destroying.insert(group.clone());
                }
                continue;
            }
            groups.insert(group.clone());
            self.change(world, group, operation);
        }
        world.expect(groups, destroying);
        world.run_for(SECOND);
        world.arrive(self.rest.bound);
        world.stay_silent(SILENCE);
        if self.rest.again && world.breaches().is_empty() {
            for pick in [self.seed, self.seed >> 3] {
                world.perform(&Deed::Die(pick));
            }
            world.crash(10 * SECOND);
            world.run_for(MINUTE);
            world.arrive_alone(self.rest.bound, "arrives again");
        }
    }
}

impl Scenario {
    /// Asks for the last change of a group. Where all is quiet, what happens then must be what the
    /// controller said beforehand.
    fn change(&self, world: &mut World, group: &GroupId, operation: &Operation) {
        let quiet = world.is_quiet(group);
        let foreseen = match operation {
            Operation::Commit { properties } if quiet && self.rest.foresees => {
                world.foresee(group, properties)
            }
            _ => None,
        };
        let there: BTreeSet<InstanceId> = world
            .park()
            .of(group.as_str())
            .map(|(_, one)| one.id.clone())
            .collect();
        world.begin_account(group);
        let most = tries(world);
        for again in 0..most {
            let reply = world.operate(group, operation.clone());
            if matches!(reply, Some(Ok(_))) {
                break;
            }
            if again + 1 == most && world.breaches().is_empty() {
                let what = format!("`{group}` cannot be changed: {reply:?}");
                world.breach("takes what is asked", what);
            }
            world.run_for(30 * SECOND);
        }
        let Some(foreseen) = foreseen else {
            return;
        };
        let deadline = world.now() + self.rest.bound;
        world.run_for(SECOND);
        while !world.is_quiet(group) && world.now() < deadline && world.breaches().is_empty() {
            world.run_for(20 * SECOND);
            world.urge(group);
        }
        let done = world.ledger().account(group);
        // Members that do not exist yet are foreseen by number, not by name.
        let split = |one: &Foreseen| {
            let (old, new): (BTreeSet<_>, BTreeSet<_>) =
                one.go.iter().cloned().partition(|id| there.contains(id));
            (old, new.len(), one.come)
        };
        if split(&done) != split(&foreseen) && world.breaches().is_empty() {
            let what = format!("of `{group}` it was said {foreseen:?}, and done is {done:?}");
            world.breach("pretend equals done", what);
        }
    }
}

/// Returns how often a change is asked for, twice a minute, before that has taken too long: a group
/// that is being destroyed takes none until its members are gone, and are listed no longer.
fn tries(world: &World) -> u64 {
    let natures = world.park().providers();
    let natures = natures.filter_map(|(_, provider)| provider.nature.as_ref());
    let ends =
        natures.map(|nature| nature.destroy.longest + nature.tombstone + 2 * nature.longest_lag());
    20 + ends.max().unwrap_or_default() / (30 * SECOND)
}

/// Returns the maker of our own controllers.
#[must_use]
pub fn ours() -> Box<Maker> {
    Box::new(Ours::boxed)
}
