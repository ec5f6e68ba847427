//! Two certificates for one receive connector.

use crate::{
    exchange::setup::role_of,
    manifest::{
        Manifest, Template, Variables,
        finding::{DocPath, Finding, Severity},
    },
    model::{
        connector::TransportRole,
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
            let written: Vec<Written<'_>> =
                connectors.keys().map(|template| Written::of(template, variables)).collect();
            for (index, one) in written.iter().enumerate() {
                let same = written.iter().skip(index + 1).filter(|other| one.is(other));
                findings.extend(same.map(|other| twice(name, (one, other), path.key(other.template))));
            }
        }
    }
    findings.dedup_by(|a, b| a.path == b.path);
    findings
}

/// A key of `receiveConnectors` on a server, with the role and port that it means where that is known.
struct Written<'a> {
    template: &'a Template,
    text: String,
    role: Option<(TransportRole, u16)>,
}

impl<'a> Written<'a> {
    fn of(template: &'a Template, variables: Variables<'_>) -> Self {
        let text = template.on(variables);
        let selector = text.parse::<ConnectorSelector>().ok();
        let role = selector.and_then(|selector| role_of(&selector, variables.name));
        Self { template, text, role }
    }

    fn is(&self, other: &Self) -> bool {
        self.text.eq_ignore_ascii_case(&other.text) || self.role.is_some() && self.role == other.role
    }
}

fn twice(server: &ServerName, (one, other): (&Written<'_>, &Written<'_>), path: DocPath) -> Finding {
    let (one, other) = (&one.text, &other.text);
    let what = format!("`{one}` and `{other}` are the same receive connector of {server}");
    let why = "A connector has one TlsCertificateName, so one of the two lines would silently mean nothing.";
    Finding::new("", Severity::Error, path, what, why).hinted("keep one of the two")
}
