//! Terms: who leads, and how a controller that no longer does is kept from doing anything.
//!
//! Whoever takes the lead writes the next term, provided that nobody else has meanwhile. From then
//! on each of its writes holds only as long as that record stands, and everything that is done
//! waits for a write: the first write that is refused ends a former leader.

use infrakit_store::{Change, Expected, Key, Revision, Store};

use crate::records::{TERM, TermRecord, put};

/// An attempt to take the lead.
#[derive(Clone, Debug)]
pub struct Claim {
    number: u64,
    change: Change,
}

/// A term in which a controller leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    number: u64,
    /// The transaction that wrote its record.
    revision: Revision,
}

impl Claim {
    /// Returns the claim to the term after the one in the store. `owner` names the claimant.
    #[must_use]
    pub fn next(store: &dyn Store, owner: &str) -> Self {
        let key = Key::from(TERM);
        let found = store.get(&key);
        let record = found
            .as_ref()
            .and_then(|found| found.value.decode::<TermRecord>().ok());
        let number = record.map_or(1, |record| record.term + 1);
        let expected = found.map_or(Expected::Absent, |found| Expected::Revision(found.revision));
        let owner = owner.to_owned();
        let value = TermRecord {
            term: number,
            owner,
        };
        Self {
            number,
            change: put(key, &value).expecting(expected),
        }
    }

    /// Returns what to write, durably. The store refuses it if somebody else was faster.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        vec![self.change.clone()]
    }

    /// Returns the term, given the transaction that wrote it.
    #[must_use]
    pub fn won(self, revision: Revision) -> Term {
        Term {
            number: self.number,
            revision,
        }
    }
}

impl Term {
    /// Returns its number: it grows with each controller that takes the lead.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the condition that this term is still the last one.
    pub(in crate::core) fn check(&self) -> Change {
        Change::check(TERM, Expected::Revision(self.revision))
    }
}
