//! `Services` as `Get-ExchangeCertificate` computes it (facts 2.2).

use crate::model::{
    fact::Fact,
    names::DnsName,
    server::{MailAccess, Server, StoredCertificate},
    service::Service,
    site::SiteBinding,
};

/// Recomputes what is only displayed: IIS from the bindings of the sites, POP and IMAP from the names. SMTP, UM and
/// Federation are the certificate's own and stay.
pub fn refresh(server: &mut Server) {
    let Server { certificates, sites, pop, imap, .. } = server;
    let Some(store) = certificates.known_mut() else { return };
    for stored in store.0.values_mut() {
        let StoredCertificate { certificate, services, .. } = stored;
        let Some(services) = services.known_mut() else { continue };
        let mut show = |service, shown: Option<bool>| match shown {
            Some(true) => drop(services.insert(service)),
            Some(false) => drop(services.remove(&service)),
            None => {}
        };
        let bound =
            sites.known().map(|sites| sites.values().any(|hash| *hash == Some(certificate.thumbprint)));
        show(Service::Iis, bound);
        let names = |settings: &Fact<Option<MailAccess>>| {
            let name = settings.known()?.as_ref().and_then(|settings| settings.x509_certificate_name.clone());
            Some(name.is_some_and(|name: DnsName| certificate.covers(&name)))
        };
        show(Service::Pop, names(pop));
        show(Service::Imap, names(imap));
    }
}

/// The bindings that `Enable-ExchangeCertificate -Services IIS` sets: those of the Default Web Site on port 443, for all
/// addresses and for the server itself, without a host name. That it sets `127.0.0.1:443` is inferred (facts 11.1);
/// bindings with a host name are left alone (facts 16, probe 10).
pub fn set_by_enable_iis(binding: &SiteBinding) -> bool {
    let SiteBinding { site, address, port, host } = binding;
    site == SiteBinding::DEFAULT_WEB_SITE
        && *port == 443
        && host.is_none()
        && address.as_deref().is_none_or(|address| address == "127.0.0.1")
}
