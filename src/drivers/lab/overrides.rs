//! Setting overrides of a lab: which certificate Outlook on the web uses for instant messaging.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{directory::Directory, files::LabError, seed::Seed};
use crate::{
    exchange::im,
    model::{
        fact::Fact,
        names::{CertificateName, OverrideName},
        organization::{ImOverride, Organization},
        schema::JsonSchema,
        thumbprint::Thumbprint,
    },
};

/// A setting override of the section `IMSettings` of `OwaServer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImOverrideSeed {
    /// The certificate that it names: a name from `certificates`.
    pub certificate: CertificateName,
    /// The servers that it applies to. Wildcards are allowed. If omitted, all servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<String>,
}

/// Writes the setting overrides of the seed.
pub(super) fn seed(
    organization: &mut Organization,
    seed: &Seed,
    made: &BTreeMap<CertificateName, Thumbprint>,
) -> Result<(), LabError> {
    let mut overrides = BTreeMap::new();
    for (name, ImOverrideSeed { certificate, servers }) in &seed.instant_messaging {
        let missing =
            || LabError::CannotSetUp(format!("{name} names {certificate}, which the lab does not have"));
        let certificate = Some(*made.get(certificate).ok_or_else(missing)?);
        overrides.insert(name.clone(), ImOverride { certificate, servers: servers.clone() });
    }
    organization.im_overrides = Fact::Known(overrides);
    Ok(())
}

/// `Set-SettingOverride`. It stores the thumbprint, whichever it is.
pub(super) fn override_im_certificate(
    directory: &Directory,
    name: &OverrideName,
    certificate: Thumbprint,
) -> Result<(), LabError> {
    directory.change_organization(|state| {
        let mut organization = state.clone().with(BTreeMap::new());
        im::set_certificate(&mut organization, name, certificate)?;
        state.im_overrides = organization.im_overrides.known().cloned().unwrap_or_default();
        Ok(())
    })
}
