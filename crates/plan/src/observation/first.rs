//! The first list of a life of the controller, beside what an earlier life knew.
//!
//! When a machine starts anew its plugins do so as well, and one that has forgotten everything shows
//! nobody. Nobody is missed then, since nobody is known: it would look like a group that was never
//! filled. So how many members there were is on record, and a first list that lacks too many of them
//! is doubted as any other is.

use infrakit_spi::{InstanceId, PluginName};

use super::doubts::{Absent, NEVER};
use super::trust::Tally;
use super::{Observed, Origin, Seen};
use crate::Timestamp;

impl Observed {
    /// Returns whether a complete list may be taken for all there is. The first of a plugin may not
    /// while it is doubted.
    pub(super) fn is_whole(
        &mut self,
        plugin: &PluginName,
        started: Timestamp,
        seen: &mut Seen,
    ) -> bool {
        let Some(former) = self.former.get(plugin) else {
            return true;
        };
        let (mut known, mut shown, mut leaving) = (0, 0, 0);
        for one in self.members.values().filter(|one| one.plugin == *plugin) {
            let listed = usize::from(one.origin == Origin::Listed);
            // Whoever was made later has the id of one that went.
            let before = former.leaving.get(&one.id);
            let meant = before.is_some_and(|before| one.token.is_none_or(|token| token < *before));
            if one.departure.is_some() || meant {
                leaving += listed;
            } else {
                known += 1;
                shown += listed;
            }
        }
        // Young members are on record by themselves, and known whether a list shows them or not. Those that
        // go anyway are none of the others, and no witnesses for them.
        let lost = former.members.saturating_sub(known);
        if lost == 0 {
            shown += leaving;
        }
        // Where nobody is lost they may all be too young for it.
        let young = if lost == 0 { 0 } else { known - shown };
        let tally = Tally {
            lost,
            shown,
            young,
            before: former.leaving.len(),
            ..Tally::default()
        };
        let wait = self.losses.wait(plugin, tally);
        let since = former.lacks.map_or_else(
            || self.losses.since(plugin, lost, started),
            |(_, absent)| absent.since,
        );
        let until = wait.map(|wait| since + wait);
        let Some(until) = until.filter(|until| started == since || started < *until) else {
            self.former.remove(plugin);
            return true;
        };
        if let Some(former) = self.former.get_mut(plugin) {
            former.lacks = Some((
                lost,
                Absent {
                    since,
                    until,
                    in_company: true,
                },
            ));
        }
        if until != NEVER {
            seen.look_again_at(until);
        }
        false
    }

    /// Takes in that a former life had asked these members to go: one that shows nobody of them and of the
    /// others has lost its memory more likely than they have all gone. Beside each is the first creation of
    /// which another one came.
    pub fn recall_leaving<'a>(
        &mut self,
        leaving: impl Iterator<Item = (&'a PluginName, &'a InstanceId, u64)>,
    ) {
        for (plugin, id, before) in leaving {
            if let Some(former) = self.former.get_mut(plugin) {
                former.leaving.insert(id.clone(), before);
            }
        }
    }

    /// Believes first lists that are doubted. Returns how many members they lack.
    pub(super) fn confirm_first(&mut self) -> usize {
        let mut lost = 0;
        for (plugin, former) in std::mem::take(&mut self.former) {
            let Some((lacks, absent)) = former.lacks else {
                self.former.insert(plugin, former);
                continue;
            };
            lost += lacks;
            // Where the controller slept meanwhile, that list is of no use any more.
            let homes = self.homes.get_mut(&plugin);
            if let Some(home) = homes.filter(|home| home.woken.is_none()) {
                home.listed = Some(absent.since);
            }
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use infrakit_spi::behaviour::{Behaviour, Completeness};
    use infrakit_spi::instance::Description;
    use infrakit_spi::tags;

    use super::super::doubts::Former;
    use super::*;
    use crate::{Lag, Listed, LossPolicy, Trust};

    fn at(seconds: u64) -> Timestamp {
        Timestamp(seconds * 1_000_000_000)
    }

    fn list(seen: &mut Observed, ids: &[&str], started: u64) -> Seen {
        let circumstances = Listed {
            plugin: &"p".into(),
            started: at(started),
            now: at(started),
            lag: Lag::NONE,
        };
        let ids = ids.iter().map(|id| Description {
            id: (*id).into(),
            tags: Some([(tags::GROUP.to_owned(), "g".to_owned())].into()),
            ..Description::default()
        });
        seen.apply(&"g".into(), ids, circumstances, "n")
    }

    /// A group that had so many members in an earlier life.
    fn had(members: usize, behaviour: &Behaviour) -> Observed {
        let mut seen = Observed::default();
        seen.trust(&"p".into(), Trust::of(behaviour, &LossPolicy::default()));
        seen.former.insert("p".into(), Former::of(members));
        seen
    }

    #[test]
    fn a_first_list_that_shows_nobody_is_no_list_for_a_minute() {
        let mut seen = had(6, &Behaviour::default());
        assert_eq!(list(&mut seen, &[], 10).look_again, Some(at(70)));
        assert_eq!((seen.listed(), seen.looked()), (None, Some(at(10))));
        let doubted = seen.doubted().unwrap();
        let (count, since, until) = (doubted.count, doubted.since, doubted.until);
        assert_eq!((count, since, until), (6, at(10), Some(at(70))));
        // The same again, as it was.
        seen.unchanged(&"p".into(), at(40), at(40));
        assert_eq!(seen.listed(), None);
        seen.unchanged(&"p".into(), at(70), at(70));
        assert_eq!((seen.listed(), seen.doubted()), (Some(at(70)), None));
    }

    #[test]
    fn those_that_come_into_sight_after_all_end_the_doubt() {
        let mut seen = had(6, &Behaviour::default());
        list(&mut seen, &[], 10);
        list(&mut seen, &["a", "b", "c"], 11);
        assert_eq!((seen.listed(), seen.doubted()), (Some(at(11)), None));
    }

    #[test]
    fn a_first_list_that_lacks_most_has_to_be_confirmed() {
        let mut seen = had(6, &Behaviour::default());
        list(&mut seen, &["a"], 10);
        assert_eq!((seen.listed(), seen.len()), (None, 1));
        assert_eq!(seen.doubted().unwrap().until, Some(at(12)));
        list(&mut seen, &["a"], 12);
        assert_eq!(seen.listed(), Some(at(12)));
    }

    /// One of three that went at once is still there, and has the others' ids given again meanwhile.
    #[test]
    fn whoever_has_the_id_of_one_that_went_is_there() {
        let mut seen = had(2, &Behaviour::default());
        let plugin = PluginName::from("p");
        let leaving = ["a", "b", "c"].map(InstanceId::from);
        seen.recall_leaving(leaving.iter().map(|id| (&plugin, id, 4)));
        let shown = |(id, token): (&str, &str)| Description {
            id: id.into(),
            tags: Some(
                [(tags::GROUP, "g"), (tags::TOKEN, token)]
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .into(),
            ),
            ..Description::default()
        };
        let circumstances = Listed {
            plugin: &plugin,
            started: at(10),
            now: at(10),
            lag: Lag::NONE,
        };
        let all = [("a", "n-4"), ("b", "n-5"), ("c", "n-3")];
        seen.apply(&"g".into(), all.map(shown), circumstances, "n");
        assert_eq!((seen.listed(), seen.doubted()), (Some(at(10)), None));
    }

    #[test]
    fn up_to_half_and_two_are_believed_to_be_gone_at_once() {
        for (members, shown) in [(6, &["a", "b", "c"][..]), (2, &[]), (0, &[])] {
            let mut seen = had(members, &Behaviour::default());
            list(&mut seen, shown, 10);
            assert_eq!(seen.listed(), Some(at(10)), "{members}");
        }
    }

    #[test]
    fn a_plugin_that_forgets_nothing_is_believed_at_once() {
        let mut behaviour = Behaviour::default();
        behaviour.list.complete = Completeness::Yes;
        behaviour.list.durable = Some(true);
        let mut seen = had(6, &behaviour);
        list(&mut seen, &[], 10);
        assert_eq!(seen.listed(), Some(at(10)));
    }

    #[test]
    fn somebody_who_knows_need_not_wait() {
        let mut seen = had(6, &Behaviour::default());
        assert_eq!(seen.confirm_losses(at(5)).vanished, 0);
        list(&mut seen, &[], 10);
        assert_eq!(seen.confirm_losses(at(11)).vanished, 6);
        assert_eq!((seen.listed(), seen.doubted()), (Some(at(10)), None));
    }
}
