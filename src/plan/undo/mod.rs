//! The way back from a step, computed before it is done from what it will change.

mod settings;

pub(super) use self::settings::{held, now_stays, um_stays};
use std::collections::BTreeMap;

use self::settings::{
    bind_back, default_web_site_back, has_built_in_for_transport, im_certificate_back, internal_transport,
    is_built_in, name_back, repoint_back, um_startup_mode, without_way_back, wizard_back,
};
use crate::{
    exchange::{binding_points::BindingPoint, builtin, named, simulation::SimulatedOrganization, uses::Use},
    model::{
        action::{Action, BundleSource, CertRef, Condition, DefaultSmtp, StepId, StoredOn},
        certificate::Certificate,
        dn::TlsCertificateName,
        fact::Fact,
        names::{BalancerName, ConnectorName, ServerName},
        no_way_back::NoWayBack,
        organization::{AuthConfig, Organization},
        plan::Undo,
        server::Server,
        service::{MailService, Service, Services},
        site::SiteBinding,
        thumbprint::Thumbprint,
    },
};

/// The step that backs up a certificate, and whether with its key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backup {
    pub(super) step: StepId,
    pub(super) with_key: bool,
}

/// The backups that a plan makes, by server and certificate.
pub(super) type Backups = BTreeMap<(ServerName, Thumbprint), Backup>;

/// How to undo `action` if it were done, as step `id`, in `world` as it is now. `backups` are those of the steps before.
pub(super) fn of(world: &SimulatedOrganization, id: StepId, action: &Action, backups: &Backups) -> Undo {
    let organization = &world.organization;
    match action {
        Action::Issue { .. }
        | Action::Restart { .. }
        | Action::Verify { .. }
        | Action::VerifyBalancer { .. }
        | Action::BackUp { .. }
        | Action::Await { .. }
        | Action::Manual {
            until:
                Condition::Answer { .. }
                | Condition::Moment { .. }
                | Condition::AuthTold { .. }
                | Condition::OnlineTold { .. }
                | Condition::Served { .. }
                | Condition::EdgeAwaited { .. }
                // What is put back before it is not known to the new subscription: the way back ends with another one.
                | Condition::EdgeSubscribed { .. },
            ..
        }
        | Action::Gate { .. }
        | Action::CannotApply { .. }
        // It serves nothing, and its key must not go while the CA may answer.
        | Action::Request { .. } => Undo::Nothing,
        Action::Manual { until: Condition::HybridApplied {}, .. } => {
            let back = wizard_back(organization);
            if back.is_empty() { Undo::Nothing } else { Undo::By(back) }
        }
        Action::Complete { server, certificate, enable, .. } => {
            by_removal(organization, server, *certificate, enable)
        }
        Action::RemoveRequest { .. } => irreversible(NoWayBack::RequestKeyGone),
        Action::SetUmStartupMode { server, call_router, .. } => {
            match um_startup_mode(organization, server, *call_router) {
                Some(mode) => Undo::By(vec![Action::SetUmStartupMode {
                    server: server.clone(),
                    call_router: *call_router,
                    mode,
                }]),
                None => Undo::Nothing,
            }
        }
        Action::StageAuth { .. } => match auth(organization).and_then(|auth| auth.next) {
            Some(next) => {
                Undo::By(vec![Action::StageAuth { certificate: CertRef::of(next), effective: None }])
            }
            None => irreversible(NoWayBack::AuthStaged),
        },
        Action::PublishAuth { .. } => of_publication(world, organization),
        Action::ClearPreviousAuth {} => {
            irreversible(NoWayBack::AuthForgotten)
        }
        // It hurts nobody where it is, and nothing here ever removes one of its kind.
        Action::Create { request, .. } if builtin::recognise_subject(&request.subject).is_some() => {
            Undo::Nothing
        }
        Action::Import { certificate, from, .. } if brings_built_in(world, *certificate, from) => {
            Undo::Nothing
        }
        Action::Create { server, enable, .. } => {
            by_removal(organization, server, CertRef::FromStep(id), enable)
        }
        Action::Import { server, certificate, enable, .. } => {
            by_removal(organization, server, *certificate, enable)
        }
        Action::Bind { server, certificate, services, default_smtp } => {
            of_bind(organization, server, *certificate, services, *default_smtp)
        }
        // It was put in place of an Auth certificate that is not for mail flow: nobody wants that back.
        Action::SetInternalTransport { server, .. } if has_built_in_for_transport(organization, server) => {
            Undo::Nothing
        }
        Action::SetInternalTransport { server, .. } => match internal_transport(organization, server) {
            Some(before) => Undo::By(vec![before]),
            None => irreversible(NoWayBack::NoInternalTransportBefore),
        },
        Action::BindSite { server, site, .. } => match bind_back(organization, server, site) {
            Some(before) => Undo::By(vec![before]),
            None => irreversible(NoWayBack::NoBindingBefore),
        },
        Action::SetX509CertificateName { server, service, .. } => {
            Undo::By(vec![name_back(organization, server, *service)])
        }
        Action::Repoint { connector, .. } => Undo::By(vec![repoint_back(organization, connector)]),
        Action::SetImCertificate { name, servers, .. } => match im_certificate_back(organization, name, servers) {
            Some(before) => Undo::By(vec![before]),
            None => irreversible(NoWayBack::ImCertificateGone),
        },
        Action::Install { balancer, .. } => of_install(organization, id, balancer),
        Action::Remove { server, certificate, .. } => of_removal(world, server, *certificate, backups),
        Action::RemoveNamed { certificates, .. } => of_removals(world, certificates, backups),
    }
}

/// The way back without the parts that the action turned out not to have changed. When none is left, what remains is
/// what the action added and Exchange cannot take away again.
pub(super) fn without_what_stayed(undo: Undo, after: &SimulatedOrganization, action: &Action) -> Undo {
    let (back, stays) = match undo {
        Undo::By(back) => match back.last().and_then(|last| named_alike(after, last)) {
            Some(why) => return irreversible(why),
            None => (back, None),
        },
        Undo::Partly { by, stays } => (by, Some(stays)),
        Undo::Nothing | Undo::Irreversible { .. } => return undo,
    };
    let back: Vec<Action> = back.into_iter().filter(|back| !after.holds(back)).collect();
    match stays {
        Some(NoWayBack::SmtpStays) if back.is_empty() => return irreversible(NoWayBack::ServiceStays),
        Some(stays) if back.is_empty() => return irreversible(stays),
        Some(stays) => return Undo::Partly { by: back, stays },
        None => {}
    }
    match (back.is_empty(), action) {
        (false, _) => Undo::By(back),
        // Made in this run: its services go when the certificate goes.
        (true, Action::Bind { certificate: CertRef::FromStep(_), .. }) => Undo::Nothing,
        (true, Action::Bind { .. }) => irreversible(NoWayBack::ServiceStays),
        (true, _) => Undo::Nothing,
    }
}

/// Why a certificate cannot be removed again that send connectors name beside what it replaces: transport would have to stand
/// still, and cannot be stopped from here.
fn named_alike(after: &SimulatedOrganization, back: &Action) -> Option<NoWayBack> {
    let Action::Remove { server, certificate, .. } = back else { return None };
    let organization = &after.organization;
    let stored = organization.servers.get(server)?.certificate(after.thumbprint(*certificate))?;
    let name = TlsCertificateName::of(&stored.certificate);
    let known = organization.send_connectors.known()?.iter();
    let naming =
        known.filter(|(_, own)| own.tls_certificate_name.as_ref().is_some_and(|own| own.is_same_as(&name)));
    let connectors: Vec<ConnectorName> = naming.map(|(connector, _)| connector.clone()).collect();
    let hindering = named::hindering(organization, &named::sources(organization, &connectors));
    (!hindering.is_empty()).then_some(NoWayBack::NamedAlike { connectors, hindering })
}

fn auth(organization: &Organization) -> Option<&AuthConfig> {
    organization.auth.known()?.as_ref()
}

/// The one before is staged and published again, while it is still good for something.
fn of_publication(world: &SimulatedOrganization, organization: &Organization) -> Undo {
    let before = auth(organization).and_then(|auth| auth.current);
    let mut stores = organization.servers.values();
    match before.and_then(|before| stores.find_map(|server| server.certificate(before))) {
        Some(stored) if world.now() <= stored.certificate.not_after && stored.has_private_key => {
            let certificate = CertRef::of(stored.certificate.thumbprint);
            let back = Action::StageAuth { certificate, effective: None };
            Undo::By(vec![back, Action::PublishAuth { certificate }])
        }
        Some(_) | None => irreversible(NoWayBack::AuthBeforeUnusable),
    }
}

/// Whether an import brings one of Exchange's own certificates: looked up where it comes from.
fn brings_built_in(world: &SimulatedOrganization, certificate: CertRef, from: &BundleSource) -> bool {
    let is_built_in_itself = |certificate: &Certificate| builtin::recognise(certificate).is_some();
    match from {
        BundleSource::Issued(_) => world.issued(certificate).is_some_and(is_built_in_itself),
        BundleSource::Server(server) => {
            is_built_in(world.organization.servers.get(server), world.thumbprint(certificate))
        }
        BundleSource::Backup { der, .. } => {
            Certificate::from_der(&der.0).is_ok_and(|certificate| is_built_in_itself(&certificate))
        }
    }
}

/// Removing a certificate takes its services with it; only what it displaced has to be put back before.
fn by_removal(
    organization: &Organization,
    server: &ServerName,
    certificate: CertRef,
    enable: &Services,
) -> Undo {
    let mut back = Vec::new();
    if enable.contains(&Service::Smtp) {
        // Without one the certificate becomes it, asked or not, and nothing takes its place (facts 3.2).
        let had = organization.servers.get(server).and_then(|server| server.internal_transport.known());
        if had.is_some_and(Option::is_none) {
            return irreversible(NoWayBack::NoInternalTransportBefore);
        }
        back.extend(internal_transport(organization, server));
    }
    // Bindings that name it while it is missing present it from then on, and would have nothing without it (facts 11.2).
    let dangling = dangling(organization, server, certificate);
    if !dangling.is_empty() {
        let by = dangling.into_iter().map(|site| Use::Presented(BindingPoint::Site(site)).into()).collect();
        return irreversible(NoWayBack::StillInUse { by });
    }
    back.push(Action::remove(server, certificate));
    Undo::By(back)
}

/// The bindings of a server that name a certificate which it does not have.
fn dangling(organization: &Organization, server: &ServerName, certificate: CertRef) -> Vec<SiteBinding> {
    let (Some(server), CertRef::Known(thumbprint)) = (organization.servers.get(server), certificate) else {
        return Vec::new();
    };
    let lacks = server.certificates.known().is_some() && server.certificate(thumbprint).is_none();
    let sites = server.sites.known().into_iter().flatten().filter(|_| lacks);
    sites.filter(|(_, bound)| **bound == Some(thumbprint)).map(|(site, _)| site.clone()).collect()
}

fn of_bind(
    organization: &Organization,
    name: &ServerName,
    certificate: CertRef,
    services: &Services,
    default_smtp: DefaultSmtp,
) -> Undo {
    let Some(server) = organization.servers.get(name) else { return Undo::Nothing };
    let mut back = Vec::new();
    for service in services {
        match service {
            Service::Iis => back.extend(default_web_site_back(organization, name, server)),
            Service::Pop => back.push(name_back(organization, name, MailService::Pop)),
            Service::Imap => back.push(name_back(organization, name, MailService::Imap)),
            Service::Smtp if default_smtp == DefaultSmtp::Replace => {
                back.extend(internal_transport(organization, name))
            }
            Service::Smtp | Service::Federation => {}
            Service::Um | Service::UmCallRouter => {
                let holder = server.certificates.known().into_iter().flat_map(|store| store.0.values()).find(
                    |stored| stored.services.known().is_some_and(|services| services.contains(service)),
                );
                back.extend(holder.map(|stored| Action::Bind {
                    server: name.clone(),
                    certificate: CertRef::of(stored.certificate.thumbprint),
                    services: Services::from([*service]),
                    default_smtp: DefaultSmtp::Keep,
                }));
            }
        }
    }
    let without = if services.contains(&Service::Iis) {
        without_way_back(organization, name, server)
    } else {
        Vec::new()
    };
    let only_adds_smtp = services.len() == 1 && services.contains(&Service::Smtp) && back.is_empty();
    match certificate {
        // Made in this run: SMTP goes when the certificate goes.
        CertRef::FromStep(_) if only_adds_smtp => Undo::Nothing,
        CertRef::Known(_) if only_adds_smtp => irreversible(NoWayBack::ServiceStays),
        _ if back.is_empty() => irreversible(NoWayBack::NothingBoundBefore),
        // A name that has no certificate stops the site; SMTP that stays only lets one more certificate be chosen.
        _ if !without.is_empty() => {
            Undo::Partly { by: back, stays: NoWayBack::BindingsStay { bindings: without } }
        }
        CertRef::Known(thumbprint) if adds_smtp(server, thumbprint, services) => {
            Undo::Partly { by: back, stays: NoWayBack::SmtpStays }
        }
        CertRef::Known(_) | CertRef::FromStep(_) => Undo::By(back),
    }
}

/// Whether a certificate that was there before is enabled for SMTP now: with it the network service reads the key from
/// then on.
fn adds_smtp(server: &Server, certificate: Thumbprint, services: &Services) -> bool {
    let had = server.certificate(certificate).and_then(|stored| stored.services.known());
    services.contains(&Service::Smtp) && had.is_none_or(|had| !had.contains(&Service::Smtp))
}

/// What the load balancer had comes back: from the copy that the step itself makes of it, or from a server that still has
/// it when a load balancer does not give its key away.
fn of_install(organization: &Organization, id: StepId, name: &BalancerName) -> Undo {
    let Some(balancer) = organization.balancers.get(name) else { return Undo::Nothing };
    let Fact::Known(Some(before)) = &balancer.certificate else {
        return irreversible(NoWayBack::BalancerHadNone);
    };
    let has_it = |server: &Server| {
        let stored = server.certificate(before.thumbprint);
        stored.is_some_and(|stored| stored.has_private_key && stored.exportable.known() == Some(&true))
    };
    let on_server = || organization.servers.iter().find(|(_, server)| has_it(server)).map(|(name, _)| name);
    let from = if balancer.readable {
        Some(BundleSource::Backup { run: None, step: id, der: before.der.clone() })
    } else {
        on_server().cloned().map(BundleSource::Server)
    };
    match from {
        Some(from) => Undo::By(vec![Action::Install {
            balancer: name.clone(),
            certificate: CertRef::of(before.thumbprint),
            from,
        }]),
        None => irreversible(NoWayBack::BalancerKeyUnreadable),
    }
}

/// A removed certificate comes back from its backup.
fn of_removal(
    world: &SimulatedOrganization,
    server: &ServerName,
    certificate: CertRef,
    backups: &Backups,
) -> Undo {
    let thumbprint = world.thumbprint(certificate);
    let backup = backups.get(&(server.clone(), thumbprint)).copied();
    let stored = world.organization.servers.get(server).and_then(|server| server.certificate(thumbprint));
    let Some(stored) = stored else { return irreversible(NoWayBack::CertificateNotThere) };
    let Some(Backup { step, with_key }) = backup else { return irreversible(NoWayBack::NoBackup) };
    if !with_key {
        return irreversible(NoWayBack::KeyNotExportable);
    }
    let friendly = stored.friendly_name.known().and_then(|name| name.parse().ok());
    Undo::By(vec![Action::Import {
        server: server.clone(),
        certificate,
        from: BundleSource::Backup { run: None, step, der: stored.certificate.der.clone() },
        friendly_name: friendly.unwrap_or_else(|| "restored by certwright".parse().expect("a friendly name")),
        exportable: true,
        enable: stored.services.known().map(smtp_only).unwrap_or_default(),
        default_smtp: DefaultSmtp::Keep,
    }])
}

/// Each comes back from its own backup, as far as there is one.
fn of_removals(world: &SimulatedOrganization, certificates: &[StoredOn], backups: &Backups) -> Undo {
    let (mut back, mut stays) = (Vec::new(), None);
    for StoredOn { server, certificate } in certificates {
        match of_removal(world, server, *certificate, backups) {
            Undo::By(actions) => back.extend(actions),
            Undo::Irreversible { why } => drop(stays.get_or_insert(why)),
            Undo::Nothing | Undo::Partly { .. } => {}
        }
    }
    match (back.is_empty(), stays) {
        (_, None) => Undo::By(back),
        (true, Some(why)) => irreversible(why),
        (false, Some(stays)) => Undo::Partly { by: back, stays },
    }
}

fn smtp_only(services: &Services) -> Services {
    services.iter().filter(|service| **service == Service::Smtp).copied().collect()
}

fn irreversible(why: NoWayBack) -> Undo {
    Undo::Irreversible { why }
}
