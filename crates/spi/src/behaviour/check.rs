//! What a declaration may not say.

use super::{Behaviour, Seconds};

/// A day. No provider takes longer to make an instance or to show it in a list.
const DAY: f64 = 86_400.0;
/// Bare metal is cleaned for more than a day; a week is a mistake.
const WEEK: f64 = 7.0 * DAY;
/// The longest that any provider is known to remember tokens or the dead for is some days.
const MONTH: f64 = 31.0 * DAY;
/// The largest page of a known provider has a thousand; beyond this a page is no page.
const PAGE: u64 = 100_000;
/// More calls at once than one process can have open.
const PARALLEL: u64 = 100_000;
/// More calls a second than any provider takes.
const RATE: f64 = 1_000_000.0;
/// Providers have some dozens of states and error codes.
const ENTRIES: usize = 1_000;
/// Longer than any key of a tag or path of a property.
const LETTERS: usize = 512;

/// A declaration that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is {value}, which cannot be meant: {bound}")]
pub struct Nonsense {
    /// The field, as in `create.give_up_s`.
    pub field: String,
    /// What it is.
    pub value: String,
    /// What it may be.
    pub bound: String,
}

fn nonsense(field: &str, value: impl ToString, bound: impl Into<String>) -> Nonsense {
    Nonsense {
        field: field.to_owned(),
        value: value.to_string(),
        bound: bound.into(),
    }
}

/// Returns a number as a person writes it: with few digits, however large or small it is.
fn number(value: f64) -> String {
    let size = value.abs();
    let plain = size == 0.0 || (1e-6..1e15).contains(&size) || !size.is_finite();
    if plain {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

impl Behaviour {
    /// Checks that it can be meant.
    ///
    /// # Errors
    /// Returns the first field that cannot, with its bound.
    ///
    /// ```
    /// use infrakit_spi::behaviour::{Behaviour, Seconds};
    ///
    /// let mut behaviour = Behaviour::default();
    /// behaviour.create.give_up = Some(Seconds(31_536_000.0));
    /// assert_eq!(
    ///     behaviour.check().unwrap_err().to_string(),
    ///     "`create.give_up_s` is 31536000, which cannot be meant: 0 to 86400 seconds",
    /// );
    /// ```
    pub fn check(&self) -> Result<(), Nonsense> {
        self.check_times()?;
        self.check_order()?;
        self.check_counts()?;
        self.check_limits()?;
        self.check_words()
    }

    fn check_times(&self) -> Result<(), Nonsense> {
        let times = [
            ("idempotency.ttl_s", self.idempotency.ttl, MONTH),
            ("create.running_p50_s", self.create.running_p50, DAY),
            ("create.running_p99_s", self.create.running_p99, DAY),
            ("create.give_up_s", self.create.give_up, DAY),
            ("visibility_window_s.get", self.visibility_window.get, DAY),
            ("visibility_window_s.list", self.visibility_window.list, DAY),
            ("visibility_window_s.tag", self.visibility_window.tag, DAY),
            ("list.lag_s", self.list.lag, DAY),
            ("list.relapse_s", self.list.relapse, DAY),
            ("tombstone_s", self.tombstone, MONTH),
            ("destroy.p99_s", self.destroy.p99, WEEK),
            ("destroy.stuck_s", self.destroy.stuck, WEEK),
        ];
        for (field, time, most) in times {
            if let Some(Seconds(time)) = time
                && !(0.0..=most).contains(&time)
            {
                return Err(nonsense(
                    field,
                    number(time),
                    format!("0 to {most} seconds"),
                ));
            }
        }
        Ok(())
    }

    /// Times of which one cannot be longer than the next.
    fn check_order(&self) -> Result<(), Nonsense> {
        let create = &self.create;
        let p50 = ("create.running_p50_s", create.running_p50);
        let p99 = ("create.running_p99_s", create.running_p99);
        let give_up = ("create.give_up_s", create.give_up);
        let destroy_p99 = ("destroy.p99_s", self.destroy.p99);
        let stuck = ("destroy.stuck_s", self.destroy.stuck);
        for ((less, least), (more, most)) in [
            (p50, p99),
            (p50, give_up),
            (p99, give_up),
            (destroy_p99, stuck),
        ] {
            if let (Some(least), Some(most)) = (least, most)
                && least > most
            {
                let bound = format!("at most `{more}`, which is {most}");
                return Err(nonsense(less, least, bound));
            }
        }
        Ok(())
    }

    fn check_counts(&self) -> Result<(), Nonsense> {
        let counts = [
            ("list.page", self.list.page, PAGE),
            ("safe_parallel.create", self.safe_parallel.create, PARALLEL),
            (
                "safe_parallel.destroy",
                self.safe_parallel.destroy,
                PARALLEL,
            ),
        ];
        for (field, count, most) in counts {
            if let Some(count) = count
                && !(1..=most).contains(&count)
            {
                return Err(nonsense(field, count, format!("1 to {most}")));
            }
        }
        let sizes = [
            ("limits", self.limits.len()),
            ("states", self.states.len()),
            ("tombstone_states", self.tombstone_states.len()),
            ("errors", self.errors.len()),
        ];
        for (field, size) in sizes {
            if size > ENTRIES {
                let size = format!("{size} entries");
                return Err(nonsense(field, size, format!("at most {ENTRIES}")));
            }
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), Nonsense> {
        for (index, limit) in self.limits.iter().enumerate() {
            // A bucket of less than one call would never let any through.
            if !(1.0..=RATE).contains(&limit.bucket) {
                let field = format!("limits[{index}].bucket");
                let bound = format!("1 to {RATE}");
                return Err(nonsense(&field, number(limit.bucket), bound));
            }
            // One call a day is the slowest that makes sense.
            if !(1.0 / DAY..=RATE).contains(&limit.refill_per_s) {
                let field = format!("limits[{index}].refill_per_s");
                let bound = format!("one a day to {RATE} a second");
                return Err(nonsense(&field, number(limit.refill_per_s), bound));
            }
        }
        Ok(())
    }

    fn check_words(&self) -> Result<(), Nonsense> {
        if self.errors.contains_key("") {
            let bound = "a word that the messages of the provider contain";
            return Err(nonsense("errors", "given for an empty word", bound));
        }
        let accounts = self.limits.iter().map(|limit| &limit.account);
        let names = [
            ("domain_of", &self.domain_of),
            ("id.incarnation_field", &self.id.incarnation_field),
            ("idempotency.scope", &self.idempotency.scope),
        ];
        let words = names
            .into_iter()
            .chain(accounts.map(|account| ("limits.account", account)))
            .filter_map(|(field, name)| Some((field, name.as_ref()?)))
            .chain(self.states.keys().map(|word| ("states", word)))
            .chain(
                self.tombstone_states
                    .iter()
                    .map(|word| ("tombstone_states", word)),
            )
            .chain(self.errors.keys().map(|word| ("errors", word)));
        for (field, word) in words {
            // It names nothing. Taken for a field that is not declared, what was meant would be missed.
            if word.trim().is_empty() {
                let bound = "a name, or left out where there is none";
                return Err(nonsense(field, format!("{word:?}"), bound));
            }
            if word.chars().count() > LETTERS || word.chars().any(char::is_control) {
                let value: String = word.chars().take(32).collect();
                let bound = format!("at most {LETTERS} letters, without control characters");
                return Err(nonsense(field, format!("{value:?}"), bound));
            }
        }
        Ok(())
    }
}
