//! The wire as peers see it: recorded exchanges, every kind of plugin there and back, peers that
//! mean no good, and who owns which file.

// Marked as test code, so that the lints know helpers for what they are.
#[cfg(test)]
mod behaviour;
#[cfg(test)]
mod captures;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod events;
#[cfg(test)]
mod fakes;
#[cfg(test)]
mod greetings;
#[cfg(test)]
mod hostile_clients;
#[cfg(test)]
mod hostile_servers;
#[cfg(test)]
mod listening;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod reuse;
#[cfg(test)]
mod rollouts;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod served;
