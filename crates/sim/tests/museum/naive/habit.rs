//! The weaknesses that the naive controller can be given, one at a time.

/// A weakness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Habit {
    // What it makes of lists and answers.
    /// Takes a creation that is not answered in 15 s for a failed one, and begins another.
    BlindRetry,
    /// Takes a list that did not come for an empty one.
    TrustsFailedLists,
    /// Forgets what it has just made when a list does not show it yet.
    BelievesStaleLists,
    /// Takes a member for gone as soon as its plugin agrees to destroy it.
    GoneWhenAccepted,
    /// Asks plugins for all that they have, and takes it for its own.
    ListsEverybody,

    // What it does about failures.
    /// Tries again at every look.
    NoBackoff,
    /// Tries again what can never work.
    LoopsOnConfigErrors,
    /// Takes every failure for a mistake in the spec.
    StopsAtAnyError,
    /// Waits with all groups when one of them fails.
    OneBackoff,
    /// Ends a rollout at the first call that fails.
    GivesUp,
    /// Does not mind how much it makes in a minute.
    NoGovernor,
    /// Does not mind how many there are.
    NoCeiling,

    // Health.
    /// Destroys whoever got one bad verdict.
    HealsAtOnce,
    /// Leaves the sick as they are.
    NeverHeals,
    /// Counts bad verdicts on members that are still booting.
    NoGrace,
    /// Replaces the sick however many there are.
    NoBreaker,
    /// Replaces nobody when more than a fifth is sick.
    TwentyPercent,
    /// Replaces members that a repair has made well.
    DeletesAfterRepair,
    /// Repairs again and again what a repair does not help.
    RebootsForEver,
    /// Makes members only while most of them are there.
    WaitsForAMajority,

    // Rolling.
    /// Rolls everybody at once.
    RollsAllAtOnce,
    /// Destroys before it creates, whatever the spec says.
    DestroysFirst,
    /// Rounds budgets up.
    RoundsUp,
    /// Has a budget for healing and another one for rolling.
    BudgetPerReason,
    /// Forgets to grow when the same spec is committed again in mid-rollout.
    LosesGrowth,
    /// Lets a second update begin beside the first.
    TwoUpdaters,
    /// Lets the end of a first update end the second one, too.
    SecondUpdateDies,
    /// Waits for the health of new members without end.
    WaitsForEver,
    /// Waits for the health of those that are to go, too, and leaves the sick as they are.
    WaitsForTheBroken,
    /// Takes the first commit of its life for what is there already.
    FirstCommitIsTheTruth,
    /// Compares specs letter by letter.
    HashesText,
    /// Drains old members as if they were of the new configuration.
    DrainsAsTheNew,
    /// Rolls members that nobody was shown.
    RollsWhateverComes,
    /// Knows of no stages.
    IgnoresStages,
    /// Takes one approval for all of them.
    OneApprovalForAll,
    /// Forgets over a restart which stage it was in.
    ForgetsTheCanary,
    /// Makes members from the new configuration whatever the stage allows.
    ReplacesFromTheNew,
    /// Touches members that a person has put a hand over.
    IgnoresHolds,
    /// Goes on rolling when it is told to pause.
    IgnoresPauses,
    /// Replaces the machine that it runs on.
    KillsItself,

    // Going back.
    /// Goes back in the stages of the way forth.
    RollbackInStages,
    /// Goes back without a budget.
    RollbackAllAtOnce,
    /// Replaces those that match already when it goes back.
    RollbackReplacesAll,
    /// Goes back to the new configuration.
    RollsBackToTheNew,
    /// Cannot go back at all.
    NoRollback,

    // Homes and identities.
    /// Takes the new plugin's list for the whole group when the plugin changes.
    ForgetsTheFormerPlugin,
    /// Destroys members without identity when identities are asked for.
    DestroysNameless,
    /// Lets the list of identities never change.
    NamesForEver,
    /// Leaves it at two members of one identity.
    ToleratesDuplicates,

    // Scaling and people.
    /// Lets the members with the lowest ids go.
    LowestIdFirst,
    /// Lowers the size by the number of ids named, whoever they are.
    CountsStrangers,
    /// Refuses a size of 0.
    RefusesNobody,
    /// Takes specs that it does not understand.
    TakesAnything,
    /// Says that all is well when nothing is under way.
    SaysConverged,
    /// Says nothing about what it does.
    SaysNothing,
    /// Shows how much a commit would do, and not to whom.
    ShowsNoNames,
    /// Shows, and does, the destruction of everybody when a size becomes identities.
    ShowsTheWorst,
    /// Gives the size for the position of each member.
    NumbersBySize,
    /// Does nothing else until all labels are written.
    LabelsFirst,

    // Time, and what is kept.
    /// Keeps nothing over a restart.
    ForgetsAll,
    /// Keeps the specs as they were committed, not as they were scaled.
    ForgetsTheSize,
    /// Takes up no more than 45 groups.
    TakesUpFew,
    /// Acts at once after a restart, without a record of what is under way.
    NoJournal,
    /// Leaves a lock behind when it dies.
    LocksTheGroup,
    /// Forgets a group before its members are gone.
    ForgetsFirst,
    /// Does one thing at a time.
    OneAtATime,
    /// Begins the next creations when the last ones are all done.
    WaitsForTheBatch,
}
