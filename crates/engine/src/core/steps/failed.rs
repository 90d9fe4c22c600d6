//! What is held against a group when one of its creations fails, and what is not.

use infrakit_plan::{Doubt, FailedCreation, Intent, Timestamp, Told};
use infrakit_spi::hash::ConfigHash;
use infrakit_spi::{Delivery, Error, FailureClass, PluginName};

use crate::core::Group;

/// Notes a failed creation. Words may slow a group down; only what the plugin declares can stop it.
pub(in crate::core) fn note_failure(
    group: &mut Group,
    (number, hash): (u64, &ConfigHash),
    (error, begun): (&Error, Timestamp),
    now: Timestamp,
) {
    let class = error.given_class();
    if error.is_throttled() && class != Some(FailureClass::Configuration) {
        group.memory.creation.throttled(error.message());
        return;
    }
    let told = match class {
        Some(_) => Told::Declared,
        None => Told::Guessed,
    };
    let failed = FailedCreation {
        token: group.memory.token(number),
        hash,
        class: error.class(),
        told,
        message: error.message(),
        begun,
    };
    group.memory.creation.fail(&failed, now);
}

/// A creation was asked for again, and that was refused. It says nothing of the first call: only a list
/// tells what came of that.
pub(in crate::core) fn asked_in_vain(
    group: &mut Group,
    (number, intent): (u64, Intent),
    (plugin, error): (&PluginName, &Error),
    now: Timestamp,
) {
    let mut intent = Intent {
        doubt: Some(Doubt::since(now)),
        ..intent
    };
    let passes = error.is_throttled()
        || error.is_of_another()
        || match error.class() {
            FailureClass::Unavailable | FailureClass::Quota => true,
            FailureClass::Configuration | FailureClass::Other => false,
        };
    if error.delivery() == Delivery::Refused && !passes {
        intent.again.refused = true;
        let message = format!(
            "`{plugin}` declares that it knows creations by their tokens, and refuses one that it was \
             asked for before: {}",
            error.message()
        );
        tracing::error!(group = %group.id(), number, "{message}");
        let failed = FailedCreation {
            token: group.memory.token(number),
            hash: &intent.hash,
            class: FailureClass::Other,
            told: Told::Guessed,
            message: &message,
            begun: intent.begun,
        };
        group.memory.creation.fail(&failed, now);
    }
    group.memory.intents.insert(number, intent);
}
