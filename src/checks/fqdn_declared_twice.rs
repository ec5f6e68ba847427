//! Servers that share a full name.

use std::collections::HashMap;

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{
        desired::Desired,
        names::{DnsName, ServerName},
    },
};

/// Two servers have the same full name.
pub(super) fn fqdn_declared_twice(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let mut first: HashMap<&DnsName, &ServerName> = HashMap::new();
    let mut findings = Vec::new();
    for (name, server) in &manifest.servers {
        let Some(other) = first.insert(&server.fqdn, name) else { continue };
        let path = DocPath::of(&["servers"]).key(name).key("fqdn");
        let what = format!("{other} and {name} have the same full name, {}", server.fqdn);
        let why =
            "One of the two would be asked and checked in place of the other, and get its certificates.";
        let finding = Finding::new("", Severity::Error, path, what, why);
        findings
            .push(finding.hinted("write the name that `Get-ExchangeServer | Format-Table Name, Fqdn` shows"));
    }
    findings
}
