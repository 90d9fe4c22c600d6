//! How a directory behaves as a provider.

use infrakit_spi::behaviour::{
    AbsentProof, AnswerMeans, Behaviour, Completeness, Create, Destroy, Id, Idempotency,
    IdempotencyKind, List, Reuse, Seconds, Visibility,
};

/// The usual time of a creation: the system call takes microseconds, unless the disk is busy.
const USUALLY: Seconds = Seconds(1.0);

/// One write and one link: only a disk that hangs takes longer than clients wait, and then the call
/// fails.
const AT_MOST: Seconds = Seconds(15.0);

const AT_ONCE: Option<Seconds> = Some(Seconds(0.0));

/// Returns what is true of any directory. A list is the directory itself: a file is there at once,
/// an id is a random number of 63 bits that never comes back, and a directory that is missing or
/// cannot be read is an error and no empty list.
pub(crate) fn declared() -> Behaviour {
    Behaviour {
        idempotency: Idempotency {
            kind: IdempotencyKind::None,
            ..Idempotency::default()
        },
        token_readable: Some(true),
        create: Create {
            answer_means: AnswerMeans::Running,
            running_p50: None,
            running_p99: Some(USUALLY),
            give_up: Some(AT_MOST),
        },
        visibility_window: Visibility {
            get: AT_ONCE,
            list: AT_ONCE,
            tag: AT_ONCE,
        },
        list: List {
            lag: AT_ONCE,
            relapse: AT_ONCE,
            complete: Completeness::Yes,
            durable: Some(true),
            page: None,
        },
        absent_proof: AbsentProof::ListComplete,
        tombstone: AT_ONCE,
        id: Id {
            reused: Reuse::Never,
            incarnation_field: None,
        },
        destroy: Destroy {
            asynchronous: Some(false),
            p99: Some(USUALLY),
            stuck: Some(AT_MOST),
        },
        ..Behaviour::default()
    }
}
