//! The Auth certificate of a lab: `Set-AuthConfig`, and what the servicelets of the Service Host do by themselves (facts
//! 4.4).

use std::collections::BTreeMap;

use super::{
    directory::{Directory, OrganizationState, ServerState},
    files::LabError,
    seed::{AuthSeed, Seed},
};
use crate::{
    exchange::verbs::{self, auth},
    model::{
        fact::Fact,
        names::{CertificateName, ServerName},
        organization::{FederationTrust, Organization},
        server::StoredCertificate,
        service::{Service, Services},
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    ports::driver::Wanted,
};

/// `Set-AuthConfig`, in one of its forms.
pub(super) fn set_auth_config(
    directory: &Directory,
    change: impl FnOnce(&mut Organization) -> Result<(), LabError>,
) -> Result<(), LabError> {
    let servers = directory.observe(Wanted::Everything)?.servers;
    directory.change_organization(|state| {
        let mut organization = state.clone().with(servers);
        change(&mut organization)?;
        state.auth = organization.auth.known().cloned().flatten();
        Ok(())
    })
}

/// The certificate servicelet: copies the next Auth certificate with its key to every server that lacks it. A lab has one
/// site of Active Directory, and so none is left out.
pub(super) fn distribute_auth(directory: &Directory, thumbprint: Thumbprint) -> Result<(), LabError> {
    let servers = directory.observe(Wanted::Everything)?.servers;
    let holder = servers.iter().find(|(_, server)| auth::has_with_key(server, thumbprint));
    let Some((holder, stored)) =
        holder.and_then(|(name, server)| Some((name, server.certificate(thumbprint)?)))
    else {
        return Ok(());
    };
    let key = directory.key(holder, thumbprint)?;
    for (name, _) in
        servers.iter().filter(|(_, server)| server.signs_tokens() && server.certificate(thumbprint).is_none())
    {
        directory.write_key(name, thumbprint, &key)?;
        directory.change_server(name, |state, organization| copy(name, state, organization, stored))?;
    }
    Ok(())
}

/// The AuthAdmin servicelet, which publishes what is due.
pub(super) fn publish_when_due(state: &mut OrganizationState, now: Timestamp, service_starts: bool) {
    let due =
        state.auth.as_ref().is_some_and(|config| auth::publishes_by_itself(config, now, service_starts));
    if due {
        let mut organization = state.clone().with(BTreeMap::new());
        // What is staged can be published.
        if auth::publish_auth(&mut organization).is_ok() {
            state.auth = organization.auth.known().cloned().flatten();
        }
    }
}

/// The same when the Service Host of a server has been restarted.
pub(super) fn service_host_started(directory: &Directory, now: Timestamp) -> Result<(), LabError> {
    directory.change_organization(|state| {
        publish_when_due(state, now, true);
        Ok(())
    })
}

/// Sets what the seed says of the Auth certificates and the federation trust.
pub(super) fn seed(
    organization: &mut Organization,
    seed: &Seed,
    made: &BTreeMap<CertificateName, Thumbprint>,
    now: Timestamp,
) -> Result<(), LabError> {
    let find = |name: &CertificateName| {
        let missing = || LabError::CannotSetUp(format!("there is no certificate {name} in the lab"));
        made.get(name).copied().ok_or_else(missing)
    };
    if let Some(name) = &seed.federation {
        organization.federation =
            Fact::Known(Some(FederationTrust { current: Some(find(name)?), next: None }));
    }
    let Some(AuthSeed { current, next, next_effective, previous, missing_on }) = &seed.auth else {
        return Ok(());
    };
    let mut config = organization.auth.known().cloned().flatten().unwrap_or_default();
    for server in missing_on {
        let store = organization.servers.get_mut(server).and_then(|server| server.certificates.known_mut());
        drop(store.zip(config.current).map(|(store, current)| store.0.remove(&current)));
    }
    config.current = current.as_ref().map(find).transpose()?.or(config.current);
    config.next = next.as_ref().map(find).transpose()?;
    config.next_effective = next_effective.map(|moment| moment.from(now));
    config.previous = previous.as_ref().map(find).transpose()?;
    organization.auth = Fact::Known(Some(config));
    Ok(())
}

fn copy(
    name: &ServerName,
    state: &mut ServerState,
    organization: &OrganizationState,
    stored: &StoredCertificate,
) -> Result<(), LabError> {
    let mut own = organization.clone().with(BTreeMap::from([(name.clone(), state.server.clone())]));
    let services: Services = [Service::Smtp].into();
    let services = Fact::Known(services);
    verbs::store(&mut own, name, StoredCertificate { services, ..stored.clone() })?;
    if let Some(server) = own.servers.remove(name) {
        state.server = server;
    }
    Ok(())
}
