//! Requests for certificates and their answers, as files that people carry to a CA and back.

use super::BoxError;
use crate::model::{bundle::Answer, policy::RequestEncoding, thumbprint::Thumbprint};

/// Where requests are written and answers are found. Files are named without their ending.
pub trait Requests: Send + Sync {
    /// Writes a request. An answer that lies there already belongs to an earlier request and is put aside.
    fn save(&self, file: &str, request: &[u8], encoding: RequestEncoding) -> Result<(), RequestError>;

    /// Writes a request again whose file somebody has lost; tells whether that was so.
    fn restore(&self, file: &str, request: &[u8], encoding: RequestEncoding) -> Result<bool, RequestError>;

    /// The CA's answer, when it is there.
    fn answer(&self, file: &str) -> Result<Option<Answer>, RequestError>;
}

/// A request that a server has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRequest {
    /// The stand-in certificate that Windows keeps for it.
    pub thumbprint: Thumbprint,
    /// SHA-256 of its public key in hexadecimal.
    pub public_key: String,
    /// PKCS#10 in DER.
    pub request: Vec<u8>,
}

/// Why a file of a request could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{what} failed")]
pub struct RequestError {
    /// What was tried, on which file.
    pub what: String,
    /// Why it failed.
    #[source]
    pub source: BoxError,
}
