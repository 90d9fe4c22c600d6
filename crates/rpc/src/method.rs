//! A method of a plugin, as its description shows it.

use infrakit_spi::Any;
use serde::Serialize;

/// A method with example parameters and an example result.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) params: Option<Any>,
    pub(crate) result: Option<Any>,
}

/// Describes a method by its zero values.
pub(crate) fn method<P: Serialize, R: Serialize>(
    name: &'static str,
    params: &P,
    result: &R,
) -> Method {
    Method {
        name,
        params: Any::from_value(params).ok(),
        result: Any::from_value(result).ok(),
    }
}
