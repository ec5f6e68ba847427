//! The manifest with everything filled in: profiles applied, variables put in, references followed.

mod certificate;
mod resolved;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use indexmap::IndexMap;

pub use self::{
    certificate::{DesiredCertificate, Includes, Origin, Untrusted},
    resolved::{Answers, CaSubjects, OfIssuers, PfxCertificates, Resolved},
};
pub use super::certificate_id::CertificateId;
use super::{
    action::{CertRef, Expectation},
    auth::DesiredAuth,
    connector::{ReceiveConnector, TransportRole},
    day::Day,
    dn::DistinguishedName,
    endpoint::Endpoint,
    fact::Fact,
    names::{BalancerName, ConnectorName, DnsName, IssuerName, ServerName},
    organization::Organization,
    policy::{ExpiryWarning, Limits, Restarts},
    protection::Protection,
    server::UmStartupMode,
    server_left_out::ServerLeftOut,
    service::{MailService, Service},
    site::SiteBinding,
    thumbprint::Thumbprint,
    time::Timestamp,
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
    /// The subject of the certificate of hybrid mail that Exchange Online knows, as the manifest says.
    pub told_subject: Option<DistinguishedName>,
    /// Edge servers that somebody is ready to subscribe anew, each until a day.
    pub subscribe_anew: BTreeMap<ServerName, Day>,
    /// Load balancers, in the manifest's order.
    pub balancers: IndexMap<BalancerName, DesiredBalancer>,
    /// What is never touched.
    pub protect: Vec<Protection>,
    /// Whether new certificates are exported for safekeeping.
    pub keep_issued: bool,
    /// What is restarted.
    pub restarts: Restarts,
    /// From when on the end of what is in use is spoken of.
    pub expiry_warning: ExpiryWarning,
    /// Bounds.
    pub limits: Limits,
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
    /// Why it is left out for now; none when it is not.
    pub left_out: Option<String>,
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
    /// The servers that it can be told to send no new clients to.
    pub servers: BTreeSet<ServerName>,
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

impl Desired {
    /// The same with the names that come from accepted domains. A lone `*` and domains with a wildcard are left out: what Exchange
    /// does with them is not known (sample S17).
    #[must_use]
    pub fn with_names_of(mut self, organization: &Organization) -> Self {
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
        self
    }

    /// The same with more certificates whose keys others may have.
    #[must_use]
    pub fn with_compromised(mut self, thumbprints: &[Thumbprint]) -> Self {
        let auth = self.auth.iter_mut().map(|auth| &mut auth.certificate);
        for certificate in self.certificates.values_mut().chain(auth) {
            certificate.compromised.extend(thumbprints);
        }
        self
    }

    /// The certificates whose keys others may have.
    pub fn compromised(&self) -> BTreeSet<Thumbprint> {
        let auth = self.auth.iter().map(|auth| &auth.certificate);
        self.certificates.values().chain(auth).flat_map(|own| own.compromised.iter().copied()).collect()
    }

    /// The same, whoever may have the keys of certificates.
    #[must_use]
    pub fn with_none_compromised(mut self) -> Self {
        let auth = self.auth.iter_mut().map(|auth| &mut auth.certificate);
        for certificate in self.certificates.values_mut().chain(auth) {
            certificate.compromised.clear();
        }
        self
    }

    /// Whether the manifest leaves this server out for now.
    pub fn is_left_out(&self, server: &ServerName) -> bool {
        self.servers.get(server).is_some_and(|own| own.left_out.is_some())
    }

    /// The servers that are left out for now.
    pub fn left_out(&self) -> impl Iterator<Item = ServerLeftOut> {
        self.servers.iter().filter_map(|(name, own)| {
            Some(ServerLeftOut { server: name.clone(), because: own.left_out.clone()? })
        })
    }

    /// The files of requests and their answers, without the ending.
    pub fn request_files(&self) -> impl Iterator<Item = &str> {
        self.certificates.values().filter_map(|certificate| match &certificate.origin {
            Origin::Csr { file, .. } => Some(file.as_str()),
            Origin::SelfSigned | Origin::LocalCa { .. } | Origin::Pfx { .. } => None,
        })
    }

    /// The issuer that a file with a request is for.
    pub fn issuer_of(&self, request: &str) -> Option<&IssuerName> {
        let is_its = |own: &&DesiredCertificate| match &own.origin {
            Origin::Csr { file, .. } => file == request,
            Origin::SelfSigned | Origin::LocalCa { .. } | Origin::Pfx { .. } => false,
        };
        self.certificates.values().find(is_its).map(|own| &own.issuer)
    }

    /// The same with these answers of CAs; a request without one is open.
    #[must_use]
    pub fn with_answers(mut self, answers: &Answers) -> Self {
        for certificate in self.certificates.values_mut() {
            if let Origin::Csr { file, answer, .. } = &mut certificate.origin {
                *answer = answers.get(file).cloned();
            }
        }
        self
    }
}

impl Desired {
    /// Other certificates that a server of the manifest uses and that have this name too. Who looks for the name takes the newest.
    pub fn others_with(
        &self,
        server: &DesiredServer,
        certificate: &DesiredCertificate,
        name: &DnsName,
    ) -> impl Iterator<Item = &DesiredCertificate> {
        // One that many places use follows itself, mostly.
        let mut last = None;
        let uses = server.uses().filter(move |id| last.replace(*id) != Some(*id));
        let others = uses.filter(|id| **id != certificate.id);
        others.filter_map(|id| self.certificates.get(id)).filter(|other| other.covers(name))
    }
}

impl Desired {
    /// The same where a server does not use this certificate.
    #[must_use]
    pub fn without_use(&self, server: &ServerName, id: &CertificateId) -> Self {
        let mut without = self.clone();
        if let Some(own) = without.servers.get_mut(server) {
            own.internal_transport = own.internal_transport.take().filter(|used| used != id);
            own.services.values_mut().for_each(|used| used.retain(|used| used != id));
            own.services.retain(|_, used| !used.is_empty());
            own.sites.retain(|_, used| used != id);
            own.receive_connectors.retain(|_, used| used.as_ref() != Some(id));
        }
        without
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
        connectors: &BTreeMap<ConnectorName, ReceiveConnector>,
    ) -> Option<Option<&CertificateId>> {
        let by_name = self.receive_connectors.get(&ConnectorSelector::Name(name.clone()));
        let by_role = || {
            let mut entries = self.receive_connectors.iter();
            entries.find(|(selector, _)| selector.selects(name, connectors)).map(|(_, id)| id)
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
            left_out: _,
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

impl Desired {
    /// Whether somebody is ready to subscribe this Edge server anew, as the manifest says.
    pub fn can_subscribe(&self, edge: &ServerName, now: Timestamp) -> bool {
        self.subscribe_anew.get(edge).is_some_and(|until| !until.is_over(now))
    }
}

impl DesiredBalancer {
    /// Whether clients may come through it to a server: to those that it names, and else to any.
    pub fn may_be_before(&self, server: &ServerName) -> bool {
        self.servers.is_empty() || self.servers.contains(server)
    }

    /// The servers of a certificate to which clients may come through it: those that it names, and else all.
    pub fn servers_of<'a>(&'a self, certificate: &'a DesiredCertificate) -> Vec<&'a ServerName> {
        let named = certificate.servers.iter().filter(|server| self.servers.contains(*server));
        let named: Vec<&ServerName> = named.collect();
        if named.is_empty() { certificate.servers.iter().collect() } else { named }
    }

    /// What each endpoint should serve, and the name that a client asks for.
    pub fn expectations(&self, desired: &DesiredCertificate, certificate: CertRef) -> Vec<Expectation> {
        let name = desired.client_name().cloned();
        let expectation = |endpoint| Expectation { endpoint, name: name.clone(), certificate };
        self.endpoints.iter().copied().map(expectation).collect()
    }
}

impl ConnectorSelector {
    /// Whether this one of a server's connectors is meant. Role and port stand for the connector that takes all clients at all
    /// addresses, as setup makes it (facts 6.2), and else for the only one there is; relays beside it (facts 6.7) are named.
    pub fn selects(
        &self,
        name: &ConnectorName,
        connectors: &BTreeMap<ConnectorName, ReceiveConnector>,
    ) -> bool {
        match self {
            Self::Name(wanted) => wanted == name && connectors.contains_key(name),
            Self::Role(_, port) => connectors.get(name).filter(|own| self.is_of(own)).is_some_and(|own| {
                let takes_all = own.is_for_all() && own.addresses(*port).contains(&None);
                takes_all || connectors.values().filter(|other| self.is_of(other)).count() == 1
            }),
        }
    }

    /// Whether a connector has the role and the port that are meant; no other is told by its name.
    pub fn is_of(&self, connector: &ReceiveConnector) -> bool {
        match self {
            Self::Name(_) => false,
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
