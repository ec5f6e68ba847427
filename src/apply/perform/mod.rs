//! One step's effect.

mod balancers;
mod checks;
mod enable;
mod error;
mod look;
mod manual;
mod outputs;
mod repoint;
mod restarts;

use std::collections::BTreeSet;

use self::{
    balancers::{install, verify_balancer},
    checks::checks,
    enable::{Comes, arrived, enable, enable_at_once},
    repoint::repoint,
    restarts::{restart, serves_already, started},
};
pub(super) use self::{
    error::StepError,
    look::{Seen, seen},
    outputs::Outputs,
};
use super::ports::Ports;
use crate::{
    exchange::refusal::{Refusal, Why},
    model::{
        action::{
            Action, CertRef, CertificateRequest, Condition, DefaultSmtp, Expectation, ServiceGroup, StoredOn,
        },
        bundle::{Answer, Bundle},
        certificate::Der,
        desired::{Desired, Origin},
        entry::StepOutput,
        names::{FriendlyName, IssuerName, PeerName, ServerName},
        plan::Step,
        policy::RequestEncoding,
        service::{Service, Services},
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    ports::{
        FoundDrained,
        driver::{DriverError, NamedRemoval},
    },
    verify::{peers::Peers, run},
};

/// How a step ended that did not fail.
pub(super) enum Performed {
    /// It was done.
    Done(StepOutput),
    /// It waits for this.
    Waiting(String),
}

/// Does one step, or finds that it has to wait.
pub(super) fn perform(
    step: &Step,
    desired: &Desired,
    ports: &Ports<'_>,
    outputs: &Outputs,
) -> Result<Performed, StepError> {
    match outputs.stored(step.id) {
        Some(stored) => enable_stored(ports, step, stored).map(Performed::Done),
        None => act(step, desired, ports, outputs),
    }
}

/// Looks whether a condition is met, and waits for it when it is not.
fn wait(
    step: &Step,
    until: &Condition,
    task: String,
    (desired, ports): (&Desired, &Ports<'_>),
    outputs: &Outputs,
) -> Result<Performed, StepError> {
    let Some(output) = met(until, desired, ports, outputs)? else {
        restore_request(step, until, (desired, ports), outputs)?;
        return Ok(Performed::Waiting(task));
    };
    outputs.note(step.id, &output);
    Ok(Performed::Done(output))
}

/// Writes a request again whose file is gone while its answer is waited for: without it nobody can ask the CA.
fn restore_request(
    step: &Step,
    until: &Condition,
    (desired, ports): (&Desired, &Ports<'_>),
    outputs: &Outputs,
) -> Result<(), StepError> {
    let Condition::Answer { file, request, .. } = until else { return Ok(()) };
    if let Some(request) = outputs.request(*request) {
        ports.requests.restore(file, &request.0, encoding(step, desired))?;
    }
    Ok(())
}

/// How the requests for the certificate of a step are written.
fn encoding(step: &Step, desired: &Desired) -> RequestEncoding {
    let certificate = step.certificate.as_ref().and_then(|id| desired.certificates.get(id));
    match certificate.map(|certificate| &certificate.origin) {
        Some(Origin::Csr { encoding, .. }) => *encoding,
        Some(Origin::SelfSigned | Origin::LocalCa { .. } | Origin::Pfx { .. }) | None => {
            RequestEncoding::default()
        }
    }
}

/// What came of a condition that is met; none when it is not.
fn met(
    until: &Condition,
    desired: &Desired,
    ports: &Ports<'_>,
    outputs: &Outputs,
) -> Result<Option<StepOutput>, StepError> {
    match until {
        Condition::HybridApplied {} => Ok(manual::hybrid_applied(ports)?.then_some(StepOutput::Done)),
        Condition::EdgeSubscribed { edge, before } => {
            Ok(manual::edge_subscribed(edge, *before, desired, ports)?.then_some(StepOutput::Done))
        }
        Condition::EdgeAwaited { edge } => {
            Ok(desired.can_subscribe(edge, ports.driver.now()).then_some(StepOutput::Done))
        }
        Condition::AuthTold { certificate, .. } => {
            let told = desired.auth.as_ref().and_then(|auth| auth.reported);
            Ok((told == Some(outputs.thumbprint(*certificate)?)).then_some(StepOutput::Done))
        }
        Condition::OnlineTold { subject } => {
            let told = desired.told_subject.as_ref().is_some_and(|told| told.means(subject));
            Ok(told.then_some(StepOutput::Done))
        }
        Condition::Served { server, expect } => {
            Ok(restarts::serves(ports, desired, outputs, server, expect)?.then_some(StepOutput::Done))
        }
        Condition::Moment { at } => Ok((*at <= ports.driver.now()).then_some(StepOutput::Done)),
        Condition::Answer { file, request, public_key, .. } => {
            let wanted = public_key.clone().or_else(|| outputs.public_key(*request));
            let answer = ports.requests.answer(file)?.map(|answer| answer.certificate);
            let answer =
                answer.filter(|answer| wanted.as_ref().is_none_or(|wanted| *wanted == answer.public_key));
            Ok(answer.map(|answer| StepOutput::Certificate {
                thumbprint: answer.thumbprint,
                not_after: answer.not_after,
                key_from: None,
            }))
        }
    }
}

#[expect(clippy::too_many_lines, reason = "a table: an arm for each action, each a few lines")]
fn act(step: &Step, desired: &Desired, ports: &Ports<'_>, outputs: &Outputs) -> Result<Performed, StepError> {
    let driver = ports.driver;
    let again = outputs.begins_again(step.id);
    let done = match &step.action {
        Action::Issue { issuer, request, issued_by: _, certificate: _ } => {
            issue(step, issuer, request, ports, outputs)
        }
        Action::Request { server, request, file } => {
            make_request(step, server, request, file, (desired, ports, outputs))
        }
        Action::Complete { server, certificate, file, answer: _, friendly_name, enable, default_smtp } => {
            let thumbprint = outputs.thumbprint(*certificate)?;
            let answer = answer(ports, file, thumbprint)?;
            arrived(ports, server, thumbprint, driver.complete(server, &answer, friendly_name))?;
            enable_at_once(ports, server, thumbprint, enable, *default_smtp, Comes::Once)?;
            Ok(StepOutput::Certificate {
                thumbprint,
                not_after: answer.certificate.not_after,
                key_from: None,
            })
        }
        Action::RemoveRequest { server, request } => {
            done(driver.remove_request(server, outputs.thumbprint(*request)?))
        }
        Action::SetUmStartupMode { server, call_router, mode } => {
            done(driver.set_um_startup_mode(server, *call_router, *mode))
        }
        Action::Create { server, request, enable, default_smtp } => {
            let (thumbprint, not_after) = driver.create(server, request)?;
            outputs.note(step.id, &StepOutput::Certificate { thumbprint, not_after, key_from: None });
            enable_at_once(ports, server, thumbprint, enable, *default_smtp, Comes::Again)?;
            Ok(StepOutput::Certificate { thumbprint, not_after, key_from: None })
        }
        Action::Import { server, certificate, from, friendly_name, exportable, enable, default_smtp } => {
            let (bundle, key_from) = outputs.bundle(ports, *certificate, from, desired)?;
            import(ports, server, &bundle, friendly_name, *exportable)?;
            let facts = &bundle.certificate;
            enable_at_once(ports, server, facts.thumbprint, enable, *default_smtp, Comes::Again)?;
            Ok(StepOutput::Certificate { thumbprint: facts.thumbprint, not_after: facts.not_after, key_from })
        }
        Action::Bind { server, certificate, services, default_smtp } => {
            enable(ports, server, outputs.thumbprint(*certificate)?, services, *default_smtp)?;
            Ok(StepOutput::Done)
        }
        Action::SetInternalTransport { server, certificate } => {
            let smtp = Services::from([Service::Smtp]);
            enable(ports, server, outputs.thumbprint(*certificate)?, &smtp, DefaultSmtp::Replace)?;
            Ok(StepOutput::Done)
        }
        Action::BindSite { server, site, certificate } => {
            done(driver.bind_site(server, site, outputs.thumbprint(*certificate)?))
        }
        Action::SetX509CertificateName { server, service, name } => {
            done(driver.set_x509_certificate_name(server, *service, name.as_ref()))
        }
        Action::Repoint { connector, to } => {
            let of = step.certificate.as_ref();
            let name = |to| outputs.tls_name(ports, connector, to, of, desired);
            let name = to.as_ref().map(name).transpose()?;
            repoint(ports, connector, name)?;
            Ok(StepOutput::Done)
        }
        Action::SetImCertificate { name, certificate, servers } => {
            done(driver.set_im_certificate(name, outputs.thumbprint(*certificate)?, servers))
        }
        Action::Restart { server, service: what, services, unless_served, drain } => {
            // What an earlier attempt has stopped may have no port of its own.
            if again || !serves_already(ports, desired, outputs, server, unless_served)? {
                let found = outputs.found_drained(step.id, drain.as_ref());
                let restarted = restart(ports, server, (*what, services), drain.as_ref(), (again, found));
                outputs.note_drain(step.id, &restarted);
                restarted?;
            }
            Ok(StepOutput::Done)
        }
        Action::StageAuth { certificate, effective } => {
            done(driver.stage_auth(outputs.thumbprint(*certificate)?, *effective))
        }
        Action::PublishAuth { .. } => done(driver.publish_auth()),
        Action::ClearPreviousAuth {} => done(driver.clear_previous_auth()),
        Action::Verify { server, expect } => verify_server(ports, desired, outputs, server, expect),
        Action::BackUp { server, certificate, with_key } => {
            let thumbprint = outputs.thumbprint(*certificate)?;
            let bundle = driver.export(server, thumbprint, *with_key).map_err(|error| match error {
                DriverError::Refused(Refusal { why: Why::NotExportable, .. }) if *with_key => {
                    StepError::KeyNotBackedUp { server: server.clone(), certificate: thumbprint }
                }
                error => error.into(),
            })?;
            let (name, sha256) =
                ports.artifacts.back_up(step.id, &PeerName::Server(server.clone()), &bundle)?;
            Ok(StepOutput::File { name, sha256 })
        }
        Action::Remove { server, certificate, while_stopped } => {
            remove((step, again), ports, outputs, server, (*certificate, while_stopped))
        }
        Action::RemoveNamed { certificates, connectors, while_stopped } => {
            let proofs = certificates.iter().map(|stored| outputs.proof(&stored.server));
            let proofs = proofs.collect::<Result<Vec<_>, _>>()?;
            let certificates = certificates.iter().map(|StoredOn { server, certificate }| {
                Ok((server.clone(), outputs.thumbprint(*certificate)?))
            });
            let certificates = certificates.collect::<Result<Vec<_>, StepError>>()?;
            let removals = certificates.iter().map(|(server, thumbprint)| (server, *thumbprint));
            look::not_in_bindings(driver, &removals.collect())?;
            done(driver.remove_named(&NamedRemoval { certificates, connectors, while_stopped }, &proofs))
        }
        Action::Install { balancer, certificate, from } => {
            let (bundle, _) = outputs.bundle(ports, *certificate, from, desired)?;
            install(step, ports, balancer, &bundle)
        }
        Action::VerifyBalancer { balancer, expect } => verify_balancer(ports, outputs, balancer, expect),
        // That it is reached is all.
        Action::Gate { .. } => Ok(StepOutput::Done),
        Action::CannotApply { .. } => Err(StepError::CannotApply),
        Action::Await { until } => {
            return wait(step, until, until.to_string(), (desired, ports), outputs);
        }
        Action::Manual { until, task, .. } => {
            return wait(step, until, task.clone(), (desired, ports), outputs);
        }
    };
    done.map(Performed::Done)
}

fn issue(
    step: &Step,
    issuer: &IssuerName,
    request: &CertificateRequest,
    ports: &Ports<'_>,
    outputs: &Outputs,
) -> Result<StepOutput, StepError> {
    let missing = || StepError::BrokenPlan(format!("there is no issuer {issuer}"));
    let bundle = ports.issuers.get(issuer).ok_or_else(missing)?.issue(request, ports.driver.now())?;
    ports.artifacts.keep_issued(step.id, &bundle)?;
    Ok(outputs.keep(step.id, bundle))
}

/// Has a server make a request, and writes it to its file. One that an earlier process left without a file goes first.
fn make_request(
    step: &Step,
    server: &ServerName,
    request: &CertificateRequest,
    file: &str,
    (desired, ports, outputs): (&Desired, &Ports<'_>, &Outputs),
) -> Result<StepOutput, StepError> {
    if let Some(orphan) = outputs.orphan(step.id) {
        ports.driver.remove_request(server, orphan)?;
    }
    let new = ports.driver.request(server, request)?;
    ports.requests.save(file, &new.request, encoding(step, desired))?;
    let request = Some(Der(new.request));
    let output = StepOutput::Request { thumbprint: new.thumbprint, public_key: new.public_key, request };
    outputs.note(step.id, &output);
    Ok(output)
}

fn done(result: Result<(), DriverError>) -> Result<StepOutput, StepError> {
    Ok(result.map(|()| StepOutput::Done)?)
}

/// The answer that a plan was made with, or that was found while the run waited.
fn answer(ports: &Ports<'_>, file: &str, thumbprint: Thumbprint) -> Result<Answer, StepError> {
    let answer = ports.requests.answer(file)?.filter(|answer| answer.certificate.thumbprint == thumbprint);
    answer.ok_or_else(|| {
        StepError::BrokenPlan(format!("the answer {} is not at {file} any more", thumbprint.short()))
    })
}

fn import(
    ports: &Ports<'_>,
    server: &ServerName,
    bundle: &Bundle,
    friendly_name: &FriendlyName,
    exportable: bool,
) -> Result<(), StepError> {
    let brought = ports.driver.import(server, bundle, friendly_name, exportable);
    arrived(ports, server, bundle.certificate.thumbprint, brought)
}

/// What is left of a step that had stored its certificate before it was cut off.
fn enable_stored(
    ports: &Ports<'_>,
    step: &Step,
    (thumbprint, not_after): (Thumbprint, Timestamp),
) -> Result<StepOutput, StepError> {
    let comes = if matches!(step.action, Action::Complete { .. }) { Comes::Once } else { Comes::Again };
    if let Some((server, services, default_smtp)) = step.action.clone().enabling() {
        enable_at_once(ports, server, thumbprint, services, *default_smtp, comes)?;
    }
    Ok(StepOutput::Certificate { thumbprint, not_after, key_from: None })
}

/// Removes a certificate. Where an earlier process was cut off after it was gone, only what stood still for it is started;
/// where it was cut off before, what stands still is started too.
fn remove(
    (step, again): (&Step, bool),
    ports: &Ports<'_>,
    outputs: &Outputs,
    server: &ServerName,
    (certificate, while_stopped): (CertRef, &[ServiceGroup]),
) -> Result<StepOutput, StepError> {
    let driver = ports.driver;
    if outputs.is_removed(step.id) {
        for ServiceGroup { service: what, services } in while_stopped {
            restart(ports, server, (*what, services), None, (true, FoundDrained::Foreign))?;
        }
        return Ok(StepOutput::Done);
    }
    let thumbprint = outputs.thumbprint(certificate)?;
    look::not_in_bindings(driver, &BTreeSet::from([(server, thumbprint)]))?;
    let removed = driver.remove(server, thumbprint, while_stopped, outputs.proof(server)?.as_ref());
    let stood = if again { while_stopped } else { &[] };
    let running =
        stood.iter().map(|ServiceGroup { service, services }| started(ports, server, (*service, services)));
    let running = running.fold(Ok(()), Result::and);
    removed.and(running)?;
    Ok(StepOutput::Done)
}

fn verify_server(
    ports: &Ports<'_>,
    desired: &Desired,
    outputs: &Outputs,
    server: &ServerName,
    expect: &[Expectation],
) -> Result<StepOutput, StepError> {
    let checks = checks(desired, outputs, server, expect)?;
    let verified =
        run::verify(&checks, &Peers::new(ports.driver, ports.balancers), ports.prober, ports.roots)
            .map_err(StepError::NotServed)?;
    let endpoints =
        verified.served().iter().map(|((_, endpoint), thumbprint)| (*endpoint, *thumbprint)).collect();
    outputs.prove(server, verified);
    Ok(StepOutput::Served { endpoints })
}
