//! Edge servers that cannot be asked from elsewhere.

use std::net::IpAddr;

use super::written::written;
use crate::{
    manifest::{
        DriverSpec, Manifest, Way,
        finding::{Finding, Severity},
    },
    model::{
        desired::Desired,
        names::{DnsName, ServerName},
    },
};

/// An Edge Transport server is to be reached by what cannot run its cmdlets. The PowerShell of this computer can where that one
/// server is alone: certwright may well run on it.
pub(super) fn edge_server_without_ssh(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let DriverSpec::PowerShell(spec) = &manifest.driver else { return Vec::new() };
    let is_alone = manifest.servers.len() < 2;
    let asked_here = manifest.servers.iter().filter(|(name, server)| {
        let goes_there = match spec.way_to(name) {
            // Without a host, `ssh` goes to the server itself. A host that is said for this server is another name of it.
            Way::Ssh(ssh) => {
                let own = spec.servers.get(*name).is_some_and(|own| own.ssh.is_some());
                own || ssh.host.as_deref().is_none_or(|host| is_alone && may_be(host, name, &server.fqdn))
            }
            Way::Here => is_alone,
            // Edge servers have no IIS, and so no /PowerShell/.
            Way::Remoting(_) => false,
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

/// Whether a host that is said for all servers may be this one: by one of its names, or by an address.
fn may_be(host: &str, name: &ServerName, fqdn: &DnsName) -> bool {
    let is = |own: &str| host.eq_ignore_ascii_case(own);
    is(name.as_str()) || is(fqdn.as_str()) || host.parse::<IpAddr>().is_ok()
}
