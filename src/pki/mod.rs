//! Keys, certificates and their files: what the lab and the issuers make them with. Here is where randomness comes
//! from.
#![expect(clippy::disallowed_methods, reason = "keys and passwords are random; key pools are files")]

pub mod ahead;
pub mod answer;
mod der;
mod fresh;
pub mod keys;
pub mod mint;
pub mod pem;
pub mod pem_bundle;
pub mod pfx;
mod pfx_work;

use data_encoding::HEXLOWER;

use crate::model::secret::Secret;

/// A password that is made for one transport of one file and forgotten: 256 random bits in hexadecimal.
pub fn ephemeral_password() -> Result<Secret, NoRandomness> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(Secret::new(HEXLOWER.encode(&bytes).into_bytes()))
}

/// The system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system's source of randomness failed")]
pub struct NoRandomness;
