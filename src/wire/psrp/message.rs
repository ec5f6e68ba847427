//! Messages (MS-PSRP section 2.2.1).
//!
//! ```text
//! destination: 4 | type: 4 | runspace pool: 16 | pipeline: 16 | CLIXML        all little-endian
//! ```

use super::{error::PsrpError, guid::Guid};

/// A message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: MessageKind,
    pub(super) pool: Guid,
    pub(super) pipeline: Guid,
    /// CLIXML, or nothing where the type has nothing to say.
    pub(super) data: &'a [u8],
}

/// Defines the enum and both directions of its numbers from one list.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// What a message is (MS-PSRP section 2.2.1, `MessageType`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum MessageKind {
            $($(#[$doc])* $name = $number,)*
        }

        impl MessageKind {
            fn of(number: u32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// SESSION_CAPABILITY, in both directions.
    SessionCapability = 0x0001_0002,
    /// INIT_RUNSPACEPOOL, to the server.
    InitRunspacePool = 0x0001_0004,
    /// PUBLIC_KEY, to the server.
    PublicKey = 0x0001_0005,
    /// ENCRYPTED_SESSION_KEY.
    EncryptedSessionKey = 0x0001_0006,
    /// PUBLIC_KEY_REQUEST.
    PublicKeyRequest = 0x0001_0007,
    /// RUNSPACEPOOL_STATE.
    RunspacePoolState = 0x0002_1005,
    /// CREATE_PIPELINE, to the server.
    CreatePipeline = 0x0002_1006,
    /// RUNSPACE_AVAILABILITY.
    RunspaceAvailability = 0x0002_1007,
    /// USER_EVENT.
    UserEvent = 0x0002_1008,
    /// APPLICATION_PRIVATE_DATA.
    ApplicationPrivateData = 0x0002_1009,
    /// RUNSPACEPOOL_INIT_DATA.
    RunspacePoolInitData = 0x0002_100b,
    /// RUNSPACEPOOL_HOST_CALL.
    RunspacePoolHostCall = 0x0002_1100,
    /// RUNSPACEPOOL_HOST_RESPONSE, to the server.
    RunspacePoolHostResponse = 0x0002_1101,
    /// PIPELINE_OUTPUT.
    PipelineOutput = 0x0004_1004,
    /// ERROR_RECORD.
    ErrorRecord = 0x0004_1005,
    /// PIPELINE_STATE.
    PipelineState = 0x0004_1006,
    /// DEBUG_RECORD.
    DebugRecord = 0x0004_1007,
    /// VERBOSE_RECORD.
    VerboseRecord = 0x0004_1008,
    /// WARNING_RECORD.
    WarningRecord = 0x0004_1009,
    /// PROGRESS_RECORD.
    ProgressRecord = 0x0004_1010,
    /// INFORMATION_RECORD.
    InformationRecord = 0x0004_1011,
    /// PIPELINE_HOST_CALL.
    PipelineHostCall = 0x0004_1100,
    /// PIPELINE_HOST_RESPONSE, to the server.
    PipelineHostResponse = 0x0004_1101,
}

impl<'a> Message<'a> {
    /// A message from the server.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, PsrpError> {
        let Some((header, data)) = bytes.split_first_chunk::<HEADER>() else {
            return Err(PsrpError::MessageTooShort(bytes.len()));
        };
        let word =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let guid =
            |at: usize| Guid::from_wire(header[at..at + 16].try_into().expect("sixteen bytes of the header"));
        if word(0) != TO_CLIENT {
            return Err(PsrpError::NotForUs(word(0)));
        }
        let kind = MessageKind::of(word(4)).ok_or(PsrpError::UnknownMessage(word(4)))?;
        Ok(Self { kind, pool: guid(8), pipeline: guid(24), data })
    }

    /// The bytes of a message to the server.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.data.len());
        bytes.extend(TO_SERVER.to_le_bytes());
        bytes.extend((self.kind as u32).to_le_bytes());
        bytes.extend(self.pool.to_wire());
        bytes.extend(self.pipeline.to_wire());
        bytes.extend_from_slice(self.data);
        bytes
    }
}

const HEADER: usize = 40;
const TO_CLIENT: u32 = 1;
const TO_SERVER: u32 = 2;
