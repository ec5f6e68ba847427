//! Two certificates for one receive connector.

use crate::{
    exchange::setup::role_of,
    manifest::{
        Manifest, Template, Variables,
        finding::{DocPath, Finding, Severity},
    },
    model::{
        desired::{ConnectorSelector, Desired},
        names::ServerName,
    },
};

/// Two entries of one `receiveConnectors` mean the same connector: by names that differ in case only, or one by the name that
/// setup gives it and the other by its role and port.
pub(super) fn connector_declared_twice(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, spec) in &manifest.servers {
        let variables = Variables { name, fqdn: &spec.fqdn };
        let own = (&spec.receive_connectors, DocPath::of(&["servers"]).key(name));
        let profile = spec.profile.as_ref().and_then(|profile| {
            let uses = manifest.profiles.get(profile)?;
            Some((&uses.receive_connectors, DocPath::of(&["profiles", profile])))
        });
        for (connectors, path) in std::iter::once(own).chain(profile) {
            let path = path.key("receiveConnectors");
            let written: Vec<(String, &Template)> =
                connectors.keys().map(|template| (template.on(variables), template)).collect();
            for (index, (one, _)) in written.iter().enumerate() {
                let same = written.iter().skip(index + 1).filter(|(other, _)| are_one(one, other, name));
                findings.extend(same.map(|(other, template)| twice(name, (one, other), path.key(template))));
            }
        }
    }
    findings.dedup_by(|a, b| a.path == b.path);
    findings
}

fn are_one(one: &str, other: &str, server: &ServerName) -> bool {
    let role = |text: &str| role_of(&text.parse::<ConnectorSelector>().ok()?, server);
    one.eq_ignore_ascii_case(other) || role(one).is_some_and(|of_one| role(other) == Some(of_one))
}

fn twice(server: &ServerName, (one, other): (&str, &str), path: DocPath) -> Finding {
    let what = format!("`{one}` and `{other}` mean one and the same receive connector of {server}");
    let why = "A connector has one TlsCertificateName, so one of the two lines would silently mean nothing.";
    Finding::new("", Severity::Error, path, what, why).hinted("keep one of the two")
}
