//! The way to everybody who has an endpoint: servers, load balancers, and other hosts.

use super::check::Peer;
use crate::{
    model::{causes::with_causes, endpoint::Endpoint, names::BalancerName, time::Timestamp},
    ports::{
        balancer::Balancers,
        driver::{DriverError, Observer},
    },
};

/// Who knows where endpoints are.
#[derive(Clone, Copy)]
pub struct Peers<'a> {
    observer: &'a dyn Observer,
    balancers: Option<&'a Balancers>,
}

impl<'a> Peers<'a> {
    /// Servers by the observer, load balancers by themselves.
    pub fn new(observer: &'a dyn Observer, balancers: &'a Balancers) -> Self {
        Self { observer, balancers: Some(balancers) }
    }

    /// Servers and hosts only: where nothing else is met.
    pub fn servers(observer: &'a dyn Observer) -> Self {
        Self { observer, balancers: None }
    }

    /// The time at the organization.
    pub fn now(&self) -> Timestamp {
        self.observer.now()
    }

    /// Where an endpoint is, as `host:port`, or why that cannot be found out.
    pub(super) fn address(&self, peer: &Peer, endpoint: Endpoint) -> Result<String, String> {
        match peer {
            Peer::Server { name, fqdn } => {
                self.observer.address(name, fqdn, endpoint).map_err(|error| with_causes(&error))
            }
            Peer::Balancer(name) => self.address_of_balancer(name, endpoint),
            Peer::Host(host) if host.contains(':') => Ok(format!("[{host}]:{}", endpoint.port)),
            Peer::Host(host) => Ok(format!("{host}:{}", endpoint.port)),
        }
    }

    fn address_of_balancer(&self, name: &BalancerName, endpoint: Endpoint) -> Result<String, String> {
        let Some(balancer) = self.balancers.and_then(|balancers| balancers.get(name)) else {
            return Err(format!("a capture does not show where load balancer {name} is"));
        };
        balancer.address(endpoint).map_err(|error| {
            with_causes(&DriverError::failed(format!("finding {endpoint} of {name}"), error))
        })
    }
}
