//! Places that present no certificate and of which nothing else speaks.

use super::expect;
use crate::{
    exchange::without_certificate,
    model::{
        desired::Desired,
        names::ServerName,
        organization::Organization,
        time::Timestamp,
        without_certificate::{NamingPlace, NonePresented, WithoutCertificate},
    },
};

/// The places of these servers that name a certificate, present none, and are not declared: declared ones have their own words. Of
/// a server that is left out the declared ones too, since nothing is planned for them and nobody meets them. Connectors that are set
/// to offer no TLS are meant so, unless they are declared.
pub fn undeclared_without_certificate<'a>(
    desired: &Desired,
    organization: &Organization,
    servers: impl Iterator<Item = &'a ServerName>,
    now: Timestamp,
) -> Vec<WithoutCertificate> {
    let found = without_certificate::without_certificate(organization, servers, now).into_iter();
    let found = found.map(|own| WithoutCertificate { left_out: desired.is_left_out(&own.server), ..own });
    found
        .filter(|own| {
            own.left_out && !is_meant(own) || is_meant(own) == is_declared(desired, organization, own)
        })
        .collect()
}

/// Whether somebody has set it so that the place presents nothing: only what the manifest declares for it makes it wrong.
fn is_meant(found: &WithoutCertificate) -> bool {
    match found.why {
        NonePresented::NotOffered { .. } | NonePresented::Disabled {} => true,
        NonePresented::NotInStore { .. }
        | NonePresented::NoPrivateKey { .. }
        | NonePresented::NoKeyAccess { .. }
        | NonePresented::NoneFits { .. } => false,
    }
}

fn is_declared(desired: &Desired, organization: &Organization, found: &WithoutCertificate) -> bool {
    if let NamingPlace::SendConnector(name) = &found.place {
        return desired.send_connectors.get(name).is_some_and(Option::is_some);
    }
    let own = desired.servers.get(&found.server).zip(organization.servers.get(&found.server));
    let declared = |place| own.and_then(|(own, server)| expect::declared(own, server, &place));
    found.place.met_at().and_then(declared).is_some()
}
