//! Where exhibits are played.

use infrakit_plan::Spec;
use infrakit_sim::controller::{Controller, Operation};
use infrakit_sim::faults::{Kind, Strike};
use infrakit_sim::ours::Ours;
use infrakit_sim::trace::news;
use infrakit_sim::world::{MINUTE, Machine, Park, Provider, SECOND, Traits, Truth, World};
use infrakit_spi::{Any, GroupId, InstanceId, PluginName};

use crate::naive::{Habit, Naive};

/// A world with two plugins, `a` and `b`, and one controller.
pub(crate) struct Stage {
    pub(crate) world: World,
    complaints: Vec<String>,
}

/// Plays `scene` with the naive policy, which must fail, and with ours, which must not.
pub(crate) fn exhibit(habit: Habit, scene: impl Fn(&mut Stage)) {
    exhibit_in(&Traits::default(), habit, scene);
}

/// Plays `scene` in a world of which controllers are told more; and with the naive policy without
/// its habit, too, so that what it fails at is the habit's doing.
pub(crate) fn exhibit_in(traits: &Traits, habit: Habit, scene: impl Fn(&mut Stage)) {
    contrast(traits, habit, &scene);
    fair_in(traits, scene);
}

fn contrast(traits: &Traits, habit: Habit, scene: &impl Fn(&mut Stage)) {
    let naive =
        move |traits: &Traits| -> Box<dyn Controller> { Box::new(Naive::new(traits, [habit])) };
    let failed = play(traits, Box::new(naive), &[], scene);
    let stage = play(traits, Box::new(Ours::boxed), &[], scene);
    let complaints = stage.complaints();
    assert!(
        complaints.is_empty(),
        "ours fails: {}\n{}",
        complaints.join("\n"),
        news(stage.world.trace().story()),
    );
    let complaints = failed.complaints();
    println!("{habit:?} fails: {}", complaints.join("; "));
    assert!(
        !complaints.is_empty(),
        "the naive policy passes: {}",
        news(failed.world.trace().story()),
    );
}

/// Plays `scene` as [`exhibit`] does, where a fair small controller cannot do it at all, as to move
/// a group to another plugin.
pub(crate) fn exhibit_beyond(habit: Habit, scene: impl Fn(&mut Stage)) {
    contrast(&Traits::default(), habit, &scene);
}

/// Plays `scene` with our policy alone, which must not fail.
pub(crate) fn ours_in(traits: &Traits, scene: impl Fn(&mut Stage)) {
    let stage = play(traits, Box::new(Ours::boxed), &[], &scene);
    assert!(
        stage.complaints().is_empty(),
        "ours fails: {}\n{}",
        stage.complaints().join("\n"),
        news(stage.world.trace().story()),
    );
}

/// Plays `scene` with the naive policy without any weakness, which must not fail either.
pub(crate) fn fair(scene: impl Fn(&mut Stage)) {
    fair_in(&Traits::default(), scene);
}

fn fair_in(traits: &Traits, scene: impl Fn(&mut Stage)) {
    let naive = |traits: &Traits| -> Box<dyn Controller> { Box::new(Naive::new(traits, [])) };
    // The plain policy has no regard for the budget on the way back; that is no habit of its own.
    let stage = play(traits, Box::new(naive), &["budget"], &scene);
    assert!(
        stage.complaints().is_empty(),
        "without habits it fails, too: {}\n{}",
        stage.complaints().join("\n"),
        news(stage.world.trace().story()),
    );
}

fn play(
    traits: &Traits,
    maker: Box<infrakit_sim::controller::Maker>,
    forgiven: &'static [&'static str],
    scene: &impl Fn(&mut Stage),
) -> Stage {
    let mut park = Park::default();
    park.add("a", Provider::default());
    park.add("b", Provider::default());
    let mut stage = Stage {
        world: World::new(1, traits.clone(), park, maker).telling(),
        complaints: Vec::new(),
    };
    stage.world.forgive(forgiven);
    stage.world.start();
    scene(&mut stage);
    stage
}

/// A group of `size` like members on plugin `a`, of configuration `note`. A note with `sick` in it
/// makes members that never get well, one with `refused` is refused by the plugin.
pub(crate) fn cattle(size: u64, note: &str) -> String {
    herd(size, note, "")
}

/// A group of `size` like members on plugin `a`, with more properties; see [`spec`].
pub(crate) fn herd(size: u64, note: &str, more: &str) -> String {
    spec("a", &format!(r#"{{"Size":{size}}}"#), note, more)
}

/// A group of these named members on plugin `a`.
pub(crate) fn pets(ids: &[&str], note: &str) -> String {
    spec("a", &format!(r#"{{"LogicalIDs":{ids:?}}}"#), note, "")
}

/// A group of any kind; `more` is put behind the last of its properties, as `,"Updating":{…}`.
pub(crate) fn spec(plugin: &str, allocation: &str, note: &str, more: &str) -> String {
    format!(
        r#"{{"Instance":{{"Plugin":"{plugin}","Properties":{{"Note":"{note}"}}}},"Flavor":{{"Plugin":"f"}},"Allocation":{allocation}{more}}}"#
    )
}

/// Returns the hash that members of a spec carry.
pub(crate) fn hash_of(properties: &str) -> String {
    let properties = Any::parse(properties).expect("specs of exhibits are JSON");
    let spec = Spec::parse(Some(&properties)).expect("specs of exhibits are sound");
    spec.hash.to_string()
}

impl Stage {
    /// Notes that something that has to hold does not.
    pub(crate) fn demand(&mut self, holds: bool, what: impl Into<String>) {
        if !holds {
            self.complaints.push(what.into());
        }
    }

    fn complaints(&self) -> Vec<String> {
        let breaches = self.world.breaches().iter().map(ToString::to_string);
        breaches.chain(self.complaints.iter().cloned()).collect()
    }

    /// Returns a plugin, to change how it behaves.
    pub(crate) fn plugin(&mut self, name: &str) -> &mut Provider {
        self.world
            .park_mut()
            .get_mut(&name.into())
            .expect("a plugin of the stage")
    }

    /// Asks something of the controller; a refusal comes back.
    pub(crate) fn ask(&mut self, group: &str, operation: Operation) -> Result<String, String> {
        let reply = self.world.operate(&group.into(), operation);
        reply.unwrap_or_else(|| Err("no controller is there".to_owned()))
    }

    /// Asks something of the controller that it must grant.
    pub(crate) fn order(&mut self, group: &str, operation: Operation) {
        let what = format!("{operation:?}");
        if let Err(refusal) = self.ask(group, operation) {
            self.demand(false, format!("refused: {what}: {refusal}"));
        }
        self.seconds(1);
    }

    /// Commits a spec, which must be taken.
    pub(crate) fn commit(&mut self, group: &str, properties: &str) {
        let properties = properties.to_owned();
        self.order(group, Operation::Commit { properties });
    }

    /// Asks for a commit, and returns what is said to it.
    pub(crate) fn try_commit(&mut self, group: &str, properties: &str) -> Result<String, String> {
        let properties = properties.to_owned();
        self.ask(group, Operation::Commit { properties })
    }

    /// Lets time pass.
    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.world.run_for(seconds * SECOND);
    }

    /// Lets time pass until something is so. Returns whether it came to that in that time.
    pub(crate) fn until(&mut self, seconds: u64, so: impl Fn(&Self) -> bool) -> bool {
        for _ in 0..seconds {
            if so(self) {
                return true;
            }
            self.seconds(1);
        }
        so(self)
    }

    /// Makes a fault strike at its next `count` opportunities.
    pub(crate) fn force(&mut self, kind: Kind, count: u32) {
        let met = self.world.dice().met(kind);
        for at in met..met + count {
            self.world.dice().force(Strike { kind, at });
        }
    }

    /// Makes a fault strike at its next `count` opportunities, by this amount.
    pub(crate) fn force_by(&mut self, kind: Kind, count: u32, amount: u64) {
        let met = self.world.dice().met(kind);
        for at in met..met + count {
            self.world.dice().force_by(Strike { kind, at }, amount);
        }
    }

    /// Ends all faults, and waits until every group is as specified and stays so.
    pub(crate) fn settle(&mut self) {
        self.settle_within(30);
    }

    /// The same where it may take so many minutes.
    pub(crate) fn settle_within(&mut self, minutes: u64) {
        self.world.calm();
        self.world.arrive(minutes * MINUTE);
        self.world.stay_silent(5);
    }

    /// Settles, and demands that a group is of this spec then.
    pub(crate) fn settle_at(&mut self, properties: &str) {
        self.settle();
        let (count, new) = (self.count("g"), self.made_of("g", properties).len());
        self.demand(
            count == new,
            format!("{new} of {count} are as they should be"),
        );
    }

    /// Commits a spec and settles.
    pub(crate) fn found(&mut self, group: &str, properties: &str) {
        self.commit(group, properties);
        self.settle();
    }

    /// Returns the instances of a group, with their plugins.
    pub(crate) fn machines(&self, group: &str) -> Vec<(PluginName, Machine)> {
        let machines = self.world.park().of(group);
        machines
            .map(|(plugin, one)| (plugin.clone(), one.clone()))
            .collect()
    }

    /// Returns the ids of the instances of a group.
    pub(crate) fn ids(&self, group: &str) -> Vec<InstanceId> {
        let machines = self.world.park().of(group);
        machines.map(|(_, one)| one.id.clone()).collect()
    }

    /// Returns the ids of the instances of a group that are made of this spec.
    pub(crate) fn made_of(&self, group: &str, properties: &str) -> Vec<InstanceId> {
        let hash = hash_of(properties);
        let machines = self.world.park().of(group);
        let alike = machines.filter(|(_, one)| one.hash() == Some(hash.as_str()));
        alike.map(|(_, one)| one.id.clone()).collect()
    }

    /// Returns how many instances a group has in truth.
    pub(crate) fn count(&self, group: &str) -> usize {
        self.world.park().of(group).count()
    }

    /// Returns whether a group has no other members than so many of this spec.
    pub(crate) fn is_all(&self, group: &str, count: usize, properties: &str) -> bool {
        self.count(group) == count && self.made_of(group, properties).len() == count
    }

    /// Returns whether the controller in office says that a group is converged.
    pub(crate) fn converged(&self, group: &str) -> Option<bool> {
        let group = GroupId::from(group);
        self.world.leader()?.controller().converged(&group)
    }

    /// Returns what the controller in office says about a group.
    pub(crate) fn why(&self, group: &str) -> String {
        let group = GroupId::from(group);
        let leader = self.world.leader();
        leader.map_or_else(String::new, |life| life.controller().explain(&group))
    }

    /// Returns whether the story has a line with all these words in it.
    pub(crate) fn tells(&self, words: &[&str]) -> bool {
        let mut story = self.world.trace().story().iter();
        story.any(|line| words.iter().all(|word| line.text.contains(word)))
    }

    /// Deletes an instance behind everybody's back.
    pub(crate) fn delete(&mut self, id: &InstanceId) {
        let now = self.world.now();
        let mut gone = false;
        for name in ["a", "b"] {
            gone |= self.plugin(name).bury(id, now).is_some();
        }
        assert!(gone, "no instance `{id}`");
    }

    /// Changes how an instance really is.
    pub(crate) fn turn(&mut self, id: &InstanceId, truth: Truth) {
        for name in ["a", "b"] {
            self.world.turn(&name.into(), id, truth);
        }
    }

    /// Kills the controller; the next one starts a second later.
    pub(crate) fn crash(&mut self) {
        self.world.crash(SECOND);
        self.seconds(2);
    }

    /// Demands that none of these is gone.
    pub(crate) fn demand_alive(&mut self, group: &str, ids: &[InstanceId]) {
        let there = self.ids(group);
        for id in ids {
            self.demand(there.contains(id), format!("`{id}` is gone"));
        }
    }
}
