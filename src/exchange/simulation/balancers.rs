//! Load balancers, on paper.

use super::{Impossible, SimulatedOrganization};
use crate::model::{
    action::{BundleSource, CertRef, SideEffect},
    fact::Fact,
    names::{BalancerName, ServerName},
    server::Server,
    site::SiteBinding,
    thumbprint::Thumbprint,
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

    /// The load balancers that present the certificate of this server's Default Web Site, where Extended Protection has clients
    /// see both.
    pub fn shared_with_balancers(&self, server: &ServerName) -> Vec<BalancerName> {
        let Some(server) = self.organization.servers.get(server) else { return Vec::new() };
        if server.web.known().is_none_or(|web| !web.extended_protection) {
            return Vec::new();
        }
        let Some(own) = front_end(server) else { return Vec::new() };
        let same = self.organization.balancers.iter().filter(|(_, balancer)| {
            let have = balancer.certificate.known().and_then(Option::as_ref);
            have.is_some_and(|have| have.thumbprint == own)
        });
        same.map(|(name, _)| name.clone()).collect()
    }

    /// What becomes of sign-in through load balancers that presented the same certificate as the server.
    pub(super) fn sign_in_refused(&self, server: &ServerName, shared: Vec<BalancerName>) -> Vec<SideEffect> {
        let now = self.organization.servers.get(server).and_then(front_end);
        let differs = |name: &BalancerName| {
            let have =
                self.organization.balancers.get(name).and_then(|own| own.certificate.known()?.as_ref());
            have.map(|have| have.thumbprint) != now
        };
        let differing = shared.into_iter().filter(differs);
        differing.map(|balancer| SideEffect::SignInRefused { balancer }).collect()
    }
}

/// The certificate of the Default Web Site.
fn front_end(server: &Server) -> Option<Thumbprint> {
    server.sites.known()?.get(&SiteBinding::default_web_site()).copied().flatten()
}
