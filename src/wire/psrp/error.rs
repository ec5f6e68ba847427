//! What can be wrong with what a server says.

use super::message_kind::MessageKind;
use crate::wire::clixml::ClixmlError;

/// The server does not keep to the protocol, or to our limits.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PsrpError {
    /// Fragments that do not make a message.
    #[error("the server's fragments make no message: {0}")]
    Fragment(&'static str),
    /// A message that is larger than we take.
    #[error("the server sends a message of more than {0} bytes")]
    MessageTooLarge(usize),
    /// A message that has no room for its header.
    #[error("the server sends a message of {0} bytes, which is less than its header")]
    MessageTooShort(usize),
    /// A message for somebody else.
    #[error("the server sends a message to destination {0}, which is not the client")]
    NotForUs(u32),
    /// A message type that the protocol does not have.
    #[error("the server sends a message of type {0:#010x}, which this program does not know")]
    UnknownMessage(u32),
    /// A message in a place where it cannot be.
    #[error("the server sends {0:?} where it does not belong")]
    Misplaced(MessageKind),
    /// A message that names another runspace pool or pipeline than the one it came from.
    #[error("the server answers for another runspace pool or pipeline")]
    WrongIdentity,
    /// The data of a message is not CLIXML.
    #[error("{kind:?} from the server cannot be read")]
    Clixml {
        /// The message.
        kind: MessageKind,
        /// What is wrong with it.
        #[source]
        source: ClixmlError,
    },
    /// The data of a message lacks something.
    #[error("{kind:?} from the server has no usable {property}")]
    Missing {
        /// The message.
        kind: MessageKind,
        /// What it lacks.
        property: &'static str,
    },
    /// A protocol version that we do not speak.
    #[error("the server speaks version {0} of the PowerShell Remoting Protocol; this program speaks 2")]
    Version(String),
    /// A session key that is none.
    #[error("the server's session key cannot be used")]
    SessionKey,
    /// A secret argument without a session key.
    #[error("a secret parameter needs the session key exchange first")]
    NoSessionKey,
    /// A step that does not fit the state of the pool or its pipeline.
    #[error("{0}")]
    State(&'static str),
}
