//! Partners with whom mail goes by mutual TLS or not at all, and what they will see another of (facts 6.11).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    exchange::{
        selection::{self, Presented},
        simulation::UNKNOWN_ISSUER,
    },
    model::{
        certificate::Certificate,
        desired::{CertificateId, Desired, DesiredCertificate, Origin},
        dn::DistinguishedName,
        names::{ConnectorName, DnsName, ServerName},
        organization::{DomainSecurity, Organization},
        server::Server,
        thumbprint::Thumbprint,
        warning::{PartnersSee, ServerWarning},
    },
    plan::builder::PlanBuilder,
};

/// Warns of certificates of the manifest that these steps bring to connectors of Domain Security, where partners may refuse what
/// they took before.
pub(in crate::plan) fn warn(builder: &mut PlanBuilder, desired: &Desired, before: &Organization) {
    let Some(partners) = before.domain_security.known() else { return };
    let mut found: BTreeMap<(CertificateId, PartnersSee), Told> = BTreeMap::new();
    let mut declared: BTreeMap<Thumbprint, &CertificateId> = BTreeMap::new();
    for id in desired.certificates.keys() {
        if let Some(thumbprint) = builder.thumbprint(id) {
            declared.entry(thumbprint).or_insert(id);
        }
    }
    for name in desired.servers.keys() {
        let (Some(was), Some(is)) = (before.servers.get(name), builder.server(name)) else { continue };
        for place in places(before, partners, name, was) {
            // The connectors of the foreseen organization: a step may have given one a name.
            let organization = &builder.world.organization;
            let (old, new) = (place.shown(before, was, builder), place.shown(organization, is, builder));
            let (Some(old), Some(new)) = (old, new) else { continue };
            let id = declared.get(&new.thumbprint).copied();
            let Some((id, declared)) = id.and_then(|id| Some((id, desired.certificates.get(id)?))) else {
                continue;
            };
            for sees in differences(old, new, declared, place.fqdn.as_ref()) {
                let told = found.entry((id.clone(), sees)).or_default();
                told.connectors.insert(place.connector.clone());
                told.domains.extend(place.domains.iter().cloned());
            }
        }
    }
    for ((certificate, sees), Told { connectors, domains }) in found {
        builder.warn(ServerWarning::DomainSecurityPartners {
            certificate,
            connectors: connectors.into_iter().collect(),
            domains: domains.into_iter().collect(),
            sees,
        });
    }
}

#[derive(Default)]
struct Told {
    connectors: BTreeSet<ConnectorName>,
    domains: BTreeSet<String>,
}

/// A connector of Domain Security on a server.
struct Place<'a> {
    connector: ConnectorName,
    sends: bool,
    fqdn: Option<DnsName>,
    domains: &'a [String],
}

impl Place<'_> {
    /// The certificate that partners are shown there.
    fn shown<'a>(
        &self,
        organization: &'a Organization,
        server: &'a Server,
        builder: &PlanBuilder,
    ) -> Option<&'a Certificate> {
        let presented = if self.sends {
            let settings = organization.send_connectors.known()?.get(&self.connector)?;
            let named = settings.tls_certificate_name.as_ref();
            selection::outbound_starttls(server, named, settings.fqdn.as_ref(), builder.now).presented
        } else {
            let settings = server.receive_connectors.known()?.get(&self.connector)?;
            selection::inbound_starttls(server, settings, builder.now).presented
        };
        let Presented::Certificate(thumbprint) = presented else { return None };
        Some(&server.certificate(thumbprint)?.certificate)
    }
}

fn places<'a>(
    organization: &Organization,
    partners: &'a DomainSecurity,
    name: &ServerName,
    server: &Server,
) -> Vec<Place<'a>> {
    let DomainSecurity { send, receive } = partners;
    let receiving = server.receive_connectors.known().into_iter().flatten();
    let receiving = receiving
        .filter(|(_, settings)| settings.domain_secure && settings.enabled && !receive.is_empty())
        .map(|(connector, settings)| Place {
            connector: connector.clone(),
            sends: false,
            fqdn: settings.fqdn.clone(),
            domains: receive,
        });
    let sending = organization.send_connectors.known().into_iter().flatten();
    let sending = sending
        .filter(|(_, settings)| settings.domain_secure && settings.enabled && !send.is_empty())
        .filter(|(_, settings)| settings.source_servers.contains(name))
        .map(|(connector, settings)| Place {
            connector: connector.clone(),
            sends: true,
            fqdn: settings.fqdn.clone(),
            domains: send,
        });
    receiving.chain(sending).collect()
}

/// What partners who check certificates see another of.
fn differences(
    old: &Certificate,
    new: &Certificate,
    declared: &DesiredCertificate,
    fqdn: Option<&DnsName>,
) -> Vec<PartnersSee> {
    if old.thumbprint == new.thumbprint {
        return Vec::new();
    }
    let name = fqdn.filter(|fqdn| !new.covers(fqdn));
    let name = name.map(|name| PartnersSee::NameMissing { name: name.clone() });
    let issuer = issuer(new, declared).filter(|issuer| **issuer != old.issuer);
    let issuer = issuer
        .map(|issuer| PartnersSee::OtherIssuer { was: old.issuer.to_string(), will_be: issuer.to_string() });
    name.into_iter().chain(issuer).collect()
}

/// The issuer, where it is known before it has issued.
fn issuer<'a>(
    certificate: &'a Certificate,
    declared: &'a DesiredCertificate,
) -> Option<&'a DistinguishedName> {
    let is_known = certificate.thumbprint.placeholder_step().is_none();
    match &declared.origin {
        Origin::LocalCa { subject, .. } if !is_known => subject.as_ref(),
        Origin::Csr { .. } if !is_known => {
            let unknown = DistinguishedName::common_name_only(UNKNOWN_ISSUER);
            Some(&certificate.issuer).filter(|issuer| **issuer != unknown)
        }
        Origin::LocalCa { .. } | Origin::Csr { .. } | Origin::SelfSigned | Origin::Pfx { .. } => {
            Some(&certificate.issuer)
        }
    }
}
