//! One call as a method sees it, and what can come of it.

use infrakit_spi::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// How every successful answer begins; the result is written right behind it.
const SUCCESS: &[u8] = br#"{"jsonrpc":"2.0","result":"#;

/// A call of a method that the service may or may not have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// Method without its service, as in `Provision`.
    pub(crate) method: &'a str,
    /// The parameters: one JSON value.
    pub(crate) params: &'a str,
}

/// Begin of an answer, up to and including the result; or why there is no result.
pub(crate) type Reply = Result<Vec<u8>, Fault>;

/// Why a call has no result.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The name is not `Service.Method`.
    IllFormed,
    /// The envelope is not right; this is the begin of the answer.
    Envelope(Vec<u8>),
    /// The plugin has no such service.
    NoService,
    /// The service has no such method.
    NoMethod,
    /// The parameters have another shape.
    Params(String),
    /// The method failed.
    Failed(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Call<'_> {
    /// Decodes the parameters: an object, or the first element of an array. `null` is the zero
    /// value.
    pub(crate) fn params<P: DeserializeOwned + Default>(&self) -> Result<P, Fault> {
        let wrong = |error: serde_json::Error| Fault::Params(error.to_string());
        let params = match self.params.as_bytes().first() {
            Some(b'{') => self.params,
            Some(b'[') => {
                let elements: Vec<&RawValue> = serde_json::from_str(self.params).map_err(wrong)?;
                elements.first().map_or("null", |first| first.get())
            }
            Some(b'n') => "null",
            _ => return Err(Fault::Params("expected an object or an array".to_owned())),
        };
        if params == "null" {
            Ok(P::default())
        } else {
            serde_json::from_str(params).map_err(wrong)
        }
    }
}

/// Writes the begin of an answer with `result` in it.
pub(crate) fn reply<R: Serialize>(result: &R) -> Reply {
    let mut begin = Vec::with_capacity(256);
    begin.extend_from_slice(SUCCESS);
    serde_json::to_writer(&mut begin, result)
        .map_err(|error| Error::refused(format!("cannot write result: {error}")))?;
    Ok(begin)
}
