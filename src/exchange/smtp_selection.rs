//! Questions about the certificates of SMTP on one server, and their answers with every step.

use super::selection::{self, Selection, SelectionStep};
use crate::model::{
    connector::ReceiveConnector,
    desired::ConnectorSelector,
    names::{ConnectorName, DnsName, ServerName},
    organization::Organization,
    server::Server,
    time::Timestamp,
};

/// What was asked about, and what Exchange chooses.
#[derive(Clone, Debug)]
pub struct SmtpAnswer<'a> {
    /// What was asked about.
    pub about: About,
    /// The name that the connector says, when it says one.
    pub fqdn: Option<DnsName>,
    /// The choice.
    pub selection: Selection<'a>,
}

/// What a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// What a client of a receive connector gets.
    Receive(ConnectorName, TlsVerb),
    /// What the server proves itself with through a send connector.
    Send(ConnectorName, TlsVerb),
    /// What is chosen for a name.
    Name(DnsName),
}

/// The SMTP verb that begins TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVerb {
    /// Anybody.
    StartTls,
    /// Exchange servers among themselves.
    AnonymousTls,
}

/// The answers about the connectors of this name: a receive connector's, with or without the server in front, or by its
/// role and port; or a send connector's. None when there is no such connector.
pub fn connector<'a>(
    organization: &'a Organization,
    name: &'a ServerName,
    server: &'a Server,
    wanted: &str,
    now: Timestamp,
) -> Vec<SmtpAnswer<'a>> {
    let wanted = match wanted.split_once('\\') {
        Some((on, rest)) if on.eq_ignore_ascii_case(name.as_str()) => rest,
        _ => wanted,
    };
    let Ok(selector) = wanted.parse::<ConnectorSelector>() else { return Vec::new() };
    let mut answers: Vec<SmtpAnswer<'a>> = receive_connectors(server)
        .filter(|(name, connector)| {
            selector.is_of(connector)
                || matches!(&selector, ConnectorSelector::Name(wanted) if wanted == *name)
        })
        .flat_map(|(name, connector)| receive(server, name, connector, now))
        .collect();
    let sending = organization.send_connectors.known().into_iter().flatten();
    for (connector, settings) in sending.filter(|(name, _)| name.as_str().eq_ignore_ascii_case(wanted)) {
        let fqdn = settings.fqdn.clone();
        let tls_name = settings.tls_certificate_name.as_ref();
        let mut selection = selection::outbound_starttls(server, tls_name, settings.fqdn.as_ref(), now);
        if !settings.source_servers.contains(name) {
            selection.steps.insert(0, SelectionStep::NoSourceServer(name));
        }
        let about = About::Send(connector.clone(), TlsVerb::StartTls);
        answers.push(SmtpAnswer { about, fqdn: fqdn.clone(), selection });
        if settings.smart_hosts.iter().any(|host| host == selection::EDGE_SYNC_HOST) {
            let selection = selection::outbound_anonymous_tls(server, settings, now);
            answers.push(SmtpAnswer {
                about: About::Send(connector.clone(), TlsVerb::AnonymousTls),
                fqdn,
                selection,
            });
        }
    }
    answers
}

/// The answers about all receive connectors of a server.
pub fn every_receive_connector(server: &Server, now: Timestamp) -> Vec<SmtpAnswer<'_>> {
    receive_connectors(server).flat_map(|(name, connector)| receive(server, name, connector, now)).collect()
}

/// The answer about a name.
pub fn name<'a>(server: &'a Server, name: &'a DnsName, now: Timestamp) -> SmtpAnswer<'a> {
    let selection = selection::for_name(server, name, now);
    SmtpAnswer { about: About::Name(name.clone()), fqdn: Some(name.clone()), selection }
}

fn receive_connectors(server: &Server) -> impl Iterator<Item = (&ConnectorName, &ReceiveConnector)> {
    server.receive_connectors.known().into_iter().flatten()
}

fn receive<'a>(
    server: &'a Server,
    name: &ConnectorName,
    connector: &'a ReceiveConnector,
    now: Timestamp,
) -> [SmtpAnswer<'a>; 2] {
    let answer = |verb, selection| SmtpAnswer {
        about: About::Receive(name.clone(), verb),
        fqdn: connector.fqdn.clone(),
        selection,
    };
    [
        answer(TlsVerb::StartTls, selection::inbound_starttls(server, connector, now)),
        answer(TlsVerb::AnonymousTls, selection::anonymous_tls(server, connector, now)),
    ]
}

impl TlsVerb {
    /// As it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StartTls => "STARTTLS",
            Self::AnonymousTls => "X-ANONYMOUSTLS",
        }
    }
}
