//! Certificates that connectors do not find by their names, or should not (facts 5.9, 5.11, 6.9).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    exchange::{hybrid, named},
    model::{
        certificate::Certificate,
        desired::{CertificateId, Desired, Origin},
        dn::TlsCertificateName,
        names::{ConnectorName, ServerName},
        server::Server,
        thumbprint::Thumbprint,
        warning::{HybridWarning, ServerWarning, Warning},
    },
    plan::{
        builder::PlanBuilder,
        unnamed::{Unnamed, unnamed},
    },
};

/// Warns of what the names of connectors will select when all steps are done.
pub(in crate::plan) fn warn(builder: &mut PlanBuilder, desired: &Desired) {
    let mut warnings = without_subject(builder, desired);
    for (name, _) in named_servers(builder, desired) {
        let copies = named::keyless_copies(&builder.world.organization, name);
        warnings.extend(copies.into_iter().map(|(connector, thumbprint)| {
            ServerWarning::KeylessCopyNamed { server: name.clone(), connector, thumbprint }.into()
        }));
    }
    warnings.extend(to_microsoft_365(builder, desired));
    warnings.extend(not_for_clients(builder, desired));
    warnings.extend(without_name(builder, desired));
    for warning in warnings {
        builder.warn(warning);
    }
}

fn named_servers<'a>(
    builder: &'a PlanBuilder,
    desired: &'a Desired,
) -> impl Iterator<Item = (&'a ServerName, &'a Server)> {
    desired.servers.keys().filter_map(|name| Some((name, builder.server(name)?)))
}

/// Certificates of the manifest that have no subject, and what names them.
fn without_subject(builder: &PlanBuilder, desired: &Desired) -> Vec<Warning> {
    let mut found: BTreeMap<(&CertificateId, Thumbprint), BTreeSet<ConnectorName>> = BTreeMap::new();
    for (name, server) in named_servers(builder, desired) {
        for id in desired.servers[name].uses() {
            let Some(certificate) = builder.on_server(name, id).filter(|own| own.subject.is_empty()) else {
                continue;
            };
            let wanted = TlsCertificateName::of(certificate);
            let named = |have: &Option<TlsCertificateName>| {
                have.as_ref().is_some_and(|have| have.is_same_as(&wanted))
            };
            let connectors = found.entry((id, certificate.thumbprint)).or_default();
            let receiving = server.receive_connectors.known().into_iter().flatten();
            connectors.extend(
                receiving
                    .filter(|(_, settings)| named(&settings.tls_certificate_name))
                    .map(|(connector, _)| connector.clone()),
            );
            let sending = builder.world.organization.send_connectors.known().into_iter().flatten();
            connectors.extend(
                sending
                    .filter(|(_, settings)| named(&settings.tls_certificate_name))
                    .map(|(connector, _)| connector.clone()),
            );
        }
    }
    let hybrid = builder.world.organization.hybrid.known().is_some_and(Option::is_some);
    found
        .into_iter()
        .filter(|(_, connectors)| hybrid || !connectors.is_empty())
        .map(|((id, thumbprint), connectors)| {
            ServerWarning::EmptySubject {
                certificate: id.clone(),
                thumbprint,
                connectors: connectors.into_iter().collect(),
                hybrid,
            }
            .into()
        })
        .collect()
}

/// Send connectors to Microsoft 365 that get a certificate which Exchange Online does not take.
fn to_microsoft_365(builder: &PlanBuilder, desired: &Desired) -> Vec<Warning> {
    let connectors = builder.world.organization.send_connectors.known();
    let declared = desired.send_connectors.iter().filter_map(|(connector, id)| {
        let (id, settings) = (id.as_ref()?, connectors?.get(connector)?);
        let public = match desired.certificates.get(id)?.origin {
            Origin::Csr { public, .. } | Origin::Pfx { public, .. } => public,
            Origin::SelfSigned | Origin::LocalCa { .. } => false,
        };
        (hybrid::goes_to_microsoft_365(settings) && !public).then(|| {
            HybridWarning::PrivateCaToMicrosoft365 { connector: connector.clone(), certificate: id.clone() }
                .into()
        })
    });
    declared.collect()
}

/// Certificates that this plan brings to send connectors and that are not for TLS clients. Once they are there it is no news:
/// self-signed ones have never been (facts 6.8).
fn not_for_clients(builder: &PlanBuilder, desired: &Desired) -> Vec<Warning> {
    let mut found: BTreeMap<&CertificateId, Vec<ConnectorName>> = BTreeMap::new();
    for (connector, id) in &desired.send_connectors {
        let Some(id) = id.as_ref().filter(|id| builder.brings(id)) else { continue };
        let mut servers = desired.servers.keys();
        let certificate = servers.find_map(|server| builder.on_server(server, id));
        let is_known = |own: &&Certificate| own.thumbprint.placeholder_step().is_none();
        if certificate.filter(is_known).is_some_and(|own| !own.is_for_clients() && !own.is_self_signed()) {
            found.entry(id).or_default().push(connector.clone());
        }
    }
    let warning = |(id, connectors): (&CertificateId, _)| {
        ServerWarning::NotForClients { certificate: id.clone(), connectors }.into()
    };
    found.into_iter().map(warning).collect()
}

/// Send connectors that are to name no certificate and need one.
fn without_name(builder: &PlanBuilder, desired: &Desired) -> Vec<Warning> {
    let of_server = |server: &ServerName| {
        let found = unnamed(desired, &builder.world.organization, server, builder.now);
        let warning = |found: Unnamed| {
            HybridWarning::SenderUnnamed {
                connector: found.connector,
                server: server.clone(),
                shown: found.shown.to_string(),
                online: found.to_microsoft_365,
            }
            .into()
        };
        found.into_iter().map(warning).collect::<Vec<Warning>>()
    };
    desired.servers.keys().flat_map(of_server).collect()
}
