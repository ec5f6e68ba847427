//! Receive connectors with a certificate that transport may not use.

use std::collections::BTreeSet;

use super::written::written;
use crate::{
    manifest::{
        Manifest,
        finding::{Finding, Severity},
    },
    model::{
        desired::{CertificateId, Desired},
        service::Service,
    },
};

/// A receive connector names a certificate that is not among the server's for SMTP: transport cannot read its key, and the
/// connector offers no STARTTLS (facts 5.1, step 7).
pub(super) fn connector_certificate_without_smtp(
    manifest: &Manifest,
    desired: Option<&Desired>,
) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for (name, server) in &desired.servers {
        let smtp = server.services.get(&Service::Smtp).map(Vec::as_slice).unwrap_or_default();
        let mut told: BTreeSet<&CertificateId> = BTreeSet::new();
        for (connector, id) in &server.receive_connectors {
            let Some(id) = id.as_ref().filter(|id| !smtp.contains(id)) else { continue };
            if !told.insert(id) {
                continue;
            }
            let path = written(manifest, name, "receiveConnectors").key(connector);
            let what = format!("{connector} of {name} is given `{}`, which is not for SMTP there", id.name);
            let why = "Transport may read the key of a certificate only when SMTP is enabled for it; the connector would offer no \
                       STARTTLS.";
            let all: Vec<&str> = smtp
                .iter()
                .chain([id])
                .map(|id| id.name.as_str())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect();
            let list = if all.len() == 1 { all[0].to_owned() } else { format!("[{}]", all.join(", ")) };
            findings.push(
                Finding::new("", Severity::Error, path, what, why)
                    .hinted(format!("add it to the services of the server: `services: {{ SMTP: {list} }}`")),
            );
        }
    }
    findings.dedup_by(|a, b| a.path == b.path);
    findings
}
