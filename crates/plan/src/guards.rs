//! Guards that can be taken out, to show that something goes wrong without them.
//!
//! A guard that can go without anybody noticing protects from nothing, or is not tried by anything.
//! So each can be taken out, in programs that are built for tests only: in a release each stands, and
//! asking for it costs nothing.

/// A rule that keeps the controller from doing harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Enough members go on serving.
    Floor,
    /// There are never more members than size and surge, those on their way out included.
    Room,
    /// A creation without an outcome counts as capacity for as long as its provider may take.
    Doubt,
    /// A list that lacks many at once is not believed at once.
    Losses,
    /// A list from before a member went does not bring it back.
    Tombstones,
    /// Nobody is destroyed for its health while too many are unhealthy at once.
    Breaker,
    /// A suspect is asked again before it counts as sick.
    Confirmation,
    /// What an earlier life decided is only done while there is a reason for it.
    Justification,
    /// Held members stay.
    Holds,
    /// The controller's own machine stays.
    Own,
    /// Creations pause after failures.
    Backoff,
    /// A creation that is answered with the id of another member is refused.
    Ids,
    /// A provider is asked no more often than its limits allow.
    Limits,
    /// A controller writes only as long as no other has taken the lead.
    Fencing,
}

impl Guard {
    /// All guards.
    pub const ALL: [Self; 14] = [
        Self::Floor,
        Self::Room,
        Self::Doubt,
        Self::Losses,
        Self::Tombstones,
        Self::Breaker,
        Self::Confirmation,
        Self::Justification,
        Self::Holds,
        Self::Own,
        Self::Backoff,
        Self::Ids,
        Self::Limits,
        Self::Fencing,
    ];

    /// Returns whether the guard stands.
    #[must_use]
    pub fn stands(self) -> bool {
        #[cfg(debug_assertions)]
        return out::OUT.get() != Some(self);
        #[cfg(not(debug_assertions))]
        return true;
    }
}

#[cfg(debug_assertions)]
mod out {
    use std::cell::Cell;

    use super::Guard;

    thread_local! {
        pub(super) static OUT: Cell<Option<Guard>> = const { Cell::new(None) };
    }

    /// Takes one guard out on this thread, or none.
    pub fn take_out(guard: Option<Guard>) {
        OUT.set(guard);
    }
}

#[cfg(debug_assertions)]
pub use out::take_out;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_stand_until_one_is_taken_out() {
        assert!(Guard::ALL.into_iter().all(Guard::stands));
        take_out(Some(Guard::Doubt));
        let standing = Guard::ALL.into_iter().filter(|guard| guard.stands());
        assert_eq!(standing.count(), Guard::ALL.len() - 1);
        assert!(!Guard::Doubt.stands());
        take_out(None);
        assert!(Guard::Doubt.stands());
    }
}
