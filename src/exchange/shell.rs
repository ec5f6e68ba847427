//! Whether the management shell of a server answers. It comes through the site Exchange Back End: without a certificate
//! there, no cmdlet does anything, while IIS itself can still be set through Windows (facts 4.3).

use super::refusal::{Refusal, Why};
use crate::model::{
    names::ServerName,
    organization::Organization,
    server::{Server, StoredCertificate},
    site::SiteBinding,
};

/// Refuses when the server's management shell does not answer.
pub fn require(organization: &Organization, name: &ServerName) -> Result<(), Refusal> {
    let server = organization.servers.get(name);
    match server {
        Some(server) if !answers(server) => Err(Refusal { server: name.clone(), why: Why::ShellDown }),
        Some(_) | None => Ok(()),
    }
}

/// Whether the server's management shell answers, as far as it is known. Servers without the site, those before 2013 and
/// Edge servers, do not depend on it. That an expired certificate is enough for the shell is inferred.
pub fn answers(server: &Server) -> bool {
    let (Some(sites), Some(store)) = (server.sites.known(), server.certificates.known()) else { return true };
    match sites.get(&SiteBinding::back_end()) {
        None => true,
        Some(None) => false,
        Some(Some(hash)) => {
            store.0.get(hash).is_some_and(|StoredCertificate { has_private_key, .. }| *has_private_key)
        }
    }
}
