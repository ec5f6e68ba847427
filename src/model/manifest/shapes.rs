//! Shapes of values that people write in more than one way.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{
        IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use super::{RenewBefore, Retire, RetireWhen};

/// One value, or a list of them: `mail` and `[mail, transport]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T: Serialize> Serialize for OneOrMany<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    /// By hand and not untagged, so that an error inside the list keeps its own words and place.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Both<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Both<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                T::deserialize(text.into_deserializer()).map(|one| OneOrMany(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMany)
            }
        }

        deserializer.deserialize_any(Both(std::marker::PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

impl Serialize for Retire {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Never => serializer.serialize_str(NEVER),
            Self::When(when) => when.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Retire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NeverOrWhen;

        impl<'de> Visitor<'de> for NeverOrWhen {
            type Value = Retire;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`never`, or a mapping with `after` and `backup`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Retire, E> {
                if text == NEVER {
                    Ok(Retire::Never)
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Str(text), &self))
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Retire, A::Error> {
                RetireWhen::deserialize(MapAccessDeserializer::new(map)).map(Retire::When)
            }
        }

        deserializer.deserialize_any(NeverOrWhen)
    }
}

impl JsonSchema for Retire {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Retire".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let when = generator.subschema_for::<RetireWhen>();
        json_schema!({
            "description": "What becomes of the certificate that was replaced.",
            "anyOf": [{ "const": NEVER, "description": "It stays in the store." }, when],
        })
    }
}

const NEVER: &str = "never";

impl fmt::Display for RenewBefore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span(span) => write!(f, "{span}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl std::str::FromStr for RenewBefore {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(digits) = text.strip_suffix('%') else {
            return text
                .parse()
                .map(Self::Span)
                .map_err(|error| format!("{error}, or a part of the lifetime: 33%"));
        };
        let part =
            digits.parse().ok().filter(|percent| (1..=99).contains(percent) && !digits.starts_with('+'));
        part.map(Self::Percent)
            .ok_or_else(|| format!("`{text}` is not a part of a lifetime; write 1% to 99%"))
    }
}

text_type!(
    RenewBefore,
    "How long before its end a certificate is renewed: 30d, or a part of the issued lifetime, 33%.",
    Some("^([0-9]+[smhdw]|[1-9][0-9]?%)$")
);
