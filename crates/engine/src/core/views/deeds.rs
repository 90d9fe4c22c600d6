//! What was done in a group, in words: the young deeds, each with its rule and its evidence.

use infrakit_plan::{Reason, Token};
use infrakit_spi::hash::ConfigHash;
use infrakit_spi::rollout::Deed as Told;
use infrakit_spi::{InstanceId, PluginName};

use crate::core::Group;
use crate::core::state::history::{Deed, End, Evidence, What, Who};
use crate::core::words::Wall;

impl Group {
    /// Names the revision with this hash.
    pub(in crate::core) fn named(&self, hash: &ConfigHash) -> String {
        let mut latest = self.revisions.iter().rev();
        match latest.find(|(_, committed)| committed.spec.hash == *hash) {
            Some((revision, _)) => format!("revision {revision} (hash {hash})"),
            None => format!("hash {hash}"),
        }
    }

    /// Says which member was destroyed last because it was sick.
    pub(in crate::core) fn last_casualty(&self, wall: Wall) -> Option<String> {
        let mut latest = self.history.latest();
        let sick = |deed: &&Deed| matches!(deed.what, What::Destroy(Reason::Unhealthy));
        let Told {
            at,
            instance,
            evidence,
            ..
        } = self.told(latest.find(sick)?, wall);
        Some(format!("`{instance}` had to go at {at}: {evidence}"))
    }

    /// Tells the deeds on a member, or all, the youngest first.
    pub(in crate::core) fn told_deeds(&self, of: Option<&InstanceId>, wall: Wall) -> Vec<Told> {
        let about = |deed: &&Deed| match (&deed.who, of) {
            (_, None) => true,
            (Who::Member(_, id), Some(of)) => id == of,
            (Who::Coming(_) | Who::Group, Some(_)) => false,
        };
        let latest = self.history.latest().filter(about);
        latest.map(|deed| self.told(deed, wall)).collect()
    }

    fn told(&self, deed: &Deed, wall: Wall) -> Told {
        let mut evidence = self.evidence(&deed.evidence, wall);
        let and = if evidence.is_empty() { "" } else { "; " };
        match &deed.end {
            End::UnderWay | End::Done => {}
            End::Failed(message) => evidence.push_str(&format!("{and}it failed with: {message}")),
            End::Lost(message) => evidence.push_str(&format!("{and}its answer is lost: {message}")),
            End::Unusable(message) => {
                evidence.push_str(&format!("{and}its answer cannot be used: {message}"));
            }
        }
        Told {
            at: wall.moment(deed.at),
            plugin: match &deed.who {
                Who::Member(plugin, _) => plugin.clone(),
                Who::Coming(_) | Who::Group => PluginName::default(),
            },
            instance: match &deed.who {
                Who::Member(_, id) => id.clone(),
                Who::Coming(number) => {
                    let token = Token::new(&self.memory.nonce, *number);
                    InstanceId::new(token.to_string())
                }
                Who::Group => InstanceId::default(),
            },
            action: deed.what.action(&deed.end),
            rule: deed.what.rule(),
            evidence,
        }
    }

    fn evidence(&self, evidence: &Evidence, wall: Wall) -> String {
        match evidence {
            Evidence::Nothing => String::new(),
            Evidence::Size {
                there,
                wanted,
                missing,
                hash,
            } => {
                let mut said = format!("{there} of {wanted} members were there");
                if let Some(id) = missing {
                    said = format!("`{id}` was missing; {said}");
                }
                if let Some(hash) = hash {
                    let former = self.named(hash);
                    said.push_str(&format!(
                        "; made from {former}, since the rollout is limited"
                    ));
                }
                said
            }
            Evidence::Health(health) => wall.verdict(health),
            Evidence::Configuration(hash, revision) => {
                let own = match hash {
                    Some(hash) => format!("it was made from {}", self.named(hash)),
                    None => "it carries no hash".to_owned(),
                };
                let force = self.revisions.get(revision);
                let force = force.map_or_else(
                    || format!("revision {revision}"),
                    |force| format!("revision {revision} (hash {})", force.spec.hash),
                );
                format!("{own}, and {force} was in force")
            }
            Evidence::Identity(Some(id)) => format!("it was `{id}`"),
            Evidence::Since(at) => format!("it was since {}", wall.moment(*at)),
            Evidence::Said(said) => said.clone(),
            Evidence::Identity(None) => "it had no identity".to_owned(),
        }
    }
}
