//! Settings as they are, as the actions that bring them back.

use crate::{
    exchange::{builtin, hybrid, services::set_by_enable_iis, simulation::SimulatedOrganization, uses::Use},
    model::{
        action::{Action, CertRef, ConnectorRef, TlsName},
        names::{OverrideName, ServerName},
        no_way_back::NoWayBack,
        organization::Organization,
        plan::{Step, Undo},
        server::{BindingStore, Server, UmStartupMode},
        service::{MailService, Service, Services},
        site::SiteBinding,
        thumbprint::Thumbprint,
    },
};

/// What held the bindings that enabling IIS sets.
pub(super) fn default_web_site_back(
    organization: &Organization,
    name: &ServerName,
    server: &Server,
) -> Vec<Action> {
    let bindings = server.sites.known().into_iter().flat_map(|sites| sites.keys());
    bindings
        .filter(|binding| set_by_enable_iis(binding))
        .filter_map(|binding| bind_back(organization, name, binding))
        .collect()
}

/// The bindings that enabling IIS sets and that have no certificate to go back to: none at all, or one that is not where
/// Exchange looks.
pub(super) fn without_way_back(
    organization: &Organization,
    name: &ServerName,
    server: &Server,
) -> Vec<SiteBinding> {
    let bindings = server.sites.known().into_iter().flat_map(|sites| sites.keys());
    // What the central store serves is not changed, and has no way to go back (facts 11.6).
    let central = |binding: &SiteBinding| server.other_stores.get(binding) == Some(&BindingStore::Central);
    let ours = bindings.filter(|binding| set_by_enable_iis(binding) && !central(binding));
    ours.filter(|binding| bind_back(organization, name, binding).is_none()).cloned().collect()
}

/// The certificate that a binding has, bound again.
pub(super) fn bind_back(
    organization: &Organization,
    name: &ServerName,
    site: &SiteBinding,
) -> Option<Action> {
    let server = organization.servers.get(name)?;
    let before = (*server.sites.known()?.get(site)?)?;
    server.certificate(before)?;
    Some(Action::BindSite { server: name.clone(), site: site.clone(), certificate: CertRef::of(before) })
}

/// The name by which POP or IMAP finds its certificate, set again.
pub(super) fn name_back(organization: &Organization, name: &ServerName, service: MailService) -> Action {
    let server = organization.servers.get(name);
    let settings = server.and_then(|server| match service {
        MailService::Pop => server.pop.known()?.as_ref(),
        MailService::Imap => server.imap.known()?.as_ref(),
    });
    let before = settings.and_then(|settings| settings.x509_certificate_name.clone());
    Action::SetX509CertificateName { server: name.clone(), service, name: before }
}

/// The mode in which Unified Messaging or its call router starts.
pub(super) fn um_startup_mode(
    organization: &Organization,
    name: &ServerName,
    call_router: bool,
) -> Option<UmStartupMode> {
    let um = organization.servers.get(name)?.um.known()?.as_ref()?;
    if call_router { um.call_router } else { um.service }
}

/// The internal transport certificate, set again; none when it is one of Exchange's own that is not for mail flow.
pub(super) fn internal_transport(organization: &Organization, name: &ServerName) -> Option<Action> {
    let server = organization.servers.get(name)?;
    let before = (*server.internal_transport.known()?)?;
    server.certificate(before).filter(|stored| builtin::recognise(&stored.certificate).is_none())?;
    Some(Action::SetInternalTransport { server: name.clone(), certificate: CertRef::of(before) })
}

/// Whether one of Exchange's own certificates that is not for mail flow is the internal transport certificate.
pub(super) fn has_built_in_for_transport(organization: &Organization, name: &ServerName) -> bool {
    let server = organization.servers.get(name);
    let internal = server.and_then(|server| *server.internal_transport.known()?);
    internal.is_some_and(|thumbprint| is_built_in(server, thumbprint))
}

/// What a connector names, named again.
pub(super) fn repoint_back(organization: &Organization, connector: &ConnectorRef) -> Action {
    let before = match connector {
        ConnectorRef::Hybrid {} => {
            let hybrid = organization.hybrid.known().and_then(Option::as_ref);
            hybrid.and_then(|hybrid| hybrid.tls_certificate_name.clone())
        }
        ConnectorRef::Send { name } => {
            let connectors = organization.send_connectors.known();
            connectors.and_then(|connectors| connectors.get(name)?.tls_certificate_name.clone())
        }
        ConnectorRef::Receive { server, name } => {
            let server = organization.servers.get(server);
            let connectors = server.and_then(|server| server.receive_connectors.known());
            connectors.and_then(|connectors| connectors.get(name)?.tls_certificate_name.clone())
        }
    };
    Action::Repoint { connector: connector.clone(), to: before.map(TlsName::Exactly) }
}

/// The certificate that a setting override names, named again; none when nobody has it any more.
pub(super) fn im_certificate_back(
    organization: &Organization,
    name: &OverrideName,
    servers: &[ServerName],
) -> Option<Action> {
    let setting = organization.im_overrides.known().and_then(|overrides| overrides.get(name));
    let before = setting.and_then(|setting| setting.certificate)?;
    let own = servers.iter().filter_map(|name| organization.servers.get(name));
    let mut stores = own.chain(organization.servers.values());
    stores.any(|server| server.certificate(before).is_some()).then(|| Action::SetImCertificate {
        name: name.clone(),
        certificate: CertRef::of(before),
        servers: servers.to_vec(),
    })
}

/// What the Hybrid Configuration Wizard has connectors name, back to what they named. Exchange Online keeps what it was told.
pub(super) fn wizard_back(organization: &Organization) -> Vec<Action> {
    let mut after = organization.clone();
    hybrid::run_wizard(&mut after);
    let connectors = connectors(organization).into_iter();
    let back = connectors.filter_map(|connector| {
        let back = repoint_back(organization, &connector);
        (repoint_back(&after, &connector) != back).then_some(back)
    });
    back.collect()
}

fn connectors(organization: &Organization) -> Vec<ConnectorRef> {
    let send = organization.send_connectors.known().into_iter().flat_map(|connectors| connectors.keys());
    let mut all: Vec<ConnectorRef> = send.map(|name| ConnectorRef::Send { name: name.clone() }).collect();
    for (server, found) in &organization.servers {
        let receive = found.receive_connectors.known().into_iter().flat_map(|connectors| connectors.keys());
        all.extend(receive.map(|name| ConnectorRef::Receive { server: server.clone(), name: name.clone() }));
    }
    all
}

/// Whether it is one of Exchange's own certificates.
pub(super) fn is_built_in(server: Option<&Server>, thumbprint: Thumbprint) -> bool {
    let stored = server.and_then(|server| server.certificate(thumbprint));
    stored.is_some_and(|stored| builtin::recognise(&stored.certificate).is_some())
}

/// A step has made a certificate the internal transport certificate of a server that had none: nothing takes its place, so it is in use
/// from then on, and the step that brought it cannot be undone by removing it (facts 3.2).
pub(in crate::plan) fn now_stays(steps: &mut [Step], world: &SimulatedOrganization, name: &ServerName) {
    let server = world.organization.servers.get(name);
    let Some(default) = server.and_then(|server| *server.internal_transport.known()?) else { return };
    stays(steps, world, (name, default), &NoWayBack::NoInternalTransportBefore);
}

/// The services that certificates of the server have on which an action binds some.
pub(in crate::plan) fn held(world: &SimulatedOrganization, action: &Action) -> Services {
    let Action::Bind { server, .. } = action else { return Services::default() };
    let store = world.organization.servers.get(server).and_then(|server| server.certificates.known());
    let stored = store.into_iter().flat_map(|store| store.0.values());
    stored.filter_map(|stored| stored.services.known()).flatten().copied().collect()
}

/// Unified Messaging uses a certificate now, and nothing had that service before: Exchange takes none off a certificate, so the step
/// that brought it cannot be undone by removing it (facts 3.1, 3.4). A mode that a step of the plan has set goes back before.
pub(in crate::plan) fn um_stays(
    steps: &mut [Step],
    world: &SimulatedOrganization,
    action: &Action,
    had: &Services,
) {
    let Action::Bind { server: name, certificate, services, .. } = action else { return };
    let encrypts = |service: &Service| match service {
        Service::Um => encrypted_before(steps, world, name, false),
        Service::UmCallRouter => encrypted_before(steps, world, name, true),
        Service::Iis | Service::Smtp | Service::Pop | Service::Imap | Service::Federation => false,
    };
    if services.iter().any(|service| !had.contains(service) && encrypts(service)) {
        let why = NoWayBack::StillInUse { by: vec![Use::UnifiedMessaging.into()] };
        stays(steps, world, (name, world.thumbprint(*certificate)), &why);
    }
}

/// Whether Unified Messaging, or its call router, started with encryption before the plan.
fn encrypted_before(
    steps: &[Step],
    world: &SimulatedOrganization,
    name: &ServerName,
    call_router: bool,
) -> bool {
    let sets = |action: &Action| matches!(action, Action::SetUmStartupMode { server, call_router: own, .. } if server == name && *own == call_router);
    let back = steps.iter().filter(|step| sets(&step.action)).find_map(|step| {
        step.undo.actions().iter().find_map(|action| match action {
            Action::SetUmStartupMode { mode, .. } => Some(*mode),
            _ => None,
        })
    });
    let mode = back.or_else(|| um_startup_mode(&world.organization, name, call_router));
    mode.is_some_and(|mode| mode != UmStartupMode::Tcp)
}

/// Has the steps that brought a certificate to a server say that they cannot take it away again.
fn stays(
    steps: &mut [Step],
    world: &SimulatedOrganization,
    (name, thumbprint): (&ServerName, Thumbprint),
    why: &NoWayBack,
) {
    let takes_it_off = |action: &Action| {
        matches!(action, Action::Remove { server, certificate, .. }
            if server == name && world.thumbprint(*certificate) == thumbprint)
    };
    for step in steps.iter_mut().filter(|step| step.undo.actions().iter().any(takes_it_off)) {
        let rest = step.undo.actions().iter().filter(|action| !takes_it_off(action)).cloned();
        let (by, why): (Vec<Action>, _) = (rest.collect(), why.clone());
        step.undo = if by.is_empty() { Undo::Irreversible { why } } else { Undo::Partly { by, stays: why } };
    }
}
