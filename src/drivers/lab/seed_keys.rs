//! Where the keys of a lab that is set up come from.

use super::{directory::Directory, files::LabError, seed::Seed};
use crate::{
    model::key::KeySpec,
    pki::{ahead::KeysAhead, keys::Keys},
};

/// The keys of setup, of CAs, and of most certificates.
pub(super) const USUAL: KeySpec = KeySpec::Rsa(2048);

/// Where the keys of a lab that is set up come from. `wanted` tells how many new ones it takes.
pub(super) fn keys(
    directory: &Directory,
    seed: &Seed,
    wanted: impl FnOnce() -> usize,
) -> Result<Keys, LabError> {
    match &seed.keys {
        None => Ok(Keys::Ahead(KeysAhead::begin(USUAL, wanted()))),
        Some(pool) => Keys::pool(&directory.path().join(pool), 0).map_err(LabError::key),
    }
}
