//! What can be wrong with an answer of WS-Management, and what servers say themselves.

/// The server does not answer as WS-Management does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WsmanError {
    /// The answer is no SOAP, or broken.
    #[error("the answer is no SOAP envelope: {0}")]
    NotSoap(String),
    /// The answer is larger or deeper than we take.
    #[error("the answer has more elements than any answer has")]
    TooLarge,
    /// The answer to another question.
    #[error("the server answers another message than the one that was sent")]
    WrongMessage,
    /// The answer lacks something.
    #[error("the answer has no usable {0}")]
    Missing(&'static str),
    /// An encrypted body that is none.
    #[error("the encrypted answer cannot be read: {0}")]
    Sealed(&'static str),
    /// The server refuses, and says why.
    #[error("{0}")]
    Fault(Fault),
}

/// Why a server refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The code of Windows' WS-Management, if it gives one.
    pub code: Option<u32>,
    /// What SOAP calls the subcode, without its prefix: `QuotaLimit`, `InvalidSelectors`.
    pub subcode: String,
    /// The reason, in the server's language.
    pub message: String,
}

/// What a fault means, as far as that is known by its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// There was nothing to say in the time given. Ask again.
    NothingYet,
    /// The user, or the server, has as many sessions or operations as it may.
    TooMany,
    /// The user may not.
    AccessDenied,
    /// There is no such endpoint.
    NoSuchEndpoint,
    /// The shell is gone.
    ShellGone,
    /// Anything else.
    Other,
}

impl Fault {
    /// What it means. By numbers of `wsmerror.h` and words of the protocol, never by the message.
    pub fn kind(&self) -> FaultKind {
        match self.code {
            Some(0x8033_8029) => FaultKind::NothingYet,
            Some(0x8033_81a5..=0x8033_81a8 | 0x8033_81ab | 0x8033_81e4..=0x8033_81e8) => FaultKind::TooMany,
            Some(0x5 | 0x8007_0005) => FaultKind::AccessDenied,
            Some(0x8033_803b) => FaultKind::NoSuchEndpoint,
            Some(0x8033_805b) => FaultKind::ShellGone,
            Some(_) | None => match self.subcode.as_str() {
                "TimedOut" => FaultKind::NothingYet,
                "QuotaLimit" => FaultKind::TooMany,
                "AccessDenied" => FaultKind::AccessDenied,
                "DestinationUnreachable" => FaultKind::NoSuchEndpoint,
                "InvalidSelectors" => FaultKind::ShellGone,
                _ => FaultKind::Other,
            },
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.code {
            Some(code) => write!(f, "{} (WS-Management fault {code}, {})", self.message, self.subcode),
            None => write!(f, "{} (WS-Management fault {})", self.message, self.subcode),
        }
    }
}
