//! Members that the answers to creations have told of.

use infrakit_spi::{InstanceId, PluginName};

use super::{Member, Observed, key};

impl Observed {
    /// Takes in an answered creation, be it that a former life of the controller heard the answer.
    pub fn provisioned(&mut self, mut member: Member) {
        let key = key(&member.plugin, &member.id);
        member = member.incarnate(self.losses.incarnation_field(&key.plugin));
        // Lists that do not say what creation a member came of say nothing against the answer.
        let silent = !self.losses.shows_tokens(&key.plugin);
        let silent = |known: &Member| silent && known.token.is_none();
        match self.members.get(&key) {
            None => {
                self.remember(&key, &mut member);
                self.insert(key, member);
            }
            // The plugin has given the id of an instance that went to a new one. Of one that a former
            // record of the group made, the tag alone tells, and of one that nobody here has made the name.
            Some(known)
                if known.has_gone_before(&member)
                    || silent(known) && known.identity() != member.identity() =>
            {
                let went = known.birth();
                self.succeed(&key, went, member.created);
                self.insert(key, member);
            }
            // A list has shown it before its answer came.
            Some(known) if silent(known) => {
                if let Some(mut known) = self.changing(key) {
                    known.token = member.token;
                }
            }
            Some(_) => {}
        }
    }

    /// Forgets a member that turned out to be none: its id is that of an instance of others. What
    /// is left in the world is not touched.
    pub fn disown(&mut self, plugin: &PluginName, id: &InstanceId) {
        self.remove(&key(plugin, id));
    }
}
