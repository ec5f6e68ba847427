//! The manifest with everything filled in: profiles applied, variables put in, references followed.

use std::{collections::BTreeMap, fmt};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    action::{CertRef, Expectation},
    auth::DesiredAuth,
    certificate::Certificate,
    connector::{ReceiveConnector, TransportRole},
    dn::DistinguishedName,
    endpoint::Endpoint,
    fact::Fact,
    key::KeySpec,
    names::{BalancerName, CertificateName, ConnectorName, DnsName, FriendlyName, IssuerName, ServerName},
    organization::Organization,
    policy::{ExtraServices, Limits, Protection, RenewBefore, Retire},
    server::UmStartupMode,
    service::{MailService, Service},
    site::SiteBinding,
    time::Span,
    version::ServerVersion,
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
    /// Send connectors and the certificate they should name; none clears the name.
    pub send_connectors: IndexMap<ConnectorName, Option<CertificateId>>,
    /// The Auth certificate.
    pub auth: Option<DesiredAuth>,
    /// The certificate of the hybrid configuration.
    pub hybrid: Option<CertificateId>,
    /// Load balancers, in the manifest's order.
    pub balancers: IndexMap<BalancerName, DesiredBalancer>,
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
    /// Names that come from the organization's accepted domains.
    pub includes: Includes,
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
    /// What becomes of services that it should not have.
    pub extra_services: ExtraServices,
    /// The servers that use it, in the manifest's order.
    pub servers: Vec<ServerName>,
}

/// Names that are known only when the organization was observed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Includes {
    /// Every accepted domain.
    pub accepted_domains: bool,
    /// `autodiscover.` of every accepted domain.
    pub autodiscover: bool,
    /// Why they are not known, when they should be.
    pub unseen: Option<String>,
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
    /// A CA that answers a request in days.
    Csr {
        /// The files of the request and its answer, without the ending.
        file: String,
        /// The answer, once it is there.
        answer: Option<Box<Certificate>>,
        /// Whether the CA is a public one.
        public: bool,
        /// Whether its root is known: that of a public one, or one that the manifest names.
        rooted: bool,
    },
}

/// What one server should use certificates for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredServer {
    /// Its full name.
    pub fqdn: DnsName,
    /// Its version, when the manifest says it.
    pub version: Option<ServerVersion>,
    /// Whether the manifest says that it is an Edge Transport server.
    pub edge: bool,
    /// The certificates of each service; more than one for SMTP only.
    pub services: BTreeMap<Service, Vec<CertificateId>>,
    /// The internal transport certificate.
    pub internal_transport: Option<CertificateId>,
    /// The bindings of IIS sites beyond what the service IIS binds.
    pub sites: IndexMap<SiteBinding, CertificateId>,
    /// The receive connectors, and the certificate each should name; none clears the name.
    pub receive_connectors: IndexMap<ConnectorSelector, Option<CertificateId>>,
    /// The names by which POP and IMAP should find their certificates.
    pub x509_certificate_names: BTreeMap<MailService, DnsName>,
    /// How Unified Messaging should start.
    pub um_startup_mode: Option<UmStartupMode>,
}

/// What a load balancer should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredBalancer {
    /// The certificate.
    pub certificate: CertificateId,
    /// Where clients meet it.
    pub endpoints: Vec<Endpoint>,
}

/// Which receive connectors are meant. Their default names are translated on servers of other languages, their role and
/// port are not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectorSelector {
    /// The one of this name.
    Name(ConnectorName),
    /// Those of this role that listen on this port.
    Role(TransportRole, u16),
}

/// The subjects of CAs, by issuer: all that the pure core needs of their files.
pub type CaSubjects = BTreeMap<IssuerName, DistinguishedName>;

impl Desired {
    /// Adds the names that come from accepted domains. A lone `*` and domains with a wildcard are left out: what Exchange
    /// does with them is not known (sample S17).
    pub fn add_names_of(&mut self, organization: &Organization) {
        let domains: Fact<Vec<DnsName>> = organization.accepted_domains.map(|domains| {
            let names = domains.iter().filter_map(|domain| domain.domain.parse::<DnsName>().ok());
            names.filter(|name| !name.is_wildcard()).collect()
        });
        for certificate in self.certificates.values_mut() {
            let Includes { accepted_domains, autodiscover, .. } = certificate.includes;
            if !accepted_domains && !autodiscover {
                continue;
            }
            match &domains {
                Fact::Unknown(why) => certificate.includes.unseen = Some(why.why.clone()),
                Fact::Known(domains) => {
                    let of_autodiscover = |domain: &DnsName| format!("autodiscover.{domain}").parse().ok();
                    let own = domains.iter().filter(|_| accepted_domains).cloned();
                    let autodiscover = domains.iter().filter(|_| autodiscover).filter_map(of_autodiscover);
                    for name in own.chain(autodiscover) {
                        certificate.add_name(name);
                    }
                }
            }
        }
    }

    /// The files of requests and their answers, without the ending.
    pub fn request_files(&self) -> impl Iterator<Item = &str> {
        self.certificates.values().filter_map(|certificate| match &certificate.origin {
            Origin::Csr { file, .. } => Some(file.as_str()),
            Origin::SelfSigned | Origin::LocalCa { .. } => None,
        })
    }

    /// Adds the answers of CAs that are there. `answer` finds one by the name of its files.
    pub fn add_answers<E>(
        &mut self,
        answer: impl Fn(&str) -> Result<Option<Certificate>, E>,
    ) -> Result<(), E> {
        for certificate in self.certificates.values_mut() {
            if let Origin::Csr { file, answer: known, .. } = &mut certificate.origin {
                *known = answer(file)?.map(Box::new);
            }
        }
        Ok(())
    }
}

impl Origin {
    /// Whether the certificate signs itself.
    pub fn is_self_signed(&self) -> bool {
        match self {
            Self::SelfSigned => true,
            Self::LocalCa { .. } | Self::Csr { .. } => false,
        }
    }
}

impl DesiredCertificate {
    /// Whether one key is shared by several servers.
    pub fn is_shared(&self) -> bool {
        self.id.server.is_none()
    }

    /// The name by which a POP3 or IMAP4 client of this certificate knows the server: the first full name that is no
    /// wildcard.
    pub fn client_name(&self) -> Option<&DnsName> {
        let mut names = self.names.iter().filter(|name| !name.is_wildcard());
        names.clone().find(|name| !name.is_single_label()).or_else(|| names.next())
    }

    /// Whether its subject is a wildcard, which POP and IMAP do not take (facts 3.3).
    pub fn has_wildcard_subject(&self) -> bool {
        self.subject.common_name().is_some_and(|common_name| common_name.starts_with("*."))
    }

    /// Whether one of its names is good for `host`.
    pub fn covers(&self, host: &DnsName) -> bool {
        self.names.iter().any(|name| name.covers(host))
    }

    /// Adds a name that it does not have yet.
    pub fn add_name(&mut self, name: DnsName) {
        if !self.names.contains(&name) {
            self.names.push(name);
        }
    }
}

impl DesiredServer {
    /// The certificate of a service that takes one.
    pub fn service(&self, service: Service) -> Option<&CertificateId> {
        self.services.get(&service)?.first()
    }

    /// What the manifest says of a receive connector: nothing, that it should name no certificate, or which.
    pub fn receive_connector(
        &self,
        name: &ConnectorName,
        connector: &ReceiveConnector,
    ) -> Option<Option<&CertificateId>> {
        let by_name = self.receive_connectors.get(&ConnectorSelector::Name(name.clone()));
        let by_role = || {
            let mut entries = self.receive_connectors.iter();
            entries.find(|(selector, _)| selector.selects(name, connector)).map(|(_, id)| id)
        };
        by_name.or_else(by_role).map(Option::as_ref)
    }

    /// The certificate that `iis` gives a binding of the server. An entry without an address means the bindings of all
    /// addresses that have no entry of their own.
    pub fn site(&self, binding: &SiteBinding) -> Option<&CertificateId> {
        let of_all = || self.sites.get(&SiteBinding { address: None, ..binding.clone() });
        self.sites.get(binding).or_else(of_all)
    }

    /// Every certificate the server uses, for whatever, with repetitions.
    pub fn uses(&self) -> impl Iterator<Item = &CertificateId> {
        let Self {
            fqdn: _,
            version: _,
            edge: _,
            services,
            internal_transport,
            sites,
            receive_connectors,
            x509_certificate_names: _,
            um_startup_mode: _,
        } = self;
        services
            .values()
            .flatten()
            .chain(internal_transport)
            .chain(sites.values())
            .chain(receive_connectors.values().flatten())
    }
}

impl DesiredBalancer {
    /// What each endpoint should serve, and the name that a client asks for.
    pub fn expectations(&self, desired: &DesiredCertificate, certificate: CertRef) -> Vec<Expectation> {
        let name = desired.client_name().cloned();
        let expectation = |endpoint| Expectation { endpoint, name: name.clone(), certificate };
        self.endpoints.iter().copied().map(expectation).collect()
    }
}

impl ConnectorSelector {
    /// Whether this connector is meant.
    pub fn selects(&self, name: &ConnectorName, connector: &ReceiveConnector) -> bool {
        match self {
            Self::Name(wanted) => wanted == name,
            Self::Role(role, port) => connector.role == *role && connector.ports().contains(port),
        }
    }
}

impl fmt::Display for ConnectorSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name}"),
            Self::Role(role, port) => write!(f, "{role}:{port}"),
        }
    }
}

impl std::str::FromStr for ConnectorSelector {
    type Err = super::names::NameError;

    /// `FrontendTransport:587` is a role and a port; no connector that Exchange makes has such a name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let by_role = text.split_once(':').and_then(|(role, port)| {
            let role = TransportRole::ALL.into_iter().find(|known| known.name() == role)?;
            Some(Self::Role(role, port.parse().ok()?))
        });
        by_role.map_or_else(|| text.parse().map(Self::Name), Ok)
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
