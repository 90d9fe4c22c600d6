//! The vanilla flavor: init lines, tags and attachments for new instances, a health check and a
//! drain command for those that run.
//!
//! # Properties
//!
//! All are optional; names are matched without regard to case. An unknown name is an error, so
//! that a slip of the pen is found when the group is committed, not when it is missed.
//!
//! | Property | Shape | Meaning |
//! |---|---|---|
//! | `Init` | list of strings | Lines added to the init script of each instance. |
//! | `InitScriptTemplateURL` | string | Template whose output is added instead: `str://text`, `file:///path` or a path. Not together with `Init`. |
//! | `Tags` | object of strings | Tags put on each instance; they replace tags of the same name. |
//! | `Attachments` | list of `{"ID", "Type"}` | Things to attach, added to those of the instance. |
//! | `HealthCheck` | object | How to tell whether an instance is healthy. Without it, each one is. |
//! | `Drain` | object | What to run before an instance is destroyed. Without it, nothing. |
//!
//! `HealthCheck` has exactly one of `Command`, `HTTP` and `TCP`:
//!
//! | Property | Shape | Default | Meaning |
//! |---|---|---|---|
//! | `Command` | list of strings | | Program and arguments, run where this plugin runs; exit code 0 is healthy. |
//! | `HTTP.URL` | string, `http://…` | | Asked with GET. |
//! | `HTTP.Status` | 100 to 599 | any of 200 to 399 | The status that is healthy. |
//! | `TCP` | string, `host:port` | | A connection that opens is healthy. |
//! | `Interval` | duration, from `100ms` | `10s` | Time from the start of one check to that of the next. |
//! | `Timeout` | duration, above `0s` | `5s` | A check that takes longer has failed. |
//! | `Threshold` | number, from 1 | 3 | Failures in a row that make an instance unhealthy. |
//! | `SuccessThreshold` | number, from 1 | 1 | Successes in a row that make it healthy. |
//!
//! `Drain` has `Command`, as above, and `Timeout` (`1m`).
//!
//! Durations are strings as `250ms`, `10s`, `1m30s`. A command gets `INFRAKIT_INSTANCE_ID`,
//! `INFRAKIT_LOGICAL_ID`, `INFRAKIT_GROUP` and, for each tag, `INFRAKIT_TAG_<NAME>` in its
//! environment, with the name in upper case and `_` for all but letters and digits. Besides, the
//! strings of `Command`, `URL` and `TCP` are templates over the instance: `{{ .ID }}`,
//! `{{ .LogicalID }}`, `{{ index .Tags "ip" }}`. In a text that a shell reads, prefer the
//! environment: a template would let a tag's value be read as shell code.
//!
//! # Health
//!
//! Asking for health never waits for a check. The first question starts checks of that instance
//! in the background, and its answer is "unknown" until they have reached a verdict; later ones
//! get the last verdict. Checks of an instance end when nobody asked for it for some minutes.
//!
//! # Example
//!
//! ```
//! use infrakit_plugin_vanilla::Vanilla;
//! use infrakit_spi::flavor::{Allocation, Flavor as _, Index};
//! use infrakit_spi::{Any, instance::InstanceSpec};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let vanilla = Vanilla::default();
//! let properties = Any::parse(
//!     r#"{
//!         "Init": ["docker pull nginx:alpine", "docker run -d -p 80:80 nginx:alpine"],
//!         "Tags": {"tier": "web"},
//!         "HealthCheck": {
//!             "HTTP": {"URL": "http://{{ index .Tags \"ip\" }}/"},
//!             "Interval": "5s",
//!             "Threshold": 2
//!         },
//!         "Drain": {"Command": ["sh", "-c", "drain-node \"$INFRAKIT_INSTANCE_ID\""], "Timeout": "2m"}
//!     }"#,
//! )?;
//! let allocation = Allocation { size: 5, ..Allocation::default() };
//! vanilla.validate(Some(&properties), &allocation).await?;
//!
//! let spec = InstanceSpec { init: "set -e".to_owned(), ..InstanceSpec::default() };
//! let spec = vanilla.prepare(Some(&properties), spec, &allocation, &Index::default()).await?;
//! assert_eq!(
//!     spec.init,
//!     "set -e\ndocker pull nginx:alpine\ndocker run -d -p 80:80 nginx:alpine"
//! );
//! assert_eq!(spec.tags.unwrap()["tier"], "web");
//!
//! let slip = Any::parse(r#"{"Inti": []}"#)?;
//! let error = vanilla.validate(Some(&slip), &allocation).await.unwrap_err();
//! assert_eq!(error.message(), "unknown property `Inti`, did you mean `Init`?");
//! # Ok(())
//! # }
//! ```

mod check;
mod command;
mod decode;
mod drain;
mod expand;
mod flavor;
mod http_check;
mod monitor;
mod prepare;
mod properties;
mod tally;
mod target;

pub use flavor::{Vanilla, VanillaOptions};
