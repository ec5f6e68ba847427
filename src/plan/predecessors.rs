//! Which certificates are certwright's to remove when their successor is there: what held a place for which the manifest
//! declares the successor, what runs have made or replaced, and what the declared CA issued with the declared subject.
//! Others only share a name: another CA's, or a backup product's (facts 7.5; 15, no. 36).

mod because;

use std::collections::{BTreeMap, BTreeSet};

use super::{lineage, usages::usages};
use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, presented},
        builtin,
        selection::{self, Presented},
        uses::{Use, uses},
    },
    model::{
        certificate::Certificate,
        desired::{CertificateId, Desired, DesiredCertificate, DesiredServer, Origin},
        dn::DistinguishedName,
        history::Takeover,
        names::{ConnectorName, ServerName},
        organization::{Observed, Organization},
        server::{Server, StoredCertificate},
        service::Service,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

/// What is known, before a plan is carried out, of who stood where.
pub(super) struct Predecessors<'a> {
    desired: &'a Desired,
    organization: &'a Organization,
    now: Timestamp,
    /// What held the places that are declared for each certificate of the manifest, on any server.
    held: BTreeMap<&'a CertificateId, BTreeSet<Thumbprint>>,
    /// The places of these that belong to no server.
    outside: BTreeMap<(&'a CertificateId, Thumbprint), BTreeSet<(bool, String)>>,
    takeovers: BTreeMap<(&'a ServerName, Thumbprint), &'a Takeover>,
    /// What runs have issued, created or imported.
    issued: Option<&'a BTreeSet<Thumbprint>>,
    /// What runs have replaced and left.
    replaced: Option<&'a BTreeSet<Thumbprint>>,
}

impl<'a> Predecessors<'a> {
    pub(super) fn of(desired: &'a Desired, observed: &'a Observed, now: Timestamp) -> Self {
        let mut held: BTreeMap<&CertificateId, BTreeSet<Thumbprint>> = BTreeMap::new();
        for (name, own) in &desired.servers {
            let Some(server) = observed.organization.servers.get(name) else { continue };
            for id in own.uses().collect::<BTreeSet<_>>() {
                held.entry(id).or_default().extend(usages(own, server, id, now).into_iter().flatten());
            }
            for id in own.services.get(&Service::Smtp).into_iter().flatten() {
                held.entry(id).or_default().extend(presented_by_name(own, server, now));
            }
        }
        let mut places: BTreeMap<(&CertificateId, Thumbprint), BTreeSet<(bool, String)>> = BTreeMap::new();
        for Outside { id, thumbprint, place, by_name } in outside(desired, &observed.organization, now) {
            held.entry(id).or_default().insert(thumbprint);
            places.entry((id, thumbprint)).or_default().insert((by_name, place));
        }
        let history = observed.history.as_ref();
        let takeovers = history.into_iter().flat_map(|history| &history.takeovers);
        let takeovers =
            takeovers.map(|takeover| ((&takeover.server, takeover.certificate), takeover)).collect();
        Self {
            desired,
            organization: &observed.organization,
            now,
            held,
            outside: places,
            takeovers,
            issued: history.map(|history| &history.issued),
            replaced: history.map(|history| &history.replaced),
        }
    }

    /// Whether a certificate of a server, in the store of which its successor is too, is certwright's to remove.
    pub(super) fn owns(
        &self,
        certificate: &DesiredCertificate,
        server: &ServerName,
        stored: &StoredCertificate,
        successor: &Certificate,
    ) -> bool {
        let thumbprint = stored.certificate.thumbprint;
        // That POP or IMAP happens to choose another program's makes it nobody's predecessor.
        !lineage::may_be_foreign(certificate, stored) && self.stood_for(&certificate.id, server, thumbprint)
            || self.takeovers.contains_key(&(server, thumbprint))
            || self.issued.is_some_and(|issued| issued.contains(&thumbprint))
            || self.replaced.is_some_and(|replaced| replaced.contains(&thumbprint))
            || is_of_declared_ca(certificate, stored, successor)
    }

    /// Since when it is proved that another certificate serves in its places.
    pub(super) fn taken_over(&self, server: &ServerName, thumbprint: Thumbprint) -> Option<Timestamp> {
        self.takeovers.get(&(server, thumbprint))?.at
    }

    /// Certificates of a server that stood for one of the manifest under other names than it has now: its common name was
    /// changed, or it was one of several that became one. Setup's own certificate is none: it is of another kind.
    pub(super) fn renamed<'b>(
        &'b self,
        certificate: &'b DesiredCertificate,
        desired: &'b Desired,
        name: &'b ServerName,
        server: &'b Server,
    ) -> impl Iterator<Item = Thumbprint> + 'b {
        let store = server.certificates.known().into_iter().flat_map(|store| store.0.values());
        let stood = store.filter(move |stored| {
            let facts = &stored.certificate;
            self.stood_for(&certificate.id, name, facts.thumbprint)
                && facts.is_self_signed() == certificate.origin.is_self_signed()
                && certificate.names.iter().any(|name| facts.covers(name))
                && builtin::recognise(facts).is_none()
                && !lineage::may_be_protected(&desired.protect, stored)
        });
        stood.map(|stored| stored.certificate.thumbprint)
    }

    fn stood_for(&self, id: &CertificateId, server: &ServerName, thumbprint: Thumbprint) -> bool {
        self.held.get(id).is_some_and(|held| held.contains(&thumbprint))
            || self.takeovers.get(&(server, thumbprint)).is_some_and(|takeover| takeover.by == *id)
    }
}

/// What receive connectors present that the manifest does not name: with SMTP, they choose by name.
fn presented_by_name(own: &DesiredServer, server: &Server, now: Timestamp) -> BTreeSet<Thumbprint> {
    let places = undeclared_connectors(own, server).into_iter();
    places.filter_map(|place| thumbprint(&presented(server, &place, now))).collect()
}

fn undeclared_connectors(own: &DesiredServer, server: &Server) -> Vec<BindingPoint> {
    let connectors = server.receive_connectors.known();
    let undeclared = binding_points(server).into_iter().filter(|place| match place {
        BindingPoint::Connector(name) => {
            connectors.is_some_and(|connectors| own.receive_connector(name, connectors).is_none())
        }
        BindingPoint::Site(_) | BindingPoint::InternalTransport | BindingPoint::Pop | BindingPoint::Imap => {
            false
        }
    });
    undeclared.collect()
}

/// A certificate at a place that belongs to no server.
struct Outside<'a> {
    id: &'a CertificateId,
    thumbprint: Thumbprint,
    place: String,
    /// Whether the place chooses by name.
    by_name: bool,
}

/// What send connectors and load balancers have today.
fn outside<'a>(desired: &'a Desired, organization: &Organization, now: Timestamp) -> Vec<Outside<'a>> {
    let mut held = Vec::new();
    for (name, id) in &desired.send_connectors {
        let connector = organization.send_connectors.known().and_then(|connectors| connectors.get(name));
        let (Some(id), Some(connector)) = (id, connector) else { continue };
        let sources = connector.source_servers.iter().filter_map(|name| organization.servers.get(name));
        let shown = sources.filter_map(|server| {
            let tls_name = connector.tls_certificate_name.as_ref();
            thumbprint(
                &selection::outbound_starttls(server, tls_name, connector.fqdn.as_ref(), now).presented,
            )
        });
        let by_name = connector.tls_certificate_name.is_none();
        held.extend(shown.map(|thumbprint| Outside { id, thumbprint, place: name.to_string(), by_name }));
    }
    for (name, own) in &desired.balancers {
        let Some(balancer) = organization.balancers.get(name) else { continue };
        let configured = balancer.certificate.known().and_then(Option::as_ref);
        let configured = configured.map(|certificate| certificate.thumbprint);
        let place = format!("load balancer {name}");
        held.extend(configured.into_iter().chain(balancer.loaded).map(|thumbprint| Outside {
            id: &own.certificate,
            thumbprint,
            place: place.clone(),
            by_name: false,
        }));
    }
    held
}

/// Whether the declared CA issued it with the declared subject. CAs that are asked by request write subjects as they see
/// fit and change their intermediates: there the organization that signs counts.
///
/// What signs itself has no CA: there a service of Exchange has to be enabled for it.
fn is_of_declared_ca(
    wanted: &DesiredCertificate,
    stored: &StoredCertificate,
    successor: &Certificate,
) -> bool {
    let old = &stored.certificate;
    match &wanted.origin {
        Origin::SelfSigned => {
            old.is_self_signed()
                && old.subject.means(&wanted.subject)
                && stored.is_enabled_for_any() == Some(true)
        }
        Origin::LocalCa { subject: Some(ca), .. } => {
            old.issuer.means(ca) && old.subject.means(&wanted.subject)
        }
        Origin::LocalCa { subject: None, .. } => {
            is_same_authority(&old.issuer, &successor.issuer) && old.subject.means(&wanted.subject)
        }
        Origin::Csr { .. } | Origin::Pfx { .. } => {
            !old.is_self_signed() && is_same_authority(&old.issuer, &successor.issuer)
        }
    }
}

fn is_same_authority(one: &DistinguishedName, other: &DistinguishedName) -> bool {
    let organization = |name: &DistinguishedName| name.organization().map(str::to_lowercase);
    one.means(other) || organization(one).is_some_and(|own| Some(own) == organization(other))
}

fn thumbprint(presented: &Presented) -> Option<Thumbprint> {
    match presented {
        Presented::Certificate(thumbprint) | Presented::Failing { certificate: thumbprint, .. } => {
            Some(*thumbprint)
        }
        Presented::Nothing(_) | Presented::Unknown(_) => None,
    }
}

/// Whether something used the certificate when the organization was observed. A send connector whose `TlsCertificateName` fits
/// another certificate of the server too does not count: it names both until one of them is gone.
pub(super) fn was_used(
    observed: &Observed,
    server: &ServerName,
    thumbprint: Thumbprint,
    now: Timestamp,
) -> bool {
    let organization = &observed.organization;
    let names_another = |connector: &ConnectorName| {
        let connector = organization.send_connectors.known().and_then(|all| all.get(connector));
        let name = connector.and_then(|connector| connector.tls_certificate_name.as_ref());
        let store = organization.servers.get(server).and_then(|server| server.certificates.known());
        let others = store.into_iter().flat_map(|store| store.0.values());
        let mut others = others.filter(|stored| stored.certificate.thumbprint != thumbprint);
        name.is_some_and(|name| others.any(|stored| name.selects(&stored.certificate)))
    };
    uses(organization, server, thumbprint, now).iter().any(|found| match found {
        // What another program does with it is no place of the manifest.
        Use::Unknown(_) | Use::OtherProgram(_) => false,
        Use::SendConnector(name) => !names_another(name),
        Use::Presented(_)
        | Use::OutboundByName(_)
        | Use::ConnectorCopy(_)
        | Use::UnifiedMessaging
        | Use::Auth
        | Use::Federation
        | Use::EdgeSubscription
        | Use::Hybrid
        | Use::InstantMessaging(_)
        | Use::Balancer(_) => true,
    })
}
