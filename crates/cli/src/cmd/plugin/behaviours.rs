//! How the providers of instance plugins behave, as `infrakit plugin ls -o wide` shows it: what is
//! declared, what is set in `plugins.yml`, and what holds where that is wrong.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use infrakit_engine::core::Override;
use infrakit_rpc::kind::{GroupClient, InstanceClient};
use infrakit_spi::PluginName;
use infrakit_spi::behaviour::Facts;
use infrakit_spi::instance::Instance as _;
use infrakit_spi::rollout::{Rollouts as _, Setting};

use crate::context::Context;
use crate::error::Result;
use crate::overrides::OverridesFile;

/// Asks the instance plugins how they behave, all at once. Where what is set for one is wrong, the
/// group controllers are asked what holds.
pub(super) async fn behaviours(
    context: &Context,
    instances: &[(&str, Option<&InstanceClient>)],
    controllers: &[GroupClient],
) -> Result<Vec<String>> {
    let read = OverridesFile::new(context.settings.overrides_file()?).read();
    let read = read.unwrap_or_default();
    if let Some(fault) = &read.fault {
        context.warn(fault);
    }
    let wrong = read.fault.is_some() || read.by_plugin.values().any(std::result::Result::is_err);
    let holding = if wrong {
        holding(controllers).await
    } else {
        BTreeMap::new()
    };
    let asked = instances.iter().map(async |(name, instance)| {
        let Some(instance) = instance else {
            return String::new();
        };
        let name = PluginName::from(*name);
        let set = match read.by_plugin.get(&name) {
            Some(Ok(set)) => SetFor::now(set),
            Some(Err(wrong)) => SetFor::before(holding.get(&name), Some(wrong)),
            None => SetFor::before(holding.get(&name), None),
        };
        described(&declared(instance).await, &set)
    });
    Ok(join_all(asked).await)
}

/// Asks what of the settings holds. Controllers that do not know, or do not answer, are passed over.
async fn holding(controllers: &[GroupClient]) -> BTreeMap<PluginName, Setting> {
    let asked = controllers.iter().map(async |one| one.settings().await);
    let answers = join_all(asked).await.into_iter().flatten().flatten();
    answers
        .map(|setting| (setting.plugin.clone(), setting))
        .collect()
}

/// Returns what a plugin declares, or why that is not known.
async fn declared(instance: &InstanceClient) -> std::result::Result<Facts, String> {
    let declared = instance
        .behaviour()
        .await
        .map_err(|error| error.to_string());
    let declared = declared?.unwrap_or_default();
    match declared.check() {
        Ok(()) => Ok(declared.facts()),
        Err(nonsense) => Err(format!("declares nonsense: {nonsense}")),
    }
}

/// What is set for a plugin.
#[derive(Debug, Default)]
struct SetFor {
    facts: Facts,
    /// Since when, as an adjective: `set`, or `set before`.
    word: &'static str,
    /// What is wrong with what is set now.
    wrong: Option<String>,
    /// Whether the plugin is treated as if it declared nothing.
    lost: bool,
}

impl SetFor {
    fn now(set: &Override) -> Self {
        Self {
            facts: set.facts(),
            word: "set",
            ..Self::default()
        }
    }

    /// What is set is wrong, or cannot be read; a controller may say what holds.
    fn before(holding: Option<&Setting>, wrong: Option<&String>) -> Self {
        Self {
            facts: holding.map(|one| one.set.clone()).unwrap_or_default(),
            word: "set before",
            wrong: wrong.map(|wrong| format!("wrongly set: {wrong}")),
            lost: holding.is_some_and(|one| one.lost),
        }
    }
}

/// Says what is declared, or why that is not known, and what is set instead.
fn described(declared: &std::result::Result<Facts, String>, set: &SetFor) -> String {
    let nothing = Facts::new();
    let word = set.word;
    let facts = declared.as_ref().unwrap_or(&nothing);
    let mut said: Vec<String> = match declared {
        Ok(facts) if facts.is_empty() => vec!["undeclared".to_owned()],
        Ok(_) if set.lost => vec!["treated as if it declared nothing, instead of".to_owned()],
        Ok(_) => Vec::new(),
        Err(fault) => vec![format!("{fault};")],
    };
    said.extend(facts.iter().map(|(name, value)| match set.facts.get(name) {
        Some(set) => format!("{name}={set} ({word}; declared {value})"),
        None => format!("{name}={value}"),
    }));
    let only_set = set.facts.iter();
    let only_set = only_set.filter(|(name, _)| !facts.contains_key(*name));
    said.extend(only_set.map(|(name, value)| format!("{name}={value} ({word})")));
    said.extend(set.wrong.clone());
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use infrakit_spi::behaviour::Behaviour;

    use super::*;

    fn facts(text: &str) -> Facts {
        serde_json::from_str::<Behaviour>(text).unwrap().facts()
    }

    fn five() -> Facts {
        facts(r#"{"create": {"give_up_s": 5}}"#)
    }

    fn set(facts: Facts) -> SetFor {
        SetFor {
            facts,
            word: "set",
            ..SetFor::default()
        }
    }

    #[test]
    fn declared_and_set_are_both_shown() {
        let nothing = Ok(Facts::new());
        assert_eq!(described(&nothing, &SetFor::default()), "undeclared");
        assert_eq!(
            described(&nothing, &set(five())),
            "undeclared create.give_up_s=5 (set)"
        );
        let declared = Ok(facts(
            r#"{"create": {"give_up_s": 60}, "list": {"durable": true}}"#,
        ));
        assert_eq!(
            described(&declared, &set(five())),
            "create.give_up_s=5 (set; declared 60) list.durable=true"
        );
        let nonsense = Err("declares nonsense: no".to_owned());
        assert_eq!(
            described(&nonsense, &set(five())),
            "declares nonsense: no; create.give_up_s=5 (set)"
        );
    }

    #[test]
    fn what_holds_is_shown_where_what_is_set_is_wrong() {
        let declared = Ok(facts(r#"{"create": {"give_up_s": 60}}"#));
        let wrong = "line 3".to_owned();
        let unknown = SetFor::before(None, Some(&wrong));
        assert_eq!(
            described(&declared, &unknown),
            "create.give_up_s=60 wrongly set: line 3"
        );
        let mut holding = Setting {
            plugin: "file".into(),
            set: five(),
            fault: wrong.clone(),
            lost: false,
        };
        for (now, then) in [(Some(&wrong), " wrongly set: line 3"), (None, "")] {
            let former = SetFor::before(Some(&holding), now);
            let expected = format!("create.give_up_s=5 (set before; declared 60){then}");
            assert_eq!(described(&declared, &former), expected);
        }
        holding.set.clear();
        holding.lost = true;
        let lost = SetFor::before(Some(&holding), Some(&wrong));
        assert_eq!(
            described(&declared, &lost),
            "treated as if it declared nothing, instead of create.give_up_s=60 wrongly set: line 3"
        );
    }
}
