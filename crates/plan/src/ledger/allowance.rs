//! What the plugins of a group let it begin now: free slots for calls, and what rate limits leave.
//!
//! A plan begins no more than that. What it does not begin is not noted anywhere: it is decided anew
//! when there is room, so that a correction or a recovery in the meantime takes it back.

use std::collections::BTreeMap;

use infrakit_spi::PluginName;

use crate::Timestamp;

/// What a group may begin now, by plugin. A plugin that is not named limits nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowance(BTreeMap<PluginName, Room>);

/// What one plugin lets a group begin now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Calls that change something, whichever they are; `None` for no limit.
    pub calls: Option<usize>,
    /// What is left of creations.
    pub creates: Quota,
    /// What is left of destructions.
    pub destroys: Quota,
    /// What is left of labels.
    pub labels: Quota,
}

/// What limits of its own leave of one kind of call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Calls that may begin beside those under way; `None` where only the plugin's calls in all count.
    pub slots: Option<usize>,
    /// What its rate limit leaves; `None` for no limit.
    pub left: Option<usize>,
    /// When the next one may be made, where none may now.
    pub next: Timestamp,
}

/// A kind of call that draws from an allowance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallKind {
    /// A creation.
    Create,
    /// A destruction, its drain included.
    Destroy,
    /// Labels.
    Label,
    /// A drain alone, or a step of repair: no provider is known to limit their rate.
    Other,
}

impl CallKind {
    /// Returns the word for several of them.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Create => "creations",
            Self::Destroy => "destructions",
            Self::Label => "labels",
            Self::Other => "calls",
        }
    }
}

/// Why a call cannot be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scarce {
    /// As many calls of the plugin are under way as may be: of this kind, or in all.
    Slots(Option<CallKind>),
    /// The rate limit of this kind is reached until then.
    Rate(CallKind, Timestamp),
}

impl Room {
    /// Draws one call.
    ///
    /// # Errors
    /// Returns what there is none left of; nothing is drawn then.
    pub fn draw(&mut self, kind: CallKind) -> Result<(), Scarce> {
        let quota = match kind {
            CallKind::Create => Some(&mut self.creates),
            CallKind::Destroy => Some(&mut self.destroys),
            CallKind::Label => Some(&mut self.labels),
            CallKind::Other => None,
        };
        // A rate limit is named before a want of slots: it lasts longer, and tells until when.
        if let Some(Quota {
            left: Some(0),
            next,
            ..
        }) = quota
        {
            return Err(Scarce::Rate(kind, *next));
        }
        if self.calls == Some(0) {
            return Err(Scarce::Slots(None));
        }
        if quota.as_ref().is_some_and(|quota| quota.slots == Some(0)) {
            return Err(Scarce::Slots(Some(kind)));
        }
        let own = quota.map(|quota| [quota.left.as_mut(), quota.slots.as_mut()]);
        let own = own.into_iter().flatten().flatten();
        for left in own.chain(self.calls.as_mut()) {
            *left -= 1;
        }
        Ok(())
    }
}

impl Allowance {
    /// Sets what a plugin lets the group begin.
    pub fn set(&mut self, plugin: PluginName, room: Room) {
        self.0.insert(plugin, room);
    }

    /// Returns whether nothing but slots for calls is limited.
    #[must_use]
    pub fn is_unmetered(&self) -> bool {
        self.0.values().all(|room| {
            let quotas = [room.creates, room.destroys, room.labels];
            quotas.iter().all(|quota| quota.left.is_none())
        })
    }

    /// Returns whether there is a call left of a plugin.
    pub(crate) fn takes(&self, plugin: &PluginName, kind: CallKind) -> bool {
        let room = self.0.get(plugin).copied();
        room.is_none_or(|mut room| room.draw(kind).is_ok())
    }

    /// Returns how many destructions of a plugin its rate limit leaves; `None` for no limit.
    pub(crate) fn destroys_left(&self, plugin: &PluginName) -> Option<usize> {
        self.0.get(plugin)?.destroys.left
    }

    /// Draws a call of a plugin.
    pub(crate) fn draw(&mut self, plugin: &PluginName, kind: CallKind) -> Result<(), Scarce> {
        match self.0.get_mut(plugin) {
            Some(room) => room.draw(kind),
            None => Ok(()),
        }
    }
}

impl<const N: usize> From<[(PluginName, Room); N]> for Allowance {
    fn from(rooms: [(PluginName, Room); N]) -> Self {
        Self(rooms.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: Timestamp = Timestamp(7);

    fn quota(left: usize) -> Quota {
        Quota {
            left: Some(left),
            next: LATER,
            ..Quota::default()
        }
    }

    #[test]
    fn each_kind_draws_from_its_own_rate_and_all_from_the_slots() {
        use CallKind::{Create, Destroy, Label, Other};
        let mut room = Room {
            calls: Some(4),
            creates: quota(2),
            destroys: quota(0),
            labels: Quota::default(),
        };
        let results = [Create, Destroy, Create, Create, Label, Other, Other, Create]
            .map(|kind| room.draw(kind).err());
        let rate = |kind| Some(Scarce::Rate(kind, LATER));
        let slots = Some(Scarce::Slots(None));
        assert_eq!(
            results,
            [
                None,
                rate(Destroy),
                None,
                rate(Create),
                None,
                None,
                slots,
                rate(Create)
            ]
        );
    }

    #[test]
    fn a_kind_may_have_slots_of_its_own() {
        use CallKind::{Create, Destroy};
        let mut room = Room {
            calls: Some(3),
            creates: Quota {
                slots: Some(1),
                ..Quota::default()
            },
            ..Room::default()
        };
        let results = [Create, Create, Destroy, Destroy, Create].map(|kind| room.draw(kind).err());
        let full = Some(Scarce::Slots(Some(Create)));
        assert_eq!(results, [None, full, None, None, Some(Scarce::Slots(None))]);
    }

    #[test]
    fn a_plugin_that_is_not_named_limits_nothing() {
        let mut allowance = Allowance::from([(
            "slow".into(),
            Room {
                calls: Some(0),
                ..Room::default()
            },
        )]);
        let full = allowance.draw(&"slow".into(), CallKind::Other);
        assert_eq!(full, Err(Scarce::Slots(None)));
        assert_eq!(allowance.draw(&"quick".into(), CallKind::Create), Ok(()));
        assert!(allowance.is_unmetered());
    }
}
