//! Certificates that only a load balancer would have.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::Desired,
};

/// A load balancer should have a certificate that no server uses.
pub(super) fn load_balancer_without_server(_: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let lonely = desired
        .balancers
        .iter()
        .filter(|(_, balancer)| desired.certificates[&balancer.certificate].servers.is_empty());
    lonely
        .map(|(name, balancer)| {
            let path = DocPath::of(&["loadBalancers"]).key(name).key("certificate");
            let what = format!("load balancer `{name}` should have `{}`, which no server uses", balancer.certificate);
            let why = "With Extended Protection, clients can sign in only if the load balancer presents the certificate of the \
                       servers behind it.";
            Finding::new("", Severity::Error, path, what, why).hinted("name the certificate under `services: { IIS: … }` too")
        })
        .collect()
}
