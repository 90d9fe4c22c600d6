//! Watching a group: until it is as specified, or for as long as a person looks.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::hash::{Hashed, config_hash};
use infrakit_spi::{Any, GoDuration, GroupId, PluginName, wire_struct};
use tokio::time::Instant;

use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::out::Format;
use crate::target::Target;
use crate::verbs::group::{members, members_and_conditions, size};
use crate::view::{self, ViewArgs};

/// Flags of a commit that waits.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct WaitArgs {
    /// Wait until the group is as specified
    #[arg(long)]
    wait: bool,
    /// Give up waiting after this time
    #[arg(long, value_name = "DURATION", requires = "wait")]
    timeout: Option<GoDuration>,
}

impl WaitArgs {
    /// Returns whether waiting is asked for.
    pub(crate) fn wanted(&self) -> bool {
        self.wait
    }
}

/// Flags of a list that goes on.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct WatchArgs {
    /// Go on: redraw on a terminal, print changes into a pipe
    #[arg(long)]
    watch: bool,
    /// How often to look
    #[arg(long, value_name = "DURATION", requires = "watch")]
    interval: Option<GoDuration>,
}

impl WatchArgs {
    /// Returns whether watching is asked for.
    pub(crate) fn wanted(&self) -> bool {
        self.watch
    }
}

/// Flags of a status that is followed to its end.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FollowArgs {
    /// Follow it to its end
    #[arg(long)]
    watch: bool,
    /// How often to look
    #[arg(long, value_name = "DURATION", requires = "watch")]
    interval: Option<GoDuration>,
    /// Give up following after this time
    #[arg(long, value_name = "DURATION", requires = "watch")]
    timeout: Option<GoDuration>,
}

impl FollowArgs {
    /// Returns whether following is asked for.
    pub(crate) fn wanted(&self) -> bool {
        self.watch
    }

    /// Returns how long to wait between two looks.
    pub(crate) fn pause(&self) -> Duration {
        let pause = self.interval.map_or(LOOK, |interval| interval.0);
        pause.max(Duration::from_millis(50))
    }

    /// Returns after which time to give up.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout.map(|timeout| timeout.0)
    }
}

/// How often a group is looked at while it converges: often enough to feel immediate, seldom
/// enough for ten thousand members.
const LOOK: Duration = Duration::from_millis(200);

wire_struct! {
    /// The parts of a group's properties that decide its config hash.
    struct Parts {
        instance: Part => "Instance",
        flavor: Part => "Flavor",
    }
}

wire_struct! {
    /// A plugin with its properties.
    struct Part {
        plugin: PluginName => "Plugin",
        properties: Option<Any> => "Properties",
    }
}

/// Returns the config hash that members of the committed group will carry.
fn wanted_hash(spec: &GroupSpec) -> Option<String> {
    let parts: Parts = infrakit_spi::decode(spec.properties.as_ref()).ok()?;
    let hashed = |part: &Part| -> (PluginName, Option<Any>) {
        (part.plugin.clone(), part.properties.clone())
    };
    let (instance, flavor) = (hashed(&parts.instance), hashed(&parts.flavor));
    let hash = config_hash(
        Hashed {
            plugin: &instance.0,
            properties: instance.1.as_ref(),
        },
        Hashed {
            plugin: &flavor.0,
            properties: flavor.1.as_ref(),
        },
    );
    hash.ok().map(|hash| hash.as_str().to_owned())
}

/// How far a group is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stand {
    members: usize,
    current: usize,
    wanted: usize,
    converged: bool,
}

impl Stand {
    fn done(self) -> bool {
        self.converged && self.members == self.wanted && self.current == self.wanted
    }
}

async fn stand(target: &Target, id: &GroupId, hash: Option<&str>) -> Result<Stand> {
    let wanted = usize::try_from(size(target, id).await?).unwrap_or(0);
    let answer = members(target, id).await?;
    let described = answer.read(target)?;
    let current = described.rows.iter().filter(|row| match hash {
        Some(hash) => row.config_hash() == Some(hash),
        None => true,
    });
    Ok(Stand {
        members: described.rows.len(),
        current: current.count(),
        wanted,
        converged: described.converged,
    })
}

/// Waits until a group is as specified, showing how far it is.
pub(crate) async fn wait(
    context: &Context,
    target: &Target,
    spec: &GroupSpec,
    args: &WaitArgs,
) -> Result {
    let started = Instant::now();
    let hash = wanted_hash(spec);
    let bar = context.out.terminal.then(|| bar(context, &spec.id));
    let mut before = None;
    loop {
        let stand = stand(target, &spec.id, hash.as_deref()).await?;
        if before != Some(stand) {
            match &bar {
                Some(bar) => {
                    bar.set_length(stand.wanted as u64);
                    bar.set_position(stand.current.min(stand.wanted) as u64);
                    bar.set_message(format!("{} members", stand.members));
                }
                None => {
                    context.out.line(format!(
                        "{}: {} of {} as specified, {} in all",
                        spec.id, stand.current, stand.wanted, stand.members
                    ))?;
                    context.out.flush()?;
                }
            }
            before = Some(stand);
        }
        if stand.done() {
            if let Some(bar) = &bar {
                bar.finish_and_clear();
            }
            let took = started.elapsed().as_secs_f64();
            return context.out.line(format!(
                "Group {} at {} instances, converged after {took:.1} s",
                spec.id, stand.members
            ));
        }
        if args
            .timeout
            .is_some_and(|timeout| started.elapsed() >= timeout.0)
        {
            if let Some(bar) = &bar {
                bar.finish_and_clear();
            }
            return Err(CommandError::remote(format!(
                "group `{}` is not converged after {:.1} s: {} of {} members are as specified",
                spec.id,
                started.elapsed().as_secs_f64(),
                stand.current,
                stand.wanted
            ))
            .hint(format!(
                "it goes on by itself; see `infrakit {} describe {} --watch`",
                target.name, spec.id
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn bar(context: &Context, id: &GroupId) -> ProgressBar {
    let color = if context.out.color { ".green" } else { "" };
    let template = format!("{{prefix}} [{{bar:40{color}}}] {{pos}}/{{len}} {{msg}} {{elapsed}}");
    let style =
        ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(id.to_string());
    bar
}

/// Shows the members of a group again and again: redrawn on a terminal, as changes in a pipe.
pub(crate) async fn watch(
    context: &Context,
    target: &Target,
    id: &GroupId,
    view: &ViewArgs,
    args: &WatchArgs,
) -> Result {
    let pause = args
        .interval
        .map_or(Duration::from_millis(500), |interval| interval.0);
    let pause = pause.max(Duration::from_millis(50));
    let filter = view.filter()?;
    let mut before: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let answer = members_and_conditions(target, id).await?;
        let mut described = answer.read(target)?;
        view::select(&mut described.rows, &filter, &[]);
        if context.out.terminal && view.output.format() == Format::Table {
            let mut table = Vec::new();
            view::write_table(&mut table, view, &described.rows)?;
            let state = match described.converged {
                true => "converged",
                false if described.is_frozen() => "frozen",
                false => "converging",
            };
            // Home, the new picture, and what is left of the old one below it cleared.
            let head = format!(
                "\x1b[H\x1b[2KGroup {id}: {} members, {state}\n",
                described.rows.len()
            );
            let body = String::from_utf8_lossy(&table).replace('\n', "\x1b[K\n");
            context.out.text(format!("{head}{body}\x1b[J"))?;
        } else {
            let now: BTreeMap<String, String> = described
                .rows
                .iter()
                .map(|row| (row.id.0.clone().into_owned(), row.joined_tags(false)))
                .collect();
            for line in changes(&before, &now) {
                context.out.line(&*crate::out::table::printable(&line))?;
            }
            before = now;
        }
        context.out.flush()?;
        tokio::time::sleep(pause).await;
    }
}

/// Returns what changed between two lists: `+` came, `-` went, `~` has other tags.
fn changes(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let gone = before
        .iter()
        .filter(|(id, _)| !now.contains_key(*id))
        .map(|(id, tags)| format!("- {id}  {tags}"));
    let other = now.iter().filter_map(|(id, tags)| match before.get(id) {
        None => Some(format!("+ {id}  {tags}")),
        Some(old) if old != tags => Some(format!("~ {id}  {tags}")),
        Some(_) => None,
    });
    gone.chain(other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_say_what_came_went_and_changed() {
        let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                .collect()
        };
        assert_eq!(
            changes(
                &map(&[("a", "1"), ("b", "1")]),
                &map(&[("b", "2"), ("c", "1")])
            ),
            ["- a  1", "~ b  2", "+ c  1"]
        );
        assert!(changes(&map(&[("a", "1")]), &map(&[("a", "1")])).is_empty());
    }

    #[test]
    fn done_needs_every_member_as_specified() {
        let done = Stand {
            members: 5,
            current: 5,
            wanted: 5,
            converged: true,
        };
        assert!(done.done());
        assert!(
            !Stand {
                converged: false,
                ..done
            }
            .done()
        );
        assert!(!Stand { current: 4, ..done }.done());
        assert!(!Stand { members: 6, ..done }.done());
    }

    #[test]
    fn the_hash_to_wait_for_is_that_of_the_tutorial() {
        let properties = r#"{"Allocation":{"Size":5},
            "Instance":{"Plugin":"instance-file","Properties":{"Note":"Instance properties version 1.0"}},
            "Flavor":{"Plugin":"flavor-vanilla","Properties":{"Init":["docker pull nginx:alpine",
            "docker run -d -p 80:80 nginx-alpine"],"Tags":{"tier":"web","project":"infrakit"},
            "Attachments":[{"ID":"attachid","Type":"attachtype"}]}}}"#;
        let spec = GroupSpec {
            id: "cattle".into(),
            properties: Some(Any::parse(properties).unwrap()),
        };
        assert_eq!(
            wanted_hash(&spec).as_deref(),
            Some("x4nrsdaibscmj7awpkxzx5vvpt6pilw2")
        );
    }
}
