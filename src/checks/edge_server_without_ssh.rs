//! Edge servers that cannot be asked from elsewhere.

use super::written::written;
use crate::{
    manifest::{
        DriverSpec, Manifest, Way,
        finding::{Finding, Severity},
    },
    model::desired::Desired,
};

/// An Edge Transport server is to be reached by the PowerShell of this computer, and there are other servers too.
pub(super) fn edge_server_without_ssh(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let DriverSpec::PowerShell(spec) = &manifest.driver else { return Vec::new() };
    // With that one server alone, certwright may well run on it.
    if manifest.servers.len() < 2 {
        return Vec::new();
    }
    let asked_here = manifest.servers.iter().filter(|(name, server)| {
        // Without a host, `ssh` goes to the server itself.
        let goes_there = match spec.way_to(name) {
            Way::Ssh(ssh) => {
                let own = spec.servers.get(*name).is_some_and(|own| own.ssh.is_some());
                ssh.host.is_none() || own
            }
            // Edge servers have no IIS, and so no /PowerShell/.
            Way::Here | Way::Remoting(_) => false,
        };
        server.edge && !goes_there
    });
    asked_here
        .map(|(name, _)| {
            let message = format!(
                "{name} is an Edge Transport server, and nothing says how its own PowerShell is reached"
            );
            let why = "The cmdlets of an Edge server work on that server only.";
            Finding::new("", Severity::Error, written(manifest, name, "edge"), message, why).hinted(format!(
                "say it under `driver`: {{ powershell: {{ servers: {{ {name}: {{ ssh: {{}} }} }} }} }}"
            ))
        })
        .collect()
}
