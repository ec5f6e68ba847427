//! What the manifest says something of and nobody could see: that nothing differs there is not known.

use crate::model::{
    desired::{Desired, DesiredServer},
    fact::Fact,
    organization::Organization,
    server::Server,
    service::Service,
    unseen::{NotSeen, Unseen, UnseenPart},
};

/// The servers of the manifest that could not be seen, or not all of what it says something of.
pub fn not_seen(desired: &Desired, organization: &Organization) -> Vec<NotSeen> {
    let of = |(name, own)| {
        let unseen = organization.servers.get(name).map_or_else(nobody, |server| unseen(own, server));
        (!unseen.is_empty()).then(|| NotSeen { server: name.clone(), unseen })
    };
    desired.servers.iter().filter_map(of).collect()
}

fn nobody() -> Vec<Unseen> {
    vec![Unseen { part: UnseenPart::Server, why: "it was not observed".into() }]
}

fn unseen(own: &DesiredServer, server: &Server) -> Vec<Unseen> {
    if own.uses().next().is_none() {
        return Vec::new();
    }
    if let Some(why) = why(&server.certificates) {
        return vec![Unseen { part: UnseenPart::Server, why }];
    }
    let serves = |service: Service| own.service(service).is_some();
    let parts = [
        (serves(Service::Iis) || !own.sites.is_empty(), UnseenPart::IisBindings, why(&server.sites)),
        (
            serves(Service::Smtp) || !own.receive_connectors.is_empty(),
            UnseenPart::ReceiveConnectors,
            why(&server.receive_connectors),
        ),
        (own.internal_transport.is_some(), UnseenPart::InternalTransport, why(&server.internal_transport)),
        (serves(Service::Pop), UnseenPart::PopSettings, why(&server.pop)),
        (serves(Service::Imap), UnseenPart::ImapSettings, why(&server.imap)),
    ];
    let seen = |(said, part, why): (bool, UnseenPart, Option<String>)| {
        Some(Unseen { part, why: why.filter(|_| said)? })
    };
    parts.into_iter().filter_map(seen).collect()
}

fn why<T>(fact: &Fact<T>) -> Option<String> {
    fact.why_unknown().map(str::to_owned)
}
