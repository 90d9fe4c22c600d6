//! How the provider behaves: what takes how long, what fails and how, what lists show.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

/// What is wrong with a call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is refused with this text, and nothing happens.
    Refused(String),
    /// It is refused with an error of this shape: `code`, `message`, `data`.
    Error(Value),
    /// It does its work, and the connection ends without an answer.
    CloseAfter,
    /// It does nothing, and the connection ends without an answer.
    CloseBefore,
    /// The provider never hears of it, and the connection ends without an answer.
    Nothing,
    /// It does its work, and the answer comes so much later.
    Late(Duration),
    /// It is answered as done, and never is.
    Accepted,
    /// It is answered with this id, and nothing is made.
    OtherId(String),
    /// HTTP says that it is too much, and when to come back, in seconds.
    Throttled(u64),
    /// So many calls have this fault, and those after them none.
    Times(u64, Box<Self>),
    /// Calls have this fault for configurations whose `Note` is this.
    OnNote(String, Box<Self>),
    /// So many calls a second are served, the others refused as by [`Fault::Throttled`].
    Rate(u64),
}

/// What lists show.
#[derive(Clone, Debug, Default)]
pub enum View {
    /// All that there is.
    #[default]
    True,
    /// What there was so long ago.
    Old(Duration),
    /// Nobody, and says that this is all.
    Nobody,
    /// All but these.
    Without(BTreeSet<String>),
    /// An error.
    Refused(String),
}

/// What pages of lists are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// So many instances each.
    Of(usize),
    /// Each names the second one as the next.
    Endless,
    /// The second one fails.
    Torn,
}

#[derive(Default)]
pub(super) struct Manners {
    pub(super) latency: BTreeMap<String, Duration>,
    pub(super) faults: BTreeMap<String, Fault>,
    pub(super) view: View,
    pub(super) behaviour: Option<Value>,
    pub(super) vanish: Option<Duration>,
    pub(super) sick_note: Option<String>,
    pub(super) reuse: bool,
    /// Whether creations with a token that was there before are the same creation.
    pub(super) tokens: bool,
    /// Pages, for those who ask for them.
    pub(super) pages: Option<Pages>,
    /// The zones that new instances get by turns.
    pub(super) zones: Vec<String>,
    /// The zones that lists cover; everything where not set.
    pub(super) covers: Option<BTreeSet<String>>,
    /// When calls that a rate let through were served, by method.
    pub(super) served: BTreeMap<String, Vec<std::time::Instant>>,
}

impl Manners {
    pub(super) fn time(&self, method: &str) -> Duration {
        self.latency.get(method).copied().unwrap_or_default()
    }

    /// The fault that this call has.
    pub(super) fn fault(&mut self, method: &str, note: &str) -> Option<Fault> {
        let fault = self.faults.get_mut(method)?;
        if let Fault::Times(left, fault) = fault {
            let fault = fault.as_ref().clone();
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.faults.remove(method);
            }
            return Some(fault);
        }
        match fault.clone() {
            Fault::OnNote(wanted, fault) => (wanted == note).then_some(*fault),
            Fault::Rate(rate) => {
                let now = std::time::Instant::now();
                let served = self.served.entry(method.to_owned()).or_default();
                served.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
                if (served.len() as u64) < rate {
                    served.push(now);
                    return None;
                }
                Some(Fault::Throttled(1))
            }
            other => Some(other),
        }
    }
}
