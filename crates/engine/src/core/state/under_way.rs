//! The calls of all plugins: those that are under way, and the windows that bound them.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_plan::{CallKind, Timestamp};
use infrakit_spi::{Delivery, Error, GroupId, InstanceId, PluginName};

use crate::core::state::call_window::{CallWindow, Ending, WindowKey};
use crate::core::{Call, Event, Subject, Target};

/// Calls of all plugins, each within the window of its plugin: one that hangs keeps no other waiting.
#[derive(Default)]
pub(in crate::core) struct CallsUnderWay {
    /// Calls at once of each plugin at most; 0 leaves it to the windows.
    most: usize,
    windows: BTreeMap<WindowKey, CallWindow>,
    running: BTreeMap<CallId, (WindowKey, Timestamp)>,
}

/// What a call is recognised by when it ends. No two alike are under way at once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum CallId {
    Create(Target, u64),
    Destroy(Subject),
    Drain(Subject),
    Repair(Subject),
    Label(Subject),
    Check(Subject),
}

impl CallId {
    fn of(call: &Call) -> Self {
        match call {
            Call::Provision { target, number, .. } => Self::Create(target.clone(), *number),
            Call::Destroy { subject, .. } => Self::Destroy(subject.clone()),
            Call::Drain { subject, .. } => Self::Drain(subject.clone()),
            Call::Repair { subject, .. } => Self::Repair(subject.clone()),
            Call::Label { subject, .. } => Self::Label(subject.clone()),
            Call::Check { subject, .. } => Self::Check(subject.clone()),
        }
    }

    fn kind(&self) -> CallKind {
        match self {
            Self::Create(..) => CallKind::Create,
            Self::Destroy(_) => CallKind::Destroy,
            Self::Label(_) => CallKind::Label,
            Self::Drain(_) | Self::Repair(_) | Self::Check(_) => CallKind::Other,
        }
    }

    /// Returns which call an event ends, and how.
    fn ended_by(event: &Event) -> Option<(Self, Ending)> {
        let (id, error) = match event {
            Event::Provisioned(answer) => (
                Self::Create(answer.target.clone(), answer.number),
                answer.outcome.as_ref().err(),
            ),
            Event::Destroyed { subject, outcome } => {
                (Self::Destroy(subject.clone()), outcome.as_ref().err())
            }
            Event::Drained { subject, outcome } => {
                (Self::Drain(subject.clone()), outcome.as_ref().err())
            }
            Event::Repaired { subject, outcome } => {
                (Self::Repair(subject.clone()), outcome.as_ref().err())
            }
            Event::Labelled { subject, outcome } => {
                (Self::Label(subject.clone()), outcome.as_ref().err())
            }
            Event::Checked { subject, outcome } => {
                (Self::Check(subject.clone()), outcome.as_ref().err())
            }
            Event::Changed { .. }
            | Event::Watched { .. }
            | Event::Behaves { .. }
            | Event::Listed(_)
            | Event::Journaled { .. } => return None,
        };
        let ending = match error.map(Error::delivery) {
            None => Ending::Answered,
            Some(_) if error.is_some_and(Error::is_of_another) => Ending::Refused,
            Some(Delivery::Refused) => Ending::Refused,
            Some(Delivery::NotDelivered | Delivery::Unknown) => Ending::GivenUp,
        };
        Some((id, ending))
    }
}

impl CallsUnderWay {
    pub(in crate::core) fn at_most(most: usize) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    fn window(&mut self, key: WindowKey) -> &mut CallWindow {
        let most = self.most;
        let new = || CallWindow::new(most);
        self.windows.entry(key).or_insert_with(new)
    }

    /// Returns the window of an instance plugin.
    pub(in crate::core) fn window_of(&mut self, plugin: &PluginName) -> &mut CallWindow {
        self.window(WindowKey::Instances(plugin.clone()))
    }

    /// Notes a call that a plan begins: it is to be written down first.
    pub(in crate::core) fn claim(&mut self, call: &Call) {
        self.window(WindowKey::of(call)).claim(call.kind());
    }

    /// Notes that a call which was claimed never begins.
    pub(in crate::core) fn release(&mut self, call: &Call) {
        self.window(WindowKey::of(call)).release(call.kind());
    }

    /// Takes in a call that was claimed and may begin as soon as there is a slot.
    pub(in crate::core) fn push(&mut self, call: Call, now: Timestamp) {
        self.window(WindowKey::of(&call)).push(call, now);
    }

    /// Returns the calls that begin now.
    pub(in crate::core) fn start(&mut self, now: Timestamp) -> Vec<Call> {
        let mut calls = Vec::new();
        for (key, window) in &mut self.windows {
            while let Some(call) = window.next(now) {
                let begun = (key.clone(), now);
                if self.running.insert(CallId::of(&call), begun).is_some() {
                    // Only one of them will be heard of.
                    window.forget(call.kind());
                }
                calls.push(call);
            }
        }
        calls
    }

    /// Takes back that a call has begun.
    pub(in crate::core) fn dropped(&mut self, call: &Call) {
        if let Some((key, _)) = self.running.remove(&CallId::of(call)) {
            self.window(key).forget(call.kind());
        }
    }

    /// Returns whether the answer of a creation is awaited.
    pub(in crate::core) fn is_creating(&self, target: &Target, number: u64) -> bool {
        let call = CallId::Create(target.clone(), number);
        self.running.contains_key(&call)
    }

    /// Returns whether a call for the end of a member is under way.
    pub(in crate::core) fn is_destroying(
        &self,
        target: &Target,
        (plugin, id): (&PluginName, &InstanceId),
    ) -> bool {
        let about = |subject: &Subject| {
            subject.target == *target && subject.plugin == *plugin && subject.id == *id
        };
        // It is asked of ids that are given a second time, which few are.
        self.running.keys().any(|call| match call {
            CallId::Destroy(subject) => about(subject),
            CallId::Create(..)
            | CallId::Drain(_)
            | CallId::Repair(_)
            | CallId::Label(_)
            | CallId::Check(_) => false,
        })
    }

    /// Notes the end of a call, where the event is one. Returns when it began.
    pub(in crate::core) fn ended(&mut self, event: &Event, now: Timestamp) -> Option<Timestamp> {
        let (id, ending) = CallId::ended_by(event)?;
        let (key, begun) = self.running.remove(&id)?;
        let took = now.since(begun);
        self.window(key).ended(id.kind(), (took, ending), now);
        Some(begun)
    }

    /// Takes out the calls of a group that wait for a slot; checks of health stay.
    pub(in crate::core) fn withdraw(&mut self, target: &Target) -> Vec<Call> {
        let windows = self.windows.values_mut();
        windows.flat_map(|window| window.withdraw(target)).collect()
    }

    /// Returns the groups whose calls have waited for too long.
    pub(in crate::core) fn stale(&self, now: Timestamp) -> BTreeSet<Target> {
        let windows = self.windows.values();
        windows.flat_map(|window| window.stale(now)).collect()
    }

    /// Returns when the call that waits longest will have waited for too long.
    pub(in crate::core) fn stale_at(&self) -> Option<Timestamp> {
        self.windows.values().filter_map(CallWindow::stale_at).min()
    }

    /// Returns whether somebody stands in line who could have a turn.
    pub(in crate::core) fn has_turn(&self) -> bool {
        self.windows.values().any(CallWindow::has_turn)
    }

    /// Gives slots that are free to those who stand first in line, and returns whom to plan for.
    pub(in crate::core) fn turns(&mut self, now: Timestamp) -> BTreeSet<GroupId> {
        let mut due = BTreeSet::new();
        for window in self.windows.values_mut() {
            due.append(&mut window.turns(now));
        }
        due
    }

    /// Ends the turns that were given; who has not got enough stands in line again.
    pub(in crate::core) fn end_turns(&mut self) {
        for window in self.windows.values_mut() {
            window.end_turns();
        }
    }

    /// Drops everything that has not begun.
    pub(in crate::core) fn close(&mut self) {
        for window in self.windows.values_mut() {
            window.close();
        }
    }
}
