//! What newtypes over texts have in common, as macros.

/// Gives a text newtype its serde form (the text itself) and its JSON schema (a string with a pattern).
/// The type implements `FromStr` and `Display`; both directions of serde go through them.
macro_rules! text_type {
    ($type:ident, $description:literal, $pattern:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(crate::text_types::Parsed(std::marker::PhantomData))
            }
        }

        #[cfg(feature = "schemas")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut schema = schemars::json_schema!({ "type": "string", "description": $description });
                let pattern: Option<&str> = $pattern;
                if let Some(pattern) = pattern {
                    schema.insert("pattern".into(), pattern.into());
                }
                schema
            }
        }
    };
}

/// Reads a text and parses it where it lies, without a copy.
pub(crate) struct Parsed<T>(pub(crate) std::marker::PhantomData<T>);

impl<T: std::str::FromStr<Err: std::fmt::Display>> serde::de::Visitor<'_> for Parsed<T> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// Compares two texts without regard to ASCII case, and without a copy of either.
pub(crate) fn cmp_caseless(one: &str, other: &str) -> std::cmp::Ordering {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    for (a, b) in one.iter().zip(other) {
        // Nearly all bytes that are equal are written alike.
        if a != b {
            let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
            if a != b {
                return a.cmp(&b);
            }
        }
    }
    one.len().cmp(&other.len())
}

/// Hashes a text without regard to ASCII case, piece by piece, and without a copy on the heap.
pub(crate) fn hash_caseless(text: &str, state: &mut impl std::hash::Hasher) {
    let mut piece = [0; 64];
    for part in text.as_bytes().chunks(piece.len()) {
        let piece = &mut piece[..part.len()];
        piece.copy_from_slice(part);
        piece.make_ascii_lowercase();
        state.write(piece);
    }
    state.write_u8(0xff);
}

/// Makes a text newtype compare, sort and hash without regard to ASCII case, as Exchange and DNS do, while it keeps
/// the spelling it was written in.
macro_rules! caseless {
    ($type:ident) => {
        impl $type {
            /// The text as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.0.len() == other.0.len() && (self.0 == other.0 || self.0.eq_ignore_ascii_case(&other.0))
            }
        }

        impl Eq for $type {}

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $type {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                crate::text_types::cmp_caseless(&self.0, &other.0)
            }
        }

        impl std::hash::Hash for $type {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                crate::text_types::hash_caseless(&self.0, state);
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({:?})", stringify!($type), self.0)
            }
        }
    };
}
