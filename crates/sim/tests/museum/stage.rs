//! Where exhibits are played.

use infrakit_sim::controller::{Controller, Operation};
use infrakit_sim::faults::{Kind, Strike};
use infrakit_sim::ours::Ours;
use infrakit_sim::trace::news;
use infrakit_sim::world::{MINUTE, Machine, Park, Provider, SECOND, Traits, World};
use infrakit_spi::{GroupId, InstanceId, PluginName};

use crate::naive::{Habit, Naive};

/// A world with two plugins, `a` and `b`, and one controller.
pub(crate) struct Stage {
    pub(crate) world: World,
    complaints: Vec<String>,
}

/// Plays `scene` with the naive policy, which must fail, and with ours, which must not.
pub(crate) fn exhibit(habit: Habit, scene: impl Fn(&mut Stage)) {
    let naive =
        move |traits: &Traits| -> Box<dyn Controller> { Box::new(Naive::new(traits, [habit])) };
    let failed = play(Box::new(naive), &scene);
    let stage = play(Box::new(Ours::boxed), &scene);
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

/// Plays `scene` with the naive policy without any weakness, which must not fail either.
pub(crate) fn fair(scene: impl Fn(&mut Stage)) {
    let naive = |traits: &Traits| -> Box<dyn Controller> { Box::new(Naive::new(traits, [])) };
    let stage = play(Box::new(naive), &scene);
    assert!(
        stage.complaints().is_empty(),
        "{}\n{}",
        stage.complaints().join("\n"),
        news(stage.world.trace().story()),
    );
}

fn play(maker: Box<infrakit_sim::controller::Maker>, scene: &impl Fn(&mut Stage)) -> Stage {
    let mut park = Park::default();
    park.add("a", Provider::default());
    park.add("b", Provider::default());
    let mut stage = Stage {
        world: World::new(1, Traits::default(), park, maker).telling(),
        complaints: Vec::new(),
    };
    stage.world.start();
    scene(&mut stage);
    stage
}

/// A group of `size` like members on plugin `a`, of configuration `note`. A note with `sick` in it
/// makes members that never get well, one with `refused` is refused by the plugin.
pub(crate) fn cattle(size: u64, note: &str) -> String {
    spec("a", &format!(r#"{{"Size":{size}}}"#), note, "")
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

    /// Commits a spec, which must be taken.
    pub(crate) fn commit(&mut self, group: &str, properties: &str) {
        let operation = Operation::Commit {
            properties: properties.to_owned(),
        };
        if let Err(refusal) = self.ask(group, operation) {
            self.demand(false, format!("the commit is refused: {refusal}"));
        }
        self.seconds(1);
    }

    /// Lets time pass.
    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.world.run_for(seconds * SECOND);
    }

    /// Makes a fault strike at its next `count` opportunities.
    pub(crate) fn force(&mut self, kind: Kind, count: u32) {
        let met = self.world.dice().met(kind);
        for at in met..met + count {
            self.world.dice().force(Strike { kind, at });
        }
    }

    /// Ends all faults, and waits until every group is as specified and stays so.
    pub(crate) fn settle(&mut self) {
        self.world.calm();
        self.world.arrive(30 * MINUTE);
        self.world.stay_silent(5);
    }

    /// Returns the instances of a group, with their plugins.
    pub(crate) fn machines(&self, group: &str) -> Vec<(PluginName, Machine)> {
        let machines = self.world.park().of(group);
        machines
            .map(|(plugin, one)| (plugin.clone(), one.clone()))
            .collect()
    }

    /// Returns how many instances a group has in truth.
    pub(crate) fn count(&self, group: &str) -> usize {
        self.world.park().of(group).count()
    }

    /// Returns whether the controller in office says that a group is converged.
    pub(crate) fn converged(&self, group: &str) -> Option<bool> {
        let group = GroupId::from(group);
        self.world.leader()?.controller().converged(&group)
    }

    /// Deletes an instance behind everybody's back.
    pub(crate) fn delete(&mut self, plugin: &str, id: &InstanceId) {
        let now = self.world.now();
        let provider = self.plugin(plugin);
        assert!(provider.bury(id, now).is_some(), "no instance `{id}`");
    }
}
