//! What can be wrong with the blob of a certificate.

use crate::wire::nrbf::NrbfError;

/// Why a blob could not be decoded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateBlobError {
    /// The signed form does not hold together.
    #[error("its signed form says {said} bytes of data and 32 of signature, and {left} follow; it was cut")]
    Signed {
        /// How many bytes of data it says.
        said: u32,
        /// How many bytes follow.
        left: usize,
    },
    /// The stream is broken.
    #[error("its serialized data cannot be read")]
    Stream(#[from] NrbfError),
    /// Another object.
    #[error("it holds an object of the type `{0}`, and not an Exchange certificate")]
    OtherClass(String),
    /// A member that is missing, or is something else than it should be.
    #[error("its member {0} is missing, or of an unknown form; this Exchange is not known yet")]
    Member(&'static str),
    /// The element of the certificate store is broken.
    #[error("its CertData is no element of a certificate store: {0}")]
    Store(&'static str),
}
