//! Load balancers and reverse proxies: HAProxy, nginx, and commands of the user for everything else.
//!
//! Each is all or nothing: when it does not take the new certificate, its files are put back as they were.
#![expect(clippy::disallowed_methods, reason = "load balancers are files, sockets and commands")]

mod files;
mod haproxy;
mod hook;
mod nginx;
mod outcome;
mod runtime;
mod surroundings;

use std::{path::Path, time::Duration};

use self::surroundings::Surroundings;
pub use self::{haproxy::Haproxy, hook::Hook, nginx::Nginx};
use crate::{
    manifest::{BalancerSpec, Via},
    ports::balancer::Balancer,
};

/// The load balancer that a manifest describes; none when it is of the lab. `base` is the manifest's directory.
pub fn open(spec: &BalancerSpec, base: &Path) -> Option<Box<dyn Balancer>> {
    let base = std::path::absolute(base).unwrap_or_else(|_| base.to_owned());
    let patience = Duration::from_secs(u64::try_from(spec.timeout.as_seconds()).unwrap_or_default());
    let around = Surroundings { base, patience };
    let address = spec.address.clone();
    match &spec.via {
        Via::Haproxy(haproxy) => Some(Box::new(Haproxy::new(haproxy, address, around))),
        Via::Nginx(nginx) => Some(Box::new(Nginx::new(nginx, address, around))),
        Via::Command(hook) => Some(Box::new(Hook::new(hook, address, around))),
        Via::Lab(_) => None,
    }
}
