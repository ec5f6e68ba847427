//! Certificates that Exchange chooses instead of the right one, because they are newer and have its name: leftovers of
//! renewals that failed, most often. SMTP, POP3 and IMAP4 choose by name and date, so a good certificate in the store is
//! not enough.

use super::{
    expect, lineage,
    rules::{self, RuleInput},
};
use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, presented},
        selection::Presented,
    },
    model::{
        action::StepId,
        certificate::Certificate,
        desired::{Desired, DesiredCertificate, DesiredServer},
        dn::TlsCertificateName,
        names::ConnectorName,
        organization::Organization,
        reason::Reason,
        server::{Server, StoredCertificate},
        service::{Service, Services},
        thumbprint::Thumbprint,
        time::{Span, Timestamp},
    },
};

/// Why this certificate, although it fits, would not be presented everywhere, when a new one would be.
pub(super) fn shadowed(
    certificate: &DesiredCertificate,
    thumbprint: Thumbprint,
    desired: &Desired,
    organization: &Organization,
    now: Timestamp,
) -> Option<Reason> {
    let servers = certificate.servers.iter().filter_map(|name| organization.servers.get(name));
    let facts = servers
        .clone()
        .find_map(|server| server.certificate(thumbprint))
        .map(|stored| &stored.certificate)?;
    certificate.servers.iter().find_map(|name| {
        let (own, server) = (&desired.servers[name], organization.servers.get(name)?);
        let with_it = configured(server, own, certificate, facts);
        let (place, by) = displaced(&with_it, own, certificate, thumbprint, now)?;
        let other = server.certificate(by)?;
        let is_stranger = !lineage::is_managed(desired, own, other);
        // What may be protected stays in the way of every successor, or it is none of them: nothing is issued for not knowing.
        let same_lineage = !lineage::may_be_protected(&desired.protect, other)
            && lineage::same_lineage(certificate, desired, (own, server), other, now);
        let fresh = fresh(certificate, facts, now);
        let with_new = configured(&with_it, own, certificate, &fresh);
        let helps = displaced(&with_new, own, certificate, fresh.thumbprint, now).is_none();
        ((same_lineage || is_stranger) && helps).then(|| Reason::Shadowed {
            server: name.clone(),
            by,
            place: place.to_string(),
            no_newer: other.certificate.not_before <= facts.not_before,
            fits: same_lineage
                && rules::reasons(&RuleInput { desired: certificate, current: other, now }).is_empty(),
            without_key: server
                .certificate(thumbprint)
                .filter(|stored| !stored.has_private_key)
                .map(|_| thumbprint),
        })
    })
}

/// The first place for this certificate that would present another one.
fn displaced(
    server: &Server,
    own: &DesiredServer,
    certificate: &DesiredCertificate,
    thumbprint: Thumbprint,
    now: Timestamp,
) -> Option<(BindingPoint, Thumbprint)> {
    binding_points(server).into_iter().find_map(|presenter| {
        let by_name = match presenter {
            BindingPoint::Connector(_) | BindingPoint::Pop | BindingPoint::Imap => true,
            BindingPoint::Site(_) | BindingPoint::InternalTransport => false,
        };
        if !by_name || expect::declared(own, server, &presenter) != Some(&certificate.id) {
            return None;
        }
        match presented(server, &presenter, now) {
            Presented::Certificate(other) | Presented::Failing { certificate: other, .. }
                if other != thumbprint =>
            {
                Some((presenter, other))
            }
            Presented::Certificate(_)
            | Presented::Failing { .. }
            | Presented::Nothing(_)
            | Presented::Unknown(_) => None,
        }
    })
}

/// The server as it would be with everything set for this certificate.
fn configured(
    server: &Server,
    own: &DesiredServer,
    certificate: &DesiredCertificate,
    facts: &Certificate,
) -> Server {
    let mut server = server.clone();
    let arriving = StoredCertificate::without_services(facts.clone());
    if let Some(store) = server.certificates.known_mut() {
        let stored = store.0.entry(facts.thumbprint).or_insert(arriving);
        if let Some(services) = stored.services.known_mut() {
            services.extend(Services::from([Service::Smtp]));
        }
    }
    for settings in [&mut server.pop, &mut server.imap] {
        if let Some(settings) = settings.known_mut().and_then(Option::as_mut) {
            let present = settings.x509_certificate_name.as_ref();
            if !present.is_some_and(|present| certificate.names.iter().any(|name| name.covers(present))) {
                settings.x509_certificate_name = certificate.client_name().cloned();
            }
        }
    }
    if let Some(connectors) = server.receive_connectors.known_mut() {
        let is_given = |name: &&ConnectorName| {
            own.receive_connector(name, connectors).flatten() == Some(&certificate.id)
        };
        let given: Vec<ConnectorName> = connectors.keys().filter(is_given).cloned().collect();
        for (_, connector) in connectors.iter_mut().filter(|(name, _)| given.contains(name)) {
            connector.tls_certificate_name = Some(TlsCertificateName::of(facts));
        }
    }
    server
}

/// The certificate that would be issued now in the place of this one.
fn fresh(certificate: &DesiredCertificate, facts: &Certificate, now: Timestamp) -> Certificate {
    let mut request = certificate.request();
    request.subject = facts.subject.clone();
    request.foreseen(StepId(u32::MAX), &facts.issuer, now, Span::days(90))
}
