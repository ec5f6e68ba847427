//! From an ordinary text into types, by way of serde.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    Deserializer,
    de::{
        self, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
        value::{BorrowedStrDeserializer, CowStrDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{
    begun::{Begun, Scalar, Style, Unusual},
    cursor::Cursor,
};

impl de::Error for Unusual {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// A value that has begun.
#[derive(Debug)]
pub(super) struct Ahead<'c, 'a> {
    pub(super) cursor: &'c mut Cursor<'a>,
    pub(super) begun: Begun<'a>,
}

impl<'a> Ahead<'_, 'a> {
    fn mapping<V: Visitor<'a>>(self, visitor: V, keys: Keys) -> Result<V::Value, Unusual> {
        let Begun::Mapping(shape) = self.begun else { return Err(Unusual) };
        let mut entries = Entries::new(self.cursor, shape, keys);
        let value = visitor.visit_map(&mut entries)?;
        if entries.is_over { Ok(value) } else { Err(Unusual) }
    }

    fn list<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unusual> {
        let Begun::List(shape) = self.begun else { return Err(Unusual) };
        let mut items = Items { cursor: self.cursor, shape, is_first: true, is_over: false };
        let value = visitor.visit_seq(&mut items)?;
        if items.is_over { Ok(value) } else { Err(Unusual) }
    }
}

impl<'a> Deserializer<'a> for Ahead<'_, 'a> {
    type Error = Unusual;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unusual> {
        match self.begun {
            Begun::Scalar(Scalar::Quoted(Cow::Borrowed(text))) => visitor.visit_borrowed_str(text),
            Begun::Scalar(Scalar::Quoted(Cow::Owned(text))) => visitor.visit_string(text),
            Begun::Scalar(scalar) => match Meant::by(&scalar)? {
                Meant::Nothing => visitor.visit_unit(),
                Meant::Boolean(value) => visitor.visit_bool(value),
                Meant::Number(value) => visitor.visit_u64(value),
                Meant::Text(text) => visitor.visit_borrowed_str(text),
            },
            Begun::Mapping(_) => self.mapping(visitor, Keys::default()),
            Begun::List(_) => self.list(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unusual> {
        match &self.begun {
            Begun::Scalar(scalar @ (Scalar::Nothing | Scalar::Plain(_)))
                if matches!(Meant::by(scalar)?, Meant::Nothing) =>
            {
                // Only for connectors it means something that nothing is written after the colon.
                Err(Unusual)
            }
            Begun::Scalar(_) | Begun::Mapping(_) | Begun::List(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unusual> {
        self.mapping(visitor, Keys::default())
    }

    /// The fields of a struct know themselves when they stand twice.
    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        self.mapping(visitor, Keys::OfStruct)
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unusual> {
        self.list(visitor)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        match self.begun {
            Begun::Scalar(Scalar::Quoted(text)) => {
                CowStrDeserializer::new(text).deserialize_enum(name, variants, visitor)
            }
            Begun::Scalar(scalar) => match Meant::by(&scalar)? {
                Meant::Text(text) => {
                    BorrowedStrDeserializer::new(text).deserialize_enum(name, variants, visitor)
                }
                Meant::Nothing | Meant::Boolean(_) | Meant::Number(_) => Err(Unusual),
            },
            Begun::Mapping(shape) => {
                let mut entries = Entries::new(self.cursor, shape, Keys::OfStruct);
                let value = visitor.visit_enum(&mut entries)?;
                // One way, and no other beside it.
                if entries.key()?.is_none() { Ok(value) } else { Err(Unusual) }
            }
            Begun::List(_) => Err(Unusual),
        }
    }

    /// No mistake is passed over.
    fn deserialize_ignored_any<V: Visitor<'a>>(self, _: V) -> Result<V::Value, Unusual> {
        Err(Unusual)
    }

    forward_to_deserialize_any! {
        <W: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct identifier
    }
}

/// What YAML takes a text without quotation marks for.
enum Meant<'a> {
    Nothing,
    Boolean(bool),
    Number(u64),
    Text(&'a str),
}

impl<'a> Meant<'a> {
    fn by(scalar: &Scalar<'a>) -> Result<Self, Unusual> {
        let text = match scalar {
            Scalar::Nothing => return Ok(Self::Nothing),
            Scalar::Quoted(_) => return Err(Unusual),
            Scalar::Plain(text) => *text,
        };
        Ok(match text {
            "~" | "null" | "Null" | "NULL" => Self::Nothing,
            "true" | "True" | "TRUE" => Self::Boolean(true),
            "false" | "False" | "FALSE" => Self::Boolean(false),
            _ if text.starts_with(|char: char| char.is_ascii_digit()) => {
                let plain =
                    text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
                match text.parse() {
                    Ok(number) if plain => Self::Number(number),
                    _ if is_some_number(text) => return Err(Unusual),
                    _ => Self::Text(text),
                }
            }
            _ if text.starts_with(['+', '-', '.']) && is_some_number(text) => return Err(Unusual),
            _ => Self::Text(text),
        })
    }
}

/// Whether somebody could take it for a number: with a point, an exponent, a sign, or of another base.
fn is_some_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    let other_base = ["0x", "0o", "0b"].iter().any(|base| digits.starts_with(base));
    let no_number = [".inf", ".nan"].iter().any(|word| digits.eq_ignore_ascii_case(word));
    other_base || no_number || digits.parse::<f64>().is_ok()
}

/// The entries of a mapping.
struct Entries<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    shape: Style,
    is_first: bool,
    is_over: bool,
    keys: Keys,
}

impl<'c, 'a> Entries<'c, 'a> {
    fn new(cursor: &'c mut Cursor<'a>, shape: Style, keys: Keys) -> Self {
        Self { cursor, shape, is_first: true, is_over: false, keys }
    }

    fn key(&mut self) -> Result<Option<Cow<'a, str>>, Unusual> {
        let key = next_key(self.cursor, self.shape, self.is_first, &mut self.keys)?;
        self.is_first = false;
        self.is_over = key.is_none();
        Ok(key)
    }
}

/// The key of the next entry, which must be a new one.
pub(super) fn next_key<'a>(
    cursor: &mut Cursor<'a>,
    shape: Style,
    is_first: bool,
    keys: &mut Keys,
) -> Result<Option<Cow<'a, str>>, Unusual> {
    let Some(key) = cursor.key(shape, is_first)? else { return Ok(None) };
    let key = text_of_key(key)?;
    keys.add(&key)?;
    Ok(Some(key))
}

pub(super) fn deserialize_key<'a, K: DeserializeSeed<'a>>(
    seed: K,
    key: Cow<'a, str>,
) -> Result<K::Value, Unusual> {
    match key {
        Cow::Borrowed(key) => seed.deserialize(BorrowedStrDeserializer::new(key)),
        Cow::Owned(_) => seed.deserialize(CowStrDeserializer::new(key)),
    }
}

/// A key is a text, and one that is no merge key.
pub(super) fn text_of_key(key: Scalar<'_>) -> Result<Cow<'_, str>, Unusual> {
    match key {
        Scalar::Quoted(text) => Ok(text),
        Scalar::Plain("<<") | Scalar::Nothing => Err(Unusual),
        Scalar::Plain(text) => match Meant::by(&Scalar::Plain(text))? {
            Meant::Text(text) => Ok(Cow::Borrowed(text)),
            Meant::Nothing | Meant::Boolean(_) | Meant::Number(_) => Err(Unusual),
        },
    }
}

impl<'a> MapAccess<'a> for Entries<'_, 'a> {
    type Error = Unusual;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Unusual> {
        self.key()?.map(|key| deserialize_key(seed, key)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Unusual> {
        let begun = self.cursor.value_of_key(self.shape)?;
        seed.deserialize(Ahead { cursor: self.cursor, begun })
    }
}

impl<'a> EnumAccess<'a> for &mut Entries<'_, 'a> {
    type Error = Unusual;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self), Unusual> {
        let key = self.key()?.ok_or(Unusual)?;
        Ok((seed.deserialize(CowStrDeserializer::<Unusual>::new(key))?, self))
    }
}

impl<'a> VariantAccess<'a> for &mut Entries<'_, 'a> {
    type Error = Unusual;

    /// A word alone is no mapping.
    fn unit_variant(self) -> Result<(), Unusual> {
        Err(Unusual)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Unusual> {
        self.next_value_seed(seed)
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, _: V) -> Result<V::Value, Unusual> {
        Err(Unusual)
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        let begun = self.cursor.value_of_key(self.shape)?;
        Ahead { cursor: self.cursor, begun }.deserialize_struct("", fields, visitor)
    }
}

/// The items of a list.
struct Items<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    shape: Style,
    is_first: bool,
    is_over: bool,
}

impl<'a> SeqAccess<'a> for Items<'_, 'a> {
    type Error = Unusual;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Unusual> {
        let Some(begun) = self.cursor.item(self.shape, self.is_first)? else {
            self.is_over = true;
            return Ok(None);
        };
        self.is_first = false;
        seed.deserialize(Ahead { cursor: self.cursor, begun }).map(Some)
    }
}

/// The keys of a mapping so far. Two that differ only in case may be one name, which the reader with places decides.
#[derive(Debug)]
pub(super) enum Keys {
    OfStruct,
    Few(Vec<u64>),
    Many(HashSet<u64>),
}

impl Default for Keys {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Keys {
    /// Adds one. Equal digests of different keys are as unusual as equal keys.
    fn add(&mut self, key: &str) -> Result<(), Unusual> {
        let is_new = match self {
            Self::OfStruct => true,
            Self::Few(few) => {
                let digest = digest(key);
                let is_new = !few.contains(&digest);
                few.push(digest);
                if few.len() > FEW {
                    *self = Self::Many(few.iter().copied().collect());
                }
                is_new
            }
            Self::Many(many) => many.insert(digest(key)),
        };
        if is_new { Ok(()) } else { Err(Unusual) }
    }
}

/// A digest of a key without regard to case (FNV-1a).
fn digest(key: &str) -> u64 {
    let next = |digest: u64, byte: u8| (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let begin = 0xcbf2_9ce4_8422_2325;
    if key.is_ascii() {
        key.bytes().map(|byte| byte.to_ascii_lowercase()).fold(begin, next)
    } else {
        key.to_lowercase().bytes().fold(begin, next)
    }
}

/// So many keys are compared one by one.
const FEW: usize = 12;
