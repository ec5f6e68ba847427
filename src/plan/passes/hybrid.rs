//! The hybrid configuration: which certificate proves the organization to Microsoft 365, and the wizard that carries it
//! there.
//!
//! The order that works is: the certificate on all servers, SMTP on all, then connectors and hybrid configuration, then the
//! wizard, then the end of the old one (facts 9).

use std::collections::BTreeSet;

use crate::{
    exchange::hybrid,
    model::{
        action::{Action, Condition, ConnectorRef, StepId, TlsName},
        cannot::Cannot,
        certificate::Certificate,
        desired::{CertificateId, Desired},
        dn::TlsCertificateName,
        fact::Fact,
        names::{DnsName, ServerName},
        organization::{AcceptedDomain, HybridConfiguration},
        reason::Reason,
        server::RootType,
        service::{Restartable, Service},
        warning::HybridWarning,
    },
    plan::{
        builder::PlanBuilder,
        lanes::{is_same, restart, verify},
        told::Told,
    },
};

/// The run of the Hybrid Configuration Wizard that is asked for.
#[derive(Debug, Default)]
#[must_use = "the wizard has to have run before a predecessor of the certificate goes"]
pub(in crate::plan) struct WizardRun(Option<(CertificateId, StepId)>);

impl WizardRun {
    /// The run that carries this certificate to Microsoft 365.
    pub(in crate::plan) fn of(&self, id: &CertificateId) -> Option<StepId> {
        self.0.as_ref().filter(|(own, _)| own == id).map(|(_, step)| *step)
    }
}

/// Gives the hybrid configuration its certificate, and asks for the wizard where something is not as it leaves it.
pub(in crate::plan) fn hybrid(builder: &mut PlanBuilder, desired: &Desired, told: &Told) -> WizardRun {
    let run = desired.hybrid.as_ref().and_then(|id| Some((id.clone(), wizard(builder, desired, id, told)?)));
    WizardRun(run)
}

fn wizard(builder: &mut PlanBuilder, desired: &Desired, id: &CertificateId, told: &Told) -> Option<StepId> {
    let configuration = match &builder.world.organization.hybrid {
        Fact::Unknown(why) => {
            let why = why.why.clone();
            builder.warn(HybridWarning::HybridUnseen { why });
            return None;
        }
        Fact::Known(Some(configuration)) => configuration.clone(),
        Fact::Known(None) => {
            // Without the wizard's object too Exchange Online knows an organization that sends there.
            if !hybrid::has_connectors_there(&builder.world.organization) {
                builder.cannot(Some(id), Cannot::NotHybrid);
            }
            return None;
        }
    };
    let (want, to) = target(builder, desired, id, &configuration)?;
    let servers = hybrid::servers(&configuration);
    let mut after: Vec<StepId> = servers.iter().filter_map(|server| builder.last_step(server)).collect();
    after.extend(told.before(Some(id)));
    let have = configuration.tls_certificate_name;
    if !is_same(have.as_ref(), Some(&want)) {
        let why = vec![Reason::ConnectorDiffers { connector: ConnectorRef::Hybrid {}, have }];
        let action = Action::Repoint { connector: ConnectorRef::Hybrid {}, to: Some(to) };
        after.extend(builder.push(Some(id), action, why, after.clone()));
    }
    warn_of_root(builder, id, &servers);
    warn_of_domain(builder, desired, id);
    let unseen = hybrid::unseen(&builder.world.organization);
    if !unseen.is_empty() {
        builder.warn(HybridWarning::HybridMailUnseen { unseen });
    }
    let missing = hybrid::missing(&builder.world.organization);
    if missing.is_empty() {
        return None;
    }
    let what =
        "run the Hybrid Configuration Wizard, \"Update Secure Mail Certificate for Connectors\"".to_owned();
    let action = Action::Manual { server: None, task: what, until: Condition::HybridApplied {} };
    let before = builder.world.organization.clone();
    let step = builder.push(
        Some(id),
        action,
        vec![Reason::HybridNotApplied { missing: missing.into_iter().map(Into::into).collect() }],
        after,
    )?;
    let renamed = hybrid::renamed(&before, &builder.world.organization);
    for (server, own) in &desired.servers {
        if renamed.contains(server) && builder.server(server).is_some() {
            let wanted = desired.restarts.of(Restartable::Transport);
            restart(builder, &wanted.into_iter().collect(), server, &[step]);
            verify(builder, own, server);
        }
    }
    Some(step)
}

/// A certificate that is renewed from another intermediate leaves a hybrid configuration behind that nobody declared.
pub(in crate::plan) fn undeclared_hybrid(builder: &mut PlanBuilder, desired: &Desired) {
    if desired.hybrid.is_some() {
        return;
    }
    let hybrid = builder.world.organization.hybrid.known().and_then(Option::as_ref);
    let Some(name) = hybrid.and_then(|hybrid| hybrid.tls_certificate_name.clone()) else { return };
    let on_servers =
        |id: &CertificateId| desired.servers.keys().find_map(|server| builder.on_server(server, id)).cloned();
    let all: Vec<(&CertificateId, Certificate)> =
        desired.certificates.keys().filter_map(|id| Some((id, on_servers(id)?))).collect();
    if all.iter().any(|(_, certificate)| name.selects(certificate)) {
        return;
    }
    let successor = all.iter().find(|(_, certificate)| certificate.subject.to_string() == name.subject());
    if let Some((id, _)) = successor {
        let certificate = (*id).clone();
        builder.warn(HybridWarning::HybridNotDeclared { certificate, name });
    }
}

/// The name that the hybrid configuration should have; none when a server lacks the certificate.
fn target(
    builder: &mut PlanBuilder,
    desired: &Desired,
    id: &CertificateId,
    configuration: &HybridConfiguration,
) -> Option<(TlsCertificateName, TlsName)> {
    let chosen = builder.chosen(id)?;
    let servers = hybrid::servers(configuration);
    let mut holders = servers.iter().chain(desired.servers.keys());
    let want = holders.find_map(|server| builder.on_server(server, id)).map(TlsCertificateName::of)?;
    let lacks = |server: &&ServerName| builder.on_server(server, id).is_none();
    let lacking: Vec<ServerName> = servers.iter().filter(lacks).cloned().collect();
    let without_smtp: Vec<ServerName> =
        servers.iter().filter(|server| is_without_smtp(builder, server, id)).cloned().collect();
    let certificate = id.clone();
    let why = match (lacking.is_empty(), without_smtp.is_empty()) {
        (true, true) => return Some((want, TlsName::Of(chosen))),
        (true, false) => Cannot::HybridServersWithoutSmtp { certificate, servers: without_smtp },
        (false, _) => Cannot::HybridServersLack { certificate, servers: lacking },
    };
    builder.cannot(Some(id), why);
    None
}

fn is_without_smtp(builder: &PlanBuilder, server: &ServerName, id: &CertificateId) -> bool {
    let stored =
        builder.thumbprint(id).and_then(|thumbprint| builder.server(server)?.certificate(thumbprint));
    let services = stored.and_then(|stored| stored.services.known());
    services.is_some_and(|services| !services.contains(&Service::Smtp))
}

/// The wizard lists certificates of public CAs only, by where Windows has their root from: one that was put into the
/// trusted roots by hand hides them (facts 2.3, 9, 15 no. 22).
fn warn_of_root(builder: &mut PlanBuilder, id: &CertificateId, servers: &BTreeSet<ServerName>) {
    let hidden = servers.iter().find_map(|name| {
        let stored = builder.server(name)?.certificate(builder.thumbprint(id)?)?;
        let is_there = stored.certificate.thumbprint.placeholder_step().is_none();
        match stored.root_type.known().filter(|_| is_there)? {
            RootType::ThirdParty | RootType::Unknown => None,
            other => Some((name.clone(), *other)),
        }
    });
    let Some((server, root)) = hidden else { return };
    builder.warn(HybridWarning::HybridRootHidden { certificate: id.clone(), server, root });
}

/// Exchange Online relays for the domains of the tenant only, and asks the certificate for its own (facts 9.2).
fn warn_of_domain(builder: &mut PlanBuilder, desired: &Desired, id: &CertificateId) {
    let Some(domains) = builder.world.organization.accepted_domains.known() else { return };
    let common_name = desired.certificates[id].subject.common_name();
    let Some(name) = common_name.and_then(|name| name.parse::<DnsName>().ok()) else { return };
    let plain = name.as_str().trim_start_matches("*.").to_ascii_lowercase();
    let accepts = |domain: &AcceptedDomain| {
        let domain = domain.domain.to_ascii_lowercase();
        let domain = domain.strip_prefix("*.").unwrap_or(&domain);
        domain == "*" || plain == domain || plain.ends_with(&format!(".{domain}"))
    };
    if !domains.is_empty() && !domains.iter().any(accepts) {
        builder.warn(HybridWarning::NameNotAccepted { certificate: id.clone(), name });
    }
}
