//! What nothing uses is looked at all the same, for the sake of the mistakes in it.

use std::collections::BTreeSet;

use super::{Resolver, written::Written};
use crate::{
    manifest::{CertificateScope, finding::DocPath},
    model::names::CertificateName,
};

impl Resolver<'_> {
    /// What a profile names that no server has yet is looked for all the same: the first server that takes it would find the slip.
    pub(super) fn unused_profiles(&mut self) {
        let manifest = self.manifest;
        let used: BTreeSet<&String> =
            manifest.servers.values().filter_map(|server| server.profile.as_ref()).collect();
        for (name, uses) in manifest.profiles.iter().filter(|(name, _)| !used.contains(name)) {
            for (path, certificate) in Written::from(uses).certificates(&DocPath::of(&["profiles", name])) {
                if !manifest.certificates.contains_key(certificate) {
                    let known = manifest.certificates.keys().map(CertificateName::as_str);
                    self.unknown("certificate", certificate.as_str(), known, path);
                }
            }
        }
    }

    /// Certificates that nothing uses are resolved too, for the sake of the mistakes in them.
    pub(super) fn unused_certificates(&mut self) {
        let manifest = self.manifest;
        let used: BTreeSet<CertificateName> = self.certificates.keys().map(|id| id.name.clone()).collect();
        for (name, spec) in &manifest.certificates {
            if used.contains(name) || spec.scope != CertificateScope::Organization {
                continue;
            }
            let own = DocPath::of(&["certificates"]).key(name);
            if self.found.range(&own..).next().is_none_or(|path| !path.starts_with(&own)) {
                self.certificate(name, &|| own.clone(), None);
            }
        }
    }
}
