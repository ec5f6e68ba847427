//! Laws about certificates that are Exchange's or Windows' own: no plan touches them, whatever a manifest says, and only
//! the Auth certificate's own steps change the Auth certificate.

use super::lint::Unsafe;
use crate::{
    exchange::{
        builtin::{self, BuiltIn},
        simulation::SimulatedOrganization,
        verbs::auth::has_with_key,
    },
    model::{
        action::{Action, CertRef, StepId},
        certificate::Certificate,
        desired::Desired,
        names::ServerName,
    },
};

/// Steps that bind, name or remove a certificate that is nobody's, or that would have a certificate for TLS sign tokens.
pub(super) fn touched(world: &SimulatedOrganization, step: StepId, action: &Action) -> Option<Unsafe> {
    let server = action.server();
    let built_in = |certificate: &CertRef| builtin::recognise(found(world, server, *certificate)?);
    if let Action::StageAuth { certificate, .. } = action {
        return match built_in(certificate) {
            Some(BuiltIn::Auth) => None,
            Some(BuiltIn::Federation | BuiltIn::WebManagement | BuiltIn::CloudAgent) | None => {
                Some(Unsafe::AuthIsForTls(step))
            }
        };
    }
    let touched = action.facts().touches?;
    built_in(&touched).map(|_| Unsafe::Protected(step))
}

/// Servers of the manifest that would get tokens signed by a certificate that they do not have.
pub(super) fn before_publication(
    world: &SimulatedOrganization,
    desired: &Desired,
    step: StepId,
    action: &Action,
) -> Vec<Unsafe> {
    let Action::PublishAuth { certificate } = action else { return Vec::new() };
    let thumbprint = world.thumbprint(*certificate);
    let lacking = desired.servers.keys().filter(|name| {
        world.organization.servers.get(*name).is_some_and(|server| {
            let seen = server.certificates.known().is_some();
            server.signs_tokens() && seen && !has_with_key(server, thumbprint)
        })
    });
    lacking.map(|server| Unsafe::AuthNotEverywhere { step, server: server.clone() }).collect()
}

/// The certificate of an action: on the server on which it acts, and where it acts on none, on any.
fn found<'a>(
    world: &'a SimulatedOrganization,
    server: Option<&ServerName>,
    certificate: CertRef,
) -> Option<&'a Certificate> {
    let (thumbprint, servers) = (world.thumbprint(certificate), &world.organization.servers);
    let stored = match server {
        Some(own) => servers.get(own).and_then(|own| own.certificate(thumbprint)),
        None => servers.values().find_map(|server| server.certificate(thumbprint)),
    };
    stored.map(|stored| &stored.certificate).or_else(|| world.issued(certificate))
}
