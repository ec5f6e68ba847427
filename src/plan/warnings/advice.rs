//! What an operator should know about the organization as it will be, besides the changes.

use crate::{
    exchange::{
        binding_points::{BindingPoint, presented},
        hybrid,
        selection::Presented,
        simulation::UNKNOWN_ISSUER,
    },
    model::{
        certificate::Certificate,
        connector::{AuthMechanism, TransportRole},
        desired::{Desired, DesiredServer},
        names::ServerName,
        organization::Organization,
        server::{CertificateStatus, Server, StoredCertificate},
        service::MailService,
        site::SiteBinding,
        warning::{AuthWarning, FederationCertificate, ServerWarning, ServiceWarning, Warning},
    },
    plan::{builder::PlanBuilder, expect},
};

/// Adds the warnings about every server of the manifest.
pub(in crate::plan) fn advise(builder: &mut PlanBuilder, desired: &Desired) {
    for (name, own) in &desired.servers {
        let Some(server) = builder.server(name) else { continue };
        let mut warnings: Vec<Warning> = Vec::new();
        warnings.extend(other_version(name, own, server).map(Warning::from));
        warnings.extend(back_end_without_server_name(builder, name, own, server).map(Warning::from));
        warnings.extend(client_connectors(desired, name, own, server).into_iter().map(Warning::from));
        warnings.extend(default_connector_renamed(name, own, server).into_iter().map(Warning::from));
        warnings.extend(chain_not_built(desired, name, own, server).into_iter().map(Warning::from));
        warnings.extend(federation_missing(builder, name, own, server).map(Warning::from));
        warnings.extend(online_root_missing(builder, name, server).map(Warning::from));
        warnings.extend(mail_services_stopped(name, own, server).into_iter().map(Warning::from));
        for warning in warnings {
            builder.warn(warning);
        }
    }
}

/// Adds the declared bindings whose certificate IIS had from elsewhere before the plan (facts 11.6).
pub(in crate::plan) fn other_stores(builder: &mut PlanBuilder, desired: &Desired, observed: &Organization) {
    for (name, own) in &desired.servers {
        let Some(server) = observed.servers.get(name) else { continue };
        for (site, store) in &server.other_stores {
            if expect::declared(own, server, &BindingPoint::Site(site.clone())).is_some() {
                let (server, site, store) = (name.clone(), site.clone(), store.clone());
                builder.warn(ServerWarning::OtherStore { server, site, store });
            }
        }
    }
}

fn other_version(name: &ServerName, own: &DesiredServer, server: &Server) -> Option<ServerWarning> {
    let (said, is) = (own.version?, *server.version.known()?);
    let (declared, found) = (said.release(), is.release());
    (declared != found).then(|| ServerWarning::OtherVersion { server: name.clone(), declared, found })
}

/// The front end proxies to Back End under the server's own name; a public certificate there has it only by accident, and
/// moves with every renewal (facts 4.3, 11.1).
fn back_end_without_server_name(
    builder: &PlanBuilder,
    name: &ServerName,
    own: &DesiredServer,
    server: &Server,
) -> Option<ServerWarning> {
    let back_end = SiteBinding::back_end();
    let place = BindingPoint::Site(back_end.clone());
    let Presented::Certificate(thumbprint) = presented(server, &place, builder.now) else { return None };
    let certificate = &server.certificate(thumbprint)?.certificate;
    (!certificate.is_accepted_for(&own.fqdn) && !certificate.is_self_signed()).then(|| {
        ServerWarning::BackEndNameMissing {
            server: name.clone(),
            site: back_end,
            certificate: thumbprint,
            named: certificate.subject.to_string(),
        }
    })
}

/// POP and IMAP users send through port 587 and check the name: the connector has to present a certificate with its own
/// `Fqdn`, and both have to be the name that clients use (facts 6.2, 15 no. 21).
fn client_connectors(
    desired: &Desired,
    name: &ServerName,
    own: &DesiredServer,
    server: &Server,
) -> Vec<ServerWarning> {
    let Some(connectors) = server.receive_connectors.known() else { return Vec::new() };
    let of_clients = connectors.iter().filter(|(_, connector)| {
        connector.role == TransportRole::FrontendTransport && connector.ports().contains(&587)
    });
    of_clients
        .filter_map(|(title, connector)| {
            let id = own.receive_connector(title, connectors).flatten()?;
            let certificate = desired.certificates.get(id)?;
            let fqdn = connector.fqdn.as_ref()?;
            let better = certificate.client_name()?;
            (!certificate.covers(fqdn)).then(|| ServerWarning::ClientConnectorName {
                server: name.clone(),
                connector: title.clone(),
                fqdn: fqdn.clone(),
                certificate: id.clone(),
                better: better.clone(),
            })
        })
        .collect()
}

/// Mailbox servers find each other by the `Fqdn` of the connector that takes their mail: with another name there, mail
/// between them stops (facts 6.1, 15 no. 27).
fn default_connector_renamed(name: &ServerName, own: &DesiredServer, server: &Server) -> Vec<ServerWarning> {
    let connectors = server.receive_connectors.known().into_iter().flatten();
    let internal = connectors.filter(|(_, connector)| {
        connector.role == TransportRole::HubTransport
            && connector.auth.contains(&AuthMechanism::ExchangeServer)
            && connector.ports().iter().any(|port| [25, 2525].contains(port))
    });
    internal
        .filter_map(|(title, connector)| {
            let fqdn =
                connector.fqdn.as_ref().filter(|fqdn| **fqdn != own.fqdn && !fqdn.is_single_label())?;
            Some(ServerWarning::DefaultConnectorRenamed {
                server: name.clone(),
                connector: title.clone(),
                fqdn: fqdn.clone(),
                own: own.fqdn.clone(),
            })
        })
        .collect()
}

/// A server that cannot build the chain of its certificate, mostly for want of an intermediate, offers no STARTTLS with it
/// and sends clients a chain that many cannot complete (event 12014; facts 2.4, 5.1, 15 no. 24).
fn chain_not_built(
    desired: &Desired,
    name: &ServerName,
    own: &DesiredServer,
    server: &Server,
) -> Vec<ServerWarning> {
    let store = server.certificates.known().into_iter().flat_map(|store| store.0.values());
    let mut ids: Vec<_> = own.uses().collect();
    ids.sort();
    ids.dedup();
    let wanted: Vec<_> = ids.into_iter().filter_map(|id| desired.certificates.get(id)).collect();
    let meant = |certificate: &Certificate| {
        wanted
            .iter()
            .find(|wanted| !wanted.names.is_empty() && wanted.names.iter().all(|dns| certificate.covers(dns)))
            .map(|wanted| wanted.id.clone())
    };
    let (lacking, rest): (Vec<_>, Vec<_>) =
        store.partition(|stored| lacks_issuer(server, &stored.certificate));
    let untrusted =
        rest.into_iter().filter(|stored| stored.status.known() == Some(&CertificateStatus::Untrusted));
    let untrusted = untrusted.filter_map(|StoredCertificate { certificate, .. }| {
        Some(ServerWarning::ChainNotBuilt {
            server: name.clone(),
            thumbprint: certificate.thumbprint,
            certificate: meant(certificate)?,
        })
    });
    let lacking = lacking.into_iter().filter_map(|StoredCertificate { certificate, .. }| {
        Some(ServerWarning::IssuerNotInStores {
            server: name.clone(),
            thumbprint: certificate.thumbprint,
            certificate: meant(certificate)?,
            issuer: certificate.issuer.clone(),
        })
    });
    lacking.chain(untrusted).collect()
}

/// Whether the stores of the computer are known not to have the CA that issued a certificate, as far as that one is known: what else is above it Windows
/// looks for itself, a public root it fetches.
fn lacks_issuer(server: &Server, certificate: &Certificate) -> bool {
    let known = server.authorities.known();
    let is_there = |authorities: &Vec<Certificate>| {
        authorities.iter().any(|authority| authority.subject.means(&certificate.issuer))
    };
    let is_told = certificate.issuer.common_name() != Some(UNKNOWN_ISSUER);
    is_told && !certificate.is_self_signed() && known.is_some_and(|authorities| !is_there(authorities))
}

/// Federation is never touched; that a server lacks its certificate is said all the same: publishing the next one, and
/// federated sharing through this server, fail for it (facts 4.4, 15 no. 34).
fn federation_missing(
    builder: &PlanBuilder,
    name: &ServerName,
    own: &DesiredServer,
    server: &Server,
) -> Option<AuthWarning> {
    let trust = builder.world.organization.federation.known()?.as_ref().filter(|_| !own.edge)?;
    let store = server.certificates.known()?;
    let wanted = [(FederationCertificate::Next, trust.next), (FederationCertificate::Current, trust.current)];
    let missing = wanted.into_iter().find_map(|(which, thumbprint)| {
        let thumbprint = thumbprint.filter(|thumbprint| !store.0.contains_key(thumbprint))?;
        Some((which, thumbprint))
    });
    let (which, thumbprint) = missing?;
    Some(AuthWarning::FederationCertificateMissing { server: name.clone(), which, thumbprint })
}

/// POP and IMAP do not run until somebody starts them: that is a state, and a manifest that declares them there asks for
/// something that nobody can meet (facts 3.9).
fn mail_services_stopped(name: &ServerName, own: &DesiredServer, server: &Server) -> Vec<ServiceWarning> {
    let declared =
        MailService::ALL.into_iter().filter(|service| own.services.contains_key(&service.service()));
    let stopped = declared.filter(|service| server.is_stopped(*service));
    stopped.map(|service| ServiceWarning::MailServiceStopped { server: name.clone(), service }).collect()
}

/// Mail to Microsoft 365 is sent only to whom the server trusts. A root that Windows does not have it fetches, unless a policy
/// forbids it. Put by hand among the computer's own roots it would hide certificates from the hybrid wizard, so it belongs to
/// the third-party ones (facts 2.3, 9, 14, 15 no. 33).
fn online_root_missing(builder: &PlanBuilder, name: &ServerName, server: &Server) -> Option<ServerWarning> {
    server.online_root.known().filter(|root| !root.present && !root.fetched)?;
    let sends = hybrid::sends_to_microsoft_365(&builder.world.organization, name);
    sends.then(|| ServerWarning::OnlineRootMissing { server: name.clone() })
}
