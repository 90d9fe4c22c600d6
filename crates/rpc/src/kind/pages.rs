//! Lists that come in pages: gathered into one, or not at all.
//!
//! A list from which a page is missing would look like one of which many members are gone, so a page
//! that fails fails the list, and pages that do not end are no list.

use std::collections::BTreeSet;

use infrakit_spi::instance::wire::DescribeRequest;
use infrakit_spi::instance::{Description, Domains, Fingerprint, Listing};
use infrakit_spi::{Error, Result};

use crate::client::Client;
use crate::fingerprint::fingerprint;
use crate::kind::list::{DESCRIBE, List, MOST};

/// Most pages of a list: the largest list that is taken, in the smallest pages of a known provider,
/// which have 20 instances, does not have as many; one that goes on never ends.
const PAGES: usize = 12_500;

/// All pages of a list.
#[derive(Default)]
pub(super) struct Gathered {
    instances: Vec<Description>,
    /// What all pages together cover, where one says that it is not everything.
    covers: Option<Domains>,
    /// Those of the answers, one behind the other; `None` when one has none.
    fingerprints: Option<Vec<u8>>,
}

impl Gathered {
    fn add(&mut self, list: List, print: Option<Fingerprint>) -> Result<()> {
        if self.instances.len() + list.instances.len() > MOST {
            return Err(Error::refused(format!(
                "{DESCRIBE}: more than {MOST} instances on all pages"
            )));
        }
        self.instances.extend(list.instances);
        if let Some(covers) = list.covers {
            self.covers.get_or_insert_default().extend(covers);
        }
        match (&mut self.fingerprints, print) {
            (Some(all), Some(Fingerprint(print))) => {
                all.extend(print.iter().flat_map(|lane| lane.to_le_bytes()));
            }
            (all, _) => *all = None,
        }
        Ok(())
    }

    /// Returns the list, unless it is the one that was seen.
    pub(super) fn listing(self, seen: Option<Fingerprint>) -> Listing {
        let now = self.fingerprints.map(|all| fingerprint(&all));
        match self.covers {
            _ if now.is_some() && now == seen => Listing::Unchanged,
            Some(covers) => Listing::Part(self.instances, covers, now),
            None => Listing::Changed(self.instances, now),
        }
    }
}

/// Asks for one page after the other.
pub(super) async fn gather(client: &Client, mut request: DescribeRequest) -> Result<Gathered> {
    let mut gathered = Gathered {
        fingerprints: Some(Vec::new()),
        ..Gathered::default()
    };
    let mut asked = BTreeSet::new();
    for number in 1..=PAGES {
        let answer = client
            .ask(client.limits().deadline, DESCRIBE, &request)
            .await?;
        let print = answer.presumed().map(fingerprint);
        let list: List = answer.decode(DESCRIBE)?;
        let next = list.next.clone();
        gathered.add(list, print)?;
        if next.is_empty() {
            return Ok(gathered);
        }
        if !asked.insert(next.clone()) {
            let next: String = next.chars().take(SHOWN).collect();
            return Err(Error::refused(format!(
                "{DESCRIBE}: its pages do not end: page {number} names `{next}` as the next one, \
                 which was there before"
            )));
        }
        request.page = Some(next);
    }
    Err(Error::refused(format!(
        "{DESCRIBE}: its pages do not end: {PAGES} came"
    )))
}

/// So many letters of what a page calls the next one are shown: they mean nothing to a reader.
const SHOWN: usize = 40;

/// A peer answers with a page that was not asked for one.
pub(super) fn undeclared() -> Error {
    Error::refused(format!(
        "{DESCRIBE}: it names a next page, and does not declare `list.page`"
    ))
}
