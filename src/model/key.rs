//! Keys and signatures: what a manifest asks for and what a certificate has.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::schema::JsonSchema;

/// The key a certificate should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum KeySpec {
    /// RSA with this many bits. `New-ExchangeCertificate` knows 1024, 2048 and 4096.
    // facts 1.1
    Rsa(u16),
    /// ECDSA on the curve P-256. Exchange needs the hotfix of April 2024 or later for it.
    // facts 8.4
    EcP256,
}

/// The public key a certificate has.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PublicKey {
    /// RSA with this many bits.
    Rsa(u32),
    /// An elliptic curve, by its usual name or its object identifier.
    Ec(String),
    /// Something else, by its object identifier.
    Other(String),
}

/// How a certificate is signed, by the strength of the hash.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Signature {
    /// A hash of the SHA-2 family: its name and the key's, such as `sha256RSA`.
    Strong(String),
    /// SHA-1, MD5 or older: forgeable, refused by browsers, never by Exchange's cmdlets.
    // facts 8.4
    Weak(String),
    /// Not known here, by its object identifier.
    Other(String),
}

impl KeySpec {
    /// Whether a certificate's key is at least as strong and of the same kind.
    pub fn is_met_by(self, have: &PublicKey) -> bool {
        match (self, have) {
            (Self::Rsa(want), PublicKey::Rsa(have)) => *have >= u32::from(want),
            (Self::EcP256, PublicKey::Ec(curve)) => curve == PublicKey::P256,
            (Self::Rsa(_), PublicKey::Ec(_) | PublicKey::Other(_))
            | (Self::EcP256, PublicKey::Rsa(_) | PublicKey::Other(_)) => false,
        }
    }
}

impl KeySpec {
    /// Whether a certificate's key is of the same kind, however strong.
    pub fn is_of_kind(self, have: &PublicKey) -> bool {
        matches!((self, have), (Self::Rsa(_), PublicKey::Rsa(_)) | (Self::EcP256, PublicKey::Ec(_)))
    }
}

impl PublicKey {
    /// The name of the curve P-256 in [`PublicKey::Ec`].
    pub const P256: &str = "P-256";
}

impl fmt::Display for KeySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::EcP256 => f.write_str("EC P-256"),
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::Ec(curve) => write!(f, "EC {curve}"),
            Self::Other(oid) => write!(f, "{oid}"),
        }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Strong(name) | Self::Weak(name) | Self::Other(name)) = self;
        f.write_str(name)
    }
}
