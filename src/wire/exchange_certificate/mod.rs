//! What Exchange says of a certificate beside its DER, from the `SerializationData` of an `ExchangeCertificate`.
//!
//! Over remote PowerShell, `Get-ExchangeCertificate` gives the DER as its only property. Services, status and the rest
//! are in this blob, from which Exchange's own management shell makes the object again (facts 2.5).

mod encode;
mod error;
mod store;

pub use self::{encode::encode, error::CertificateBlobError};

use super::nrbf::{self, Message, Value};
use crate::model::certificate::Der;

/// What the blob says. The numbers are those of Exchange's enums; facts 2.2 to 2.4 say what they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeCertificateBlob {
    /// The certificate.
    pub certificate: Der,
    /// `FriendlyName`, as the certificate store has it.
    pub friendly_name: Option<String>,
    /// Whether the store says where the private key is. It may be gone nevertheless.
    pub has_private_key: bool,
    /// The kind of provider that keeps the key, `dwProvType` of `CRYPT_KEY_PROV_INFO`: 12 is the CSP for SChannel, 0 a key
    /// storage provider of CNG.
    pub provider_type: Option<u32>,
    /// `SelfSigned`.
    pub self_signed: bool,
    /// `Status` (facts 2.4).
    pub status: i32,
    /// `RootCAType` (facts 2.3).
    pub root_ca_type: i32,
    /// `Services`: flags (facts 2.2).
    pub services: i32,
    /// `IISServices`: the sites of IIS that use it, like `IIS://EX01/W3SVC/1`.
    pub iis_services: Vec<String>,
    /// `PrivateKeyExportable`.
    pub private_key_exportable: bool,
    /// `Identity`: the server's name and the thumbprint, `ex01.contoso.com\D868…`.
    pub identity: Option<String>,
}

/// Decodes a blob, plain or signed.
///
/// Since January 2023 Exchange signs it (facts 2.5): `#sig#`, the length of the data, the data, and 32 bytes. The signature is not checked, only cut off: it keeps .NET from making classes that an attacker chose,
/// and here no class is made. What the blob says is as true as the connection that it came over.
pub fn decode(blob: &[u8]) -> Result<ExchangeCertificateBlob, CertificateBlobError> {
    let message = nrbf::read(unsigned(blob)?)?;
    let root = message.root();
    match message.class_name(&root) {
        Some(CLASS) => {}
        other => return Err(CertificateBlobError::OtherClass(super::shown(other.unwrap_or("no class")))),
    }
    let element = member(&message, &root, "CertData", Message::bytes)?;
    let element = store::read(element)?;
    Ok(ExchangeCertificateBlob {
        certificate: element.certificate,
        friendly_name: element.friendly_name,
        has_private_key: element.has_private_key,
        provider_type: element.provider_type,
        self_signed: member(&message, &root, "SelfSigned", Message::boolean)?,
        status: member(&message, &root, "Status", number)?,
        root_ca_type: member(&message, &root, "RootCAType", number)?,
        services: member(&message, &root, "Services", number)?,
        iis_services: member(&message, &root, "IISServices", sites)?,
        private_key_exportable: member(&message, &root, "PrivateKeyExportable", Message::boolean)?,
        identity: match message.member(&root, "Identity") {
            Some(Value::Null) => None,
            _ => Some(member(&message, &root, "Identity", Message::text)?.to_owned()),
        },
    })
}

/// The data, without the signature around it.
fn unsigned(blob: &[u8]) -> Result<&[u8], CertificateBlobError> {
    let Some(signed) = blob.strip_prefix(SIGNED) else { return Ok(blob) };
    let left = signed.len().saturating_sub(4);
    let Some((length, rest)) = signed.split_first_chunk() else {
        return Err(CertificateBlobError::Signed { said: 0, left });
    };
    let said = u32::from_le_bytes(*length);
    match rest.len().checked_sub(SIGNATURE) {
        Some(length) if u32::try_from(length) == Ok(said) => Ok(&rest[..length]),
        Some(_) | None => Err(CertificateBlobError::Signed { said, left }),
    }
}

fn member<'a, T>(
    message: &'a Message,
    object: &'a Value,
    name: &'static str,
    read: impl Fn(&'a Message, &'a Value) -> Option<T>,
) -> Result<T, CertificateBlobError> {
    let value = message.member(object, name);
    value.and_then(|value| read(message, value)).ok_or(CertificateBlobError::Member(name))
}

fn number(message: &Message, value: &Value) -> Option<i32> {
    i32::try_from(message.integer(value)?).ok()
}

/// A `List<IisService>`: an array with room to spare, and how much of it is in use.
fn sites(message: &Message, list: &Value) -> Option<Vec<String>> {
    if *list == Value::Null {
        return Some(Vec::new());
    }
    let size = usize::try_from(number(message, message.member(list, "_size")?)?).ok()?;
    let items = message.items(message.member(list, "_items")?)?.get(..size)?;
    items.iter().map(|item| Some(message.text(message.member(item, "serviceName")?)?.to_owned())).collect()
}

const CLASS: &str = "Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate";
const SIGNED: &[u8] = b"#sig#";
/// How many bytes of signature follow.
const SIGNATURE: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blob() -> ExchangeCertificateBlob {
        ExchangeCertificateBlob {
            certificate: Der(b"not read here".to_vec()),
            friendly_name: Some("Microsoft Exchange".into()),
            has_private_key: true,
            provider_type: Some(12),
            self_signed: true,
            status: 1,
            root_ca_type: 3,
            services: 27,
            iis_services: vec!["IIS://EX01/W3SVC/1".into(), "IIS://EX01/W3SVC/2".into()],
            private_key_exportable: false,
            identity: Some("ex01.contoso.com\\D868BC6CDDAE8424FC76F9188F232788DAF51B07".into()),
        }
    }

    fn signed(data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap();
        [SIGNED, &length.to_le_bytes(), data, &[0xa5; SIGNATURE]].concat()
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let nothing = ExchangeCertificateBlob {
            friendly_name: None,
            has_private_key: false,
            provider_type: None,
            self_signed: false,
            iis_services: Vec::new(),
            identity: None,
            ..blob()
        };
        for blob in [blob(), nothing] {
            assert_eq!(decode(&encode(&blob)), Ok(blob.clone()));
            assert_eq!(decode(&signed(&encode(&blob))), Ok(blob), "signed");
        }
    }

    #[test]
    fn a_blob_that_was_cut_is_an_error_at_every_byte() {
        let plain = encode(&blob());
        for bytes in [signed(&plain), plain] {
            for end in 0..bytes.len() {
                assert!(decode(&bytes[..end]).is_err(), "{end} of {}", bytes.len());
            }
            assert!(decode(&[&bytes[..], &[0]].concat()).is_err(), "a byte too many");
        }
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let plain = encode(&blob());
        for (row, bytes, says) in [
            ("empty", Vec::new(), "its serialized data cannot be read"),
            ("a signature alone", b"#sig#".to_vec(), "its signed form says 0 bytes"),
            ("signed and cut", signed(&plain)[..100].to_vec(), "and 91 follow; it was cut"),
            (
                "another class",
                replaced(&plain, "ExchangeCertificate", "ExchangeCertificatf"),
                "it holds an object of the type `Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificatf`",
            ),
            (
                "another member",
                replaced(&plain, "Services\u{b}", "Servicez\u{b}"),
                "its member Services is missing",
            ),
        ] {
            let error = decode(&bytes).unwrap_err().to_string();
            assert!(error.contains(says), "{row}: {error}");
        }
    }

    /// The bytes with one text in place of another of the same length, where it stands first.
    fn replaced(bytes: &[u8], old: &str, new: &str) -> Vec<u8> {
        let at = bytes.windows(old.len()).position(|window| window == old.as_bytes()).unwrap();
        [&bytes[..at], new.as_bytes(), &bytes[at + old.len()..]].concat()
    }

    /// A friendly name ends at its first zero, so none has one.
    const TEXT: &str = "[^\0]{0,40}";

    proptest! {
        #[test]
        fn decoding_undoes_encoding(
            der in prop::collection::vec(any::<u8>(), 0..400),
            friendly_name in prop::option::of(TEXT),
            flags in any::<[bool; 3]>(),
            numbers in any::<[i32; 3]>(),
            iis_services in prop::collection::vec(TEXT, 0..6),
            identity in prop::option::of(".{0,200}"),
        ) {
            let blob = ExchangeCertificateBlob {
                certificate: Der(der),
                friendly_name,
                has_private_key: flags[0],
                provider_type: flags[0].then_some(numbers[1].unsigned_abs()),
                self_signed: flags[1],
                private_key_exportable: flags[2],
                status: numbers[0],
                root_ca_type: numbers[1],
                services: numbers[2],
                iis_services,
                identity,
            };
            prop_assert_eq!(decode(&encode(&blob)), Ok(blob));
        }
    }
}
