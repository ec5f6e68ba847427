//! The certificates of a server's store, with what Windows and Exchange know of each (facts 1.4, 2).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    certificate::Certificate,
    copy_on_write::CopyOnWrite,
    fact::Fact,
    key::PublicKey,
    schema::JsonSchema,
    service::{Service, Services},
    thumbprint::Thumbprint,
};

/// The certificates of one store, by thumbprint. A list in JSON: thumbprints are computed, never read.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<StoredCertificate>", into = "Vec<StoredCertificate>")]
pub struct CertificateStore(pub CopyOnWrite<BTreeMap<Thumbprint, StoredCertificate>>);

/// A certificate in a server's store, with what Windows and Exchange know about it beyond its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// `HasPrivateKey`.
    pub has_private_key: bool,
    /// What keeps the private key.
    #[serde(default = "Fact::<KeyProvider>::not_captured")]
    pub key_provider: Fact<KeyProvider>,
    /// `PrivateKeyExportable`, decided when it was imported.
    // facts 1.4
    pub exportable: Fact<bool>,
    /// `FriendlyName`; may be empty.
    pub friendly_name: Fact<String>,
    /// `Services`: a computed display. Only SMTP (the key's access rule) and UM are the certificate's own.
    // facts 2.2
    pub services: Fact<Services>,
    /// `RootCAType`.
    pub root_type: Fact<RootType>,
    /// `Status`.
    pub status: Fact<CertificateStatus>,
}

/// A request for which the CA's answer is awaited. Windows keeps a stand-in certificate for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PendingRequest {
    /// The stand-in: it has the subject, the names and the key of the request.
    pub certificate: Certificate,
    /// `FriendlyName`.
    pub friendly_name: Fact<String>,
    /// `PrivateKeyExportable`, decided when the request was made.
    pub exportable: Fact<bool>,
}

/// What keeps a private key in Windows.
// facts 8.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum KeyProvider {
    /// A cryptographic service provider of `CryptoAPI`, such as `Microsoft RSA SChannel Cryptographic Provider`.
    Csp,
    /// A key storage provider of CNG. Exchange does not support such a key for Outlook on the web, nor for the Auth
    /// certificate.
    Ksp,
}

/// `RootCAType`: where the root of the chain is trusted from.
// facts 2.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum RootType {
    /// In no root store.
    None,
    /// A public root. The Hybrid Configuration Wizard lists only these.
    ThirdParty,
    /// From the enterprise store of Active Directory.
    Enterprise,
    /// In the server's own root store.
    Registry,
    /// By group policy.
    GroupPolicy,
    /// Not determined.
    Unknown,
}

/// `Status`. It costs a chain build at read time and is not the truth about expiry: `NotAfter` is.
// facts 2.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum CertificateStatus {
    /// Not determined.
    Unknown,
    /// In order.
    Valid,
    /// Revoked by its CA.
    Revoked,
    /// Expired, or not valid yet.
    DateInvalid,
    /// The chain ends in no trusted root.
    Untrusted,
    /// Something else is wrong.
    Invalid,
    /// Revocation could not be looked up. The certificate still works.
    RevocationCheckFailure,
    /// A request that waits for its certificate.
    PendingRequest,
}

impl StoredCertificate {
    /// A certificate that has just come into a store with its key, and is used for nothing yet. That Exchange's cmdlets
    /// put keys with a CSP is inferred: captures show it of those that they made, and .NET's import, by which the others
    /// come, prefers one.
    pub fn without_services(certificate: Certificate) -> Self {
        Self {
            certificate,
            has_private_key: true,
            key_provider: Fact::Known(KeyProvider::Csp),
            exportable: Fact::Known(true),
            friendly_name: Fact::Known(String::new()),
            services: Fact::Known(Services::new()),
            root_type: Fact::unknown("the certificate is not there yet"),
            status: Fact::Known(CertificateStatus::Valid),
        }
    }
}

impl StoredCertificate {
    /// Whether CNG keeps its RSA key, which Exchange cannot use for Outlook on the web (facts 8.5). EC keys are there always,
    /// and whether a version can use them is another question.
    pub fn is_rsa_in_cng(&self) -> bool {
        let is_rsa = matches!(self.certificate.key, PublicKey::Rsa(_));
        is_rsa && self.has_private_key && self.key_provider.known() == Some(&KeyProvider::Ksp)
    }

    /// Whether somebody enabled a service of Exchange for it, as far as that is known. POP and IMAP take any certificate by its name
    /// (facts 3.4), and say nothing of it.
    pub fn is_enabled_for_any(&self) -> Option<bool> {
        let services = self.services.known()?;
        Some(services.iter().any(|service| !matches!(service, Service::Pop | Service::Imap)))
    }

    /// Loses the private key. The store says nothing of its place any more.
    pub fn lose_key(&mut self) {
        self.has_private_key = false;
        self.key_provider = Self::no_provider();
    }

    /// What is known of a key whose place the store does not say.
    pub fn no_provider() -> Fact<KeyProvider> {
        Fact::unknown("the store does not say what keeps its key")
    }
}

impl From<Vec<StoredCertificate>> for CertificateStore {
    fn from(certificates: Vec<StoredCertificate>) -> Self {
        let by_thumbprint = certificates.into_iter().map(|stored| (stored.certificate.thumbprint, stored));
        Self(by_thumbprint.collect::<BTreeMap<_, _>>().into())
    }
}

impl From<CertificateStore> for Vec<StoredCertificate> {
    fn from(store: CertificateStore) -> Self {
        store.0.into_inner().into_values().collect()
    }
}

#[cfg(feature = "schemas")]
impl JsonSchema for CertificateStore {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CertificateStore".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Vec::<StoredCertificate>::json_schema(generator)
    }
}
