//! Limits on how often a plugin is called: by whose word there is one, and the names of their buckets.

use std::collections::BTreeMap;

use infrakit_plan::{RateLimit, Timestamp};
use infrakit_spi::PluginName;
use infrakit_spi::behaviour::{self, Behaviour, Operation};

/// The share of a declared limit that is used. Our clock and the provider's are not the same, nor is
/// the way of a call always as long: at the very limit one of a hundred calls is throttled.
const SHARE: f64 = 0.98;

/// By so much less time than we sent them calls may reach a provider one after the other: the first ones
/// wait until there are connections, later ones find them. What it refills in that time is not counted on
/// in a full bucket: of 40 calls at once and 40 a second the very first beyond was refused, and the brake
/// that this puts on cost nine seconds of five minutes.
const JITTER: f64 = 0.05;

/// Last part of the name of a bucket that the operator set.
const SET: &str = "set";
/// Last part of the name of a brake.
const THROTTLED: &str = "throttled";

/// A limit, and the name of its bucket.
pub(in crate::core) struct Limit {
    pub(in crate::core) name: String,
    pub(in crate::core) source: Source,
    pub(in crate::core) rate: RateLimit,
    pub(in crate::core) closed_until: Option<Timestamp>,
}

/// By whose word there is a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Source {
    /// The operator's.
    Set,
    /// The plugin's.
    Declared,
    /// Nobody's: calls were refused.
    Learned,
}

impl Limit {
    /// Returns the account that has the bucket, which is the plugin itself where it names none.
    pub(in crate::core) fn account(&self) -> &str {
        // What follows is the kind of call, and which of its limits it is.
        self.name.rsplitn(3, '/').last().unwrap_or_default()
    }
}

/// The buckets that a plugin's calls are drawn from. Their names cost more than all else of a plan for a
/// small group, and are made once.
pub(in crate::core) struct Known {
    /// What it declares, by the name of the bucket.
    pub(in crate::core) declared: BTreeMap<String, Declared>,
    /// Names of those that the operator limits.
    pub(in crate::core) creates: String,
    pub(in crate::core) destroys: String,
}

impl Known {
    pub(in crate::core) fn of(plugin: &PluginName, behaviour: &Behaviour) -> Self {
        let set = |op: Operation| format!("{plugin}/{}/{SET}", op.as_str());
        Self {
            declared: declared(plugin, &behaviour.limits),
            creates: set(Operation::Create),
            destroys: set(Operation::Destroy),
        }
    }
}

/// A limit that a plugin declares.
#[derive(Clone, Copy)]
pub(in crate::core) struct Declared {
    /// What it is about, all calls perhaps.
    pub(in crate::core) op: Operation,
    pub(in crate::core) rate: RateLimit,
}

fn account<'a>(plugin: &'a PluginName, declared: &'a behaviour::Limit) -> &'a str {
    declared.account.as_deref().unwrap_or(plugin.as_str())
}

/// Returns limits that a plugin declares, by the names of their buckets. A bucket has its place among those
/// of its account for its name, the slowest first: named by its numbers, one that is declared a little
/// otherwise would be a fresh one.
fn declared(plugin: &PluginName, limits: &[behaviour::Limit]) -> BTreeMap<String, Declared> {
    let known = |limit: &&behaviour::Limit| limit.op != Operation::Undeclared;
    let mut limits: Vec<_> = limits.iter().filter(known).collect();
    limits.sort_by(|one, other| {
        let slower = one.refill_per_s.total_cmp(&other.refill_per_s);
        slower.then(one.bucket.total_cmp(&other.bucket))
    });
    let mut places = BTreeMap::new();
    let named = limits.into_iter().map(|limit| {
        let shared = format!("{}/{}", account(plugin, limit), limit.op.as_str());
        let place: &mut u32 = places.entry(shared.clone()).or_default();
        *place += 1;
        let rate = RateLimit {
            burst: (limit.bucket - (limit.refill_per_s * JITTER).floor()).max(1.0),
            per_second: limit.refill_per_s * SHARE,
        };
        (format!("{shared}/{place}"), Declared { op: limit.op, rate })
    });
    named.collect()
}

/// Returns whether a bucket has a name by which nobody asks for it: the numbers of the limit were once in
/// it.
pub(in crate::core) fn is_forgotten(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    !matches!(last, SET | THROTTLED) && last.parse::<u32>().is_err()
}

/// Returns the name of the brake of a plugin. Whoever shares a limit by its account shares the brake.
pub(in crate::core) fn brake_name(
    plugin: &PluginName,
    behaviour: &Behaviour,
    op: Operation,
) -> String {
    let shared = behaviour.limits_of(op).next();
    let account = shared.map_or(plugin.as_str(), |limit| account(plugin, limit));
    format!("{account}/{}/{THROTTLED}", op.as_str())
}
