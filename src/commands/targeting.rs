//! `--server` and `--certificate`: what a plan, or a look, is narrowed to.

use std::collections::BTreeSet;

use super::{CommandError, Exit};
use crate::{
    manifest::suggestion::suggestion,
    model::{
        desired::Desired,
        names::{CertificateName, ServerName},
    },
    plan::Narrowing,
};

/// The servers and certificates that the command line names; all where it names none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named<'a> {
    /// The servers.
    pub servers: &'a [ServerName],
    /// The certificates of the manifest.
    pub certificates: &'a [CertificateName],
}

impl Named<'_> {
    /// Whether anything is named.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty() && self.certificates.is_empty()
    }

    /// The narrowing, whether the manifest knows the names or not.
    pub(super) fn as_they_are(&self) -> Narrowing {
        Narrowing {
            servers: self.servers.iter().cloned().collect(),
            certificates: self.certificates.iter().cloned().collect(),
        }
    }

    /// The narrowing, when the manifest knows every name.
    pub(super) fn narrowing(&self, desired: &Desired) -> Result<Narrowing, CommandError> {
        let servers: BTreeSet<&ServerName> = desired.servers.keys().collect();
        let auth = desired.auth.as_ref().map(|auth| &auth.certificate.id.name);
        let certificates: BTreeSet<&CertificateName> =
            desired.certificates.keys().map(|id| &id.name).chain(auth).collect();
        if let Some(unknown) = self.servers.iter().find(|name| !servers.contains(name)) {
            return Err(refused("server", &unknown.to_string(), servers));
        }
        if let Some(unknown) = self.certificates.iter().find(|name| !certificates.contains(name)) {
            return Err(refused("certificate", &unknown.to_string(), certificates));
        }
        Ok(self.as_they_are())
    }
}

/// A name that is not in the manifest would narrow a plan to nothing, which looks like nothing to do.
fn refused<T: ToString>(what: &str, name: &str, known: impl IntoIterator<Item = T>) -> CommandError {
    let known: Vec<String> = known.into_iter().map(|known| known.to_string()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    CommandError::new(Exit::Usage, format!("the manifest names no {what} `{name}`"))
        .hint(suggestion(name, &known))
}
