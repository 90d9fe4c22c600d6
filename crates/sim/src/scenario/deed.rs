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
}
