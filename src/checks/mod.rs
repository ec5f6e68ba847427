//! What can be said about a manifest without looking at any server. Each check is one function; the list below is the
//! documentation, and a check's id is its function's name with hyphens.

mod auth;
mod resolve;
mod written;

mod address_not_requested;
mod auth_effective_too_soon;
mod back_end_without_server_name;
mod builtin_certificate_declared;
mod ca_lifetime_shorter_than_renewal;
mod certificate_unused;
mod common_name_too_long;
mod driver_names_unknown_server;
mod edge_server_without_ssh;
mod edge_shares_internal_transport;
mod hybrid_not_of_public_ca;
mod iis_declared_twice;
mod key_size_unknown;
mod load_balancer_key_stays;
mod load_balancer_named_like_server;
mod load_balancer_without_server;
mod names_missing;
mod not_in_this_version;
mod public_ca_refuses_name;
mod remoting_cannot_authenticate;
mod self_signed_for_clients;
mod shared_key_not_exportable;
mod smtp_without_connector_names;
mod tls_name_too_long_for_edge;
mod wildcard_on_pop_or_imap;
mod x509_name_not_in_certificate;

use self::resolve::resolve;
use crate::{
    manifest::{
        Manifest,
        finding::{Finding, Severity},
    },
    model::desired::{Desired, Resolved},
};

/// One check: its id, and the function that makes its findings.
pub struct ManifestCheck {
    /// The stable name, such as `wildcard-on-pop-or-imap`.
    pub id: &'static str,
    /// Finds what is wrong. `Desired` is there only when everything in the manifest could be resolved.
    pub run: fn(&Manifest, Option<&Desired>) -> Vec<Finding>,
}

/// A list of checks from the names of their functions.
macro_rules! checks {
    ($($name:ident),* $(,)?) => {
        &[$(ManifestCheck { id: stringify!($name), run: $name::$name }),*]
    };
}

/// Every check, in the order in which their findings are shown.
pub static CHECKS: &[ManifestCheck] = checks![
    names_missing,
    key_size_unknown,
    iis_declared_twice,
    not_in_this_version,
    wildcard_on_pop_or_imap,
    x509_name_not_in_certificate,
    public_ca_refuses_name,
    address_not_requested,
    common_name_too_long,
    self_signed_for_clients,
    shared_key_not_exportable,
    ca_lifetime_shorter_than_renewal,
    back_end_without_server_name,
    smtp_without_connector_names,
    auth_effective_too_soon,
    builtin_certificate_declared,
    hybrid_not_of_public_ca,
    edge_shares_internal_transport,
    tls_name_too_long_for_edge,
    driver_names_unknown_server,
    edge_server_without_ssh,
    remoting_cannot_authenticate,
    load_balancer_named_like_server,
    load_balancer_without_server,
    load_balancer_key_stays,
    certificate_unused,
];

/// What is wrong with a manifest, and what it asks for when nothing is. Warnings do not stand in the way.
pub fn check(manifest: &Manifest) -> (Vec<Finding>, Option<Resolved>) {
    let (mut findings, desired) = match resolve(manifest) {
        Ok(desired) => (Vec::new(), Some(desired)),
        Err(findings) => (findings, None),
    };
    for ManifestCheck { id, run } in CHECKS {
        let found = (run)(manifest, desired.as_ref());
        findings.extend(found.into_iter().map(|finding| Finding { id: id.replace('_', "-"), ..finding }));
    }
    let in_the_way = findings.iter().any(|finding| finding.severity == Severity::Error);
    (findings, desired.filter(|_| !in_the_way).map(Resolved::new))
}
