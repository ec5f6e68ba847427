//! Two certificates in one place.

use super::written::written;
use crate::{
    manifest::{
        Manifest,
        finding::{Finding, Severity},
    },
    model::{desired::Desired, service::Service, site::SiteBinding},
};

/// Two certificates claim the same service or the same binding of a server, which can hold only one.
pub(super) fn iis_declared_twice(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings = Vec::new();
    for (name, server) in &desired.servers {
        let written = |key| written(manifest, name, key);
        for (service, ids) in
            server.services.iter().filter(|(service, ids)| **service != Service::Smtp && ids.len() > 1)
        {
            let what = format!("{} certificates claim {service} on {name}", ids.len());
            let why = "Only SMTP can have several certificates; every other service has one.";
            let finding = Finding::new("", Severity::Error, written("services").key(service), what, why);
            findings.push(finding.hinted("keep one of them"));
        }
        let site = server.sites.iter().find(|(site, _)| **site == SiteBinding::default_web_site());
        if let (Some((site, bound)), Some(enabled)) = (site, server.service(Service::Iis))
            && bound != enabled
        {
            let what = format!("`{enabled}` and `{bound}` both claim the Default Web Site of {name}");
            let why =
                "The service IIS is the Default Web Site on port 443, so both lines mean the same binding.";
            let finding = Finding::new("", Severity::Error, written("iis").key(site), what, why);
            findings.push(finding.hinted("leave out one of the two, or name the same certificate"));
        }
    }
    findings.dedup_by(|a, b| a.path == b.path);
    findings
}
