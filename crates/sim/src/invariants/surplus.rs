//! Where there are too many, the sick go first.

use infrakit_spi::flavor::Health;
use infrakit_spi::{InstanceId, PluginName};

use crate::controller::Ask;
use crate::judge::{Scene, Victim};
use crate::world::{SECOND, Truth};

/// Whoever was asked to go so lately goes no later than the others, be it that the call was lost.
const ASKED: u64 = 10 * SECOND;

/// That somebody who serves goes, and somebody who is sick may stay.
#[derive(Clone, Debug)]
pub struct Suspicion {
    /// When.
    pub at: u64,
    /// Who is sick.
    pub sick: (PluginName, InstanceId),
    /// What is wrong, if it stays.
    pub what: String,
}

/// Nobody who serves goes because there are too many while another stays that has been sick for
/// longer than it takes to find out. No restart forgets that.
pub fn spared_sick(scene: &Scene<'_>, ask: &Ask) -> Option<Suspicion> {
    let victim = Victim::of(scene, ask)?;
    let Victim { group, id, why, .. } = victim;
    let serves = victim.is_innocent() && victim.machine.serves(scene.now);
    // Of two that are said to be sick either may be the first.
    let said = victim.verdict == Health::Unhealthy;
    // Who was asked before goes on: it is drained, and the first call may still take effect, be it that it
    // seems to be lost.
    let asked = |place: &(PluginName, InstanceId)| scene.ledger.asked_to_go.get(place);
    let own = (victim.plugin.clone(), id.clone());
    let before = asked(&own).is_some_and(|asked| asked.first < scene.now);
    let again = victim.machine.served.is_some() || before;
    if !serves || said || again || victim.requested || victim.promise.ids.is_some() {
        return None;
    }
    let (home, sick) = scene.staying(group).find(|(plugin, one)| {
        let place = ((*plugin).clone(), one.id.clone());
        let long = one
            .ill_since
            .is_some_and(|since| since + scene.age < scene.now);
        let told = scene.ledger.verdicts.get(&place) == Some(&Health::Unhealthy);
        let spared = scene.ledger.told.may_be_held(group, &one.id)
            || (scene.ledger.own.is_some() && one.logical_id == scene.ledger.own);
        // The call may have been lost on its way; or it was refused, and whether somebody else has the id by
        // now a list has to tell that is late enough.
        let known = |last: u64| last + ASKED + scene.age;
        let spared = spared || asked(&place).is_some_and(|asked| known(asked.last) >= scene.now);
        let sick = one.truth != Truth::Well && long && told;
        // Nor need anybody know of one that lists do not show.
        sick && !spared && !scene.may_be_missed(group, (plugin, one))
    })?;
    Some(Suspicion {
        at: scene.now,
        sick: (home.clone(), sick.id.clone()),
        what: format!(
            "`{id}` of `{group}` serves and is destroyed ({why}), and `{}` is sick and stays",
            sick.id
        ),
    })
}
