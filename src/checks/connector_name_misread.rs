//! Receive connectors that are named in a form that is none.

use crate::{
    manifest::{
        Manifest, Template,
        finding::{DocPath, Finding, Severity},
        suggestion::nearest,
    },
    model::{connector::TransportRole, desired::Desired},
};

/// A key of `receiveConnectors` has its server in front, or a role or a port that there is not.
pub(super) fn connector_name_misread(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let of_profiles = manifest
        .profiles
        .iter()
        .map(|(name, uses)| (DocPath::of(&["profiles", name]), &uses.receive_connectors));
    let of_servers = manifest
        .servers
        .iter()
        .map(|(name, spec)| (DocPath::of(&["servers"]).key(name), &spec.receive_connectors));
    let mut findings = Vec::new();
    for (path, connectors) in of_profiles.chain(of_servers) {
        for connector in connectors.keys() {
            let Some((what, hint)) = misread(connector) else { continue };
            let why = "No connector has such a name, and the one that is meant keeps the certificate that it names.";
            let path = path.key("receiveConnectors").key(connector);
            findings.push(Finding::new("", Severity::Error, path, what, why).hinted(hint));
        }
    }
    findings
}

fn misread(connector: &Template) -> Option<(String, String)> {
    let text = connector.to_string();
    if let Some((server, name)) = text.split_once('\\') {
        return Some((
            format!("`{text}` has the server in front"),
            format!(
                "write `{name}`; it stands under its server, or in a profile, and `{server}` is not needed"
            ),
        ));
    }
    let (role, port) = text.rsplit_once(':')?;
    let roles = TransportRole::ALL.map(TransportRole::name);
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let meant = nearest(role, &roles).filter(|_| is_port)?;
    if roles.contains(&role) && port.parse::<u16>().is_ok_and(|port| port > 0) {
        return None;
    }
    let what = if roles.contains(&role) {
        format!("`{text}` has a port that does not exist")
    } else {
        format!("`{role}` in `{text}` is not a TransportRole")
    };
    Some((what, format!("write `{meant}:PORT`, with a port from 1 to 65535, or the connector's name")))
}
