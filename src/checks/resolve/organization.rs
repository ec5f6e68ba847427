//! What belongs to no server: send connectors, the hybrid configuration, load balancers. A certificate of their own must be one
//! and the same everywhere.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::Resolver;
use crate::{
    manifest::{
        BalancerSpec, Via,
        finding::{DocPath, Finding, Severity},
    },
    model::{
        desired::{CertificateId, DesiredBalancer},
        names::{BalancerName, ConnectorName, ServerName},
    },
};

impl Resolver<'_> {
    pub(super) fn send_connectors(&mut self) -> IndexMap<ConnectorName, Option<CertificateId>> {
        let mut connectors = IndexMap::new();
        for (connector, name) in &self.manifest.send_connectors {
            let at = DocPath::of(&["sendConnectors"]).key(connector);
            let Some(name) = name else {
                connectors.insert(connector.clone(), None);
                continue;
            };
            if self.is_of_each_server(name) {
                let what = format!(
                    "send connector `{connector}` cannot use `{name}`, which is another one on each server"
                );
                let why = "A send connector belongs to the organization and has one TlsCertificateName for all its source servers.";
                let finding = Finding::new("server-scope-on-send-connector", Severity::Error, at, what, why);
                self.find(finding.hinted("use a certificate of scope `organization`"));
            } else if let Some(id) = self.certificate(name, &|| at.clone(), None) {
                connectors.insert(connector.clone(), Some(id));
            }
        }
        connectors
    }

    pub(super) fn hybrid(&mut self) -> Option<CertificateId> {
        let name = &self.manifest.hybrid.as_ref()?.certificate;
        let at = DocPath::of(&["hybrid"]);
        if self.is_of_each_server(name) {
            let what =
                format!("the hybrid configuration cannot use `{name}`, which is another one on each server");
            let why = "It has one TlsCertificateName for all servers of hybrid mail, and Exchange Online knows one subject.";
            let finding = Finding::new("server-scope-on-hybrid", Severity::Error, at, what, why);
            self.find(finding.hinted("use a certificate of scope `organization`"));
            return None;
        }
        self.certificate(name, &|| at.clone(), None)
    }

    pub(super) fn balancers(&mut self) -> IndexMap<BalancerName, DesiredBalancer> {
        let mut balancers = IndexMap::new();
        for (name, spec) in &self.manifest.load_balancers {
            let at = DocPath::of(&["loadBalancers"]).key(name).key("certificate");
            let wanted = &spec.certificate;
            if self.is_of_each_server(wanted) {
                let what = format!(
                    "load balancer `{name}` cannot have `{wanted}`, which is another one on each server"
                );
                let why = "With Extended Protection, clients can sign in only if the load balancer presents the certificate of the servers behind it.";
                let finding = Finding::new("server-scope-on-load-balancer", Severity::Error, at, what, why);
                self.find(finding.hinted("use a certificate of scope `organization`"));
            } else if let Some(certificate) = self.certificate(wanted, &|| at.clone(), None) {
                let servers = self.servers_behind(name, spec);
                let endpoints = spec.endpoints.clone();
                balancers.insert(name.clone(), DesiredBalancer { certificate, endpoints, servers });
            }
        }
        balancers
    }

    /// The servers of the manifest that a load balancer can be told to send no new clients to.
    fn servers_behind(&mut self, name: &BalancerName, spec: &BalancerSpec) -> BTreeSet<ServerName> {
        let way = match spec.via {
            Via::Haproxy(_) => "haproxy",
            Via::Nginx(_) => "nginx",
            Via::Command(_) => "command",
            Via::Lab(_) => "lab",
        };
        let at = DocPath::of(&["loadBalancers"]).key(name).key(way).key("servers");
        let (manifest, mut known) = (self.manifest, BTreeSet::new());
        for (index, server) in spec.servers().into_iter().enumerate() {
            if manifest.servers.contains_key(server) {
                known.insert(server.clone());
                continue;
            }
            let at = if matches!(spec.via, Via::Lab(_)) { at.index(index) } else { at.key(server) };
            let servers = manifest.servers.keys().map(ServerName::as_str);
            self.unknown("server", server.as_str(), servers, at);
        }
        known
    }
}
