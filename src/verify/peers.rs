//! The way to everybody who has an endpoint: servers and load balancers.

use std::collections::BTreeMap;

use crate::{
    model::{
        action::Expectation,
        endpoint::Endpoint,
        names::{BalancerName, DnsName, ServerName},
        organization::Observed,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    ports::{
        balancer::{Balancer, Balancers},
        driver::{DriverError, Observer, Wanted},
    },
    verify::check::{Check, Peer, TrustedBy},
};

impl Check {
    /// A meeting with a load balancer: it goes by its name, and [`Peers`] knows where it is.
    pub fn of_balancer(name: &BalancerName, expectation: &Expectation, expected: Thumbprint) -> Self {
        let fqdn = name.as_str().parse().expect("every name of a load balancer could be a host's");
        Self {
            peer: Peer::Server { name: name.as_peer(), fqdn },
            endpoint: expectation.endpoint,
            name: expectation.name.clone(),
            expected: Some(expected),
            trusted_by: TrustedBy::Unchecked,
            client_auth: false,
            presenter: None,
        }
    }
}

/// An observer that knows the way to load balancers too, by their names.
pub struct Peers<'a> {
    observer: &'a dyn Observer,
    balancers: BTreeMap<ServerName, &'a dyn Balancer>,
}

impl<'a> Peers<'a> {
    /// Servers by the observer, load balancers by themselves.
    pub fn new(observer: &'a dyn Observer, balancers: &'a Balancers) -> Self {
        let balancers =
            balancers.iter().map(|(name, balancer)| (name.as_peer(), balancer.as_ref())).collect();
        Self { observer, balancers }
    }
}

impl Observer for Peers<'_> {
    fn now(&self) -> Timestamp {
        self.observer.now()
    }

    fn observe(&self, wanted: Wanted<'_>) -> Result<Observed, DriverError> {
        self.observer.observe(wanted)
    }

    fn address(&self, peer: &ServerName, fqdn: &DnsName, endpoint: Endpoint) -> Result<String, DriverError> {
        match self.balancers.get(peer) {
            None => self.observer.address(peer, fqdn, endpoint),
            Some(balancer) => balancer
                .address(endpoint)
                .map_err(|error| DriverError::failed(format!("finding {endpoint} of {peer}"), error)),
        }
    }
}
