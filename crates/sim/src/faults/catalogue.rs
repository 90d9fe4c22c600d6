//! The catalogue of faults.

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A creation that never reaches the plugin.
    CreateLost,
    /// A creation that succeeds and whose answer is lost.
    CreateUnanswered,
    /// A creation that is given up and succeeds after that.
    CreateLate,
    /// A creation that is delivered twice.
    CreateTwice,
    /// A creation that is refused for a passing reason.
    CreateRefused,
    /// A creation that is refused because a quota is used up.
    CreateQuota,
    /// An instance that dies at birth.
    StillBorn,
    /// A destruction that never reaches the plugin.
    DestroyLost,
    /// A destruction that succeeds and whose answer is lost.
    DestroyUnanswered,
    /// A destruction that fails.
    DestroyFails,
    /// A destruction that is accepted and comes to nothing.
    DestroyForgotten,
    /// An instance that stays for long after its destruction was accepted.
    DestroySlow,
    /// A drain that takes long.
    DrainSlow,
    /// A drain that fails.
    DrainFails,
    /// A label that is not written.
    LabelFails,
    /// A label that shows late.
    LabelLags,
    /// A list that does not come.
    ListFails,
    /// A list that breaks off in the middle.
    ListTorn,
    /// A list that takes long.
    ListSlow,
    /// A list that shows what was there a while ago.
    ListStale,
    /// A list that shows what was there a while ago, after another has shown more.
    ListGoesBack,
    /// A verdict that does not come.
    CheckLost,
    /// A verdict that says the contrary of the truth.
    CheckLies,
    /// An answer that comes twice.
    AnswerTwice,
    /// The controller dies before it does the next thing.
    CrashBefore,
    /// The controller dies after it did a thing, before it hears what came of it.
    CrashAfter,
    /// The controller dies while it hears what came of a thing.
    CrashHearing,
    /// The power fails with that: what was not synced may be lost.
    PowerCut,
    /// The store refuses a transaction.
    WriteFails,
    /// The store takes long.
    WriteSlow,
    /// Another controller takes over, and the old one does not know.
    Takeover,
    /// The wall clock of the next life is another.
    ClockJump,
    /// A creation whose flavor cannot prepare it.
    PrepareFails,
    /// A creation that is answered with the id of another instance.
    ForeignId,
    /// A label that is acknowledged and never shows.
    LabelIgnored,
}

/// What the catalogue says of a kind of fault.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// The kind.
    pub kind: Kind,
    /// Its name on the command line and in stories.
    pub name: &'static str,
    /// How often it strikes at most in an episode, in 1000 opportunities.
    pub most: u16,
}

const fn fault(kind: Kind, name: &'static str, most: u16) -> Fault {
    Fault { kind, name, most }
}

/// All kinds of faults, in the order of [`Kind`].
pub const CATALOGUE: [Fault; 35] = [
    fault(Kind::CreateLost, "create-lost", 200),
    fault(Kind::CreateUnanswered, "create-unanswered", 200),
    fault(Kind::CreateLate, "create-late", 200),
    fault(Kind::CreateTwice, "create-twice", 50),
    fault(Kind::CreateRefused, "create-refused", 300),
    fault(Kind::CreateQuota, "create-quota", 300),
    fault(Kind::StillBorn, "still-born", 300),
    fault(Kind::DestroyLost, "destroy-lost", 200),
    fault(Kind::DestroyUnanswered, "destroy-unanswered", 200),
    fault(Kind::DestroyFails, "destroy-fails", 300),
    fault(Kind::DestroyForgotten, "destroy-forgotten", 200),
    fault(Kind::DestroySlow, "destroy-slow", 300),
    fault(Kind::DrainSlow, "drain-slow", 300),
    fault(Kind::DrainFails, "drain-fails", 300),
    fault(Kind::LabelFails, "label-fails", 300),
    fault(Kind::LabelLags, "label-lags", 300),
    fault(Kind::ListFails, "list-fails", 300),
    fault(Kind::ListTorn, "list-torn", 100),
    fault(Kind::ListSlow, "list-slow", 200),
    fault(Kind::ListStale, "list-stale", 300),
    fault(Kind::ListGoesBack, "list-goes-back", 200),
    fault(Kind::CheckLost, "check-lost", 200),
    fault(Kind::CheckLies, "check-lies", 600),
    fault(Kind::AnswerTwice, "answer-twice", 100),
    fault(Kind::CrashBefore, "crash-before", 40),
    fault(Kind::CrashAfter, "crash-after", 40),
    fault(Kind::CrashHearing, "crash-hearing", 10),
    fault(Kind::PowerCut, "power-cut", 500),
    fault(Kind::WriteFails, "write-fails", 100),
    fault(Kind::WriteSlow, "write-slow", 200),
    fault(Kind::Takeover, "takeover", 30),
    fault(Kind::ClockJump, "clock-jump", 500),
    fault(Kind::PrepareFails, "prepare-fails", 300),
    fault(Kind::ForeignId, "foreign-id", 50),
    fault(Kind::LabelIgnored, "label-ignored", 300),
];

/// The first so many kinds; what came later is not drawn in worlds of before.
pub const FORMER: usize = 32;

impl Kind {
    /// Returns what the catalogue says of the kind.
    #[must_use]
    pub fn fault(self) -> Fault {
        CATALOGUE[self as usize]
    }

    /// Returns the name of the kind.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.fault().name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_in_order() {
        for (index, fault) in CATALOGUE.iter().enumerate() {
            assert_eq!(fault.kind as usize, index, "{}", fault.name);
        }
    }
}
