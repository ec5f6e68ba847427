//! `Get-ExchangeCertificate` (facts 2). Over remote PowerShell an object has its bytes and a blob that only Exchange's own
//! shell understands; a projection has the properties by name; and often there are the bytes alone.

use super::bag::{Bag, ObjectError};
use crate::{
    model::{
        causes::with_causes,
        certificate::Certificate,
        fact::Fact,
        names::DnsName,
        server::{CertificateStatus, KeyProvider, PendingRequest, RootType, StoredCertificate},
        service::{Service, Services},
        thumbprint::Thumbprint,
    },
    wire::exchange_certificate::{self, ExchangeCertificateBlob},
};

/// What `Get-ExchangeCertificate` lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// A certificate.
    Certificate(Box<StoredCertificate>),
    /// A request that waits for its certificate.
    Request(Box<PendingRequest>),
}

/// Reads an object of `Get-ExchangeCertificate`. A blob that cannot be read is told by `note`, and what only it says is
/// unknown.
pub fn certificate(bag: &Bag<'_>, mut note: impl FnMut(String)) -> Result<Listed, ObjectError> {
    let blob = match bag.bytes("SerializationData").map(exchange_certificate::decode) {
        Some(Ok(blob)) => Some(blob),
        Some(Err(error)) => {
            note(format!("its SerializationData cannot be used: {}", with_causes(&error)));
            None
        }
        None => None,
    };
    let own = bag.bytes("RawData");
    let blob = match (blob, own) {
        (Some(blob), Some(own)) if blob.certificate.0 != own => {
            note("its SerializationData is of another certificate; only the bytes are used".into());
            None
        }
        (blob, _) => blob,
    };
    let der = own.or_else(|| blob.as_ref().map(|blob| blob.certificate.0.as_slice()));
    let der = der.ok_or(ObjectError::Missing("RawData"))?;
    let read = Certificate::from_der(der).map_err(|error| ObjectError::NotUnderstood {
        property: "RawData",
        text: format!("{} bytes", der.len()),
        why: error.to_string(),
    })?;
    Ok(listed(bag, blob.as_ref(), read))
}

/// The server that a certificate says it is of, by its full name where the shell that asked shows it: what stands before the
/// backslash in its `Identity`, which over remote PowerShell only its blob has.
pub fn server_of_certificate(bag: &Bag<'_>) -> Option<String> {
    let blob = bag.bytes("SerializationData").and_then(|bytes| exchange_certificate::decode(bytes).ok());
    let identity = blob.and_then(|blob| blob.identity).or_else(|| bag.text("Identity").map(str::to_owned))?;
    identity.split_once('\\').map(|(server, _)| server.to_owned())
}

/// Reads what the printed script found of a CA in the stores of a computer: its certificate.
pub fn authority(bag: &Bag<'_>) -> Result<Certificate, ObjectError> {
    let der = bag.bytes("RawData").ok_or(ObjectError::Missing("RawData"))?;
    Certificate::from_der(der).map_err(|error| ObjectError::NotUnderstood {
        property: "RawData",
        text: format!("{} bytes", der.len()),
        why: error.to_string(),
    })
}

/// Reads a certificate of the store that has lost its private key. No cmdlet of Exchange lists it (facts 8.1).
pub fn keyless(bag: &Bag<'_>) -> Result<StoredCertificate, ObjectError> {
    let mut stored = StoredCertificate::without_services(authority(bag)?);
    stored.lose_key();
    stored.exportable = Fact::Known(false);
    stored.friendly_name = Fact::Known(bag.text("FriendlyName").unwrap_or_default().to_owned());
    stored.root_type = Fact::unknown(NOT_LISTED);
    stored.status = Fact::unknown(NOT_LISTED);
    Ok(stored)
}

/// Why Exchange says nothing of a certificate.
const NOT_LISTED: &str = "Exchange does not list it without its key";

/// The server that a certificate is of which Exchange signed itself: setup calls it by the name of its server alone, and lists that
/// name and the full one (facts 4.1). Others may be called so by anybody.
pub fn server_that_signed(bag: &Bag<'_>) -> Option<String> {
    let certificate = Certificate::from_der(bag.bytes("RawData")?).ok()?;
    let name = certificate.subject.common_name().filter(|name| !name.contains('.'))?;
    let of_server = |own: &DnsName| {
        own.as_str().split_once('.').is_some_and(|(short, _)| short.eq_ignore_ascii_case(name))
    };
    (certificate.is_self_signed() && certificate.names.iter().any(of_server)).then(|| name.to_owned())
}

/// Reads the certificate that the directory holds for TLS between servers.
pub fn internal_transport(bag: &Bag<'_>) -> Result<Thumbprint, ObjectError> {
    bag.bytes("RawData").map(Thumbprint::of).ok_or(ObjectError::Missing("RawData"))
}

fn listed(bag: &Bag<'_>, blob: Option<&ExchangeCertificateBlob>, certificate: Certificate) -> Listed {
    let number = |of: fn(&ExchangeCertificateBlob) -> i32, property: &'static str| {
        blob.map(|blob| i128::from(of(blob))).or_else(|| bag.number(property))
    };
    let status = choice(bag, "Status", number(|blob| blob.status, "Status"), &STATUSES);
    let friendly_name = match blob {
        Some(blob) => Fact::Known(blob.friendly_name.clone().unwrap_or_default()),
        // A projection of an object that lost everything but its bytes has the name too, and nothing in it.
        None if bag.has("Services") => Fact::Known(bag.text("FriendlyName").unwrap_or_default().to_owned()),
        None => only_bytes(),
    };
    let exportable =
        blob.map(|blob| blob.private_key_exportable).or_else(|| bag.boolean("PrivateKeyExportable"));
    let exportable = exportable.map_or_else(only_bytes, Fact::Known);
    if status == Fact::Known(CertificateStatus::PendingRequest) {
        return Listed::Request(Box::new(PendingRequest { certificate, friendly_name, exportable }));
    }
    // The cmdlet lists what has a private key; only the blob can say that it lost it (facts 1.2).
    let has_private_key =
        blob.map(|blob| blob.has_private_key).or_else(|| bag.boolean("HasPrivateKey")).unwrap_or(true);
    Listed::Certificate(Box::new(StoredCertificate {
        certificate,
        has_private_key,
        key_provider: key_provider(blob),
        exportable,
        friendly_name,
        services: services(bag, number(|blob| blob.services, "Services")),
        root_type: choice(bag, "RootCAType", number(|blob| blob.root_ca_type, "RootCAType"), &ROOT_TYPES),
        status,
    }))
}

/// Only the blob tells it: Windows keeps it beside the certificate (facts 8.4). That 0 stands for CNG is documented for
/// `CRYPT_KEY_PROV_INFO`; of a certificate of Exchange it was not captured.
fn key_provider(blob: Option<&ExchangeCertificateBlob>) -> Fact<KeyProvider> {
    match blob.map(|blob| blob.provider_type) {
        None => only_bytes(),
        Some(None) => StoredCertificate::no_provider(),
        Some(Some(0)) => Fact::Known(KeyProvider::Ksp),
        Some(Some(_)) => Fact::Known(KeyProvider::Csp),
    }
}

/// Flags by their bits, else by their names, which are the same in every language.
fn services(bag: &Bag<'_>, number: Option<i128>) -> Fact<Services> {
    if let Some(number) = number.and_then(|number| u32::try_from(number).ok()) {
        return Fact::Known(Service::from_flags(number));
    }
    let Some(text) = bag.text("Services") else { return only_bytes() };
    let names = text.split(',').map(str::trim).filter(|name| !name.eq_ignore_ascii_case("None"));
    let found: Option<Services> = names
        .map(|name| Service::ALL.into_iter().find(|service| service.name().eq_ignore_ascii_case(name)))
        .collect();
    found.map_or_else(|| Fact::unknown(format!("its Services are `{text}`, which is not known")), Fact::Known)
}

/// A value of an enum by its number, else by its name.
fn choice<T: Copy + std::fmt::Debug>(
    bag: &Bag<'_>,
    property: &'static str,
    number: Option<i128>,
    values: &[T],
) -> Fact<T> {
    if let Some(number) = number {
        let value = usize::try_from(number).ok().and_then(|at| values.get(at));
        return value.map_or_else(
            || Fact::unknown(format!("its {property} is {number}, which is not known")),
            |value| Fact::Known(*value),
        );
    }
    let Some(text) = bag.text(property) else { return only_bytes() };
    let named = values.iter().find(|value| format!("{value:?}").eq_ignore_ascii_case(text));
    named.map_or_else(
        || Fact::unknown(format!("its {property} is `{text}`, which is not known")),
        |value| Fact::Known(*value),
    )
}

fn only_bytes<T>() -> Fact<T> {
    Fact::unknown("the certificate came as its bytes alone")
}

/// In the order of their numbers (facts 2.4).
const STATUSES: [CertificateStatus; 8] = [
    CertificateStatus::Unknown,
    CertificateStatus::Valid,
    CertificateStatus::Revoked,
    CertificateStatus::DateInvalid,
    CertificateStatus::Untrusted,
    CertificateStatus::Invalid,
    CertificateStatus::RevocationCheckFailure,
    CertificateStatus::PendingRequest,
];
/// In the order of their numbers (facts 2.3).
const ROOT_TYPES: [RootType; 6] = [
    RootType::None,
    RootType::ThirdParty,
    RootType::Enterprise,
    RootType::Registry,
    RootType::GroupPolicy,
    RootType::Unknown,
];
