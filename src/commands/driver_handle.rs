//! How a command reaches the servers: through a driver that acts, or one that only looks.

use super::error::{CommandError, Exit};
use crate::{
    model::{
        certificate::Certificate,
        endpoint::Endpoint,
        names::{DnsName, ServerName},
        organization::Observed,
        time::Timestamp,
    },
    ports::driver::{Driver, DriverError, Observer, Wanted},
};

/// The driver of a manifest.
pub enum Reach {
    /// It can change the servers.
    Acts(Box<dyn Driver>),
    /// It can only look.
    Looks(Box<dyn Observer>),
}

impl Reach {
    /// The time at the organization.
    pub fn now(&self) -> Timestamp {
        self.as_ref().now()
    }

    /// The driver as one that looks, for good: what is returned has no verb that acts.
    pub(super) fn into_observer(self) -> Box<dyn Observer> {
        match self {
            Self::Acts(driver) => driver,
            Self::Looks(observer) => observer,
        }
    }

    /// The driver as one that acts, or the way to one.
    pub fn acting(&self) -> Result<&dyn Driver, CommandError> {
        match self {
            Self::Acts(driver) => Ok(driver.as_ref()),
            Self::Looks(_) => Err(CommandError::new(Exit::Error, "a capture cannot be changed")
                .detail("It shows how the servers were; there is nobody in it who could carry out a step.")
                .hint("apply where the servers can be reached, with a manifest whose `driver` reaches them")
                .hint("to see what would happen, try it on a lab: certwright plan --rehearse")),
        }
    }
}

impl Observer for Reach {
    fn now(&self) -> Timestamp {
        self.as_ref().now()
    }

    fn observe(&self, wanted: Wanted<'_>) -> Result<Observed, DriverError> {
        self.as_ref().observe(wanted)
    }

    fn address(
        &self,
        server: &ServerName,
        fqdn: &DnsName,
        endpoint: Endpoint,
    ) -> Result<String, DriverError> {
        self.as_ref().address(server, fqdn, endpoint)
    }

    fn own_roots(&self) -> Vec<Certificate> {
        self.as_ref().own_roots()
    }
}

impl AsRef<dyn Observer + 'static> for Reach {
    fn as_ref(&self) -> &(dyn Observer + 'static) {
        match self {
            Self::Acts(driver) => driver.as_ref(),
            Self::Looks(observer) => observer.as_ref(),
        }
    }
}
