//! How an organization is reached: by a driver that acts, or by one that only looks.

use crate::{
    model::{
        certificate::Certificate,
        diagnosis::ServerDiagnosis,
        endpoint::Endpoint,
        names::{DnsName, ServerName},
        organization::Observed,
        time::Timestamp,
    },
    ports::driver::{Driver, DriverError, Observer, Wanted},
};

/// The driver of a manifest.
pub enum DriverHandle {
    /// It can change the servers.
    Acts(Box<dyn Driver>),
    /// It can only look.
    Looks(Box<dyn Observer>),
}

impl DriverHandle {
    /// The time at the organization.
    pub fn now(&self) -> Timestamp {
        self.as_ref().now()
    }

    /// The driver as one that looks, for good: what is returned has no verb that acts.
    pub fn into_observer(self) -> Box<dyn Observer> {
        match self {
            Self::Acts(driver) => driver,
            Self::Looks(observer) => observer,
        }
    }

    /// The driver as one that acts; none when it only looks.
    pub fn acting(&self) -> Option<&dyn Driver> {
        match self {
            Self::Acts(driver) => Some(driver.as_ref()),
            Self::Looks(_) => None,
        }
    }
}

impl Observer for DriverHandle {
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

    fn is_snapshot(&self) -> bool {
        self.as_ref().is_snapshot()
    }

    fn examine(&self) -> Option<Vec<ServerDiagnosis>> {
        self.as_ref().examine()
    }

    fn listed_servers(&self) -> Option<Vec<ServerName>> {
        self.as_ref().listed_servers()
    }

    fn own_roots(&self) -> Vec<Certificate> {
        self.as_ref().own_roots()
    }
}

impl AsRef<dyn Observer + 'static> for DriverHandle {
    fn as_ref(&self) -> &(dyn Observer + 'static) {
        match self {
            Self::Acts(driver) => driver.as_ref(),
            Self::Looks(observer) => observer.as_ref(),
        }
    }
}
