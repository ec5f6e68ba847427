//! How a verb changes the lab: one server by Exchange's rules, written as one whole.

use std::collections::BTreeMap;

use super::{
    Lab,
    directory::{OrganizationState, ServerState},
    failed,
    files::LabError,
};
use crate::{
    exchange::refusal::{Refusal, Why},
    model::{bundle::Bundle, names::ServerName, organization::Organization, version::ServerVersion},
    pki::{self, pfx},
    ports::{BoxError, driver::DriverError},
};

impl Lab {
    /// Does something to one server by Exchange's rules and writes the result as one whole.
    pub(super) fn change<T>(
        &self,
        server: &ServerName,
        doing: &str,
        change: impl FnOnce(&mut Organization, &OrganizationState) -> Result<T, LabError>,
    ) -> Result<T, DriverError> {
        let changed = self.directory.change_server(server, |state, organization_state| {
            let mut organization = organization_of(server, state, organization_state);
            let result = change(&mut organization, organization_state)?;
            if let Some(changed) = organization.servers.remove(server) {
                state.server = changed;
            }
            Ok(result)
        });
        changed.map_err(|error| into_driver_error(doing.to_owned(), error))
    }

    /// Writes down how many keys of a pool are used up.
    pub(super) fn note_keys(&self) -> Result<(), DriverError> {
        let taken = self.keys.taken();
        if taken == 0 {
            return Ok(());
        }
        let noted = self.directory.change_organization(|state| {
            state.keys_taken = taken;
            Ok(())
        });
        noted.map_err(|error| into_driver_error("noting the keys that were taken".into(), error))
    }
}

/// What comes out of a PFX under a password of its own, as everything that travels does.
pub(super) fn through_pfx(
    bundle: &Bundle,
    friendly_name: &str,
    encryption: pfx::Encryption,
) -> Result<Travelled, BoxError> {
    let password = pki::ephemeral_password()?;
    let bytes = pfx::to_travel(bundle, &password, friendly_name, encryption)?;
    Ok(Travelled { bundle: pfx::read(&bytes, &password)?, encryption: pfx::Encryption::of(&bytes) })
}

/// What came out of a PFX, and how that was encrypted.
pub(super) struct Travelled {
    pub(super) bundle: Bundle,
    pub(super) encryption: pfx::Encryption,
}

pub(super) fn reads_modern(version: ServerVersion) -> bool {
    version.release().reads_modern_pfx()
}

/// The organization as far as one server's cmdlets look at it.
pub(super) fn organization_of(
    name: &ServerName,
    state: &ServerState,
    organization: &OrganizationState,
) -> Organization {
    organization.clone().with(BTreeMap::from([(name.clone(), state.server.clone())]))
}

pub(super) fn refused(server: &ServerName, why: Why) -> LabError {
    Refusal { server: server.clone(), why }.into()
}

pub(super) fn into_driver_error(doing: String, error: LabError) -> DriverError {
    match error {
        LabError::Refused(refusal) => refusal.into(),
        error => failed(doing, error),
    }
}
