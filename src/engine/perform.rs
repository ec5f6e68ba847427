//! One step's effect.

use std::{collections::BTreeMap, sync::Mutex};

use super::{
    apply::Ports,
    artifacts::ArtifactError,
    driver::{BoxError, DriverError},
    issuer::IssuerError,
    verify::{self, Check, Verified},
};
use crate::model::{
    action::{Action, BundleSource, CertRef, ConnectorRef, DefaultSmtp, Expectation, StepId, TlsName},
    bundle::Bundle,
    desired::Desired,
    dn::TlsCertificateName,
    entry::StepOutput,
    names::{FriendlyName, ServerName},
    plan::Step,
    service::{Service, Services},
    thumbprint::Thumbprint,
};

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    /// The driver could not.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// The CA could not.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// A file could not be written or read.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// Endpoints do not serve what they should.
    #[error("{}", served_wrongly(.0))]
    NotServed(Vec<verify::Row>),
    /// The plan itself says that it cannot be done.
    #[error("{0}")]
    CannotApply(String),
    /// The plan refers to what is not there. `lint` finds this before a run begins.
    #[error("the plan is broken: {0}")]
    BrokenPlan(String),
}

/// What the steps of a run have made so far.
#[derive(Default)]
pub(super) struct Made {
    certificates: Mutex<BTreeMap<StepId, Thumbprint>>,
    bundles: Mutex<BTreeMap<StepId, Bundle>>,
    verified: Mutex<BTreeMap<ServerName, Verified>>,
}

/// Does one step.
pub(super) fn perform(
    step: &Step,
    desired: &Desired,
    ports: &Ports<'_>,
    made: &Made,
) -> Result<StepOutput, StepError> {
    let driver = ports.driver;
    match &step.action {
        Action::Issue { issuer, request, issued_by: _ } => {
            let missing = || StepError::BrokenPlan(format!("there is no issuer {issuer}"));
            let bundle = ports.issuers.get(issuer).ok_or_else(missing)?.issue(request, driver.now())?;
            ports.artifacts.keep_issued(step.id, &bundle)?;
            Ok(made.keep(step.id, bundle))
        }
        Action::Create { server, request, enable, default_smtp } => {
            let (thumbprint, not_after) = driver.create(server, request)?;
            made.name(step.id, thumbprint);
            enable_at_once(ports, server, thumbprint, enable, *default_smtp)?;
            Ok(StepOutput::Certificate { thumbprint, not_after })
        }
        Action::Import { server, certificate, from, friendly_name, exportable, enable, default_smtp } => {
            let bundle = made.bundle(ports, *certificate, from)?;
            import(ports, server, &bundle, friendly_name, *exportable)?;
            let facts = &bundle.certificate;
            enable_at_once(ports, server, facts.thumbprint, enable, *default_smtp)?;
            Ok(StepOutput::Certificate { thumbprint: facts.thumbprint, not_after: facts.not_after })
        }
        Action::Bind { server, certificate, services, default_smtp } => {
            driver.bind(server, made.thumbprint(*certificate)?, services, *default_smtp)?;
            Ok(StepOutput::Done)
        }
        Action::SetInternalTransport { server, certificate } => {
            let smtp = Services::from([Service::Smtp]);
            driver.bind(server, made.thumbprint(*certificate)?, &smtp, DefaultSmtp::Replace)?;
            Ok(StepOutput::Done)
        }
        Action::BindSite { server, site, certificate } => {
            driver.bind_site(server, site, made.thumbprint(*certificate)?)?;
            Ok(StepOutput::Done)
        }
        Action::SetX509CertificateName { server, service, name } => {
            driver.set_x509_certificate_name(server, *service, name.as_ref())?;
            Ok(StepOutput::Done)
        }
        Action::Repoint { connector, to } => {
            let name = to.as_ref().map(|to| made.tls_name(ports, connector, to, desired)).transpose()?;
            match connector {
                ConnectorRef::Send { name: connector } => driver.repoint_send(connector, name.as_ref())?,
                ConnectorRef::Receive { server, name: connector } => {
                    driver.repoint_receive(server, connector, name.as_ref())?;
                }
            }
            Ok(StepOutput::Done)
        }
        Action::Restart { server, what, services } => {
            driver.restart(server, *what, services)?;
            Ok(StepOutput::Done)
        }
        Action::Verify { server, expect } => verify_server(ports, desired, made, server, expect),
        Action::BackUp { server, certificate, with_key } => {
            let bundle = driver.export(server, *certificate, *with_key)?;
            let (name, sha256) = ports.artifacts.back_up(step.id, server, &bundle)?;
            Ok(StepOutput::File { name, sha256 })
        }
        Action::Remove { server, certificate } => {
            let thumbprint = made.thumbprint(*certificate)?;
            let verified = made.verified.lock().expect("no panic holds it");
            let missing = || StepError::BrokenPlan(format!("{server} was not verified before the removal"));
            driver.remove(server, thumbprint, verified.get(server).ok_or_else(missing)?)?;
            Ok(StepOutput::Done)
        }
        Action::CannotApply { why, .. } => Err(StepError::CannotApply(why.clone())),
    }
}

fn import(
    ports: &Ports<'_>,
    server: &ServerName,
    bundle: &Bundle,
    friendly_name: &FriendlyName,
    exportable: bool,
) -> Result<(), StepError> {
    Ok(ports.driver.import(server, bundle, friendly_name, exportable)?)
}

/// Services that must not wait for a step of their own.
fn enable_at_once(
    ports: &Ports<'_>,
    server: &ServerName,
    thumbprint: Thumbprint,
    services: &Services,
    default_smtp: DefaultSmtp,
) -> Result<(), StepError> {
    if services.is_empty() {
        return Ok(());
    }
    Ok(ports.driver.bind(server, thumbprint, services, default_smtp)?)
}

fn verify_server(
    ports: &Ports<'_>,
    desired: &Desired,
    made: &Made,
    server: &ServerName,
    expect: &[Expectation],
) -> Result<StepOutput, StepError> {
    let missing = || StepError::BrokenPlan(format!("{server} is not in the manifest"));
    let fqdn = &desired.servers.get(server).ok_or_else(missing)?.fqdn;
    let checks = expect.iter().map(|expectation| {
        Ok(Check {
            server: server.clone(),
            fqdn: fqdn.clone(),
            endpoint: expectation.endpoint,
            name: expectation.name.clone(),
            expected: made.thumbprint(expectation.certificate)?,
        })
    });
    let checks: Vec<Check> = checks.collect::<Result<_, StepError>>()?;
    let verified = verify::verify(&checks, ports.driver, ports.prober).map_err(StepError::NotServed)?;
    let endpoints =
        verified.served().iter().map(|((_, endpoint), thumbprint)| (*endpoint, *thumbprint)).collect();
    made.verified.lock().expect("no panic holds it").insert(server.clone(), verified);
    Ok(StepOutput::Served { endpoints })
}

impl Made {
    /// Notes what a step of the plan made before, from the journal.
    pub(super) fn name(&self, step: StepId, thumbprint: Thumbprint) {
        self.certificates.lock().expect("no panic holds it").insert(step, thumbprint);
    }

    fn keep(&self, step: StepId, bundle: Bundle) -> StepOutput {
        let (thumbprint, not_after) = (bundle.certificate.thumbprint, bundle.certificate.not_after);
        self.name(step, thumbprint);
        self.bundles.lock().expect("no panic holds it").insert(step, bundle);
        StepOutput::Certificate { thumbprint, not_after }
    }

    fn thumbprint(&self, certificate: CertRef) -> Result<Thumbprint, StepError> {
        match certificate {
            CertRef::Known(thumbprint) => Ok(thumbprint),
            CertRef::FromStep(step) => {
                let certificates = self.certificates.lock().expect("no panic holds it");
                let missing = || StepError::BrokenPlan(format!("{step:?} has made no certificate"));
                certificates.get(&step).copied().ok_or_else(missing)
            }
        }
    }

    /// The certificate and key to import.
    fn bundle(
        &self,
        ports: &Ports<'_>,
        certificate: CertRef,
        from: &BundleSource,
    ) -> Result<Bundle, StepError> {
        match from {
            BundleSource::Issued(step) => {
                if let Some(bundle) = self.bundles.lock().expect("no panic holds it").get(step) {
                    return Ok(bundle.clone());
                }
                let missing = || StepError::BrokenPlan(format!("the certificate of {step:?} was not kept"));
                Ok(ports.artifacts.issued(*step)?.ok_or_else(missing)?)
            }
            BundleSource::Server(server) => {
                Ok(ports.driver.export(server, self.thumbprint(certificate)?, true)?)
            }
            BundleSource::Backup { run, step, .. } => Ok(ports.artifacts.backup(run.as_deref(), *step)?),
        }
    }

    /// The text for a connector, read from a server that has the certificate.
    fn tls_name(
        &self,
        ports: &Ports<'_>,
        connector: &ConnectorRef,
        to: &TlsName,
        desired: &Desired,
    ) -> Result<TlsCertificateName, StepError> {
        let certificate = match to {
            TlsName::Exactly(name) => return Ok(name.clone()),
            TlsName::Of(certificate) => self.thumbprint(*certificate)?,
        };
        let servers: Vec<&ServerName> = match connector {
            ConnectorRef::Receive { server, .. } => vec![server],
            ConnectorRef::Send { .. } => desired.servers.keys().collect(),
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

fn served_wrongly(rows: &[verify::Row]) -> String {
    let bad = rows.iter().filter(|row| !row.is_good());
    let lines: Vec<String> =
        bad.map(|row| format!("{} {}: {}", row.server, row.endpoint, row.problems.join("; "))).collect();
    format!(
        "{} of {} endpoints do not serve what they should: {}",
        lines.len(),
        rows.len(),
        lines.join(" | ")
    )
}
