//! What the services of a server hold in memory. A service that keeps the certificate it started with goes on serving it
//! until it is restarted, whatever the configuration says by then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::seed::Pickup;
use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, edge_directory, presented},
        selection::Presented,
    },
    model::{
        endpoint::{Endpoint, Protocol},
        names::ConnectorName,
        server::Server,
        service::Restartable,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

/// The certificates that services have loaded; none where there was nothing to load.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Loaded {
    connectors: BTreeMap<ConnectorName, Thumbprint>,
    internal_transport: Option<Thumbprint>,
    pop: Option<Thumbprint>,
    imap: Option<Thumbprint>,
}

impl Loaded {
    /// Loads what a restart of these services loads.
    pub(super) fn restart(&mut self, server: &Server, what: Restartable, now: Timestamp) {
        let load = |presenter: &BindingPoint| match presented(server, presenter, now) {
            Presented::Certificate(thumbprint) => Some(thumbprint),
            Presented::Failing { .. } | Presented::Nothing(_) | Presented::Unknown(_) => None,
        };
        match what {
            Restartable::Transport => {
                let connectors =
                    binding_points(server).into_iter().filter_map(|presenter| match &presenter {
                        BindingPoint::Connector(name) => Some((name.clone(), load(&presenter)?)),
                        BindingPoint::Site(_)
                        | BindingPoint::InternalTransport
                        | BindingPoint::Pop
                        | BindingPoint::Imap => None,
                    });
                self.connectors = connectors.collect();
                self.internal_transport = load(&BindingPoint::InternalTransport);
            }
            Restartable::Pop => self.pop = load(&BindingPoint::Pop),
            Restartable::Imap => self.imap = load(&BindingPoint::Imap),
            // http.sys takes bindings at once (facts 11.2); the others present nothing that a lab serves.
            Restartable::Iis
            | Restartable::MailboxTransport
            | Restartable::Um
            | Restartable::UmCallRouter
            | Restartable::ServiceHost
            | Restartable::WebApps => {}
        }
    }

    /// Has what these services loaded be this certificate: they were not restarted since.
    pub(super) fn keep(&mut self, what: Restartable, certificate: Thumbprint) {
        match what {
            Restartable::Transport => {
                self.connectors.values_mut().for_each(|loaded| *loaded = certificate);
            }
            Restartable::Pop => self.pop = Some(certificate),
            Restartable::Imap => self.imap = Some(certificate),
            Restartable::Iis
            | Restartable::MailboxTransport
            | Restartable::Um
            | Restartable::UmCallRouter
            | Restartable::ServiceHost
            | Restartable::WebApps => {}
        }
    }

    /// Loads everything, as a server does when it starts.
    pub(super) fn start(server: &Server, now: Timestamp) -> Self {
        let mut loaded = Self::default();
        for what in [Restartable::Transport, Restartable::Pop, Restartable::Imap] {
            loaded.restart(server, what, now);
        }
        loaded
    }

    /// The certificate that this place serves now, when it serves any. One that has left the store since it was loaded
    /// cannot be used any more: its key is gone.
    pub(super) fn served(
        &self,
        server: &Server,
        presenter: &BindingPoint,
        transport: Pickup,
        now: Timestamp,
    ) -> Option<Thumbprint> {
        let live = || match presented(server, presenter, now) {
            Presented::Certificate(thumbprint) => Some(thumbprint),
            Presented::Failing { .. } | Presented::Nothing(_) | Presented::Unknown(_) => None,
        };
        let loaded = match (presenter, transport) {
            (BindingPoint::Site(_), _) => live(),
            (BindingPoint::Connector(_) | BindingPoint::InternalTransport, Pickup::Live) => live(),
            (BindingPoint::Connector(name), Pickup::Restart) => self.connectors.get(name).copied(),
            (BindingPoint::InternalTransport, Pickup::Restart) => self.internal_transport,
            (BindingPoint::Pop, _) => self.pop,
            (BindingPoint::Imap, _) => self.imap,
        };
        loaded
            .filter(|thumbprint| server.certificate(*thumbprint).is_some_and(|stored| stored.has_private_key))
    }
}

/// The place behind an endpoint, for a client that asks for this name: among bindings, the one with that host name, or
/// else the one for all names.
pub(super) fn presenter_of(server: &Server, endpoint: Endpoint, name: Option<&str>) -> Option<BindingPoint> {
    if edge_directory(server) == Some(endpoint) {
        return Some(BindingPoint::InternalTransport);
    }
    let anonymous = endpoint.protocol == Protocol::SmtpAnonymousTls;
    let behind = |presenter: &BindingPoint| {
        anonymous == (*presenter == BindingPoint::InternalTransport)
            && crate::exchange::binding_points::endpoints(server, presenter).contains(&endpoint)
    };
    let found: Vec<BindingPoint> = binding_points(server).into_iter().filter(behind).collect();
    let asked = |presenter: &&BindingPoint| {
        presenter
            .host()
            .is_some_and(|host| name.is_some_and(|name| host.to_string().eq_ignore_ascii_case(name)))
    };
    let for_all = |presenter: &&BindingPoint| presenter.host().is_none();
    found.iter().find(asked).or_else(|| found.iter().find(for_all)).cloned()
}
