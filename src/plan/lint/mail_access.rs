//! The law about POP and IMAP, which look for a name: no plan takes them off the certificate that the manifest gives them.

use std::collections::BTreeMap;

use super::law::Unsafe;
use crate::{
    exchange::{
        binding_points::{BindingPoint, presented},
        selection::Presented,
        simulation::SimulatedOrganization,
    },
    model::{
        desired::{CertificateId, Desired},
        names::ServerName,
        organization::{Observed, Organization},
        plan::Plan,
        service::Service,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    plan::decide,
};

/// The services that had their certificate of the manifest before, and have another one of the manifest when all is done.
pub(super) fn taken_off(
    plan: &Plan,
    desired: &Desired,
    observed: &Observed,
    world: &SimulatedOrganization,
    now: Timestamp,
) -> Vec<Unsafe> {
    let mut found = Vec::new();
    if plan.rolls_back.is_some() {
        return found;
    }
    let mut stood = Standing::of(desired, &observed.organization, now);
    let mut stands = Standing::of(desired, &world.organization, now);
    for (server, own) in &desired.servers {
        for (place, service) in [(BindingPoint::Pop, Service::Pop), (BindingPoint::Imap, Service::Imap)] {
            let Some(id) = own.service(service) else { continue };
            let shown = |organization: &Organization| shown(organization, server, &place, now);
            let (Some(before), Some(after)) = (shown(&observed.organization), shown(&world.organization))
            else {
                continue;
            };
            if before == after || stood.of_certificate(id) != Some(before) {
                continue;
            }
            let mut others = own.uses().filter(|other| *other != id);
            if others.any(|other| stands.of_certificate(other) == Some(after)) {
                let (server, place, now) = (server.clone(), place.to_string(), after.short());
                found.push(Unsafe::TakenOff { server, place, now });
            }
        }
    }
    found
}

/// What stands for the certificates of the manifest. One may be for all servers, and is looked for once.
struct Standing<'a> {
    desired: &'a Desired,
    organization: &'a Organization,
    now: Timestamp,
    found: BTreeMap<&'a CertificateId, Option<Thumbprint>>,
}

impl<'a> Standing<'a> {
    fn of(desired: &'a Desired, organization: &'a Organization, now: Timestamp) -> Self {
        Self { desired, organization, now, found: BTreeMap::new() }
    }

    fn of_certificate(&mut self, id: &'a CertificateId) -> Option<Thumbprint> {
        let Self { desired, organization, now, found } = self;
        *found.entry(id).or_insert_with(|| {
            let declared = desired.certificates.get(id)?;
            decide::choose(declared, desired, (organization, None), *now).standing()
        })
    }
}

fn shown(
    organization: &Organization,
    server: &ServerName,
    place: &BindingPoint,
    now: Timestamp,
) -> Option<Thumbprint> {
    match presented(organization.servers.get(server)?, place, now) {
        Presented::Certificate(thumbprint) => Some(thumbprint),
        Presented::Failing { .. } | Presented::Nothing(_) | Presented::Unknown(_) => None,
    }
}
