//! New private keys, and why there is none.

use std::path::PathBuf;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};

use crate::model::{key::KeySpec, shown::ShowPath};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Making one failed.
    #[error("making a key ({0}) failed")]
    Make(KeySpec, #[source] rcgen::Error),
    /// The length is not one that can be made.
    #[error("keys of {0} cannot be made; RSA 2048, RSA 4096 and EC P-256 can")]
    Unsupported(KeySpec),
    /// A key could not be read.
    #[error("`{0}` is not a private key in PEM (PKCS#8)")]
    NotAKey(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file of the pool could not be read.
    #[error("the key file {} cannot be read", .0.shown())]
    Read(PathBuf, #[source] std::io::Error),
    /// The pool is empty.
    #[error("the key directory {} holds no .pem file", .0.shown())]
    EmptyPool(PathBuf),
}

/// A new key of this kind.
pub(super) fn fresh(spec: KeySpec) -> Result<KeyPair, KeyError> {
    let made = match spec {
        KeySpec::EcP256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        KeySpec::Rsa(2048) => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        KeySpec::Rsa(4096) => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_4096),
        KeySpec::Rsa(_) => return Err(KeyError::Unsupported(spec)),
    };
    made.map_err(|error| KeyError::Make(spec, error))
}
