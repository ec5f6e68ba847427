//! Where a manifest says something of a server.

use crate::{
    manifest::{Manifest, finding::DocPath},
    model::names::{CertificateName, ServerName},
};

/// The path of one of a server's keys (`services`, `iis`, ...): on the server itself, or in its profile when the server
/// has none of its own.
pub(super) fn written(manifest: &Manifest, server: &ServerName, key: &str) -> DocPath {
    let own = DocPath::of(&["servers"]).key(server);
    let Some(spec) = manifest.servers.get(server) else { return own };
    let on_server = match key {
        "services" => !spec.services.is_empty(),
        "iis" => !spec.iis.is_empty(),
        "receiveConnectors" => !spec.receive_connectors.is_empty(),
        "x509CertificateName" => !spec.x509_certificate_name.is_empty(),
        "internalTransport" => spec.internal_transport.is_some(),
        "umStartupMode" => spec.um_startup_mode.is_some(),
        _ => true,
    };
    match &spec.profile {
        Some(profile) if !on_server => DocPath::of(&["profiles", profile]).key(key),
        _ => own.key(key),
    }
}

/// Where the subject of a certificate is written; without one of its own it takes its first name.
pub(super) fn subject_path(manifest: &Manifest, certificate: &CertificateName) -> DocPath {
    let path = DocPath::of(&["certificates"]).key(certificate);
    let spec = manifest.certificates.get(certificate);
    path.key(if spec.is_some_and(|spec| spec.subject.is_some()) { "subject" } else { "names" })
}
