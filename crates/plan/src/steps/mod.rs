//! What a plan does, one file per step. Each takes from the ledger what it needs, or says what it
//! waits for.

pub(crate) mod adopt;
pub(crate) mod brake;
pub(crate) mod cattle;
pub(crate) mod checks;
pub(crate) mod conditions;
pub(crate) mod depart;
pub(crate) mod gates;
pub(crate) mod heal;
pub(crate) mod intents;
pub(crate) mod naming;
pub(crate) mod patience;
pub(crate) mod pets;
pub(crate) mod roll;
pub(crate) mod strangers;
