//! Secrets on their way to the server: the session key and what is encrypted with it (MS-PSRP sections 2.2.2.3, 2.2.2.4
//! and 2.2.5.1.24). The client's RSA key is made where randomness is allowed; here are the forms on the wire.

use aws_lc_rs::{
    cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    iv::FixedLength,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

use super::{error::PsrpError, message_kind::MessageKind, records, writer::Writer};
use crate::model::secret::Secret;

/// The AES-256 key that client and server agreed on.
#[derive(Clone)]
pub struct SessionKey(Zeroizing<[u8; 32]>);

impl SessionKey {
    /// Takes the key over.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// The text of an `SS` element: UTF-16, padded and encrypted in CBC mode with an IV of zeros, as the protocol says.
    pub(super) fn secure_string(&self, secret: &Secret) -> String {
        let text = Zeroizing::new(String::from_utf8_lossy(secret.expose()).into_owned());
        // With all the room that the padding needs, so that nothing is left behind by a move.
        let mut buffer = Zeroizing::new(Vec::with_capacity(text.len() * 2 + 16));
        for unit in text.encode_utf16() {
            buffer.extend(unit.to_le_bytes());
        }
        let key = UnboundCipherKey::new(&AES_256, &self.0[..]).expect("AES-256 keys have 32 bytes");
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).expect("AES has a CBC mode");
        key.less_safe_encrypt(&mut *buffer, EncryptionContext::Iv128(FixedLength::from([0; 16])))
            .expect("a buffer that grows can be padded");
        BASE64_STANDARD.encode(&*buffer)
    }
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey([redacted])")
    }
}

/// The data of PUBLIC_KEY: an RSA key of 2048 bits in the form of the Windows crypto API (`PUBLICKEYSTRUC`, `RSAPUBKEY`).
/// The modulus is big-endian, as everywhere but there.
pub(super) fn public_key(modulus: &[u8; 256], exponent: u32) -> Vec<u8> {
    let mut blob = vec![
        0x06, 0x02, 0, 0, // PUBLICKEYBLOB, version 2
        0x00, 0xa4, 0, 0, // CALG_RSA_KEYX
        b'R', b'S', b'A', b'1', //
        0x00, 0x08, 0, 0, // 2048 bits
    ];
    blob.extend(exponent.to_le_bytes());
    blob.extend(modulus.iter().rev());
    let mut xml = Writer::new();
    xml.object(None, |xml| {
        xml.element("MS", |xml| xml.primitive("S", Some("PublicKey"), &BASE64_STANDARD.encode(&blob)));
    });
    xml.finish()
}

/// What ENCRYPTED_SESSION_KEY holds: the session key, encrypted for the client (RSA, PKCS #1 v1.5), big-endian.
pub(super) fn encrypted_session_key(data: &[u8]) -> Result<Vec<u8>, PsrpError> {
    let kind = MessageKind::EncryptedSessionKey;
    let document = records::read_one(kind, data)?;
    let value = records::required(&document, &document.roots()[0], kind, "EncryptedSessionKey")?;
    let blob = document.text(value).and_then(|text| BASE64_STANDARD.decode(text).ok());
    // SIMPLEBLOB of a CALG_AES_256 key, encrypted with CALG_RSA_KEYX.
    let header = [0x01, 0x02, 0, 0, 0x10, 0x66, 0, 0, 0x00, 0xa4, 0, 0];
    let blob = blob.ok_or(PsrpError::SessionKey)?;
    let encrypted = blob.strip_prefix(&header).filter(|encrypted| encrypted.len() == 256);
    Ok(encrypted.ok_or(PsrpError::SessionKey)?.iter().rev().copied().collect())
}
