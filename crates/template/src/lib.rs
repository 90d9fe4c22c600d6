//! Renders Go templates: the language of `text/template`, sprig's functions and InfraKit's own.
//!
//! [`Engine::render`] turns a text and a context into a text. It is synchronous and bounded: a
//! template can neither run for ever nor produce more than 8 MiB. What a template may reach
//! outside itself (files, the environment) is what its caller grants in [`Access`]; [`load()`]
//! fetches the text behind a URL under the same grants.
//!
//! ```
//! use infrakit_template::{Engine, Vars};
//!
//! let engine = Engine::new();
//! let context = serde_json::json!({"Name": "web", "Ports": [80, 443]});
//! let text = "{{ .Name | upper }}:{{ range .Ports }} {{ add . 8000 }}{{ end }}";
//! assert_eq!(engine.render(text, "doc", &context, &Vars::new())?, "WEB: 8080 8443");
//!
//! let error = engine.render("a\n{{ uper .Name }}", "doc", &context, &Vars::new()).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "template: doc:2:4: function \"uper\" not defined, did you mean `upper`?"
//! );
//! # Ok::<(), infrakit_template::TemplateError>(())
//! ```

mod access;
mod balance;
mod cells;
mod compile;
mod engine;
mod error;
mod fault;
mod frame;
mod functions;
mod limits;
mod load;
mod own;
mod render;
mod rewrite;
mod run;
mod url;
mod value;
mod vars;
mod yaml;

pub use access::{Access, Fetch, FileAccess, Metadata, Origin, Request, Trust};
pub use engine::{Engine, UnsetVar};
pub use error::{ErrorKind, Include, LoadError, Position, TemplateError};
pub use functions::{FunctionHelp, functions, functions_json};
pub use gotmpl::Value;
pub use limits::Limits;
pub use load::{Source, load};
pub use own::Caller;
pub use url::{display_name, resolve};
pub use value::{from_json, to_json};
pub use vars::Vars;
pub use yaml::write_yaml;
