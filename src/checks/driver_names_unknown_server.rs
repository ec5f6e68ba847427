//! Ways to servers that nobody goes.

use crate::{
    manifest::{
        DriverSpec, Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::Desired,
};

/// The driver says how a server is reached that the manifest does not name.
pub(super) fn driver_names_unknown_server(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let DriverSpec::PowerShell(spec) = &manifest.driver else { return Vec::new() };
    let unknown = spec.servers.keys().filter(|name| !manifest.servers.contains_key(*name));
    unknown
        .map(|name| {
            let path = DocPath::of(&["driver", "powershell", "servers"]).key(name.as_str());
            let message = format!("`driver` configures {name}, and `servers` does not have it");
            let why = "The settings have no effect.";
            Finding::new("", Severity::Error, path, message, why)
                .hinted("write the name as in `servers`, or remove the entry")
        })
        .collect()
}
