//! What the steps of a run have produced so far, for the steps after them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use super::error::StepError;
use crate::{
    apply::ports::Ports,
    exchange::refusal::{Refusal, Why},
    model::{
        action::{BundleSource, CertRef, ConnectorRef, Drain, StepId, TlsName},
        bundle::Bundle,
        certificate::Der,
        desired::{CertificateId, Desired},
        dn::TlsCertificateName,
        entry::{OtherSource, StepOutput},
        names::ServerName,
        plan::Plan,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    plan::recovery::{Begun, Settled},
    ports::{
        BoxError, FoundDrained,
        driver::{DriverError, Wanted},
        evidence::Verified,
    },
    verify::check::TrustedBy,
};

/// What the steps of a run have produced so far.
#[derive(Default)]
pub(in crate::apply) struct Outputs {
    begun: BTreeMap<StepId, Begun>,
    /// The steps that were begun, by this process or by one before it.
    tried: Mutex<BTreeSet<StepId>>,
    /// Those that may have left a server drained.
    left_drained: Mutex<BTreeSet<StepId>>,
    certificates: Mutex<BTreeMap<StepId, Thumbprint>>,
    public_keys: Mutex<BTreeMap<StepId, String>>,
    requests: Mutex<BTreeMap<StepId, Der>>,
    bundles: Mutex<BTreeMap<StepId, Arc<Bundle>>>,
    verified: Mutex<BTreeMap<ServerName, Arc<Verified>>>,
    trusted_by: BTreeMap<CertRef, TrustedBy>,
}

impl Outputs {
    /// What an earlier process has produced for this run.
    pub(in crate::apply) fn of(settled: &Settled, plan: &Plan, desired: &Desired) -> Self {
        let trusted_by = trusted_by(plan, desired);
        let tried = Mutex::new(settled.again.clone());
        let left_drained = Mutex::new(settled.left_drained.clone());
        let begun = settled.begun.clone();
        let outputs = Self { begun, tried, left_drained, trusted_by, ..Self::default() };
        for (step, output) in &settled.done {
            outputs.note(*step, output);
        }
        for (step, begun) in &settled.begun {
            match begun {
                Begun::Stored(output) => outputs.note(*step, output),
                Begun::Orphan(_) | Begun::Removed => {}
            }
        }
        outputs
    }

    /// Notes that a step begins. Whether it was begun before: what it stops may stand still since then.
    pub(super) fn begins_again(&self, step: StepId) -> bool {
        !self.tried.lock().expect(UNPOISONED).insert(step)
    }

    /// Whose a server is that this step finds drained: only what an earlier attempt may have left is certwright's own.
    pub(super) fn found_drained(&self, step: StepId, drain: Option<&Drain>) -> FoundDrained {
        let left = drain.is_some_and(|drain| drain.left_out)
            || self.left_drained.lock().expect(UNPOISONED).contains(&step);
        if left { FoundDrained::Own } else { FoundDrained::Foreign }
    }

    /// Notes whether a step may have left a server drained.
    pub(super) fn note_drain(&self, step: StepId, restarted: &Result<(), StepError>) {
        if let Err(error) = restarted
            && (error.leaves_doubt() || matches!(error, StepError::StillOut { .. }))
        {
            self.left_drained.lock().expect(UNPOISONED).insert(step);
        }
    }

    /// The certificate that a step has made.
    pub(super) fn made(&self, step: StepId) -> Option<Thumbprint> {
        self.certificates.lock().expect(UNPOISONED).get(&step).copied()
    }

    /// By what clients trust a certificate; what no manifest declares is not judged.
    pub(super) fn trusted_by(&self, certificate: CertRef) -> TrustedBy {
        self.trusted_by.get(&certificate).copied().unwrap_or(TrustedBy::Unchecked)
    }

    /// The certificate that this step has stored already and not enabled for all its services.
    pub(super) fn stored(&self, step: StepId) -> Option<(Thumbprint, Timestamp)> {
        match self.begun.get(&step)? {
            Begun::Stored(StepOutput::Certificate { thumbprint, not_after, .. }) => {
                Some((*thumbprint, *not_after))
            }
            Begun::Stored(_) | Begun::Orphan(_) | Begun::Removed => None,
        }
    }

    /// The request that this step has left on the server without writing its file.
    pub(super) fn orphan(&self, step: StepId) -> Option<Thumbprint> {
        match self.begun.get(&step)? {
            Begun::Orphan(request) => Some(*request),
            Begun::Stored(_) | Begun::Removed => None,
        }
    }

    /// Whether this step has removed its certificate, and nobody saw the services before it start again.
    pub(super) fn is_removed(&self, step: StepId) -> bool {
        self.begun.get(&step) == Some(&Begun::Removed)
    }

    /// Notes what a step has produced, now or in the run's past.
    pub(in crate::apply) fn note(&self, step: StepId, output: &StepOutput) {
        let thumbprint = match output {
            StepOutput::Certificate { thumbprint, .. } => *thumbprint,
            StepOutput::Request { thumbprint, public_key, request } => {
                if let Some(request) = request {
                    self.requests.lock().expect(UNPOISONED).insert(step, request.clone());
                }
                self.public_keys.lock().expect(UNPOISONED).insert(step, public_key.clone());
                *thumbprint
            }
            StepOutput::Done | StepOutput::File { .. } | StepOutput::Served { .. } => return,
        };
        self.certificates.lock().expect(UNPOISONED).insert(step, thumbprint);
    }

    pub(super) fn keep(&self, step: StepId, bundle: Bundle) -> StepOutput {
        let (thumbprint, not_after) = (bundle.certificate.thumbprint, bundle.certificate.not_after);
        let output = StepOutput::Certificate { thumbprint, not_after, key_from: None };
        self.note(step, &output);
        self.bundles.lock().expect(UNPOISONED).insert(step, Arc::new(bundle));
        output
    }

    pub(super) fn prove(&self, server: &ServerName, verified: Verified) {
        self.verified.lock().expect(UNPOISONED).insert(server.clone(), Arc::new(verified));
    }

    /// The evidence that this run has verified a server.
    pub(super) fn proof(&self, server: &ServerName) -> Result<Arc<Verified>, StepError> {
        let verified = self.verified.lock().expect(UNPOISONED).get(server).cloned();
        verified.ok_or_else(|| StepError::BrokenPlan(format!("{server} was not verified before the removal")))
    }

    /// The public key of a request that this run made.
    pub(super) fn public_key(&self, request: CertRef) -> Option<String> {
        match request {
            CertRef::Known(_) => None,
            CertRef::FromStep(step) => self.public_keys.lock().expect(UNPOISONED).get(&step).cloned(),
        }
    }

    /// The request that this run made.
    pub(super) fn request(&self, request: CertRef) -> Option<Der> {
        match request {
            CertRef::Known(_) => None,
            CertRef::FromStep(step) => self.requests.lock().expect(UNPOISONED).get(&step).cloned(),
        }
    }

    pub(super) fn thumbprint(&self, certificate: CertRef) -> Result<Thumbprint, StepError> {
        match certificate {
            CertRef::Known(thumbprint) => Ok(thumbprint),
            CertRef::FromStep(step) => {
                let certificates = self.certificates.lock().expect(UNPOISONED);
                let missing = || StepError::BrokenPlan(format!("{step:?} has produced no certificate"));
                certificates.get(&step).copied().ok_or_else(missing)
            }
        }
    }

    /// The certificate and key to import.
    pub(super) fn bundle(
        &self,
        ports: &Ports<'_>,
        certificate: CertRef,
        from: &BundleSource,
        desired: &Desired,
    ) -> Result<(Arc<Bundle>, Option<OtherSource>), StepError> {
        match from {
            BundleSource::Issued(step) => {
                if let Some(bundle) = self.kept(*step) {
                    return Ok((bundle, None));
                }
                let missing = || StepError::BrokenPlan(format!("the certificate of {step:?} was not kept"));
                Ok((Arc::new(ports.artifacts.issued(*step)?.ok_or_else(missing)?), None))
            }
            BundleSource::Server(server) => {
                let thumbprint = self.thumbprint(certificate)?;
                let first = match ports.driver.export(server, thumbprint, true) {
                    Ok(bundle) => return Ok((Arc::new(bundle), None)),
                    Err(error) => error,
                };
                // A key that cannot be read on one server may be on another (facts 8.6).
                let others = desired.servers.keys().filter(|name| *name != server);
                let mut copies = others.filter(|name| has_copy(ports, name, thumbprint));
                let found =
                    copies.find_map(|name| Some((name, ports.driver.export(name, thumbprint, true).ok()?)));
                match (found, first) {
                    (Some((name, found)), first) => {
                        let refused =
                            matches!(first, DriverError::Refused(Refusal { why: Why::NotExportable, .. }));
                        Ok((Arc::new(found), Some(OtherSource { server: name.clone(), refused })))
                    }
                    (None, DriverError::Refused(said @ Refusal { why: Why::NotExportable, .. })) => {
                        Err(StepError::KeyNotExported {
                            server: server.clone(),
                            certificate: thumbprint,
                            said,
                        })
                    }
                    (None, first) => Err(first.into()),
                }
            }
            BundleSource::Backup { run, step, .. } => {
                Ok((Arc::new(ports.artifacts.backup(run.as_deref(), *step)?), None))
            }
        }
    }

    fn kept(&self, step: StepId) -> Option<Arc<Bundle>> {
        self.bundles.lock().expect(UNPOISONED).get(&step).cloned()
    }

    /// The text for a connector: of the certificate that this run issued, or read from a server that has it. `of` is the
    /// certificate of the manifest; without one any server of the manifest is asked, one after the other.
    pub(super) fn tls_name(
        &self,
        ports: &Ports<'_>,
        connector: &ConnectorRef,
        to: &TlsName,
        of: Option<&CertificateId>,
        desired: &Desired,
    ) -> Result<TlsCertificateName, StepError> {
        let reference = match to {
            TlsName::Exactly(name) => return Ok(name.clone()),
            TlsName::Of(certificate) => *certificate,
        };
        if let CertRef::FromStep(step) = reference
            && let Some(bundle) = self.kept(step)
        {
            return Ok(TlsCertificateName::of(&bundle.certificate));
        }
        let certificate = self.thumbprint(reference)?;
        let sharing = of.and_then(|id| desired.certificates.get(id));
        let servers: Vec<&ServerName> = match (connector, sharing) {
            (ConnectorRef::Receive { server, .. }, _) => vec![server],
            (ConnectorRef::Send { .. } | ConnectorRef::Hybrid {}, Some(sharing)) => {
                sharing.servers.iter().collect()
            }
            (ConnectorRef::Send { .. } | ConnectorRef::Hybrid {}, None) => desired.servers.keys().collect(),
        };
        let mut last: Option<BoxError> = None;
        for server in servers {
            match ports.driver.export(server, certificate, false) {
                Ok(bundle) => return Ok(TlsCertificateName::of(&bundle.certificate)),
                Err(error) => last = Some(error.into()),
            }
        }
        let source = last.unwrap_or_else(|| "no server has the certificate".into());
        Err(DriverError::failed(format!("reading {} for {connector}", certificate.short()), source).into())
    }
}

/// The certificates of the manifest that a plan names, by their thumbprints and by the steps that make them.
fn trusted_by(plan: &Plan, desired: &Desired) -> BTreeMap<CertRef, TrustedBy> {
    let of = |id: &CertificateId| Some(TrustedBy::of(&desired.certificates.get(id)?.origin));
    let known = plan.changes.iter().filter_map(|change| {
        let trusted_by = of(&change.certificate)?;
        Some((CertRef::Known(change.current?), trusted_by))
    });
    let outputs = plan.steps.iter().filter_map(|step| {
        let trusted_by = of(step.certificate.as_ref()?)?;
        Some((CertRef::FromStep(step.id), trusted_by))
    });
    known.chain(outputs).collect()
}

/// Whether a server has the certificate with a key that may leave it, as far as it can be asked.
fn has_copy(ports: &Ports<'_>, server: &ServerName, thumbprint: Thumbprint) -> bool {
    let observed = ports.driver.observe(Wanted::Store(server));
    observed.is_ok_and(|observed| {
        let own = observed.organization.servers.get(server);
        let stored = own.and_then(|own| own.certificate(thumbprint));
        stored.is_some_and(|stored| stored.has_private_key && stored.exportable.known() == Some(&true))
    })
}

/// Nothing that can panic is done while one of the locks is held.
const UNPOISONED: &str = "no panic holds the lock";
