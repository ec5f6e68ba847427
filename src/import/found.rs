//! What is written into a manifest.

use std::collections::{BTreeMap, BTreeSet};

use super::{certificates::Groups, places::ServerPlaces};
use crate::model::{
    names::{CertificateName, ConnectorName, ServerName},
    policy::RenewBefore,
};

/// What a first look at the plan told about the manifest: choices that keep things as they are.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// Certificates whose predecessors stay.
    pub retire_never: BTreeSet<CertificateName>,
    /// Certificates that are not to be renewed yet, and when they are.
    pub renew_before: BTreeMap<CertificateName, RenewBefore>,
}

/// What there is to write.
pub(super) struct Found {
    pub(super) groups: Groups,
    pub(super) servers: BTreeMap<ServerName, ServerPlaces>,
    pub(super) send_connectors: Vec<(ConnectorName, usize)>,
    pub(super) hybrid: Option<usize>,
    /// What the manifest cannot say.
    pub(super) notes: Vec<String>,
}
