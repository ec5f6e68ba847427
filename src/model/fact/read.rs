//! Reading facts. What comes decides what it is, bit by bit: nothing is kept aside to be tried as one thing and then as the
//! other, since observations are large and facts are in facts.

use std::{collections::VecDeque, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{BorrowedStrDeserializer, MapAccessDeserializer, SeqAccessDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::Value;

use super::{Fact, Unknown};

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FactVisitor(PhantomData))
    }
}

struct FactVisitor<T>(PhantomData<T>);

fn known<'de, T: Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<Fact<T>, D::Error> {
    T::deserialize(Shown(value)).map(Fact::Known)
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for FactVisitor<T> {
    type Value = Fact<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or a mapping with `unknown`")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Fact<T>, E> {
        known(value.into_deserializer())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Fact<T>, E> {
        known(value.into_deserializer())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Fact<T>, E> {
        known(value.into_deserializer())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Fact<T>, E> {
        known(value.into_deserializer())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Fact<T>, E> {
        known(value.into_deserializer())
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Fact<T>, E> {
        known(BorrowedStrDeserializer::new(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Fact<T>, E> {
        known(value.into_deserializer())
    }

    fn visit_unit<E: Error>(self) -> Result<Fact<T>, E> {
        T::deserialize(().into_deserializer()).map(Fact::Known)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Fact<T>, A::Error> {
        known(SeqAccessDeserializer::new(values))
    }

    /// A mapping with `unknown` and a text, and nothing else, is an unknown fact. Any other one is a value, also one in which
    /// something is called so.
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fact<T>, A::Error> {
        let mut seen = VecDeque::new();
        if let Some(first) = entries.next_key::<String>()? {
            if first == "unknown" {
                let value: Value = entries.next_value()?;
                let second = entries.next_key::<String>()?;
                match (value, second) {
                    (Value::String(why), None) => return Ok(Fact::Unknown(Unknown { why })),
                    (value, second) => {
                        seen.push_back((first, Some(value)));
                        seen.extend(second.map(|second| (second, None)));
                    }
                }
            } else {
                seen.push_back((first, None));
            }
        }
        known(MapAccessDeserializer::new(Entries { seen, value: None, rest: entries }))
    }
}

/// The entries of a mapping whose first ones were looked at: a value that was is beside its key.
struct Entries<A> {
    seen: VecDeque<(String, Option<Value>)>,
    value: Option<Value>,
    rest: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some((key, value)) = self.seen.pop_front() else { return self.rest.next_key_seed(seed) };
        self.value = value;
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        match self.value.take() {
            Some(value) => seed.deserialize(value).map_err(A::Error::custom),
            None => self.rest.next_value_seed(seed),
        }
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
