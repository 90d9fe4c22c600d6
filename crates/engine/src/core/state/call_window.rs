//! The window of calls of one plugin: how many may be under way at once, and whose turn it is.
//!
//! The window grows while answers stay as quick as the quickest were, which shows that the plugin
//! has room, and shrinks when calls are given up. It is slow start and multiplicative decrease, as
//! in TCP (RFC 5681), with latency as the sign of congestion, as in TCP Vegas (1994).
//!
//! A plugin may say how many creations, or destructions, are safe at once. Each of these kinds has a
//! limit of its own then, beside that of the window: a creation that takes an hour keeps no
//! destruction waiting.
//!
//! A plan begins no more calls than there are slots. Who finds none stands in line, and is planned
//! for anew when it is its turn. So that a quick plugin need not wait for the disk after each call, a
//! little more may be written down than fits in the window; what waits can be withdrawn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use infrakit_plan::{CallKind, Timestamp};
use infrakit_spi::behaviour::{Behaviour, Operation};
use infrakit_spi::{GroupId, PluginName};

use crate::core::state::kind_window::KindWindow;
use crate::core::state::line::Line;
use crate::core::state::pace::{Pace, STALE};
use crate::core::{Call, Target};

/// Calls at once to begin with. A plugin that answers within 10 ms needs no more (`QUICK`); at one that
/// takes minutes, no more than these are begun before anything is known of it.
const FIRST: usize = 128;
/// Calls at once at most. Each is a connection of about 16 KiB on either side: 32 MiB in this process, and
/// as much in the plugin.
const MOST: usize = 2048;
/// Calls at once at least: a plugin that answers only now and then has to be noticed when it is
/// well again, and one call of several may be the one that hangs.
const LEAST: usize = 8;
/// Calls at once at most of a plugin that declares how many creations a second it takes: at 40 a second
/// of 60 s each it is 2,400, which has to fit. Twice `MOST`: 64 MiB.
const MOST_METERED: usize = 4096;
/// A plugin that answers within this time is busy enough with the first window: 128 calls of 10 ms
/// are 12,800 a second, and more connections would only cost memory.
const QUICK: Duration = Duration::from_millis(10);

/// What shares a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::core) enum WindowKey {
    /// Creations, destructions, repairs and labels of an instance plugin.
    Instances(PluginName),
    /// Health checks of a flavor plugin.
    Health(PluginName),
}

impl WindowKey {
    pub(in crate::core) fn of(call: &Call) -> Self {
        match call {
            Call::Provision { spec, .. } => Self::Instances(spec.instance.plugin.clone()),
            Call::Destroy { subject, .. }
            | Call::Drain { subject, .. }
            | Call::Repair { subject, .. }
            | Call::Label { subject, .. } => Self::Instances(subject.plugin.clone()),
            Call::Check { spec, .. } => Self::Health(spec.flavor.plugin.clone()),
        }
    }
}

/// How a call ended, as far as it tells how busy the plugin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Ending {
    /// It succeeded.
    Answered,
    /// It was refused. How quickly says nothing of how quickly the plugin works.
    Refused,
    /// It was given up, or could not be delivered.
    GivenUp,
}

/// The calls of one plugin.
#[derive(Debug)]
pub(in crate::core) struct CallWindow {
    /// Calls that were begun and have not ended: being written down, waiting, or under way.
    claimed: usize,
    /// Those of them that create.
    creations: KindWindow,
    /// Those of them that destroy.
    destructions: KindWindow,
    /// Calls that may begin as soon as there is a slot, and since when they wait.
    waiting: VecDeque<(Timestamp, Call)>,
    running: usize,
    window: usize,
    /// When the window was full last.
    filled: Timestamp,
    most: usize,
    /// The operator's limit, if there is one.
    set: Option<usize>,
    /// Whether a declared rate keeps the plugin from being asked too much, instead of the window.
    metered: bool,
    /// The quickest answer to each kind of call: labels tell nothing of creations.
    quickest: BTreeMap<CallKind, Duration>,
    pace: Pace,
    line: Line,
}

impl CallWindow {
    /// Creates a window of at most `most` calls at once; 0 leaves it to the window.
    pub(in crate::core) fn new(most: usize) -> Self {
        let set = (most > 0).then_some(most);
        let most = set.unwrap_or(MOST);
        Self {
            claimed: 0,
            creations: KindWindow::default(),
            destructions: KindWindow::default(),
            waiting: VecDeque::new(),
            running: 0,
            window: FIRST.min(most),
            filled: Timestamp::default(),
            most,
            set,
            metered: false,
            quickest: BTreeMap::new(),
            pace: Pace::default(),
            line: Line::default(),
        }
    }

    /// Keeps to what the plugin declares. How many calls at once one may have that says how many
    /// creations a second it takes follows from how long they take; it need not be found out.
    pub(in crate::core) fn bound(&mut self, behaviour: &Behaviour) {
        let metered = behaviour.limits_of(Operation::Create).next().is_some();
        let most = if metered { MOST_METERED } else { MOST };
        self.most = self.set.unwrap_or(most);
        self.creations.bound(behaviour.safe_parallel.create);
        self.destructions.bound(behaviour.safe_parallel.destroy);
        if metered && !self.metered {
            self.window = self.most;
        }
        self.metered = metered;
        self.window = self.window.min(self.most);
    }

    /// Returns how many calls a plan for this group may begin.
    pub(in crate::core) fn room_for(&self, group: &GroupId, now: Timestamp) -> usize {
        let free = self.free(now);
        // Who has its turn at what is rarer need not stand in two lines.
        let mut kinds = [&self.creations, &self.destructions].into_iter();
        if kinds.any(|kind| kind.has_turn_of(group)) {
            return free;
        }
        self.line.room_for(group, free)
    }

    /// Returns how many calls of a kind a plan for this group may begin; `None` where nothing but the
    /// window limits them.
    pub(in crate::core) fn room_of(
        &self,
        kind: CallKind,
        group: &GroupId,
        now: Timestamp,
    ) -> Option<usize> {
        self.of(kind)?.room_for(group, now)
    }

    fn of(&self, kind: CallKind) -> Option<&KindWindow> {
        match kind {
            CallKind::Create => Some(&self.creations),
            CallKind::Destroy => Some(&self.destructions),
            CallKind::Label | CallKind::Other => None,
        }
    }

    fn of_mut(&mut self, kind: CallKind) -> Option<&mut KindWindow> {
        match kind {
            CallKind::Create => Some(&mut self.creations),
            CallKind::Destroy => Some(&mut self.destructions),
            CallKind::Label | CallKind::Other => None,
        }
    }

    /// Returns how many calls may begin, whoever comes.
    pub(in crate::core) fn free(&self, now: Timestamp) -> usize {
        (self.window + self.pace.ahead(now)).saturating_sub(self.claimed)
    }

    /// Notes a call that a plan begins.
    pub(in crate::core) fn claim(&mut self, kind: CallKind) {
        self.claimed += 1;
        if let Some(kind) = self.of_mut(kind) {
            kind.claim();
        }
    }

    /// Takes back the claim of a call that never began, or has ended.
    pub(in crate::core) fn release(&mut self, kind: CallKind) {
        self.claimed = self.claimed.saturating_sub(1);
        if let Some(kind) = self.of_mut(kind) {
            kind.release();
        }
    }

    /// Takes in a call that was claimed and may begin.
    pub(in crate::core) fn push(&mut self, call: Call, now: Timestamp) {
        self.waiting.push_back((now, call));
    }

    /// Returns the next call to start, if one may be started now.
    pub(in crate::core) fn next(&mut self, now: Timestamp) -> Option<Call> {
        self.note_filled(now);
        if self.running >= self.window {
            return None;
        }
        let may =
            |(_, call): &(Timestamp, Call)| self.of(call.kind()).is_none_or(KindWindow::takes);
        let first = self.waiting.iter().position(may)?;
        let (_, call) = self.waiting.remove(first)?;
        self.running += 1;
        if let Some(kind) = self.of_mut(call.kind()) {
            kind.start();
        }
        Some(call)
    }

    fn note_filled(&mut self, now: Timestamp) {
        if self.running >= self.window {
            self.filled = now;
        }
    }

    /// Notes that a call of a kind has ended.
    pub(in crate::core) fn ended(
        &mut self,
        kind: CallKind,
        (took, ending): (Duration, Ending),
        now: Timestamp,
    ) {
        self.note_filled(now);
        // Of answers that come together only the first finds it full: what counts is whether there were
        // slots enough while this call was under way, as in RFC 7661 for a sender with little to send.
        let full = self.filled + took >= now;
        self.forget(kind);
        match ending {
            Ending::GivenUp => {
                self.window = (self.window / 2).max(LEAST.min(self.most));
            }
            Ending::Refused => {}
            Ending::Answered => {
                self.pace.note(now);
                if let Some(kind) = self.of_mut(kind) {
                    kind.note(now);
                }
                let quickest = self.quickest.entry(kind).or_insert(took);
                *quickest = took.min(*quickest);
                let quickest = *quickest;
                // Half as long again is within what answers differ by; a millisecond is noise of the machine.
                let as_quick = took <= quickest + quickest / 2 + Duration::from_millis(1);
                if full && quickest > QUICK && as_quick {
                    self.window = (self.window + 1).min(self.most);
                }
            }
        }
    }

    /// Frees the slot of a call whose end nobody will tell.
    pub(in crate::core) fn forget(&mut self, kind: CallKind) {
        self.running = self.running.saturating_sub(1);
        self.release(kind);
        if let Some(kind) = self.of_mut(kind) {
            kind.end();
        }
    }

    /// Takes out the calls of a group that wait for a slot; checks of health stay.
    pub(in crate::core) fn withdraw(&mut self, target: &Target) -> Vec<Call> {
        let about = |call: &Call| subject_group(call).is_some_and(|own| own == target);
        if !self.waiting.iter().any(|(_, call)| about(call)) {
            return Vec::new();
        }
        let (taken, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(_, call)| about(call));
        self.waiting = rest.into();
        let taken = taken.into_iter().map(|(_, call)| call);
        taken.inspect(|call| self.release(call.kind())).collect()
    }

    /// Returns the groups that have calls of a kind wait for a slot.
    pub(in crate::core) fn waiting(&self, kind: CallKind) -> BTreeSet<Target> {
        let alike = self.waiting.iter().map(|(_, call)| call);
        let alike = alike.filter(|call| call.kind() == kind);
        alike.filter_map(subject_group).cloned().collect()
    }

    /// Returns the groups whose calls have waited for too long.
    pub(in crate::core) fn stale(&self, now: Timestamp) -> BTreeSet<Target> {
        let old = self.waiting.iter();
        let old = old.take_while(|(since, _)| *since + STALE <= now);
        old.filter_map(|(_, call)| subject_group(call).cloned())
            .collect()
    }

    /// Returns when the call that waits longest will have waited for too long.
    pub(in crate::core) fn stale_at(&self) -> Option<Timestamp> {
        let mut waiting = self.waiting.iter();
        let oldest = waiting.find(|(_, call)| subject_group(call).is_some());
        oldest.map(|(since, _)| *since + STALE)
    }

    /// Has a group stand in line for slots, or for those of one kind of call.
    pub(in crate::core) fn stand_in_line(&mut self, kind: Option<CallKind>, group: &GroupId) {
        match kind.and_then(|kind| self.of_mut(kind)) {
            Some(kind) => kind.stand_in_line(group),
            None => self.line.join(group),
        }
    }

    /// Returns whether a group stands in line that could have its turn.
    pub(in crate::core) fn has_turn(&self) -> bool {
        let kinds = [&self.creations, &self.destructions];
        let waits = !self.line.is_empty() || kinds.iter().any(|kind| kind.has_turn());
        waits && self.claimed < self.window
    }

    /// Gives slots that are free to those who stand first in line, and returns them: they are to be
    /// planned for.
    pub(in crate::core) fn turns(&mut self, now: Timestamp) -> BTreeSet<GroupId> {
        let free = self.free(now);
        let mut turns = self.line.give(free);
        turns.append(&mut self.creations.turns(free, now));
        turns.append(&mut self.destructions.turns(free, now));
        turns
    }

    /// Ends the turns that were given; who has not got enough stands in line again.
    pub(in crate::core) fn end_turns(&mut self) {
        self.line.end_turns();
        self.creations.end_turns();
        self.destructions.end_turns();
    }

    /// Drops everything that waits.
    pub(in crate::core) fn close(&mut self) {
        self.waiting.clear();
        self.line = Line::default();
        self.creations.close();
        self.destructions.close();
    }
}

/// Returns the group that a call changes something for.
fn subject_group(call: &Call) -> Option<&Target> {
    match call {
        Call::Provision { target, .. } => Some(target),
        _ => call.changes().map(|subject| &subject.target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::state::line::TURN;

    const LONG: Duration = Duration::from_millis(500);

    fn at(millis: u64) -> Timestamp {
        Timestamp(1_000_000_000_000 + millis * 1_000_000)
    }

    fn full(window: &mut CallWindow) {
        window.running = window.window;
        window.claimed = window.window;
    }

    #[test]
    fn the_window_grows_while_answers_stay_quick() {
        let mut window = CallWindow::new(0);
        for _ in 0..FIRST {
            full(&mut window);
            window.ended(CallKind::Create, (LONG, Ending::Answered), at(0));
        }
        assert_eq!(window.window, 2 * FIRST);
        full(&mut window);
        window.ended(CallKind::Create, (LONG * 2, Ending::Answered), at(0));
        assert_eq!(window.window, 2 * FIRST);
    }

    /// Of hundreds of creations that take a minute many are answered before the next plan is made.
    #[test]
    fn the_window_grows_with_each_of_the_answers_that_come_together() {
        let mut window = CallWindow::new(0);
        full(&mut window);
        assert_eq!(window.next(at(0)).map(drop), None);
        for _ in 0..FIRST {
            let made = (LONG, Ending::Answered);
            window.ended(CallKind::Create, made, at(500));
        }
        assert_eq!(window.window, 2 * FIRST);
        // Two calls at a time fill it no longer.
        for second in 1..100 {
            window.running = 2;
            let made = (LONG, Ending::Answered);
            window.ended(CallKind::Create, made, at(second * 1_000 + 1));
        }
        assert_eq!(window.window, 2 * FIRST);
    }

    #[test]
    fn the_window_shrinks_when_calls_are_given_up() {
        let mut window = CallWindow::new(0);
        window.ended(CallKind::Create, (Duration::ZERO, Ending::GivenUp), at(0));
        assert_eq!(window.window, FIRST / 2);
        for _ in 0..20 {
            window.ended(CallKind::Create, (Duration::ZERO, Ending::GivenUp), at(0));
        }
        assert_eq!(window.window, LEAST);
    }

    /// After an outage, of a plugin whose labels take no time.
    #[test]
    fn a_window_that_shrank_grows_again() {
        let mut window = CallWindow::new(0);
        let label = (Duration::from_millis(5), Ending::Answered);
        window.ended(CallKind::Label, label, at(0));
        for _ in 0..20 {
            full(&mut window);
            let lost = (Duration::from_secs(600), Ending::GivenUp);
            window.ended(CallKind::Create, lost, at(0));
        }
        assert_eq!(window.window, LEAST);
        for second in 0..FIRST as u64 {
            full(&mut window);
            let made = (Duration::from_secs(60), Ending::Answered);
            window.ended(CallKind::Create, made, at(second * 1_000));
        }
        assert!(window.window >= FIRST, "{}", window.window);
    }

    /// A provider that throttles refuses as quickly as it answers, or more so.
    #[test]
    fn what_is_refused_says_nothing_of_how_busy_a_plugin_is() {
        let mut window = CallWindow::new(0);
        for _ in 0..FIRST {
            full(&mut window);
            window.ended(CallKind::Create, (LONG, Ending::Refused), at(0));
        }
        assert_eq!(window.window, FIRST);
        full(&mut window);
        window.ended(CallKind::Create, (LONG, Ending::Answered), at(0));
        assert_eq!(window.window, FIRST + 1, "the refusals are not the measure");
    }

    #[test]
    fn an_operators_limit_holds() {
        assert_eq!(CallWindow::new(3).window, 3);
    }

    #[test]
    fn only_what_a_plugin_gets_done_is_written_down_ahead() {
        let mut window = CallWindow::new(4);
        assert_eq!(window.room_for(&"g".into(), at(0)), 4);
        for millis in 0..1_000 {
            window.claim(CallKind::Create);
            window.ended(
                CallKind::Create,
                (Duration::from_millis(1), Ending::Answered),
                at(millis),
            );
        }
        assert_eq!(window.room_for(&"g".into(), at(1_000)), 4 + 250);
        // It hangs.
        assert_eq!(window.room_for(&"g".into(), at(1_000_000)), 4);
    }

    #[test]
    fn who_stands_in_line_has_its_turn_before_others() {
        let mut window = CallWindow::new(40);
        window.claimed = 40;
        for group in ["z", "y", "x", "y"] {
            window.stand_in_line(None, &group.into());
        }
        assert!(!window.has_turn());
        window.claimed -= 20;
        assert!(window.has_turn());
        assert_eq!(window.room_for(&"a".into(), at(0)), 0, "it has just come");
        let turns: Vec<GroupId> = window.turns(at(0)).into_iter().collect();
        assert_eq!(turns, ["y".into(), "z".into()]);
        assert_eq!(window.room_for(&"z".into(), at(0)), TURN);
        assert_eq!(window.room_for(&"y".into(), at(0)), 4);
        window.claimed += TURN;
        window.end_turns();
        let turns: Vec<GroupId> = window.turns(at(0)).into_iter().collect();
        assert_eq!(turns, ["x".into()]);
    }
}
