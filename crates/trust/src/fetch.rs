//! Fetching, as the caller can, for the client of the repository.

use std::fmt;
use std::sync::Arc;

use futures_util::stream;
use tough::{Bytes, Transport, TransportError, TransportErrorKind, TransportStream, async_trait};
use url::Url;

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// There is no such file. The client looks for versions of the root metadata until it hears that.
    #[error("it does not exist")]
    NotFound,
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// Something that can fetch files. It may block, and bounds time and size itself.
pub trait Fetch: Send + Sync {
    /// Returns the content behind `url`.
    ///
    /// # Errors
    /// Tells what is not there from what could not be fetched.
    fn fetch(&self, url: &Url) -> Result<Vec<u8>, FetchError>;
}

impl<F: Fn(&Url) -> Result<Vec<u8>, FetchError> + Send + Sync> Fetch for F {
    fn fetch(&self, url: &Url) -> Result<Vec<u8>, FetchError> {
        self(url)
    }
}

/// A [`Fetch`] as the client wants it.
#[derive(Clone)]
pub(crate) struct Fetched(pub(crate) Arc<dyn Fetch>);

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetched")
    }
}

#[async_trait]
impl Transport for Fetched {
    async fn fetch(&self, url: Url) -> Result<TransportStream, TransportError> {
        match self.0.fetch(&url) {
            Ok(content) => Ok(Box::pin(stream::iter([Ok(Bytes::from(content))]))),
            Err(error) => {
                let kind = match error {
                    FetchError::NotFound => TransportErrorKind::FileNotFound,
                    FetchError::Failed(_) => TransportErrorKind::Other,
                };
                Err(TransportError::new_with_cause(kind, url, error))
            }
        }
    }
}
