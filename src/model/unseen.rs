//! What could not be seen.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    binding_point::BindingPoint,
    names::{BalancerName, ServerName},
    schema::JsonSchema,
    thumbprint::Thumbprint,
};

/// Something that would decide a question and could not be seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unseen {
    /// What.
    pub part: UnseenPart,
    /// Why not.
    pub why: String,
}

/// A server of the manifest of which something could not be seen that the manifest says something of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotSeen {
    /// The server.
    pub server: ServerName,
    /// What could not be seen, and why.
    pub unseen: Vec<Unseen>,
}

impl fmt::Display for NotSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_sight(&self.server, &self.unseen))
    }
}

/// What of a server could not be seen, in words.
pub fn without_sight(server: &ServerName, unseen: &[Unseen]) -> String {
    if let Some(Unseen { part: UnseenPart::Server, why }) = unseen.first() {
        return format!("{server} was not seen ({why})");
    }
    let parts: Vec<String> = unseen.iter().map(ToString::to_string).collect();
    format!("{server} was not seen in whole ({})", parts.join(", "))
}

/// What could not be seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum UnseenPart {
    /// The server itself.
    Server,
    /// Another server that has the same certificate.
    OtherServer(ServerName),
    /// Its certificates.
    Store,
    /// What Exchange tells of its certificates beside what stands in them.
    CertificateDetails,
    /// Whether the key of a certificate can be exported.
    Exportable(Thumbprint),
    /// The services of the certificate in question.
    Services,
    /// Its friendly name, by which it may be protected.
    FriendlyName,
    /// Its IIS bindings.
    IisBindings,
    /// Its receive connectors.
    ReceiveConnectors,
    /// Its internal transport certificate.
    InternalTransport,
    /// Its POP settings.
    PopSettings,
    /// Its IMAP settings.
    ImapSettings,
    /// What its endpoints serve.
    Endpoints,
    /// What a place of it presents.
    Place(BindingPoint),
    /// The receive connectors of another server.
    ReceiveConnectorsOf(ServerName),
    /// The accepted domains.
    AcceptedDomains,
    /// The send connectors.
    SendConnectors,
    /// The Auth configuration.
    AuthConfiguration,
    /// The federation trust.
    FederationTrust,
    /// The hybrid configuration.
    HybridConfiguration,
    /// The Edge subscriptions.
    EdgeSubscriptions,
    /// The setting overrides.
    SettingOverrides,
    /// What programs beside Exchange use.
    OtherPrograms,
    /// A load balancer.
    LoadBalancer(BalancerName),
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.why)
    }
}

impl fmt::Display for UnseenPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => f.write_str("the server"),
            Self::OtherServer(server) => write!(f, "{server} cannot be read"),
            Self::Store => f.write_str("the store"),
            Self::CertificateDetails => f.write_str("the details of its certificates"),
            Self::Exportable(thumbprint) => write!(f, "PrivateKeyExportable of certificate {thumbprint}"),
            Self::Services => f.write_str("its services"),
            Self::FriendlyName => f.write_str("its friendly name, by which `protect` may name it"),
            Self::IisBindings => f.write_str("the IIS bindings"),
            Self::ReceiveConnectors => f.write_str("the receive connectors"),
            Self::InternalTransport => f.write_str("the internal transport certificate"),
            Self::PopSettings => f.write_str("the POP settings"),
            Self::ImapSettings => f.write_str("the IMAP settings"),
            Self::Endpoints => f.write_str("what its endpoints serve"),
            Self::Place(place) => place.fmt(f),
            Self::ReceiveConnectorsOf(server) => write!(f, "the receive connectors of {server}"),
            Self::AcceptedDomains => f.write_str("the accepted domains"),
            Self::SendConnectors => f.write_str("the send connectors"),
            Self::AuthConfiguration => f.write_str("the Auth configuration"),
            Self::FederationTrust => f.write_str("the federation trust"),
            Self::HybridConfiguration => f.write_str("the hybrid configuration"),
            Self::EdgeSubscriptions => f.write_str("the Edge subscriptions"),
            Self::SettingOverrides => f.write_str("the setting overrides"),
            Self::OtherPrograms => f.write_str("what other programs use"),
            Self::LoadBalancer(name) => write!(f, "load balancer {name}"),
        }
    }
}
