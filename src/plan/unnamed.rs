//! Send connectors from which the manifest takes the name of a certificate (`sendConnectors: { NAME: null }`), although those to
//! whom they send look at one.

use crate::{
    exchange::{hybrid, named, selection::Presented},
    model::{
        connector::SendConnector,
        desired::Desired,
        names::{ConnectorName, ServerName},
        organization::Organization,
        time::Timestamp,
    },
};

/// A connector without a name, and what it shows.
pub(super) struct Unnamed {
    pub(super) connector: ConnectorName,
    pub(super) shown: Presented,
    pub(super) to_microsoft_365: bool,
}

/// The connectors that a server sends through without a name, and shows no certificate of a CA: Microsoft 365 takes such mail for
/// anonymous, and partners who demand TLS may refuse it (facts 6.9, 6.10).
pub(super) fn unnamed(
    desired: &Desired,
    organization: &Organization,
    name: &ServerName,
    now: Timestamp,
) -> Vec<Unnamed> {
    let known = organization.send_connectors.known();
    let taken = desired.send_connectors.iter().filter(|(_, id)| id.is_none());
    let taken = taken.filter_map(|(connector, _)| {
        let settings = known?.get(connector)?;
        let sends = settings.enabled && settings.source_servers.contains(name);
        let bare = sends && settings.tls_certificate_name.is_none() && is_looked_at(settings);
        let server = organization.servers.get(name).filter(|_| bare)?;
        let shown = named::presented(server, settings, now);
        let of_ca = match &shown {
            Presented::Certificate(thumbprint) => {
                server.certificate(*thumbprint).is_some_and(|own| !own.certificate.is_self_signed())
            }
            Presented::Failing { .. } | Presented::Nothing(_) => false,
            // What cannot be seen is no news.
            Presented::Unknown(_) => true,
        };
        let to_microsoft_365 = hybrid::goes_to_microsoft_365(settings);
        (!of_ca).then(|| Unnamed { connector: connector.clone(), shown, to_microsoft_365 })
    });
    taken.collect()
}

fn is_looked_at(connector: &SendConnector) -> bool {
    hybrid::goes_to_microsoft_365(connector)
        || connector.require_tls
        || connector.domain_secure
        || connector.tls_auth_level.is_some()
}
