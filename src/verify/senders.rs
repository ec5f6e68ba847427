//! Send connectors: nobody calls them, so what they present is known by their settings and the stores of their source servers.

use std::collections::BTreeMap;

use super::not_provable::NotProvable;
use crate::{
    exchange::{named, selection::Presented},
    model::{
        desired::{CertificateId, Desired},
        names::{ConnectorName, ServerName},
        organization::Organization,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

/// The declared ones that prove themselves with another certificate than the one that stands for the declared one, or with none, on
/// servers of the manifest.
pub(super) fn wrong(
    desired: &Desired,
    organization: &Organization,
    standing: &BTreeMap<&CertificateId, Thumbprint>,
    now: Timestamp,
) -> Vec<NotProvable> {
    let known = organization.send_connectors.known();
    let declared = desired.send_connectors.iter().filter_map(|(name, id)| {
        let connector = known?.get(name).filter(|connector| connector.enabled)?;
        let id = id.as_ref()?;
        Some((name, id, connector, *standing.get(id)?))
    });
    let mut wrong = Vec::new();
    for (name, id, connector, wanted) in declared {
        let is_asked =
            |source: &&ServerName| desired.servers.get(*source).is_some_and(|own| own.left_out.is_none());
        for source in connector.source_servers.iter().filter(is_asked) {
            let Some(server) = organization.servers.get(source) else { continue };
            let presented = named::presented(server, connector, now);
            wrong.extend(differs((source, name, id), &presented, wanted));
        }
    }
    wrong
}

fn differs(
    (server, connector, id): (&ServerName, &ConnectorName, &CertificateId),
    presented: &Presented,
    wanted: Thumbprint,
) -> Option<NotProvable> {
    let (server, connector, certificate) = (server.clone(), connector.clone(), id.clone());
    match presented {
        Presented::Certificate(thumbprint) if *thumbprint == wanted => None,
        Presented::Unknown(_) => None,
        Presented::Certificate(other) => {
            Some(NotProvable::SendsAnother { server, connector, certificate, thumbprint: *other })
        }
        Presented::Failing { .. } => {
            Some(NotProvable::SendsNone { server, connector, certificate, why: presented.to_string() })
        }
        Presented::Nothing(why) => {
            Some(NotProvable::SendsNone { server, connector, certificate, why: why.to_string() })
        }
    }
}
