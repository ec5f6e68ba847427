//! What a server's version does not have.

use super::written::written;
use crate::{
    exchange::capability::lacks,
    model::{
        desired::Desired,
        finding::{Finding, Severity},
        manifest::Manifest,
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
            let why = "The step would fail in the middle of a run, and so nothing is planned for the server.";
            let path = written(manifest, name, lack.what.key());
            let finding = Finding::new("", Severity::Error, path, what, why);
            findings.push(finding.hinted(lack.what.advice()));
        }
    }
    findings
}
