//! Load balancers, on paper.

use super::{Impossible, SimulatedOrganization};
use crate::model::{
    action::{BundleSource, CertRef},
    fact::Fact,
    names::BalancerName,
};

impl SimulatedOrganization {
    pub(super) fn install(
        &mut self,
        name: &BalancerName,
        certificate: CertRef,
        from: &BundleSource,
    ) -> Result<(), Impossible> {
        let installed = self.bundle(certificate, from)?;
        let balancer = self.organization.balancers.get_mut(name);
        let balancer = balancer.ok_or_else(|| Impossible::NoBalancer(name.clone()))?;
        balancer.loaded = balancer.loaded.map(|_| installed.thumbprint);
        balancer.certificate = Fact::Known(Some(installed));
        Ok(())
    }

    /// Whether the load balancer has this certificate.
    pub(super) fn has_installed(&self, name: &BalancerName, certificate: CertRef) -> bool {
        let thumbprint = self.thumbprint(certificate);
        self.organization.balancers.get(name).is_some_and(|balancer| {
            let have = balancer.certificate.known().and_then(Option::as_ref);
            let loaded = balancer.loaded.is_none_or(|loaded| loaded == thumbprint);
            loaded && have.is_some_and(|have| have.thumbprint == thumbprint)
        })
    }
}
