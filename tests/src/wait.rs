//! Waiting for what happens in other processes.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a condition is looked at. Other processes offer no event to wait for.
const STEP: Duration = Duration::from_millis(10);

/// Returns what `look` finds, as soon as it finds it.
///
/// # Panics
/// When `timeout` passes: with `what` and the last reason that `look` gave.
pub fn eventually<T>(timeout: Duration, what: &str, look: impl FnMut() -> Result<T, String>) -> T {
    match until(timeout, look) {
        Ok(found) => found,
        Err(reason) => panic!("not within {timeout:?}: {what}: {reason}"),
    }
}

/// Returns what `look` finds, or its last reason once `timeout` has passed. Looks at least once.
///
/// # Errors
/// The reason of the last look.
pub fn until<T>(
    timeout: Duration,
    mut look: impl FnMut() -> Result<T, String>,
) -> Result<T, String> {
    let end = Instant::now() + timeout;
    loop {
        match look() {
            Ok(found) => return Ok(found),
            Err(reason) if Instant::now() >= end => return Err(reason),
            Err(_) => sleep(STEP),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_reason_is_returned() {
        let mut looks = 0;
        let found = until(Duration::from_secs(5), || {
            looks += 1;
            if looks == 3 {
                Ok(looks)
            } else {
                Err("not yet".to_owned())
            }
        });
        assert_eq!(found, Ok(3));
        let never: Result<(), _> = until(Duration::ZERO, || Err("no".to_owned()));
        assert_eq!(never, Err("no".to_owned()));
    }
}
