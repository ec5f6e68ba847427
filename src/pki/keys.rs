//! Where private keys come from.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use rcgen::KeyPair;
use zeroize::Zeroize;

pub use super::fresh::KeyError;
use super::{
    ahead::KeysAhead,
    fresh::fresh,
    pem::{self, PemError},
};
use crate::model::{key::KeySpec, secret::Secret, shown::ShowPath};

/// A source of private keys.
#[derive(Debug)]
pub enum Keys {
    /// New ones, from the system's randomness.
    Fresh,
    /// New ones, of which some are made ahead.
    Ahead(KeysAhead),
    /// The PEM files of a directory in the order of their names, again from the start after the last: for labs that
    /// have to come out the same every time.
    Pool {
        /// The files.
        files: Vec<PathBuf>,
        /// How many have been taken.
        taken: AtomicUsize,
    },
}

impl Keys {
    /// A pool of the PEM files in this directory.
    pub fn pool(directory: &Path, taken: usize) -> Result<Self, KeyError> {
        let read = |error| KeyError::Read(directory.to_owned(), error);
        let mut files = Vec::new();
        for entry in fs::read_dir(directory).map_err(read)? {
            let path = entry.map_err(read)?.path();
            if path.extension().is_some_and(|extension| extension == "pem") {
                files.push(path);
            }
        }
        files.sort();
        if files.is_empty() {
            Err(KeyError::EmptyPool(directory.to_owned()))
        } else {
            Ok(Self::Pool { files, taken: taken.into() })
        }
    }

    /// A key of this kind. A pool has RSA keys of 2048 bits and gives them for shorter ones too; all others are made anew.
    pub fn make(&self, spec: KeySpec) -> Result<KeyPair, KeyError> {
        match (self, spec) {
            (Self::Pool { files, taken }, KeySpec::Rsa(..=2048)) => {
                let file = &files[taken.fetch_add(1, Ordering::SeqCst) % files.len()];
                let text = fs::read(file).map_err(|error| KeyError::Read(file.clone(), error))?;
                from_pem(&Secret::new(text), &file.shown().to_string())
            }
            (Self::Ahead(ahead), _) => ahead.make(spec),
            (Self::Pool { .. } | Self::Fresh, _) => fresh(spec),
        }
    }

    /// How many keys were taken from a pool.
    pub fn taken(&self) -> usize {
        match self {
            Self::Fresh | Self::Ahead(_) => 0,
            Self::Pool { taken, .. } => taken.load(Ordering::SeqCst),
        }
    }
}

/// The first private key in a PEM text, whatever stands around it. `what` names the text in errors, which never show any
/// of it.
pub fn from_pem(text: &Secret, what: &str) -> Result<KeyPair, KeyError> {
    find_in_pem(text, what)?.ok_or_else(|| KeyError::NotAKey(what.into(), PemError::NoKey.into()))
}

/// The same, where there need not be one.
pub fn find_in_pem(text: &Secret, what: &str) -> Result<Option<KeyPair>, KeyError> {
    let wrong = |source: Box<dyn std::error::Error + Send + Sync>| KeyError::NotAKey(what.into(), source);
    let mut key = match pem::private_key(text) {
        Err(PemError::NoKey) => return Ok(None),
        key => key.map_err(|error| wrong(error.into()))?,
    };
    let pair = KeyPair::try_from(&key).map_err(|error| wrong(error.into()));
    key.zeroize();
    pair.map(Some)
}

/// A private key in PEM, as PKCS#8.
pub fn to_pem(key: &KeyPair) -> Secret {
    pem::of_key(&to_pkcs8(key))
}

/// The key pair of a PKCS#8 private key in DER.
pub fn from_pkcs8(key: &Secret) -> Result<KeyPair, KeyError> {
    KeyPair::try_from(key.expose())
        .map_err(|error| KeyError::NotAKey("the key of a bundle".into(), error.into()))
}

/// The PKCS#8 form of a key pair.
pub fn to_pkcs8(key: &KeyPair) -> Secret {
    Secret::new(key.serialize_der())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]
mod tests {
    use super::*;

    #[test]
    fn a_pool_gives_its_keys_for_what_they_are() {
        let pool = Keys::pool(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys"), 0).unwrap();
        let algorithm = |spec| pool.make(spec).unwrap().algorithm().clone();
        assert_eq!(algorithm(KeySpec::EcP256), rcgen::PKCS_ECDSA_P256_SHA256);
        assert_eq!(algorithm(KeySpec::Rsa(2048)), rcgen::PKCS_RSA_SHA256);
        let longer = pool.make(KeySpec::Rsa(4096)).unwrap();
        assert!(longer.serialize_der().len() > pool.make(KeySpec::Rsa(1024)).unwrap().serialize_der().len());
        assert_eq!(pool.taken(), 2, "what is made anew takes none from the pool");
    }
}
