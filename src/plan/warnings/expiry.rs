//! What is in use when all steps are done, and ends: declared or not.

use crate::{
    exchange::ending,
    model::{
        desired::Desired,
        ending::MissingAuth,
        warning::{AuthWarning, ExpiryNotice, Warning},
    },
    plan::builder::PlanBuilder,
};

/// Warns of what no step replaces.
pub(in crate::plan) fn warn(builder: &mut PlanBuilder, desired: &Desired) {
    let organization = &builder.world.organization;
    let endings = ending::endings(organization, desired.servers.keys(), desired.expiry_warning, builder.now);
    let missing = ending::missing_auth(organization);
    let told = |thumbprint| {
        builder.warnings().iter().any(|warning| {
            matches!(warning, Warning::Auth(AuthWarning::AuthNotDeclared { thumbprint: own, .. }) if *own == thumbprint)
        })
    };
    let mut notices: Vec<ExpiryNotice> = endings
        .into_iter()
        .filter(|ending| ending.server.is_some() || !told(ending.certificate))
        .map(|ending| ExpiryNotice::EndsInUse { ending })
        .collect();
    notices.extend(missing.map(|MissingAuth { certificate, servers, everywhere }| {
        let servers = if everywhere { Vec::new() } else { servers };
        ExpiryNotice::AuthCertificateMissing { thumbprint: certificate, servers }
    }));
    for notice in notices {
        builder.warn(notice);
    }
}
