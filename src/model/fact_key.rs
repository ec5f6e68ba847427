//! What an observed fact is about. A fact is found by its key and never by its text; the text is how files write it.

use std::{convert::Infallible, fmt, str::FromStr};

use super::{
    names::{BalancerName, ConnectorName, OverrideName, ServerName},
    service::MailService,
    site::SiteBinding,
    thumbprint::Thumbprint,
};

/// What a fact of a plan's basis is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactKey {
    /// The Auth configuration of the organization.
    AuthConfiguration,
    /// A part of a server.
    Server(ServerName, ServerPart),
    /// An Edge subscription.
    EdgeSubscription(ServerName),
    /// The Edge subscriptions, when they could not be read.
    EdgeSubscriptions,
    /// The federation trust.
    FederationTrust,
    /// The hybrid configuration.
    HybridConfiguration,
    /// A load balancer.
    LoadBalancer(BalancerName),
    /// A send connector.
    SendConnector(ConnectorName),
    /// The send connectors, when they could not be read.
    SendConnectors,
    /// A setting override that names a certificate.
    SettingOverride(OverrideName),
    /// The setting overrides, when they could not be read.
    SettingOverrides,
    /// Something that this version does not know: a file of another release names it.
    Other(String),
}

/// A part of a server that a plan relies on. The plural ones stand for what could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerPart {
    /// The server itself, when it was not observed.
    Whole,
    /// Its IIS bindings.
    IisBindings,
    /// The certificate name of its POP or IMAP service.
    MailAccessName(MailService),
    /// The start-up modes of Unified Messaging.
    UnifiedMessaging,
    /// A certificate in its store.
    Certificate(Thumbprint),
    /// Its store.
    Certificates,
    /// What its directory holds of another server.
    KnownPeer(ServerName),
    /// Its internal transport certificate.
    InternalTransport,
    /// What its directory holds of other servers.
    KnownPeers,
    /// What a program beside Exchange uses.
    OtherProgram(String),
    /// A receive connector.
    ReceiveConnector(ConnectorName),
    /// Its receive connectors.
    ReceiveConnectors,
    /// A certificate request, by the thumbprint of its stand-in.
    Request(Thumbprint),
    /// Its certificate requests.
    Requests,
    /// An IIS binding.
    Site(SiteBinding),
    /// The version of Exchange.
    Version,
}

text_type!(FactKey, "What a fact is about, such as `EX01 certificate THUMBPRINT`.", None);

impl fmt::Display for FactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AuthConfiguration => f.write_str("Auth configuration"),
            Self::Server(server, ServerPart::Whole) => write!(f, "{server}"),
            Self::Server(server, ServerPart::KnownPeer(peer)) => {
                write!(f, "{peer} in the directory of {server}")
            }
            Self::Server(server, part) => write!(f, "{server} {part}"),
            Self::EdgeSubscription(edge) => write!(f, "Edge subscription {edge}"),
            Self::EdgeSubscriptions => f.write_str("Edge subscriptions"),
            Self::FederationTrust => f.write_str("federation trust"),
            Self::HybridConfiguration => f.write_str("hybrid configuration"),
            Self::LoadBalancer(balancer) => write!(f, "load balancer {balancer}"),
            Self::SendConnector(connector) => write!(f, "send connector {connector}"),
            Self::SendConnectors => f.write_str("send connectors"),
            Self::SettingOverride(name) => write!(f, "setting override {name}"),
            Self::SettingOverrides => f.write_str("setting overrides"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for ServerPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("server"),
            Self::IisBindings => f.write_str("IIS bindings"),
            Self::MailAccessName(service) => write!(f, "{service} name"),
            Self::UnifiedMessaging => f.write_str("UM"),
            Self::Certificate(thumbprint) => write!(f, "certificate {thumbprint}"),
            Self::Certificates => f.write_str("certificates"),
            Self::KnownPeer(peer) => write!(f, "directory entry of {peer}"),
            Self::InternalTransport => f.write_str("internal transport certificate"),
            Self::KnownPeers => f.write_str("peers"),
            Self::OtherProgram(program) => write!(f, "program {program}"),
            Self::ReceiveConnector(connector) => write!(f, "receive connector {connector}"),
            Self::ReceiveConnectors => f.write_str("receive connectors"),
            Self::Request(thumbprint) => write!(f, "request {thumbprint}"),
            Self::Requests => f.write_str("requests"),
            Self::Site(binding) => write!(f, "site {binding}"),
            Self::Version => f.write_str("version"),
        }
    }
}

impl FromStr for FactKey {
    type Err = Infallible;

    /// Every text is a key; one that this version does not know is [`FactKey::Other`].
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let of_organization = || of_organization(text);
        let known = of_organization().or_else(|| of_peer(text)).or_else(|| of_server(text));
        Ok(known.unwrap_or_else(|| Self::Other(text.to_owned())))
    }
}

fn of_organization(text: &str) -> Option<FactKey> {
    let named = |prefix: &str| text.strip_prefix(prefix);
    match text {
        "Auth configuration" => return Some(FactKey::AuthConfiguration),
        "Edge subscriptions" => return Some(FactKey::EdgeSubscriptions),
        "federation trust" => return Some(FactKey::FederationTrust),
        "hybrid configuration" => return Some(FactKey::HybridConfiguration),
        "send connectors" => return Some(FactKey::SendConnectors),
        "setting overrides" => return Some(FactKey::SettingOverrides),
        _ => {}
    }
    if let Some(edge) = named("Edge subscription ") {
        edge.parse().ok().map(FactKey::EdgeSubscription)
    } else if let Some(balancer) = named("load balancer ") {
        balancer.parse().ok().map(FactKey::LoadBalancer)
    } else if let Some(connector) = named("send connector ") {
        connector.parse().ok().map(FactKey::SendConnector)
    } else {
        named("setting override ")?.parse().ok().map(FactKey::SettingOverride)
    }
}

fn of_peer(text: &str) -> Option<FactKey> {
    let (peer, server) = text.split_once(" in the directory of ")?;
    Some(FactKey::Server(server.parse().ok()?, ServerPart::KnownPeer(peer.parse().ok()?)))
}

fn of_server(text: &str) -> Option<FactKey> {
    let Some((server, part)) = text.split_once(' ') else {
        return Some(FactKey::Server(text.parse().ok()?, ServerPart::Whole));
    };
    let part = match part {
        "IIS bindings" => ServerPart::IisBindings,
        "POP name" => ServerPart::MailAccessName(MailService::Pop),
        "IMAP name" => ServerPart::MailAccessName(MailService::Imap),
        "UM" => ServerPart::UnifiedMessaging,
        "certificates" => ServerPart::Certificates,
        "internal transport certificate" => ServerPart::InternalTransport,
        "peers" => ServerPart::KnownPeers,
        "receive connectors" => ServerPart::ReceiveConnectors,
        "requests" => ServerPart::Requests,
        "version" => ServerPart::Version,
        _ => {
            if let Some(program) = part.strip_prefix("program ") {
                ServerPart::OtherProgram(program.to_owned())
            } else if let Some(thumbprint) = part.strip_prefix("certificate ") {
                ServerPart::Certificate(thumbprint.parse().ok()?)
            } else if let Some(connector) = part.strip_prefix("receive connector ") {
                ServerPart::ReceiveConnector(connector.parse().ok()?)
            } else if let Some(thumbprint) = part.strip_prefix("request ") {
                ServerPart::Request(thumbprint.parse().ok()?)
            } else {
                ServerPart::Site(part.strip_prefix("site ")?.parse().ok()?)
            }
        }
    };
    Some(FactKey::Server(server.parse().ok()?, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for text in [
            "Auth configuration",
            "EX01",
            "EX01 IIS bindings",
            "EX01 IMAP name",
            "EX01 POP name",
            "EX01 UM",
            "EX01 certificate DF3C24F9BFD666761B268073FE06D1CC8D4F82A4",
            "EX01 certificates",
            "EDGE01 in the directory of EX01",
            "EX01 internal transport certificate",
            "EX01 peers",
            "EX01 receive connector Default Frontend EX01",
            "EX01 receive connectors",
            "EX01 request DF3C24F9BFD666761B268073FE06D1CC8D4F82A4",
            "EX01 requests",
            "EX01 site Default Web Site:443",
            "EX01 version",
            "Edge subscription EDGE01",
            "Edge subscriptions",
            "federation trust",
            "hybrid configuration",
            "load balancer lb1",
            "send connector Internet",
            "send connectors",
            "setting override IM",
            "setting overrides",
        ] {
            let key: FactKey = text.parse().unwrap_or_else(|never| match never {});
            assert!(!matches!(key, FactKey::Other(_)), "{text}");
            assert_eq!(key.to_string(), text);
        }
        let unknown: FactKey = "phase of the moon".parse().unwrap_or_else(|never| match never {});
        assert_eq!(unknown, FactKey::Other("phase of the moon".into()));
    }
}
