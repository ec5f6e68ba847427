//! Self-signed certificates where clients come.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::written::written;
use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{
        desired::{CertificateId, Desired, Origin},
        names::CertificateName,
        service::Service,
        site::SiteBinding,
    },
};

/// A self-signed certificate is declared for IIS, POP, IMAP or a site other than Exchange Back End: clients would have to
/// trust it one by one.
pub(super) fn self_signed_for_clients(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let self_signed = |id: &CertificateId| {
        desired.certificates.get(id).is_some_and(|it| matches!(it.origin, Origin::SelfSigned))
    };
    let mut places: IndexMap<&CertificateName, (DocPath, BTreeSet<String>)> = IndexMap::new();
    for (name, server) in &desired.servers {
        let services = [Service::Iis, Service::Pop, Service::Imap].into_iter().filter_map(|service| {
            let id = server.service(service).filter(|id| self_signed(id))?;
            Some((written(manifest, name, "services").key(service), id, service.to_string()))
        });
        let sites = server.sites.iter().filter_map(|(site, id)| {
            let clients = site.site != SiteBinding::BACK_END && self_signed(id);
            clients.then(|| (written(manifest, name, "iis"), id, site.to_string()))
        });
        for (path, id, place) in services.chain(sites) {
            places.entry(&id.name).or_insert_with(|| (path, BTreeSet::new())).1.insert(place);
        }
    }
    let found = places.into_iter().map(|(name, (path, places))| finding(path, name, places));
    found.collect()
}

fn finding(path: DocPath, name: &CertificateName, places: BTreeSet<String>) -> Finding {
    let places: Vec<String> = places.into_iter().collect();
    let what = format!("`{name}` is self-signed, and clients see it on {}", places.join(", "));
    let why = "Browsers, Outlook and phones trust it only if it was installed on each device.";
    Finding::new("", Severity::Warning, path, what, why)
        .hinted("use a certificate of a CA that the clients trust, and keep the self-signed one for transport between servers")
}
