//! Bindings with a certificate of their own that enabling IIS sets too, although the manifest does not name them (facts 11.1).

use crate::{
    exchange::services::set_by_enable_iis,
    model::{
        desired::Desired, organization::Organization, server::StoredCertificate, service::Service,
        site::SiteBinding, warning::SelectionWarning,
    },
    plan::builder::PlanBuilder,
};

/// Tells of those that have another certificate after the plan. What the binding for all addresses has too, a certificate with
/// a name of the new one, and setup's own are no certificates of their own: IIS Manager often sets one binding alone. `observed` is
/// the organization before the plan.
pub(in crate::plan) fn warn(builder: &mut PlanBuilder, desired: &Desired, observed: &Organization) {
    let mut warnings = Vec::new();
    for (name, own) in &desired.servers {
        let (Some(before), Some(after)) = (observed.servers.get(name), builder.server(name)) else {
            continue;
        };
        let id = own.service(Service::Iis);
        let Some(wanted) = id.and_then(|id| desired.certificates.get(id)) else { continue };
        let (Some(was), Some(will)) = (before.sites.known(), after.sites.known()) else { continue };
        let taken = was.iter().filter(|(place, _)| {
            place.address.is_some() && set_by_enable_iis(place) && own.site(place).is_none()
        });
        for (place, had) in taken {
            let (Some(had), Some(gets)) = (had, will.get(place).copied().flatten()) else { continue };
            let general = was.get(&SiteBinding { address: None, ..place.clone() }).copied().flatten();
            let is_the_same = |stored: &StoredCertificate| {
                stored.certificate.is_self_signed()
                    || wanted.names.iter().any(|name| stored.certificate.covers(name))
            };
            let of_its_own =
                general != Some(*had) && before.certificate(*had).is_some_and(|own| !is_the_same(own));
            if *had != gets && of_its_own && builder.thumbprint(&wanted.id) == Some(gets) {
                warnings.push(SelectionWarning::BindingTakenAlong {
                    server: name.clone(),
                    place: place.clone(),
                    before: *had,
                    certificate: wanted.id.clone(),
                });
            }
        }
    }
    for warning in warnings {
        builder.warn(warning);
    }
}
