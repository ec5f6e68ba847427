//! The service Federation, for which no certificate is enabled by hand.

use super::written::written;
use crate::{
    manifest::{
        Manifest,
        finding::{Finding, Severity},
    },
    model::{desired::Desired, service::Service},
};

/// A server is to use a certificate for Federation: Exchange enables that by itself, for the certificate of the federation
/// trust (facts 1.7).
pub(super) fn federation_declared(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let servers = desired.servers.iter().filter(|(_, own)| own.services.contains_key(&Service::Federation));
    let mut findings: Vec<Finding> = servers
        .map(|(name, _)| {
            let path = written(manifest, name, "services").key(Service::Federation);
            let what = format!("{name} is to use a certificate for Federation, which is not enabled by hand");
            let why = "Exchange gives this service to the certificate of the federation trust, a self-signed one of its own; \
                       Enable-ExchangeCertificate refuses it.";
            Finding::new("", Severity::Error, path, what, why).hinted(
                "take `Federation` out; the trust gets another certificate by Set-FederationTrust -Thumbprint and -PublishFederationCertificate",
            )
        })
        .collect();
    findings.dedup_by(|a, b| a.path == b.path);
    findings
}
