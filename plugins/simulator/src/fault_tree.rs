//! The settings of the faults as a metadata object that people read and change.

use std::collections::BTreeMap;

use async_trait::async_trait;
use infrakit_spi::metadata::{Change, Metadata, Proposal, Updatable};
use infrakit_spi::{Any, Error, Result};
use serde_json::Value;

use crate::faults::{Faults, InvalidFaults, TypeFaults};
use infrakit_spi::hash::canonical;
use infrakit_spi::metadata::document::{self, Path};

/// The object `faults`: one branch for each type of instance.
#[derive(Clone, Debug)]
pub(crate) struct FaultTree(pub(crate) Faults);

impl From<InvalidFaults> for Error {
    fn from(error: InvalidFaults) -> Self {
        Self::refused(error.to_string())
    }
}

fn to_value(faults: &BTreeMap<String, TypeFaults>) -> Result<Value> {
    serde_json::to_value(faults)
        .map_err(|error| Error::refused(format!("cannot write the faults: {error}")))
}

fn from_value(value: &Value) -> Result<BTreeMap<String, TypeFaults>> {
    // Numbers are read from their canonical text, in which 5.0 is 5.
    serde_json::from_str(&canonical(value))
        .map_err(|error| Error::refused(format!("these are no faults: {error}")))
}

#[async_trait]
impl Metadata for FaultTree {
    async fn keys(&self, path: &str) -> Result<Option<Vec<String>>> {
        let root = to_value(&self.0.all())?;
        Ok(document::keys(&root, &Path::parse(path)))
    }

    async fn get(&self, path: &str) -> Result<Option<Any>> {
        let root = to_value(&self.0.all())?;
        document::get(&root, &Path::parse(path))
    }
}

#[async_trait]
impl Updatable for FaultTree {
    async fn changes(&self, changes: &[Change]) -> Result<Proposal> {
        let proposal = document::propose(&to_value(&self.0.all())?, changes)?;
        // Said now rather than at the commit, while the change is still on the screen.
        if let Some(proposed) = &proposal.proposed {
            let value = proposed
                .to_value()
                .map_err(|error| Error::refused(error.to_string()))?;
            from_value(&value)?;
        }
        Ok(proposal)
    }

    async fn commit(&self, proposed: Option<&Any>, cas: &str) -> Result<()> {
        self.0.update(|all| {
            let accepted = document::accept(&to_value(all)?, proposed, cas)?;
            all.extend(from_value(&accepted)?);
            Ok(())
        })
    }
}
