//! Keys from servers that are none.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
        suggestion::suggestion,
    },
    model::{desired::Desired, names::ServerName},
};

/// `copyFrom` names a server that is not in the manifest.
pub(super) fn copy_from_unknown_server(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let known: Vec<&str> = manifest.servers.keys().map(ServerName::as_str).collect();
    let mut findings = Vec::new();
    for (name, spec) in &manifest.certificates {
        let Some(server) = spec.copy_from.as_ref().filter(|server| !manifest.servers.contains_key(*server))
        else {
            continue;
        };
        let path = DocPath::of(&["certificates"]).key(name).key("copyFrom");
        let what =
            format!("the key of `{name}` is to be copied from {server}, which the manifest does not have");
        let why = "It would be copied from another server, or the certificate would be issued anew.";
        findings.push(
            Finding::new("", Severity::Error, path, what, why).hinted(suggestion(server.as_str(), &known)),
        );
    }
    findings
}
