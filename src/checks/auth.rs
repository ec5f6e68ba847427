//! From what a manifest says of the Auth certificate to what is desired. Exchange decides most of it (facts 4.1, 4.4).

use crate::{
    exchange::setup::AUTH,
    manifest::{AuthCertificateSpec, Manifest},
    model::{
        auth::DesiredAuth,
        desired::{CertificateId, DesiredCertificate, Includes, Origin},
        dn::DistinguishedName,
        policy::{ExtraServices, Retire},
    },
};

/// The Auth certificate that the manifest asks for, on every server but Edge servers.
pub(super) fn desired(manifest: &Manifest, spec: &AuthCertificateSpec) -> DesiredAuth {
    let AuthCertificateSpec { key, renew_before, effective_after, clear_previous_after, microsoft365 } = spec;
    let servers = manifest.servers.iter().filter(|(_, server)| !server.edge);
    let certificate = DesiredCertificate {
        id: CertificateId { name: KEY.parse().expect("a certificate's name"), server: None },
        issuer: "exchange".parse().expect("an issuer's name"),
        origin: Origin::SelfSigned,
        subject: DistinguishedName::common_name_only(AUTH),
        // `-DomainName @()`: a certificate without names, which no connector and no client can take for its own.
        names: Vec::new(),
        includes: Includes::default(),
        friendly_name: AUTH.parse().expect("a friendly name"),
        key: key.spec(),
        exportable: true,
        renew_before: *renew_before,
        retire: Retire::Never,
        extra_services: ExtraServices::Keep,
        copy_from: None,
        untrusted: None,
        compromised: manifest.compromised.clone(),
        servers: servers.map(|(name, _)| name.clone()).collect(),
    };
    DesiredAuth {
        certificate,
        effective_after: *effective_after,
        clear_previous_after: *clear_previous_after,
        reported: *microsoft365,
    }
}

/// The manifest's key, which also stands for the certificate in plans.
pub(super) const KEY: &str = "authCertificate";
