//! What a command, URL or address becomes for one instance, and the environment of commands.

use std::collections::BTreeMap;

use infrakit_spi::instance::Description;
use infrakit_spi::tags;
use infrakit_template::{Engine, Vars};
use serde_json::{Value, json};

use crate::target::has_actions;

/// Renders texts over one instance.
pub(crate) struct Expander<'a> {
    instance: &'a Description,
    /// Made when the first template needs it.
    context: Option<Value>,
}

impl<'a> Expander<'a> {
    pub(crate) fn new(instance: &'a Description) -> Self {
        Self {
            instance,
            context: None,
        }
    }

    /// Renders `text`. A value that the instance does not have is an error: a check of
    /// `http://<no value>/` would say something about a host that nobody meant.
    pub(crate) fn expand(&mut self, text: &str) -> Result<String, String> {
        if !has_actions(text) {
            return Ok(text.to_owned());
        }
        let context = self.context.get_or_insert_with(|| context(self.instance));
        let expanded = Engine::new()
            .render(text, "instance", context, &Vars::new())
            .map_err(|error| error.to_string())?;
        if expanded.contains("<no value>") && !text.contains("<no value>") {
            return Err(format!("the instance lacks a value that `{text}` needs"));
        }
        Ok(expanded)
    }

    /// Renders each word.
    pub(crate) fn expand_all(&mut self, words: &[String]) -> Result<Vec<String>, String> {
        words.iter().map(|word| self.expand(word)).collect()
    }
}

fn context(instance: &Description) -> Value {
    json!({
        "ID": instance.id.as_str(),
        "LogicalID": instance.logical_id.as_ref().map(infrakit_spi::LogicalId::as_str),
        "Tags": instance.tags,
        "Properties": instance.properties.as_ref().and_then(|raw| raw.to_value().ok()),
    })
}

/// Returns the variables that tell a command which instance it is for. Where two tags lead to the
/// same name, the first in the order of the tags wins.
pub(crate) fn environment(instance: &Description) -> BTreeMap<String, String> {
    let no_tags = infrakit_spi::Tags::new();
    let all = instance.tags.as_ref().unwrap_or(&no_tags);
    let logical_id = instance
        .logical_id
        .as_ref()
        .map_or("", infrakit_spi::LogicalId::as_str);
    let mut env = BTreeMap::from([
        (
            "INFRAKIT_INSTANCE_ID".to_owned(),
            instance.id.as_str().to_owned(),
        ),
        ("INFRAKIT_LOGICAL_ID".to_owned(), logical_id.to_owned()),
        (
            "INFRAKIT_GROUP".to_owned(),
            all.get(tags::GROUP).cloned().unwrap_or_default(),
        ),
    ]);
    for (key, value) in all {
        let key: String = key
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_uppercase()
                } else {
                    '_'
                }
            })
            .collect();
        env.entry(format!("INFRAKIT_TAG_{key}"))
            .or_insert_with(|| value.clone());
    }
    // The system refuses a program whose environment contains a zero byte.
    env.retain(|_, value| !value.contains('\0'));
    env
}

#[cfg(test)]
mod tests {
    use infrakit_spi::Tags;

    use super::*;

    fn instance() -> Description {
        Description {
            id: "i-1".into(),
            tags: Some(Tags::from([
                ("infrakit.group".to_owned(), "web".to_owned()),
                ("ip".to_owned(), "10.0.0.7".to_owned()),
            ])),
            ..Description::default()
        }
    }

    #[test]
    fn texts_are_rendered_over_the_instance() {
        let instance = instance();
        let mut expander = Expander::new(&instance);
        let text = "{{ .ID }}@{{ index .Tags \"ip\" }}:{{ .Tags.ip }}";
        assert_eq!(expander.expand(text).unwrap(), "i-1@10.0.0.7:10.0.0.7");
        assert_eq!(expander.expand("plain").unwrap(), "plain");
    }

    #[test]
    fn what_the_instance_lacks_is_an_error() {
        let instance = instance();
        for text in ["{{ .LogicalID }}", "http://{{ index .Tags \"none\" }}/"] {
            let error = Expander::new(&instance).expand(text).unwrap_err();
            assert!(error.contains("lacks a value"), "{error}");
        }
    }

    #[test]
    fn the_environment_names_the_instance() {
        let env = environment(&instance());
        let want = [
            ("INFRAKIT_GROUP", "web"),
            ("INFRAKIT_INSTANCE_ID", "i-1"),
            ("INFRAKIT_LOGICAL_ID", ""),
            ("INFRAKIT_TAG_INFRAKIT_GROUP", "web"),
            ("INFRAKIT_TAG_IP", "10.0.0.7"),
        ];
        let got: Vec<_> = env.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(got, want);
    }
}
