//! Names that no Windows server has.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{desired::Desired, names::ServerName},
};

/// A server's short name has more than 15 characters.
pub(super) fn server_name_too_long(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let long = manifest.servers.keys().filter(|name| name.as_str().len() > ServerName::LONGEST_NETBIOS);
    long.map(|name| {
        let path = DocPath::of(&["servers"]).key(name);
        let most = ServerName::LONGEST_NETBIOS;
        let what =
            format!("the server name {name} has {} characters; Windows takes {most}", name.as_str().len());
        let why = "Windows cuts longer names to make the NetBIOS name, and Exchange uses that name.";
        Finding::new("", Severity::Warning, path, what, why)
            .hinted("write it as `Get-ExchangeServer` shows it")
    })
    .collect()
}
