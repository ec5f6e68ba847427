//! What cmdlets show of one server.

use super::{reading::Reading, servers::KnownServers};
use crate::{
    drivers::objects::{
        self, Listed, ObjectError, ServerCmdlet, authority, client_names, edge_peer, mail_access,
        online_root, operating_system, other_program, receive_connector, transport_service, um_startup_mode,
        web_binding, web_settings, windows_service,
    },
    model::{
        fact::Fact,
        names::{DnsName, ServerName},
        server::{CertificateStore, Server, UnifiedMessaging},
    },
};

/// What the objects of a cmdlet say.
pub(super) fn read(
    reading: &mut Reading<'_, '_, '_>,
    cmdlet: ServerCmdlet,
    name: &ServerName,
    known: &KnownServers,
) -> Server {
    if let Some(why) = reading.nothing(may_be_empty(cmdlet)) {
        return unknown(cmdlet, &why);
    }
    let mut server = Server::not_captured();
    match cmdlet {
        ServerCmdlet::ExchangeCertificate => {
            certificates(reading, &mut server);
            // Where no list of servers says it, the identity of a certificate does: `ex01.contoso.com\THUMBPRINT`.
            if !known.lists(name) {
                server.fqdn = reading
                    .bags
                    .iter()
                    .find_map(|(_, bag)| objects::server_of_certificate(bag)?.parse::<DnsName>().ok())
                    .filter(|fqdn| fqdn.as_str().contains('.'))
                    .map_or_else(Fact::not_captured, Fact::Known);
            }
        }
        ServerCmdlet::ReceiveConnector => server.receive_connectors = reading.map(receive_connector),
        ServerCmdlet::TransportService => server.internal_transport = reading.only(transport_service),
        ServerCmdlet::InternalTransportCertificate => {
            server.internal_transport = reading.one(objects::internal_transport);
        }
        ServerCmdlet::PopSettings => server.pop = reading.one(mail_access),
        ServerCmdlet::ImapSettings => server.imap = reading.one(mail_access),
        ServerCmdlet::UmService => {
            let mode = reading.one(um_startup_mode);
            let of_service = |service| UnifiedMessaging { service: Some(service), call_router: None };
            server.um = mode.map(|mode| mode.map(of_service));
        }
        ServerCmdlet::UmCallRouterSettings => {
            let mode = reading.one(um_startup_mode);
            let of_router = |router| UnifiedMessaging { service: None, call_router: Some(router) };
            server.um = mode.map(|mode| mode.map(of_router));
        }
        ServerCmdlet::WebBinding => {
            let bindings = reading.list(web_binding);
            for found in bindings.known().into_iter().flatten().flatten() {
                server.other_stores.extend(found.store.clone().map(|store| (found.binding.clone(), store)));
            }
            server.sites = bindings
                .map(|list| list.iter().flatten().map(|found| (found.binding.clone(), found.hash)).collect());
        }
        ServerCmdlet::OperatingSystem => {
            server.operating_system = reading.only(|bag| Ok(operating_system(bag)));
        }
        ServerCmdlet::OnlineRoot => server.online_root = reading.only(online_root),
        ServerCmdlet::WebSettings => server.web = reading.only(web_settings),
        ServerCmdlet::EdgePeers => {
            server.peers =
                reading.list(edge_peer).map(|peers| Some(peers.iter().flatten().cloned().collect()));
        }
        ServerCmdlet::WindowsService => server.services = reading.map(windows_service),
        ServerCmdlet::OtherPrograms => server.other_programs = reading.map(other_program),
        ServerCmdlet::Authorities => server.authorities = reading.list(authority),
        // What they show goes beside the facts of the server.
        ServerCmdlet::Keyless | ServerCmdlet::Events => {}
        ServerCmdlet::ClientDirectory(directory) => {
            let names = server.client_names.entry(directory).or_default();
            for (_, bag) in reading.bags {
                let found = client_names(bag);
                names.internal.extend(found.internal);
                names.external.extend(found.external);
            }
        }
    }
    server
}

/// What the cmdlet would have shown is unknown.
pub(super) fn unknown(cmdlet: ServerCmdlet, why: &str) -> Server {
    let mut server = Server::not_captured();
    match cmdlet {
        ServerCmdlet::ExchangeCertificate => {
            server.certificates = Fact::unknown(why);
            server.requests = Fact::unknown(why);
        }
        ServerCmdlet::ReceiveConnector => server.receive_connectors = Fact::unknown(why),
        ServerCmdlet::TransportService | ServerCmdlet::InternalTransportCertificate => {
            server.internal_transport = Fact::unknown(why);
        }
        ServerCmdlet::PopSettings => server.pop = Fact::unknown(why),
        ServerCmdlet::ImapSettings => server.imap = Fact::unknown(why),
        ServerCmdlet::UmService | ServerCmdlet::UmCallRouterSettings => server.um = Fact::unknown(why),
        ServerCmdlet::WebBinding => server.sites = Fact::unknown(why),
        ServerCmdlet::OperatingSystem => server.operating_system = Fact::unknown(why),
        ServerCmdlet::OnlineRoot => server.online_root = Fact::unknown(why),
        ServerCmdlet::WebSettings => server.web = Fact::unknown(why),
        ServerCmdlet::EdgePeers => server.peers = Fact::unknown(why),
        ServerCmdlet::WindowsService => server.services = Fact::unknown(why),
        ServerCmdlet::OtherPrograms => server.other_programs = Fact::unknown(why),
        ServerCmdlet::Authorities => server.authorities = Fact::unknown(why),
        // Only what is seen counts for anything.
        ServerCmdlet::ClientDirectory(_) | ServerCmdlet::Keyless | ServerCmdlet::Events => {}
    }
    server
}

/// Whether there are servers on which the cmdlet shows nothing. No server is without a certificate: a shell that is not
/// elevated lists none, and neither does one on which the Auth certificate that signs what is sent has expired (facts 2.5).
const fn may_be_empty(cmdlet: ServerCmdlet) -> bool {
    match cmdlet {
        ServerCmdlet::ExchangeCertificate
        | ServerCmdlet::ReceiveConnector
        | ServerCmdlet::TransportService
        | ServerCmdlet::PopSettings
        | ServerCmdlet::ImapSettings
        | ServerCmdlet::UmService
        | ServerCmdlet::UmCallRouterSettings
        | ServerCmdlet::WebBinding
        | ServerCmdlet::OperatingSystem
        | ServerCmdlet::OnlineRoot
        | ServerCmdlet::WebSettings
        | ServerCmdlet::WindowsService => false,
        ServerCmdlet::InternalTransportCertificate
        | ServerCmdlet::EdgePeers
        | ServerCmdlet::OtherPrograms
        | ServerCmdlet::Keyless
        | ServerCmdlet::Authorities
        | ServerCmdlet::Events
        | ServerCmdlet::ClientDirectory(_) => true,
    }
}

fn certificates(reading: &mut Reading<'_, '_, '_>, server: &mut Server) {
    let (mut store, mut requests, mut without_bytes) = (CertificateStore::default(), Vec::new(), 0);
    let mut only_bytes = 0;
    for (index, bag) in reading.bags {
        let mut said = Vec::new();
        let read = objects::certificate(bag, |note| said.push(note));
        for note in said {
            reading.note(*index, &note);
        }
        match read {
            Ok(Listed::Certificate(certificate)) => {
                only_bytes += usize::from(certificate.services.known().is_none());
                store.0.insert(certificate.certificate.thumbprint, *certificate);
            }
            Ok(Listed::Request(request)) => requests.push(*request),
            Err(error @ ObjectError::Missing(_)) => {
                without_bytes += 1;
                reading.note(*index, &error);
            }
            Err(error) => reading.note(*index, &error),
        }
    }
    if only_bytes > 0 {
        reading.notes.push(format!(
            "{}: {only_bytes} of {} certificates came as their bytes alone, so their services are unknown; run the script that `certwright observe --print-script` prints",
            reading.source,
            reading.bags.len()
        ));
    }
    if without_bytes > 0 {
        let why = format!("{without_bytes} of {} certificates came without their bytes", reading.bags.len());
        server.certificates = Fact::unknown(why.clone());
        server.requests = Fact::unknown(why);
    } else {
        server.certificates = Fact::Known(store);
        server.requests = Fact::Known(requests);
    }
}
