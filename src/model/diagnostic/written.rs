//! How something with a code is written into plans, journals and verdicts: its evidence, and beside it the severity, the
//! subject and the sentence. Sentences are for people; they are never read back, but for what certwright 0.1 wrote, which was
//! the sentence alone.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, value::MapAccessDeserializer},
};

use super::{Diagnostic, Severity, Subject};
use crate::model::schema::JsonSchema;

/// Something that is said with a code.
pub trait Coded: Sized {
    /// It in the shape that all messages share.
    fn diagnostic(&self) -> Diagnostic;
}

/// Something with a code that certwright 0.1 wrote as a sentence alone.
pub trait FromSentence: Coded {
    /// The variant that holds the sentence.
    fn from_sentence(sentence: String) -> Self;
}

/// It with what it says.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Written{T}")]
pub struct Written<T> {
    /// What it is, with its evidence.
    #[serde(flatten)]
    what: T,
    /// How much it matters.
    severity: Severity,
    /// What it is about; absent when it is the whole organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Subject>,
    /// What is so, in one sentence without a full stop.
    message: String,
    /// What to do, as the end of that sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// It as files hold it.
#[derive(JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "{T}")]
pub enum Coding<T> {
    /// With its code.
    Coded(Written<T>),
    /// As certwright 0.1 wrote it: the sentence alone.
    Sentence(String),
}

impl<'a, T: Coded> Written<&'a T> {
    fn of(what: &'a T) -> Self {
        let Diagnostic { code: _, severity, subject, message, hint, location: _ } = what.diagnostic();
        Self { what, severity, subject: Some(subject).filter(|subject| !subject.is_empty()), message, hint }
    }
}

struct Reading<T>(PhantomData<T>);

impl<'de, T: FromSentence + Deserialize<'de>> de::Visitor<'de> for Reading<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a code, or a sentence")
    }

    fn visit_str<E: de::Error>(self, sentence: &str) -> Result<T, E> {
        Ok(T::from_sentence(sentence.to_owned()))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// One of them, for `#[serde(with)]`.
pub mod one {
    use super::{
        Coded, Deserialize, Deserializer, FromSentence, PhantomData, Reading, Serialize, Serializer, Written,
    };

    /// Writes it with what it says.
    pub fn serialize<T: Coded + Serialize, S: Serializer>(
        what: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Written::of(what).serialize(serializer)
    }

    /// Reads its code and evidence, or the sentence of certwright 0.1.
    pub fn deserialize<'de, T: FromSentence + Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        deserializer.deserialize_any(Reading(PhantomData))
    }
}

/// A list of them, for `#[serde(with)]`.
pub mod list {
    use super::{Coded, Deserialize, Deserializer, FromSentence, Serialize, Serializer, Written, one};

    /// Writes each with what it says.
    pub fn serialize<T: Coded + Serialize, S: Serializer>(
        list: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(Written::of))
    }

    /// Reads the code and evidence of each, or the sentence of certwright 0.1.
    pub fn deserialize<'de, T: FromSentence + Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        struct One<T>(T);
        impl<'de, T: FromSentence + Deserialize<'de>> Deserialize<'de> for One<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                one::deserialize(deserializer).map(Self)
            }
        }
        let list = Vec::<One<T>>::deserialize(deserializer)?;
        Ok(list.into_iter().map(|One(what)| what).collect())
    }
}
