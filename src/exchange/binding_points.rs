//! The places of a server that present a certificate, and what a client gets there.

use std::collections::BTreeMap;

pub use crate::model::binding_point::BindingPoint;

use super::selection::{self, Failing, Nothing, Presented};
use crate::model::{
    connector::{AuthMechanism, ReceiveConnector},
    endpoint::{Endpoint, Protocol},
    fact::Fact,
    names::{ConnectorName, DnsName},
    server::{BindingStore, MailAccess, Server},
    service::MailService,
    site::SiteBinding,
    thumbprint::Thumbprint,
    time::Timestamp,
    unmet::Unmet,
    version::Role,
};

/// Every place of this server that can present a certificate, as far as it is known.
pub fn binding_points(server: &Server) -> Vec<BindingPoint> {
    let sites = server.sites.known().into_iter().flat_map(BTreeMap::keys).cloned().map(BindingPoint::Site);
    let connectors = server
        .receive_connectors
        .known()
        .into_iter()
        .flat_map(BTreeMap::keys)
        .cloned()
        .map(BindingPoint::Connector);
    let mut binding_points: Vec<_> = sites.chain(connectors).collect();
    binding_points.push(BindingPoint::InternalTransport);
    binding_points.extend(server.pop.known().and_then(Option::as_ref).map(|_| BindingPoint::Pop));
    binding_points.extend(server.imap.known().and_then(Option::as_ref).map(|_| BindingPoint::Imap));
    binding_points
}

/// What a client gets at this place.
pub fn presented(server: &Server, presenter: &BindingPoint, now: Timestamp) -> Presented {
    match presenter {
        BindingPoint::Site(binding) => match &server.sites {
            Fact::Unknown(why) => Presented::Unknown(why.why.clone()),
            Fact::Known(sites) => match sites.get(binding) {
                None => Presented::Nothing(Nothing::NotThere),
                Some(_) if server.other_stores.contains_key(binding) => {
                    Presented::Nothing(Nothing::Elsewhere(server.other_stores[binding].to_string()))
                }
                Some(None) => Presented::Nothing(Nothing::NotConfigured),
                Some(Some(thumbprint)) => from_store(server, *thumbprint),
            },
        },
        BindingPoint::Connector(name) => match &server.receive_connectors {
            Fact::Unknown(why) => Presented::Unknown(why.why.clone()),
            Fact::Known(connectors) => match connectors.get(name) {
                None => Presented::Nothing(Nothing::NotThere),
                Some(connector) => selection::inbound_starttls(server, connector, now).presented,
            },
        },
        BindingPoint::InternalTransport => selection::internal_transport(server, Vec::new(), now).presented,
        BindingPoint::Pop => selection::mail_access(server, &server.pop, now).presented,
        BindingPoint::Imap => selection::mail_access(server, &server.imap, now).presented,
    }
}

/// The endpoints at which this place can be met from outside: none for one that only the server itself reaches, for a
/// connector that offers no STARTTLS (facts 5.8), and for POP and IMAP while they do not run (facts 3.9).
pub fn endpoints(server: &Server, presenter: &BindingPoint) -> Vec<Endpoint> {
    let endpoint = Endpoint::new;
    let stopped = |service: MailService| server.runs(service.windows_service()) == Some(false);
    match presenter {
        // What the central certificate store serves is not what any binding says (facts 11.6).
        BindingPoint::Site(binding) if server.other_stores.get(binding) == Some(&BindingStore::Central) => {
            Vec::new()
        }
        BindingPoint::Site(SiteBinding { address: None, port, .. }) => vec![endpoint(Protocol::Https, *port)],
        BindingPoint::Site(SiteBinding { address: Some(address), .. }) if is_loopback(address) => Vec::new(),
        BindingPoint::Site(SiteBinding { address: Some(_), port, .. })
            if unmet(server, presenter).is_none() =>
        {
            vec![endpoint(Protocol::Https, *port)]
        }
        BindingPoint::Site(SiteBinding { address: Some(_), .. }) => Vec::new(),
        BindingPoint::Connector(name) => {
            let connector = server.receive_connectors.known().and_then(|connectors| connectors.get(name));
            let offering = connector
                .filter(|connector| connector.enabled && connector.auth.contains(&AuthMechanism::Tls));
            // Every receive connector starts in the clear, port 465 too (facts 5.8).
            let ports = offering.into_iter().flat_map(ReceiveConnector::ports);
            let own = ports.filter(|port| answering(server, *port) == Some(name));
            own.map(|port| endpoint(Protocol::Smtp, port)).collect()
        }
        BindingPoint::InternalTransport => {
            let connectors = server.receive_connectors.known().into_iter().flatten();
            let offering = connectors.filter(|(_, connector)| {
                connector.auth.contains(&AuthMechanism::ExchangeServer)
                    && !connector.suppress_anonymous_tls
                    && connector.enabled
            });
            let ports =
                offering.flat_map(|(name, own)| own.ports().into_iter().map(move |port| (name, port)));
            let met = ports.filter(|(name, port)| answering(server, *port) == Some(*name));
            met.map(|(_, port)| endpoint(Protocol::SmtpAnonymousTls, port)).collect()
        }
        BindingPoint::Pop if stopped(MailService::Pop) => Vec::new(),
        BindingPoint::Imap if stopped(MailService::Imap) => Vec::new(),
        BindingPoint::Pop => mail_endpoints(&server.pop, Protocol::Pop, Protocol::Pops),
        BindingPoint::Imap => mail_endpoints(&server.imap, Protocol::Imap, Protocol::Imaps),
    }
}

/// Where POP3 or IMAP4 listens: where somebody has said so, or where setup left it (facts 3.9).
fn mail_endpoints(access: &Fact<Option<MailAccess>>, plain: Protocol, tls: Protocol) -> Vec<Endpoint> {
    let said = access.known().and_then(Option::as_ref).and_then(|access| access.ports.as_ref());
    match said {
        Some(ports) => {
            let plain = ports.plain.iter().map(|port| Endpoint::new(plain, *port));
            plain.chain(ports.tls.iter().map(|port| Endpoint::new(tls, *port))).collect()
        }
        None => [plain, tls].map(|protocol| Endpoint::new(protocol, protocol.default_port())).to_vec(),
    }
}

/// The receive connector that answers on a port of the server's own address: Exchange takes the one whose `RemoteIPRanges` are the
/// nearest to the client (facts 5.7). Where nobody knows from where handshakes come, it is the one for all clients.
pub(super) fn answering(server: &Server, port: u16) -> Option<&ConnectorName> {
    let listening = || {
        let connectors = server.receive_connectors.known().into_iter().flatten();
        connectors.filter(move |(_, own)| own.enabled && own.ports().contains(&port))
    };
    if let Some(client) = server.met_from {
        let only = listening().count() == 1;
        let taking = listening().filter(|(_, own)| only || own.addresses(port).contains(&None));
        let near = taking.filter_map(|(name, own)| Some((own.distance(client)?, name)));
        return near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name);
    }
    let mut for_all = listening().filter(|(_, own)| own.is_for_all());
    let everywhere = for_all.clone().find(|(_, own)| own.addresses(port).contains(&None));
    let only = || for_all.next().filter(|_| listening().count() == 1);
    everywhere.or_else(only).map(|(name, _)| name)
}

/// The other binding that answers a client which asks this one's port for a name: the one with that host name (facts 11.4).
pub fn taking<'a>(server: &'a Server, presenter: &BindingPoint, name: &DnsName) -> Option<&'a SiteBinding> {
    let BindingPoint::Site(binding) = presenter else { return None };
    let takes = |other: &&SiteBinding| {
        *other != binding
            && other.port == binding.port
            && other.host.as_ref().is_some_and(|host| host.covers(name))
    };
    server.sites.known()?.keys().find(takes)
}

/// Why nobody can meet a place from outside; none when it can be met, and for what presents nothing to anybody.
pub fn unmet(server: &Server, presenter: &BindingPoint) -> Option<Unmet> {
    match presenter {
        BindingPoint::Site(binding) if server.other_stores.get(binding) == Some(&BindingStore::Central) => {
            Some(Unmet::CentralStore)
        }
        BindingPoint::Site(SiteBinding { address: None, .. }) => None,
        BindingPoint::Site(SiteBinding { address: Some(address), port, .. }) => {
            let sites = server.sites.known().into_iter().flat_map(BTreeMap::keys);
            let mut others = sites.filter(|other| other.port == *port && other.address.is_none());
            let hidden = is_loopback(address) || others.next().is_some();
            hidden.then(|| Unmet::Address { address: address.clone() })
        }
        BindingPoint::Connector(name) => {
            let connector = server.receive_connectors.known()?.get(name).filter(|own| own.enabled)?;
            let ports = connector.ports();
            if ports.iter().any(|port| answering(server, *port) == Some(name)) {
                return None;
            }
            let port = *ports.first()?;
            let address = connector.addresses(port).into_iter().flatten().next();
            Some(match (connector.is_for_all(), address, answering(server, port)) {
                (false, ..) => Unmet::RemoteRanges { ranges: connector.remote_ranges.clone() },
                (true, Some(address), _) => Unmet::Address { address: address.to_owned() },
                (true, None, Some(other)) => Unmet::SharedPort { with: other.to_string() },
                (true, None, None) => return None,
            })
        }
        BindingPoint::InternalTransport | BindingPoint::Pop | BindingPoint::Imap => None,
    }
}

/// Where AD LDS of an Edge server takes `EdgeSync`, with the internal transport certificate: the one that was subscribed, and
/// that the other side compares (facts 10). No other server has it.
pub fn edge_directory(server: &Server) -> Option<Endpoint> {
    let edge = server.roles.known()?.contains(&Role::EdgeTransport);
    edge.then(|| Endpoint::new(Protocol::Ldaps, Protocol::Ldaps.default_port()))
}

/// The name by which a client of this place knows the server, where the place itself says it: the connector's `Fqdn`,
/// the binding's host, the POP or IMAP name.
pub fn own_name<'a>(server: &'a Server, presenter: &'a BindingPoint) -> Option<&'a DnsName> {
    let mail_name =
        |settings: &'a Fact<Option<MailAccess>>| settings.known()?.as_ref()?.x509_certificate_name.as_ref();
    match presenter {
        BindingPoint::Site(_) => presenter.host(),
        BindingPoint::Connector(name) => server.receive_connectors.known()?.get(name)?.fqdn.as_ref(),
        BindingPoint::InternalTransport => None,
        BindingPoint::Pop => mail_name(&server.pop),
        BindingPoint::Imap => mail_name(&server.imap),
    }
}

/// Whether an address is the server's own for itself.
pub fn is_loopback(address: &str) -> bool {
    address.starts_with("127.") || address == "[::1]"
}

fn from_store(server: &Server, thumbprint: Thumbprint) -> Presented {
    match &server.certificates {
        Fact::Unknown(why) => Presented::Unknown(why.why.clone()),
        Fact::Known(store) => match store.0.get(&thumbprint) {
            // http.sys keeps the hash of a removed certificate, and handshakes fail (facts 7.3, 11.2).
            None => Presented::Failing { certificate: thumbprint, why: Failing::NotInStore },
            Some(stored) if !stored.has_private_key => {
                Presented::Failing { certificate: thumbprint, why: Failing::NoPrivateKey }
            }
            Some(_) => Presented::Certificate(thumbprint),
        },
    }
}
