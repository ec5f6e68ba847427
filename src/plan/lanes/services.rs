//! Services: enabling certificates for them, and the names and modes by which they use them.

use super::lane::{Lane, default_smtp, failing_connectors};
use crate::{
    exchange::services::set_by_enable_iis,
    model::{
        action::Action,
        cannot::Cannot,
        desired::{CertificateId, DesiredCertificate},
        fact::Fact,
        names::DnsName,
        reason::Reason,
        server::{BindingStore, MailAccess, Server, StoredCertificate, UmStartupMode},
        service::{MailService, Restartable, Service, Services},
        thumbprint::Thumbprint,
        warning::ServiceWarning,
    },
    plan::{builder::PlanBuilder, decision::Decision},
};

/// Enables the certificate for the services that should use it and do not.
pub(super) fn bind(builder: &mut PlanBuilder, lane: &mut Lane<'_>, decision: &Decision<'_>) {
    let id = &decision.certificate.id;
    let (Some(server), Some(thumbprint), Some(chosen)) =
        (builder.server(lane.name), builder.thumbprint(id), builder.chosen(id))
    else {
        return;
    };
    let arrived = lane.arrived.contains(id);
    let (mut needed, mut why) = (Services::new(), Vec::new());
    let unseen = unseen(lane, server, thumbprint, id);
    for service in lane.own.services.iter().filter(|(_, ids)| ids.contains(id)).map(|(service, _)| *service) {
        let reason = not_bound(lane, server, service, thumbprint, decision.certificate);
        let by_name =
            matches!(service, Service::Pop | Service::Imap) && !decision.certificate.has_wildcard_subject();
        // Of a mode that takes no certificate the plan warns; enabling would be refused.
        if server.starts_in_tcp(service) {
            continue;
        }
        if reason.is_some() || (arrived && by_name) {
            needed.insert(service);
        }
        why.extend(reason);
    }
    let failing = failing_connectors(builder, lane.name, server, thumbprint);
    if !failing.is_empty() && needed.insert(Service::Smtp) {
        why.push(Reason::ChosenBySmtp { server: lane.name.clone(), connectors: failing });
    }
    let stored = server.certificate(thumbprint);
    let in_cng = stored.is_some_and(StoredCertificate::is_rsa_in_cng) && needed.remove(&Service::Iis);
    let has_smtp = stored
        .and_then(|stored| stored.services.known())
        .is_some_and(|services| services.contains(&Service::Smtp));
    for why in unseen {
        builder.cannot(None, why);
    }
    if in_cng {
        builder.cannot(Some(id), Cannot::KeyInCngNotBound { server: lane.name.clone(), thumbprint });
    }
    if needed.is_empty() {
        return;
    }
    lane.restart_for(&needed);
    // Whether a call without SMTP takes SMTP off is open, so each call names it again (facts 3.6).
    if has_smtp {
        needed.insert(Service::Smtp);
    }
    if why.is_empty() {
        why.clone_from(&decision.reasons);
    }
    let default_smtp = default_smtp(lane.own, id);
    lane.restart_for_internal_transport(builder, &needed, default_smtp, thumbprint);
    let action =
        Action::Bind { server: lane.name.clone(), certificate: chosen, services: needed, default_smtp };
    builder.push_smtp(Some(id), action, why, []);
}

/// Enables a certificate that is there for SMTP, where it is wanted and is not: a connector that names it would have none
/// (facts 5.1, step 7).
pub(super) fn bind_smtp(builder: &mut PlanBuilder, lane: &mut Lane<'_>, decision: &Decision<'_>) {
    let id = &decision.certificate.id;
    let wanted = lane.own.services.get(&Service::Smtp).is_some_and(|ids| ids.contains(id));
    let (Some(server), Some(thumbprint), Some(chosen)) =
        (builder.server(lane.name), builder.thumbprint(id), builder.chosen(id))
    else {
        return;
    };
    let Some(reason) = not_bound(lane, server, Service::Smtp, thumbprint, decision.certificate) else {
        return;
    };
    if !wanted {
        return;
    }
    let services = Services::from([Service::Smtp]);
    lane.restart_for(&services);
    let default_smtp = default_smtp(lane.own, id);
    let action = Action::Bind { server: lane.name.clone(), certificate: chosen, services, default_smtp };
    builder.push_smtp(Some(id), action, vec![reason], []);
}

/// Services of which nobody saw what they use. Unknown is never different, and never the same either: it is said.
fn unseen(lane: &Lane<'_>, server: &Server, thumbprint: Thumbprint, id: &CertificateId) -> Vec<Cannot> {
    let own = lane.own.services.iter().filter(|(_, ids)| ids.contains(id)).map(|(service, _)| *service);
    own.filter_map(|service| {
        let why = match service {
            Service::Iis => server.sites.why_unknown(),
            Service::Pop => server.pop.why_unknown(),
            Service::Imap => server.imap.why_unknown(),
            Service::Smtp | Service::Um | Service::UmCallRouter | Service::Federation => {
                server.certificate(thumbprint)?.services.why_unknown()
            }
        }?;
        Some(Cannot::UseUnseen { server: lane.name.clone(), service, thumbprint, why: why.to_owned() })
    })
    .collect()
}

/// Why a service does not use the certificate; none when it does.
fn not_bound(
    lane: &Lane<'_>,
    server: &Server,
    service: Service,
    thumbprint: Thumbprint,
    certificate: &DesiredCertificate,
) -> Option<Reason> {
    let not_bound = |have| Reason::NotBound { server: lane.name.clone(), service, have };
    match service {
        Service::Iis => {
            let bindings = server.sites.known().into_iter().flatten();
            // What has another certificate by an entry of its own is set by itself.
            let mut others = bindings.filter(|(binding, hash)| {
                let same = lane.own.site(binding).is_none_or(|own| *own == certificate.id);
                let central = server.other_stores.get(binding) == Some(&BindingStore::Central);
                let other = **hash != Some(thumbprint) || server.other_stores.contains_key(*binding);
                set_by_enable_iis(binding) && same && !central && other
            });
            others.next().map(|(_, hash)| not_bound(*hash))
        }
        // A wildcard is not enabled for them; the name alone does it (facts 3.4).
        Service::Pop | Service::Imap if certificate.has_wildcard_subject() => None,
        Service::Pop => name_differs(lane, &server.pop, MailService::Pop, certificate),
        Service::Imap => name_differs(lane, &server.imap, MailService::Imap, certificate),
        Service::Smtp => {
            let services = server.certificate(thumbprint)?.services.known()?;
            (!services.contains(&service)).then(|| not_bound(None))
        }
        Service::Um | Service::UmCallRouter | Service::Federation => {
            let services = server.certificate(thumbprint)?.services.known()?;
            (!services.contains(&service)).then(|| not_bound(holder(server, service)))
        }
    }
}

/// The name that POP or IMAP should look for: the one that the manifest says; the present one when the certificate has it and no
/// other one of the server does; else the certificate's first, best one that it alone has. Of several that have the name the
/// service takes the newest.
fn wanted_name<'a>(
    lane: &'a Lane<'_>,
    have: Option<&'a DnsName>,
    service: MailService,
    certificate: &'a DesiredCertificate,
) -> Option<&'a DnsName> {
    let alone = |name: &&DnsName| lane.desired.others_with(lane.own, certificate, name).next().is_none();
    let declared = lane.own.x509_certificate_names.get(&service);
    let present = have.filter(|have| certificate.covers(have));
    let names = || certificate.client_names();
    declared
        .or(present.filter(alone))
        .or_else(|| names().find(alone))
        .or(present)
        .or_else(|| certificate.client_name())
}

fn name_differs(
    lane: &Lane<'_>,
    settings: &Fact<Option<MailAccess>>,
    service: MailService,
    certificate: &DesiredCertificate,
) -> Option<Reason> {
    let have = settings.known()?.as_ref()?.x509_certificate_name.as_ref();
    let want = wanted_name(lane, have, service, certificate)?;
    (have != Some(want)).then(|| Reason::X509CertificateNameDiffers {
        server: lane.name.clone(),
        service,
        have: have.cloned(),
        want: want.clone(),
    })
}

/// The certificate that Unified Messaging uses now.
fn holder(server: &Server, service: Service) -> Option<Thumbprint> {
    let store = server.certificates.known()?;
    let has = |services: &Services| services.contains(&service);
    let holder = store.0.values().find(|stored| stored.services.known().is_some_and(has))?;
    Some(holder.certificate.thumbprint)
}

/// Sets the name that POP or IMAP finds its certificate by, where enabling the certificate has not set it.
pub(super) fn set_names(builder: &mut PlanBuilder, lane: &mut Lane<'_>) {
    for service in [MailService::Pop, MailService::Imap] {
        set_name(builder, lane, service, |_, _| true);
    }
}

/// Has POP and IMAP look for a name that only their certificate has, before a newer certificate comes that has the present one
/// too: it would take them.
pub(super) fn leave_shared_names(builder: &mut PlanBuilder, lane: &mut Lane<'_>) {
    let (desired, own) = (lane.desired, lane.own);
    for service in [MailService::Pop, MailService::Imap] {
        set_name(builder, lane, service, |certificate, have| {
            have.is_some_and(|have| {
                certificate.covers(have) && desired.others_with(own, certificate, have).next().is_some()
            })
        });
    }
}

fn set_name(
    builder: &mut PlanBuilder,
    lane: &mut Lane<'_>,
    mail_service: MailService,
    wanted: impl Fn(&DesiredCertificate, Option<&DnsName>) -> bool,
) {
    let service = mail_service.service();
    let Some(id) = lane.own.service(service) else { return };
    let Some(certificate) = lane.desired.certificates.get(id) else { return };
    if builder.on_server(lane.name, id).is_none() {
        return;
    }
    let Some(server) = builder.server(lane.name) else { return };
    let settings = if service == Service::Pop { &server.pop } else { &server.imap };
    let Some(reason) = name_differs(lane, settings, mail_service, certificate) else { return };
    let have = settings.known().and_then(|settings| settings.as_ref()?.x509_certificate_name.clone());
    if !wanted(certificate, have.as_ref()) {
        return;
    }
    let name = wanted_name(lane, have.as_ref(), mail_service, certificate).cloned();
    lane.restart.extend(service.restartable());
    let action = Action::SetX509CertificateName { server: lane.name.clone(), service: mail_service, name };
    builder.push(Some(id), action, vec![reason], []);
}

pub(super) fn set_internal_transport(builder: &mut PlanBuilder, lane: &mut Lane<'_>, id: &CertificateId) {
    if lane.own.internal_transport.as_ref() != Some(id) {
        return;
    }
    let (Some(thumbprint), Some(chosen)) = (builder.thumbprint(id), builder.chosen(id)) else { return };
    let Some(Fact::Known(have)) = builder.server(lane.name).map(|server| &server.internal_transport) else {
        return;
    };
    let have = *have;
    if have == Some(thumbprint) {
        return;
    }
    let why = vec![Reason::InternalTransportDiffers { server: lane.name.clone(), have }];
    lane.restart.extend([Restartable::Transport, Restartable::MailboxTransport]);
    let action = Action::SetInternalTransport { server: lane.name.clone(), certificate: chosen };
    builder.push(Some(id), action, why, []);
}

/// Unified Messaging uses its certificate only in the modes TLS and Dual.
pub(super) fn set_um_startup_mode(builder: &mut PlanBuilder, lane: &mut Lane<'_>) {
    let Some(um) = builder.server(lane.name).and_then(|server| server.um.known()?.clone()) else { return };
    for (service, call_router, have) in
        [(Service::Um, false, um.service), (Service::UmCallRouter, true, um.call_router)]
    {
        let (Some(have), true) = (have, lane.own.services.contains_key(&service)) else { continue };
        match lane.own.um_startup_mode {
            Some(mode) if mode != have => {
                lane.restart.extend(service.restartable());
                let why = vec![Reason::UmStartupModeDiffers {
                    server: lane.name.clone(),
                    service,
                    have,
                    want: mode,
                }];
                let action = Action::SetUmStartupMode { server: lane.name.clone(), call_router, mode };
                builder.push(lane.own.service(service), action, why, []);
            }
            None if have == UmStartupMode::Tcp => {
                builder.warn(ServiceWarning::UmWithoutTls { server: lane.name.clone(), service });
            }
            Some(_) | None => {}
        }
    }
}
