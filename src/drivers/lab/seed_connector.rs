//! Receive connectors that administrators made, in `lab.yaml`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{
    connector::{AuthMechanism, ReceiveConnector, TransportRole},
    names::DnsName,
    schema::JsonSchema,
};

/// A receive connector that an administrator created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiveConnectorSeed {
    /// `Bindings`: `0.0.0.0:25`, `192.0.2.10:25`.
    #[schemars(example = ["0.0.0.0:25"])]
    pub bindings: Vec<String>,
    /// `RemoteIPRanges`: the clients that it accepts. If omitted, all clients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = ["10.0.5.0/24"])]
    pub remote_ranges: Vec<String>,
    /// `Fqdn`. If omitted, the server's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<DnsName>,
    /// `TransportRole`. If omitted, `FrontendTransport`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<TransportRole>,
    /// `AuthMechanism`. If omitted, `Tls`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub auth: BTreeSet<AuthMechanism>,
    /// `DomainSecureEnabled`: mail from the domains in `domainSecurity.receive` is accepted by mutual TLS only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub domain_secure: bool,
    /// Whether it is enabled.
    #[serde(default = "yes")]
    pub enabled: bool,
}

impl ReceiveConnectorSeed {
    /// The connector on a server of this name.
    pub(super) fn connector(&self, server: &DnsName) -> ReceiveConnector {
        let Self { bindings, remote_ranges, fqdn, role, auth, domain_secure, enabled } = self;
        let tls = BTreeSet::from([AuthMechanism::Tls]);
        ReceiveConnector {
            role: role.unwrap_or(TransportRole::FrontendTransport),
            bindings: bindings.clone(),
            fqdn: Some(fqdn.as_ref().unwrap_or(server).clone()),
            tls_certificate_name: None,
            auth: if auth.is_empty() { tls } else { auth.clone() },
            tls_domain_capabilities: Vec::new(),
            require_tls: false,
            suppress_anonymous_tls: false,
            remote_ranges: remote_ranges.clone(),
            domain_secure: *domain_secure,
            enabled: *enabled,
        }
    }
}

const fn yes() -> bool {
    true
}
