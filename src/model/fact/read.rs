//! Reading facts. What comes decides what it is, bit by bit: nothing is kept aside to be tried as one thing and then as the
//! other, since observations are large and facts are in facts.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value};

use super::{Fact, Unknown};

impl<'de, T: DeserializeOwned> Deserialize<'de> for Fact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FactVisitor(PhantomData))
    }
}

struct FactVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for FactVisitor<T> {
    type Value = Fact<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or a mapping with `unknown`")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Fact<T>, E> {
        single(Scalar::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Fact<T>, E> {
        single(Scalar::Signed(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Fact<T>, E> {
        single(Scalar::Unsigned(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Fact<T>, E> {
        single(Scalar::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Fact<T>, E> {
        single(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Fact<T>, E> {
        single(Scalar::Text(Cow::Owned(value)))
    }

    fn visit_unit<E: Error>(self) -> Result<Fact<T>, E> {
        single(Scalar::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Fact<T>, A::Error> {
        T::deserialize(Shown(SeqAccessDeserializer::new(values))).map(Fact::Known)
    }

    /// A mapping with `unknown` and a text, and nothing else, is an unknown fact. Any other one is a value, also one in which
    /// something is called so.
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fact<T>, A::Error> {
        let first = entries.next_key::<String>()?;
        if first.as_deref() != Some("unknown") {
            let entries = Entries { first, rest: entries };
            return T::deserialize(Shown(MapAccessDeserializer::new(entries))).map(Fact::Known);
        }
        let mut all = Map::from_iter([("unknown".to_owned(), entries.next_value::<Value>()?)]);
        while let Some((key, value)) = entries.next_entry()? {
            all.insert(key, value);
        }
        if all.len() == 1
            && let Some(Value::String(why)) = all.get_mut("unknown")
        {
            return Ok(Fact::Unknown(Unknown { why: std::mem::take(why) }));
        }
        // Seldom: it is written again, so that it is read by the same code as a text.
        let text = serde_json::to_string(&all).map_err(A::Error::custom)?;
        serde_json::from_slice(text.as_bytes()).map(Fact::Known).map_err(A::Error::custom)
    }
}

/// The entries of a mapping whose first key was looked at.
struct Entries<A> {
    first: Option<String>,
    rest: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(first) => seed.deserialize(first.into_deserializer()).map(Some),
            None => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.rest.next_value_seed(seed)
    }
}

/// A value that is neither a list nor a mapping. One reader for all of them, since a fact's type is compiled for each.
enum Scalar<'a> {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(Cow<'a, str>),
}

fn single<T: DeserializeOwned, E: Error>(scalar: Scalar<'_>) -> Result<Fact<T>, E> {
    T::deserialize(Single { scalar, error: PhantomData }).map(Fact::Known)
}

struct Single<'a, E> {
    scalar: Scalar<'a>,
    error: PhantomData<E>,
}

impl<'de, E: Error> Deserializer<'de> for Single<'_, E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.scalar {
            Scalar::Null => visitor.visit_unit(),
            Scalar::Bool(value) => visitor.visit_bool(value),
            Scalar::Signed(value) => visitor.visit_i64(value),
            Scalar::Unsigned(value) => visitor.visit_u64(value),
            Scalar::Float(value) => visitor.visit_f64(value),
            Scalar::Text(Cow::Borrowed(text)) => visitor.visit_str(text),
            Scalar::Text(Cow::Owned(text)) => visitor.visit_string(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.scalar {
            Scalar::Null => visitor.visit_none(),
            Scalar::Bool(_)
            | Scalar::Signed(_)
            | Scalar::Unsigned(_)
            | Scalar::Float(_)
            | Scalar::Text(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, E> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, E> {
        match self.scalar {
            Scalar::Text(text) => visitor.visit_enum(text.into_deserializer()),
            Scalar::Null | Scalar::Bool(_) | Scalar::Signed(_) | Scalar::Unsigned(_) | Scalar::Float(_) => {
                self.deserialize_any(visitor)
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// A value that is there, for whoever may also be told that there is none.
struct Shown<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Shown<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}
