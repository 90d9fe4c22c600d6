//! How a simulated provider behaves: as its faults are set now, for they can be switched any time.

use std::time::Duration;

use infrakit_spi::behaviour::{
    AbsentProof, AnswerMeans, Behaviour, Completeness, Create, Destroy, Id, Idempotency,
    IdempotencyKind, List, Reuse, Seconds, Visibility,
};

use crate::faults::TypeFaults;

/// What a call may take beyond the delays that it was told to have. Nothing else waits here, so it
/// only has to cover a busy machine; it is the client timeout of the original.
const SLACK: Duration = Duration::from_secs(15);

/// The longest that may be declared; tests may well ask for more.
const DAY: Duration = Duration::from_secs(86_400);

/// Whether what is simulated outlives the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// It does: it is in files.
    Durable,
    /// It does not.
    Lost,
}

/// Returns how a type behaves whose faults are these, which was asked for creations that take up to
/// `wished`, and which lists in pages of this size, if in any.
pub(crate) fn declared(
    faults: &TypeFaults,
    wished: Duration,
    memory: Memory,
    page: Option<u64>,
) -> Behaviour {
    let seconds = |time: Duration| Some(Seconds::from(time.min(DAY)));
    let hidden = faults.boot.0.max(faults.lateness.0);
    let call = faults.provision.delay.0.saturating_add(wished);
    let created = call.saturating_add(hidden).saturating_add(SLACK);
    let destroyed = faults.destroy.delay.0.saturating_add(SLACK);
    let at_once = seconds(Duration::ZERO);
    Behaviour {
        idempotency: Idempotency {
            kind: IdempotencyKind::None,
            ..Idempotency::default()
        },
        token_readable: Some(true),
        create: Create {
            answer_means: if faults.pending.0.is_zero() {
                AnswerMeans::Running
            } else {
                AnswerMeans::Exists
            },
            give_up: seconds(created),
            ..Create::default()
        },
        visibility_window: Visibility {
            get: None,
            list: seconds(hidden),
            tag: at_once,
        },
        list: List {
            lag: at_once,
            relapse: at_once,
            complete: Completeness::Yes,
            durable: Some(memory == Memory::Durable),
            page,
        },
        absent_proof: AbsentProof::ListComplete,
        tombstone: at_once,
        id: Id {
            reused: Reuse::Never,
            incarnation_field: None,
        },
        destroy: Destroy {
            asynchronous: Some(false),
            p99: None,
            stuck: seconds(destroyed),
        },
        ..Behaviour::default()
    }
}

#[cfg(test)]
mod tests {
    use infrakit_spi::GoDuration;

    use super::*;

    #[test]
    fn what_is_declared_follows_the_faults_and_can_always_be_meant() {
        let calm = TypeFaults::default();
        let declared_calm = declared(&calm, Duration::ZERO, Memory::Durable, None);
        assert!(declared_calm.list_is_proof());
        assert_eq!(declared_calm.visibility(), Duration::ZERO);
        let slow = TypeFaults {
            boot: GoDuration(Duration::from_secs(60)),
            ..TypeFaults::default()
        };
        let slow = declared(&slow, Duration::from_secs(30), Memory::Lost, None);
        assert_eq!(slow.visibility(), Duration::from_secs(60));
        assert_eq!(slow.creation_limit(), Duration::from_secs(105));
        assert!(!slow.list_is_proof());
        let endless = TypeFaults {
            boot: GoDuration(Duration::MAX),
            ..TypeFaults::default()
        };
        let endless = declared(&endless, Duration::MAX, Memory::Lost, None);
        assert_eq!(endless.check(), Ok(()));
    }
}
