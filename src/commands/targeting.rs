//! `--server` and `--certificate`: what a plan, or a look, is narrowed to.

use std::{collections::BTreeSet, str::FromStr};

use super::{CommandError, Exit};
use crate::{
    manifest::suggestion::suggestion,
    model::{
        desired::Desired,
        names::{CertificateName, NameError, ServerName},
        organization::Observed,
        server::Server,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    plan::{Narrowing, plan_certificate},
};

/// The servers and certificates that the command line names; all where it names none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named<'a> {
    /// The servers.
    pub servers: &'a [ServerName],
    /// The certificates of the manifest.
    pub certificates: &'a [CertificateName],
    /// Certificates that are replaced now, whatever their dates.
    pub replace: &'a [Replaced],
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
        let is_left_out = |name: &&ServerName| desired.is_left_out(name);
        if let Some(name) = self.servers.iter().find(is_left_out) {
            let message = format!("the manifest leaves {name} out: nothing is planned for it or asked of it");
            return Err(CommandError::new(Exit::Usage, message)
                .hint(format!("take `leftOut` from the entry of {name} when it is to be changed again")));
        }
        Ok(self.as_they_are())
    }
}

/// `--replace`: the thumbprints of certificates that are replaced now. A certificate of the manifest means what stands for it.
pub(super) fn compromised(
    replace: &[Replaced],
    desired: &Desired,
    observed: &Observed,
    now: Timestamp,
) -> Result<Vec<Thumbprint>, CommandError> {
    let mut thumbprints = Vec::new();
    for replaced in replace {
        let name = match replaced {
            Replaced::Thumbprint(thumbprint) => {
                let servers = &observed.organization.servers;
                let is_there = |server: &Server| {
                    server.certificates.known().is_none() || server.certificate(*thumbprint).is_some()
                };
                if !servers.values().any(is_there) {
                    return Err(CommandError::new(
                        Exit::Usage,
                        format!("no server has a certificate {thumbprint}: there is nothing to replace"),
                    )
                    .hint("`certwright observe` lists what servers have; `--replace` takes a certificate of the manifest by its name too"));
                }
                thumbprints.push(*thumbprint);
                continue;
            }
            Replaced::Certificate(name) => name,
        };
        let ids: Vec<_> = desired.certificates.keys().filter(|id| id.name == *name).collect();
        if ids.is_empty() {
            let known: BTreeSet<&CertificateName> = desired.certificates.keys().map(|id| &id.name).collect();
            return Err(refused("certificate", &name.to_string(), known));
        }
        thumbprints.extend(
            ids.into_iter().filter_map(|id| plan_certificate(id, desired, observed, now)?.standing()),
        );
    }
    Ok(thumbprints)
}

/// A certificate that is replaced now: by its thumbprint, or as the manifest calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// The certificate itself.
    Thumbprint(Thumbprint),
    /// One of the manifest.
    Certificate(CertificateName),
}

impl FromStr for Replaced {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.parse() {
            Ok(thumbprint) => Ok(Self::Thumbprint(thumbprint)),
            Err(_) => text.parse().map(Self::Certificate),
        }
    }
}

/// A name that is not in the manifest would narrow a plan to nothing, which looks like nothing to do.
fn refused<T: ToString>(what: &str, name: &str, known: impl IntoIterator<Item = T>) -> CommandError {
    let known: Vec<String> = known.into_iter().map(|known| known.to_string()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    CommandError::new(Exit::Usage, format!("the manifest names no {what} `{name}`"))
        .hint(suggestion(name, &known))
}
