//! YAML for people, in the block style that the original prints.

pub(crate) use infrakit_template::write_yaml as write;
