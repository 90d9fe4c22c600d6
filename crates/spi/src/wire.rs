//! How a wire struct reads and writes JSON: Go's rules, in one macro.
//!
//! Go's decoder matches field names without regard to case, ignores what it does not know, and
//! leaves a field at its zero value when it is absent or `null`. Go's encoder writes every field
//! in declaration order, unless it is marked to be omitted when empty.

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Visitor};

use crate::Any;

/// Declares a struct with Go's JSON behaviour.
///
/// Each field names its key on the wire; `omit` behind the key leaves an empty value out.
///
/// ```
/// infrakit_spi::wire_struct! {
///     /// A point.
///     #[derive(PartialEq)]
///     pub struct Point {
///         /// Abscissa.
///         pub x: u32 => "X",
///         /// Remark.
///         pub note: String => "Note" omit,
///     }
/// }
/// let point: Point = serde_json::from_str(r#"{"x": 3, "Note": null, "Other": 1}"#).unwrap();
/// assert_eq!(serde_json::to_string(&point).unwrap(), r#"{"X":3}"#);
/// ```
#[macro_export]
macro_rules! wire_struct {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$fmeta:meta])* $fvis:vis $field:ident : $ty:ty => $wire:literal $($omit:ident)? ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default)]
        $vis struct $name {
            $( $(#[$fmeta])* $fvis $field: $ty, )*
        }

        impl $name {
            /// The keys of this struct on the wire, in the order in which they are written.
            #[allow(unreachable_pub, clippy::allow_attributes, reason = "as visible as the struct")]
            pub const FIELDS: &'static [&'static str] = &[$($wire),*];
        }

        impl $crate::__serde::Serialize for $name {
            fn serialize<S: $crate::__serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                use $crate::__serde::ser::SerializeMap as _;
                let mut map = serializer.serialize_map(None)?;
                $( $crate::wire_struct!(@write map, self.$field, $wire $(, $omit)?); )*
                map.end()
            }
        }

        impl<'de> $crate::__serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                struct Fields;
                impl<'de> $crate::__serde::de::Visitor<'de> for Fields {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: $crate::__serde::de::MapAccess<'de>>(self, mut map: A) -> ::std::result::Result<$name, A::Error> {
                        let mut value = $name::default();
                        while let Some(index) = map.next_key_seed($crate::FieldKey($name::FIELDS))? {
                            #[allow(unused_mut, unused_assignments, clippy::allow_attributes, reason = "a struct may have no fields")]
                            {
                                let mut at = 0usize;
                                let mut known = false;
                                $(
                                    if index == Some(at) {
                                        value.$field = map.next_value::<Option<$ty>>()?.unwrap_or_default();
                                        known = true;
                                    }
                                    at += 1;
                                )*
                                if !known {
                                    map.next_value::<$crate::__serde::de::IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(value)
                    }
                }
                deserializer.deserialize_map(Fields)
            }
        }
    };
    (@write $map:ident, $value:expr, $wire:literal) => {
        $map.serialize_entry($wire, &$value)?;
    };
    (@write $map:ident, $value:expr, $wire:literal, omit) => {
        if !$crate::Omit::is_absent(&$value) {
            $map.serialize_entry($wire, &$value)?;
        }
    };
}

/// What counts as empty for a field that is left out when empty.
pub trait Omit {
    /// Returns whether the field is left out.
    fn is_absent(&self) -> bool;
}

impl<T> Omit for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl Omit for bool {
    fn is_absent(&self) -> bool {
        !self
    }
}

impl Omit for String {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T> Omit for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// Decodes an object key to the index of the field it names, without allocating.
///
/// An exact match wins over one that differs in case, as in Go.
#[derive(Clone, Copy, Debug)]
pub struct FieldKey(pub &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for FieldKey {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for FieldKey {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Self::Value, E> {
        let exact = self.0.iter().position(|field| *field == key);
        Ok(exact.or_else(|| {
            self.0
                .iter()
                .position(|field| field.eq_ignore_ascii_case(key))
        }))
    }
}

/// Decodes `raw` into `T`; an absent document gives the default, as Go's decoder does.
///
/// # Errors
/// Returns the decoder's error when the document has another shape.
pub fn decode<T: DeserializeOwned + Default>(raw: Option<&Any>) -> serde_json::Result<T> {
    raw.map_or_else(|| Ok(T::default()), Any::decode)
}

/// Returns the candidate that `word` was most likely meant to be, if one is close enough:
/// at most a third of its letters wrong, at least one allowed.
#[must_use]
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| {
            (
                distance(&word.to_lowercase(), &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance with swapped neighbours counted once (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (above[j] + 1)
                .min(row[j - 1] + 1)
                .min(above[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    wire_struct! {
        /// Test struct.
        #[derive(PartialEq)]
        struct Sample {
            /// Id.
            id: String => "ID",
            /// Raw.
            raw: Option<Any> => "Raw" omit,
            /// Size.
            size: u64 => "Size",
        }
    }

    #[test]
    fn matches_keys_without_case_and_ignores_unknown_ones() {
        let sample: Sample =
            serde_json::from_str(r#"{"id":"a","RAW":{"k": 1},"SIZE":2,"zzz":[1]}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&sample).unwrap(),
            r#"{"ID":"a","Raw":{"k": 1},"Size":2}"#
        );
    }

    #[test]
    fn null_and_absent_are_zero() {
        let sample: Sample = serde_json::from_str(r#"{"ID":null,"Raw":null}"#).unwrap();
        assert_eq!(sample, Sample::default());
        assert_eq!(
            serde_json::to_string(&sample).unwrap(),
            r#"{"ID":"","Size":0}"#
        );
    }

    #[test]
    fn wrong_types_are_errors() {
        assert!(serde_json::from_str::<Sample>(r#"{"Size":-1}"#).is_err());
        assert!(serde_json::from_str::<Sample>(r#"{"ID":5}"#).is_err());
        assert!(serde_json::from_str::<Sample>("[1]").is_err());
    }

    #[test]
    fn suggests_the_nearest_word() {
        assert_eq!(
            suggest("Alocation", ["Allocation", "Instance"]),
            Some("Allocation")
        );
        assert_eq!(
            suggest("descrbie", ["describe", "destroy"]),
            Some("describe")
        );
        assert_eq!(suggest("zzz", ["describe"]), None);
    }
}
