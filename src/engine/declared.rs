//! What every endpoint of a manifest should serve today.

use std::collections::BTreeMap;

use super::verify::Check;
use crate::{
    model::{
        action::CertRef,
        desired::{CertificateId, Desired, DesiredServer},
        names::ServerName,
        organization::Observed,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    plan::{expect, plan_certificate},
};

/// What can be proved, and what cannot.
#[derive(Debug, Default)]
pub struct Declared {
    /// The endpoints and what each should serve.
    pub checks: Vec<Check>,
    /// Parts of the manifest that no handshake can prove, each as a sentence.
    pub not_provable: Vec<String>,
}

/// What every endpoint should serve, by the certificates that stand for the manifest's today.
pub fn declared(desired: &Desired, observed: &Observed, now: Timestamp) -> Declared {
    let decide = |id| Some((id, plan_certificate(id, desired, observed, now)?.standing()?));
    let standing: BTreeMap<&CertificateId, Thumbprint> =
        desired.certificates.keys().filter_map(decide).collect();
    let mut declared = Declared::default();
    for (name, own) in &desired.servers {
        declared.add_server(observed, name, own, &|id| standing.get(id).copied(), now);
    }
    declared
}

impl Declared {
    fn add_server(
        &mut self,
        observed: &Observed,
        name: &ServerName,
        own: &DesiredServer,
        chosen: &dyn Fn(&CertificateId) -> Option<Thumbprint>,
        now: Timestamp,
    ) {
        let Some(server) = observed.organization.servers.get(name) else {
            self.not_provable.push(format!("{name}: the server was not observed"));
            return;
        };
        let mut missing: Vec<&CertificateId> = own.uses().filter(|id| chosen(id).is_none()).collect();
        missing.sort_unstable();
        missing.dedup();
        let say =
            |id: &CertificateId| format!("{name}: {id} does not exist yet; `certwright plan` tells more");
        self.not_provable.extend(missing.into_iter().map(say));
        for expectation in expect::expectations(own, server, chosen, now) {
            let CertRef::Known(expected) = expectation.certificate else { continue };
            self.checks.push(Check {
                server: name.clone(),
                fqdn: own.fqdn.clone(),
                endpoint: expectation.endpoint,
                name: expectation.name,
                expected,
                client_auth: false,
            });
        }
    }
}
