//! Servers behind load balancers that stay as they are for now.

use indexmap::IndexMap;

use crate::model::{
    desired::{CertificateId, DesiredBalancer, DesiredServer},
    names::{BalancerName, ServerName},
    organization::Organization,
    service::Service,
    site::SiteBinding,
};

/// With Extended Protection people sign in where the server has the certificate that they saw at the load balancer (facts 11.7).
/// What clients come to on such a server waits with a balancer that waits for a server which the manifest leaves out: that one is
/// ill, and the others are all that there is.
pub(super) fn hold(
    servers: &mut IndexMap<ServerName, DesiredServer>,
    balancers: &IndexMap<BalancerName, DesiredBalancer>,
    organization: &Organization,
    waits: &dyn Fn(&DesiredBalancer) -> bool,
) {
    let waiting: Vec<&DesiredBalancer> = balancers.values().filter(|balancer| waits(balancer)).collect();
    if waiting.is_empty() {
        return;
    }
    let is_protected = |name: &ServerName| {
        let web = organization.servers.get(name).and_then(|server| server.web.known());
        web.is_some_and(|web| web.extended_protection)
    };
    for (name, own) in servers.iter_mut().filter(|(name, _)| is_protected(name)) {
        let stays = |id: &CertificateId| {
            waiting.iter().any(|balancer| balancer.certificate == *id && balancer.may_be_before(name))
        };
        if let Some(ids) = own.services.get_mut(&Service::Iis) {
            ids.retain(|id| !stays(id));
        }
        own.services.retain(|_, ids| !ids.is_empty());
        own.sites.retain(|site, id| site.site == SiteBinding::BACK_END || !stays(id));
    }
}
