//! What a server's version does not have.

use super::written::written;
use crate::{
    exchange::capability::lacks,
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{
        desired::Desired,
        version::{Release, ServerVersion},
    },
};

/// A server is asked for something that its version, or its role, does not have. Without a `version` in the manifest the
/// same is found when the server is observed.
pub(super) fn not_in_this_version(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let newest: ServerVersion = Release::ExchangeSe.last_update();
    let mut findings: Vec<Finding> = Vec::new();
    for (name, server) in &desired.servers {
        if server.version.is_none() && !server.edge {
            continue;
        }
        for lack in lacks(desired, server, server.version.unwrap_or(newest), server.edge) {
            let what = format!("{name}: {lack}");
            let why = "The step would fail in the middle of a run, so nothing is planned for the server.";
            let path = written(manifest, name, lack.what.key());
            let finding = Finding::new("", Severity::Error, path, what, why);
            findings.push(finding.hinted(lack.what.advice()));
        }
    }
    findings.extend(send_connectors(manifest, desired));
    findings
}

/// Send connectors are the organization's: nobody can name their certificate when every server is too old for it.
fn send_connectors(manifest: &Manifest, desired: &Desired) -> Option<Finding> {
    let mailbox = || desired.servers.values().filter(|server| !server.edge);
    let too_old = |version: ServerVersion| !version.release().has_tls_certificate_name();
    let all_too_old =
        mailbox().next().is_some() && mailbox().all(|server| server.version.is_some_and(too_old));
    let (connector, _) = manifest.send_connectors.iter().find(|(_, certificate)| certificate.is_some())?;
    if !all_too_old {
        return None;
    }
    let what = format!("{connector}: no server of the manifest has send connectors that name a certificate");
    let why =
        "TlsCertificateName came with Exchange 2013; before, connectors choose a certificate by their Fqdn.";
    let path = DocPath::of(&["sendConnectors"]).key(connector);
    let finding = Finding::new("", Severity::Error, path, what, why);
    Some(finding.hinted("leave it out, and give a certificate of SMTP the name of its Fqdn"))
}
