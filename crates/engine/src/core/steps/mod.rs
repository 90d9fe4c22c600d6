//! What happens to it: one file per kind of event or request. Steps never import views.

pub(in crate::core) mod answers;
pub(in crate::core) mod behaviours;
pub(in crate::core) mod brake;
pub(in crate::core) mod calls;
pub(in crate::core) mod commands;
pub(in crate::core) mod commit;
pub(in crate::core) mod deeds;
pub(in crate::core) mod failed;
pub(in crate::core) mod freed;
pub(in crate::core) mod gone;
pub(in crate::core) mod homes;
pub(in crate::core) mod ids;
pub(in crate::core) mod journal;
pub(in crate::core) mod labels;
pub(in crate::core) mod lists;
pub(in crate::core) mod losses;
pub(in crate::core) mod misnamed;
pub(in crate::core) mod remains;
pub(in crate::core) mod restore;
pub(in crate::core) mod slots;
pub(in crate::core) mod suspension;
pub(in crate::core) mod term;
pub(in crate::core) mod transition;
pub(in crate::core) mod trouble;
pub(in crate::core) mod undo;
