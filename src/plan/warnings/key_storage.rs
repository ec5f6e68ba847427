//! Private keys that something else keeps than Exchange can use (facts 8.4; 15, no. 30).

use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, presented},
        selection::Presented,
    },
    model::{
        desired::Desired,
        key::PublicKey,
        names::ServerName,
        server::{KeyProvider, Server, StoredCertificate},
        thumbprint::Thumbprint,
        version::Release,
    },
    plan::builder::PlanBuilder,
};

/// Adds the warnings about every server of the manifest. A key whose provider nobody saw says nothing.
pub(in crate::plan) fn advise(builder: &mut PlanBuilder, desired: &Desired) {
    let auth = builder.world.organization.auth.known().and_then(Option::as_ref);
    let auth: Vec<Thumbprint> =
        auth.into_iter().flat_map(|auth| [auth.current, auth.next]).flatten().collect();
    for name in desired.servers.keys() {
        let Some(server) = builder.server(name) else { continue };
        let store = server.certificates.known().into_iter().flat_map(|store| store.0.values());
        let in_cng: Vec<&StoredCertificate> = store.filter(|stored| is_in_cng(stored)).collect();
        let warnings: Vec<String> = in_cng
            .into_iter()
            .filter_map(|stored| {
                let is_auth = auth.contains(&stored.certificate.thumbprint);
                if is_auth { Some(of_auth(name, stored)) } else { of_web(builder, name, server, stored) }
            })
            .collect();
        for warning in warnings {
            builder.warn(warning);
        }
    }
}

/// An RSA key that CNG keeps. EC keys are there always, and whether a version can use them is another question.
fn is_in_cng(stored: &StoredCertificate) -> bool {
    let is_rsa = matches!(stored.certificate.key, PublicKey::Rsa(_));
    is_rsa && stored.has_private_key && stored.key_provider.known() == Some(&KeyProvider::Ksp)
}

fn of_auth(name: &ServerName, stored: &StoredCertificate) -> String {
    format!(
        "{name} keeps the key of the Auth certificate {} with a key storage provider (CNG), where Exchange cannot use it: \
         tokens cannot be signed. Make another with `New-ExchangeCertificate`{}",
        stored.certificate.thumbprint.short(),
        or_to_csp(stored)
    )
}

fn of_web(
    builder: &PlanBuilder,
    name: &ServerName,
    server: &Server,
    stored: &StoredCertificate,
) -> Option<String> {
    let release = server.version.known()?.release();
    let thumbprint = stored.certificate.thumbprint;
    let is_of_iis = binding_points(server).into_iter().any(|place| {
        matches!(place, BindingPoint::Site(_))
            && presented(server, &place, builder.now) == Presented::Certificate(thumbprint)
    });
    (release <= Release::Exchange2013 && is_of_iis).then(|| {
        format!(
            "{name} keeps the key of {} with a key storage provider (CNG), which {release} cannot use: people who sign in \
             to Outlook on the web or to the admin center come back to the sign-in page. Have it renewed{}",
            thumbprint.short(),
            or_to_csp(stored)
        )
    })
}

/// The same certificate and key once more, into the provider that Exchange's own cmdlets use; nothing to say of a key that
/// may not leave.
fn or_to_csp(stored: &StoredCertificate) -> String {
    if stored.exportable.known() == Some(&false) {
        return "; its key may not leave the server".into();
    }
    format!(
        ", or bring the key to where it belongs: `certutil -exportPFX My {thumbprint} key.pfx`, then `certutil -delstore My \
         {thumbprint}`, then `certutil -csp \"Microsoft RSA SChannel Cryptographic Provider\" -importPFX key.pfx \
         AT_KEYEXCHANGE`, and enable its services again",
        thumbprint = stored.certificate.thumbprint
    )
}
