//! Requests that a new run waits for an answer to, made by a run that was given up, whose files are gone: without a file nobody can
//! ask the CA. The journals have them.

use super::{CommandError, apply_session::Running, unfinished};
use crate::{
    model::{
        action::{Action, CertRef, Condition},
        desired::Origin,
        entry::StepOutput,
        plan::{Plan, Step},
        policy::RequestEncoding,
        thumbprint::Thumbprint,
    },
    ports::enrolment::Requests,
};

/// Writes them again, or says where else they are.
pub(super) fn restore(running: &Running<'_>, plan: &Plan) -> Result<(), CommandError> {
    let requests = running.session.requests();
    for step in &plan.steps {
        let Action::Await { until: Condition::Answer { file, server, request, .. } } = &step.action else {
            continue;
        };
        // What this run asks for itself has its file from it.
        let CertRef::Known(thumbprint) = request else { continue };
        if requests.has_request(file) || !matches!(requests.answer(file), Ok(None)) {
            continue;
        }
        if let Some(request) = of_journals(running, *thumbprint)? {
            requests.restore(file, &request, encoding(running, step))?;
            running.terminal.say(&format!("{file}.csr was gone, and is written again from a journal"));
        } else {
            running.terminal.warn(&format!(
                "{file}.csr is not there, and no journal has it; in the Exchange Management Shell \
                 `Export-ExchangeCertificate -Server {server} -Thumbprint {thumbprint}` gives the request back"
            ));
        }
    }
    Ok(())
}

/// A request by its stand-in certificate. A journal that cannot be read has none; `history` says which.
fn of_journals(running: &Running<'_>, wanted: Thumbprint) -> Result<Option<Vec<u8>>, CommandError> {
    for run in running.store.runs()? {
        let Ok(Some(progress)) = unfinished::read(&running.store, &run) else { continue };
        let found = progress.done().into_values().find_map(|output| match output {
            StepOutput::Request { thumbprint, request: Some(request), .. } if thumbprint == wanted => {
                Some(request.0)
            }
            _ => None,
        });
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// How the requests for the certificate of a step are written.
fn encoding(running: &Running<'_>, step: &Step) -> RequestEncoding {
    let certificate = step.certificate.as_ref().and_then(|id| running.session.desired.certificates.get(id));
    match certificate.map(|certificate| &certificate.origin) {
        Some(Origin::Csr { encoding, .. }) => *encoding,
        Some(Origin::SelfSigned | Origin::LocalCa { .. } | Origin::Pfx { .. }) | None => {
            RequestEncoding::default()
        }
    }
}
