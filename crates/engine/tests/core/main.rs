//! The core, event by event, with a world that answers at once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod again;
mod behaviours;
mod bench;
mod brake;
mod dead;
mod declared;
mod doubled;
mod doubt;
mod failures;
mod health;
mod hearing;
mod holds;
mod homes;
mod ids;
mod incarnations;
mod leaving;
mod left;
mod limits;
mod lives;
mod losses;
mod misnamed;
mod naming;
mod neighbours;
mod observers;
mod parts;
mod providers;
mod rates;
mod records;
mod remains;
mod repairs;
mod restarts;
mod returning;
mod reused;
mod rolling;
mod slots;
mod states;
mod successors;
mod suspension;
mod terms;
mod tokens;
mod trouble;
mod young;
