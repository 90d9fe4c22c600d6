//! The wire as peers see it: recorded exchanges, every kind of plugin there and back, peers that
//! mean no good, and who owns which file.

mod captures;
mod events;
mod fakes;
mod greetings;
mod hostile_clients;
mod hostile_servers;
mod listening;
mod reuse;
mod round_trip;
mod served;
