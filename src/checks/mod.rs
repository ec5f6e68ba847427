//! What can be said about a manifest without looking at any server. Each check is one function; the list below is the
//! documentation, and a check's id is its function's name with hyphens.

mod auth;
mod observed;
mod resolve;
mod written;

mod address_not_requested;
mod auth_effective_too_soon;
mod back_end_without_server_name;
mod backup_without_password;
mod builtin_certificate_declared;
mod ca_lifetime_shorter_than_renewal;
mod certificate_unused;
mod certificates_alike;
mod common_name_not_single;
mod common_name_too_long;
mod connector_certificate_without_smtp;
mod connector_declared_twice;
mod connector_name_misread;
mod copy_from_unknown_server;
mod country_not_iso;
mod driver_names_unknown_server;
mod driver_values;
mod driver_word_cannot_work;
mod driver_word_without_effect;
mod driver_words;
mod edge_server_without_ssh;
mod edge_shares_internal_transport;
mod federation_declared;
mod fqdn_declared_twice;
mod fqdn_without_domain;
mod hybrid_not_of_public_ca;
mod ignore_fits_nothing;
mod iis_declared_twice;
mod iis_host_not_in_certificate;
mod key_size_unknown;
mod listed_twice;
mod load_balancer_key_stays;
mod load_balancer_named_like_server;
mod load_balancer_without_server;
mod mail_access_name_shared;
mod names_missing;
mod not_in_this_version;
mod pattern_says_nothing;
mod pfx_holds_one_certificate;
mod protect_fits_certificate;
mod protected_and_compromised;
mod public_ca_refuses_name;
mod remoting_cannot_authenticate;
mod renew_before_too_short;
mod request_file_not_portable;
mod secret_source_unusable;
mod self_signed_for_clients;
mod server_name_too_long;
mod shared_key_not_exportable;
mod smtp_without_connector_names;
mod span_of_zero;
mod subject_value_too_long;
mod text_empty;
mod tls_name_too_long_for_edge;
mod variable_not_here;
mod wildcard_on_pop_or_imap;
mod x509_name_not_in_certificate;

use std::collections::HashSet;

pub use self::observed::contradictions;
use self::resolve::resolve;
use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
        yaml::Unread,
    },
    model::desired::{Desired, Resolved},
};

/// One check: its id, and the function that makes its findings.
pub struct ManifestCheck {
    /// The stable name, such as `wildcard-on-pop-or-imap`.
    pub id: &'static str,
    /// Finds what is wrong. What could not be resolved is not in `Desired`; there is none when its absence would say something.
    pub run: fn(&Manifest, Option<&Desired>) -> Vec<Finding>,
    /// What it concludes from.
    concludes: Concludes,
}

/// What a check concludes from, and so what it can still say of a manifest that has other mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Concludes {
    /// From what is written there.
    FromPresence,
    /// From the value alone at which it points: what else is wrong with the same entry does not matter.
    AtItsPlace,
    /// From what is not written: it says nothing while a part of the manifest is missing or refers to nothing.
    FromAbsence,
}

/// A list of checks from the names of their functions.
macro_rules! checks {
    ($($name:ident: $concludes:ident),* $(,)?) => {
        &[$(ManifestCheck { id: stringify!($name), run: $name::$name, concludes: Concludes::$concludes }),*]
    };
}

/// Every check, in the order in which their findings are shown.
pub static CHECKS: &[ManifestCheck] = checks![
    fqdn_declared_twice: AtItsPlace,
    fqdn_without_domain: AtItsPlace,
    names_missing: FromPresence,
    key_size_unknown: AtItsPlace,
    iis_declared_twice: FromPresence,
    connector_declared_twice: FromPresence,
    connector_name_misread: FromPresence,
    not_in_this_version: FromPresence,
    wildcard_on_pop_or_imap: FromPresence,
    x509_name_not_in_certificate: FromAbsence,
    iis_host_not_in_certificate: FromAbsence,
    mail_access_name_shared: FromPresence,
    public_ca_refuses_name: AtItsPlace,
    request_file_not_portable: AtItsPlace,
    address_not_requested: AtItsPlace,
    common_name_too_long: AtItsPlace,
    subject_value_too_long: AtItsPlace,
    country_not_iso: AtItsPlace,
    variable_not_here: FromPresence,
    listed_twice: AtItsPlace,
    renew_before_too_short: FromPresence,
    copy_from_unknown_server: FromAbsence,
    common_name_not_single: AtItsPlace,
    certificates_alike: FromPresence,
    connector_certificate_without_smtp: FromAbsence,
    federation_declared: FromPresence,
    protect_fits_certificate: FromPresence,
    self_signed_for_clients: FromPresence,
    shared_key_not_exportable: FromPresence,
    pfx_holds_one_certificate: FromPresence,
    ca_lifetime_shorter_than_renewal: FromPresence,
    back_end_without_server_name: FromPresence,
    smtp_without_connector_names: FromAbsence,
    auth_effective_too_soon: FromPresence,
    builtin_certificate_declared: FromPresence,
    hybrid_not_of_public_ca: FromPresence,
    edge_shares_internal_transport: FromPresence,
    tls_name_too_long_for_edge: FromPresence,
    driver_names_unknown_server: FromPresence,
    driver_word_cannot_work: FromPresence,
    driver_word_without_effect: FromPresence,
    edge_server_without_ssh: FromPresence,
    remoting_cannot_authenticate: FromPresence,
    server_name_too_long: AtItsPlace,
    secret_source_unusable: FromPresence,
    span_of_zero: AtItsPlace,
    pattern_says_nothing: AtItsPlace,
    ignore_fits_nothing: FromAbsence,
    protected_and_compromised: FromPresence,
    text_empty: AtItsPlace,
    backup_without_password: FromAbsence,
    load_balancer_named_like_server: FromPresence,
    load_balancer_without_server: FromAbsence,
    load_balancer_key_stays: FromPresence,
    certificate_unused: FromAbsence,
];

/// What is wrong with a manifest, and what it asks for when nothing is. Warnings do not stand in the way.
pub fn check(manifest: &Manifest) -> (Vec<Finding>, Option<Resolved>) {
    check_rest(manifest, &Unread::default())
}

/// The same of a manifest from which something had to be left out: what would be said only because that is missing is not
/// said, and nothing is resolved.
pub fn check_rest(manifest: &Manifest, left_out: &Unread) -> (Vec<Finding>, Option<Resolved>) {
    let (desired, mut findings) = resolve(manifest, left_out);
    let whole = findings.is_empty() && left_out.is_empty();
    for ManifestCheck { id, run, concludes } in CHECKS {
        if *concludes == Concludes::FromAbsence && !whole {
            continue;
        }
        let found = (run)(manifest, Some(&desired));
        let found = found
            .into_iter()
            .filter(|finding| left_out.is_empty() || !left_out.touches(&basis(*concludes, &finding.path)));
        findings.extend(found.map(|finding| Finding { id: id.replace('_', "-"), ..finding }));
    }
    // What a profile has wrong is so for each of its servers, and told once.
    let mut told = HashSet::new();
    findings
        .retain(|finding| told.insert((finding.id.clone(), finding.path.clone(), finding.message.clone())));
    let in_the_way = !whole || findings.iter().any(|finding| finding.severity == Severity::Error);
    (findings, Some(desired).filter(|_| !in_the_way).map(Resolved::new))
}

/// What must have been read for a finding to be true.
fn basis(concludes: Concludes, path: &DocPath) -> DocPath {
    match concludes {
        Concludes::AtItsPlace => path.clone(),
        Concludes::FromPresence | Concludes::FromAbsence => owner(path),
    }
}

/// The entry of the manifest that a path leads into: one certificate, one server.
fn owner(path: &DocPath) -> DocPath {
    path.segments().iter().take(2).fold(DocPath::root(), |owner, segment| owner.with(segment.clone()))
}
