//! Things that happen at a moment of their own.

use infrakit_spi::{GroupId, PluginName};

use crate::controller::Operation;
use crate::faults::Kind;
use crate::world::Truth;

/// Something that happens at a moment of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Somebody asks something of the controller.
    Operate(GroupId, Operation),
    /// Somebody asks for the end of one of the members.
    DestroyOne(GroupId, u64),
    /// Somebody puts a hand over one of the members.
    HoldOne(GroupId, u64),
    /// Somebody takes all such hands away.
    ReleaseAll(GroupId),
    /// An instance of some group is deleted behind everybody's back.
    Die(u64),
    /// An instance of some group changes.
    Turn(u64, Truth),
    /// So many in a thousand of a group's members change.
    TurnMany(GroupId, Truth, u64),
    /// Somebody makes an instance that is no group's.
    Stranger(PluginName),
    /// Somebody makes an instance with a group's tag and this config hash.
    HandMade(GroupId, PluginName, String),
    /// The machine that controllers run on becomes a member of a group.
    OwnMachine(GroupId, PluginName),
    /// The controller is killed, and started again after so long.
    Crash(u64),
    /// Another controller takes over; the old one learns of it after so long.
    TakeOver(u64),
    /// From now on faults strike at these rates.
    Rates(Vec<(Kind, u16)>),
    /// A plugin says that its list may have changed.
    Nudge(PluginName),
    /// Something befalls a provider, an observer or a controller.
    Incident(Incident),
}

/// Something that befalls a provider, an observer or a controller, for so long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incident {
    /// A plugin answers its lists with nobody, as one that lost its memory.
    Amnesia(PluginName, u64),
    /// The lists of a plugin do not show one of its zones.
    Zone(PluginName, u64, u64),
    /// All calls of a plugin fail; some of what it was asked happens nevertheless.
    Outage(PluginName, u64),
    /// A plugin cannot tell in which state its instances are.
    Haze(PluginName, u64),
    /// Health is told of nobody, or as bad of everybody.
    Dark(Observer, u64),
    /// One instance is said to be unhealthy, and is not.
    Slander(u64, u64),
    /// The controller is suspended: it hears and does nothing, and then all at once.
    Suspension(u64),
    /// The instances of a zone die together.
    Wipe(PluginName, u64),
}

/// How an observer of health fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observer {
    /// It does not answer.
    Silent,
    /// It says that nobody is healthy.
    Wrong,
}
