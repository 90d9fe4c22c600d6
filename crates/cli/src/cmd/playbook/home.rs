//! Where this program keeps playbooks, and how it reads them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use infrakit_fetch::Client;
use infrakit_playbook::{
    BuiltIn, Everywhere, Gathered, Grants, INDEX, LARGEST, Paths, Place, Playbook, ReadError,
    Shelf, Source, gather,
};
use infrakit_template::{Fetch, Request};

use super::inside;
use crate::context::Context;
use crate::error::Result;

/// How long reading one file from a server may take.
const ANSWER: Duration = Duration::from_secs(30);

/// Returns the playbooks of this home.
pub(super) fn shelf(context: &Context) -> Result<Shelf> {
    let settings = &context.settings;
    let paths = Paths {
        registry: settings.playbooks_file()?,
        older_registry: settings.older_playbooks_file()?,
        cache: settings.playbooks_cache()?,
    };
    Ok(Shelf::new(paths, settings.everything()))
}

/// Returns what fetches from servers.
pub(super) fn network() -> Option<Arc<dyn Fetch>> {
    Some(Arc::new(Client::new()))
}

/// The files of servers.
pub(super) struct Web(Option<Arc<dyn Fetch>>);

impl Web {
    /// Returns the servers as this program reaches them.
    pub(super) fn new() -> Self {
        Self(network())
    }
}

impl Source for Web {
    fn read(&self, place: &Place) -> std::result::Result<Vec<u8>, ReadError> {
        let Some(fetch) = &self.0 else {
            return Err(ReadError::Failed("there is no network here".to_owned()));
        };
        let request = Request {
            url: place.as_str(),
            headers: &[],
            limit: usize::try_from(LARGEST).unwrap_or(usize::MAX),
            timeout: ANSWER,
        };
        fetch.fetch(&request).map_err(|why| {
            let gone = ["the server answers 404", "the server answers 410"];
            if gone.iter().any(|start| why.starts_with(start)) {
                ReadError::NotFound
            } else {
                ReadError::Failed(why)
            }
        })
    }
}

/// Returns the files that come with the program.
fn built_in() -> BuiltIn {
    let files = inside::FILES.iter();
    BuiltIn(
        files
            .map(|(path, text)| (format!("builtin:///{}/{path}", inside::NAME), *text))
            .collect::<BTreeMap<_, _>>(),
    )
}

/// Hands `work` everything that playbooks can be read from.
pub(super) fn with_sources<T>(work: impl FnOnce(&dyn Source) -> T) -> T {
    let (built_in, remote) = (built_in(), Web::new());
    work(&Everywhere {
        built_in: &built_in,
        remote: &remote,
    })
}

/// Returns the names of the playbooks that come with the program.
pub(super) fn built_in_names() -> impl Iterator<Item = &'static str> {
    std::iter::once(inside::NAME)
}

/// Returns the first file of a playbook that comes with the program.
pub(super) fn built_in_place(name: &str) -> Option<Place> {
    let first = format!("builtin:///{name}/{INDEX}");
    (name == inside::NAME).then(|| Place::stored(&first).ok())?
}

/// Opens a playbook by name: one of the home, else one that comes with the program.
pub(super) fn open(context: &Context, name: &str) -> Result<Playbook> {
    let shelf = shelf(context)?;
    let registered = shelf.list().map(|all| all.contains_key(name));
    if let Some(root) = built_in_place(name)
        && !matches!(registered, Ok(true))
    {
        let reach = shelf.reach(&root, &Grants::new());
        let gathered: Gathered = gather(name, &root, &built_in(), &reach)?;
        return Ok(Playbook::unlocked(name, root, gathered, reach));
    }
    registered?;
    let (playbook, adopted) = with_sources(|source| shelf.open(name, source))?;
    if adopted {
        context.note(&format!(
            "playbook `{name}` was not locked; it is now, as it is"
        ));
    }
    Ok(playbook)
}
