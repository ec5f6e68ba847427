//! Messages (MS-PSRP section 2.2.1).
//!
//! ```text
//! destination: 4 | type: 4 | runspace pool: 16 | pipeline: 16 | CLIXML        all little-endian
//! ```

use super::{error::PsrpError, guid::Guid, message_kind::MessageKind};

/// A message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: MessageKind,
    pub(super) pool: Guid,
    pub(super) pipeline: Guid,
    /// CLIXML, or nothing where the type has nothing to say.
    pub(super) data: &'a [u8],
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
