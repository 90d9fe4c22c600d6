//! Enums that travel as one word each.

/// Declares an enum whose variants are words on the wire.
///
/// A word that is not known reads as the default, so that a peer of a later release can be read.
///
/// ```
/// infrakit_spi::words! {
///     /// A side of the road.
///     #[derive(Default)]
///     pub enum Side {
///         /// Not told.
///         #[default]
///         Unsaid = "",
///         /// The left one.
///         Left = "left",
///     }
/// }
/// let sides: Vec<Side> = serde_json::from_str(r#"["LEFT", "middle"]"#).unwrap();
/// assert_eq!(sides, [Side::Left, Side::Unsaid]);
/// assert_eq!(serde_json::to_string(&Side::Left).unwrap(), r#""left""#);
/// ```
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $( $(#[$vmeta:meta])* $variant:ident = $word:literal ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $( $(#[$vmeta])* $variant, )*
        }

        impl $name {
            /// Every variant, in the order of declaration.
            $vis const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the word on the wire.
            #[must_use]
            $vis fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )*
                }
            }

            /// Returns the variant that `word` names, in upper or lower case.
            #[must_use]
            $vis fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str().eq_ignore_ascii_case(word))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::__serde::Serialize for $name {
            fn serialize<S: $crate::__serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::__serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                struct Word;
                impl $crate::__serde::de::Visitor<'_> for Word {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("a word")
                    }
                    fn visit_str<E: $crate::__serde::de::Error>(self, word: &str) -> ::std::result::Result<$name, E> {
                        Ok($name::from_word(word).unwrap_or_default())
                    }
                }
                deserializer.deserialize_str(Word)
            }
        }
    };
}
