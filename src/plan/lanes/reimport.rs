//! Services that a certificate has and should not: Exchange takes none away again (facts 3.1).

use super::lane::{Lane, default_smtp};
use crate::{
    exchange::uses::{Use, uses},
    model::{
        action::{Action, BundleSource, CertRef, StepId},
        desired::{CertificateId, DesiredCertificate},
        policy::ExtraServices,
        protection::Protection,
        reason::Reason,
        server::StoredCertificate,
        service::{Service, Services},
        unseen::{Unseen, UnseenPart},
        warning::ServiceWarning,
    },
    plan::{
        builder::PlanBuilder,
        decision::{Decision, Supply},
        expect, lineage,
    },
};

/// Takes services off a certificate in the only way there is: export it, remove it, and import it again without them. Only
/// when nothing uses it, so that no client notices; otherwise its renewal does it.
pub(super) fn reimport(
    builder: &mut PlanBuilder,
    lane: &Lane<'_>,
    protect: &[Protection],
    decision: &Decision<'_>,
) {
    let certificate = decision.certificate;
    let (ExtraServices::Reimport, Supply::Have { thumbprint, .. }) =
        (certificate.extra_services, &decision.supply)
    else {
        return;
    };
    let Some(stored) = builder.server(lane.name).and_then(|server| server.certificate(*thumbprint)).cloned()
    else {
        return;
    };
    let extra = extra_services(lane, &certificate.id, &stored);
    if extra.is_empty() {
        return;
    }
    if let Some(used_by) = obstacle(builder, lane, protect, &stored) {
        builder.warn(ServiceWarning::ExtraServicesHeld {
            certificate: certificate.id.clone(),
            server: lane.name.clone(),
            services: extra,
            used_by,
        });
        return;
    }
    let why = vec![Reason::ExtraServices { server: lane.name.clone(), services: extra }];
    again(builder, lane, certificate, &stored, &why);
}

/// The services of its own that the manifest does not give it. The others are computed from where it is bound.
fn extra_services(lane: &Lane<'_>, id: &CertificateId, stored: &StoredCertificate) -> Services {
    let wanted = |service: &Service| {
        lane.own.services.get(service).is_some_and(|ids| ids.contains(id))
            || (*service == Service::Smtp && lane.own.internal_transport.as_ref() == Some(id))
    };
    let own = |service: &Service| matches!(service, Service::Smtp | Service::Um | Service::UmCallRouter);
    let services = stored.services.known().into_iter().flatten();
    services.filter(|service| own(service) && !wanted(service)).copied().collect()
}

/// What stands in the way: what uses it, or nothing but that its key cannot be exported.
fn obstacle(
    builder: &PlanBuilder,
    lane: &Lane<'_>,
    protect: &[Protection],
    stored: &StoredCertificate,
) -> Option<Vec<Use>> {
    let thumbprint = stored.certificate.thumbprint;
    let found = uses(&builder.world.organization, lane.name, thumbprint, builder.now);
    if !found.is_empty() {
        return Some(found);
    }
    if let (true, Some(why)) =
        (lineage::may_be_protected(protect, stored), stored.friendly_name.why_unknown())
    {
        return Some(vec![Use::Unknown(Unseen { part: UnseenPart::FriendlyName, why: why.to_owned() })]);
    }
    if stored.exportable.known() != Some(&true) || stored.certificate.not_after < builder.now {
        return Some(Vec::new());
    }
    None
}

fn again(
    builder: &mut PlanBuilder,
    lane: &Lane<'_>,
    certificate: &DesiredCertificate,
    stored: &StoredCertificate,
    why: &[Reason],
) {
    let id = &certificate.id;
    let (server, thumbprint) = (lane.name.clone(), stored.certificate.thumbprint);
    // Nothing is removed before handshakes have proved that it is served nowhere.
    let proof = verify_as_it_is(builder, lane);
    let backup =
        Action::BackUp { server: server.clone(), certificate: CertRef::Known(thumbprint), with_key: true };
    let Some(step) = builder.push(Some(id), backup, why.to_vec(), proof) else { return };
    let removal = Action::remove(&server, CertRef::Known(thumbprint));
    builder.push(Some(id), removal, why.to_vec(), proof);
    let friendly_name = stored.friendly_name.known().and_then(|name| name.parse().ok());
    let smtp = lane.own.services.get(&Service::Smtp).is_some_and(|ids| ids.contains(id));
    let import = Action::Import {
        server,
        certificate: CertRef::Known(thumbprint),
        from: BundleSource::Backup { run: None, step, der: stored.certificate.der.clone() },
        friendly_name: friendly_name.unwrap_or_else(|| certificate.friendly_name.clone()),
        exportable: true,
        enable: if smtp { Services::from([Service::Smtp]) } else { Services::new() },
        default_smtp: default_smtp(lane.own, id),
    };
    builder.push_smtp(Some(id), import, why.to_vec(), []);
}

fn verify_as_it_is(builder: &mut PlanBuilder, lane: &Lane<'_>) -> Option<StepId> {
    let expect = expect::as_it_is(lane.own, builder.server(lane.name)?, builder.now);
    builder.push(None, Action::Verify { server: lane.name.clone(), expect }, vec![Reason::Proof], [])
}
