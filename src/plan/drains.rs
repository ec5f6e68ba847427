//! Restarts that are drained: messages and clients go to another server meanwhile. One server after the other, and none that
//! nobody takes over from.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use crate::model::{
    action::{Drain, StepId},
    desired::Desired,
    endpoint::Protocol,
    names::{BalancerName, DnsName, ServerName},
    organization::Organization,
    server::Server,
    service::Restartable,
};

/// How the servers of a manifest are drained.
#[derive(Debug, Default)]
pub(super) struct Draining {
    /// The servers in the manifest's order, with their full names.
    servers: IndexMap<ServerName, DnsName>,
    /// The servers of each load balancer that knows its servers, and what it serves.
    balancers: BTreeMap<BalancerName, (BTreeSet<ServerName>, Vec<Protocol>)>,
    /// The last restart that is drained.
    pub(super) last: Option<StepId>,
}

impl Draining {
    /// As the manifest says; none when it does not want it.
    pub(super) fn of(desired: &Desired) -> Option<Self> {
        let servers = desired.servers.iter().filter(|(_, own)| own.left_out.is_none() && !own.edge);
        let balancers = desired.balancers.iter().map(|(name, own)| {
            let protocols = own.endpoints.iter().map(|endpoint| endpoint.protocol).collect();
            (name.clone(), (own.servers.clone(), protocols))
        });
        desired.restarts.drain.then(|| Self {
            servers: servers.map(|(name, own)| (name.clone(), own.fqdn.clone())).collect(),
            balancers: balancers.collect(),
            last: None,
        })
    }

    /// What a server is taken out of before this restarts; none where nobody takes over.
    pub(super) fn drain(
        &self,
        organization: &Organization,
        server: &ServerName,
        what: Restartable,
    ) -> Option<Drain> {
        let of_mail = what == Restartable::Transport;
        let redirect_to = of_mail.then(|| self.takes_over(organization, server)).flatten();
        let fronts = self.balancers.iter().filter(|(_, (servers, protocols))| {
            let notices = protocols.iter().any(|protocol| is_served_by(*protocol, what));
            notices && servers.len() > 1 && servers.contains(server)
        });
        let balancers: Vec<BalancerName> = fronts.map(|(name, _)| name.clone()).collect();
        (redirect_to.is_some() || !balancers.is_empty()).then_some(Drain {
            redirect_to,
            balancers,
            left_out: false,
        })
    }

    /// The server that takes over the messages of this one: the next of the manifest that can, and that is not known to be in
    /// another site (facts 3.11).
    fn takes_over(&self, organization: &Organization, server: &ServerName) -> Option<DnsName> {
        let known = |name| organization.servers.get(name).filter(|server: &&Server| server.can_be_drained());
        let from = known(server)?;
        let own = self.servers.get_index_of(server)?;
        let mut others = self.servers[own + 1..].iter().chain(&self.servers[..own]);
        let next = others.find(|(name, fqdn)| {
            known(name)
                .is_some_and(|other| other.fqdn.known() == Some(fqdn) && !from.is_in_another_site(other))
        });
        next.map(|(_, fqdn)| fqdn.clone())
    }
}

/// Whether clients of this protocol notice when that restarts.
fn is_served_by(protocol: Protocol, what: Restartable) -> bool {
    match what {
        Restartable::Iis | Restartable::WebApps => protocol == Protocol::Https,
        Restartable::Transport => {
            matches!(protocol, Protocol::Smtp | Protocol::Smtps | Protocol::SmtpAnonymousTls)
        }
        Restartable::Pop => matches!(protocol, Protocol::Pop | Protocol::Pops),
        Restartable::Imap => matches!(protocol, Protocol::Imap | Protocol::Imaps),
        Restartable::MailboxTransport
        | Restartable::ServiceHost
        | Restartable::Um
        | Restartable::UmCallRouter => false,
    }
}
