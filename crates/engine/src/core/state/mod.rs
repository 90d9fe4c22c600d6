//! What is known of each group: no rules here, only data and how it is kept.

pub(in crate::core) mod behaviours;
pub(in crate::core) mod brake;
pub(in crate::core) mod call_window;
pub(in crate::core) mod census;
pub(in crate::core) mod departures;
pub(in crate::core) mod effect;
pub(in crate::core) mod group;
pub(in crate::core) mod groups;
pub(in crate::core) mod history;
pub(in crate::core) mod kind_window;
pub(in crate::core) mod line;
pub(in crate::core) mod meter;
pub(in crate::core) mod observer;
pub(in crate::core) mod overrides;
pub(in crate::core) mod pace;
pub(in crate::core) mod rates;
pub(in crate::core) mod refused;
pub(in crate::core) mod remains;
pub(in crate::core) mod remembered;
pub(in crate::core) mod trouble;
pub(in crate::core) mod under_way;
pub(in crate::core) mod unfit;
pub(in crate::core) mod unwritten;
pub(in crate::core) mod waiting;
pub(in crate::core) mod young;
