//! SMTP certificates that Exchange will choose by itself.

use super::written::written;
use crate::{
    manifest::{
        Manifest,
        finding::{Finding, Severity},
    },
    model::{desired::Desired, service::Service},
};

/// Several certificates are enabled for SMTP and no receive connector says which of them it presents.
pub(super) fn smtp_without_connector_names(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for (name, server) in &desired.servers {
        let several = server.services.get(&Service::Smtp).is_some_and(|ids| ids.len() > 1);
        if !several || !server.receive_connectors.is_empty() {
            continue;
        }
        let what = format!("several certificates serve SMTP on {name} and no receive connector names one");
        let why =
            "Exchange then chooses by the connector's FQDN, a CA's certificate before a self-signed one.";
        let finding =
            Finding::new("", Severity::Notice, written(manifest, name, "services").key("SMTP"), what, why);
        findings.push(finding.hinted("name the certificate under `receiveConnectors`"));
    }
    findings.dedup_by(|a, b| a.path == b.path);
    findings
}
