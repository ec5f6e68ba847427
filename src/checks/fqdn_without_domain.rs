//! Full names that are short.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::Desired,
};

/// The full name of a server has no domain, or is an address.
pub(super) fn fqdn_without_domain(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let short = manifest.servers.iter().filter(|(_, server)| {
        let fqdn = &server.fqdn;
        fqdn.is_single_label() || fqdn.is_wildcard() || fqdn.is_address()
    });
    short
        .map(|(name, server)| {
            let path = DocPath::of(&["servers"]).key(name).key("fqdn");
            let what = format!("`{}` is not the full name of a server", server.fqdn);
            let why = "Other servers resolve this name and compare it with certificates.";
            // A server that is reached by its address works, though nobody else knows it by that.
            let severity = if server.fqdn.is_address() { Severity::Warning } else { Severity::Error };
            Finding::new("", severity, path, what, why).hinted(format!(
                "write the name with its domain, such as `{}.contoso.com`",
                name.as_str().to_lowercase()
            ))
        })
        .collect()
}
