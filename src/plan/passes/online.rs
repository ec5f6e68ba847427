//! What Exchange Online has to be told before a certificate with another name is shown to it: its inbound connector knows the
//! organization by that name and refuses mail that comes with another, and its outbound connector looks for a name of the
//! certificate (facts 9.1).

use std::collections::BTreeSet;

use crate::{
    exchange::{hybrid, named, selection::Presented, simulation::UNKNOWN_ISSUER},
    model::{
        action::{Action, Condition, StepId},
        certificate::Certificate,
        connector::SendConnector,
        desired::{CertificateId, Desired, Origin},
        dn::DistinguishedName,
        names::ServerName,
        reason::Reason,
        server::StoredCertificate,
        time::Span,
    },
    plan::{
        builder::PlanBuilder,
        decision::{Decision, Decisions, Supply},
        told::Told,
    },
};

/// Has Exchange Online told before a certificate comes to servers on which a send connector chooses by name: from then on the
/// connector shows it.
pub(in crate::plan) fn tell_before_arrival(
    builder: &mut PlanBuilder,
    desired: &Desired,
    decisions: &Decisions<'_>,
) -> Told {
    let mut told = Told::default();
    for decision in decisions.all() {
        let Some(found) = chosen_on_arrival(builder, desired, decision) else { continue };
        let id = &decision.certificate.id;
        let Some(step) = tell(builder, id, found.known, &found.subject, "it is on a server") else {
            continue;
        };
        builder.hold_arrival(id, step, found.servers);
        told = told.and(Some((id.clone(), step)));
    }
    told
}

/// Has Exchange Online told before a connector here names a certificate with another subject, sending or receiving. The wizard
/// does so too; it alone is asked for where it is the one that gives the connectors their names.
pub(in crate::plan) fn tell_online(builder: &mut PlanBuilder, desired: &Desired, told: Told) -> Told {
    let step = changed_online(builder, desired, &told).and_then(|(id, known, subject)| {
        let step = tell(builder, &id, known, &subject, "anything here names it")?;
        Some((id, step))
    });
    told.and(step)
}

fn tell(
    builder: &mut PlanBuilder,
    id: &CertificateId,
    known: String,
    subject: &DistinguishedName,
    before: &str,
) -> Option<StepId> {
    let name = subject.common_name().unwrap_or_default();
    let task = format!(
        "tell Exchange Online of {name} before {before}: there New-InboundConnector for a second connector with \
         -TlsSenderCertificateName {name} (or Set-InboundConnector, with mail refused until this plan is done), and \
         check that the TlsDomain of the outbound connector there is a name of the certificate; then write into the manifest `hybrid: {{ \
         certificate: {id}, microsoft365: \"{subject}\" }}`"
    );
    let action =
        Action::Manual { server: None, task, until: Condition::OnlineTold { subject: subject.clone() } };
    builder.push(Some(id), action, vec![Reason::OnlineNotTold { known }], [])
}

/// A certificate that connectors will choose as soon as it is there.
struct OnArrival {
    /// The subject that Exchange Online knows.
    known: String,
    subject: DistinguishedName,
    /// The servers from which it would be shown.
    servers: BTreeSet<ServerName>,
}

fn chosen_on_arrival(builder: &PlanBuilder, desired: &Desired, decision: &Decision<'_>) -> Option<OnArrival> {
    let arriving = arriving(builder, decision)?;
    let subject = arriving.subject.clone();
    if desired.told_subject.as_ref().is_some_and(|told| told.means(&subject)) {
        return None;
    }
    let mut known = None;
    let mut servers = BTreeSet::new();
    for name in &decision.certificate.servers {
        let mut choosing = builder.senders_of(name).filter(|(_, own)| chooses_by_name(own)).peekable();
        let Some(server) = builder.server(name).filter(|_| choosing.peek().is_some()) else { continue };
        let mut with_it = server.clone();
        let Some(store) = with_it.certificates.known_mut() else { continue };
        let stored = StoredCertificate::without_services(arriving.clone());
        store.0.entry(arriving.thumbprint).or_insert(stored);
        for (_, connector) in choosing {
            let will = named::presented(&with_it, connector, builder.now);
            let is_it = matches!(
                will,
                Presented::Certificate(shown) | Presented::Failing { certificate: shown, .. }
                    if shown == arriving.thumbprint
            );
            let was = shown_by_ca(builder, name, connector);
            if let Some(was) = was.filter(|was| is_it && !is_same_name(was, &subject)) {
                known.get_or_insert(was.to_string());
                servers.insert(name.clone());
            }
        }
    }
    Some(OnArrival { known: known?, subject, servers })
}

fn chooses_by_name(connector: &SendConnector) -> bool {
    connector.tls_certificate_name.is_none() && hybrid::goes_to_microsoft_365(connector)
}

/// What a connector proves a server with, by its subject. By one that the server signed itself it is not known there.
fn shown_by_ca<'a>(
    builder: &'a PlanBuilder,
    name: &ServerName,
    connector: &SendConnector,
) -> Option<&'a DistinguishedName> {
    let server = builder.server(name)?;
    let Presented::Certificate(shown) = named::presented(server, connector, builder.now) else { return None };
    let certificate = &server.certificate(shown)?.certificate;
    (!certificate.is_self_signed()).then_some(&certificate.subject)
}

fn is_same_name(one: &DistinguishedName, other: &DistinguishedName) -> bool {
    let name = |own: &DistinguishedName| own.common_name().map(str::to_ascii_lowercase);
    name(one) == name(other)
}

/// What a decision brings to servers, before anything is issued.
fn arriving(builder: &PlanBuilder, decision: &Decision<'_>) -> Option<Certificate> {
    let certificate = decision.certificate;
    match &decision.supply {
        Supply::Have { missing, .. } if missing.is_empty() => None,
        Supply::Have { .. } => builder.arriving(decision),
        Supply::New | Supply::Requested { .. } => {
            let issuer = match &certificate.origin {
                Origin::SelfSigned => certificate.subject.clone(),
                Origin::LocalCa { .. } | Origin::Csr { .. } | Origin::Pfx { .. } => {
                    DistinguishedName::common_name_only(UNKNOWN_ISSUER)
                }
            };
            let request = certificate.request();
            Some(request.foreseen(StepId(u32::MAX), &issuer, builder.now, Span::days(90)))
        }
        Supply::Blocked => None,
    }
}

/// The certificate that connectors are to name and that Exchange Online does not know by its subject: with the subject that it
/// knows, and with the new one.
fn changed_online(
    builder: &PlanBuilder,
    desired: &Desired,
    told: &Told,
) -> Option<(CertificateId, String, DistinguishedName)> {
    judged(builder, desired).into_iter().find_map(|(id, known)| {
        let subject = subject_of(builder, desired, id)?;
        let is_told = told.before(Some(id)).is_some()
            || desired.told_subject.as_ref().is_some_and(|told| told.means(&subject));
        let same = known.eq_ignore_ascii_case(&subject.to_string());
        (!is_told && !same).then(|| (id.clone(), known, subject))
    })
}

/// The subject of what stands for a certificate of the manifest, or will.
fn subject_of(builder: &PlanBuilder, desired: &Desired, id: &CertificateId) -> Option<DistinguishedName> {
    let there = builder.chosen(id).and_then(|chosen| {
        let thumbprint = builder.world.thumbprint(chosen);
        let mut servers = builder.world.organization.servers.values();
        let there = servers.find_map(|server| server.certificate(thumbprint)).map(|own| &own.certificate);
        there.or_else(|| builder.world.issued(chosen))
    });
    let declared = || Some(desired.certificates.get(id)?.subject.clone());
    there.map(|there| there.subject.clone()).or_else(declared)
}

/// The certificates of the manifest for the connectors that Exchange Online judges, each with the subject by which it knows the
/// organization there: what the connector names; that of the hybrid configuration; or what the connector shows.
fn judged<'a>(builder: &'a PlanBuilder, desired: &'a Desired) -> Vec<(&'a CertificateId, String)> {
    let organization = &builder.world.organization;
    let known = hybrid::known_as(organization);
    let connectors = organization.send_connectors.known();
    let sending = desired.send_connectors.iter().filter_map(|(name, id)| {
        let connector = connectors?.get(name)?;
        let judged = connector.enabled && hybrid::goes_to_microsoft_365(connector);
        let named = connector.tls_certificate_name.as_ref().or(known).map(|named| named.subject().to_owned());
        let shown = || {
            let mut sources = connector.source_servers.iter();
            sources.find_map(|server| shown_by_ca(builder, server, connector)).map(ToString::to_string)
        };
        Some((id.as_ref().filter(|_| judged)?, named.or_else(shown)?))
    });
    let mut found: Vec<_> = sending.collect();
    let Some(known) = known else { return found };
    for (server, own) in &desired.servers {
        let connectors = builder.server(server).and_then(|server| server.receive_connectors.known());
        found.extend(connectors.into_iter().flatten().filter_map(|(name, connector)| {
            let id = own.receive_connector(name, connectors?).flatten()?;
            let named = connector.tls_certificate_name.as_ref();
            let has_it = named.is_some_and(|named| named.subject().eq_ignore_ascii_case(known.subject()));
            let judged = hybrid::is_judged_online(organization, connector)
                && (has_it || desired.hybrid.as_ref() == Some(id));
            judged.then(|| (id, known.subject().to_owned()))
        }));
    }
    found
}
