//! Secrets: where they come from, and the value once read. A manifest only ever holds the reference.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::{schema::JsonSchema, shown::ShowPath};

/// Where a secret is read from at apply time. The secret itself never stands in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SecretRef {
    /// The environment variable of this name.
    Env(String),
    /// The contents of this file, relative to the manifest's directory; one line end at its end is not part of it.
    File(PathBuf),
    /// What this program prints: its path and its arguments. One line end at the end is not part of it.
    Command(Vec<String>),
}

/// A secret in memory. It cannot be serialized, prints as `[redacted]`, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the one place that needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The secret as text, if it is UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.shown()),
            // The arguments may themselves be worth hiding (`--token …`), so only the program is named.
            Self::Command(words) => write!(f, "command {}", words.first().map_or("(empty)", String::as_str)),
        }
    }
}
