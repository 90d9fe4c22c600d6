//! What is said of groups that are gone while something was under way for them.

use infrakit_plan::{Phase, Timestamp, Token};
use infrakit_spi::rollout::{Orphan, Why};
use infrakit_spi::{InstanceId, PluginName};

use crate::core::state::remains::Remains;
use crate::core::words::{Wall, count, names};
use crate::core::{Core, Group};
use crate::records::Fate;

impl Core {
    /// Returns what is there, or may still come, of groups that nobody manages any more; and what may still
    /// come of those that are being destroyed.
    #[must_use]
    pub fn orphans(&self) -> Vec<Orphan> {
        let wall = self.on_wall();
        let going = self.groups.values();
        let going = going.filter(|group| group.memory.phase == Phase::Destroying);
        let of_going = going.flat_map(|group| open_creations(group, Fate::Destroyed, wall));
        let remains = self.groups.all_remains();
        let of_remains = remains.flat_map(|one| orphans_of(one, wall));
        of_going.chain(of_remains).collect()
    }
}

fn orphans_of(remains: &Remains, wall: Wall) -> impl Iterator<Item = Orphan> {
    let (group, fate) = (&remains.group, remains.fate);
    let there = remains.orphans().map(move |member| Orphan {
        instance: member.id.clone(),
        logical_id: text(member.logical_id.as_ref()),
        since: wall.moment(member.created),
        ..blank(
            (group, fate),
            &member.plugin,
            member.token.unwrap_or_default(),
        )
    });
    there.chain(open_creations(group, fate, wall))
}

fn open_creations(group: &Group, fate: Fate, wall: Wall) -> impl Iterator<Item = Orphan> {
    let open = group.memory.intents.iter();
    open.map(move |(number, intent)| Orphan {
        logical_id: text(intent.logical_id.as_ref()),
        since: wall.moment(intent.begun),
        until: intent
            .doubt
            .map_or_else(String::new, |doubt| wall.moment(doubt.until)),
        ..blank((group, fate), &intent.plugin, *number)
    })
}

fn blank((group, fate): (&Group, Fate), plugin: &PluginName, number: u64) -> Orphan {
    Orphan {
        group: group.id().clone(),
        fate: word(fate).to_owned(),
        plugin: plugin.clone(),
        token: Token::new(&group.memory.nonce, number).to_string(),
        ..Orphan::default()
    }
}

fn text(id: Option<&infrakit_spi::LogicalId>) -> String {
    id.map_or_else(String::new, ToString::to_string)
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Freed => "freed",
        Fate::Destroyed => "destroyed",
    }
}

impl Remains {
    /// Says what remains of the group, or of one that was its member.
    pub(in crate::core) fn why(
        &self,
        instance: Option<&InstanceId>,
        (wall, now): (Wall, Timestamp),
    ) -> Why {
        let group = &self.group;
        let fate = word(self.fate);
        let mut lines = vec![format!(
            "group `{}` was {fate} at {}",
            group.id(),
            wall.since(self.since, now)
        )];
        let open = &group.memory.intents;
        if let Some(begun) = open.values().map(|intent| intent.begun).min() {
            let until = open.values().filter_map(|intent| intent.doubt);
            let until = match until.map(|doubt| doubt.until).max() {
                Some(until) => format!(", until {} at most", wall.moment(until)),
                None => String::new(),
            };
            let what = match self.fate {
                Fate::Freed => "what comes of them is left alone",
                Fate::Destroyed => "what comes of them is destroyed, too",
            };
            lines.push(format!(
                "{} may still come true, the oldest since {}{until}; {what}",
                count(open.len(), "creation"),
                wall.moment(begun),
            ));
        }
        let late: Vec<_> = self.orphans().map(|member| &member.id).collect();
        if !late.is_empty() {
            let what = match self.fate {
                Fate::Freed => {
                    "left alone until the group is committed anew; see `infrakit orphans`"
                }
                Fate::Destroyed => "destroyed, too",
            };
            lines.push(format!("{} came after that: {what}", names(late)));
        }
        Why {
            lines,
            deeds: group.told_deeds(instance, wall),
        }
    }
}
