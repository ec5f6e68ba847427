//! What a manifest names and the organization does not have, or has otherwise. It can be said only of what was seen: what is
//! unknown contradicts nothing.

use indexmap::IndexMap;

use crate::{
    manifest::{
        Manifest, Template, Variables,
        finding::{DocPath, Finding, Severity},
        suggestion::suggestion,
    },
    model::{
        desired::{ConnectorSelector, Desired},
        fact::Fact,
        names::{CertificateName, ConnectorName, DnsName, ServerName},
        organization::Organization,
        server::Server,
        site::SiteBinding,
    },
};

/// Where a manifest contradicts what was observed.
/// `listed` is every server there is, where that is known.
pub fn contradictions(
    manifest: &Manifest,
    desired: &Desired,
    organization: &Organization,
    listed: Option<&[ServerName]>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, own) in &desired.servers {
        // An Edge server is listed only where it is subscribed.
        if let Some(listed) = listed.filter(|listed| !listed.contains(name) && !own.edge) {
            // One that the manifest names already is not meant.
            let free = listed.iter().filter(|listed| !manifest.servers.contains_key(*listed));
            let free: Vec<&str> = free.map(ServerName::as_str).collect();
            let known: Vec<&str> = listed.iter().map(ServerName::as_str).collect();
            findings.push(no_server(name, if free.is_empty() { &known } else { &free }));
            continue;
        }
        let Some(server) = organization.servers.get(name) else { continue };
        findings.extend(other_fqdn(name, &own.fqdn, server));
        let connectors = own.receive_connectors.keys();
        findings.extend(connectors.filter_map(|selector| no_connector(manifest, name, selector, server)));
        findings.extend(own.sites.keys().filter_map(|site| no_binding(manifest, name, site, server)));
    }
    if let Fact::Known(connectors) = &organization.send_connectors {
        for name in desired.send_connectors.keys().filter(|name| !connectors.contains_key(*name)) {
            let path = DocPath::of(&["sendConnectors"]).key(name);
            let known: Vec<&str> = connectors.keys().map(ConnectorName::as_str).collect();
            let what = format!("the organization has no send connector `{name}`");
            let why = "It cannot be configured, and the connector that you meant keeps its certificate.";
            findings.push(
                Finding::new("unknown-send-connector", Severity::Error, path, what, why)
                    .hinted(suggestion(name.as_str(), &known)),
            );
        }
    }
    if let Fact::Known(subscriptions) = &organization.edge_subscriptions {
        let known: Vec<&str> = subscriptions.iter().map(|own| own.edge.as_str()).collect();
        let anew = desired.subscribe_anew.keys();
        findings
            .extend(anew.filter(|edge| !known.contains(&edge.as_str())).map(|edge| no_edge(edge, &known)));
    }
    findings.dedup_by(|one, other| one.path == other.path && one.message == other.message);
    findings
}

fn no_server(name: &ServerName, known: &[&str]) -> Finding {
    let path = DocPath::of(&["servers"]).key(name);
    let what = format!("the organization has no server {name}");
    let why = "It cannot be observed or changed, and the server that you meant keeps its certificates.";
    Finding::new("unknown-server", Severity::Error, path, what, why).hinted(suggestion(name.as_str(), known))
}

fn no_edge(edge: &ServerName, known: &[&str]) -> Finding {
    let path = DocPath::of(&["subscribeAnew"]).key(edge);
    let what = format!("the organization has no Edge subscription of {edge}");
    let why = "The plan for the server that you meant would go on waiting.";
    let hint = match known {
        [] => "take the entry out: the organization has no Edge subscription at all".to_owned(),
        known => suggestion(edge.as_str(), known),
    };
    Finding::new("unknown-edge-subscription", Severity::Error, path, what, why).hinted(hint)
}

fn other_fqdn(name: &ServerName, fqdn: &DnsName, server: &Server) -> Option<Finding> {
    let seen = server.fqdn.known().filter(|seen| *seen != fqdn)?;
    let path = DocPath::of(&["servers"]).key(name).key("fqdn");
    let what = format!("the full name of {name} is {seen} and not {fqdn}");
    let why = "Certificates would have a name that the server does not have, and another server could be checked instead.";
    Some(
        Finding::new("fqdn-differs", Severity::Error, path, what, why)
            .hinted(format!("write `fqdn: {seen}`")),
    )
}

fn no_connector(
    manifest: &Manifest,
    name: &ServerName,
    selector: &ConnectorSelector,
    server: &Server,
) -> Option<Finding> {
    let connectors = server.receive_connectors.known()?;
    if connectors.keys().any(|name| selector.selects(name, connectors)) {
        return None;
    }
    let path = place(manifest, name, "receiveConnectors", &selector.to_string());
    let several: Vec<&str> =
        connectors.iter().filter(|(_, own)| selector.is_of(own)).map(|(name, _)| name.as_str()).collect();
    if !several.is_empty() {
        let what = format!("`{selector}` matches none of the connectors of {name}");
        let why = "A role and a port match the connector that accepts all clients. Each of these accepts some clients only, or listens on one address.";
        return Some(
            Finding::new("unknown-receive-connector", Severity::Error, path, what, why)
                .hinted(format!("write the name of the one that you mean: {}", several.join(", "))),
        );
    }
    let what = format!("{name} has no receive connector `{selector}`");
    let why =
        "Nothing can be set on it, and the connector that was meant keeps the certificate that it names.";
    let known: Vec<&str> = connectors.keys().map(ConnectorName::as_str).collect();
    let hint = suggestion(&selector.to_string(), &known);
    Some(Finding::new("unknown-receive-connector", Severity::Error, path, what, why).hinted(hint))
}

fn no_binding(
    manifest: &Manifest,
    name: &ServerName,
    site: &SiteBinding,
    server: &Server,
) -> Option<Finding> {
    let sites = server.sites.known()?;
    let means =
        |binding: &SiteBinding| site == binding || *site == SiteBinding { address: None, ..binding.clone() };
    if sites.keys().any(means) {
        return None;
    }
    let path = place(manifest, name, "iis", &site.to_string());
    let what = format!("{name} has no https binding `{site}`");
    let why = "Nothing can be bound to it, and the binding that you meant keeps its certificate.";
    let known: Vec<String> = sites.keys().map(ToString::to_string).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Some(
        Finding::new("unknown-binding", Severity::Error, path, what, why)
            .hinted(suggestion(&site.to_string(), &known)),
    )
}

/// Where an entry is written: on the server itself, or in its profile, where variables still stand for the server.
fn place(manifest: &Manifest, server: &ServerName, key: &str, entry: &str) -> DocPath {
    let own = DocPath::of(&["servers"]).key(server);
    let Some(spec) = manifest.servers.get(server) else { return own };
    let variables = Variables { name: server, fqdn: &spec.fqdn };
    let find = |connectors: &IndexMap<Template, Option<CertificateName>>,
                sites: &IndexMap<SiteBinding, CertificateName>| {
        if key == "iis" {
            sites.keys().map(ToString::to_string).find(|site| site == entry)
        } else {
            connectors
                .keys()
                .find(|template| template.on(variables).eq_ignore_ascii_case(entry))
                .map(ToString::to_string)
        }
    };
    if let Some(written) = find(&spec.receive_connectors, &spec.iis) {
        return own.key(key).key(written);
    }
    let profile = spec.profile.as_ref().and_then(|name| Some((name, manifest.profiles.get(name)?)));
    let in_profile = profile.and_then(|(name, uses)| {
        let written = find(&uses.receive_connectors, &uses.iis)?;
        Some(DocPath::of(&["profiles", name]).key(key).key(written))
    });
    in_profile.unwrap_or_else(|| own.key(key))
}
