//! The manifest with everything filled in: profiles applied, variables put in, references followed.

use std::{collections::BTreeMap, fmt};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    dn::DistinguishedName,
    key::KeySpec,
    manifest::{Limits, Protection, RenewBefore, Retire},
    names::{CertificateName, ConnectorName, DnsName, FriendlyName, IssuerName, ServerName},
    service::Service,
    site::SiteBinding,
    time::Span,
};

/// What an organization should look like: a manifest after parsing, checks and defaults. Nothing in it is left to be
/// looked up or decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The organization's name.
    pub organization: String,
    /// The certificates, in the manifest's order. One of scope `server` stands here once for each server that uses it.
    pub certificates: IndexMap<CertificateId, DesiredCertificate>,
    /// The servers, in the manifest's order.
    pub servers: IndexMap<ServerName, DesiredServer>,
    /// Send connectors and the certificate they should name.
    pub send_connectors: IndexMap<ConnectorName, CertificateId>,
    /// What is never touched.
    pub protect: Vec<Protection>,
    /// Bounds.
    pub limits: Limits,
}

/// Which certificate is meant: its name in the manifest, and the server when each has its own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateId {
    /// Its name in the manifest.
    pub name: CertificateName,
    /// The server, for a certificate of scope `server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
}

/// A certificate that should exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredCertificate {
    /// Which one.
    pub id: CertificateId,
    /// Who issues it.
    pub issuer: IssuerName,
    /// What is known of the issuer.
    pub origin: Origin,
    /// Whom it names.
    pub subject: DistinguishedName,
    /// The DNS names it is for, without repetition.
    pub names: Vec<DnsName>,
    /// What Windows shows beside it.
    pub friendly_name: FriendlyName,
    /// Its key.
    pub key: KeySpec,
    /// Whether the key may leave the server.
    pub exportable: bool,
    /// When it is renewed.
    pub renew_before: RenewBefore,
    /// What becomes of its predecessor.
    pub retire: Retire,
    /// The servers that use it, in the manifest's order.
    pub servers: Vec<ServerName>,
}

/// How a certificate comes into being.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The server makes and signs it.
    SelfSigned,
    /// A CA whose key certwright uses.
    LocalCa {
        /// The CA's subject, when its certificate could be read.
        subject: Option<DistinguishedName>,
        /// How long its certificates live.
        lifetime: Span,
    },
}

/// What one server should use certificates for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredServer {
    /// Its full name.
    pub fqdn: DnsName,
    /// The certificates of each service; more than one for SMTP only.
    pub services: BTreeMap<Service, Vec<CertificateId>>,
    /// The internal transport certificate.
    pub internal_transport: Option<CertificateId>,
    /// The bindings of IIS sites beyond what the service IIS binds.
    pub sites: IndexMap<SiteBinding, CertificateId>,
    /// The receive connectors that name their certificate.
    pub receive_connectors: IndexMap<ConnectorName, CertificateId>,
}

/// What the adapters know about issuers and the pure core cannot find out: the subjects of CAs, by issuer.
pub type CaSubjects = BTreeMap<IssuerName, DistinguishedName>;

impl Origin {
    /// Whether the certificate signs itself.
    pub fn is_self_signed(&self) -> bool {
        match self {
            Self::SelfSigned => true,
            Self::LocalCa { .. } => false,
        }
    }
}

impl DesiredCertificate {
    /// Whether one key is shared by several servers.
    pub fn is_shared(&self) -> bool {
        self.id.server.is_none()
    }

    /// The name by which a POP3 or IMAP4 client of this certificate knows the server: the first that is no wildcard.
    pub fn client_name(&self) -> Option<&DnsName> {
        self.names.iter().find(|name| !name.is_wildcard())
    }
}

impl DesiredServer {
    /// The certificate of a service that takes one.
    pub fn service(&self, service: Service) -> Option<&CertificateId> {
        self.services.get(&service)?.first()
    }

    /// Every certificate the server uses, for whatever, with repetitions.
    pub fn uses(&self) -> impl Iterator<Item = &CertificateId> {
        let Self { fqdn: _, services, internal_transport, sites, receive_connectors } = self;
        services
            .values()
            .flatten()
            .chain(internal_transport)
            .chain(sites.values())
            .chain(receive_connectors.values())
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            None => write!(f, "{}", self.name),
            Some(server) => write!(f, "{} on {server}", self.name),
        }
    }
}
